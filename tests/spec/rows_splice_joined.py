# Rows about spliced connections that are joined: numbers, windows, insertions, defences.
import socket
import struct

from icmp_talk import TOO_BIG, UNREACHABLE, error, part_of
from network import FAR, OWN, ROUTER, service, setup
from row import beside, burst, flows, frame, hexed, released, row, spliced, tick
from splice_talk import FULL, LINUX, OK, READING_WINDOW, ROOM, WINDOWS, Spliced, answer, get

PAGE = get()
N, M = len(PAGE), len(OK)
ONE = [flows("page4/b1", live=1, new=1), spliced("page4", requests=1)]
TWO = [flows("page4/b1", live=1, new=1, requests=2), spliced("page4", requests=2)]
talk = Spliced()


def page(**changes):
    return setup([service("page4", **changes)])


# --- numbers and windows --------------------------------------------------------------------------

sack = Spliced(offer=LINUX, client_window=512, server_window=502)
BODY = b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n"
row("selective acknowledgements are translated, edge by edge",
    *sack.open(PAGE),
    burst(1, sack.down("A", ack=N, payload=BODY)),
    burst(1, sack.down("A", at=len(BODY) + 300, ack=N, payload=bytes(300))),
    burst(1, sack.up("A", at=N, ack=len(BODY), sack=[(len(BODY) + 300, len(BODY) + 600)])),
    counters=ONE)

wrapping = Spliced(server_isn=2**32 - 3)
row("numbers of the backend may wrap", *wrapping.open(PAGE),
    burst(1, wrapping.down("PA", ack=N, payload=OK)),
    burst(1, wrapping.up("A", at=N, ack=M)), counters=ONE)

wrapping = Spliced(isn=2**32 - 20)
row("numbers of the client may wrap in the middle of its request", *wrapping.open(PAGE),
    burst(1, wrapping.down("PA", ack=N, payload=OK)),
    burst(1, wrapping.up("PA", at=N, ack=M, payload=PAGE)), counters=TWO)

scaled = Spliced(offer=WINDOWS, client_window=256, server_window=2036)
row("windows are translated between scales that differ",
    *scaled.open(PAGE, scale=5),
    burst(1, scaled.down("PA", ack=N, payload=OK, out={"window": 2036 >> 2})),
    burst(1, scaled.up("A", at=N, ack=M)), counters=ONE)

unscaled = Spliced(offer=LINUX, client_window=512, scales=False)
row("a backend that scales no windows is told unscaled ones",
    burst(0, unscaled.hold(PAGE), after=[unscaled.own_syn()]),
    burst(0, unscaled.syn_ack(), after=[unscaled.own_ack(),
                                        unscaled.lets_go(PAGE, out={"window": 65535})]),
    burst(1, unscaled.down("PA", ack=N, payload=OK, window=29312, out={"window": 29312 >> 7})),
    counters=ONE)

row("the right edge of a window never moves back",
    *talk.open(PAGE),
    burst(1, talk.down("PA", ack=N, payload=OK),
          talk.down("A", at=M, ack=N, window=100, out={"window": 29200})),
    burst(1, talk.up("A", at=N, ack=M, window=100, out={"window": 8192 - M})),
    counters=ONE)

row("timestamps of the backend go on from those of the SYN-ACK",
    *Spliced(offer=FULL, client_window=512, server_window=502).open(PAGE),
    burst(1, Spliced(offer=FULL, server_window=502).down("PA", ack=N, payload=OK, ts=(1000, 0))),
    burst(1, Spliced(offer=FULL, client_window=512).up("A", at=N, ack=M, ts=(990, 1000))),
    counters=ONE)

row("a response in several segments passes, and so does its retransmission",
    *talk.open(PAGE),
    burst(1, talk.down("A", ack=N, payload=BODY + bytes(400)),
          talk.down("A", at=len(BODY) + 400, ack=N, payload=bytes(500)),
          talk.down("A", ack=N, payload=BODY + bytes(400))),
    counters=ONE)

row("the next request goes to the same backend, when the response before has begun",
    *talk.open(PAGE),
    burst(1, talk.hold(PAGE, at=N)),
    burst(1, talk.down("PA", ack=N, payload=OK), after=[released(talk.up("PA", N, 0, PAGE))]),
    counters=TWO)

