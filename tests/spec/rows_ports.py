# Rows about next hops, two ports and several workers: through which door, to which MAC address.
from network import (B1, B2, FAR, ISOLATED, NAT, NAT_1, NEAR, NEAR_1, OWN, OWN_1, PORT_0, PORT_1,
                     ROUTER, Host, backend, service, setup)
from row import burst, flows, frame, lose, resolve, row
from talk import Talk

OTHER_ROUTER = "02:00:00:00:00:fd"
TWO_PORTS = (PORT_0, PORT_1)

for v in (4, 6):
    web, direct = Talk(f"web{v}"), Talk(f"direct{v}")
    LIVE = [flows(web.name, live=1, new=1)]
    at_b1, at_router = B1.address(v), ROUTER.address(v)

    row(f"a SYN is dropped while its backend's MAC is not known, and its flow kept (IPv{v})",
        burst(0, web.dropped("next_hop_unresolved")), resolve(B1, at_b1), burst(1, web.ask("S")),
        counters=LIVE, setup=setup(unresolved=[B1]))
    row(f"packets are dropped when the backend's MAC address is lost, until it is found (IPv{v})",
        *web.open(), lose(at_b1), burst(1, web.dropped("next_hop_unresolved", "A")),
        resolve(B1, at_b1), burst(2, web.ask("A")),
        counters=LIVE)
    row(f"a dsr-l2 packet is dropped while the backend's MAC address is not known (IPv{v})",
        burst(0, direct.dropped("next_hop_unresolved", "A")), resolve(B1, at_b1),
        burst(1, direct.ask("A")),
        counters=[flows(direct.name, live=1, new=1)], setup=setup(unresolved=[B1]))

    NEW_CARD = Talk(f"web{v}")
    NEW_CARD.backend_mac = B2.mac
    row(f"a backend's new MAC address is used at once (IPv{v})",
        *web.open(), resolve(B2, at_b1), burst(1, NEW_CARD.ask("A"), NEW_CARD.answer("A")),
        counters=LIVE)

    beyond = Talk(f"web{v}", backend="far")
    BEYOND = [service(f"web{v}", backends=[backend("far", v, 8080)])]
    row(f"a backend beyond the gateway is reached through it (IPv{v})",
        *beyond.open(),
        counters=[flows(beyond.name, live=1, new=1)], setup=setup(BEYOND))
    row(f"a backend beyond the gateway needs the gateway's MAC address (IPv{v})",
        burst(0, beyond.dropped("next_hop_unresolved")), resolve(ROUTER, at_router),
        burst(1, beyond.ask("S")),
        counters=[flows(beyond.name, live=1, new=1)], setup=setup(BEYOND, unresolved=[ROUTER]))

    near = Talk(f"web{v}", NEAR)
    row(f"an answer to a client on the link goes straight to it (IPv{v})",
        *near.open(), counters=[flows(near.name, live=1, new=1)])
    detour = Talk(f"web{v}", FAR, client_mac=OTHER_ROUTER)
    row(f"an answer to a client beyond goes by the gateway, whichever router it came by (IPv{v})",
        burst(0, detour.ask("S")), burst(0, detour.answer("SA", to_mac=ROUTER.mac)),
        counters=LIVE)
    row(f"while the gateway is not resolved, an answer goes back the way its client came (IPv{v})",
        burst(0, detour.ask("S")), burst(0, detour.answer("SA")), resolve(ROUTER, at_router),
        burst(1, detour.answer("A", to_mac=ROUTER.mac)), lose(at_router),
        burst(2, detour.answer("A")),
        counters=LIVE, setup=setup(unresolved=[ROUTER]))
    row(f"on a port without gateway, an answer goes back the way its client came (IPv{v})",
        burst(0, detour.ask("S")), burst(0, detour.answer("SA")),
        counters=LIVE, setup=setup(ports=(ISOLATED,)))

    inward = Talk(f"web{v}", NEAR_1, own=OWN_1, own_out=OWN, nat=NAT, port=1, out_port=0)
    row(f"a client on one port reaches a backend on the other, and the answer comes back (IPv{v})",
        *inward.open(), counters=LIVE, setup=setup(ports=TWO_PORTS))
    outward = Talk(f"web{v}", FAR, backend="b3", own=OWN, own_out=OWN_1, nat=NAT_1, port=0,
                   out_port=1)
    row(f"a nat flow takes its local address from the port of its backend (IPv{v})",
        *outward.open(),
        counters=[flows(outward.name, live=1, new=1)],
        setup=setup([service(f"web{v}", backends=[backend("b3", v, 8080)])], ports=TWO_PORTS))
    across = Talk(f"direct{v}", NEAR_1, own=OWN_1, own_out=OWN, port=1, out_port=0)
    row(f"a dsr-l2 packet crosses from one port to the other (IPv{v})",
        *across.open(),
        counters=[flows(across.name, live=1, new=1)], setup=setup(ports=TWO_PORTS))
    row(f"a flow whose client changes ports stays one flow (IPv{v})",
        *inward.open(), burst(1, Talk(f"web{v}", NEAR_1).ask("A")),
        counters=LIVE, setup=setup(ports=TWO_PORTS))
    row(f"a frame with the MAC address of the other port is not for this one (IPv{v})",
        burst(0, frame(inward.asked("S"), "frame_not_for_us", port=0)),
        setup=setup(ports=TWO_PORTS))

    # Local ports are dealt to workers by remainder: 1024 is worker 0's, 1025 worker 1's.
    second = Talk(f"web{v}", local_port=1025)
    row(f"an answer at the wrong worker is handed unchanged to the one that owns the port (IPv{v})",
        burst(0, second.ask("S"), worker=1),
        burst(0, frame(second.answered("SA"), "hand_off", owner=1), worker=0),
        burst(0, second.answer("SA"), worker=1),
        counters=[flows(second.name, live=1, new=1, worker=1)], setup=setup(workers=2))
    row(f"each of two workers deals out local ports of its own (IPv{v})",
        burst(0, web.ask("S"), Talk(f"web{v}", FAR, 40002, 1026).ask("S"), worker=0),
        burst(0, Talk(f"web{v}", FAR, 40001, 1025).ask("S"),
              Talk(f"web{v}", FAR, 40003, 1027).ask("S"), worker=1),
        burst(1, frame(web.answered("SA"), "hand_off", owner=0), worker=1),
        burst(1, web.answer("SA"), worker=0),
        counters=[flows(web.name, live=2, new=2), flows(web.name, live=2, new=2, worker=1)],
        setup=setup(workers=2))
    row(f"a free local port of another worker is handed over for that one to judge (IPv{v})",
        burst(0, frame(second.answered("SA"), "hand_off", owner=1), worker=0),
        burst(0, frame(second.answered("SA"), "no_flow"), worker=1),
        setup=setup(workers=2))

row("local ports that do not divide among five workers are nobody's",
    burst(0, frame(Talk("web4", local_port=65533).answered("SA"), "hand_off", owner=4),
          frame(Talk("web4", local_port=65534).answered("SA"), "no_flow"),
          frame(Talk("web4", local_port=65535).answered("SA"), "no_flow")),
    setup=setup(workers=5))
row("a malformed answer at the wrong worker is dropped where it came",
    burst(0, frame(Talk("web4", local_port=1025).answered("SFA"), "tcp_bad_flags")),
    setup=setup(workers=2))

# RFC 1812 section 5.3.4: no router forwards what came as a link-layer broadcast.
for v in (4, 6):
    for what, mac in (("broadcast", "ff:ff:ff:ff:ff:ff"), ("multicast", "33:33:00:00:00:01")):
        SENT = Talk(f"web{v}", own=Host(mac, "", ""))
        DIRECT = Talk(f"direct{v}", own=Host(mac, "", ""))
        row(f"a packet for a service in a {what} frame is neither forwarded nor reset (IPv{v})",
            burst(0, SENT.dropped("frame_not_for_us", "S"), SENT.dropped("frame_not_for_us", "A"),
                  DIRECT.dropped("frame_not_for_us", "S")))
