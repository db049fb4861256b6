# Rows about idle flows: how long each state is kept, to the second, and what a sweep frees.
from network import FAR, NEAR, all_services, service, setup
from row import burst, expired, flows, row, snapshot, sweep
from talk import Talk


def states(web, direct, dns):
    """Each state of a flow: its name, its talk, the steps to it, the seconds it stays."""
    opened = web.open()
    return [
        ("a SYN that nobody answered", web, [burst(0, web.ask("S"))], 60),
        ("a SYN that was answered", web, [burst(0, web.ask("S")), burst(0, web.answer("SA"))], 60),
        ("an established connection", web, opened, 900),
        ("a connection that the client finished", web, opened + [burst(0, web.ask("FA"))], 120),
        ("a connection that the server finished", web, opened + [burst(0, web.answer("FA"))], 120),
        ("a connection that both finished", web,
         opened + [burst(0, web.ask("FA")), burst(0, web.answer("FA"))], 120),
        ("a connection that the client reset", web, opened + [burst(0, web.ask("R"))], 10),
        ("a connection that the server reset", web, opened + [burst(0, web.answer("RA"))], 10),
        ("a dsr-l2 connection with a SYN alone", direct, [burst(0, direct.ask("S"))], 60),
        ("a dsr-l2 connection that goes on", direct, direct.open(), 900),
        ("a dsr-l2 connection met in the middle", direct, [burst(0, direct.ask("A"))], 900),
        ("a dsr-l2 connection that the client finished", direct,
         direct.open() + [burst(0, direct.ask("FA"))], 120),
        ("a dsr-l2 connection that the client reset", direct,
         direct.open() + [burst(0, direct.ask("R"))], 10),
        ("a flow of datagrams", dns, [burst(0, dns.ask(payload=b"q"))], 300),
    ]


UNANSWERED = ("a SYN that nobody answered",)

for v in (4, 6):
    for what, talk, steps, seconds in states(Talk(f"web{v}"), Talk(f"direct{v}"), Talk(f"dns{v}")):
        how = {"aborted": 1} if what == "a connection that the server reset" else {}
        row(f"{what} is kept for {seconds} idle seconds (IPv{v})",
            *steps, sweep(seconds),
            counters=[flows(talk.name, live=1, new=1, **how)])
        row(f"{what} is forgotten after {seconds} idle seconds, with its local port (IPv{v})",
            *steps, sweep(seconds + 1),
            counters=[flows(talk.name, live=0, new=1, **how,
                            timed_out=1 if what in UNANSWERED else 0), expired(1)])

web, dns = Talk("web4"), Talk("dns4")
row("every packet of the client begins the idle time anew",
    *web.open(), burst(800, web.ask("A")), burst(1600, web.ask("A")), sweep(2500),
    counters=[flows("web4/b1", live=1, new=1)])
row("answers alone keep a nat flow alive",
    *web.open(), burst(800, web.answer("A", payload=b"x")), burst(1600, web.answer("A")),
    sweep(2500), burst(2500, web.answer("A")),
    counters=[flows("web4/b1", live=1, new=1)])
row("answers that stopped long ago do not keep a nat flow alive",
    *web.open(), burst(800, web.answer("A", payload=b"x")), sweep(1701),
    counters=[flows("web4/b1", live=0, new=1), expired(1)])
row("answers alone keep a flow of datagrams alive",
    burst(0, dns.ask(payload=b"q")), burst(200, dns.answer(payload=b"a")), sweep(500),
    burst(500, dns.answer(payload=b"a")),
    counters=[flows("dns4/b1", live=1, new=1)])
row("a client's packet at the last second is still of its flow",
    burst(0, dns.ask(payload=b"q")), burst(300, dns.ask(payload=b"q")),
    counters=[flows("dns4/b1", live=1, new=1)])
row("a client's packet one second later begins a flow anew, before any sweep",
    burst(0, dns.ask(payload=b"q")),
    burst(301, Talk("dns4", local_port=1025).ask(payload=b"q")),
    counters=[flows("dns4/b1", live=1, new=2), expired(1)])
row("a SYN after the handshake timed out begins a connection anew, before any sweep",
    burst(0, web.ask("S")), burst(61, Talk("web4", local_port=1025).ask("S")),
    counters=[flows("web4/b1", live=1, new=2, timed_out=1), expired(1)])
row("a connection lives on while the clock of seconds wraps around",
    burst(65500, web.ask("S")), burst(65500, web.ask("A")), burst(65836, web.ask("A")),
    sweep(66736),
    counters=[flows("web4/b1", live=1, new=1)])
row("a connection expires while the clock of seconds wraps around",
    burst(65500, web.ask("S")), burst(65500, web.ask("A")), sweep(66401),
    counters=[flows("web4/b1", live=0, new=1), expired(1)])
row("a sweep forgets the idle flows and keeps the others",
    burst(0, *[Talk("dns4", FAR, 41000 + n, 1024 + n).ask() for n in range(10)]),
    burst(200, *[Talk("dns4", NEAR, 42000 + n, 1034 + n).ask() for n in range(10)]),
    sweep(400),
    burst(400, Talk("dns4", NEAR, 42009, 1043).answer()),
    counters=[flows("dns4/b1", live=10, new=20), expired(10)])
row("sweeps of a second each come round in twenty",
    burst(0, *[Talk("dns4", FAR, 41000 + n, 1024 + n).ask() for n in range(20)]),
    *[sweep(400 + second, seconds=1) for second in range(20)],
    counters=[flows("dns4/b1", live=0, new=20), expired(20)])
row("a sweep for which no time has passed looks at nothing",
    burst(0, dns.ask()), sweep(400, seconds=0),
    counters=[flows("dns4/b1", live=1, new=1)])

SHORT = {"established": 20, "handshake": 5, "closing": 3, "udp": 2}
row("timeouts are those of the service",
    burst(0, Talk("web4").ask("S"), Talk("web4", NEAR, local_port=1025).ask("S"),
          Talk("web4", FAR, 40001, 1026).ask("S"), Talk("dns4", local_port=1027).ask()),
    burst(0, Talk("web4").ask("A"), Talk("web4", FAR, 40001, 1026).ask("FA")),
    sweep(2), sweep(3), sweep(5), sweep(20),
    counters=[flows("web4/b1", live=1, new=3, timed_out=1), flows("dns4/b1", live=0, new=1),
              expired(3)],
    setup=setup([service("web4", timeouts=SHORT), service("dns4", timeouts=SHORT)]))
row("a reset flow is kept no longer than closing ones are",
    *web.open(), burst(0, web.ask("R")), sweep(4),
    counters=[flows("web4/b1", live=0, new=1), expired(1)],
    setup=setup([service("web4", timeouts=SHORT)]))
row("a shorter timeout in a new snapshot counts for the flows there are",
    burst(0, dns.ask()), snapshot(service("dns4", timeouts=SHORT)), sweep(3),
    counters=[flows("dns4/b1", live=0, new=1), expired(1)])
row("a flow of a service that was removed is forgotten by the next sweep",
    burst(0, web.ask("S")), burst(0, Talk("dns4", local_port=1025).ask()),
    snapshot(*[s for s in all_services() if s["name"] != "web4"]), sweep(1),
    counters=[flows("web4/b1", live=0, new=1), flows("dns4/b1", live=1, new=1), expired(1)])
