# Rows about ARP and IPv6 neighbour discovery: which questions are answered, and how.
from scapy.layers.inet6 import (ICMPv6EchoRequest, ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6ND_RS,
                                ICMPv6NDOptDstLLAddr, ICMPv6NDOptSrcLLAddr, IPv6)
from scapy.layers.l2 import ARP, Ether
from scapy.utils6 import in6_getnsma, in6_getnsmac, inet_ntop, inet_pton
import socket

from network import B1, DIRECT_VIP, NAT, NEAR, OWN, OWN_1, PORT_0, PORT_1, VIP, service, setup
from row import burst, frame, row, snapshot

BROADCAST = "ff:ff:ff:ff:ff:ff"


# --- ARP -----------------------------------------------------------------------------------------


def asks(target, to=BROADCAST, sender=NEAR.ipv4, **arp):
    fields = {"op": 1, "hwsrc": NEAR.mac, "psrc": sender, "hwdst": "00:00:00:00:00:00",
              "pdst": target, **arp}
    return Ether(src=NEAR.mac, dst=to) / ARP(**fields)


def answers(target, mac=OWN.mac, sender=NEAR.ipv4):
    return Ether(src=mac, dst=NEAR.mac) / ARP(op=2, hwsrc=mac, psrc=target, hwdst=NEAR.mac,
                                              pdst=sender)


for what, address in (("an own address", OWN.ipv4), ("a NAT address", NAT.ipv4),
                      ("the address of a nat service", VIP.ipv4),
                      ("the address of a dsr-l2 service", DIRECT_VIP.ipv4)):
    row(f"an ARP request for {what} is answered",
        burst(0, frame(asks(address), "reply_arp", answers(address))))

row("an ARP request sent to our MAC address alone is answered too",
    burst(0, frame(asks(OWN.ipv4, to=OWN.mac), "reply_arp", answers(OWN.ipv4))))
row("the answer to a padded ARP request is padded as well",
    burst(0, frame(bytes(asks(OWN.ipv4)) + bytes(18), "reply_arp",
                   bytes(answers(OWN.ipv4)) + bytes(18))))
row("an ARP probe, which asks before it takes an address, is answered",
    burst(0, frame(asks(VIP.ipv4, sender="0.0.0.0"), "reply_arp",
                   answers(VIP.ipv4, sender="0.0.0.0"))))
row("an ARP request is answered with the MAC address of the port that it came to",
    burst(0, frame(asks(VIP.ipv4), "reply_arp", answers(VIP.ipv4, mac=OWN_1.mac), port=1)),
    setup=setup(ports=(PORT_0, PORT_1)))
row("an ARP request for somebody else goes to the kernel unchanged",
    burst(0, frame(asks("10.0.0.77"), "punt_other"), frame(asks(B1.ipv4), "punt_other")))
row("an ARP request for the address of a service that was removed is not answered",
    burst(0, frame(asks(VIP.ipv4), "reply_arp", answers(VIP.ipv4))),
    snapshot(service("direct4")),
    burst(1, frame(asks(VIP.ipv4), "punt_other")))
row("a gratuitous ARP request, news and no question, goes to resolver and kernel",
    burst(0, frame(asks(B1.ipv4, sender=B1.ipv4), "punt_neighbour")))
row("an ARP reply goes to resolver and kernel",
    burst(0, frame(asks(OWN.ipv4, to=OWN.mac, op=2, hwsrc=B1.mac, sender=B1.ipv4),
                   "punt_neighbour")))
row("a gratuitous ARP reply goes to resolver and kernel",
    burst(0, frame(asks(B1.ipv4, op=2, sender=B1.ipv4), "punt_neighbour")))
row("an ARP packet cut at any byte is malformed",
    burst(0, *[frame(bytes(asks(OWN.ipv4))[:n], "arp_malformed") for n in range(14, 42)]))
