# Rows about packets that are larger than the way on: told to their sender, or split.
from scapy.layers.inet import ICMP, IP
from scapy.layers.inet6 import ICMPv6PacketTooBig, IPv6
from scapy.layers.l2 import Ether

from icmp_talk import UNREACHABLE, Error
from network import (FAR, JUMBO_1, NAT, NAT_1, NEAR_1, OWN, OWN_1, PORT_0, backend,
                     service, setup)
from pieces import Pieces
from row import beside, burst, flows, frame, released, row
from talk import Talk
from tunnel_talk import Tunnel

# Clients on a jumbo link, backends on one of 1500 bytes; and the other way round.
NARROW_OUT = (PORT_0, JUMBO_1)
NARROW_IN = (PORT_0, {**JUMBO_1, "gateways": []})
OVERHEAD = {("ipip", 4): 20, ("ipip", 6): 40, ("gue", 4): 28, ("gue", 6): 48}


def told(given, own, mtu, port=0):
    """A frame that is too big, and what its sender gets: the beginning of it in an ICMP error."""
    packet = given.payload
    link = Ether(src=own.mac, dst=given.src)
    if packet.version == 4:
        out = (link / IP(src=packet.dst, dst=packet.src, ttl=64, flags="DF", id=0) /
               ICMP(type=3, code=4, nexthopmtu=mtu) / bytes(packet)[:576 - 28])
    else:
        out = (link / IPv6(src=packet.dst, dst=packet.src, hlim=64) /
               ICMPv6PacketTooBig(mtu=mtu) / bytes(packet)[:1280 - 48])
    return frame(given, "reply_too_big", out, port=port)


def cut(out, sizes, number=None):
    """An IPv4 frame in pieces with so many bytes behind the IP header each, as RFC 791 has it."""
    whole = Ether(bytes(out))
    ip, rest = whole.payload, bytes(whole.payload.payload)
    frames, at = [], 0
    for n, size in enumerate(sizes):
        more = n + 1 < len(sizes) or ip.flags.MF
        piece = IP(src=ip.src, dst=ip.dst, ttl=ip.ttl, tos=ip.tos, proto=ip.proto,
                   id=ip.id if number is None else number, frag=ip.frag + at // 8,
                   flags="MF" if more else 0) / rest[at:at + size]
        frames.append(Ether(src=whole.src, dst=whole.dst) / piece)
        at += size
    assert at == len(rest)
    return frames


def split(one, sizes, number=None, way="in"):
    """A frame that leaves in pieces: the frame with its first, and those that come after."""
    first, *rest = cut(bytes.fromhex(one["out"]), sizes, number)
    after = [beside("forward_fragment", piece, one["out_port"], one["backend"], way=way)
             for piece in rest]
    return {**one, "out": bytes(first).hex()}, after


def inward(name):
    """A client on the jumbo link, a backend on the other."""
    return Talk(name, NEAR_1, own=OWN_1, own_out=OWN, nat=NAT, port=1, out_port=0)


DF = {4: {"flags": "DF"}, 6: {}}

