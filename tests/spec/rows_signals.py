# Rows about what backends tell of themselves: silence, refusals, resets, errors.
from row import burst, expired, flows, row, spliced, sweep, tick
from splice_talk import OK, Spliced, get
from talk import Talk

for v in (4, 6):
    web, direct = Talk(f"web{v}"), Talk(f"direct{v}")
    asked = [burst(at, web.ask("S")) for at in (0, 1, 3, 7)]

    row(f"a SYN that its client repeats once says nothing about the backend (IPv{v})",
        *asked[:2], burst(2, web.answer("SA")), counters=[flows(web.name, live=1, new=1)])
    row(f"a backend that is silent for three seconds has failed, once for a connection (IPv{v})",
        *asked, burst(7, web.answer("SA")), burst(7, web.ask("S")),
        counters=[flows(web.name, live=1, new=1, timed_out=1)])
    row(f"a backend whose silence was counted is not blamed again when the flow expires (IPv{v})",
        *asked, sweep(68), counters=[flows(web.name, live=0, new=1, timed_out=1), expired(1)])
    row(f"a SYN that its client takes back says nothing about the backend (IPv{v})",
        *asked[:1], burst(0, web.ask("R")), sweep(61),
        counters=[flows(web.name, live=0, new=1), expired(1)])
    row(f"a client that never completes its connection says nothing about the backend (IPv{v})",
        *asked[:1], burst(0, web.answer("SA")), sweep(61),
        counters=[flows(web.name, live=0, new=1), expired(1)])
    row(f"a refusal counts once, however often it is repeated (IPv{v})",
        *asked[:1], burst(0, web.answer("RA")), burst(0, web.answer("RA")),
        counters=[flows(web.name, live=1, new=1, refused=1)])
    row(f"a reset before the client has acknowledged is told from one later (IPv{v})",
        *asked[:1], burst(0, web.answer("SA")), burst(0, web.answer("R")),
        counters=[flows(web.name, live=1, new=1, reset=1)])
    row(f"a backend that resets after its FIN only hears no more (IPv{v})",
        *web.open(), burst(1, web.answer("FA")), burst(1, web.ask("PA", payload=b"more")),
        burst(1, web.answer("R")), counters=[flows(web.name, live=1, new=1)])
    row(f"a SYN to a dsr-l2 service that expires says nothing: no reply is seen (IPv{v})",
        *[burst(at, direct.ask("S")) for at in (0, 1, 3, 7)], sweep(68),
        counters=[flows(direct.name, live=0, new=1), expired(1)])

# --- splice --------------------------------------------------------------------------------------

PAGE = get()
N, M = len(PAGE), len(OK)
FAULT = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"
MISSING = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
talk = Spliced()


def counted(live, requests=1, **how):
    return [flows("page4/b1", live=live, new=1, requests=requests, **how),
            spliced("page4", requests=requests)]


row("a response 500 of a backend is an error of its",
    *talk.open(PAGE), burst(1, talk.down("PA", ack=N, payload=FAULT)),
    counters=counted(1, server_errors=1))
row("a response 404 of a backend is none",
    *talk.open(PAGE), burst(1, talk.down("PA", ack=N, payload=MISSING)), counters=counted(1))
row("a backend that resets in the middle of its response has aborted",
    *talk.open(PAGE), burst(1, talk.down("PA", ack=N, payload=OK[:-1])),
    burst(1, talk.down("RA", at=M - 1, ack=N)), tick(1.6), counters=counted(0, aborted=1))
row("a backend that resets between requests has aborted",
    *talk.open(PAGE), burst(1, talk.down("PA", ack=N, payload=OK)),
    burst(1, talk.up("A", at=N, ack=M)), burst(1, talk.down("RA", at=M, ack=N)), tick(1.6),
    counters=counted(0, aborted=1))
row("a backend that had closed when the next request came, and resets, only hears no more",
    *talk.open(PAGE), burst(1, talk.down("PA", ack=N, payload=OK)),
    burst(1, talk.down("FA", at=M, ack=N)), burst(1, talk.up("PA", at=N, ack=M + 1, payload=PAGE)),
    burst(1, talk.down("R", at=M + 1)), tick(1.6), counters=counted(0, requests=2))
row("the next request is reset before its response has begun",
    *talk.open(PAGE), burst(1, talk.down("PA", ack=N, payload=OK)),
    burst(1, talk.up("PA", at=N, ack=M, payload=PAGE)),
    burst(1, talk.down("RA", at=M, ack=2 * N)), tick(1.6), counters=counted(0, 2, reset=1))
