# Rows about clients with timestamps whose backend has none: the balancer makes them.
from network import backend, service, setup
from row import beside, burst, flows, frame, local_ports, row, spliced
from splice_talk import FULL, FULL6, OK, ROOM, Offer, Spliced, get, session

PAGE = get()
N, M = len(PAGE), len(OK)
ONE = [flows("page4/b1", live=1, new=1), spliced("page4", requests=1)]


def without(name="page4", offer=FULL, **more):
    """Both windows are scaled by 7; the backend does not agree to timestamps."""
    return Spliced(name, offer=offer, client_window=512, server_window=502, stamps=False, **more)


for title, name, offer in ("", "page4", FULL), ("IPv6: ", "page6", FULL6):
    talk = without(name, offer)
    row(f"{title}segments of a backend without timestamps get those of the balancer's clock",
        *talk.open(PAGE),
        burst(1, talk.down("PA", ack=N, payload=OK, ts=(1000, 0))),
        burst(1.5, talk.up("A", at=N, ack=M, ts=(1490, 1000))),
        burst(2, talk.down("A", at=M, ack=N, ts=(2000, 1490))),
        burst(3, talk.down("FA", at=M, ack=N, ts=(3000, 1490))),
        counters=[flows(talk.name, live=1, new=1), spliced(name, requests=1)])

talk = without()
row("a backend that sends timestamps though it has not agreed to any is not believed",
    *talk.open(PAGE),
    burst(1, frame(Spliced(offer=FULL, server_window=502).from_backend(
        "PA", ack=N, payload=OK, ts=(77777, 7)), "return_splice",
        talk.to_client("PA", ack=N, payload=OK, ts=(1000, 0)), backend=talk.name, capacity=ROOM)),
    counters=ONE)

post = get("/").replace(b"GET", b"POST")[:-2] + b"Content-Length: 90000\r\n\r\n"
P = len(post)
gaps = [(P + 1000 * n, P + 1000 * n + 500) for n in range(1, 5)]
bodies = [talk.up("A", at=P + 1000 * n, payload=bytes(500)) for n in range(1, 5)]
row("beside timestamps that the balancer adds three blocks of selective acknowledgements have room",
    *talk.open(post), burst(0, *bodies),
    *[burst(1, talk.down("A", ack=P, sack=gaps[:blocks], ts=(1000, 0),
                         out={"sack": gaps[:min(blocks, 3)]})) for blocks in range(1, 5)],
    counters=ONE)

# --- room -----------------------------------------------------------------------------------------

LONG = b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n"


def in_two(talk, length, room, at=0):
    """A full segment of the backend, and the two that it becomes."""
    whole = (LONG + bytes(length))[:length]
    return burst(1, frame(talk.from_backend("A", at=at, ack=N, payload=whole), "return_splice",
                          talk.to_client("A", at=at + room, ack=N, payload=whole[room:],
                                         ts=(1000, 0)), backend=talk.name, capacity=ROOM),
                 after=[beside("return_splice", talk.to_client("A", at=at, ack=N,
                                                               payload=whole[:room],
                                                               ts=(1000, 0)), backend=talk.name)])


again = without(client_port=40001, local_port=1025)
row("a full segment that timestamps make too long leaves in two, and the next SYN to that backend "
    "asks for shorter ones",
    *talk.open(PAGE), in_two(talk, 1460, 1448),
    burst(2, again.hold(PAGE), after=[again.own_syn(mss=1448)]),
    burst(2, again.syn_ack(), after=[again.own_ack(), again.lets_go(PAGE)]),
    counters=[flows("page4/b1", live=2, new=2), spliced("page4", requests=2)])

small = without(offer=Offer(1400, 7, True, True, index=4, kept_mss=1400, kept_scale=7,
                            kept_sack=True))
row("a segment as long as the client takes leaves in two, though the port has room for more",
    *small.open(PAGE), in_two(small, 1400, 1388), counters=ONE)

agrees = Spliced(offer=FULL, client_window=512, server_window=502, client_port=40001,
                 local_port=1025)
third = Spliced(offer=FULL, client_window=512, client_port=40002, local_port=1026)
row("when a backend agrees to timestamps, the next SYN to it asks for whole segments again",
    *talk.open(PAGE),
    burst(2, agrees.hold(PAGE), after=[agrees.own_syn(mss=1448)]),
    burst(2, agrees.syn_ack(), after=[agrees.own_ack(), agrees.lets_go(PAGE)]),
    burst(2, third.hold(PAGE), after=[third.own_syn()]),
    counters=[flows("page4/b1", live=3, new=3, requests=2), spliced("page4", requests=3)])

# --- another home ---------------------------------------------------------------------------------

two = setup([service("page4", affinity="cookie",
                     backends=[backend("b1", 4, 8080), backend("b2", 4, 8080)])])
asks = [get("/", f"Cookie: hawser={session(backend=name)}") for name in ("b1", "b2")]
A = len(asks[0])
stamped = Spliced(offer=FULL, client_window=512, server_window=502)
plain = without(backend="b2", local_port=1025, server_isn=40_000_000)
plain.down_shift = M
row("times go on where those of the backend before have ended",
    *stamped.open(asks[0]),
    burst(1, stamped.down("PA", ack=A, payload=OK, ts=(50, 0))),
    burst(1, stamped.up("A", at=A, ack=M, ts=(990, 50))),
    burst(1, stamped.takes("hold_request", flags="PA", at=A, ack=M, payload=asks[1], ts=(1000, 50)),
          after=[stamped.own_up(flags="FA", at=A, ack=M, ts=(1000, 50)),
                 plain.own_syn(at=A, time=1000)]),
    burst(1, plain.syn_ack(at=A), after=[plain.own_ack(at=A), plain.lets_go(asks[1], at=A)]),
    burst(3, plain.down("PA", ack=2 * A, payload=OK, ts=(2050, 1000))),
    setup=two,
    counters=[flows("page4/b1", live=0, new=1), flows("page4/b2", live=1, new=1), local_ports(1),
              spliced("page4", requests=2, sessions_kept=2, resplices=1)])
