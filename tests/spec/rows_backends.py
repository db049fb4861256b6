# Rows about backends that come, go, drain and fail, and what their flows see of it.
from network import all_services, backend, service
from row import burst, expired, flows, frame, row, snapshot, sweep
from talk import Talk


def changed(name, *backends, **more):
    """A snapshot of all services in which `name` has these backends, each (name, admission)."""
    one = service(name, **more)
    port = one["backends"][0]["port"]
    version = 6 if name.endswith("6") else 4
    one["backends"] = [backend(b, version, port, admission=a) for b, a in backends]
    return snapshot(*[one if s["name"] == name else s for s in all_services()])


GONE = {"flags": "R", "seq": 5000, "ack": 0}

for v in (4, 6):
    name = f"web{v}"
    web, moved = Talk(name), Talk(name, local_port=1025, backend="b2")
    dns = Talk(f"dns{v}")
    dns_moved = Talk(f"dns{v}", local_port=1025, backend="b2")
    direct, direct_moved = Talk(f"direct{v}"), Talk(f"direct{v}", backend="b2")
    other = Talk(name, client_port=40001, local_port=1025)

    row(f"a draining backend keeps its connections, both ways (IPv{v})",
        *web.open(), changed(name, ("b1", "draining")), burst(1, web.ask("A")),
        burst(1, web.answer("A", payload=b"data")), burst(2, web.ask("FA")),
        burst(2, web.answer("FA")), burst(2, web.ask("A")),
        counters=[flows(web.name, live=1, new=1)])
    row(f"a draining backend gets no new connection (IPv{v})",
        *web.open(), changed(name, ("b1", "draining")),
        burst(1, other.dropped("no_backend")),
        counters=[flows(web.name, live=1, new=1)])
    row(f"new connections go to the other backend while one drains (IPv{v})",
        *web.open(), changed(name, ("b1", "draining"), ("b2", "serving")),
        burst(1, Talk(name, client_port=40001, local_port=1025, backend="b2").ask("S")),
        burst(1, web.ask("A")),
        counters=[flows(web.name, live=1, new=1), flows(moved.name, live=1, new=1)])
    row(f"a SYN on the ports of a finished connection leaves a draining backend (IPv{v})",
        *web.open(), burst(1, web.ask("R")),
        changed(name, ("b1", "draining"), ("b2", "serving")), burst(2, moved.ask("S")),
        counters=[flows(web.name, live=0, new=1), flows(moved.name, live=1, new=1)])
    row(f"a backend that stops draining gets new connections again (IPv{v})",
        changed(name, ("b1", "draining")), burst(0, web.dropped("no_backend")),
        changed(name, ("b1", "serving")), burst(1, web.ask("S")),
        counters=[flows(web.name, live=1, new=1)])

    row(f"a connection of a backend that is down is reset at its next segment (IPv{v})",
        *web.open(), changed(name, ("b1", "down"), ("b2", "serving")),
        burst(1, web.reset("PA", payload=b"GET", answer=GONE)),
        counters=[flows(web.name, live=0, new=1)])
    row(f"a FIN without ACK to a backend that is down is reset and acknowledged (IPv{v})",
        *web.open(), changed(name, ("b1", "down")),
        burst(1, web.reset("F", seq=9, ack=0, answer={"flags": "RA", "seq": 0, "ack": 10})),
        counters=[flows(web.name, live=0, new=1)])
    row(f"a reset to a backend that is down ends its connection in silence (IPv{v})",
        *web.open(), changed(name, ("b1", "down")), burst(1, web.dropped("no_flow", "R")),
        counters=[flows(web.name, live=0, new=1)])
    row(f"a SYN to a backend that is down goes to another at once (IPv{v})",
        burst(0, web.ask("S")), changed(name, ("b1", "down"), ("b2", "serving")),
        burst(1, moved.ask("S")), burst(1, moved.answer("SA")),
        counters=[flows(web.name, live=0, new=1), flows(moved.name, live=1, new=1)])
    row(f"a connection whose backend is down is reset again should the reset be lost (IPv{v})",
        *web.open(), changed(name, ("b1", "down")),
        burst(1, web.reset("PA", payload=b"GET", answer=GONE)),
        burst(2, web.reset("PA", payload=b"GET", answer=GONE)),
        counters=[flows(web.name, live=0, new=1)])
    row(f"a dsr-l2 connection of a backend that is down is reset (IPv{v})",
        *direct.open(), changed(f"direct{v}", ("b1", "down"), ("b2", "serving")),
        burst(1, direct.reset("A", answer=GONE)),
        counters=[flows(direct.name, live=0, new=1)])
    row(f"datagrams to a backend that is down go to another (IPv{v})",
        burst(0, dns.ask()), changed(f"dns{v}", ("b1", "down"), ("b2", "serving")),
        burst(1, dns_moved.ask()), burst(1, dns_moved.answer()),
        counters=[flows(dns.name, live=0, new=1), flows(dns_moved.name, live=1, new=1)])
    row(f"a dsr-l2 connection is re-homed instead where its service says so (IPv{v})",
        *direct.open(),
        changed(f"direct{v}", ("b1", "down"), ("b2", "serving"), on_down="rehome"),
        burst(1, direct_moved.ask("A", payload=b"on")), burst(2, direct_moved.ask("A")),
        counters=[flows(direct.name, live=0, new=1), flows(direct_moved.name, live=1, new=1)])
    row(f"a nat connection cannot be re-homed midway: it is reset (IPv{v})",
        *web.open(), changed(name, ("b1", "down"), ("b2", "serving"), on_down="rehome"),
        burst(1, web.reset("A", answer=GONE)), burst(2, moved.ask("S")),
        counters=[flows(web.name, live=0, new=1), flows(moved.name, live=1, new=1)])
    row(f"datagrams are re-homed where their service says so (IPv{v})",
        burst(0, dns.ask()),
        changed(f"dns{v}", ("b1", "down"), ("b2", "serving"), on_down="rehome"),
        burst(1, dns_moved.ask()),
        counters=[flows(dns.name, live=0, new=1), flows(dns_moved.name, live=1, new=1)])

    row(f"a connection of a backend that was removed is reset (IPv{v})",
        *web.open(), changed(name, ("b2", "serving")), burst(1, web.reset("A", answer=GONE)),
        burst(2, moved.ask("S")),
        counters=[flows(web.name, live=0, new=1), flows(moved.name, live=1, new=1)])
    row(f"a backend that was removed and comes back keeps its idle connections (IPv{v})",
        *web.open(), changed(name, ("b2", "serving")), changed(name, ("b1", "serving")),
        burst(1, web.ask("A")), burst(1, web.answer("A")),
        counters=[flows(web.name, live=1, new=1)])
    row(f"a backend that was down and comes back keeps its idle connections (IPv{v})",
        *web.open(), changed(name, ("b1", "down")), changed(name, ("b1", "serving")),
        burst(1, web.ask("A")), burst(1, web.answer("A")),
        counters=[flows(web.name, live=1, new=1)])
    row(f"with all backends down, new connections are dropped by name (IPv{v})",
        changed(name, ("b1", "down"), ("b2", "down")),
        burst(0, web.dropped("no_backend")),
        changed(f"dns{v}", ("b1", "down")), burst(0, dns.dropped("no_backend")))
    row(f"a service without any backend drops by name (IPv{v})",
        changed(name), burst(0, web.dropped("no_backend")),
        changed(f"direct{v}"), burst(0, direct.dropped("no_backend")),
        burst(0, direct.dropped("no_backend", "A")))
    row(f"a connection not known here is reset even if its service has no backend (IPv{v})",
        changed(name), burst(0, web.reset("A", answer=GONE)))
    row(f"a new backend and new weights leave known connections where they are (IPv{v})",
        *web.open(), changed(name, ("b1", "serving"), ("b2", "serving")), burst(1, web.ask("A")),
        snapshot(service(name, backends=[
            backend("b1", v, 8080, weight=1), backend("b2", v, 8080, weight=1000)])),
        burst(2, web.ask("A")), burst(2, web.answer("A")),
        counters=[flows(web.name, live=1, new=1)])
    row(f"a service that was removed is nobody's address any more (IPv{v})",
        *web.open(), snapshot(service(f"direct{v}")),
        burst(1, frame(web.asked("A"), "punt_other")),
        counters=[flows(web.name, live=1, new=1)])
    row(f"an answer to a flow of a removed service belongs to no flow (IPv{v})",
        *web.open(), snapshot(service(f"direct{v}")),
        burst(1, frame(web.answered("A"), "no_flow")),
        counters=[flows(web.name, live=1, new=1)])
    row(f"a service that shares its address with a removed one says which it is not (IPv{v})",
        *web.open(), snapshot(service(f"dns{v}")),
        burst(1, web.dropped("no_service", "A")),
        counters=[flows(web.name, live=1, new=1)])
    row(f"a backend moved to another address is another backend (IPv{v})",
        *web.open(),
        snapshot(service(name, backends=[{**backend("b2", v, 8080), "name": "b1"}])),
        burst(1, web.reset("A", answer=GONE)),
        counters=[flows(web.name, live=0, new=1)])

row("answers of a backend that is down still reach their clients",
    *Talk("web4").open(), changed("web4", ("b1", "down")),
    burst(1, Talk("web4").answer("A", payload=b"last words")),
    counters=[flows("web4/b1", live=1, new=1)])
row("flows of a backend that is down expire as others do",
    *Talk("web4").open(), changed("web4", ("b1", "down")), sweep(900), sweep(901),
    counters=[flows("web4/b1", live=0, new=1), expired(1)])

