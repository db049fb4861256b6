# Rows about nat: every byte of what reaches the backend and of what reaches the client.
import random

from scapy.layers.inet import IP, TCP, UDP, IPOption_Timestamp
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether

from network import B1, B2, FAR, JUMBO_0, NAT, NEAR, OWN, VIP, setup
from row import burst, flows, frame, row
from talk import Talk

TCP_OPTIONS = [("MSS", 1400), ("SAckOK", b""), ("Timestamp", (7, 0)), ("NOP", None), ("WScale", 7)]


def checksum_of(hex_frame, layer):
    """What scapy put into the checksum field of a frame."""
    first = bytes.fromhex(hex_frame)
    return Ether(first)[layer].chksum


def payload_for_zero_sum(make):
    """Two bytes with which the checksum of the frame that `make` makes comes to zero."""
    layer = UDP if UDP in Ether(bytes.fromhex(make(b"\0\0")["out"])) else TCP
    return checksum_of(make(b"\0\0")["out"], layer).to_bytes(2, "big")


def answer_for_zero_sum(talk):
    return payload_for_zero_sum(lambda payload: talk.answer("A", payload=payload))


def one_more(checksum):
    """In ones' complement, as every partial update of a checksum counts."""
    return checksum + 1 if checksum < 0xfffe else checksum + 1 - 0xffff


for v in (4, 6):
    web, dns = Talk(f"web{v}"), Talk(f"dns{v}")
    LIVE_WEB = [flows(web.name, live=1, new=1)]
    LIVE_DNS = [flows(dns.name, live=1, new=1)]

    row(f"a SYN to a nat service reaches the backend from a NAT address (IPv{v})",
        burst(0, web.ask("S")), counters=LIVE_WEB)
    row(f"a SYN-ACK reaches the client from the service's address (IPv{v})",
        burst(0, web.ask("S")), burst(0, web.answer("SA")), counters=LIVE_WEB)
    row(f"TCP options and payload pass a nat service untouched, both ways (IPv{v})",
        burst(0, web.ask("S", l4={"options": TCP_OPTIONS})),
        burst(0, web.answer("SA", l4={"options": TCP_OPTIONS})),
        burst(0, web.ask("PA", payload=b"GET / HTTP/1.1\r\n\r\n")),
        burst(0, web.answer("PA", payload=b"HTTP/1.1 200 OK\r\n\r\n")), counters=LIVE_WEB)
    row(f"payload of odd length passes a nat service with right checksums (IPv{v})",
        burst(0, web.ask("S")), burst(0, web.ask("A", payload=b"x")),
        burst(0, web.answer("A", payload=b"xyz")), counters=LIVE_WEB)
    row(f"window, urgent pointer and every flag bit pass a nat service untouched (IPv{v})",
        burst(0, web.ask("S", l4={"window": 1})),
        burst(0, web.ask("PAUEC", l4={"urgptr": 77, "window": 65535, "reserved": 5})),
        burst(0, web.answer("PAU", l4={"urgptr": 65535, "window": 0})), counters=LIVE_WEB)
    row(f"a datagram reaches the backend and its answer the client (IPv{v})",
        burst(0, dns.ask(payload=b"question")), burst(0, dns.answer(payload=b"answer!")),
        counters=LIVE_DNS)
    row(f"a datagram whose checksum comes to zero is sent with all ones (IPv{v})",
        burst(0, dns.ask(payload=payload_for_zero_sum(lambda p, t=dns: t.ask(payload=p)))),
        burst(0, dns.answer(payload=answer_for_zero_sum(dns))), counters=LIVE_DNS)
    row(f"a TCP checksum that comes to zero is sent as zero (IPv{v})",
        burst(0, web.ask("S", payload=payload_for_zero_sum(lambda p, t=web: t.ask(payload=p)))),
        burst(0, web.answer("A", payload=answer_for_zero_sum(web))), counters=LIVE_WEB)
    row(f"a UDP length shorter than the packet's payload is kept (IPv{v})",
        burst(0, dns.ask(payload=b"datatail", l4={"len": 12})), counters=LIVE_DNS)
    row(f"a packet with TTL 2 leaves a nat service with TTL 1, both ways (IPv{v})",
        burst(0, web.ask("S", ttl=2)), burst(0, web.answer("SA", ttl=2)), counters=LIVE_WEB)
    row(f"a client's packet with TTL 1 or 0 is dropped, as by a router (IPv{v})",
        burst(0, web.ask("S")),
        burst(0, web.dropped("ttl_expired", "A", ttl=1), web.dropped("ttl_expired", "A", ttl=0)),
        counters=LIVE_WEB)
    row(f"a backend's packet with TTL 1 or 0 is dropped, as by a router (IPv{v})",
        burst(0, web.ask("S")),
        burst(0, *[frame(web.answered("A", ttl=t), "ttl_expired") for t in (1, 0)]),
        counters=LIVE_WEB)
    row(f"a TCP checksum that was wrong is wrong by as much behind a nat service (IPv{v})",
        burst(0, frame(web.asked("S", l4={"chksum": one_more(checksum_of(
                  bytes(web.asked("S")).hex(), TCP))}), "forward_nat",
              bytes.fromhex(web.ask("S", l4={"chksum": 0})["out"])[:-4] +
              one_more(checksum_of(web.ask("S")["out"], TCP)).to_bytes(2, "big") + bytes(2),
              backend=web.name)), counters=LIVE_WEB)

    generator = random.Random(v)
    SIZES = [generator.randrange(0, 1400) for _ in range(64)]
    row(f"sixty-four random segments of a connection pass with right checksums, both ways (IPv{v})",
        burst(0, web.ask("S")),
        *[burst(1, *[talk("A", payload=generator.randbytes(n), ttl=generator.randrange(2, 256),
                          l4={"seq": generator.getrandbits(32), "ack": generator.getrandbits(32),
                              "window": generator.getrandbits(16)})
                     for n in SIZES[i:i + 16] for talk in (web.ask, web.answer)])
          for i in range(0, 64, 16)],
        counters=LIVE_WEB)