for v in (4, 6):
    header = 20 if v == 4 else 40
    FIT = bytes(1500 - header - 20)
    web, direct = inward(f"web{v}"), inward(f"direct{v}")
    WEB, DIRECT = [flows(web.name, live=1, new=1)], [flows(direct.name, live=1, new=1)]
    SETUP = setup(ports=NARROW_OUT)

    row(f"a packet as large as the link on passes, one byte more is told its client (nat, IPv{v})",
        *web.open(), burst(1, web.ask("A", payload=FIT, ip=DF[v]),
                           told(web.asked("A", payload=FIT + b"x", ip=DF[v]), OWN_1, 1500, 1)),
        counters=WEB, setup=SETUP)
    row(f"a packet as large as the link on passes, one byte more is told (dsr-l2, IPv{v})",
        *direct.open(), burst(1, direct.ask("A", payload=FIT, ip=DF[v]),
                              told(direct.asked("A", payload=FIT + b"x", ip=DF[v]), OWN_1, 1500,
                                   1)),
        counters=DIRECT, setup=SETUP)
    row(f"a jumbo packet is told with as much of it as an error may quote (IPv{v})",
        *web.open(), burst(1, told(web.asked("A", payload=bytes(range(256)) * 34, ip=DF[v]), OWN_1,
                                   1500, 1)),
        counters=WEB, setup=SETUP)
    row(f"a datagram that does not fit opens a flow all the same (IPv{v})",
        burst(0, told(inward(f"dns{v}").asked(payload=bytes(2000), ip=DF[v]), OWN_1, 1500, 1)),
        counters=[flows(f"dns{v}/b1", live=1, new=1)], setup=SETUP)
    row(f"padding is no part of what does not fit (IPv{v})",
        *web.open(),
        burst(1, frame(bytes(web.asked("A", payload=FIT, ip=DF[v])) + bytes(40), "forward_nat",
                       bytes.fromhex(web.ask("A", payload=FIT, ip=DF[v])["out"]) + bytes(40),
                       port=1, out_port=0, backend=web.name)),
        counters=WEB, setup=SETUP)

    outward = Talk(f"web{v}", FAR, backend="b3", own=OWN, own_out=OWN_1, nat=NAT_1, out_port=1)
    NARROW = setup([service(f"web{v}", backends=[backend("b3", v, 8080)])], ports=NARROW_IN)
    row(f"an answer that does not fit the client's link is told its backend (IPv{v})",
        *outward.open(),
        burst(1, outward.answer("A", payload=FIT, ip=DF[v]),
              told(outward.answered("A", payload=FIT + b"x", ip=DF[v]), OWN_1, 1500, 1)),
        counters=[flows(outward.name, live=1, new=1)], setup=NARROW)

    for (kind, outer), overhead in OVERHEAD.items():
        t = Tunnel(f"{kind}{v}", outer)
        ROOM = bytes(1500 - overhead - header - 20)
        row(f"a tunnel's headers leave less room, and the client is told ({kind}{v}, IPv{outer})",
            *t.open(), burst(1, t.ask("A", payload=ROOM),
                             told(t.asked("A", payload=ROOM + b"x"), OWN, 1500 - overhead)),
            counters=[flows(t.name, live=1, new=1)],
            setup=setup([service(f"{kind}{v}", backends=[backend("b1", outer, 80)])]))

    # --- who is not told -------------------------------------------------------------------------
    TOO_LONG = inward(f"web{v}")
    row(f"of a hundred and one packets that do not fit a hundred are told (IPv{v})",
        *TOO_LONG.open(),
        *[burst(1, *[told(TOO_LONG.asked("A", payload=FIT + b"x", ip=DF[v]), OWN_1, 1500, 1)] * 25)
          for _ in range(4)],
        burst(1, frame(TOO_LONG.asked("A", payload=FIT + b"x", ip=DF[v]), "icmp_rate_limited",
                       port=1)),
        burst(1.001, told(TOO_LONG.asked("A", payload=FIT + b"x", ip=DF[v]), OWN_1, 1500, 1)),
        counters=WEB, setup=SETUP)
    far = Talk(f"direct{v}", client_mac=NEAR_1.mac, own=OWN_1, own_out=OWN, port=1, out_port=0)
    row(f"an ICMP error that does not fit is dropped: nobody is told about errors (IPv{v})",
        *far.open(),
        burst(1, frame(Ether(src=NEAR_1.mac, dst=OWN_1.mac) /
                       Error(far).to_vip(UNREACHABLE[v], payload=bytes(2000)).payload, "too_big",
                       port=1)),
        counters=[flows(far.name, live=1, new=1)], setup=SETUP)
    BIG = bytes(web.asked("A", payload=bytes(4000), ip=DF[v]))
    row(f"a packet that does not fit and is not at hand as far as an error quotes it (IPv{v})",
        *web.open(), burst(1, frame(BIG[:600], "too_big", port=1, length=len(BIG))),
        counters=WEB, setup=SETUP)

# --- pieces that do not fit ----------------------------------------------------------------------

dns6, dns4 = inward("dns6"), inward("dns4")
LARGE = bytes(6000)
six = Pieces(dns6, (2000, 4000), LARGE)
row("IPv6 pieces that do not fit are told, the later ones too",
    burst(0, *[told(six.asked(n), OWN_1, 1500, 1) for n in range(3)]),
    counters=[flows("dns6/b1", live=1, new=1)], setup=setup(ports=NARROW_OUT))
