# Rows about QUIC: a datagram goes to the backend that its connection ID names.
#
# Connection IDs are written by tests/system/quic_peer.py, which follows the draft alone.
import os
import sys

from icmp_talk import Error
from network import FAR, NEAR, backend, service, setup
from pieces import Pieces
from row import burst, flows, row, snapshot
from talk import Talk
from tunnel_talk import Tunnel

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "system"))
from quic_peer import encode  # noqa: E402 (the path above is needed first)

KEY = bytes.fromhex("8f95f09245765f80256934e50c66207f")
NAMES = ("dns4", "dns6", "directdns4", "directdns6", "guedns4")


class Layout:
    """How backends write their ids. `letters`: the server id of b1 is all of 0xb1, and so on."""

    def __init__(self, server_id_length=2, nonce_length=6, key=None, config_id=1):
        self.ids, self.nonces, self.key = server_id_length, nonce_length, key
        self.config = config_id

    def settings(self):
        return {"config_id": self.config, "server_id_length": self.ids,
                "nonce_length": self.nonces, "key": self.key.hex() if self.key else ""}

    def server_id(self, name):
        return bytes.fromhex(name) * self.ids

    def connection(self, name, number=0, **more):
        """A connection ID that leads to backend `name`."""
        nonce = bytes((number * 31 + i * 7) % 256 for i in range(self.nonces))
        return encode(self.config, self.key, self.server_id(name), nonce, **more)

    def service(self, name, admissions, **more):
        """`admissions`: (backend, admission) each."""
        version = 6 if name.endswith("6") else 4
        port = 5353 if name.startswith("dns") else 53
        return service(name, affinity="quic-cid", quic=self.settings(), **more, backends=[
            backend(b, version, port, admission=a, server_id=self.server_id(b).hex())
            for b, a in admissions])


def short(connection, rest=b"protected payload"):
    """A packet with a short header (RFC 9000 section 17.3.1)."""
    return b"\x41" + connection + rest


def long(connection, version=1, rest=b"protected payload"):
    """A packet with a long header (RFC 8999 section 5.1)."""
    return (b"\xc3" + version.to_bytes(4, "big") + bytes([len(connection)]) + connection +
            b"\x08clientid" + rest)


PLAIN = Layout()
BOTH = [("b1", "serving"), ("b2", "serving")]
# New flows go to b1; b2 is reached by name alone.
LEAVING = [("b1", "serving"), ("b2", "draining")]


def talk(name, b, n=0, client=FAR, local_port=None):
    kind = Tunnel if name.startswith("gue") else Talk
    return kind(name, client=client, client_port=40000 + n, backend=b,
                local_port=local_port or 1024 + n)


def one(name, b):
    return [flows(f"{name}/{b}", live=1, new=1)]