web, dns = Talk("web4"), Talk("dns4")
row("IPv4 options pass a nat service untouched",
    burst(0, web.ask("S", ip={"options": [IPOption_Timestamp()]})),
    burst(0, web.ask("A", payload=b"data", ip={"options": b"\x01" * 40})),
    burst(0, web.answer("A", payload=b"data", ip={"options": b"\x01\x01\x01\x00"})),
    burst(0, Talk("dns4", local_port=1025).ask(payload=b"data", ip={"options": b"\x01" * 4})),
    counters=[flows("web4/b1", live=1, new=1), flows("dns4/b1", live=1, new=1)])
row("identification, DSCP, ECN and don't-fragment pass a nat service untouched",
    burst(0, web.ask("S", ip={"id": 0xbeef, "tos": 0xb9, "flags": "DF"})),
    burst(0, web.answer("SA", ip={"id": 0, "tos": 0x03, "flags": "DF"})),
    counters=[flows("web4/b1", live=1, new=1)])
row("traffic class and flow label pass a nat service untouched",
    burst(0, Talk("web6").ask("S", ip={"tc": 0xb9, "fl": 0xabcde})),
    burst(0, Talk("web6").answer("SA", ip={"tc": 0x03, "fl": 0x54321})),
    counters=[flows("web6/b1", live=1, new=1)])
row("a datagram sent without checksum over IPv4 stays without, both ways",
    burst(0, dns.ask(payload=b"question", l4={"chksum": 0})),
    burst(0, dns.answer(payload=b"answer", l4={"chksum": 0})),
    counters=[flows("dns4/b1", live=1, new=1)])
ZERO_SUM_ID = checksum_of(bytes(web.asked("S", ip={"id": 0})).hex(), IP)
row("an IPv4 header checksum sent as all ones in place of zero is understood",
    burst(0, frame(
        Ether(src=FAR.mac, dst=OWN.mac) /
        IP(src=FAR.ipv4, dst=VIP.ipv4, id=ZERO_SUM_ID, chksum=0xffff) /
        TCP(sport=40000, dport=80, flags="S"),
        "forward_nat",
        Ether(src=OWN.mac, dst=B1.mac) / IP(src=NAT.ipv4, dst=B1.ipv4, id=ZERO_SUM_ID, ttl=63) /
        TCP(sport=1024, dport=8080, flags="S"),
        backend="web4/b1")),
    counters=[flows("web4/b1", live=1, new=1)])