fixed = Pieces(dns4, (2000, 4000), LARGE, ip={"flags": "DF+MF"})
row("of IPv4 pieces with don't-fragment that do not fit only the first is told",
    burst(0, told(fixed.asked(0), OWN_1, 1500, 1), *fixed.dropped("too_big", 1, 2)),
    counters=[flows("dns4/b1", live=1, new=1)], setup=setup(ports=NARROW_OUT))

# --- splitting -----------------------------------------------------------------------------------

web, direct = inward("web4"), inward("direct4")
SETUP = setup(ports=NARROW_OUT)
TWO, TWO_AFTER = split(web.ask("A", payload=bytes(range(250)) * 8), (1480, 540), number=1)
row("an IPv4 packet that may be fragmented leaves a nat service in two pieces",
    *web.open(), burst(1, TWO, after=TWO_AFTER), counters=[flows("web4/b1", live=1, new=1)],
    setup=SETUP)
SIX, SIX_AFTER = split(web.ask("A", payload=bytes(range(250)) * 34), (1480,) * 5 + (1120,),
                       number=1)
row("a jumbo packet leaves a nat service in six pieces",
    *web.open(), burst(1, SIX, after=SIX_AFTER), counters=[flows("web4/b1", live=1, new=1)],
    setup=SETUP)
JUST, JUST_AFTER = split(web.ask("A", payload=bytes(1461)), (1480, 1), number=1)
row("one byte too many makes a piece of one byte",
    *web.open(), burst(1, JUST, after=JUST_AFTER), counters=[flows("web4/b1", live=1, new=1)],
    setup=SETUP)
AGAIN, AGAIN_AFTER = split(web.ask("A", payload=bytes(2000)), (1480, 540), number=2)
row("each packet that nat splits has a number of its own, and so have all their pieces",
    *web.open(), burst(1, TWO, AGAIN, after=TWO_AFTER + AGAIN_AFTER),
    counters=[flows("web4/b1", live=1, new=1)], setup=SETUP)
L2, L2_AFTER = split(direct.ask("A", payload=bytes(3000), ip={"id": 77, "tos": 3}),
                     (1480, 1480, 60))
row("an IPv4 packet leaves a dsr-l2 service in three pieces under its own number",
    *direct.open(), burst(1, L2, after=L2_AFTER), counters=[flows("direct4/b1", live=1, new=1)],
    setup=SETUP)
outward = Talk("web4", FAR, backend="b3", own=OWN, own_out=OWN_1, nat=NAT_1, out_port=1)
BACK, BACK_AFTER = split(outward.answer("A", payload=bytes(2000), ttl=9), (1480, 540), number=1,
                         way="out")
row("an answer that may be fragmented leaves for its client in two pieces",
    *outward.open(), burst(1, BACK, after=BACK_AFTER),
    counters=[flows(outward.name, live=1, new=1)],
    setup=setup([service("web4", backends=[backend("b3", 4, 8080)])], ports=NARROW_IN))
row("splitting takes no hop more than passing, and none is left at TTL 1",
    *web.open(),
    burst(1, frame(web.asked("A", payload=bytes(2000), ttl=1), "ttl_expired", port=1),
          after=[beside("ttl_expired")]),
    counters=[flows("web4/b1", live=1, new=1)], setup=SETUP)

loose = Pieces(dns4, (2000, 4000), LARGE, new_number=1)
SPLIT = [split(loose.ask(n), sizes) for n, sizes in enumerate(((1480, 520), (1480, 520),
                                                               (1480, 528)))]
row("pieces that do not fit are split further and keep the datagram's number",
    *[burst(n, one, after=after) for n, (one, after) in enumerate(SPLIT)],
    counters=[flows("dns4/b1", live=1, new=1)], setup=SETUP)
row("a piece that waited is split when it goes on",
    burst(0, {**loose.hold(1)}, SPLIT[0][0],
          after=SPLIT[0][1] + [released({**SPLIT[1][0]})] + SPLIT[1][1]),
    counters=[flows("dns4/b1", live=1, new=1)], setup=SETUP)

