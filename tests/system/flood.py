#!/usr/bin/python3
# Sends many packets of made-up senders into the lab's data network, as fast as the lab takes them.
"""usage: flood.py syn|udp SOURCE DESTINATION PORT COUNT [spread]

COUNT first packets of as many flows: all from SOURCE with ports of their own, or with `spread` each
from another address, counted up from SOURCE. Prints how many it has sent.
"""

import ipaddress
import socket
import struct
import sys
import time

CLIENT, BALANCER = bytes.fromhex("027700000002"), bytes.fromhex("027700000001")
LOWEST_PORT, PORTS = 1024, 64512
TCP, UDP = 6, 17
TOGETHER, PAUSE = 64, 0.004  # no faster than a small receive ring can take


def words(data):
    return sum(struct.unpack(f"!{len(data) // 2}H", data))


def checksum(total):
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def transport(kind, addresses, source_port, port):
    """A SYN (RFC 9293), or eight bytes in a datagram, with the pseudo-header in its checksum."""
    if kind == "syn":
        data = struct.pack("!HHIIBBHHH", source_port, port, source_port, 0, 5 << 4, 2, 65535, 0, 0)
        protocol, at = TCP, 16
    else:
        data = struct.pack("!HHHH8s", source_port, port, 16, 0, b"flooding")
        protocol, at = UDP, 6
    total = words(addresses) + protocol + len(data) + words(data)
    return protocol, data[:at] + struct.pack("!H", checksum(total) or 0xFFFF) + data[at + 2:]


def frame(kind, source, destination, source_port, port):
    addresses = source.packed + destination.packed
    protocol, data = transport(kind, addresses, source_port, port)
    if source.version == 4:
        begin = struct.pack("!BBHIBB", 0x45, 0, 20 + len(data), 0, 64, protocol)
        header = begin + struct.pack("!H", checksum(words(begin + addresses))) + addresses
    else:
        header = struct.pack("!IHBB", 6 << 28, len(data), protocol, 64) + addresses
    ether_type = b"\x08\x00" if source.version == 4 else b"\x86\xdd"
    return BALANCER + CLIENT + ether_type + header + data


def main(kind, source, destination, port, count, spread=""):
    source, destination = ipaddress.ip_address(source), ipaddress.ip_address(destination)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire:
        wire.bind(("data", 0))
        for number in range(int(count)):
            sender = source + number if spread else source
            wire.send(frame(kind, sender, destination, LOWEST_PORT + number % PORTS, int(port)))
            if number % TOGETHER == TOGETHER - 1:
                time.sleep(PAUSE)
    print(count)


if __name__ == "__main__":
    main(*sys.argv[1:])