row("ARP for other hardware, another protocol or other lengths is malformed",
    burst(0, frame(asks(OWN.ipv4, hwtype=6), "arp_malformed"),
          frame(asks(OWN.ipv4, ptype=0x86dd), "arp_malformed"),
          frame(asks(OWN.ipv4, hwlen=8), "arp_malformed"),
          frame(asks(OWN.ipv4, plen=16), "arp_malformed")))
row("an ARP operation that is neither request nor reply is malformed",
    burst(0, *[frame(asks(OWN.ipv4, op=n), "arp_malformed") for n in (0, 3, 4, 8, 9, 65535)]))

# --- IPv6 neighbour discovery --------------------------------------------------------------------

SOURCE_OPTION = ICMPv6NDOptSrcLLAddr(lladdr=NEAR.mac)


def group_of(target):
    packed = inet_pton(socket.AF_INET6, target)
    return inet_ntop(socket.AF_INET6, in6_getnsma(packed)), in6_getnsmac(packed)


def solicits(target, source=NEAR.ipv6, unicast=False, option=SOURCE_OPTION, hlim=255, **ns):
    group, mac = (target, OWN.mac) if unicast else group_of(target)
    message = ICMPv6ND_NS(tgt=target, **ns)
    packet = Ether(src=NEAR.mac, dst=mac) / IPv6(src=source, dst=group, hlim=hlim) / message
    return packet if option is None else packet / option


def advertises(target, mac=OWN.mac):
    return (Ether(src=mac, dst=NEAR.mac) / IPv6(src=target, dst=NEAR.ipv6, hlim=255) /
            ICMPv6ND_NA(tgt=target, R=0, S=1, O=1) / ICMPv6NDOptDstLLAddr(lladdr=mac))


def advertises_to_all(target):
    return (Ether(src=OWN.mac, dst="33:33:00:00:00:01") /
            IPv6(src=target, dst="ff02::1", hlim=255) /
            ICMPv6ND_NA(tgt=target, R=0, S=0, O=1) / ICMPv6NDOptDstLLAddr(lladdr=OWN.mac))


for what, address in (("an own address", OWN.ipv6), ("a NAT address", NAT.ipv6),
                      ("the address of a nat service", VIP.ipv6),
                      ("the address of a dsr-l2 service", DIRECT_VIP.ipv6)):
    row(f"a neighbour solicitation for {what} is answered",
        burst(0, frame(solicits(address), "reply_neighbour", advertises(address))))

row("a neighbour solicitation sent to the address itself is answered",
    burst(0, frame(solicits(VIP.ipv6, unicast=True), "reply_neighbour", advertises(VIP.ipv6))))
row("a neighbour solicitation without option is answered: the frame grows by the option",
    burst(0, frame(solicits(VIP.ipv6, unicast=True, option=None), "reply_neighbour",
                   advertises(VIP.ipv6), capacity=86)))
row("a neighbour solicitation in a buffer too small for the answer is dropped",
    burst(0, frame(solicits(VIP.ipv6, unicast=True, option=None), "neighbour_malformed",
                   capacity=85)))
row("a neighbour solicitation with several options gets an answer with one: the frame shrinks",
    burst(0, frame(solicits(VIP.ipv6, option=SOURCE_OPTION / SOURCE_OPTION), "reply_neighbour",
                   advertises(VIP.ipv6))))
row("duplicate address detection for an address of ours is answered to all nodes",
    burst(0, frame(solicits(VIP.ipv6, source="::", option=None), "reply_neighbour",
                   advertises_to_all(VIP.ipv6), capacity=128)))
row("a neighbour solicitation is answered with the MAC address of the port that it came to",
    burst(0, frame(solicits(VIP.ipv6), "reply_neighbour", advertises(VIP.ipv6, OWN_1.mac), port=1)),
    setup=setup(ports=(PORT_0, PORT_1)))
row("a neighbour solicitation for somebody else goes to the kernel unchanged",
    burst(0, frame(solicits("fd00::77"), "punt_other"),
          frame(solicits("fd00::77", source="::", option=None), "punt_other")))
