# Rows about dsr-ipip and dsr-gue: the client's packet inside another, byte for byte.
import random

from scapy.layers.inet import TCP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrDestOpt
from scapy.layers.l2 import Ether

from network import (B1, FAR, JUMBO_0, NEAR, OWN, OWN_1, PORT_0, PORT_1, Host, backend, service,
                     setup)
from pieces import Pieces
from row import burst, flows, frame, resolve, row, snapshot
from tunnel_talk import Tunnel

GONE = {"flags": "R", "seq": 5000, "ack": 0}


def tunnels(name, outer, backends=("b1",), ports=(PORT_0,), unresolved=(), **more):
    """A setup with one service whose backends are reached over IPv`outer`."""
    port = 53 if "dns" in name else 80
    return setup([service(name, backends=[backend(b, outer, port) for b in backends], **more)],
                 ports=ports, unresolved=unresolved)


def one(talk, **more):
    return [flows(talk.name, live=1, new=1, **more)]


COMBINATIONS = [(kind, v, outer) for kind in ("ipip", "gue") for v in (4, 6) for outer in (4, 6)]

for kind, v, outer in COMBINATIONS:
    name, dns_name = f"{kind}{v}", f"{kind}dns{v}"
    t, dns = Tunnel(name, outer), Tunnel(dns_name, outer)
    way = f"IPv{v} in IPv{outer}" if kind == "ipip" else f"IPv{v} in GUE over IPv{outer}"
    SETUP, DNS_SETUP = tunnels(name, outer), tunnels(dns_name, outer)

    row(f"a connection is carried from SYN to FIN ({way})",
        *t.open(), burst(1, t.ask("PA", payload=b"GET / HTTP/1.1\r\n\r\n")), burst(2, t.ask("FA")),
        burst(2, t.ask("A")),
        counters=one(t), setup=SETUP)
    row(f"datagrams are carried ({way})",
        burst(0, dns.ask(payload=b"question"), dns.ask(payload=b"odd")), burst(1, dns.ask()),
        counters=one(dns), setup=DNS_SETUP)
    row(f"a tunnel is a hop: TTL 2 becomes 1 inside and is 64 outside ({way})",
        burst(0, t.ask("S", ttl=2)), burst(0, t.ask("A", ttl=255)),
        counters=one(t), setup=SETUP)
    row(f"a packet with TTL 1 or 0 does not enter a tunnel ({way})",
        burst(0, t.dropped("ttl_expired", "S", ttl=1), t.dropped("ttl_expired", "S", ttl=0)),
        counters=one(t), setup=SETUP)
    row(f"DSCP and ECN are copied to the outer header ({way})",
        *[burst(0, t.ask("A", ip={"tos" if v == 4 else "tc": tos})) for tos in (0xb8, 3, 0xff)],
        counters=one(t), setup=SETUP)
    row(f"a segment of a connection not known here goes by the table and is known ({way})",
        burst(0, t.ask("A", payload=b"from before")), burst(1, t.ask("PA", payload=b"x")),
        counters=one(t), setup=SETUP)
    row(f"a connection whose backend is down is reset, not carried ({way})",
        *t.open(), snapshot(service(name, backends=[
            backend("b1", outer, 80, admission="down"), backend("b2", outer, 80)])),
        burst(1, t.reset("A", answer=GONE)),
        counters=[flows(t.name, live=0, new=1)], setup=SETUP)

    generator = random.Random(v * 10 + outer)
    row(f"thirty-two random packets are carried whole ({way})",
        burst(0, *[t.ask("A", payload=generator.randbytes(generator.randrange(1380)),
                         ttl=generator.randrange(2, 256), l4={"seq": generator.getrandbits(32)})
                   for _ in range(32)]),
        counters=one(t), setup=SETUP)
    SHORT = t.ask("S")
    row(f"the padding of a short frame does not travel ({way})",
        burst(0, {**SHORT, "in": SHORT["in"] + "00" * 6}),
        counters=one(t), setup=SETUP)

    far = Tunnel(name, outer, backend="far")
    row(f"a backend beyond the gateway is reached through it by tunnel ({way})",
        *far.open(), counters=one(far), setup=tunnels(name, outer, ["far"]))
    row(f"a tunnel needs the MAC address of its next hop ({way})",
        burst(0, t.dropped("next_hop_unresolved")), resolve(B1, B1.address(outer)),
        burst(1, t.ask("S")),
        counters=one(t), setup=tunnels(name, outer, unresolved=[B1]))
    across = Tunnel(name, outer, source=OWN_1, backend="b3", own_out=OWN_1, out_port=1)
    row(f"a tunnel begins at the address of the port that its packets leave by ({way})",
        *across.open(), counters=one(across),
        setup=tunnels(name, outer, ["b3"], ports=(PORT_0, PORT_1)))

# --- the outer header of IPv4 --------------------------------------------------------------------

for kind in ("ipip", "gue"):
    t = Tunnel(f"{kind}4")
    row(f"what may be fragmented may be so in its tunnel, with a number of its own ({kind})",
        burst(0, t.ask("S", ip={"flags": 0, "id": 77}, outer_id=1),
              t.ask("A", ip={"flags": 0, "id": 78}, outer_id=2)),
        burst(1, t.ask("A"), t.ask("A", ip={"flags": 0}, outer_id=3)),
        counters=one(t), setup=tunnels(f"{kind}4", 4))
    row(f"two workers give tunnel packets numbers of their own ({kind})",
        burst(0, t.ask("S", ip={"flags": 0}, outer_id=2), t.ask("A", ip={"flags": 0}, outer_id=4)),
        burst(0, t.ask("A", ip={"flags": 0}, outer_id=3), t.ask("A", ip={"flags": 0}, outer_id=5),
              worker=1),
        counters=one(t) + one(t, worker=1),
        setup={**tunnels(f"{kind}4", 4), "workers": 2})
    row(f"IPv4 options travel inside ({kind})",
        burst(0, t.ask("S", ip={"options": b"\x01" * 40}), t.ask("A", ip={"options": b"\x01" * 4})),
        counters=one(t), setup=tunnels(f"{kind}4", 4))

