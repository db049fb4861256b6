# Rows about IPv6 headers: truncated, lying, from nowhere, or for nobody.
from scapy.layers.inet import TCP, UDP
from scapy.layers.inet6 import (ICMPv6EchoRequest, IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrHopByHop,
                                IPv6ExtHdrRouting)
from scapy.layers.l2 import Ether

from network import FAR, OWN, VIP
from row import burst, flows, frame, row
from talk import Talk

web = Talk("web6")
SYN = bytes(web.asked("S"))


def to(address, rest, source=FAR.ipv6, **ip):
    return Ether(src=FAR.mac, dst=OWN.mac) / IPv6(src=source, dst=address, **ip) / rest


def web_syn(**ip):
    return to(VIP.ipv6, TCP(sport=40000, dport=80, flags="S"), **ip)


row("an IPv6 packet cut at any byte is dropped: as truncated, or for its length",
    burst(0, *[frame(SYN[:n], "ipv6_truncated") for n in range(14, 34)]),
    burst(0, *[frame(SYN[:n], "ipv6_truncated") for n in range(34, 54)]),
    burst(0, *[frame(SYN[:n], "ipv6_bad_payload_length") for n in range(54, 74)]))
row("an IPv6 header of which a part is not at hand is truncated",
    burst(0, frame(SYN[:53], "ipv6_truncated", length=74)))
row("an IPv6 packet that says it is version 4, 5 or 0 is dropped",
    burst(0, *[frame(web_syn(version=v), "ipv6_bad_version") for v in (0, 4, 5)]))
row("an IPv6 payload length one byte beyond the frame is dropped",
    burst(0, frame(web_syn(plen=21), "ipv6_bad_payload_length"),
          frame(web_syn(plen=65535), "ipv6_bad_payload_length")))
row("an IPv6 payload length that ends within the TCP header makes that truncated",
    burst(0, *[frame(web_syn(plen=n), "tcp_truncated") for n in (0, 1, 19)]))
row("bytes behind the IPv6 payload are carried along and harm nothing",
    burst(0, frame(SYN + b"tail", "forward_nat",
                   bytes.fromhex(web.ask("S")["out"]) + b"tail", backend=web.name)),
    counters=[flows("web6/b1", live=1, new=1)])
row("an IPv6 source that no host may have is dropped",
    burst(0, *[frame(web_syn(source=s), "ipv6_bad_source")
               for s in ("ff02::1", "ff0e::7", "::1", "::")]))
row("an IPv6 packet without a source address for nobody here goes to the kernel unchanged",
    burst(0, frame(to("2001:db8::99", UDP(dport=9), source="::"), "punt_other")))
row("a multicast or loopback IPv6 source is dropped even if the packet is for an own address",
    burst(0, frame(to(OWN.ipv6, UDP(dport=9), source="ff02::1"), "ipv6_bad_source"),
          frame(to(OWN.ipv6, UDP(dport=9), source="::1"), "ipv6_bad_source")))

ROUTING = IPv6ExtHdrRouting(addresses=["2001:db8::5"])
EXTENDED = [IPv6ExtHdrHopByHop() / TCP(dport=80), ROUTING / TCP(dport=80),
            IPv6ExtHdrDestOpt() / TCP(dport=80)]
row("a packet with an IPv6 extension header for an own address is the kernel's",
    burst(0, *[frame(to(OWN.ipv6, rest), "punt_local") for rest in EXTENDED]))
row("an IPv6 packet with no next header for a service address is no service",
    burst(0, frame(to(VIP.ipv6, b"", nh=59), "no_service")))
row("an IPv6 service address with another port or protocol is no service",
    burst(0, frame(to(VIP.ipv6, TCP(dport=81, flags="S")), "no_service"),
          frame(to(VIP.ipv6, UDP(dport=80)), "no_service")))
row("a ping to an own IPv6 address is the kernel's to answer",
    burst(0, frame(to(OWN.ipv6, ICMPv6EchoRequest(data=b"abcdefgh")), "punt_local")))
row("malformed TCP for an own IPv6 address is the kernel's to judge",
    burst(0, frame(to(OWN.ipv6, TCP(dport=22, flags="SR")), "punt_local"),
          frame(to(OWN.ipv6, b"\x00\x16", nh=6), "punt_local")))
