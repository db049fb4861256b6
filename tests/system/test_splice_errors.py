# What the balancer answers itself: smuggling, heads too large or too slow, nobody there.
"""System tests; run.py runs them."""

import socket
import time

import sites
from harness import Lab, check, contains, equal
from sites import SITE, SITE6, caused
from talk import Talk, User, get

BODY = "<h1>Sorry</h1>"
# Nobody listens on this port of the backends, and nobody checks.
NO_CHECK = 'check = { type = "none" }\n'
SERVICES = (sites.spliced("web", 80, sites.ORIGIN_PROXIED)
            + sites.spliced("web6", 80, sites.ORIGIN_PROXIED, address=SITE6)
            + sites.spliced("sorry", 81, sites.CLOSED, check=NO_CHECK,
                            extra=f'error_body = "{BODY}"\n')
            + sites.spliced("quick", 82, sites.ORIGIN_PROXIED,
                            extra=sites.PROXY + sites.COOKIE + 'head_timeout = "600ms"\n')
            + sites.spliced("tunnel", 83, sites.ORIGIN, extra='h2c = "tunnel"\n')
            + sites.spliced("empty", 84, sites.ORIGIN, extra=f'error_body = "{BODY}"\n'))
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

# (cause, status, request)
FAULTY = [
    ("length_and_encoding", 400,
     get("/", "Content-Length: 5", "Transfer-Encoding: chunked", method="POST") + b"0\r\n\r\n"),
    ("length_and_encoding", 400,
     get("/", "Transfer-Encoding: chunked", "Content-Length: 5", method="POST") + b"0\r\n\r\n"),
    ("length_twice", 400, get("/", "Content-Length: 1", "Content-Length: 2", method="POST") + b"x"),
    ("bad_length", 400, get("/", "Content-Length: +5", method="POST") + b"12345"),
    ("bad_length", 400, get("/", "Content-Length:", method="POST")),
    ("bad_length", 400, get("/", "Content-Length: 99999999999999999999999", method="POST")),
    ("bad_encoding", 400, get("/", "Transfer-Encoding: xchunked", method="POST") + b"0\r\n\r\n"),
    ("bad_encoding", 400,
     get("/", "Transfer-Encoding: chunked", "Transfer-Encoding: chunked", method="POST")),
    ("encoding_on_http10", 400,
     get("/", "Transfer-Encoding: chunked", method="POST", version="1.0")),
    ("bare_lf", 400, b"GET / HTTP/1.1\nHost: site\n\n"),
    ("bare_cr", 400, b"GET / HTTP/1.1\r\nHost: site\r\nX: a\rb\r\n\r\n"),
    ("nul", 400, b"GET / HTTP/1.1\r\nHost: site\r\nX: a\x00b\r\n\r\n"),
    ("obs_fold", 400, b"GET / HTTP/1.1\r\nHost: site\r\nX: a\r\n b\r\n\r\n"),
    ("empty_header_name", 400, b"GET / HTTP/1.1\r\nHost: site\r\n: a\r\n\r\n"),
    ("bad_header_name", 400, b"GET / HTTP/1.1\r\nHost: site\r\nContent-Length : 5\r\n\r\n"),
    ("no_colon", 400, b"GET / HTTP/1.1\r\nHost: site\r\nnothing\r\n\r\n"),
    ("no_host", 400, b"GET / HTTP/1.1\r\n\r\n"),
    ("host_twice", 400, b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
    ("bad_host", 400, b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n"),
    ("bad_method", 400, b"G(T / HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("bad_target", 400, b"GET no-slash HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("bad_version", 505, b"GET / HTTP/1.2\r\nHost: a\r\n\r\n"),
    ("bad_method", 400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"),
    ("not_http", 400, b"GET\r\n\r\n"),
    ("http2", 505, PREFACE),
    ("head_too_large", 431, get("/", "X-Large: " + "x" * 17_000)),
    ("head_too_large", 431, get("/" + "x" * 17_000)),
    ("too_many_headers", 431, get("/", *[f"X-{n}: y" for n in range(101)])),
]
PHRASES = {400: "Bad Request", 431: "Request Header Fields Too Large",
           505: "HTTP Version Not Supported"}


def test_faulty_requests(system):
    """Smuggling and malformed heads: 400, 431 or 505, closed, counted by cause."""
    sites.start(system)
    for cause, status, request in FAULTY:
        with Talk(SITE, 80) as talk:
            response, rose = caused(system, "web", lambda t=talk, r=request: t.ask(r))
            what = f"{cause}: {request[:80]!r}"
            equal((response.status, response.backend), (status, None), what)
            equal(response.body.decode(), f"{status} {PHRASES[status]}\n", f"body for {what}")
            equal((response.field("connection"), response.field("cache-control")),
                  ("close", "no-store"), f"fields for {what}")
            equal(rose, {cause: 1}, f"counted for {what}")
            check(talk.is_closed(), f"still open after {what}")


def test_faulty_requests_later_on(system):
    """The same on a connection that has been used: the good responses come whole before the 400."""
    sites.start(system)
    for host in (SITE, SITE6):
        for cause, status, request in FAULTY[:8] + FAULTY[-3:]:
            with Talk(host, 80) as talk:
                equal(talk.ask(get("/head")).status, 200, "first status")
                talk.send(get("/chunked") + get("/slow"))
                talk.send_slowly(request, size=1400)
                equal([talk.response().status for _ in range(2)], [200, 200], "good responses")
                equal(talk.response().status, status, f"{cause}: {request[:60]!r}")
                check(talk.is_closed(), f"still open after {cause}")


def test_bad_chunks(system):
    """A chunk size that is no number, in the request's body: the connection ends, it is counted."""
    sites.start(system)
    for host, service in ((SITE, "web"), (SITE6, "web6")):
        for body in (b"xyz\r\n", b"5\r\n12345678\r\n", b"FFFFFFFFFFFFFFFFFF\r\n"):
            def ask(body=body, host=host):
                with Talk(host, 80) as talk:
                    talk.send(get("/up", "Transfer-Encoding: chunked", method="POST"))
                    time.sleep(0.05)
                    talk.send(b"3\r\nabc\r\n" + body)
                    try:
                        return talk.until_closed()
                    except ConnectionResetError:
                        return b""
            seen, rose = caused(system, service, ask)
            check(b"200 OK" not in seen, f"{body!r} was accepted: {seen}")
            check({"bad_chunk_size", "bad_chunk_end"} & set(rose), f"counted for {body!r}: {rose}")


def test_slow_head(system):
    """A head that is not complete in time: 408; a connection without data costs nothing."""
    sites.start(system)
    def send_half(talk):
        talk.send(b"GET / HTTP/1.1\r\nHost: a\r\n")
        return talk.response()
    with Talk(SITE, 82) as silent, Talk(SITE, 82) as talk:
        began = time.monotonic()
        response, rose = caused(system, "quick", lambda: send_half(talk))
        lasted = time.monotonic() - began
        equal((response.status, rose), (408, {"head_timeout": 1}), "status and counted")
        check(0.5 < lasted < 1.2, f"it came after {lasted:.2f} s")
        check(talk.is_closed(), "still open behind 408")
        equal(silent.ask(get("/")).status, 200, "status on the connection that was silent so long")
        silent.send(b"GET / HT")
        equal(silent.response().status, 408, "status of a slow second head")


def test_head_cut_short(system):
    """The client closes its side within the head: 400, counted."""
    sites.start(system)
    def cut(talk, data):
        talk.send(data)
        time.sleep(0.05)  # so that the end comes in a segment of its own
        talk.socket.shutdown(socket.SHUT_WR)
        return talk.response()
    for used in (False, True):
        with Talk(SITE, 80) as talk:
            if used:
                talk.ask(get("/head"))
            response, rose = caused(system, "web",
                                    lambda t=talk: cut(t, b"GET / HTTP/1.1\r\nHost: a\r\n"))
            equal((response.status, rose), (400, {"head_cut": 1}), f"status, counted ({used})")


def test_nobody_takes_requests(system):
    """Every backend refuses: 503 with error_body, counted; HEAD without body."""
    sites.start(system)
    with Talk(SITE, 81) as talk:
        response, rose = caused(system, "sorry", lambda: talk.ask(get("/")))
        equal((response.status, response.body.decode()), (503, BODY), "answer")
        equal(rose, {"connect_failed": 1, "requests": 1}, "counted")
        check(talk.is_closed(), "still open behind 503")
    with Talk(SITE, 81) as talk:
        response = talk.ask(get("/", method="HEAD"), "HEAD")
        equal((response.status, response.field("content-length")), (503, str(len(BODY))), "HEAD")
        check(talk.is_closed(), "HEAD was answered with a body")


def test_no_backend(system):
    """Every backend in maintenance: 503 at once, by that name; ready heals it."""
    sites.start(system)
    for n in (1, 2, 3):
        system.done("maintenance", f"empty/b{n}", "--force", "--wait")
    for _ in range(3):
        with Talk(SITE, 84) as talk:
            began = time.monotonic()
            response, rose = caused(system, "empty", lambda t=talk: t.ask(get("/")))
            equal((response.status, response.body.decode()), (503, BODY), "answer")
            equal(rose, {"no_backend": 1, "requests": 1}, "counted")
            check(time.monotonic() - began < 1, "it took long")
    contains(system.done("why", "empty", "/"), "503", "why")
    for n in (1, 2, 3):
        system.done("ready", f"empty/b{n}", "--wait")
    with Talk(SITE, 84) as talk:
        equal(talk.ask(get("/")).status, 200, "status when they are back")


def test_maintenance_under_a_kept_connection(system):
    """Maintenance of the home between two requests: the next one goes elsewhere, no error."""
    sites.start(system)
    user = User("kept")
    with Talk(SITE, 82) as talk:
        user.ask(talk)
        home = user.home
        system.done("maintenance", f"quick/{home}", "--wait")
        equal(user.ask(talk).status, 200, "status")
        check(user.home != home, "still at the home in maintenance")
        equal(user.given, 2, "cookies given")
    system.done("ready", f"quick/{home}", "--wait")


def test_bad_responses(system):
    """A server that does not speak HTTP: 502, counted; one that dies within its head: no 200."""
    sites.start(system)
    with Talk(SITE, 80) as talk:
        response, rose = caused(system, "web", lambda: talk.ask(get("/broken")))
        equal((response.status, rose.get("bad_response")), (502, 1), f"answer {response}, {rose}")
        check(talk.is_closed(), "still open behind 502")
    with Talk(SITE, 80) as talk:
        equal(talk.ask(get("/chunked")).status, 200, "first status")
        equal(talk.ask(get("/broken")).status, 502, "status later on")
    with Talk(SITE, 80) as talk:
        talk.send(get("/halved"))
        try:
            seen = talk.until_closed()
        except ConnectionResetError:
            seen = b""
        check(b"\r\n\r\n" not in seen or b" 502 " in seen, f"half a head became {seen}")


def test_http2_with_prior_knowledge(system):
    """curl --http2-prior-knowledge is refused; h2c = "tunnel" passes it to the server as it is."""
    sites.start(system)
    done = Lab.run("client", "curl", "-s", "-m", "5", "--http2-prior-knowledge", f"http://{SITE}/")
    check(done.returncode != 0, "curl was answered")
    with Talk(SITE, 83) as talk:
        talk.send(PREFACE.replace(b"PRI *", b"PRI *"))
        answer = talk.until(b"\r\n\r\n")
        contains(answer.decode(), "X-Backend: b", "what the server said to the preface")
    with Talk(SITE, 83) as talk:
        equal(talk.ask(get("/chunked")).status, 200, "status of HTTP/1.1 at the same service")


def test_everything_closes(system):
    """With all clients gone, no server has a connection left and no local port is in use."""
    sites.start(system)
    sites.everything_closes(system)
