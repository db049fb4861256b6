# Rows about Ethernet frames: whose they are, how long, and what they carry.
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.l2 import Dot1Q, Ether

from network import B1, FAR, NEAR, OWN, VIP
from row import burst, flows, frame, row
from talk import Talk

web = Talk("web4")
SYN = bytes(web.asked("S"))

row("an empty frame is dropped as truncated",
    burst(0, frame(b"", "frame_truncated")))
row("a frame one byte shorter than the Ethernet header is dropped as truncated",
    burst(0, frame(SYN[:13], "frame_truncated")))
row("a frame with nothing behind the Ethernet header is truncated IPv4",
    burst(0, frame(SYN[:14], "ipv4_truncated")))

row("a frame of 9022 bytes, the longest allowed, is read to its end and judged",
    burst(0, frame(bytes(Ether(src=FAR.mac, dst=OWN.mac) / IP(src=FAR.ipv4, dst="10.0.0.99") /
                         UDP() / bytes(9022 - 42)), "punt_other")))
row("a frame of 9023 bytes is too long",
    burst(0, frame(bytes(9023), "frame_too_long")))
row("a frame far too long of which only the beginning is at hand is too long",
    burst(0, frame(SYN, "frame_too_long", length=65000)))

row("a frame to another MAC address is not for us",
    burst(0, frame(Ether(src=FAR.mac, dst=B1.mac) / IP(src=FAR.ipv4, dst=VIP.ipv4) /
                   TCP(dport=80), "frame_not_for_us")))
row("an ARP frame to another MAC address is not for us",
    burst(0, frame(bytes.fromhex("020000000011" "0200000000fe" "0806") + bytes(28),
                   "frame_not_for_us")))
row("a broadcast that no service wants goes to the kernel unchanged",
    burst(0, frame(Ether(src=NEAR.mac, dst="ff:ff:ff:ff:ff:ff") /
                   IP(src=NEAR.ipv4, dst="10.0.0.255") / UDP(sport=137, dport=137) / b"name",
                   "punt_other")))
row("an IPv4 multicast goes to the kernel unchanged",
    burst(0, frame(Ether(src=NEAR.mac, dst="01:00:5e:00:00:05") /
                   IP(src=NEAR.ipv4, dst="224.0.0.5", ttl=1, proto=89) / b"ospf",
                   "punt_other")))
row("an LLDP frame goes to the kernel unchanged",
    burst(0, frame(bytes.fromhex("0180c200000e" "0200000000fe" "88cc" "0207040200000000fe0000"),
                   "punt_other")))
row("a frame of unknown EtherType goes to the kernel unchanged",
    burst(0, frame(Ether(src=NEAR.mac, dst=OWN.mac, type=0x9999) / b"whatever", "punt_other")))
row("a frame with a VLAN tag goes to the kernel unchanged",
    burst(0, frame(Ether(src=FAR.mac, dst=OWN.mac) / Dot1Q(vlan=7) /
                   IP(src=FAR.ipv4, dst=VIP.ipv4) / TCP(dport=80), "punt_other")))
row("an IEEE 802.3 frame with a length for an EtherType goes to the kernel unchanged",
    burst(0, frame(bytes.fromhex("020000000001" "0200000000fe" "0003" "424203"), "punt_other")))

row("a packet for an address that nobody here has goes to the kernel unchanged",
    burst(0, frame(Ether(src=NEAR.mac, dst=OWN.mac) / IP(src=NEAR.ipv4, dst="203.0.113.80") /
                   TCP(dport=80), "punt_other")))
row("a packet for an own address goes to the kernel unchanged",
    burst(0, frame(Ether(src=NEAR.mac, dst=OWN.mac) / IP(src=NEAR.ipv4, dst=OWN.ipv4) /
                   TCP(dport=22, flags="S"), "punt_local")))
row("a ping to an own address is the kernel's to answer",
    burst(0, frame(Ether(src=NEAR.mac, dst=OWN.mac) / IP(src=NEAR.ipv4, dst=OWN.ipv4) /
                   ICMP() / b"abcdefgh", "punt_local")))

PADDED = web.ask("S")
row("bytes that pad a short packet to the least Ethernet frame are carried along and harm nothing",
    burst(0, frame(SYN + bytes(6), "forward_nat", bytes.fromhex(PADDED["out"]) + bytes(6),
                   backend=web.name)),
    counters=[flows("web4/b1", live=1, new=1)])
row("a datagram padded to the least Ethernet frame keeps its own length",
    burst(0, frame(bytes(Talk("dns4").asked(payload=b"q")) + b"\xff" * 17, "forward_nat",
                   bytes.fromhex(Talk("dns4").ask(payload=b"q")["out"]) + b"\xff" * 17,
                   backend="dns4/b1")),
    counters=[flows("dns4/b1", live=1, new=1)])
