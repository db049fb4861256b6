#!/usr/bin/python3
# Sends hostile packets from the client's namespace: one kind a call, made by scapy.
"""usage: hostile.py KIND      prints how many packets it has sent"""

import logging
import random
import socket
import sys
import time

logging.getLogger("scapy.runtime").setLevel(logging.ERROR)

from scapy.layers.inet import ICMP, IP, TCP, UDP, IPOption_NOP  # noqa: E402
from scapy.layers.inet6 import (ICMPv6ND_NS, ICMPv6NDOptSrcLLAddr, IPv6,  # noqa: E402
                                IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop,
                                IPv6ExtHdrRouting)
from scapy.layers.l2 import ARP, Ether  # noqa: E402
from scapy.packet import Raw  # noqa: E402

US, BALANCER = "02:77:00:00:00:02", "02:77:00:00:00:01"
ETHER = Ether(src=US, dst=BALANCER)
CLIENT, SERVICE, NAT = "10.77.0.2", "10.77.0.100", "10.77.0.20"
CLIENT6, SERVICE6 = "fd77::2", "fd77::100"


def v4(**fields):
    return ETHER / IP(**{"src": CLIENT, "dst": SERVICE, **fields})


def v6(**fields):
    return ETHER / IPv6(**{"src": CLIENT6, "dst": SERVICE6, **fields})


def syn(port=80, **fields):
    return TCP(**{"sport": random.randrange(1024, 65536), "dport": port, "flags": "S", **fields})


def cut(packet, length):
    return bytes(packet)[:length]


def ipv4_truncated():
    return [cut(v4() / syn(), 14 + n) for n in range(0, 20)]


def ipv4_bad_header_length():
    return [v4(ihl=n) / syn() for n in range(5)] + [v4(ihl=15) / TCP(dport=80, flags="S")]


def ipv4_bad_total_length():
    return [v4(len=n) / syn() for n in (0, 19, 41, 1500, 65535)]


def ipv4_bad_checksum():
    return [v4(chksum=n) / syn() for n in (1, 0x1234, 0xffff)]


def ipv4_bad_source():
    return [v4(src=s) / syn() for s in ("224.0.0.1", "255.255.255.255", "127.0.0.1", "0.0.0.0")]


def ipv6_truncated():
    return [cut(v6() / syn(), 14 + n) for n in range(0, 40)]


def ipv6_bad_payload_length():
    return [v6(plen=n) / syn() for n in (21, 1500, 65535)]


def ipv6_extension():
    return [v6() / IPv6ExtHdrRouting(type=kind, segleft=left, addresses=["fd77::13"]) / syn()
            for kind, left in ((0, 1), (0, 0), (2, 1))]


def ipv6_extension_passed():
    return [v6() / header / syn() for header in
            (IPv6ExtHdrHopByHop(), IPv6ExtHdrDestOpt(), IPv6ExtHdrFragment(m=0),
             IPv6ExtHdrRouting(type=2, segleft=0, addresses=["fd77::13"]))]


def tcp_bad_header_length():
    return [v4() / syn(dataofs=n) for n in (0, 1, 4, 6, 15)] + [v6() / syn(dataofs=4)]


def tcp_bad_flags():
    return [v4() / syn(flags=f) for f in (0, "SF", "SR", "SFRPAU", "FR")]


def tcp_truncated():
    packets = []
    for length in range(0, 20):
        packets.append(v4(proto=6) / Raw(bytes(syn())[:length]))
        packets.append(v6(nh=6) / Raw(bytes(syn())[:length]))
    return packets


def udp_bad_length():
    return [v4() / UDP(sport=5000, dport=9000, len=n) / Raw(b"hello") for n in (0, 7, 14, 65535)]


def udp_no_checksum():
    return [v6() / UDP(sport=5000, dport=9000, chksum=0) / Raw(b"hello")]


def ttl_expired():
    return [v4(ttl=n) / syn() for n in (0, 1)] + [v6(hlim=n) / syn() for n in (0, 1)]


