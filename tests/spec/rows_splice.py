# Rows about spliced connections: from the SYN to the first request at its backend.
from network import NEAR
from row import beside, burst, flows, frame, released, row, spliced, tick, unjoined
from splice_talk import (FULL, FULL6, LINUX, OK, READING_WINDOW, ROOM, WINDOWS, Offer, Spliced,
                         get)
from talk import packet

PAGE = get()
N = len(PAGE)
ONE = [flows("page4/b1", live=1, new=1), spliced("page4", requests=1)]
WAITING = [flows("page4/b1", live=1, new=1, requests=0), spliced("page4", requests=1)]

# --- the SYN --------------------------------------------------------------------------------------

for version, name in (4, "page4"), (6, "page6"):
    row(f"IPv{version}: a SYN without options is answered by a cookie that keeps none",
        burst(0, Spliced(name).syn()))

for title, offer in [
        ("MSS, window scale and SACK as Linux offers them", LINUX),
        ("the window scale of Windows", WINDOWS),
        ("timestamps, and with them every option", FULL),
        ("timestamps without SACK and window scale", Offer(1460, timestamps=True, index=6)),
        ("nothing of an offer that is none of the usual", Offer(1460, 7))]:
    row(f"a SYN cookie keeps {title}", burst(0, Spliced(offer=offer).syn()))

row("IPv6: a SYN cookie keeps timestamps, and with them every option",
    burst(0, Spliced("page6", offer=FULL6).syn()))

row("the same SYN brings the same cookie for 64 seconds, then another",
    burst(0, Spliced().syn()), burst(63.9, Spliced().syn()),
    burst(64, Spliced(syn_at=64).syn()))

row("a SYN-ACK goes to the MAC address that the SYN came from",
    burst(0, Spliced(client=NEAR).syn()))

row("a SYN in a buffer without room for the longest answer is dropped",
    burst(0, frame(Spliced().from_client("S"), "no_buffer")))

# --- before the first data ------------------------------------------------------------------------

row("the acknowledgement that completes a handshake is dropped, and nothing is kept",
    burst(0, Spliced().syn()), burst(0, Spliced().takes("splice_handshake")))

row("an acknowledgement without a cookie is dropped",
    burst(0, Spliced().takes("no_flow", ack=1)))

stranger = Spliced()
row("data without a cookie is dropped, and reset when it keeps coming",
    burst(0, stranger.takes("no_flow", ack=9, payload=PAGE)),
    burst(0.4, stranger.takes("no_flow", ack=9, payload=PAGE)),
    burst(0.5, stranger.reset(stranger.from_client(ack=9, payload=PAGE), stranger.cookie + 10)))

row("a cookie with forged timestamp is refused",
    burst(0, Spliced(offer=FULL).takes("no_flow", payload=PAGE, ts=(0, 1 << 8))))

row("a cookie of the 64 seconds before counts",
    burst(127, Spliced().hold(PAGE), after=[Spliced().own_syn()]), counters=WAITING)

row("a cookie of longer ago does not count",
    burst(128, Spliced().takes("no_flow", payload=PAGE)))

row("a FIN without a request is answered by a FIN, and nothing is kept",
    burst(0, Spliced().reply("reply_finish", Spliced().from_client("FA"), flags="FA", ack=1,
                             window=READING_WINDOW)))

scaled = Spliced(offer=LINUX)
row("the window beside that FIN is in the units that the client agreed to",
    burst(0, scaled.reply("reply_finish", scaled.from_client("FA"), flags="FA", ack=1,
                          window=READING_WINDOW >> 7)))

row("a FIN without a cookie is dropped", burst(0, Spliced().takes("no_flow", flags="FA", ack=5)))

row("a reset before the first data is dropped", burst(0, Spliced().takes("no_flow", flags="R")))

damaged = bytearray(bytes(Spliced().from_client("PA", payload=PAGE)))
damaged[-1] ^= 1
row("the first data with a wrong checksum is dropped",
    burst(0, frame(bytes(damaged), "transport_bad_checksum", capacity=ROOM)))

piece = Spliced()
row("a fragment for a spliced service is dropped",
    burst(0, frame(packet((piece.client_mac, "02:00:00:00:00:01"),
                          (piece.client[0], piece.vip[0]), (40000, 80), "tcp", "PA", bytes(36),
                          ip={"flags": "MF"}), "splice_fragment", capacity=ROOM)))

# --- the first request ----------------------------------------------------------------------------

for title, name, offer, window in [
        ("a client without options", "page4", None, 8192), ("Linux", "page4", LINUX, 512),
        ("Windows", "page4", WINDOWS, 256), ("timestamps", "page4", FULL, 512),
        ("IPv6", "page6", None, 8192), ("IPv6 with timestamps", "page6", FULL6, 512)]:
    talk = Spliced(name, offer=offer, client_window=window,
                   server_window=29200 if window == 8192 else 502)
    row(f"{title}: the request waits for the backend, goes there, and the answer comes back",
        *talk.open(PAGE),
        burst(1, talk.down("PA", ack=N, payload=OK, ts=(3, 0))),
        burst(1, talk.up("A", at=N, ack=len(OK), ts=(4, 3))),
        counters=[flows(talk.name, live=1, new=1), spliced(name, requests=1)])

talk = Spliced()
row("both sides close, and after three seconds nothing is kept",
    *talk.open(PAGE),
    burst(1, talk.down("PA", ack=N, payload=OK)),
    burst(1, talk.up("FA", at=N, ack=len(OK))),
    burst(1, talk.down("FA", at=len(OK), ack=N + 1)),
    burst(1, talk.up("A", at=N + 1, ack=len(OK) + 1)),
    tick(3.9), tick(4.1),
    burst(4.2, talk.takes("no_flow", at=N + 1, ack=len(OK) + 1)),
    counters=[flows("page4/b1", live=0, new=1), spliced("page4", requests=1)])