row("a neighbour solicitation that passed a router is malformed",
    burst(0, frame(solicits(OWN.ipv6, hlim=254), "neighbour_malformed"),
          frame(solicits(OWN.ipv6, hlim=64), "neighbour_malformed")))
row("a neighbour solicitation with a wrong checksum is malformed",
    burst(0, frame(solicits(OWN.ipv6, cksum=0x1234), "neighbour_malformed")))
row("a neighbour solicitation with a code is malformed",
    burst(0, frame(solicits(OWN.ipv6, code=1), "neighbour_malformed")))
row("a neighbour solicitation for a multicast target is malformed",
    burst(0, frame(Ether(src=NEAR.mac, dst=OWN.mac) /
                   IPv6(src=NEAR.ipv6, dst=OWN.ipv6, hlim=255) / ICMPv6ND_NS(tgt="ff02::1"),
                   "neighbour_malformed")))
row("a neighbour solicitation cut short of its target is malformed",
    burst(0, *[frame(Ether(src=NEAR.mac, dst=OWN.mac) /
                     IPv6(src=NEAR.ipv6, dst=OWN.ipv6, hlim=255, nh=58) /
                     bytes(solicits(OWN.ipv6))[54:54 + n], "neighbour_malformed")
               for n in range(4, 24)]))
row("a neighbour solicitation of which a part is not at hand is malformed",
    burst(0, frame(bytes(solicits(OWN.ipv6))[:80], "neighbour_malformed", length=86)))
row("duplicate address detection that is not sent to the target's group is malformed",
    burst(0, frame(solicits(VIP.ipv6, source="::", unicast=True, option=None),
                   "neighbour_malformed", capacity=128)))
row("duplicate address detection that names a source MAC address is malformed",
    burst(0, frame(solicits(VIP.ipv6, source="::"), "neighbour_malformed")))
row("a neighbour solicitation with an option of length zero is malformed",
    burst(0, frame(solicits(VIP.ipv6, option=bytes.fromhex("0100") + bytes(6)),
                   "neighbour_malformed")))

ADVERTISEMENT = ICMPv6ND_NA(tgt=B1.ipv6, S=1) / ICMPv6NDOptDstLLAddr(lladdr=B1.mac)
row("a neighbour advertisement goes to resolver and kernel",
    burst(0, frame(Ether(src=B1.mac, dst=OWN.mac) / IPv6(src=B1.ipv6, dst=OWN.ipv6, hlim=255) /
                   ADVERTISEMENT, "punt_neighbour")))
row("a neighbour advertisement that passed a router is malformed",
    burst(0, frame(Ether(src=B1.mac, dst=OWN.mac) / IPv6(src=B1.ipv6, dst=OWN.ipv6, hlim=254) /
                   ADVERTISEMENT, "neighbour_malformed")))
row("a router solicitation goes to the kernel unchanged",
    burst(0, frame(Ether(src=NEAR.mac, dst="33:33:00:00:00:02") /
                   IPv6(src=NEAR.ipv6, dst="ff02::2", hlim=255) / ICMPv6ND_RS(), "punt_other")))
row("ICMPv6 too short for a type is judged by its destination",
    burst(0, *[frame(Ether(src=NEAR.mac, dst=OWN.mac) / IPv6(src=NEAR.ipv6, dst=d, nh=58) / rest,
                     verdict)
               for rest in (b"", b"\x87", b"\x87\x00\x00")
               for d, verdict in ((OWN.ipv6, "punt_local"), (VIP.ipv6, "icmp_malformed"))]))
row("an ICMPv6 echo request sent to all nodes goes to the kernel unchanged",
    burst(0, frame(Ether(src=NEAR.mac, dst="33:33:00:00:00:01") /
                   IPv6(src=NEAR.ipv6, dst="ff02::1") / ICMPv6EchoRequest(), "punt_other")))
