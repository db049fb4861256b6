#!/usr/bin/python3
# The other end of decapsulator.py, to test that one alone: puts what a TUN gets into a tunnel.
"""usage: encapsulator.py ipip|gue0|gue1 BACKEND SERVICE...      Routes the addresses SERVICE."""

import fcntl
import os
import socket
import struct
import subprocess
import sys

GUE_PORT = 6080
TUN, TUNSETIFF, IFF_TUN, IFF_NO_PI = "encap0", 0x400454CA, 0x0001, 0x1000
PROTOCOL = {4: 4, 6: 41}  # of an inner packet by its version
MTU = 1400                # leaves room for any of the tunnels


def open_tun(services):
    tun = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", TUN.encode(), IFF_TUN | IFF_NO_PI))
    subprocess.run(["ip", "link", "set", TUN, "mtu", str(MTU), "up"], check=True)
    for service in services:
        source = "fd77::2" if ":" in service else "10.77.0.2"
        subprocess.run(["ip", "route", "replace", service, "dev", TUN, "src", source], check=True)
    return tun


def main(kind, backend, *services):
    tun = open_tun(services)
    family = socket.AF_INET6 if ":" in backend else socket.AF_INET
    raw = {version: socket.socket(family, socket.SOCK_RAW, protocol)
           for version, protocol in PROTOCOL.items()}
    udp = socket.socket(family, socket.SOCK_DGRAM)
    while True:
        packet = os.read(tun, 65536)
        version = packet[0] >> 4
        if kind == "ipip":
            raw[version].sendto(packet, (backend, 0))
        else:
            header = struct.pack(">BBH", 0, PROTOCOL[version], 0) if kind == "gue0" else b""
            udp.sendto(header + packet, (backend, GUE_PORT))


if __name__ == "__main__":
    main(*sys.argv[1:])
