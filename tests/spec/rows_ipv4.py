# Rows about IPv4 headers: truncated, lying, from nowhere, or for nobody.
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import Ether

from network import DIRECT_VIP, FAR, NAT, NEAR, OWN, VIP
from row import burst, flows, frame, row
from talk import Talk

web, direct = Talk("web4"), Talk("direct4")
SYN = bytes(web.asked("S"))


def altered(frame_bytes, offset, *values):
    changed = bytearray(bytes(frame_bytes))
    changed[offset:offset + len(values)] = values
    return bytes(changed)


def to(address, rest, source=FAR.ipv4, **ip):
    return Ether(src=FAR.mac, dst=OWN.mac) / IP(src=source, dst=address, **ip) / rest


def web_syn(**ip):
    return to(VIP.ipv4, TCP(sport=40000, dport=80, flags="S"), **ip)


row("an IPv4 packet cut at any byte is dropped: as truncated, or for its length",
    burst(0, *[frame(SYN[:n], "ipv4_truncated") for n in range(14, 34)]),
    burst(0, *[frame(SYN[:n], "ipv4_bad_total_length") for n in range(34, 54)]))
row("an IPv4 header of which a part is not at hand is truncated",
    burst(0, frame(SYN[:33], "ipv4_truncated", length=54)))
row("IPv4 options of which a part is not at hand make the header length wrong",
    burst(0, frame(bytes(web_syn(options=b"\x01" * 8))[:38], "ipv4_bad_header_length", length=62)))
row("an IPv4 packet that says it is version 5, 6 or 0 is dropped",
    burst(0, *[frame(web_syn(version=v), "ipv4_bad_version") for v in (0, 5, 6)]))
row("an IPv4 header length of 4 words or none is too small",
    burst(0, *[frame(web_syn(ihl=n), "ipv4_bad_header_length") for n in (0, 4)]))
row("an IPv4 header length beyond the frame is dropped",
    burst(0, frame(web_syn(ihl=15), "ipv4_bad_header_length"),
          frame(altered(SYN[:34], 14, 0x46), "ipv4_bad_header_length")))
row("an IPv4 total length smaller than the header is dropped",
    burst(0, *[frame(web_syn(len=n), "ipv4_bad_total_length") for n in (0, 19)]))
row("an IPv4 total length one byte beyond the frame is dropped",
    burst(0, frame(web_syn(len=41), "ipv4_bad_total_length"),
          frame(web_syn(len=65535), "ipv4_bad_total_length")))
row("an IPv4 total length that ends within the TCP header makes that truncated",
    burst(0, *[frame(web_syn(len=n), "tcp_truncated") for n in (20, 30, 39)]))
row("an IPv4 header with a wrong checksum is dropped, whomever it is for",
    burst(0, frame(web_syn(chksum=0x1234), "ipv4_bad_checksum"),
          frame(altered(SYN, 22, 63), "ipv4_bad_checksum"),
          frame(to(OWN.ipv4, TCP(dport=22), chksum=1), "ipv4_bad_checksum")))
row("an IPv4 header whose checksum the port found wrong is dropped",
    burst(0, frame(SYN, "ipv4_bad_checksum", ip_checksum="bad")))
row("an IPv4 header whose checksum the port found good is not summed again",
    burst(0, direct.ask("S", ip={"chksum": 0x1234}, frame_options={"ip_checksum": "good"})),
    counters=[flows("direct4/b1", live=1, new=1)])

row("an IPv4 source that no host may have is dropped",
    burst(0, *[frame(web_syn(source=s), "ipv4_bad_source")
               for s in ("0.0.0.0", "0.1.2.3", "127.0.0.1", "127.255.255.254", "224.0.0.1",
                         "239.1.1.1", "240.0.0.1", "255.255.255.255")]))
row("an IPv4 source just outside the forbidden ranges is served",
    *[burst(0, frame(web_syn(source=s), "forward_nat",
                     Ether(src=OWN.mac, dst="02:00:00:00:00:11") /
                     IP(src=NAT.ipv4, dst="10.0.0.11", ttl=63) /
                     TCP(sport=1024 + i, dport=8080, flags="S"), backend="web4/b1"))
      for i, s in enumerate(("1.0.0.0", "126.255.255.255", "128.0.0.1", "223.255.255.255"))],
    counters=[flows("web4/b1", live=4, new=4)])

row("a fragment for an own address is the kernel's to reassemble",
    burst(0, frame(to(OWN.ipv4, UDP(dport=9) / bytes(8), flags="MF"), "punt_local"),
          frame(to(OWN.ipv4, bytes(8), proto=17, frag=2), "punt_local")))
row("a fragment for nobody here goes to the kernel unchanged",
    burst(0, frame(to("203.0.113.80", bytes(8), proto=17, frag=2), "punt_other")))
row("don't-fragment and the reserved flag make no fragment",
    burst(0, Talk("web4").ask("S", ip={"flags": "DF"})),
    burst(0, Talk("web4").ask("S", ip={"flags": "evil"})),
    counters=[flows("web4/b1", live=1, new=1)])

row("malformed TCP and UDP for an own address are the kernel's to judge",
    burst(0, frame(to(OWN.ipv4, TCP(dport=22, flags=0)), "punt_local"),
          frame(to(OWN.ipv4, TCP(dport=22, dataofs=3)), "punt_local"),
          frame(to(OWN.ipv4, b"\x00" * 5, proto=6), "punt_local"),
          frame(to(OWN.ipv4, UDP(dport=9, len=3)), "punt_local"),
          frame(to(OWN.ipv4, UDP(dport=9)), "punt_local", transport_checksum="bad")))
row("malformed TCP for nobody here goes to the kernel unchanged",
    burst(0, frame(to("203.0.113.80", TCP(flags="SF")), "punt_other")))
row("a service address with another port is no service",
    burst(0, frame(to(VIP.ipv4, TCP(dport=81, flags="S")), "no_service"),
          frame(to(DIRECT_VIP.ipv4, TCP(dport=8080, flags="S")), "no_service")))
row("a service address with the port of another protocol is no service",
    burst(0, frame(to(VIP.ipv4, UDP(dport=80)), "no_service"),
          frame(to(VIP.ipv4, TCP(dport=53, flags="S")), "no_service")))
row("a protocol without ports for a service address is no service",
    burst(0, frame(to(VIP.ipv4, bytes(16), proto=132), "no_service"),
          frame(to(VIP.ipv4, b"", proto=47), "no_service")))
row("a DHCP client that has no address yet is dropped for its source",
    burst(0, frame(Ether(src=NEAR.mac, dst="ff:ff:ff:ff:ff:ff") /
                   IP(src="0.0.0.0", dst="255.255.255.255") / UDP(sport=68, dport=67) /
                   bytes(240), "ipv4_bad_source")))
