# Rows about the previous owner: who gets a packet whose flow nobody has a record of, after the
# table changed.
from icmp_talk import Error
from network import PORT_0, PORT_1, backend, service, setup
from pieces import Pieces
from row import between, burst, choice, flows, previous_owner, row, snapshot, stateless, wipe
from talk import Talk
from tunnel_talk import Tunnel

GONE = {"flags": "R", "seq": 5000, "ack": 0}
PORTS = {"web": 8080, "dns": 5353, "direct": 80, "directdns": 53, "ipip": 80, "gue": 80}
DRAINING = (("b1", "draining"), ("b2", "serving"))


def of(name, *admissions, **more):
    """`name` with these backends, each (name, admission)."""
    return service(name, **more, backends=[
        backend(b, int(name[-1]), PORTS[name[:-1]], admission=a) for b, a in admissions])


def talk(name, b="b1", **more):
    return (Tunnel if name[:-1] in ("ipip", "gue") else Talk)(name, backend=b, **more)


def both(name, live, new):
    """Counters of b1 and b2."""
    return [flows(f"{name}/{b}", live=l, new=n) for b, l, n in zip(("b1", "b2"), live, new)]


for name in ("direct4", "direct6", "ipip4", "gue6"):
    t, moved = talk(name), talk(name, "b2")
    OPENED = [burst(0, t.ask("S")), burst(0, t.ask("A"))]

    row(f"a flow that nobody remembers goes on where it was before the change ({name})",
        *OPENED, snapshot(of(name, *DRAINING), at=10), wipe(),
        burst(11, t.ask("A", payload=b"on")), burst(12, t.ask("PA")),
        counters=both(name, (1, 0), (2, 0)) + [previous_owner(1)])
    row(f"a flow that another worker meets goes on where it was before the change ({name})",
        *OPENED, snapshot(of(name, *DRAINING), at=10), burst(11, t.ask("A"), worker=1),
        counters=both(name, (1, 0), (1, 0)) + [flows(t.name, 1, 1, worker=1),
                                               previous_owner(1, worker=1)],
        setup=setup(workers=2))
    row(f"before the change goes back five minutes, and no further ({name})",
        *OPENED, snapshot(of(name, *DRAINING), at=10), wipe(), burst(310, t.ask("A")), wipe(),
        burst(310.001, moved.ask("A")),
        counters=both(name, (0, 1), (2, 1)) + [previous_owner(1)])
    row(f"a SYN has no past: it goes to the slot's owner now ({name})",
        *OPENED, snapshot(of(name, *DRAINING), at=10), wipe(), burst(11, moved.ask("S")),
        counters=both(name, (0, 1), (1, 1)))
    row(f"a flow that nobody remembers does not go to a backend that is down ({name})",
        *OPENED, snapshot(of(name, ("b1", "down"), ("b2", "serving")), at=10), wipe(),
        burst(11, moved.ask("A")),
        counters=both(name, (0, 1), (1, 1)))
    row(f"a flow that nobody remembers does not go to a backend that was removed ({name})",
        *OPENED, snapshot(of(name, ("b2", "serving")), at=10), wipe(), burst(11, moved.ask("A")),
        counters=both(name, (0, 1), (1, 1)))
    row(f"a backend that goes down later is the previous owner no more ({name})",
        *OPENED, snapshot(of(name, *DRAINING), at=10),
        snapshot(of(name, ("b1", "down"), ("b2", "serving")), at=20), wipe(),
        burst(21, moved.ask("A")), counters=both(name, (0, 1), (1, 1)))
    row(f"with nobody to take new flows, a draining backend still gets its own ({name})",
        *OPENED, snapshot(of(name, ("b1", "draining")), at=10), wipe(),
        burst(11, t.ask("A"), talk(name, client_port=40001).dropped("no_backend", "S")),
        counters=both(name, (1, 0), (2, 0)) + [previous_owner(1)])
    row(f"a flow that has its record asks nobody ({name})",
        *OPENED, snapshot(of(name, *DRAINING), at=10), burst(11, t.ask("A"), t.ask("PA")),
        counters=both(name, (1, 0), (1, 0)))
    row(f"a snapshot that changes nothing leaves the past as it is ({name})",
        *OPENED, snapshot(of(name, *DRAINING), at=10), snapshot(of(name, *DRAINING), at=200),
        wipe(), burst(310, t.ask("A")), wipe(), burst(310.001, moved.ask("A")),
        counters=both(name, (0, 1), (2, 1)) + [previous_owner(1)])

