#!/usr/bin/python3
# Takes tunnelled packets of a backend out of their tunnel, where its kernel has no tunnels itself.
"""usage: decapsulator.py COUNTS-FILE

IP in IP (protocols 4 and 41, RFC 2003, 2473, 4213) over both families by raw sockets; Generic UDP
Encapsulation on port 6080, variants 0 and 1, by ordinary UDP sockets, so that the kernel verifies
the UDP checksum. The inner packet goes into a TUN device, whence the kernel takes it as received;
the answer leaves by the kernel's own routes. What came is counted in COUNTS-FILE, as JSON.
"""

import collections
import fcntl
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys

GUE_PORT = 6080
TUN, TUNSETIFF, IFF_TUN, IFF_NO_PI = "decap0", 0x400454CA, 0x0001, 0x1000
SO_RCVBUFFORCE = 33  # the socket module does not name it
BUFFER = 16 << 20    # bytes a socket may hold while we are not looking
BURST = 64           # packets from one socket before the others get their turn


def open_tun():
    tun = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", TUN.encode(), IFF_TUN | IFF_NO_PI))
    # Clients are not behind the TUN: its packets fail every reverse path check there is.
    for name in ("all", TUN):
        with open(f"/proc/sys/net/ipv4/conf/{name}/rp_filter", "w", encoding="ascii") as setting:
            setting.write("0")
    subprocess.run(["ip", "link", "set", TUN, "up"], check=True)
    return tun


def family_of_inner(packet):
    """"ipv4", "ipv6", or None for what is neither."""
    return {4: "ipv4", 6: "ipv6"}.get(packet[0] >> 4) if len(packet) >= 20 else None


def open_gue(packet):
    """(variant, inner packet) of what was in the UDP datagram."""
    variant = packet[0] >> 6 if packet else 3
    if variant == 1:  # the first bits of the header are those of the inner packet's version
        return 1, packet
    if variant == 0 and len(packet) >= 4 and not packet[0] & 0x20:  # data, not control
        wanted = {4: "ipv4", 41: "ipv6"}.get(packet[1])
        inner = packet[4 + 4 * (packet[0] & 0x1F):]
        return 0, inner if wanted and family_of_inner(inner) == wanted else b""
    return variant, b""


class Decapsulator:
    def __init__(self, counts_file):
        self.counts_file = counts_file
        self.kinds = collections.Counter()
        self.sources = set()     # outer source addresses
        self.gue_ports = set()   # outer UDP source ports
        self.longest = 0         # bytes of the longest inner packet
        self.tun = open_tun()
        self.readers = {}
        for family, outer in ((socket.AF_INET, "ipv4"), (socket.AF_INET6, "ipv6")):
            for protocol, inner in ((4, "ipv4"), (41, "ipv6")):
                self.add(socket.socket(family, socket.SOCK_RAW, protocol), self.ipip, outer, inner)
            gue = socket.socket(family, socket.SOCK_DGRAM)
            if family == socket.AF_INET6:
                gue.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            gue.bind(("::" if family == socket.AF_INET6 else "0.0.0.0", GUE_PORT))
            self.add(gue, self.gue, outer, None)

    def add(self, source, reader, outer, inner):
        source.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER)
        source.setblocking(False)
        self.readers[source] = (reader, outer, inner)

    def ipip(self, packet, _, outer, wanted):
        if outer == "ipv4":  # only there the raw socket gives the outer header too
            packet = packet[4 * (packet[0] & 0x0F):]
        return f"ipip {wanted} in {outer}", packet if family_of_inner(packet) == wanted else b""

    def gue(self, packet, sender, outer, _):
        self.gue_ports.add(sender[1])
        variant, packet = open_gue(packet)
        return f"gue{variant} {family_of_inner(packet) or 'unknown'} in {outer}", packet

    def take(self, source):
        reader, outer, inner = self.readers[source]
        for _ in range(BURST):
            try:
                packet, sender = source.recvfrom(65536)
            except BlockingIOError:
                return
            kind, packet = reader(packet, sender, outer, inner)
            self.sources.add(sender[0])
            if not family_of_inner(packet):
                self.kinds["malformed"] += 1
                continue
            self.kinds[kind] += 1
            self.longest = max(self.longest, len(packet))
            os.write(self.tun, packet)

    def tell(self):
        text = json.dumps({"kinds": self.kinds, "sources": sorted(self.sources),
                           "gue_ports": len(self.gue_ports), "longest": self.longest})
        with open(f"{self.counts_file}.new", "w", encoding="ascii") as stream:
            stream.write(text)
        os.replace(f"{self.counts_file}.new", self.counts_file)

    def run(self):
        told = None
        while True:
            ready = select.select([*self.readers, self.tun], [], [], 0.05)[0]
            for source in ready:
                if source == self.tun:  # what the kernel itself says there, such as MLD reports
                    os.read(self.tun, 65536)
                else:
                    self.take(source)
            seen = sum(self.kinds.values())
            if not ready and told != seen:
                self.tell()
                told = seen


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    Decapsulator(sys.argv[1]).run()
