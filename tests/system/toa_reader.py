#!/usr/bin/python3
# Reads TCP options of kind 254 (TOA) off a backend's link, since its kernel has no module for them.
"""usage: toa_reader.py LINK PORT FILE

Writes a JSON list of [client, client port, "SYN" or "ACK"], one of each, to FILE whenever it grows.
"""

import ipaddress
import json
import os
import socket
import struct
import sys

IPV4, IPV6, TCP, KIND = 0x0800, 0x86DD, 6, 254
OUTGOING = 4


def segment_of(frame):
    """The TCP segment in an Ethernet frame without extension headers; None if there is none."""
    kind = struct.unpack_from(">H", frame, 12)[0]
    if kind == IPV4 and frame[23] == TCP:
        return frame[14 + 4 * (frame[14] & 0x0F):]
    if kind == IPV6 and frame[20] == TCP:
        return frame[54:]
    return None


def clients_in(segment):
    """(address, port) in each option of kind 254."""
    at, end = 20, 4 * (segment[12] >> 4)
    while at + 1 < end and segment[at] != 0:
        if segment[at] == 1:
            at += 1
            continue
        length = segment[at + 1]
        if length < 2:
            return
        if segment[at] == KIND and length in (8, 20):
            port = struct.unpack_from(">H", segment, at + 2)[0]
            yield str(ipaddress.ip_address(segment[at + 4:at + length])), port
        at += length


def write(file, seen):
    with open(f"{file}.new", "w", encoding="ascii") as stream:
        json.dump(sorted(seen), stream)
    os.replace(f"{file}.new", file)


def main(link, port, file):
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    wire.bind((link, 3))
    seen = set()
    write(file, seen)
    while True:
        frame, sender = wire.recvfrom(65536)
        segment = segment_of(frame) if len(frame) >= 54 and sender[2] != OUTGOING else None
        if segment is None or struct.unpack_from(">H", segment, 2)[0] != int(port):
            continue
        kind = "SYN" if segment[13] & 2 else "ACK"
        for address, source_port in clients_in(segment):
            if (address, source_port, kind) not in seen:
                seen.add((address, source_port, kind))
                write(file, seen)


if __name__ == "__main__":
    main(*sys.argv[1:])