row("a request that ends its side is held and passed with its FIN",
    burst(0, talk.hold(PAGE, flags="FPA"), after=[talk.own_syn()]),
    burst(0, talk.syn_ack(), after=[talk.own_ack(), talk.lets_go(PAGE, flags="FPA")]),
    burst(1, talk.down("FPA", ack=N + 1, payload=OK)),
    burst(1, talk.up("A", at=N + 1, ack=len(OK) + 1)), tick(4.2),
    counters=[flows("page4/b1", live=0, new=1), spliced("page4", requests=1)])

anew = Spliced(local_port=1025, isn=50_000)
row("a new connection from the same port takes the place of one that is over",
    *talk.open(PAGE), burst(1, talk.up("RA", at=N)), burst(1.1, anew.syn()),
    burst(1.1, anew.takes("splice_over")), burst(1.1, anew.hold(PAGE), after=[anew.own_syn()]),
    counters=[flows("page4/b1", live=1, new=2, requests=1), spliced("page4", requests=2)])

row("acknowledgements and FINs that come once more after both sides have closed pass",
    *talk.open(PAGE),
    burst(1, talk.down("PA", ack=N, payload=OK)),
    burst(1, talk.up("FA", at=N, ack=len(OK))),
    burst(1, talk.down("FA", at=len(OK), ack=N + 1)),
    burst(1, talk.up("A", at=N + 1, ack=len(OK) + 1)),
    burst(2, talk.down("FA", at=len(OK), ack=N + 1), talk.up("A", at=N + 1, ack=len(OK) + 1)),
    counters=ONE)

row("the request comes again while it waits: it is looked at once more, and waits on",
    burst(0, talk.hold(PAGE), after=[talk.own_syn()]),
    burst(0.2, talk.takes("splice_duplicate", flags="PA", payload=PAGE),
          after=[released(talk.hold(PAGE))]),
    counters=WAITING)

row("an acknowledgement while the backend has not answered tells nothing",
    burst(0, talk.hold(PAGE), after=[talk.own_syn()]),
    burst(0, talk.takes("splice_taken")), counters=WAITING)

row("a reset while the backend has not answered ends the connection",
    burst(0, talk.hold(PAGE), after=[talk.own_syn()]),
    burst(0, talk.takes("splice_taken", flags="R")),
    tick(0.1, beside("splice_over")), tick(0.7),
    counters=[flows("page4/b1", live=0, new=1, requests=0), spliced("page4", requests=1)])

# --- a head in pieces -----------------------------------------------------------------------------

CUT = 20


def pieces(talk, **fields):
    """A head in two segments: both are acknowledged, then the balancer delivers it."""
    return [burst(0, talk.reply("reply_acknowledge", talk.from_client("PA", payload=PAGE[:CUT]),
                                ack=CUT, window=READING_WINDOW - CUT)),
            burst(0, talk.reply("reply_acknowledge",
                                talk.from_client("PA", at=CUT, payload=PAGE[CUT:]),
                                ack=N, window=READING_WINDOW - N), after=[talk.own_syn()]),
            burst(0, talk.syn_ack(), after=[talk.own_up(flags="PA", payload=PAGE, **fields)])]


row("a head in pieces is acknowledged as it comes, and delivered by the balancer",
    *pieces(talk), burst(0.1, talk.down("PA", ack=N, payload=OK)), tick(1), counters=ONE)

row("what the balancer delivers is sent again after 200 ms, and then after 400",
    *pieces(talk), tick(0.19), tick(0.21, talk.own_up(flags="PA", payload=PAGE)), tick(0.6),
    tick(0.62, talk.own_up(flags="PA", payload=PAGE)),
    counters=[flows("page4/b1", live=1, new=1), spliced("page4", requests=1, resent=2)])

ask = talk.own_up(flags="PA", payload=PAGE)
row("when a backend acknowledges nothing of what it is sent six times more, both are reset",
    *pieces(talk), tick(0.3, ask), tick(0.8, ask), tick(2, ask), tick(4, ask), tick(8, ask),
    tick(15, ask),
    tick(29, talk.own_up(flags="RA", at=N), talk.own_down(flags="RA", ack=N,
                                                          window=READING_WINDOW - N)),
    tick(30), counters=[flows("page4/b1", live=0, new=1),
                        spliced("page4", requests=1, resent=6, lost=1)])

row("a piece that came before is acknowledged again",
    *pieces(talk)[:1],
    burst(0, talk.reply("reply_acknowledge", talk.from_client("PA", payload=PAGE[:CUT]), ack=CUT,
                        window=READING_WINDOW - CUT)),
    counters=[unjoined("page4")])

row("a piece beyond what is missing waits, and what is missing is told",
    *pieces(talk)[:1],
    burst(0, talk.hold(PAGE[30:], at=30),
          after=[talk.own_down(counted=False, ack=CUT, window=READING_WINDOW - CUT)]),
    counters=[unjoined("page4")])

row("while a head is read, a reset counts at the next number only",
    *pieces(talk)[:1],
    burst(0, talk.takes("splice_reset", flags="R", at=CUT + 1)),
    burst(0, talk.takes("splice_taken", flags="R", at=CUT)))

row("while a head is read, a SYN is dropped",
    *pieces(talk)[:1], burst(0, talk.takes("splice_acknowledgement", flags="S", at=CUT)),
    counters=[unjoined("page4")])

row("while a head is read, bare acknowledgements tell nothing",
    *pieces(talk)[:1], burst(0, talk.takes("splice_taken", at=CUT)),
    counters=[unjoined("page4")])
