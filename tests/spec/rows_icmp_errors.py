# Rows about ICMP errors: they follow the flow whose packet they quote, and do nothing to it.
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment

from icmp_talk import ERRORS, HEADERS, TOO_BIG, UNREACHABLE, Error, error, part_of
from network import B1, FAR, NAT, NEAR, OWN, ROUTER, VIP, backend, service, setup
from row import burst, expired, flows, frame, row, snapshot, sweep
from talk import Talk
from tunnel_talk import Tunnel

for v in (4, 6):
    web, dns, direct = Talk(f"web{v}"), Talk(f"dns{v}"), Talk(f"direct{v}")
    at_web, at_dns, at_direct = Error(web), Error(dns), Error(direct)
    WEB, DNS = [flows(web.name, live=1, new=1)], [flows(dns.name, live=1, new=1)]
    IP_BYTES = 20 if v == 4 else 40
    SHORT, WITH_UDP = IP_BYTES + 8, IP_BYTES + 8

    # --- nat -------------------------------------------------------------------------------------
    row(f"each kind of error about an answer reaches its nat backend (IPv{v})",
        *web.open(), burst(1, *[at_web.ask(icmp) for icmp in ERRORS[v]]), counters=WEB)
    row(f"each kind of error about a question reaches its nat client (IPv{v})",
        *web.open(), burst(1, *[at_web.answer(icmp) for icmp in ERRORS[v]]), counters=WEB)
    row(f"an error that quotes eight bytes of TCP is translated, both ways (IPv{v})",
        *web.open(), burst(1, at_web.ask(length=SHORT), at_web.answer(length=SHORT)),
        counters=WEB)
    # One byte of a checksum, the tenth, cannot be translated: nobody can check it either.
    LENGTHS = [SHORT + n for n in range(13) if n != 9]
    row(f"an error that quotes a part of TCP is translated, at every length (IPv{v})",
        *web.open(),
        burst(1, *[at_web.ask(TOO_BIG[v], length=n) for n in LENGTHS],
              *[at_web.answer(TOO_BIG[v], length=n) for n in LENGTHS]),
        counters=WEB)
    row(f"an error that quotes a whole segment with data is translated, both ways (IPv{v})",
        *web.open(),
        burst(1, at_web.ask(payload=b"a" * 501), at_web.answer(payload=b"a" * 500)), counters=WEB)
    row(f"an error that quotes a datagram is translated with its checksum (IPv{v})",
        burst(0, dns.ask()),
        burst(1, at_dns.ask(length=WITH_UDP, payload=b"quoted"), at_dns.ask(payload=b"odd"),
              at_dns.answer(length=WITH_UDP, payload=b"quoted"), at_dns.answer(payload=b"odd")),
        counters=DNS)
    row(f"an error that quotes UDP but for its checksum's last byte is malformed (IPv{v})",
        burst(0, dns.ask()),
        burst(1, frame(at_dns.to_vip(length=WITH_UDP - 1), "icmp_malformed"),
              frame(at_dns.to_nat(length=WITH_UDP - 1), "icmp_malformed")),
        counters=DNS)
    row(f"an error from a router on the backend's way comes from the service (IPv{v})",
        *web.open(), burst(1, at_web.answer(TOO_BIG[v], source=ROUTER.address(v))), counters=WEB)
    row(f"an error from a router on the client's way reaches the backend from us (IPv{v})",
        *web.open(), burst(1, Error(web, NEAR).ask(TOO_BIG[v])), counters=WEB)
    row(f"an error takes a hop behind nat, and is dropped without one left (IPv{v})",
        *web.open(), burst(1, at_web.ask(ttl=2), at_web.answer(ttl=2),
                           frame(at_web.to_vip(ttl=1), "ttl_expired"),
                           frame(at_web.to_nat(ttl=1), "ttl_expired")),
        counters=WEB)
    row(f"padding behind an error does no harm (IPv{v})",
        *web.open(),
        burst(1, *[frame(bytes.fromhex(e["in"]) + bytes(3), e["verdict"],
                         bytes.fromhex(e["out"]) + bytes(3), backend=web.name)
                   for e in (at_web.ask(length=SHORT), at_web.answer(length=SHORT))]),
        counters=WEB)

    # --- what an error does not do ---------------------------------------------------------------
    row(f"errors do not keep a flow alive (IPv{v})",
        burst(0, dns.ask()), burst(200, at_dns.ask()), burst(250, at_dns.answer()), sweep(301),
        counters=[flows(dns.name, live=0, new=1), expired(1)])
    row(f"errors do not finish a flow: a SYN on its ports is still of it (IPv{v})",
        *web.open(), burst(1, at_web.ask(), at_web.answer()),
        burst(2, at_web.ask(length=SHORT), at_web.answer(length=SHORT)), burst(3, web.ask("S")),
        counters=WEB)
    row(f"an error that quotes a reset does not reset its flow (IPv{v})",
        *web.open(), burst(1, at_web.answer(flags="R")), sweep(100), burst(100, web.ask("A")),
        counters=WEB)
    row(f"an error about an expired flow belongs to none, and forgets nothing (IPv{v})",
        burst(0, dns.ask()), burst(301, frame(at_dns.to_vip(), "no_flow")),
        counters=DNS)
    row(f"an error about a flow whose backend is down belongs to none (IPv{v})",
        *web.open(),
        snapshot(service(f"web{v}", backends=[backend("b1", v, 8080, admission="down")])),
        burst(1, frame(at_web.to_vip(), "no_flow")),
        counters=WEB)
    row(f"an error about a nat flow that nobody knows is dropped, not reset (IPv{v})",
        burst(0, frame(at_web.to_vip(), "no_flow"), frame(at_dns.to_vip(), "no_flow"),
              frame(at_web.to_nat(), "no_flow"), frame(at_dns.to_nat(), "no_flow")))
    BELOW = Error(Talk(f"web{v}", local_port=1023))
    row(f"an error about a port that is no local one belongs to no flow (IPv{v})",
        burst(0, frame(BELOW.to_nat(), "no_flow")))
    STRANGER = Error(Talk(f"web{v}", backend="b2"))
    row(f"an error about a local port that quotes another backend is foreign (IPv{v})",
        *web.open(), burst(1, frame(STRANGER.to_nat(), "nat_foreign"),
                           frame(Error(Talk(f"dns{v}")).to_nat(), "nat_foreign")),
        counters=WEB)
    second = Error(Talk(f"web{v}", local_port=1025))
    row(f"an error about another worker's local port is handed to it (IPv{v})",
        burst(0, second.talk.ask("S"), worker=1),
        burst(1, frame(second.to_nat(), "hand_off", owner=1)),
        burst(1, second.answer(), worker=1),
        counters=[flows(web.name, live=1, new=1, worker=1)], setup=setup(workers=2))

    # --- direct return ---------------------------------------------------------------------------
    DIRECT = [flows(direct.name, live=1, new=1)]
    row(f"each kind of error reaches its dsr-l2 backend unchanged (IPv{v})",
        *direct.open(), burst(1, *[at_direct.ask(icmp) for icmp in ERRORS[v]],
                              at_direct.ask(length=SHORT), at_direct.ask(ttl=1)),
        counters=DIRECT)
    row(f"an error about a dsr-l2 flow not known here goes by the table and opens none (IPv{v})",
        burst(0, at_direct.ask(), at_direct.ask(length=SHORT)))
    row(f"an error about a dsr-l2 flow without any backend is dropped (IPv{v})",
        burst(0, frame(at_direct.to_vip(), "no_backend")),
        setup=setup([service(f"direct{v}", backends=[])]))
    for kind in ("ipip", "gue"):
        for outer in (4, 6):
            carried = Tunnel(f"{kind}{v}", outer)
            row(f"errors travel in the tunnel of their flow ({kind}, IPv{v} in IPv{outer})",
                *carried.open(),
                burst(1, Error(carried).ask(), Error(carried).ask(TOO_BIG[v], length=SHORT),
                      Error(carried).ask(payload=b"odd")),
                counters=[flows(carried.name, live=1, new=1)],
                setup=setup([service(f"{kind}{v}", backends=[backend("b1", outer, 80)])]))

    # --- quotes that say nothing -----------------------------------------------------------------
    row(f"an error that ends within the quoted headers is malformed (IPv{v})",
        *web.open(),
        burst(1, *[frame(at_web.to_vip(length=n), "icmp_malformed")
                   for n in (0, 1, IP_BYTES - 1, IP_BYTES, IP_BYTES + 7)],
              *[frame(at_web.to_nat(length=n), "icmp_malformed")
                for n in (0, 1, IP_BYTES - 1, IP_BYTES, IP_BYTES + 7)]),
        counters=WEB)
    WRONG = at_web.to_vip()
    row(f"an error with a wrong checksum is malformed (IPv{v})",
        *web.open(), burst(1, frame(bytes(WRONG)[:-1] + b"\xff", "icmp_malformed")),
        counters=WEB)
    row(f"an error of which a part is not at hand is malformed (IPv{v})",
        *web.open(), burst(1, frame(bytes(WRONG)[:-1], "icmp_malformed", length=len(WRONG))),
        counters=WEB)
    NOT_OURS = part_of(Talk(f"web{v}")._packet((OWN.mac, OWN.mac), (NEAR.address(v), 80),
                                               web.client, flags="A"))
    row(f"an error about a packet that came from somebody else is malformed (IPv{v})",
        *web.open(), burst(1, frame(at_web.to_vip(quote=NOT_OURS), "icmp_malformed"),
                           frame(at_web.to_nat(quote=NOT_OURS), "icmp_malformed")),
        counters=WEB)
    OTHER = (HEADERS[6 if v == 4 else 4]() / TCP())
    row(f"an error that quotes the other IP version is malformed (IPv{v})",
        burst(0, frame(at_web.to_vip(quote=bytes(OTHER) + bytes(20)), "icmp_malformed")))
    NO_PORTS = bytes(HEADERS[v](src=VIP.address(v), dst=FAR.address(v),
                                **({"proto": 132} if v == 4 else {"nh": 132})) / bytes(8))
    row(f"an error about a protocol without ports is not supported (IPv{v})",
        burst(0, frame(at_web.to_vip(quote=NO_PORTS), "icmp_unsupported")))
    NOT_SERVED = [bytes(HEADERS[v](src=VIP.address(v), dst=FAR.address(v)) / rest)
                  for rest in (UDP(sport=80, dport=40000), TCP(sport=81, dport=40000))]
    row(f"an error about a port or protocol that is no service's is for no service (IPv{v})",
        burst(0, *[frame(at_web.to_vip(quote=q), "no_service") for q in NOT_SERVED]))
    row(f"errors for an own address are the kernel's (IPv{v})",
        burst(0, *[frame(error(v, (ROUTER.mac, OWN.mac), ROUTER.address(v), OWN.address(v), icmp,
                               part_of(Talk(f"web{v}").asked())), "punt_local")
                   for icmp in ERRORS[v]]))

    # --- quoted fragments, options and extension headers -----------------------------------------
    def quoting(rest, talk=web, version=v, **ip):
        """An error for the service that quotes these headers, and what reaches the backend."""
        pair = []
        for at, to in ((talk.vip, talk.client), (talk.backend, talk.local)):
            transport = (TCP if talk.protocol == "tcp" else UDP)(sport=at[1], dport=to[1])
            pair.append(bytes(HEADERS[version](src=at[0], dst=to[0], **ip) /
                              (rest / transport if rest is not None else transport) / b"data"))
        given = Error(talk).to_vip(quote=pair[0])
        return frame(given, "forward_icmp",
                     error(version, (OWN.mac, B1.mac), NAT.address(version), B1.address(version),
                           UNREACHABLE[version], pair[1], 63), backend=talk.name)

    if v == 4:
        LATER = bytes(IP(src=VIP.ipv4, dst=FAR.ipv4, proto=6, frag=10) / bytes(24))
        row("an error that quotes the first fragment follows its flow (IPv4)",
            *web.open(), burst(1, quoting(None, flags="MF"), quoting(None, flags="DF+evil")),
            counters=WEB)
        row("an error that quotes IPv4 options follows its flow",
            *web.open(), burst(1, quoting(None, options=b"\x01" * 40),
                               quoting(None, options=b"\x01" * 4)),
            counters=WEB)
        row("an error that quotes a datagram without checksum leaves it without",
            burst(0, dns.ask()),
            burst(1, at_dns.ask(l4={"chksum": 0}, payload=b"x"), at_dns.answer(l4={"chksum": 0}),
                  at_dns.ask(length=28, l4={"chksum": 0})),
            counters=DNS)
        row("an error in a packet with IPv4 options follows its flow",
            *direct.open(),
            burst(1, frame(error(4, (ROUTER.mac, OWN.mac), FAR.ipv4, direct.vip[0], UNREACHABLE[4],
                                 part_of(at_direct.to_vip())[28:], ip={"options": b"\x01" * 8}),
                           "forward_icmp",
                           error(4, (OWN.mac, B1.mac), FAR.ipv4, direct.vip[0], UNREACHABLE[4],
                                 part_of(at_direct.to_vip())[28:], ip={"options": b"\x01" * 8}),
                           backend=direct.name)),
            counters=DIRECT)
    else:
        LATER = bytes(IPv6(src=VIP.ipv6, dst=FAR.ipv6) / IPv6ExtHdrFragment(offset=10, nh=6) /
                      bytes(24))
        row("an error that quotes the first fragment follows its flow (IPv6)",
            *web.open(), burst(1, quoting(IPv6ExtHdrFragment(m=1, id=9))), counters=WEB)
        row("an error that quotes IPv6 extension headers follows its flow",
            *web.open(),
            burst(1, quoting(IPv6ExtHdrDestOpt()),
                  quoting(IPv6ExtHdrDestOpt() / IPv6ExtHdrFragment(m=1, id=9) /
                          IPv6ExtHdrDestOpt())),
            counters=WEB)
        row("an error that quotes ESP says no ports",
            burst(0, frame(at_web.to_vip(quote=bytes(
                IPv6(src=VIP.ipv6, dst=FAR.ipv6, nh=50) / bytes(24))), "icmp_unsupported")))
    row(f"an error that quotes a later fragment says no ports (IPv{v})",
        *web.open(), burst(1, frame(at_web.to_vip(quote=LATER), "icmp_unsupported")),
        counters=WEB)
