# Rows about dsr-l2: only MAC addresses change, and a flow may be met in the middle.
from network import FAR, JUMBO_0, NEAR, setup
from row import burst, flows, frame, row
from talk import Talk

for v in (4, 6):
    direct, dns = Talk(f"direct{v}"), Talk(f"directdns{v}")
    LIVE = [flows(direct.name, live=1, new=1)]

    row(f"a SYN to a dsr-l2 service reaches the backend with other MAC addresses only (IPv{v})",
        burst(0, direct.ask("S")), counters=LIVE)
    row(f"a connection to a dsr-l2 service is followed from the client's side alone (IPv{v})",
        burst(0, direct.ask("S")), burst(0, direct.ask("A")),
        burst(1, direct.ask("PA", payload=b"GET / HTTP/1.1\r\n\r\n")), burst(2, direct.ask("FA")),
        burst(2, direct.ask("A")), counters=LIVE)
    row(f"a datagram to a dsr-l2 service changes its MAC addresses only (IPv{v})",
        burst(0, dns.ask(payload=b"question")), burst(1, dns.ask(payload=b"another")),
        counters=[flows(dns.name, live=1, new=1)])
    row(f"a dsr-l2 service is no hop: TTL 1 and 255 pass as they are (IPv{v})",
        burst(0, direct.ask("S", ttl=1)), burst(0, direct.ask("A", ttl=255)), counters=LIVE)
    row(f"a wrong TCP checksum passes a dsr-l2 service for the backend to judge (IPv{v})",
        burst(0, direct.ask("S", l4={"chksum": 0x1234})), counters=LIVE)
    row(f"a segment of a dsr-l2 connection not known here goes by the table and is known (IPv{v})",
        burst(0, direct.ask("A", payload=b"from before")), burst(1, direct.ask("PA", payload=b"x")),
        counters=LIVE)
    row(f"a FIN or RST of a dsr-l2 connection not known here goes by the table (IPv{v})",
        burst(0, Talk(f"direct{v}", FAR, 40001).ask("FA")),
        burst(0, Talk(f"direct{v}", FAR, 40002).ask("RA")),
        counters=[flows(direct.name, live=2, new=2)])
    row(f"two clients of a dsr-l2 service are two flows (IPv{v})",
        burst(0, Talk(f"direct{v}", FAR).ask("S"), Talk(f"direct{v}", NEAR).ask("S")),
        counters=[flows(direct.name, live=2, new=2)])

direct, dns = Talk("direct4"), Talk("directdns4")
row("IPv4 options and every header field pass a dsr-l2 service untouched",
    burst(0, direct.ask("S", ip={"options": b"\x01" * 40, "id": 7, "tos": 0xff, "flags": "DF"})),
    counters=[flows("direct4/b1", live=1, new=1)])
row("a datagram without checksum over IPv4 passes a dsr-l2 service",
    burst(0, dns.ask(payload=b"question", l4={"chksum": 0})),
    counters=[flows("directdns4/b1", live=1, new=1)])
row("traffic class and flow label pass a dsr-l2 service untouched",
    burst(0, Talk("direct6").ask("S", ip={"tc": 0xff, "fl": 0xfffff})),
    counters=[flows("direct6/b1", live=1, new=1)])
JUMBO = direct.ask("A", payload=bytes(8900))
WHOLE, CUT = bytes.fromhex(JUMBO["in"]), 60
row("a jumbo frame of which only the headers are at hand passes a dsr-l2 service",
    burst(0, frame(WHOLE[:CUT], "forward_dsr_l2", bytes.fromhex(JUMBO["out"])[:CUT],
                   length=len(WHOLE), backend="direct4/b1")),
    counters=[flows("direct4/b1", live=1, new=1)], setup=setup(ports=(JUMBO_0,)))
