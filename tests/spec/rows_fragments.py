# Rows about fragments: later ones follow the first of their datagram, or wait for it.
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop
from scapy.layers.l2 import Ether

from network import B1, FAR, NAT, NEAR, OWN, VIP, backend, service, setup
from pieces import Pieces
from row import beside, burst, flows, frame, released, row, snapshot, stateless, tick
from talk import Talk
from tunnel_talk import Tunnel

WRAP = 2 ** 32 / 1000  # seconds after which the clock of milliseconds begins anew


def raw(v, rest, offset=0, more=True, host=VIP, proto=17, number=77):
    """A fragment that carries these bytes."""
    link = Ether(src=FAR.mac, dst=OWN.mac)
    if v == 4:
        return link / IP(src=FAR.ipv4, dst=host.ipv4, proto=proto, id=number, frag=offset,
                         flags="MF" if more else 0) / rest
    return (link / IPv6(src=FAR.ipv6, dst=host.ipv6) /
            IPv6ExtHdrFragment(nh=proto, offset=offset, m=int(more), id=number) / rest)


for v in (4, 6):
    dns, web, direct = Talk(f"dns{v}"), Talk(f"web{v}"), Talk(f"direct{v}")
    directdns = Talk(f"directdns{v}")
    DNS, WEB = [flows(dns.name, live=1, new=1)], [flows(web.name, live=1, new=1)]
    big = Pieces(dns)
    back = Pieces(dns, number=5, new_number=2)

    # --- the way through nat ---------------------------------------------------------------------
    row(f"a datagram in three pieces reaches its nat backend in three (IPv{v})",
        burst(0, big.ask(0), big.ask(1), big.ask(2)), counters=DNS)
    row(f"an answer in three pieces reaches its client in three (IPv{v})",
        burst(0, big.ask(0), big.ask(1), big.ask(2)),
        burst(0.1, back.answer(0), back.answer(1)), burst(0.2, back.answer(2)), counters=DNS)
    row(f"pieces in bursts of their own follow the first (IPv{v})",
        burst(0, big.ask(0)), burst(0.5, big.ask(2)), burst(1, big.ask(1)), counters=DNS)
    row(f"a datagram of two pieces, the second of one byte (IPv{v})",
        burst(0, *[Pieces(dns, (64,), payload=bytes(57)).ask(n) for n in (0, 1)]), counters=DNS)
    row(f"a datagram whose first piece has the UDP header alone (IPv{v})",
        burst(0, *[Pieces(dns, (8, 16)).ask(n) for n in (0, 1, 2)]), counters=DNS)
    row(f"behind nat the datagrams of all clients are numbered anew (IPv{v})",
        burst(0, big.ask(0)),
        burst(0, Pieces(Talk(f"dns{v}", NEAR, local_port=1025), new_number=2).ask(0)),
        burst(0, Pieces(dns, number=78, new_number=3).ask(0)),
        burst(0.1, big.ask(1), Pieces(dns, number=78, new_number=3).ask(1),
              Pieces(Talk(f"dns{v}", NEAR, local_port=1025), new_number=2).ask(1), big.ask(2)),
        counters=[flows(dns.name, live=2, new=2)])
    row(f"two workers number datagrams apart (IPv{v})",
        burst(0, Pieces(dns, new_number=2).ask(0), Pieces(dns, new_number=2).ask(1)),
        burst(0, Pieces(Talk(f"dns{v}", NEAR, local_port=1025), new_number=3).ask(0), worker=1),
        counters=DNS + [flows(dns.name, live=1, new=1, worker=1)], setup=setup(workers=2))
    row(f"a first piece that comes twice goes twice, under one number (IPv{v})",
        burst(0, big.ask(0), big.ask(0), big.ask(1)), burst(1, big.ask(0), big.ask(2)),
        counters=DNS)
    row(f"pieces take a hop each behind nat (IPv{v})",
        burst(0, Pieces(dns, ttl=2).ask(0), Pieces(dns, ttl=2).ask(1)),
        burst(0, *Pieces(dns, ttl=1).dropped("ttl_expired", 0, 1, 2)), counters=DNS)
    row(f"a segment in pieces passes a nat service, both ways (IPv{v})",
        *web.open(), burst(1, *[Pieces(web).ask(n) for n in range(3)]),
        burst(1, *[Pieces(web, new_number=2).answer(n) for n in range(3)]), counters=WEB)
    row(f"a SYN in pieces opens a connection (IPv{v})",
        burst(0, Pieces(web, flags="S").ask(0), Pieces(web, flags="S").ask(1)),
        burst(0, web.answer("SA")), counters=WEB)
    row(f"a segment in pieces of a nat connection not known here is dropped, not reset (IPv{v})",
        burst(0, *Pieces(web).dropped("no_flow", 0, 1, 2)))
    row(f"pieces of a connection whose backend is down are dropped, not reset (IPv{v})",
        *web.open(),
        snapshot(service(f"web{v}", backends=[backend("b1", v, 8080, admission="down")])),
        burst(1, *Pieces(web).dropped("no_flow", 0, 1)),
        counters=[flows(web.name, live=0, new=1)])

    # --- direct return ---------------------------------------------------------------------------
    row(f"pieces pass a dsr-l2 service with other MAC addresses only (IPv{v})",
        burst(0, *[Pieces(directdns, ttl=1).ask(n) for n in range(3)]),
        *direct.open(1), burst(2, *[Pieces(direct).ask(n) for n in range(3)]),
        counters=[flows(directdns.name, live=1, new=1), flows(direct.name, live=1, new=1)])
    for kind in ("ipip", "gue"):
        carried = Tunnel(f"{kind}dns{v}", 6)
        for cuts in ((64, 128), (8, 16)):
            row(f"pieces cut at {cuts[0]} and {cuts[1]} travel in a tunnel ({kind}{v}, IPv6)",
                burst(0, *[Pieces(carried, cuts).ask(n) for n in range(3)]),
                burst(1, carried.ask(payload=b"whole")),
                counters=[flows(carried.name, live=1, new=1)],
                setup=setup([service(f"{kind}dns{v}", backends=[backend("b1", 6, 53)])]))

    # --- out of order ----------------------------------------------------------------------------
    row(f"a piece that comes before the first waits for it (IPv{v})",
        burst(0, big.hold(1)), burst(0.05, big.ask(0), after=[released(big.ask(1))]),
        burst(0.06, big.ask(2)), counters=DNS)
    row(f"pieces in reverse order, in one burst, leave behind the first (IPv{v})",
        burst(0, big.hold(2), big.hold(1), big.ask(0),
              after=[released(big.ask(2)), released(big.ask(1))]), counters=DNS)
    row(f"an answer whose last piece comes first reaches the client (IPv{v})",
        burst(0, dns.ask()),
        burst(0.1, frame(Pieces(dns, new_number=1).answered(2), "hold_fragment"),
              Pieces(dns, new_number=1).answer(0),
              after=[released(Pieces(dns, new_number=1).answer(2))]),
        burst(0.2, Pieces(dns, new_number=1).answer(1)), counters=DNS)
    other = Pieces(Talk(f"dns{v}", NEAR, local_port=1025), new_number=2)
    row(f"each first piece frees those of its own datagram (IPv{v})",
        burst(0, big.hold(1), other.hold(1), big.hold(2)),
        burst(0.01, big.ask(0), after=[released(big.ask(1)), released(big.ask(2))]),
        burst(0.02, other.ask(0), after=[released(other.ask(1))]),
        counters=[flows(dns.name, live=2, new=2)])
    row(f"a piece waits a tenth of a second for the first, and no longer (IPv{v})",
        burst(0, big.hold(1)), tick(0.1), tick(0.101, beside("fragment_first_missing")),
        burst(0.2, big.ask(0)), counters=DNS)
    row(f"a piece that waits too long is dropped before any that came later (IPv{v})",
        burst(0, big.hold(1)), burst(0.05, big.hold(2)),
        tick(0.12, beside("fragment_first_missing")),
        burst(0.14, big.ask(0), after=[released(big.ask(2))]), counters=DNS)
    row(f"waiting ends rightly while the clock of milliseconds wraps around (IPv{v})",
        burst(WRAP - 0.05, big.hold(1)), tick(WRAP + 0.05),
        tick(WRAP + 0.051, beside("fragment_first_missing")))
    row(f"the first piece is remembered for two seconds (IPv{v})",
        burst(0, big.ask(0)), burst(2, big.ask(1)), burst(2.001, big.hold(2)),
        tick(3, beside("fragment_first_missing")), counters=DNS)
    row(f"a first piece that comes again is remembered from when it first came (IPv{v})",
        burst(0, big.ask(0)), burst(1.5, big.ask(0)), burst(2.001, big.hold(1)),
        counters=DNS)
    MANY = [raw(v, bytes(8), 10, number=1000 + n) for n in range(66)]
    row(f"sixty-four pieces wait at most (IPv{v})",
        burst(0, *[frame(piece, "hold_fragment") for piece in MANY[:32]]),
        burst(0, *[frame(piece, "hold_fragment") for piece in MANY[32:64]]),
        burst(0, *[frame(piece, "fragment_table_full") for piece in MANY[64:]]),
        tick(1, *[beside("fragment_first_missing")] * 64),
        burst(1, frame(MANY[64], "hold_fragment")))
    row(f"sixty-four pieces of one datagram are freed at once (IPv{v})",
        *[burst(0, *[Pieces(dns, tuple(range(8, 528, 8)), bytes(520)).hold(1 + n + i)
                     for i in range(32)]) for n in (0, 32)],
        burst(0, Pieces(dns, tuple(range(8, 528, 8)), bytes(520)).ask(0),
              after=[released(Pieces(dns, tuple(range(8, 528, 8)), bytes(520)).ask(n))
                     for n in range(1, 65)]),
        counters=DNS)
    row(f"a piece of a service that goes meanwhile waits in vain (IPv{v})",
        burst(0, big.hold(1)), snapshot(service(f"direct{v}")),
        burst(0.05, frame(big.asked(0), "punt_other")),
        tick(0.2, beside("fragment_first_missing")))

    # --- several workers -------------------------------------------------------------------------
    second = Pieces(Talk(f"dns{v}", local_port=1025), new_number=3)
    row(f"pieces of an answer are handed to the worker that owns the port, in order (IPv{v})",
        burst(0, second.talk.ask(), worker=1),
        burst(0.1, *[frame(second.answered(n), "hand_off", owner=1) for n in range(3)]),
        burst(0.1, *[second.answer(n) for n in range(3)], worker=1),
        counters=[flows(dns.name, live=1, new=1, worker=1)], setup=setup(workers=2))
    row(f"a piece that waited is handed to the worker that owns the port (IPv{v})",
        burst(0, second.talk.ask(), worker=1),
        burst(0.1, frame(second.answered(1), "hold_fragment"),
              frame(second.answered(0), "hand_off", owner=1),
              after=[released(frame(second.answered(1), "hand_off", owner=1))]),
        burst(0.1, second.answer(0), second.answer(1), worker=1),
        counters=[flows(dns.name, live=1, new=1, worker=1)], setup=setup(workers=2))

    # --- tiny, overlapping, for others -----------------------------------------------------------
    SEGMENT, DATAGRAM = bytes(TCP(dport=80, flags="S")), bytes(UDP(dport=53))
    row(f"a first piece without its whole transport header is too tiny (IPv{v})",
        burst(0, *[frame(raw(v, SEGMENT[:n], proto=6), "fragment_tiny") for n in (0, 8, 16, 19)],
              *[frame(raw(v, DATAGRAM[:n]), "fragment_tiny") for n in (0, 1, 7)]))
    row(f"a later piece that overlaps the TCP header is too tiny (IPv{v})",
        burst(0, *[frame(raw(v, bytes(64), n, proto=6), "fragment_tiny") for n in (1, 2)],
              frame(raw(v, bytes(64), 3, proto=6), "hold_fragment")))
    row(f"a later piece of a datagram may begin right behind the UDP header (IPv{v})",
        burst(0, frame(raw(v, bytes(64), 1), "hold_fragment")))
    row(f"a later piece without a byte is too tiny (IPv{v})",
        burst(0, frame(raw(v, b"", 8), "fragment_tiny"),
              frame(raw(v, b"", 8, more=False, proto=6), "fragment_tiny")))
    FIRST = bytes(big.asked(0))
    row(f"a first piece whose transport header is not at hand is too tiny (IPv{v})",
        burst(0, frame(FIRST[:(34 if v == 4 else 62) + 7], "fragment_tiny", length=len(FIRST))))
    row(f"pieces for an own address are the kernel's, the tiny ones too (IPv{v})",
        burst(0, *[frame(raw(v, rest, at, host=OWN, proto=6), "punt_local")
                   for rest, at in ((SEGMENT, 0), (bytes(64), 8), (bytes(8), 0), (bytes(8), 1))]))
    row(f"pieces for nobody here go to the kernel unchanged (IPv{v})",
        burst(0, *[frame(raw(v, rest, at, host=FAR), "punt_other")
                   for rest, at in ((DATAGRAM, 0), (bytes(64), 8))]))
    row(f"tiny pieces for a NAT address are dropped (IPv{v})",
        burst(0, frame(raw(v, bytes(8), 0, host=NAT, proto=6), "fragment_tiny"),
              frame(raw(v, bytes(8), 2, host=NAT, proto=6), "fragment_tiny")))
    row(f"pieces of a protocol without ports are for no service (IPv{v})",
        burst(0, *[frame(raw(v, bytes(16), n, proto=132), "no_service") for n in (0, 8)]))
    row(f"pieces for a port that is no service's are for no service (IPv{v})",
        burst(0, frame(raw(v, bytes(UDP(dport=54)) + bytes(8)), "no_service"),
              frame(raw(v, bytes(16), 2), "no_service")))
    row(f"pieces for a free local port belong to no flow (IPv{v})",
        burst(0, frame(raw(v, bytes(UDP(dport=1024)) + bytes(8), host=NAT), "no_flow"),
              frame(raw(v, bytes(16), 2, host=NAT), "no_flow")))
    CAPACITY = 8 if v == 4 else 4
    FILLING = [Talk(f"directdns{v}", FAR, 50000 + n).ask() for n in range(CAPACITY)]
    row(f"pieces of a flow that no record can be kept of go by the table (IPv{v})",
        burst(0, *FILLING), burst(1, *[Pieces(directdns).ask(n) for n in range(3)]),
        counters=[flows(directdns.name, live=CAPACITY, new=CAPACITY + 3), stateless(3)],
        setup=setup(ipv4_buckets=2, ipv6_buckets=2))

