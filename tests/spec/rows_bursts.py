# Rows about packets that arrive together in one burst and concern one another.
from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import ARP, Ether

from network import FAR, NEAR, OWN, VIP, backend, service, setup
from row import burst, expired, flows, frame, row, signals, snapshot
from talk import Talk

ARP_REQUEST = Ether(src=NEAR.mac, dst="ff:ff:ff:ff:ff:ff") / ARP(
    op=1, hwsrc=NEAR.mac, psrc=NEAR.ipv4, pdst=VIP.ipv4)
ARP_REPLY = Ether(src=OWN.mac, dst=NEAR.mac) / ARP(
    op=2, hwsrc=OWN.mac, psrc=VIP.ipv4, hwdst=NEAR.mac, pdst=NEAR.ipv4)
GONE = {"flags": "R", "seq": 5000, "ack": 0}

for v in (4, 6):
    web, again = Talk(f"web{v}"), Talk(f"web{v}", local_port=1025)
    dns, direct = Talk(f"dns{v}"), Talk(f"direct{v}")
    ONE, TWO = [flows(web.name, live=1, new=1)], [flows(web.name, live=1, new=2)]

    row(f"two SYNs of one new connection in one burst make one flow (IPv{v})",
        burst(0, web.ask("S"), web.ask("S")), counters=ONE)
    row(f"two datagrams of one new flow in one burst make one flow (IPv{v})",
        burst(0, dns.ask(payload=b"one"), dns.ask(payload=b"two")),
        counters=[flows(dns.name, live=1, new=1)])
    row(f"two segments of one dsr-l2 connection in one burst make one flow (IPv{v})",
        burst(0, direct.ask("A", payload=b"one"), direct.ask("A", payload=b"two")),
        counters=[flows(direct.name, live=1, new=1)])
    row(f"SYN, ACK and data of one new connection in one burst make one flow (IPv{v})",
        burst(0, web.ask("S"), web.ask("A"), web.ask("PA", payload=b"GET")), counters=ONE)
    row(f"SYN, data and FIN of one new connection in one burst leave a finished flow (IPv{v})",
        burst(0, web.ask("S"), web.ask("A"), web.ask("FA")), burst(1, again.ask("S")),
        counters=TWO)
    row(f"data that overtook its SYN in one burst is reset, and the SYN served (IPv{v})",
        burst(0, web.reset("PA", payload=b"x", answer=GONE), web.ask("S")), counters=ONE)
    row(f"a SYN that reuses a tuple and a late answer behind it in one burst: two flows (IPv{v})",
        *web.open(), burst(1, web.ask("R")),
        burst(2, again.ask("S"), frame(web.answered("A"), "no_flow")),
        counters=TWO)
    row(f"a SYN that reuses a tuple and a late answer before it in one burst: two flows (IPv{v})",
        *web.open(), burst(1, web.ask("R")),
        burst(2, frame(web.answered("A"), "no_flow"), again.ask("S")),
        counters=TWO)
    row(f"a reset and the SYN of the next connection in one burst go to a local port each (IPv{v})",
        *web.open(), burst(1, web.ask("R"), again.ask("S")), burst(2, again.answer("SA")),
        counters=TWO)
    row(f"a server's reset and the client's next SYN in one burst are told apart (IPv{v})",
        *web.open(), burst(1, frame(web.answered("R"), "no_flow"), again.ask("S")),
        counters=TWO + [signals(web.name, aborted=1)])
    row(f"two datagrams of an expired flow in one burst begin one new flow (IPv{v})",
        burst(0, dns.ask()),
        burst(301, *[Talk(f"dns{v}", local_port=1025).ask(payload=p) for p in (b"one", b"two")]),
        counters=[flows(dns.name, live=1, new=2), expired(1)])
    row(f"two segments to a backend that is down, in one burst, are both reset (IPv{v})",
        *web.open(),
        snapshot(service(f"web{v}", backends=[backend("b1", v, 8080, admission="down")])),
        burst(1, web.reset("A", answer=GONE), web.reset("PA", payload=b"GET", answer=GONE)),
        counters=[flows(web.name, live=0, new=1)])
    row(f"data and answers of one connection in one burst pass each other (IPv{v})",
        *web.open(),
        burst(1, web.ask("PA", payload=b"a"), web.answer("PA", payload=b"b"), web.ask("A"),
              web.answer("A"), web.ask("FA"), web.answer("FA"), web.ask("A"), web.answer("A")),
        counters=ONE)
    CAPACITY = 8 if v == 4 else 4
    FILLING = [Talk(f"web{v}", FAR, 40000 + n, 1024 + n).ask("S") for n in range(CAPACITY - 1)]
    row(f"the last free entry of a full table goes to the first packet of a burst (IPv{v})",
        burst(0, *FILLING),
        burst(1, Talk(f"web{v}", NEAR, 1, 1024 + CAPACITY - 1).ask("S"),
              Talk(f"web{v}", NEAR, 2).dropped("flow_table_full"),
              Talk(f"web{v}", NEAR, 1, 1024 + CAPACITY - 1).ask("S")),
        counters=[flows(web.name, live=CAPACITY, new=CAPACITY)],
        setup=setup(ipv4_buckets=2, ipv6_buckets=2))

row("a full burst of new connections gets local ports in the order of arrival",
    burst(0, *[Talk("web4", FAR, 50000 - n, 1024 + n).ask("S") for n in range(32)]),
    burst(1, *[Talk("web4", FAR, 50000 - n, 1024 + n).answer("SA") for n in reversed(range(32))]),
    counters=[flows("web4/b1", live=32, new=32)])
row("a burst of everything at once: each frame takes its own way",
    *Talk("web4").open(),
    burst(1,
          frame(ARP_REQUEST, "reply_arp", ARP_REPLY),
          Talk("web4").ask("A"), Talk("web4").answer("PA", payload=b"data"),
          Talk("web6").ask("S"), Talk("direct6").ask("A", payload=b"x"),
          Talk("directdns4").ask(payload=b"q"), Talk("dns4", local_port=1025).ask(),
          frame(b"", "frame_truncated"),
          frame(Ether(src=FAR.mac, dst=OWN.mac) / IP(src=FAR.ipv4, dst=OWN.ipv4) / TCP(dport=22),
                "punt_local"),
          Talk("web4", NEAR).reset("A", answer=GONE),
          frame(Ether(src=FAR.mac, dst=OWN.mac) / IP(src=FAR.ipv4, dst=VIP.ipv4) / TCP(dport=1),
                "no_service"),
          Talk("web4", NEAR, 7, 1026).ask("S")),
    counters=[flows("web4/b1", live=2, new=2), flows("web6/b1", live=1, new=1),
              flows("direct6/b1", live=1, new=1), flows("directdns4/b1", live=1, new=1),
              flows("dns4/b1", live=1, new=1)])