def no_service():
    return [v4() / syn(port=4444), v4() / UDP(dport=80), v6() / syn(port=4444), v6() / UDP(dport=80)]


def arp_malformed():
    good = bytes(Ether(src=US, dst="ff:ff:ff:ff:ff:ff") / ARP(psrc=CLIENT, pdst=SERVICE))
    return [good[:14 + n] for n in range(0, 28, 3)] + [
        Ether(src=US, dst="ff:ff:ff:ff:ff:ff") / ARP(psrc=CLIENT, pdst=SERVICE, **lie)
        for lie in ({"hwtype": 7}, {"ptype": 0x86dd}, {"hwlen": 9}, {"plen": 16})]


def neighbour_malformed():
    good = {"src": CLIENT6, "dst": "ff02::1:ff00:100", "hlim": 255}
    ether = Ether(src=US, dst="33:33:ff:00:01:00")
    ask = ICMPv6ND_NS(tgt=SERVICE6)
    option = ICMPv6NDOptSrcLLAddr(lladdr=US)
    return [ether / IPv6(**{**good, "hlim": 64}) / ask / option,
            ether / IPv6(**good) / ICMPv6ND_NS(tgt=SERVICE6, code=1) / option,
            ether / IPv6(**good) / ICMPv6ND_NS(tgt="ff02::1") / option,
            ether / IPv6(**good) / ask / Raw(b"\x01\x00" + b"\0" * 6),
            ether / IPv6(**good) / ICMPv6ND_NS(tgt=SERVICE6, cksum=0x1234) / option]


def tcp_stray():
    return [v4() / syn(flags=f) for f in ("A", "PA", "FA", "R", "SA")]


def nat_foreign():
    return [ETHER / IP(src=CLIENT, dst=NAT) / TCP(sport=8080, dport=port, flags="SA")
            for port in range(1024, 65536, 257)]


def arp_forged():
    return [Ether(src=US, dst=BALANCER) / ARP(op=2, hwsrc=US, psrc=f"10.77.0.1{n}", hwdst=BALANCER,
                                              pdst="10.77.0.1") for n in (1, 2, 3)]


def ipv4_options():
    return [v4(options=[IPOption_NOP()] * n) / syn() for n in (1, 4, 40)]


def random_frames(count=20000):
    """Good packets with a few bytes changed or cut off, the same ones each time."""
    chance = random.Random(20260101)
    models = [bytes(p) for p in (
        v4() / syn(), v6() / syn(), v4() / UDP(sport=9, dport=9000) / Raw(b"x" * 40),
        v6() / UDP(sport=9, dport=9000) / Raw(b"x" * 40), v4(dst="10.77.0.110") / syn(),
        ETHER / IP(src="10.77.0.11", dst=NAT) / TCP(sport=8080, dport=2000, flags="A"),
        ETHER / ARP(psrc=CLIENT, pdst=SERVICE), v4() / ICMP(),
        ETHER / IPv6(src=CLIENT6, dst=SERVICE6, hlim=255) / ICMPv6ND_NS(tgt=SERVICE6))]
    for _ in range(count):
        frame = bytearray(chance.choice(models))
        for _ in range(chance.randrange(1, 6)):
            frame[chance.randrange(12, len(frame))] = chance.randrange(256)
        if chance.random() < 0.3:
            del frame[chance.randrange(14, len(frame)):]
        yield bytes(frame)


KINDS = {"random": random_frames, **{name: maker for name, maker in globals().items()
                                     if callable(maker) and getattr(maker, "__module__", "") ==
                                     "__main__" and name not in ("v4", "v6", "syn", "cut")}}


def main():
    sent = 0
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire:
        wire.bind(("data", 0))
        for packet in KINDS[sys.argv[1]]():
            wire.send(bytes(packet))
            sent += 1
            if sent % 64 == 0:  # no faster than a small receive ring can take
                time.sleep(0.002)
    print(sent)


if __name__ == "__main__":
    main()