post = get("/").replace(b"GET", b"POST")[:-2] + b"Content-Length: 700\r\n\r\n"
row("a request's body passes unread, even before what lies between has come",
    *talk.open(post),
    burst(1, talk.up("A", at=len(post) + 500, payload=bytes(200)),
          talk.up("A", at=len(post), payload=bytes(500))),
    counters=ONE)

row("a segment that is longer than its backend takes leaves in two",
    *talk.open(post, mss=536),
    burst(1, frame(talk.from_client("PA", at=len(post), payload=bytes(700)), "forward_splice",
                   talk.to_backend("PA", at=len(post) + 536, payload=bytes(164)),
                   backend="page4/b1", capacity=ROOM),
          after=[beside("forward_splice",
                        talk.to_backend("A", at=len(post), payload=bytes(536)), way="in",
                        backend="page4/b1")]),
    counters=ONE)

chunked = get("/", "Transfer-Encoding: chunked").replace(b"GET", b"POST")
C = len(chunked)
CHUNKS = b"3\r\nabc\r\n0\r\n\r\n"
row("chunks pass as they come, and what overtakes one waits for it",
    *talk.open(chunked),
    burst(1, talk.hold(CHUNKS[4:], at=C + 4), after=[talk.own_down(window=READING_WINDOW)]),
    burst(1, talk.up("A", at=C, payload=CHUNKS[:4]),
          after=[released(talk.up("PA", at=C + 4, payload=CHUNKS[4:]))]),
    burst(1, talk.down("PA", ack=C + len(CHUNKS), payload=OK)), counters=ONE)

kept = [(C + 4, C + len(CHUNKS))]
row("a client that agreed to selective acknowledgements learns what is kept meanwhile",
    *sack.open(chunked),
    burst(1, sack.hold(CHUNKS[4:], at=C + 4), after=[sack.own_down(window=128, sack=kept)]),
    burst(1, sack.up("A", at=C, payload=CHUNKS[:4]),
          after=[released(sack.up("PA", at=C + 4, payload=CHUNKS[4:]))]), counters=ONE)

SIZED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
Z = len(SIZED)
overtaken = sack.server_takes("hold_request", flags="PA", at=Z + 4, ack=N, payload=CHUNKS[4:])
for agrees, blocks in (True, [(Z + 4, Z + len(CHUNKS))]), (False, []):
    row(f"a backend that agreed to selective acknowledgements learns what is kept: {agrees}",
        *sack.open(PAGE, sack=agrees), burst(1, sack.down("A", ack=N, payload=SIZED)),
        burst(1, overtaken, after=[sack.own_up(at=N, sack=blocks)]),
        burst(1, sack.down("A", at=Z, ack=N, payload=CHUNKS[:4]),
              after=[released(sack.down("PA", at=Z + 4, ack=N, payload=CHUNKS[4:]))]),
        counters=ONE)

CLOSING = b"HTTP/1.0 200 OK\r\n\r\nabc"
K = len(CLOSING)
row("a response that ends with its connection passes to its end",
    *talk.open(PAGE), burst(1, talk.down("A", ack=N, payload=CLOSING)),
    burst(1, talk.down("FA", at=K, ack=N, payload=b"def")),
    burst(1, talk.up("FA", at=N, ack=K + 4)), burst(1, talk.down("A", at=K + 4, ack=N + 1)),
    tick(4.2), counters=[flows("page4/b1", live=0, new=1), spliced("page4", requests=1)])

row("a response's head in pieces is acknowledged, and its begin delivered by the balancer",
    *talk.open(PAGE),
    burst(1, frame(talk.from_backend("PA", ack=N, payload=OK[:10]), "reply_acknowledge",
                   talk.to_backend("A", at=N, ack=10, window=READING_WINDOW - 10, own=True, ttl=64),
                   capacity=ROOM)),
    burst(1, talk.down("PA", at=10, ack=N, payload=OK[10:], out={"at": M - 2, "payload": b"ok"}),
          after=[talk.own_down(flags="PA", ack=N, window=READING_WINDOW - N, payload=OK[:-2])]),
    burst(1, talk.up("A", at=N, ack=M, out={"window": READING_WINDOW - M})), tick(2),
    counters=ONE)

