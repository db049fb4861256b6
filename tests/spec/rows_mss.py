# Rows about the MSS that both sides announce: lowered to what the narrower way of the two carries.
from network import (FAR, JUMBO_0, JUMBO_1, NAT, NAT_1, NEAR_1, OWN, OWN_1, PORT_0, backend,
                     service, setup)
from pieces import Pieces
from row import burst, flows, frame, row
from talk import Talk
from tunnel_talk import Tunnel

OVERHEAD = {("ipip", 4): 20, ("ipip", 6): 40, ("gue", 4): 28, ("gue", 6): 48}


def mss(value, *others):
    return {"options": [("MSS", value), *others]}


def lowered(talk, way, flags, given, to, **more):
    """A segment with TCP fields `given` that must leave with the fields `to`."""
    make = talk.ask if way == "ask" else talk.answer
    came = make(flags, l4=given, **more)
    return {**make(flags, l4=to, **more), "in": came["in"]}


def raw(options, mss_at=None, value=None):
    """TCP fields and payload for options that scapy would not write: a multiple of four bytes."""
    changed = bytearray(options)
    if mss_at is not None:
        changed[mss_at:mss_at + 2] = value.to_bytes(2, "big")
    return {"l4": {"dataofs": 5 + len(options) // 4}, "payload": bytes(changed) + b"data"}


for v in (4, 6):
    most = 1460 if v == 4 else 1440
    web, direct = Talk(f"web{v}"), Talk(f"direct{v}")
    WEB, DIRECT = [flows(web.name, live=1, new=1)], [flows(direct.name, live=1, new=1)]

    row(f"an MSS above what the links carry is lowered, both ways (nat, IPv{v})",
        burst(0, lowered(web, "ask", "S", mss(8960), mss(most))),
        burst(0, lowered(web, "answer", "SA", mss(65535), mss(most))), counters=WEB)
    row(f"an MSS above what the links carry is lowered (dsr-l2, IPv{v})",
        burst(0, lowered(direct, "ask", "S", mss(8960), mss(most))),
        burst(1, lowered(direct, "ask", "SA", mss(most + 1), mss(most))), counters=DIRECT)
    row(f"an MSS that fits, and none, pass untouched (IPv{v})",
        burst(0, web.ask("S", l4=mss(most))), burst(0, web.ask("S", l4=mss(most - 1))),
        burst(0, web.ask("S", l4=mss(0))), burst(0, web.ask("S")),
        burst(0, web.answer("SA", l4=mss(most))), burst(0, web.answer("SA")), counters=WEB)
    row(f"jumbo links carry a jumbo MSS (IPv{v})",
        burst(0, web.ask("S", l4=mss(most + 7500))),
        burst(0, lowered(web, "answer", "SA", mss(most + 7501), mss(most + 7500))),
        counters=WEB, setup=setup(ports=(JUMBO_0,)))
    inward = Talk(f"web{v}", NEAR_1, own=OWN_1, own_out=OWN, nat=NAT, port=1, out_port=0)
    row(f"the narrower of two links counts, wherever it lies (IPv{v})",
        burst(0, lowered(inward, "ask", "S", mss(8960), mss(most))),
        burst(0, lowered(inward, "answer", "SA", mss(8960), mss(most))),
        counters=WEB, setup=setup(ports=(PORT_0, JUMBO_1)))
    outward = Talk(f"web{v}", FAR, backend="b3", own=OWN, own_out=OWN_1, nat=NAT_1, out_port=1)
    row(f"a client on the narrower link gets the smaller MSS, and so does its backend (IPv{v})",
        burst(0, lowered(outward, "ask", "S", mss(8960), mss(most))),
        burst(0, lowered(outward, "answer", "SA", mss(8960), mss(most))),
        counters=[flows(outward.name, live=1, new=1)],
        setup=setup([service(f"web{v}", backends=[backend("b3", v, 8080)])],
                    ports=(PORT_0, JUMBO_1)))
    for (kind, outer), overhead in OVERHEAD.items():
        t = Tunnel(f"{kind}{v}", outer)
        row(f"an MSS leaves room for the headers of a tunnel ({kind}, IPv{v} in IPv{outer})",
            burst(0, lowered(t, "ask", "S", mss(1460), mss(most - overhead))),
            burst(0, t.ask("S", l4=mss(most - overhead))),
            counters=[flows(t.name, live=1, new=1)],
            setup=setup([service(f"{kind}{v}", backends=[backend("b1", outer, 80)])]))

    row(f"other options around the MSS stay as they are (IPv{v})",
        burst(0, lowered(web, "ask", "S", mss(9000, ("SAckOK", b""), ("Timestamp", (7, 0)),
                                              ("WScale", 7)),
                         mss(most, ("SAckOK", b""), ("Timestamp", (7, 0)), ("WScale", 7)))),
        counters=WEB)
    BEHIND = [b"\x01\x02\x04\x23\x28\x01\x01\x01", b"\x01\x01\x02\x04\x23\x28\x01\x00",
              b"\x01\x01\x01\x02\x04\x23\x28\x00", b"\x04\x02\x01\x02\x04\x23\x28\x00"]
    row(f"an MSS at any byte is found, and its checksum right (IPv{v})",
        burst(0, *[{**web.ask("S", **raw(o, o.index(b"\x23\x28"), most)),
                    "in": web.ask("S", **raw(o))["in"]} for o in BEHIND]),
        counters=WEB)
    BROKEN = [b"\x08\x00\x02\x04\x23\x28\x00\x00", b"\x08\x01\x02\x04\x23\x28\x00\x00",
              b"\x08\x09\x02\x04\x23\x28\x00\x00", b"\x01\x02\x03\x23\x01\x01\x01\x00",
              b"\x02\x05\x23\x28\x00\x01\x01\x01", b"\x01\x01\x01\x01\x01\x02\x04\x23",
              b"\x01\x01\x01\x01\x01\x01\x01\x02", b"\x00\x01\x02\x04\x23\x28\x00\x00"]
    row(f"options that make no sense, and what follows them or the end, stay untouched (IPv{v})",
        burst(0, *[web.ask("S", **raw(o)) for o in BROKEN]), counters=WEB)
    HALF = b"\x02\x04\x23\x28\x08\x00\x02\x04\x23\x28\x00\x00"
    row(f"an MSS before options that make no sense is lowered (IPv{v})",
        burst(0, {**web.ask("S", **raw(HALF, 2, most)), "in": web.ask("S", **raw(HALF))["in"]}),
        counters=WEB)
    TWICE = b"\x02\x04\x23\x28\x02\x04\x23\x29"
    BOTH = bytearray(TWICE)
    BOTH[6:8] = most.to_bytes(2, "big")
    row(f"an MSS that is said twice is lowered twice (IPv{v})",
        burst(0, {**web.ask("S", **raw(bytes(BOTH), 2, most)),
                  "in": web.ask("S", **raw(TWICE))["in"]}),
        counters=WEB)
    row(f"an MSS option in a segment without SYN means nothing (IPv{v})",
        *web.open(), burst(1, web.ask("A", l4=mss(9000)), web.answer("A", l4=mss(9000)),
                           web.ask("FA", l4=mss(9000)), web.answer("RA", l4=mss(9000))),
        counters=WEB)
    row(f"the MSS of a SYN in pieces stays as it is (IPv{v})",
        burst(0, Pieces(web, (64,), payload=bytes(64), flags="S", l4=mss(9000)).ask(0),
              Pieces(web, (64,), payload=bytes(64), flags="S", l4=mss(9000)).ask(1)),
        counters=WEB)
    WHOLE = web.ask("S", l4=mss(9000))
    CUT = (34 if v == 4 else 54) + 20
    row(f"a SYN whose options are not at hand keeps its MSS (IPv{v})",
        burst(0, frame(bytes.fromhex(WHOLE["in"])[:CUT], "forward_nat",
                       bytes.fromhex(WHOLE["out"])[:CUT], length=len(WHOLE["in"]) // 2,
                       backend=web.name)),
        counters=WEB)
