# Rows about what a service bears: denied sources, rates, and how many flows.
from dataclasses import replace

from icmp_talk import Error, echo
from network import FAR, NEAR, VIP, service, setup
from pieces import Pieces
from row import burst, expired, flows, row, snapshot, stateless, sweep
from talk import Talk
from tunnel_talk import Tunnel

NETWORK = {4: "198.51.100.0/24", 6: "2001:db8:7::/64"}       # of FAR
HOST = {4: "198.51.100.7/32", 6: "2001:db8:7::7/128"}
ELSEWHERE = {4: "203.0.113.0/24", 6: "2001:db8:9::/48"}


def client(v, n):
    """The n-th other client in the network of FAR."""
    return replace(FAR, **({"ipv4": f"198.51.100.{n + 20}"} if v == 4 else
                           {"ipv6": f"2001:db8:7::{n + 20:x}"}))


def guarded(*names, lists=None, workers=1, **protection):
    return setup([service(name, protection=protection) for name in names],
                 prefix_lists=lists, workers=workers)


def fresh(name, n, **more):
    """The n-th new flow of one client."""
    return Talk(name, FAR, 40000 + n, 1024 + n, **more)


for v in (4, 6):
    web, direct, dns = Talk(f"web{v}"), Talk(f"direct{v}"), Talk(f"dns{v}")
    near = Talk(f"web{v}", NEAR)
    one = [flows(web.name, live=1, new=1)]
    NAMES = (f"web{v}", f"direct{v}", f"dns{v}", f"gue{v}")
    LISTS = {"net": [NETWORK[v]], "host": [HOST[v]], "elsewhere": [ELSEWHERE[v]], "empty": [],
             "all": ["0.0.0.0/0", "::/0"]}

    # --- prefix lists ----------------------------------------------------------------------------
    for name in NAMES:
        talk = Tunnel(name) if name.startswith("gue") else Talk(name)
        row(f"a source on a deny list does not reach {name}",
            burst(0, talk.dropped("source_denied", "S"), talk.dropped("source_denied", "A")),
            setup=guarded(name, lists=LISTS, deny=["net"]))
    row(f"a source that is on no deny list is served (IPv{v})",
        burst(0, web.ask("S")), counters=one,
        setup=guarded(*NAMES, lists=LISTS, deny=["elsewhere", "empty"]))
    row(f"with an allow list only its sources are served (IPv{v})",
        burst(0, web.ask("S"), near.dropped("source_denied", "S")), counters=one,
        setup=guarded(*NAMES, lists=LISTS, allow=["elsewhere", "net"]))
    row(f"an allow list without a prefix allows nobody (IPv{v})",
        burst(0, web.dropped("source_denied"), near.dropped("source_denied")),
        setup=guarded(*NAMES, lists=LISTS, allow=["empty"]))
    row(f"with both kinds of lists the longest prefix decides: a host allowed (IPv{v})",
        burst(0, web.ask("S"), Talk(f"web{v}", client(v, 0)).dropped("source_denied")),
        counters=one, setup=guarded(*NAMES, lists=LISTS, deny=["net"], allow=["host"]))
    row(f"with both kinds of lists the longest prefix decides: a host denied (IPv{v})",
        burst(0, web.dropped("source_denied"), Talk(f"web{v}", client(v, 0)).ask("S")),
        counters=one, setup=guarded(*NAMES, lists=LISTS, deny=["host"], allow=["net"]))
    row(f"with both kinds of lists, who is on none is served (IPv{v})",
        burst(0, near.ask("S")), counters=one,
        setup=guarded(*NAMES, lists=LISTS, deny=["host"], allow=["elsewhere"]))
    row(f"all may be denied but a host (IPv{v})",
        burst(0, web.ask("S"), near.dropped("source_denied")), counters=one,
        setup=guarded(*NAMES, lists=LISTS, deny=["all"], allow=["host"]))
    row(f"a prefix that is on both kinds of lists is denied (IPv{v})",
        burst(0, web.dropped("source_denied")),
        setup=guarded(*NAMES, lists=LISTS, deny=["net"], allow=["net", "elsewhere"]))
    row(f"lists are those of a service: the others have none (IPv{v})",
        burst(0, web.dropped("source_denied"), direct.ask("S")),
        counters=[flows(direct.name, live=1, new=1)],
        setup=setup([service(f"web{v}", protection={"deny": ["net"]}), service(f"direct{v}")],
                    prefix_lists=LISTS))
    row(f"a source denied meanwhile is cut off, and served again when it is not (IPv{v})",
        *web.open(),
        snapshot(service(f"web{v}", protection={"deny": ["net"]}), prefix_lists=LISTS),
        burst(1, web.dropped("source_denied", "A"), web.answer("A")),
        snapshot(service(f"web{v}", protection={"deny": ["net"]}),
                 prefix_lists={"net": [ELSEWHERE[v]]}),
        burst(2, web.ask("A")), counters=one)
    row(f"pieces of a denied source are denied, the later ones too (IPv{v})",
        burst(0, *Pieces(dns).dropped("source_denied", 0, 1)),
        setup=guarded(*NAMES, lists=LISTS, deny=["net"]))
    row(f"errors may come from a denied router, and pings are answered (IPv{v})",
        *near.open(), burst(1, Error(near).ask(), echo(v, VIP)),
        counters=[flows(near.name, live=1, new=1)],
        setup=guarded(*NAMES, lists=LISTS, deny=["net"]))

    # --- the rate of a source --------------------------------------------------------------------
    RATE = {"per_second": 2, "burst": 3}
    row(f"a source may open so many flows at once, and then so many a second (IPv{v})",
        burst(0, *[fresh(f"web{v}", n).ask("S") for n in range(3)],
              fresh(f"web{v}", 3).dropped("source_rate_exceeded")),
        burst(0.499, fresh(f"web{v}", 3).dropped("source_rate_exceeded")),
        burst(0.5, fresh(f"web{v}", 3).ask("S"),
              fresh(f"web{v}", 4).dropped("source_rate_exceeded")),
        burst(1.5, fresh(f"web{v}", 4).ask("S"), fresh(f"web{v}", 5).ask("S"),
              fresh(f"web{v}", 6).dropped("source_rate_exceeded")),
        counters=[flows(web.name, live=6, new=6)], setup=guarded(f"web{v}", source_rate=RATE))
    row(f"after a long pause a source may open no more at once than ever (IPv{v})",
        burst(100, *[fresh(f"direct{v}", n).ask("S") for n in range(3)],
              fresh(f"direct{v}", 3).dropped("source_rate_exceeded")),
        counters=[flows(direct.name, live=3, new=3)],
        setup=guarded(f"direct{v}", source_rate=RATE))
    row(f"known flows of a source beyond its rate go on, in all their packets (IPv{v})",
        burst(0, *[fresh(f"web{v}", n).ask("S") for n in range(3)],
              fresh(f"web{v}", 3).dropped("source_rate_exceeded")),
        burst(0, *[fresh(f"web{v}", n).ask("A") for n in range(3)],
              *[fresh(f"web{v}", n).answer("SA") for n in range(3)], fresh(f"web{v}", 0).ask("S")),
        counters=[flows(web.name, live=3, new=3)], setup=guarded(f"web{v}", source_rate=RATE))
    row(f"each source has its own rate, at each service (IPv{v})",
        burst(0, *[fresh(f"direct{v}", n).ask("S") for n in range(3)],
              fresh(f"direct{v}", 3).dropped("source_rate_exceeded"),
              Talk(f"direct{v}", client(v, 1)).ask("S"), Talk(f"directdns{v}").ask()),
        counters=[flows(direct.name, live=4, new=4), flows(f"directdns{v}/b1", live=1, new=1)],
        setup=guarded(f"direct{v}", f"directdns{v}", source_rate={**RATE, "ipv6_prefix": 128}))
    row(f"clients of one network share its rate where the prefix says so (IPv{v})",
        burst(0, *[Talk(f"direct{v}", client(v, n)).ask("S") for n in range(3)],
              direct.dropped("source_rate_exceeded"), Talk(f"direct{v}", NEAR).ask("S")),
        counters=[flows(direct.name, live=4, new=4)],
        setup=guarded(f"direct{v}", source_rate={**RATE, "ipv4_prefix": 24, "ipv6_prefix": 64}))
    row(f"two workers share the rate of a source (IPv{v})",
        *[burst(at, fresh(f"direct{v}", at).ask("S"),
                fresh(f"direct{v}", 90).dropped("source_rate_exceeded"), worker=w)
          for w in (0, 1) for at in (0, 1, 2)],
        counters=[flows(direct.name, live=3, new=3, worker=w) for w in (0, 1)],
        setup=guarded(f"direct{v}", source_rate={"per_second": 2, "burst": 1}, workers=2))
    row(f"segments met in the middle are no new flows of a source (IPv{v})",
        burst(0, *[fresh(f"direct{v}", n).ask("A") for n in range(8)]),
        counters=[flows(direct.name, live=8, new=8)],
        setup=guarded(f"direct{v}", source_rate=RATE))

    # --- how many flows --------------------------------------------------------------------------
    for name in NAMES:
        make = Tunnel if name.startswith("gue") else Talk

        def nth(n, name=name, make=make):
            return make(name, client=FAR, client_port=40000 + n, local_port=1024 + n)

        row(f"{name} takes no flow beyond its most, and serves those it has",
            burst(0, nth(0).ask("S"), nth(1).ask("S"), nth(2).dropped("service_full")),
            burst(1, nth(2).dropped("service_full"), nth(0).ask("A"), nth(1).ask("A")),
            counters=[flows(f"{name}/b1", live=2, new=2)], setup=guarded(name, max_flows=2))
    row(f"a flow that ends makes room for another in a full service (IPv{v})",
        burst(0, dns.ask()), burst(299, fresh(f"dns{v}", 1).dropped("service_full")),
        sweep(301), burst(301, fresh(f"dns{v}", 1).ask()),
        counters=[flows(dns.name, live=1, new=2), expired(1)],
        setup=guarded(f"dns{v}", max_flows=1))
    row(f"a finished connection and the next on its ports fill one place (IPv{v})",
        *web.open(), burst(1, web.ask("R")), burst(2, fresh(f"web{v}", 1).dropped("service_full")),
        burst(2, Talk(f"web{v}", local_port=1025).ask("S")),
        counters=[flows(web.name, live=1, new=2)], setup=guarded(f"web{v}", max_flows=1))
    row(f"the flows of all workers fill a service (IPv{v})",
        burst(0, direct.ask("S")), burst(0, fresh(f"direct{v}", 1).ask("S"), worker=1),
        burst(1, fresh(f"direct{v}", 2).dropped("service_full")),
        burst(1, fresh(f"direct{v}", 2).dropped("service_full"), worker=1),
        counters=[flows(direct.name, live=1, new=1), flows(direct.name, 1, 1, worker=1)],
        setup=guarded(f"direct{v}", max_flows=2, workers=2))
    row(f"a segment met in the middle is taken by a full service: it is no new flow (IPv{v})",
        burst(0, direct.ask("S"), fresh(f"direct{v}", 1).ask("A")),
        burst(1, fresh(f"direct{v}", 2).dropped("service_full")),
        counters=[flows(direct.name, live=2, new=2)], setup=guarded(f"direct{v}", max_flows=1))

    # --- the rate of a service -------------------------------------------------------------------
    row(f"a nat service drops new flows beyond its rate (IPv{v})",
        burst(0, fresh(f"web{v}", 0).ask("S"), fresh(f"web{v}", 1).ask("S"),
              fresh(f"web{v}", 2).dropped("new_flow_rate_exceeded")),
        burst(0.499, fresh(f"web{v}", 2).dropped("new_flow_rate_exceeded")),
        burst(0.5, fresh(f"web{v}", 2).ask("S"), fresh(f"web{v}", 0).ask("A"),
              fresh(f"web{v}", 3).dropped("new_flow_rate_exceeded")),
        counters=[flows(web.name, live=3, new=3)], setup=guarded(f"web{v}", new_flow_rate=2))
    for name in (f"direct{v}", f"directdns{v}", f"ipip{v}"):
        make = Tunnel if name.startswith("ipip") else Talk
        row(f"{name} forwards new flows beyond its rate without record, by the table",
            burst(0, *[make(name, client_port=40000 + n).ask("S") for n in range(5)]),
            burst(0.5, *[make(name, client_port=40010 + n).ask("S") for n in range(2)]),
            counters=[flows(f"{name}/b1", live=3, new=7), stateless(4)],
            setup=guarded(name, new_flow_rate=2))
    row(f"two workers share the rate of a service (IPv{v})",
        *[burst(0, fresh(f"web{v}", w).ask("S"), fresh(f"web{v}", 8).dropped(
            "new_flow_rate_exceeded"), worker=w) for w in (0, 1)],
        counters=[flows(web.name, live=1, new=1, worker=w) for w in (0, 1)],
        setup=guarded(f"web{v}", new_flow_rate=2, workers=2))
    row(f"of several limits the source's counts first, then the service's most (IPv{v})",
        burst(0, fresh(f"web{v}", 0).ask("S"), fresh(f"web{v}", 1).dropped("source_rate_exceeded"),
              Talk(f"web{v}", NEAR).dropped("service_full")),
        counters=one, setup=guarded(f"web{v}", source_rate={"per_second": 1, "burst": 1},
                                    max_flows=1, new_flow_rate=1))