HEAD = OK[:-2]
row("of a response's head in pieces the last is acknowledged, and sent once only",
    *talk.open(PAGE),
    burst(1, frame(talk.from_backend("PA", ack=N, payload=HEAD[:10]), "reply_acknowledge",
                   talk.to_backend("A", at=N, ack=10, window=READING_WINDOW - 10, own=True, ttl=64),
                   capacity=ROOM)),
    burst(1, frame(talk.from_backend("PA", at=10, ack=N, payload=HEAD[10:]), "reply_acknowledge",
                   talk.to_backend("A", at=N, ack=M - 2, window=READING_WINDOW - M + 2, own=True,
                                   ttl=64), capacity=ROOM),
          after=[talk.own_down(flags="PA", ack=N, window=READING_WINDOW - N, payload=HEAD)]),
    burst(1, talk.down("PA", at=M - 2, ack=N, payload=b"ok")),
    burst(1, talk.up("A", at=N, ack=M, out={"window": READING_WINDOW - M})), tick(2),
    counters=ONE)

row("of pipelined requests in one segment each is sent once, in its turn",
    burst(0, talk.hold(PAGE + PAGE), after=[talk.own_syn()]),
    burst(0, talk.syn_ack(),
          after=[talk.own_ack(), released(talk.hold(PAGE + PAGE)),
                 beside("forward_splice", talk.to_backend("PA", payload=PAGE), backend=talk.name),
                 released(talk.hold(PAGE, at=N))]),
    burst(1, talk.down("PA", ack=N, payload=OK),
          after=[{"verdict": "forward_splice", "out_port": 0, "backend": talk.name,
                  "out": hexed(talk.to_backend("PA", at=N, payload=PAGE))}]),
    burst(1, talk.down("PA", at=M, ack=2 * N, payload=OK)), counters=TWO)

row("a request's last piece with the next request behind: each byte is sent once",
    burst(0, talk.reply("reply_acknowledge", talk.from_client("PA", payload=PAGE[:9]), ack=9,
                        window=READING_WINDOW - 9)),
    burst(0, talk.hold(PAGE[9:] + PAGE, at=9),
          after=[talk.own_syn(), talk.own_down(ack=N, window=READING_WINDOW - N)]),
    burst(0, talk.syn_ack(), after=[talk.own_up(flags="PA", payload=PAGE),
                                    released(talk.hold(PAGE, at=N))]),
    burst(1, talk.down("PA", ack=N, payload=OK),
          after=[{"verdict": "forward_splice", "out_port": 0, "backend": talk.name,
                  "out": hexed(talk.to_backend("PA", at=N, payload=PAGE))}]),
    counters=TWO)

upgrade = get("/", "Connection: upgrade", "Upgrade: websocket")
SWITCH = (b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n"
          b"Upgrade: websocket\r\n\r\n")
row("after 101 everything passes unread",
    *talk.open(upgrade),
    burst(1, talk.down("PA", ack=len(upgrade), payload=SWITCH)),
    burst(1, talk.up("PA", at=len(upgrade), ack=len(SWITCH), payload=b"\x81\x00\x00\xff"),
          talk.down("PA", at=len(SWITCH), ack=len(upgrade), payload=b"GET nothing")),
    counters=[flows("page4/b1", live=1, new=1), spliced("page4", requests=1, tunnels=1)])

row("what passes unread passes in any order, and a FIN before what it follows",
    *talk.open(upgrade),
    burst(1, talk.down("PA", ack=len(upgrade), payload=SWITCH)),
    burst(1, talk.down("PA", at=len(SWITCH) + 5, ack=len(upgrade), payload=b"later"),
          talk.down("FA", at=len(SWITCH) + 10, ack=len(upgrade)),
          talk.down("A", at=len(SWITCH), ack=len(upgrade), payload=b"first")),
    burst(1, talk.up("FA", at=len(upgrade) + 3, ack=len(SWITCH) + 11, payload=b"too"),
          talk.up("A", at=len(upgrade), ack=len(SWITCH) + 11, payload=b"abc")),
    burst(1, talk.down("A", at=len(SWITCH) + 11, ack=len(upgrade) + 7)), tick(4.2),
    counters=[flows("page4/b1", live=0, new=1), spliced("page4", requests=1, tunnels=1)])