dns = Pieces(Talk("dns4"), l4={"chksum": 0})
row("a datagram without checksum in pieces stays without",
    burst(0, dns.ask(0), dns.ask(1), dns.ask(2)), counters=[flows("dns4/b1", live=1, new=1)])
OPTIONS = Pieces(Talk("dns4"), ip={"options": b"\x01" * 8})
row("IPv4 options of pieces pass a nat service",
    burst(0, OPTIONS.ask(0), OPTIONS.ask(1)), counters=[flows("dns4/b1", live=1, new=1)])
SET = Pieces(Talk("dns4"), ip={"flags": "MF+DF", "tos": 0xb8})
row("DSCP and don't-fragment of pieces pass a nat service",
    burst(0, SET.ask(0), SET.ask(1)), counters=[flows("dns4/b1", live=1, new=1)])
inside = Tunnel("guedns4")
row("what a tunnel gives numbers to, and what nat does, are never the same",
    burst(0, Pieces(inside).ask(0, outer_id=2), Pieces(inside).ask(1, outer_id=3)),
    burst(0, Pieces(Talk("dns4"), new_number=4).ask(0)),
    counters=[flows("guedns4/b1", live=1, new=1), flows("dns4/b1", live=1, new=1)])


def atomic(source, destination, ports, macs, hop, number=7):
    return (Ether(src=macs[0], dst=macs[1]) / IPv6(src=source, dst=destination, hlim=hop) /
            IPv6ExtHdrFragment(id=number, m=0, offset=0) /
            TCP(sport=ports[0], dport=ports[1], flags="S"))


