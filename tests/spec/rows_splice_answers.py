# Rows about requests that the balancer answers itself.
from network import backend, service, setup
from row import burst, flows, row, spliced, tick, unjoined
from splice_talk import FULL, LINUX, READING_WINDOW, Spliced, answer, get

PAGE = get()
N = len(PAGE)
BAD = "Bad Request"
LARGE = "Request Header Fields Too Large"
talk = Spliced()


def page(**changes):
    return setup([service("page4", **changes)])


def refused(title, request, status, phrase, setup=None, flags="PA", body=None, **counts):
    """The first request is answered, and nothing is kept."""
    row(title, burst(0, talk.refused(request, status, phrase, body, flags)), setup=setup,
        counters=[spliced("page4", **counts)])


# --- the first request ----------------------------------------------------------------------------

for fault, request in [
        ("no_host", b"GET / HTTP/1.1\r\n\r\n"),
        ("host_twice", get("/", "Host: other.example")),
        ("not_http", b"hello\r\n\r\n"),
        ("bare_lf", b"GET / HTTP/1.1\nHost: a\n\n"),
        ("nul", get("/", "A: b\0c")),
        ("obs_fold", get("/", "A: b", " c")),
        ("bad_header_name", get("/", "Content-Length : 3")),
        ("no_colon", get("/", "A")),
        ("length_and_encoding", get("/", "Content-Length: 3", "Transfer-Encoding: chunked")),
        ("bad_length", get("/", "Content-Length: +3")),
        ("length_twice", get("/", "Content-Length: 3", "Content-Length: 4")),
        ("bad_encoding", get("/", "Transfer-Encoding: chunked, gzip")),
        ("encoding_on_http10", get("/", "Transfer-Encoding: chunked", version="1.0"))]:
    refused(f"400 for a request with the fault {fault}", request, 400, BAD, refused_fault=1,
            **{f"fault_{fault}": 1})

refused("431 for more header lines than there may be", get("/", *["a: b"] * 101), 431, LARGE,
        refused_fault=1, fault_too_many_headers=1)
refused("505 for a version of HTTP that is none of ours", get(version="2.0"), 505,
        "HTTP Version Not Supported", refused_fault=1, fault_bad_version=1)
refused("505 for HTTP/2 with prior knowledge", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505,
        "HTTP Version Not Supported", refused_fault=1, fault_http2=1)
refused("503 when no backend takes requests", PAGE, 503, "Service Unavailable",
        page(backends=[backend("b1", 4, 8080, admission="draining")]), requests=1,
        refused_no_backend=1)
refused("503 when no connection can be kept", PAGE, 503, "Service Unavailable",
        setup(spliced=0), refused_no_room=1)
refused("503 for a head in pieces when no buffer is free", PAGE[:9], 503, "Service Unavailable",
        setup(heads=0), refused_no_room=1)
refused("400 for a client that closes in the middle of its first head", PAGE[:9], 400, BAD,
        flags="FPA", refused_head_cut=1)
refused("an answer has the body that the service is configured with", b"GET / HTTP/1.1\r\n\r\n",
        400, BAD, page(error_body="sorry"), body="sorry", refused_fault=1, fault_no_host=1)

row("a HEAD request is answered without a body",
    burst(0, talk.reply("reply_answer", talk.from_client("PA", payload=b"HEAD" + PAGE[3:]),
                        flags="FPA", ack=N + 1, window=READING_WINDOW,
                        payload=answer(503, "Service Unavailable")[:-24])),
    setup=page(backends=[backend("b1", 4, 8080, admission="down")]),
    counters=[spliced("page4", requests=1, refused_no_backend=1)])

scaled = Spliced(offer=LINUX, client_window=512)
row("an answer's window is in the units that the client agreed to",
    burst(0, scaled.reply("reply_answer", scaled.from_client("PA", payload=b"hello\r\n\r\n"),
                          flags="FPA", ack=9, window=READING_WINDOW >> 7,
                          payload=answer(400, BAD))),
    counters=[spliced("page4", refused_fault=1, fault_not_http=1)])

row("the same faulty request brings the same answer again",
    *[burst(at, talk.refused(b"hello\r\n\r\n", 400, BAD)) for at in (0, 0.2, 0.6)],
    counters=[spliced("page4", refused_fault=3, fault_not_http=3)])

stamped = Spliced(offer=FULL)
row("an answer echoes the client's timestamp",
    burst(0, stamped.refused(b"hello\r\n\r\n", 400, BAD)),
    counters=[spliced("page4", refused_fault=1, fault_not_http=1)])

six = Spliced("page6")
row("IPv6: an answer leaves where the request came from",
    burst(0, six.refused(b"hello\r\n\r\n", 400, BAD)),
    counters=[spliced("page6", refused_fault=1, fault_not_http=1)])