row("502 for a response that is malformed",
    *talk.open(PAGE),
    burst(1, talk.server_takes("splice_taken", flags="PA", ack=N, payload=b"what?\r\n\r\n"),
          after=[talk.own_up(flags="RA", at=N),
                 talk.own_down(counted=False, flags="FPA", ack=N, window=READING_WINDOW - N,
                               payload=answer(502, "Bad Gateway"))]),
    counters=[flows("page4/b1", live=0, new=1), (0, {"flows_ipv4": 1}),
              spliced("page4", requests=1, refused_bad_response=1, fault_not_http=1)])

# --- insertions -----------------------------------------------------------------------------------

LINE = f"X-Forwarded-For: {FAR.ipv4}\r\n".encode()
FIRST = PAGE.index(b"\n") + 1
FORWARDED = PAGE[:FIRST] + LINE + PAGE[FIRST:]
L = len(LINE)
forwarded = page(client_address="x-forwarded-for")
row("X-Forwarded-For is inserted behind the request line, and numbers shift behind it",
    *talk.open(PAGE, out={"payload": FORWARDED}),
    burst(1, talk.down("PA", ack=N + L, payload=OK, out={"ack": N})),
    burst(1, talk.up("A", at=N, ack=M, out={"at": N + L})),
    setup=forwarded,
    counters=[flows("page4/b1", live=1, new=1), spliced("page4", requests=1, edits=1)])

row("each request gets its own X-Forwarded-For, and its retransmission the same bytes",
    *talk.open(PAGE, out={"payload": FORWARDED}),
    burst(1, talk.down("PA", ack=N + L, payload=OK, out={"ack": N})),
    burst(1, talk.up("PA", at=N, ack=M, payload=PAGE, out={"at": N + L, "payload": FORWARDED}),
          talk.up("PA", at=N, ack=M, payload=PAGE, out={"at": N + L, "payload": FORWARDED})),
    burst(1, talk.down("PA", at=M, ack=2 * (N + L), payload=OK, out={"ack": 2 * N})),
    setup=forwarded,
    counters=[flows("page4/b1", live=1, new=1, requests=2), spliced("page4", requests=2, edits=2)])

long = get("/" + "a" * 490)
B, CRLF = len(long), long.index(b"\n") + 1
longer = long[:CRLF] + LINE + long[CRLF:]
row("a request that X-Forwarded-For makes too long leaves in two segments, the FIN behind",
    burst(0, talk.hold(long, flags="FPA"), after=[talk.own_syn()]),
    burst(0, talk.syn_ack(mss=536),
          after=[talk.own_ack(),
                 released(talk.up("FPA", payload=long, out={"at": 536, "payload": longer[536:]})),
                 beside("forward_splice", talk.to_backend("A", payload=longer[:536]),
                        backend=talk.name)]),
    burst(1, talk.down("FPA", ack=B + L + 1, payload=OK, out={"ack": B + 1})),
    burst(1, talk.up("A", at=B + 1, ack=M + 1, out={"at": B + L + 1})), setup=forwarded,
    counters=[flows("page4/b1", live=1, new=1), spliced("page4", requests=1, edits=1)])

row("X-Forwarded-For is inserted into a head that came in pieces",
    burst(0, talk.reply("reply_acknowledge", talk.from_client("PA", payload=PAGE[:9]), ack=9,
                        window=READING_WINDOW - 9)),
    burst(0, talk.reply("reply_acknowledge", talk.from_client("PA", at=9, payload=PAGE[9:]),
                        ack=N, window=READING_WINDOW - N), after=[talk.own_syn()]),
    burst(0, talk.syn_ack(), after=[talk.own_up(flags="PA", payload=FORWARDED)]),
    burst(0.1, talk.down("PA", ack=N + L, payload=OK, out={"ack": N})),
    burst(0.1, talk.up("A", at=N, ack=M, out={"at": N + L})), tick(2), setup=forwarded,
    counters=[flows("page4/b1", live=1, new=1), spliced("page4", requests=1, edits=1)])

chained = get("/", "X-Forwarded-For: 203.0.113.1", "Accept: */*")
row("an X-Forwarded-For of the client's own is kept and appended to",
    *talk.open(chained, out={"payload": chained.replace(
        b"203.0.113.1", f"203.0.113.1, {FAR.ipv4}".encode())}),
    setup=forwarded,
    counters=[flows("page4/b1", live=1, new=1), spliced("page4", requests=1, edits=1)])