row("an IPv6 packet that is its own only fragment is whole: it keeps its number, and is reset",
    burst(0, frame(atomic(FAR.ipv6, VIP.ipv6, (40000, 80), (FAR.mac, OWN.mac), 64), "forward_nat",
                   atomic(NAT.ipv6, B1.ipv6, (1024, 8080), (OWN.mac, B1.mac), 63),
                   backend="web6/b1")),
    burst(0, frame(raw(6, bytes(TCP(sport=1, dport=80, flags="A")), more=False, proto=6),
                   "reply_reset",
                   bytes.fromhex(Talk("web6", client_port=1).reset(
                       "A", ack=0, answer={"flags": "R", "seq": 0, "ack": 0})["out"]))),
    counters=[flows("web6/b1", live=1, new=1)])


def chained(source, destination, macs, hop, number, rest, offset, more):
    return (Ether(src=macs[0], dst=macs[1]) / IPv6(src=source, dst=destination, hlim=hop) /
            IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt() /
            IPv6ExtHdrFragment(nh=17, id=number, m=more, offset=offset) / rest)


ASKED = bytes(Talk("dns6").asked(payload=bytes(64)).payload.payload)
SENT = bytes.fromhex(Talk("dns6").ask(payload=bytes(64))["out"])[54:]
row("pieces behind hop-by-hop and destination options are numbered anew where they lie",
    burst(0, *[frame(chained(FAR.ipv6, VIP.ipv6, (FAR.mac, OWN.mac), 64, 99, ASKED[a:b], a // 8, m),
                     "forward_nat",
                     chained(NAT.ipv6, B1.ipv6, (OWN.mac, B1.mac), 63, 1, SENT[a:b], a // 8, m),
                     backend="dns6/b1") for a, b, m in ((0, 32, 1), (32, 72, 0))]),
    counters=[flows("dns6/b1", live=1, new=1)])