for v in (4, 6):
    direct, moved, name = Talk(f"direct{v}"), Talk(f"direct{v}", backend="b2"), f"direct{v}"
    CHANGE = [burst(0, direct.ask("S")), snapshot(of(name, *DRAINING), at=10), wipe()]

    row(f"an error about a flow that nobody remembers goes where the flow goes (IPv{v})",
        *CHANGE, burst(11, Error(direct).ask()),
        counters=both(name, (0, 0), (1, 0)) + [previous_owner(1)])
    row(f"pieces of a flow that nobody remembers go where the flow goes (IPv{v})",
        *CHANGE, burst(11, Pieces(direct).ask(0)), burst(11, Pieces(direct).ask(1)),
        counters=both(name, (1, 0), (2, 0)) + [previous_owner(1)])
    row(f"all that a flow sends in one burst goes to its previous owner (IPv{v})",
        *CHANGE, burst(11, direct.ask("A"), direct.ask("PA"), direct.ask("FA")),
        counters=both(name, (1, 0), (2, 0)) + [previous_owner(1)])
    row(f"a reset or FIN of a flow that nobody remembers goes where the flow was (IPv{v})",
        *CHANGE, burst(11, direct.ask("FA")), wipe(), burst(11, direct.ask("R")),
        counters=both(name, (1, 0), (3, 0)) + [previous_owner(2)])
    row(f"datagrams that nobody remembers have no past: any may be the first (IPv{v})",
        burst(0, Talk(f"directdns{v}").ask()), snapshot(of(f"directdns{v}", *DRAINING), at=10),
        wipe(), burst(11, Talk(f"directdns{v}", backend="b2").ask()),
        counters=both(f"directdns{v}", (0, 1), (1, 1)))
    row(f"a nat connection that nobody remembers is reset, whoever had it (IPv{v})",
        *Talk(f"web{v}").open(), snapshot(of(f"web{v}", *DRAINING), at=10), wipe(),
        burst(11, Talk(f"web{v}").reset("A", answer=GONE)),
        counters=both(f"web{v}", (0, 0), (1, 0)))
    THREE = [("b1", "draining"), ("b2", "draining"), ("b3", "serving")]
    row(f"of two changes the last counts: the owner between them is the previous one (IPv{v})",
        burst(0, direct.ask("S")), snapshot(of(name, *DRAINING), at=10),
        snapshot(of(name, *THREE), at=20), wipe(), burst(21, moved.ask("A")),
        counters=both(name, (0, 1), (1, 1)) + [previous_owner(1)],
        setup=setup(ports=(PORT_0, PORT_1)))
    row(f"a backend that comes back is its slots' owner, and who had them meanwhile the one "
        f"before (IPv{v})",
        burst(0, direct.ask("S")), snapshot(of(name, *DRAINING), at=10),
        snapshot(of(name, ("b1", "serving"), ("b2", "draining")), at=20), wipe(),
        burst(21, moved.ask("A")), wipe(), burst(22, direct.ask("S")),
        counters=both(name, (1, 0), (2, 1)) + [previous_owner(1)])
    row(f"a previous owner whose id another backend has now is forgotten (IPv{v})",
        snapshot(of(name, ("b2", "serving")), at=10), snapshot(of(name, ("b2", "serving")), at=11),
        snapshot(of(name, ("b2", "serving"), ("b3", "draining")), at=12),
        burst(13, moved.ask("A")),
        counters=both(name, (0, 1), (0, 1)),
        setup=setup([of(name, ("b1", "serving"))], ports=(PORT_0, PORT_1)))

    # Half of the slots go to b2; who had b1 stays with it, whosever his slot is now.
    MANY = [Talk(name, client_port=40000 + n) for n in range(16)]
    row(f"when a backend is added, flows that nobody remembers stay where they were (IPv{v})",
        burst(0, *[m.ask("S") for m in MANY]),
        snapshot(of(name, ("b1", "serving"), ("b2", "serving")), at=10), wipe(),
        burst(11, *[m.ask("A") for m in MANY]),
        counters=[flows(f"{name}/b1", live=16, new=32)], ranges=[between(1, 15, "previous_owner")])
    row(f"when a backend is added, five minutes later the table alone decides (IPv{v})",
        burst(0, *[m.ask("S") for m in MANY]),
        snapshot(of(name, ("b1", "serving"), ("b2", "serving")), at=10), wipe(),
        burst(311, *[choice(m.ask("A"), Talk(name, client_port=40000 + n, backend="b2").ask("A"),
                            opens=True) for n, m in enumerate(MANY)]),
        counters=[(0, {"backends": {f"{name}/b1": {"new_flows": 16}}})],
        ranges=[between(1, 15, "backends", f"{name}/b2", "flows")])
    CAPACITY = 8 if v == 4 else 4
    FILL = [Talk(name, client_port=50000 + n) for n in range(CAPACITY)]
    row(f"a SYN that no record can be kept of goes where its later packets will (IPv{v})",
        burst(0, *[f.ask("S") for f in FILL]),
        snapshot(of(name, ("b1", "serving"), ("b2", "serving")), at=10),
        burst(11, *[m.ask("S") for m in MANY]), burst(12, *[m.ask("A") for m in MANY]),
        counters=[flows(f"{name}/b1", live=CAPACITY, new=CAPACITY + 32), stateless(32)],
        ranges=[between(2, 30, "previous_owner")],
        setup=setup(ipv4_buckets=2, ipv6_buckets=2))
    row(f"datagrams beyond a service's rate stay with the previous owner while it takes some "
        f"(IPv{v})",
        snapshot(of(f"directdns{v}", ("b1", "serving"), ("b2", "serving"),
                    protection={"new_flow_rate": 1}), at=10),
        burst(11, choice(*[Talk(f"directdns{v}", backend=b).ask() for b in ("b1", "b2")],
                         opens=True),
              *[Talk(f"directdns{v}", client_port=41000 + n).ask() for n in range(8)]),
        counters=[stateless(8), (0, {"backends": {f"directdns{v}/b1": {"new_flows": 8}}})],
        ranges=[between(1, 8, "previous_owner")])