def proxy_header(version, source, destination, ports):
    family, code = ((socket.AF_INET, 0x11) if version == 4 else (socket.AF_INET6, 0x21))
    addresses = socket.inet_pton(family, source) + socket.inet_pton(family, destination)
    return (b"\r\n\r\n\0\r\nQUIT\n" + bytes([0x21, code]) +
            struct.pack(">H", len(addresses) + 4) + addresses + struct.pack(">HH", *ports))


for name, size in ("page4", 28), ("page6", 52):
    told = Spliced(name, prelude=size)
    text = proxy_header(told.version, told.client[0], told.vip[0], (told.client[1], told.vip[1]))
    started = [burst(0, told.hold(PAGE), after=[told.own_syn()]),
               burst(0, told.syn_ack(), after=[told.own_up(flags="PA", at=-size, payload=text),
                                               told.lets_go(PAGE)])]
    kept = setup([service(name, client_address="proxy-v2")])
    once = [flows(told.name, live=1, new=1), spliced(name, requests=1)]
    row(f"IPv{told.version}: a PROXY header goes before the request, which keeps its numbers",
        *started, burst(0.1, told.down("PA", ack=N, payload=OK)), tick(1), setup=kept,
        counters=once)
    row(f"IPv{told.version}: an acknowledgement of the PROXY header alone is not the client's",
        *started, burst(0.1, told.server_takes("splice_taken", ack=-1)), setup=kept,
        counters=once)
    row(f"IPv{told.version}: a PROXY header is sent again until it is acknowledged",
        *started, tick(0.21, told.own_up(flags="PA", at=-size, payload=text)),
        burst(0.3, told.down("PA", ack=N, payload=OK)), tick(2), setup=kept,
        counters=[once[0], spliced(name, requests=1, resent=1)])

told = Spliced(prelude=28)
HEADER = proxy_header(4, told.client[0], told.vip[0], (told.client[1], told.vip[1]))
row("a PROXY header and a head in pieces go together, and what is missing of them again",
    burst(0, told.reply("reply_acknowledge", told.from_client("PA", payload=PAGE[:9]), ack=9,
                        window=READING_WINDOW - 9)),
    burst(0, told.reply("reply_acknowledge", told.from_client("PA", at=9, payload=PAGE[9:]),
                        ack=N, window=READING_WINDOW - N), after=[told.own_syn()]),
    burst(0, told.syn_ack(), after=[told.own_up(flags="PA", at=-28, payload=HEADER + PAGE)]),
    burst(0.1, told.server_takes("splice_taken", ack=-1)),
    tick(0.29), tick(0.31, told.own_up(flags="PA", at=-1, payload=(HEADER + PAGE)[27:])),
    burst(0.4, told.down("PA", ack=N, payload=OK)), tick(2),
    setup=page(client_address="proxy-v2"),
    counters=[ONE[0], spliced("page4", requests=1, resent=1)])

# --- defences -------------------------------------------------------------------------------------

row("what acknowledges more than was sent is dropped",
    *talk.open(PAGE), burst(1, talk.takes("splice_acknowledgement", at=N, ack=1)),
    burst(1, talk.server_takes("splice_acknowledgement", ack=N + 1)), counters=ONE)

row("what acknowledges what is long past is dropped",
    *talk.open(PAGE), burst(1, talk.takes("splice_acknowledgement", at=N, ack=-(1 << 20) - 1)),
    counters=ONE)

row("what lies far beyond the window is dropped",
    *talk.open(PAGE), burst(1, talk.takes("splice_out_of_window", at=1 << 20)),
    burst(1, talk.server_takes("splice_out_of_window", at=1 << 20)), counters=ONE)

row("what lies far before the window is dropped",
    *talk.open(PAGE), burst(1, talk.takes("splice_out_of_window", at=-(1 << 20) - 1)),
    counters=ONE)

row("an acknowledgement that was overtaken says nothing new",
    *talk.open(PAGE),
    burst(1, talk.down("PA", ack=N, payload=OK)), burst(1, talk.up("A", at=N, ack=M)),
    burst(1, talk.takes("splice_duplicate", at=N, ack=M - 1)), counters=ONE)

row("a reset with the next number passes, and ends the connection",
    *talk.open(PAGE), burst(1, talk.up("RA", at=N)), tick(1.6),
    counters=[flows("page4/b1", live=0, new=1), spliced("page4", requests=1)])