TWO_ADDRESSES = {**PORT_0, "addresses": ["10.0.0.7/24", "fd00::7/64"] + PORT_0["addresses"]}
FIRST = Host(OWN.mac, "10.0.0.7", "fd00::7")
for kind, outer in (("ipip", 4), ("gue", 6)):
    t = Tunnel(f"{kind}4", outer, source=FIRST)
    row(f"of several own addresses the first of its family is a tunnel's source ({kind})",
        *t.open(), counters=one(t), setup=tunnels(f"{kind}4", outer, ports=(TWO_ADDRESSES,)))

# --- IPv6 and UDP --------------------------------------------------------------------------------

for outer in (4, 6):
    t = Tunnel("gue6", outer)
    EXTENDED = {hop: Ether(src=FAR.mac, dst=OWN.mac) /
                IPv6(src=FAR.ipv6, dst=t.vip[0], hlim=hop, fl=0xabcde) / IPv6ExtHdrDestOpt() /
                TCP(sport=40000, dport=80, flags="A") / b"data" for hop in (64, 63)}
    row(f"flow label and extension headers travel inside (GUE over IPv{outer})",
        burst(0, t.ask("S", ip={"fl": 0xabcde}), t.sent(EXTENDED[64], EXTENDED[63].payload)),
        counters=one(t), setup=tunnels("gue6", outer))
    dns = Tunnel("guedns4", outer)
    row(f"the configured port is that of the decapsulator (GUE over IPv{outer})",
        burst(0, dns.ask(payload=b"q", gue_port=6666)),
        counters=one(dns), setup=tunnels("guedns4", outer, gue_port=6666))
    row(f"a datagram without checksum inside leaves the outer one right (GUE over IPv{outer})",
        burst(0, dns.ask(payload=b"no checksum", l4={"chksum": 0}),
              dns.ask(payload=b"nor here", l4={"chksum": 0}), dns.ask(l4={"chksum": 0})),
        counters=one(dns), setup=tunnels("guedns4", outer))
    row(f"a datagram with bytes behind its UDP length leaves the outer one right (IPv{outer})",
        burst(0, dns.ask(payload=b"data, tail", l4={"len": 12, "chksum": 0})),
        counters=one(dns), setup=tunnels("guedns4", outer))
    t = Tunnel("gue4", outer)
    row(f"a jumbo frame is carried whole (GUE over IPv{outer})",
        burst(0, t.ask("A", payload=bytes(range(256)) * 30)),
        counters=one(t), setup=tunnels("gue4", outer, ports=(JUMBO_0,)))

# The outer UDP checksum of GUE over IPv6 covers what is inside; of whole segments and datagrams with
# a checksum of their own, the bytes need not be at hand for it.
for outer in (4, 6):
    t, dns = Tunnel("gue4", outer), Tunnel("guedns4", outer)
    JUMBO = tunnels("guedns4", outer, ports=(JUMBO_0,))
    EXTRA = 28 if outer == 4 else 48

    def beginning(whole, count=300, extra=EXTRA):
        """The first bytes of a frame, of which the rest lies elsewhere."""
        size = len(whole["in"]) // 2
        return {**whole, "in": whole["in"][:2 * count], "out": whole["out"][:2 * (count + extra)],
                "length": size, "out_length": size + extra}

    UNSUMMED = beginning(dns.ask(payload=bytes(3000), l4={"chksum": 0}))
    PIECE = beginning(Pieces(dns, (2000,), bytes(3000), ip={"flags": "DF+MF"}).ask(0))
    if outer == 4:
        row("a jumbo datagram without checksum, not all at hand, is carried (GUE over IPv4)",
            burst(0, UNSUMMED, PIECE), counters=one(dns), setup=JUMBO)
    else:
        row("what an outer checksum must cover and is not at hand is dropped (GUE over IPv6)",
            burst(0, *[frame(bytes.fromhex(f["in"]), "too_big", length=f["length"])
                       for f in (UNSUMMED, PIECE)]), counters=one(dns), setup=JUMBO)

# --- all ways of forwarding at once --------------------------------------------------------------

ALL = [Tunnel(n) for n in ("ipip4", "ipip6", "ipipdns4", "ipipdns6", "gue4", "gue6", "guedns4",
                           "guedns6")]
row("a burst for eight tunnels takes eight ways",
    burst(0, *[t.ask("S") for t in ALL]), burst(1, *[t.ask("A") for t in reversed(ALL)]),
    counters=[flows(t.name, live=1, new=1) for t in ALL])
row("two clients of a tunnel are two flows",
    burst(0, Tunnel("ipip6").ask("S"), Tunnel("ipip6", client=NEAR).ask("S")),
    counters=[flows("ipip6/b1", live=2, new=2)])
row("a tunnel's connection is re-homed where its service says so",
    *Tunnel("gue4").open(),
    snapshot(service("gue4", on_down="rehome", backends=[
        backend("b1", 4, 80, admission="down"), backend("b2", 6, 80)])),
    burst(1, Tunnel("gue4", 6, backend="b2").ask("A")),
    counters=[flows("gue4/b1", live=0, new=1), flows("gue4/b2", live=1, new=1)])