for name in NAMES:
    t1, t2 = talk(name, "b1"), talk(name, "b2")
    row(f"a short header leads to the backend that its connection ID names ({name})",
        burst(0, t1.ask(payload=short(PLAIN.connection("b1")))),
        burst(0, talk(name, "b2", 1).ask(payload=short(PLAIN.connection("b2")))),
        counters=[flows(f"{name}/b1", 1, 1), flows(f"{name}/b2", 1, 1)],
        setup=setup([PLAIN.service(name, BOTH)]))
    row(f"a long header leads to the backend that its connection ID names ({name})",
        burst(0, t2.ask(payload=long(PLAIN.connection("b2"))),
              t2.ask(payload=long(PLAIN.connection("b2", 5), version=0x6b3343cf))),
        counters=one(name, "b2"), setup=setup([PLAIN.service(name, BOTH)]))
    row(f"a draining backend still gets the packets of its connections ({name})",
        burst(0, t2.ask(payload=short(PLAIN.connection("b2")))),
        counters=one(name, "b2"), setup=setup([PLAIN.service(name, LEAVING)]))
    row(f"a backend that is down is not reached by name ({name})",
        burst(0, t1.ask(payload=short(PLAIN.connection("b2")))),
        counters=one(name, "b1"),
        setup=setup([PLAIN.service(name, [("b1", "serving"), ("b2", "down")])]))
    row(f"a server id that nobody has leaves the choice to the table ({name})",
        burst(0, t1.ask(payload=short(PLAIN.connection("b3")))),
        counters=one(name, "b1"), setup=setup([PLAIN.service(name, LEAVING)]))
    row(f"a client that changes its address reaches its connection's backend ({name})",
        burst(0, t2.ask(payload=long(PLAIN.connection("b2")))),
        burst(1, talk(name, "b2", 1).ask(payload=short(PLAIN.connection("b2", 1)))),
        burst(2, talk(name, "b2", 2, NEAR).ask(payload=short(PLAIN.connection("b2", 2)))),
        counters=[flows(f"{name}/b2", live=3, new=3)],
        setup=setup([PLAIN.service(name, LEAVING)]))
    row(f"a client's ports that another connection uses now go to that one's backend ({name})",
        burst(0, t1.ask(payload=short(PLAIN.connection("b1")))),
        burst(1, talk(name, "b2", local_port=1025).ask(payload=short(PLAIN.connection("b2")))),
        burst(2, talk(name, "b2", local_port=1025).ask(payload=short(PLAIN.connection("b2", 3)))),
        counters=[flows(f"{name}/b1", live=0, new=1), flows(f"{name}/b2", live=1, new=1)],
        setup=setup([PLAIN.service(name, BOTH)]))
    row(f"a known flow stays where it is when its connection IDs say nothing ({name})",
        burst(0, t2.ask(payload=short(PLAIN.connection("b2")))),
        burst(1, *[t2.ask(payload=p) for p in (b"", b"\x41", short(PLAIN.connection("b3")),
                                               long(b""), long(bytes(20)))]),
        counters=one(name, "b2"), setup=setup([PLAIN.service(name, LEAVING)]))
    row(f"a connection whose backend goes down begins anew at another ({name})",
        burst(0, t2.ask(payload=short(PLAIN.connection("b2")))),
        snapshot(PLAIN.service(name, [("b1", "serving"), ("b2", "down")])),
        burst(1, talk(name, "b1", local_port=1025).ask(payload=short(PLAIN.connection("b2")))),
        counters=[flows(f"{name}/b2", live=0, new=1), flows(f"{name}/b1", live=1, new=1)],
        setup=setup([PLAIN.service(name, BOTH)]))

# --- encrypted connection IDs --------------------------------------------------------------------

LAYOUTS = [Layout(i, n, KEY, c) for i, n, c in
           ((2, 6, 0), (3, 4, 6), (8, 8, 2), (1, 18, 3), (15, 4, 4), (4, 5, 5), (1, 4, 1),
            (10, 9, 1), (9, 8, 1))]
for layout in LAYOUTS:
    what = f"{layout.ids} bytes of server id, {layout.nonces} of nonce"
    row(f"an encrypted connection ID leads to its backend ({what})",
        *[burst(n, talk("directdns4", b, n).ask(payload=form(layout.connection(b, n))))
          for n, (b, form) in enumerate((("b2", short), ("b1", long), ("b1", short), ("b2", long),
                                         ("b2", short)))],
        counters=[flows("directdns4/b1", live=2, new=2), flows("directdns4/b2", live=3, new=3)],
        setup=setup([layout.service("directdns4", BOTH)]))
    row(f"a connection ID encrypted with another key leads nowhere ({what})",
        burst(0, talk("dns6", "b1").ask(payload=short(Layout(
            layout.ids, layout.nonces, KEY[::-1], layout.config).connection("b2", 9)))),
        counters=one("dns6", "b1"), setup=setup([layout.service("dns6", LEAVING)]))

# --- connection IDs that say nothing -------------------------------------------------------------

NOTHING = {
    "is of another configuration": short(Layout(config_id=2).connection("b2")),
    "says that it leads nowhere": short(b"\xe1" + PLAIN.connection("b2")[1:]),
    "is longer than the packet": short(PLAIN.connection("b2")[:-1], rest=b""),
    "is empty": long(b""),
    "is too short": long(PLAIN.connection("b2")[:-1]),
    "is longer than its long header": long(PLAIN.connection("b2"))[:10],
    "lacks its length": long(b"")[:5],
}
for what, payload in NOTHING.items():
    row(f"a connection ID that {what} leaves the choice to the table",
        burst(0, talk("dns4", "b1").ask(payload=payload)), counters=one("dns4", "b1"),
        setup=setup([PLAIN.service("dns4", LEAVING)]))