second = Spliced(client_port=40001)
row("503 beyond max_flows",
    burst(0, talk.hold(PAGE), after=[talk.own_syn()]),
    burst(0, second.refused(PAGE, 503, "Service Unavailable")),
    setup=page(protection={"max_flows": 1}),
    counters=[flows("page4/b1", live=1, new=1, requests=0), spliced("page4", requests=1,
                                                        refused_service_full=1)])
row("503 beyond new_flow_rate",
    burst(0, talk.hold(PAGE), after=[talk.own_syn()]),
    burst(0, second.refused(PAGE, 503, "Service Unavailable")),
    setup=page(protection={"new_flow_rate": 1}),
    counters=[flows("page4/b1", live=1, new=1, requests=0), spliced("page4", requests=1,
                                                        refused_new_flow_rate=1)])
row("429 beyond the rate of a source",
    burst(0, talk.hold(PAGE), after=[talk.own_syn()]),
    burst(0, second.refused(PAGE, 429, "Too Many Requests")),
    setup=page(protection={"source_rate": {"per_second": 1, "burst": 1}}),
    counters=[flows("page4/b1", live=1, new=1, requests=0), spliced("page4", requests=1,
                                                        refused_source_rate=1)])

secret = Spliced("tls4")
row("a TLS service resets what is no TLS",
    burst(0, secret.reset(secret.from_client("PA", payload=PAGE), secret.cookie + 1)),
    counters=[spliced("tls4", refused_not_tls=1)])

# --- with a record --------------------------------------------------------------------------------

CUT = 20
begun = burst(0, talk.reply("reply_acknowledge", talk.from_client("PA", payload=PAGE[:CUT]),
                            ack=CUT, window=READING_WINDOW - CUT))
LATE = answer(408, "Request Timeout")


def own_answer(text, ack, at=0):
    return talk.own_down(counted=False, flags="FPA", at=at, ack=ack, payload=text,
                         window=READING_WINDOW - ack)


row("408 for a head that is not complete after ten seconds, sent until it is acknowledged",
    begun, tick(9.9), tick(10.1, own_answer(LATE, CUT)), tick(10.4, own_answer(LATE, CUT)),
    burst(10.5, talk.takes("splice_taken", at=CUT, ack=len(LATE) + 1)),
    burst(10.5, talk.reply("reply_acknowledge", talk.from_client("FA", at=CUT, ack=len(LATE) + 1),
                           at=len(LATE) + 1, ack=CUT + 1, window=READING_WINDOW - CUT - 1)),
    tick(14),
    counters=[spliced("page4", refused_head_timeout=1, resent=1)])

row("the time for a head can be configured",
    begun, tick(0.9), tick(1.1, own_answer(LATE, CUT)), setup=page(head_timeout_ms=1000),
    counters=[unjoined("page4"), spliced("page4", refused_head_timeout=1)])

fault = b"GET / HTTP/1.1\r\nHo\x00st: a\r\n\r\n"
CLOSED = answer(400, BAD)
row("400 for a fault that the second piece of a head shows",
    burst(0, talk.reply("reply_acknowledge", talk.from_client("PA", payload=fault[:CUT - 3]),
                        ack=CUT - 3, window=READING_WINDOW - CUT + 3)),
    burst(0, talk.takes("splice_taken", flags="PA", at=CUT - 3, payload=fault[CUT - 3:]),
          after=[own_answer(CLOSED, len(fault))]),
    counters=[unjoined("page4"), spliced("page4", refused_fault=1, fault_nul=1)])

row("400 for a client that closes in the middle of a head in pieces",
    begun,
    burst(0, talk.takes("splice_taken", flags="FA", at=CUT), after=[own_answer(CLOSED, CUT + 1)]),
    counters=[unjoined("page4"), spliced("page4", refused_head_cut=1)])

row("what a client still sends after the answer is acknowledged and forgotten",
    begun,
    burst(0, talk.takes("splice_taken", flags="FA", at=CUT), after=[own_answer(CLOSED, CUT + 1)]),
    burst(0.1, talk.reply("reply_acknowledge", talk.from_client("FA", at=CUT),
                          at=len(CLOSED) + 1, ack=CUT + 1, window=READING_WINDOW - CUT - 1)),
    burst(0.1, talk.takes("splice_acknowledgement", at=CUT + 1, ack=len(CLOSED) + 2)),
    burst(0.1, talk.takes("splice_over", flags="S", at=CUT + 1)),
    counters=[unjoined("page4"), spliced("page4", refused_head_cut=1)])

row("an answered client may reset",
    begun,
    burst(0, talk.takes("splice_taken", flags="FA", at=CUT), after=[own_answer(CLOSED, CUT + 1)]),
    burst(0.1, talk.takes("splice_taken", flags="R", at=CUT + 1)), tick(3.2),
    counters=[spliced("page4", refused_head_cut=1)])