row("a reset of the backend passes, and ends the connection",
    *talk.open(PAGE), burst(1, talk.down("RA", ack=N)), tick(1.6),
    counters=[flows("page4/b1", live=0, new=1, reset=1), spliced("page4", requests=1)])

near = talk.reply("reply_acknowledge", talk.from_client("R", at=N + 1), window=READING_WINDOW)
row("a reset near the next number is challenged, a hundred times a second",
    *talk.open(PAGE),
    *[burst(1, *[near] * 25) for _ in range(4)],
    burst(1, talk.takes("splice_reset", flags="R", at=N + 1)), burst(2, near), counters=ONE)

row("a reset far from the next number is dropped",
    *talk.open(PAGE), burst(1, talk.takes("splice_reset", flags="R", at=1 << 20)), counters=ONE)

row("a SYN in the middle of a connection is challenged",
    *talk.open(PAGE),
    burst(1, talk.reply("reply_acknowledge", talk.from_client("S", at=500),
                        window=READING_WINDOW)), counters=ONE)

over = [*talk.open(PAGE), burst(1, talk.up("RA", at=N))]
ended = [flows("page4/b1", live=1, new=1), spliced("page4", requests=1)]
row("resets for a connection that is over are dropped",
    *over, burst(1, talk.takes("splice_over", flags="R", at=N)),
    burst(1, talk.server_takes("splice_over", flags="R")), counters=ended)

row("who still speaks on a connection that was reset is reset",
    *over,
    burst(1, talk.server_reset(talk.from_backend("PA", ack=N, payload=OK), N),
          talk.server_reset(talk.from_backend("A", ack=N), N)),
    counters=ended)

row("who could not take a reset is reset when it says so",
    *talk.open(PAGE), burst(1, talk.down("RA", at=0, ack=N)),
    burst(1, talk.reset(talk.from_client("A", at=N, ack=talk.down_shift), talk.cookie + 1),
          talk.server_takes("splice_over", flags="PA", at=M, ack=N, payload=OK)),
    counters=[flows("page4/b1", live=1, new=1, reset=1), spliced("page4", requests=1)])

row("at most 32 segments of a connection wait",
    burst(0, talk.hold(PAGE), after=[talk.own_syn()]),
    burst(0, *[talk.hold(b"x", at=N + i) for i in range(31)]),
    burst(0, talk.takes("hold_full", flags="PA", at=N + 31, payload=b"x")),
    counters=[flows("page4/b1", live=1, new=1, requests=0), spliced("page4", requests=1)])

# --- ICMP -----------------------------------------------------------------------------------------

for version, name in (4, "page4"), (6, "page6"):
    routed = Spliced(name)
    for title, icmp in ("packet too big", TOO_BIG), ("unreachable", UNREACHABLE):
        about = routed.to_client("A", ack=N, payload=OK)
        seen = routed.from_backend("A", ack=N, payload=OK, ttl=63)
        given = error(version, (ROUTER.mac, OWN.mac), FAR.address(version), routed.vip[0],
                      icmp[version], part_of(about))
        out = error(version, (OWN.mac, routed.backend_mac), routed.local[0], routed.backend[0],
                    icmp[version], part_of(seen), 63)
        row(f"IPv{version}: {title} about a response reaches the backend in its own numbers",
            *routed.open(PAGE), burst(1, routed.down("A", ack=N, payload=OK)),
            burst(1, frame(given, "forward_icmp", out, backend=routed.name)),
            counters=[flows(routed.name, live=1, new=1), spliced(name, requests=1)])

        about = routed.to_backend("A", at=N)
        seen = routed.from_client("A", at=N, ack=routed.server_isn - routed.cookie, ttl=63)
        given = error(version, (routed.backend_mac, OWN.mac), routed.backend[0], routed.local[0],
                      icmp[version], part_of(about))
        out = error(version, (OWN.mac, routed.client_mac), routed.vip[0], FAR.address(version),
                    icmp[version], part_of(seen), 63)
        row(f"IPv{version}: {title} about a request reaches the client in its own numbers",
            *routed.open(PAGE), burst(1, frame(given, "return_icmp", out, backend=routed.name)),
            counters=[flows(routed.name, live=1, new=1), spliced(name, requests=1)])
