# Rows about what happens when a table is full or the local ports are used up.
from network import FAR, setup
from row import burst, expired, flows, row, stateless, sweep
from talk import Talk

# Two buckets are the least: they hold 8 IPv4 flows or 4 IPv6 flows, and any flow may lie in either.
TINY = setup(ipv4_buckets=2, ipv6_buckets=2)
HOLDS = {4: 8, 6: 4}

for v in (4, 6):
    full = HOLDS[v]

    def web(n, version=v, local_port=None):
        return Talk(f"web{version}", FAR, 40000 + n, local_port or 1024 + n)

    def direct(n, version=v):
        return Talk(f"direct{version}", FAR, 40000 + n)

    def dns(n, version=v):
        return Talk(f"dns{version}", FAR, 40000 + n, 1024 + n)

    row(f"a new nat flow is dropped when the flow table is full, and its local port freed (IPv{v})",
        burst(0, *[web(n).ask("S") for n in range(full)]),
        burst(1, web(full).dropped("flow_table_full")), burst(1, web(0).answer("SA")),
        burst(1, web(0).ask("A")),
        counters=[flows(f"web{v}/b1", live=full, new=full)], setup=TINY)
    row(f"a new dsr-l2 flow is forwarded without record when the flow table is full (IPv{v})",
        burst(0, *[direct(n).ask("S") for n in range(full + 2)]),
        burst(1, direct(full).ask("A")), burst(1, direct(0).ask("A")),
        counters=[flows(f"direct{v}/b1", live=full, new=full + 3), stateless(3)], setup=TINY)
    row(f"datagrams of a new nat flow are dropped when the flow table is full (IPv{v})",
        burst(0, *[dns(n).ask() for n in range(full)]),
        burst(1, dns(full).dropped("flow_table_full")),
        counters=[flows(f"dns{v}/b1", live=full, new=full)], setup=TINY)
    row(f"idle flows make room for a new one in a full table, before any sweep (IPv{v})",
        burst(0, *[web(n).ask("S") for n in range(full)]), burst(61, web(full).ask("S")),
        counters=[flows(f"web{v}/b1", live=1, new=full + 1, timed_out=full), expired(full)],
        setup=TINY)
    row(f"a sweep makes room in a full table (IPv{v})",
        burst(0, *[web(n).ask("S") for n in range(full)]),
        burst(1, web(full).dropped("flow_table_full")), sweep(61),
        burst(61, web(full, local_port=1024 + full + 1).ask("S")),
        counters=[flows(f"web{v}/b1", live=1, new=full + 1, timed_out=full), expired(full)],
        setup=TINY)

row("the flow tables of IPv4 and IPv6 fill up apart",
    burst(0, *[Talk("web4", FAR, 40000 + n, 1024 + n).ask("S") for n in range(8)]),
    burst(0, Talk("web4", FAR, 40008).dropped("flow_table_full"), Talk("web6").ask("S")),
    counters=[flows("web4/b1", live=8, new=8), flows("web6/b1", live=1, new=1)], setup=TINY)

# With 128 workers each has 504 local ports of an address, 32 of which rest; worker 0 has every
# 128th port.
MANY = setup(workers=128, ipv4_buckets=1024)
USABLE = 504 - 32


def nth(n, ordinal=None):
    return Talk("web4", FAR, 20000 + n, 1024 + 128 * (n if ordinal is None else ordinal))


def bursts(at, talks, size=32):
    frames = [talk.ask("S") for talk in talks]
    return [burst(at, *frames[i:i + size]) for i in range(0, len(frames), size)]


ALL = bursts(0, [nth(n) for n in range(USABLE)])
row("a new nat flow is dropped when its worker's local ports are used up",
    *ALL, burst(1, nth(USABLE).dropped("nat_ports_exhausted")), burst(1, nth(0).answer("SA")),
    counters=[flows("web4/b1", live=USABLE, new=USABLE)], setup=MANY)
row("other workers have local ports of their own left",
    *ALL, burst(1, nth(USABLE).dropped("nat_ports_exhausted")),
    burst(1, Talk("web4", FAR, 20000 + USABLE, 1025).ask("S"), worker=1),
    counters=[flows("web4/b1", live=USABLE, new=USABLE), flows("web4/b1", 1, 1, worker=1)],
    setup=MANY)
row("the other address family has local ports of its own left",
    *ALL, burst(1, nth(USABLE).dropped("nat_ports_exhausted"), Talk("web6").ask("S")),
    counters=[flows("web4/b1", live=USABLE, new=USABLE), flows("web6/b1", live=1, new=1)],
    setup=MANY)
row("one flow that ends frees one local port: the one that rested longest is dealt next",
    *ALL, burst(1, nth(0).ask("R")), burst(2, nth(0, ordinal=USABLE).ask("S")),
    burst(3, nth(USABLE).dropped("nat_ports_exhausted")),
    counters=[flows("web4/b1", live=USABLE, new=USABLE + 1)], setup=MANY)
row("a sweep frees the local ports of idle flows",
    *ALL, sweep(61, seconds=5), sweep(61, seconds=5), sweep(61, seconds=5), sweep(61, seconds=5),
    burst(62, nth(0, ordinal=USABLE).ask("S")),
    counters=[flows("web4/b1", live=1, new=USABLE + 1, timed_out=USABLE), expired(USABLE)],
    setup=MANY)
row("without a free local port, a connection that is over gives its own to the next",
    *ALL, burst(1, nth(3).ask("R")), burst(2, nth(USABLE, ordinal=USABLE).ask("S")),
    burst(3, nth(USABLE + 1).dropped("nat_ports_exhausted"), nth(4).ask("A")),
    counters=[flows("web4/b1", live=USABLE, new=USABLE + 1), (0, {"nat_ports_reclaimed": 1})],
    setup=MANY)
row("of two connections that are over, the older gives its local port first",
    *ALL, burst(1, nth(9).ask("R")), burst(3, nth(5).ask("R")),
    burst(4, nth(USABLE, ordinal=USABLE).ask("S")),
    burst(5, nth(5).ask("R"), nth(9).dropped("no_flow", "R")),
    counters=[flows("web4/b1", live=USABLE, new=USABLE + 1), (0, {"nat_ports_reclaimed": 1})],
    setup=MANY)