for kind, outer in OVERHEAD:
    t = Tunnel(f"{kind}4", outer)
    room = (1500 - OVERHEAD[kind, outer] - 20) // 8 * 8
    INNER = t.asked("A", payload=bytes(2000), ttl=63, ip={"flags": 0}).payload
    PARTS = cut(Ether(src=OWN.mac, dst=OWN.mac) / INNER, (room, 2020 - room))
    FIRST = t.sent(t.asked("A", payload=bytes(2000), ip={"flags": 0}), PARTS[0].payload,
                   outer_id=1 if outer == 4 else None)
    REST = beside("forward_fragment", t.carry(PARTS[1].payload, outer_id=2 if outer == 4 else None),
                  backend=t.name, entropy=t.entropy)
    row(f"an IPv4 packet is carried to its backend in two pieces ({kind} over IPv{outer})",
        *t.open(), burst(1, FIRST, after=[REST]),
        counters=[flows(t.name, live=1, new=1)],
        setup=setup([service(f"{kind}4", backends=[backend("b1", outer, 80)])], ports=(PORT_0,)))

far = Talk("direct4", client_mac=NEAR_1.mac, own=OWN_1, own_out=OWN, port=1, out_port=0)
LOOSE = Error(far).to_vip(UNREACHABLE[4], payload=bytes(2000))
LOOSE = (Ether(src=NEAR_1.mac, dst=OWN_1.mac) /
         IP(src=LOOSE.payload.src, dst=LOOSE.payload.dst, flags=0, id=5) / LOOSE.payload.payload)
SENT, SENT_AFTER = split(frame(LOOSE, "forward_icmp", Ether(src=OWN.mac, dst=far.backend_mac) /
                               LOOSE.payload, port=1, out_port=0, backend=far.name),
                         (1480, len(LOOSE) - 34 - 1480))
row("an ICMP error that may be fragmented is split",
    *far.open(), burst(1, SENT, after=SENT_AFTER),
    counters=[flows("direct4/b1", live=1, new=1)], setup=SETUP)

row("an IPv4 packet with options is not split",
    *web.open(),
    burst(1, frame(web.asked("A", payload=bytes(2000), ip={"options": b"\x01" * 4}), "too_big",
                   port=1)),
    counters=[flows("web4/b1", live=1, new=1)], setup=SETUP)
PART = bytes(web.asked("A", payload=bytes(2000)))
row("a packet of which a part is not at hand is not split",
    *web.open(), burst(1, frame(PART[:1000], "too_big", port=1, length=len(PART))),
    counters=[flows("web4/b1", live=1, new=1)], setup=SETUP)

# --- without buffers -----------------------------------------------------------------------------

row("without an empty buffer nothing is split, but what fits passes",
    *web.open(), burst(1, frame(web.asked("A", payload=bytes(2000)), "no_buffer", port=1),
                       web.ask("A")),
    counters=[flows("web4/b1", live=1, new=1)], setup=setup(ports=NARROW_OUT, spares=0))
row("with one empty buffer the first of three pieces leaves, and the rest is lost",
    *direct.open(),
    burst(1, L2, after=[beside("no_buffer")]),
    counters=[flows("direct4/b1", live=1, new=1)], setup=setup(ports=NARROW_OUT, spares=1))
DIRECT_SIX = [split(direct.ask("A", payload=bytes(range(250)) * 34, ip={"id": n}),
                    (1480,) * 5 + (1120,)) for n in range(14)]
row("sixty-four pieces need the buffers of a worker; the next burst has them again",
    *direct.open(),
    burst(1, *[one for one, _ in DIRECT_SIX[:13]],
          frame(direct.asked("A", payload=bytes(2000)), "no_buffer", port=1),
          after=[piece for _, after in DIRECT_SIX[:12] for piece in after] +
          DIRECT_SIX[12][1][:3] + [beside("no_buffer")]),
    burst(2, DIRECT_SIX[13][0], after=DIRECT_SIX[13][1]),
    counters=[flows("direct4/b1", live=1, new=1)], setup=SETUP)