row("a datagram without payload leaves the choice to the table",
    burst(0, talk("dns4", "b1").ask()), counters=one("dns4", "b1"),
    setup=setup([PLAIN.service("dns4", LEAVING)]))
row("a connection ID that ends with its packet, and one with bytes to spare, lead to their backend",
    burst(0, talk("dns4", "b2").ask(payload=short(PLAIN.connection("b2"), rest=b"")),
          talk("dns4", "b2", 1).ask(payload=long(PLAIN.connection("b2") + b"more"))),
    counters=[flows("dns4/b2", live=2, new=2)], setup=setup([PLAIN.service("dns4", LEAVING)]))
row("the first octet's lower bits say nothing",
    burst(0, *[talk("directdns4", "b2", n).ask(payload=short(
        PLAIN.connection("b2", n, random_bits=n))) for n in range(32)]),
    counters=[flows("directdns4/b2", live=32, new=32)],
    setup=setup([PLAIN.service("directdns4", LEAVING)]))
row("a connection ID of which a part is not at hand leaves the choice to the table",
    burst(0, {**{k: v[:2 * 50] if k in ("in", "out") else v for k, v in talk(
        "directdns4", "b1").ask(payload=short(PLAIN.connection("b2"))).items()},
              "length": 42 + 9 + 18}),
    counters=one("directdns4", "b1"), setup=setup([PLAIN.service("directdns4", LEAVING)]))

# --- other parts of the service ------------------------------------------------------------------

row("connections that exist are no new flows: no limit keeps them away",
    burst(0, talk("dns4", "b1").ask(payload=long(PLAIN.connection("b3"))),
          talk("dns4", "b1", 1).dropped("source_rate_exceeded", payload=long(bytes(8))),
          talk("dns4", "b1", 2, NEAR).dropped("service_full", payload=long(bytes(8))),
          talk("dns4", "b2", 3, local_port=1025).ask(payload=short(PLAIN.connection("b2"))),
          talk("dns4", "b1", 4, local_port=1026).ask(payload=short(PLAIN.connection("b1")))),
    counters=[flows("dns4/b1", live=2, new=2), flows("dns4/b2", live=1, new=1)],
    setup=setup([PLAIN.service("dns4", BOTH[:1] + LEAVING[1:], protection={
        "max_flows": 1, "source_rate": {"per_second": 1, "burst": 1}})]))
row("the first piece of a datagram shows its connection ID, and the others follow",
    burst(0, *[Pieces(talk("dns4", "b2"), (64,), short(PLAIN.connection("b2"), bytes(100))).ask(n)
               for n in (0, 1)]),
    counters=one("dns4", "b2"), setup=setup([PLAIN.service("dns4", LEAVING)]))
row("an error about a connection's packet reaches the backend of its flow",
    burst(0, talk("dns4", "b2").ask(payload=short(PLAIN.connection("b2")))),
    burst(1, Error(talk("dns4", "b2")).ask(payload=short(bytes(8)))),
    counters=one("dns4", "b2"), setup=setup([PLAIN.service("dns4", LEAVING)]))
row("an answer's connection ID is the client's own and leads nowhere",
    burst(0, talk("dns4", "b1").ask(payload=short(PLAIN.connection("b1")))),
    burst(1, talk("dns4", "b1").answer(payload=short(PLAIN.connection("b2")))),
    counters=one("dns4", "b1"), setup=setup([PLAIN.service("dns4", BOTH)]))
row("the table of server ids follows the backends",
    burst(0, talk("directdns4", "b1").ask(payload=short(PLAIN.connection("b2")))),
    snapshot(PLAIN.service("directdns4", LEAVING)),
    burst(1, talk("directdns4", "b2").ask(payload=short(PLAIN.connection("b2")))),
    counters=[flows("directdns4/b1", live=0, new=1), flows("directdns4/b2", live=1, new=1)],
    setup=setup([PLAIN.service("directdns4", LEAVING[:1])]))
row("two packets of a connection that moves, in one burst, open one flow",
    burst(0, *[talk("dns4", "b2").ask(payload=short(PLAIN.connection("b2", n))) for n in (1, 2)]),
    counters=one("dns4", "b2"), setup=setup([PLAIN.service("dns4", LEAVING)]))