JUMBO = web.ask("A", payload=bytes(range(256)) * 35)
row("a jumbo frame passes a nat service whole",
    burst(0, web.ask("S")), burst(0, JUMBO), counters=[flows("web4/b1", live=1, new=1)],
    setup=setup(ports=(JUMBO_0,)))
WHOLE, CUT = bytes.fromhex(JUMBO["in"]), 54
row("a jumbo frame of which only the headers are at hand gets them rewritten",
    burst(0, web.ask("S")),
    burst(0, frame(WHOLE[:CUT], "forward_nat", bytes.fromhex(JUMBO["out"])[:CUT],
                   length=len(WHOLE), backend="web4/b1")),
    counters=[flows("web4/b1", live=1, new=1)], setup=setup(ports=(JUMBO_0,)))

row("two clients with the same port, and one with two, get a local port each",
    burst(0, Talk("web4", FAR, 40000, 1024).ask("S")),
    burst(0, Talk("web4", NEAR, 40000, 1025).ask("S")),
    burst(0, Talk("web4", FAR, 40001, 1026).ask("S")),
    burst(0, Talk("web4", NEAR, 40000, 1025).answer("SA"),
          Talk("web4", FAR, 40001, 1026).answer("SA"), Talk("web4", FAR, 40000, 1024).answer("SA")),
    counters=[flows("web4/b1", live=3, new=3)])
row("one client port on two services makes two flows",
    burst(0, Talk("web4", FAR, 40000, 1024).ask("S")),
    burst(0, Talk("dns4", FAR, 40000, 1025).ask(payload=b"q")),
    burst(0, Talk("direct4", FAR, 40000).ask("S")),
    counters=[flows("web4/b1", live=1, new=1), flows("dns4/b1", live=1, new=1),
              flows("direct4/b1", live=1, new=1)])
row("IPv4 and IPv6 have their local ports each",
    burst(0, Talk("web4").ask("S"), Talk("web6").ask("S")),
    counters=[flows("web4/b1", live=1, new=1), flows("web6/b1", live=1, new=1)])

for v in (4, 6):
    web = Talk(f"web{v}")
    header = IP if v == 4 else IPv6

    def to_nat(source, rest, mac=B1.mac, ip=header, version=v):
        return (Ether(src=mac, dst=OWN.mac) /
                ip(src=source.address(version), dst=NAT.address(version)) / rest)

    row(f"a segment or datagram to a local port that is free belongs to no flow (IPv{v})",
        burst(0, frame(to_nat(B1, TCP(sport=8080, dport=1024, flags="SA")), "no_flow"),
              frame(to_nat(B1, TCP(sport=8080, dport=65535, flags="R")), "no_flow"),
              frame(to_nat(B1, UDP(sport=5353, dport=30000)), "no_flow")))
    row(f"a packet to a NAT address below the local ports belongs to no flow (IPv{v})",
        burst(0, *[frame(to_nat(B1, TCP(sport=8080, dport=p, flags="SA")), "no_flow")
                   for p in (0, 22, 1023)]))
    row(f"a packet to a local port in use from anyone but its backend is foreign (IPv{v})",
        burst(0, web.ask("S")),
        burst(0, frame(to_nat(B2, TCP(sport=8080, dport=1024, flags="SA")), "nat_foreign"),
              frame(to_nat(B1, TCP(sport=8081, dport=1024, flags="SA")), "nat_foreign"),
              frame(to_nat(B1, UDP(sport=8080, dport=1024)), "nat_foreign"),
              frame(to_nat(FAR, TCP(sport=8080, dport=1024, flags="R"), FAR.mac), "nat_foreign")),
        burst(1, web.answer("SA")),
        counters=[flows(web.name, live=1, new=1)])
