# Rows about TCP and UDP headers: truncated, lying, contradicting themselves, or wrongly summed.
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether

from network import FAR, NAT, OWN, VIP
from row import burst, flows, frame, row
from talk import Talk

VERSIONS = {4: IP, 6: IPv6}


def to(version, rest, address=None, **ip):
    header = VERSIONS[version](src=FAR.address(version), dst=address or VIP.address(version), **ip)
    return Ether(src=FAR.mac, dst=OWN.mac) / header / rest


def proto(version, number):
    return {"proto": number} if version == 4 else {"nh": number}


for v in (4, 6):
    web, dns = Talk(f"web{v}"), Talk(f"dns{v}")
    WHOLE_TCP = bytes(TCP(sport=40000, dport=80, flags="S"))
    WHOLE_UDP = bytes(UDP(sport=40000, dport=53))
    L4 = 34 if v == 4 else 54

    row(f"a packet that ends within its TCP header is truncated (IPv{v})",
        burst(0, *[frame(to(v, WHOLE_TCP[:n], **proto(v, 6)), "tcp_truncated")
                   for n in range(0, 20)]))
    row(f"a TCP header of which a part is not at hand is truncated (IPv{v})",
        burst(0, *[frame(bytes(web.asked("S"))[:L4 + n], "tcp_truncated", length=L4 + 20)
                   for n in (0, 4, 19)]))
    row(f"a TCP data offset below 5 words is dropped (IPv{v})",
        burst(0, *[frame(to(v, TCP(dport=80, flags="S", dataofs=n)), "tcp_bad_header_length")
                   for n in range(0, 5)]))
    row(f"a TCP data offset beyond the packet is dropped (IPv{v})",
        burst(0, frame(to(v, TCP(dport=80, flags="S", dataofs=6)), "tcp_bad_header_length"),
              frame(to(v, TCP(dport=80, flags="S", dataofs=15) / bytes(39)),
                    "tcp_bad_header_length")))
    row(f"a TCP data offset that reaches to the packet's last byte is fine (IPv{v})",
        burst(0, web.ask("S", payload=b"\x01" * 40, l4={"dataofs": 15})),
        counters=[flows(web.name, live=1, new=1)])
    row(f"a TCP data offset that covers the padding behind the packet is beyond it (IPv{v})",
        burst(0, frame(bytes(to(v, TCP(dport=80, flags="S", dataofs=6))) + bytes(6),
                       "tcp_bad_header_length")))
    row(f"TCP flags that contradict one another are dropped (IPv{v})",
        burst(0, *[frame(to(v, TCP(dport=80, flags=f)), "tcp_bad_flags")
                   for f in ("SF", "SR", "FR", "SFR", "SFA", "SRA", "FRA", "FSRPAUEC")]))
    row(f"a TCP segment with none of SYN, ACK, FIN and RST is dropped (IPv{v})",
        burst(0, *[frame(to(v, TCP(dport=80, flags=f)), "tcp_bad_flags")
                   for f in ("", "P", "U", "PU", "EC")]))
    row(f"a SYN that asks for ECN is a SYN (IPv{v})",
        burst(0, web.ask("SEC")),
        counters=[flows(web.name, live=1, new=1)])
    row(f"a segment whose TCP checksum the port found wrong is dropped (IPv{v})",
        burst(0, frame(web.asked("S"), "transport_bad_checksum", transport_checksum="bad")))
    row(f"a segment whose TCP checksum the port found good is served (IPv{v})",
        burst(0, web.ask("S", frame_options={"transport_checksum": "good"})),
        counters=[flows(web.name, live=1, new=1)])

    row(f"a packet that ends within its UDP header is truncated (IPv{v})",
        burst(0, *[frame(to(v, WHOLE_UDP[:n], **proto(v, 17)), "udp_truncated")
                   for n in range(0, 8)]))
    row(f"a UDP header of which a part is not at hand is truncated (IPv{v})",
        burst(0, *[frame(bytes(dns.asked())[:L4 + n], "udp_truncated", length=L4 + 8)
                   for n in (0, 4, 7)]))
    row(f"a UDP length below 8 is dropped (IPv{v})",
        burst(0, *[frame(to(v, UDP(dport=53, len=n) / b"data"), "udp_bad_length")
                   for n in (0, 7)]))
    row(f"a UDP length beyond the packet is dropped (IPv{v})",
        burst(0, frame(to(v, UDP(dport=53, len=13) / b"data"), "udp_bad_length"),
              frame(to(v, UDP(dport=53, len=65535) / b"data"), "udp_bad_length")))
    row(f"a UDP length that covers the padding behind the packet is beyond it (IPv{v})",
        burst(0, frame(bytes(to(v, UDP(dport=53, len=12))) + b"data", "udp_bad_length")))
    row(f"a datagram without payload is served (IPv{v})",
        burst(0, dns.ask()),
        counters=[flows(dns.name, live=1, new=1)])
    row(f"a datagram whose UDP checksum the port found wrong is dropped (IPv{v})",
        burst(0, frame(dns.asked(), "transport_bad_checksum", transport_checksum="bad")))
    row(f"malformed transport headers for a NAT address are dropped by name (IPv{v})",
        burst(0, frame(to(v, WHOLE_TCP[:10], NAT.address(v), **proto(v, 6)), "tcp_truncated"),
              frame(to(v, TCP(dport=1024, flags="SF"), NAT.address(v)), "tcp_bad_flags"),
              frame(to(v, TCP(dport=1024, dataofs=2), NAT.address(v)), "tcp_bad_header_length"),
              frame(to(v, WHOLE_UDP[:5], NAT.address(v), **proto(v, 17)), "udp_truncated"),
              frame(to(v, UDP(dport=1024, len=4), NAT.address(v)), "udp_bad_length")))

row("a datagram without checksum over IPv6 is dropped",
    burst(0, frame(Talk("dns6").asked(payload=b"q", l4={"chksum": 0}), "udp_no_checksum"),
          frame(to(6, UDP(dport=1024, chksum=0), NAT.ipv6), "udp_no_checksum")))
