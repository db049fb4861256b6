# TLS that is routed by what the client says first, and passed on untouched.
"""System tests; run.py runs them."""

import re
import socket
import ssl
import time

import sites
from harness import RUN, Lab, check, contains, equal
from sites import CLIENT, NAMES, SITE, caused
from talk import Talk, inside
from test_splice_transfers import digest_of, pseudo_random

RULES = """\
[[service.rule]]
name = "first"
server_name = "a.example"
generation = "a"
[[service.rule]]
name = "second"
server_name = { regex = "^(b|c)\\\\.example$" }
generation = "b"
[[service.rule]]
name = "banned"
server_name = { prefix = "evil." }
deny = 403
[[service.rule]]
name = "http2"
alpn = "h2"
generation = "b"
[[service.rule]]
name = "few"
server_name = "few.example"
rate = { per_second = 2, burst = 2 }
"""
BACKENDS = [("b1", "10.77.0.11", 100, "a"), ("b2", "10.77.0.12", 100, "b"),
            ("b3", "10.77.0.13", 100, "a")]
SERVICES = (sites.spliced("tls", 443, sites.NGINX_TLS_PROXIED, extra=sites.PROXY,
                          protocol="tls", backends=BACKENDS, rules=RULES)
            + sites.spliced("plain", 444, sites.NGINX_TLS, extra='affinity = { by = "sni" }\n'
                            'head_timeout = "600ms"\n', protocol="tls")
            + sites.spliced("closed", 445, sites.CLOSED, extra="", protocol="tls",
                            check='check = { type = "none" }\n'))


def curl(name, path="/", port=443, *more):
    """(exit, backend, certificate's name, body) by curl, which checks the certificate."""
    done = Lab.run("client", "curl", "-s", "-m", "8", "-D", "-", "--cacert", f"{RUN}/{name}.crt",
                   "--resolve", f"{name}:{port}:{SITE}", *more, f"https://{name}:{port}{path}")
    fields = dict(re.findall(r"(?m)^(X-[A-Za-z]+): ([^\r\n]*)", done.stdout))
    return done.returncode, fields.get("X-Backend"), fields.get("X-Name"), fields


def test_server_names_choose(system):
    """curl with SNI: the rule's backends answer, with the certificate of that name."""
    sites.start(system)
    allowed = {"a.example": {"b1", "b3"}, "b.example": {"b2"}}
    for name in NAMES:
        for _ in range(6):
            (code, backend, told, _), rose = caused(system, "tls", lambda n=name: curl(n))
            equal((code, told), (0, name), f"exit of curl and name for {name}")
            check(backend in allowed[name], f"{name} was answered by {backend}")
            equal(rose[f"rule {'first' if name == NAMES[0] else 'second'}"], 1, "counted")


def test_tls_tells_the_client(system):
    """proxy-v2 before TLS: nginx learns the client's address and port."""
    sites.start(system)
    code, _, _, fields = curl("a.example", "/", 443, "--interface", CLIENT, "--local-port", "41999")
    equal((code, fields["X-Client"]), (0, f"{CLIENT} 41999"), "client")


def test_name_keeps_its_backend(system):
    """affinity by sni: each server name has one backend, over many connections."""
    sites.start(system)
    homes = set()
    for number in range(12):
        seen = {curl_name(f"n{number}.example") for _ in range(4)}
        equal(len(seen), 1, f"backends of one name: {seen}")
        homes |= seen
    check(len(homes) > 1, f"twelve names have one home {homes}")


def handshake(port, name, alpn=(), host=SITE):
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if alpn:
        context.set_alpn_protocols(alpn)
    with inside("client"):
        raw = socket.socket()
    raw.settimeout(5)
    raw.connect((host, port))
    return context.wrap_socket(raw, server_hostname=name)


def ask(opened, path="/"):
    opened.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    data = b""
    while piece := opened.recv(65536):
        data += piece
    return re.search(rb"X-Backend: (b\d)", data).group(1).decode(), data


def curl_name(name):
    with handshake(444, name) as opened:
        return ask(opened)[0]


def test_no_server_name(system):
    """Without SNI no rule on names matches; the service's backends take it."""
    sites.start(system)
    with handshake(443, None) as opened:
        equal(opened.version(), "TLSv1.3", "version")
        check(ask(opened)[0] in ("b1", "b2", "b3"), "nobody answered")


def test_alpn_chooses(system):
    """ALPN h2 is a rule's matter, too."""
    sites.start(system)
    for _ in range(5):
        with handshake(443, "other.example", ["h2", "http/1.1"]) as opened:
            check(opened.cipher(), "no handshake")
        # nginx here does not speak h2 and picks http/1.1.
        with handshake(443, "other.example", ["h2", "http/1.1"]) as opened:
            equal(ask(opened)[0], "b2", "backend of the generation that speaks h2")


def test_openssl_client(system):
    """openssl s_client shows the certificate of the name it asked for, with TLS 1.2 and 1.3."""
    sites.start(system)
    for name in NAMES:
        for version in ("-tls1_2", "-tls1_3"):
            done = Lab.run("client", "openssl", "s_client", "-connect", f"{SITE}:443",
                           "-servername", name, version, input="")
            contains(done.stdout, f"subject=CN = {name}", "the certificate")


def test_tls_bytes_stay_whole(system):
    """20 MB through TLS: the bytes that the file has."""
    sites.start(system)
    wanted = pseudo_random(f"{RUN}/files/medium", 20_000_000)
    for name in NAMES:
        code, _, _, _ = curl(name, "/files/medium", 443, "-o", f"{RUN}/tls")
        equal((code, digest_of(f"{RUN}/tls")), (0, wanted), f"exit of curl and digest of {name}")




def hello(name):
    """The bytes of a ClientHello."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.create_default_context()
    opened = context.wrap_bio(incoming, outgoing, server_hostname=name)
    try:
        opened.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


def test_hello_in_pieces(system):
    """A ClientHello of one-byte segments, and of many records, is read all the same."""
    sites.start(system)
    first = hello("b.example")
    body = first[5:]
    records = b"".join(first[:3] + len(body[at:at + 40]).to_bytes(2, "big") + body[at:at + 40]
                       for at in range(0, len(body), 40))
    for data in (first, records):
        with Talk(SITE, 443) as talk:
            _, rose = caused(system, "tls", lambda t=talk, d=data: (
                t.send_slowly(d), t.exactly(5)))
            equal(rose.get("rule second"), 1, "counted")
            equal(talk.rest[:0], b"", "nothing")


def test_denied_names_are_reset(system):
    """A rule that denies resets the connection: TLS has no words for it."""
    sites.start(system)
    def refused():
        with Talk(SITE, 443) as talk:
            talk.send(hello("evil.example"))
            return talk.is_reset()
    seen, rose = caused(system, "tls", refused)
    equal((seen, rose.get("denied"), rose.get("rule banned")), (True, 1, 1), "reset, and counted")


def test_rate_of_names(system):
    """Above a rule's rate: reset, counted."""
    sites.start(system)
    def often():
        resets = 0
        for _ in range(8):
            with Talk(SITE, 443) as talk:
                talk.send(hello("few.example"))
                try:
                    talk.exactly(5)
                except ConnectionResetError:
                    resets += 1
        return resets
    resets, rose = caused(system, "tls", often)
    check(4 <= resets <= 6, f"{resets} of 8 were reset")
    equal(rose.get("rate"), resets, "counted")


def test_what_is_not_tls(system):
    """HTTP on a TLS port: reset, counted; no backend sees it."""
    sites.start(system)
    for data in (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"\x00" * 100, b"\x16\x03\x09\x00\x00abc"):
        def send(data=data):
            with Talk(SITE, 443) as talk:
                talk.send(data)
                return talk.is_reset()
        seen, rose = caused(system, "tls", send)
        equal((seen, rose), (True, {"not_tls": 1}), f"reset and counted for {data[:20]!r}")


def test_slow_hello(system):
    """A ClientHello that is not complete in time: reset, counted."""
    sites.start(system)
    def send():
        with Talk(SITE, 444) as talk:
            talk.send(hello("a.example")[:100])
            began = time.monotonic()
            return talk.is_reset(), time.monotonic() - began
    (seen, lasted), rose = caused(system, "plain", send)
    equal((seen, rose), (True, {"head_timeout": 1}), "reset and counted")
    check(0.4 < lasted < 1.3, f"after {lasted:.2f} s")


def test_nobody_takes_tls(system):
    """Every backend refuses: reset, counted; a TLS client cannot read a 503."""
    sites.start(system)

    def send():
        with Talk(SITE, 445) as talk:
            talk.send(hello("a.example"))
            return talk.is_reset()
    seen, rose = caused(system, "closed", send)
    equal((seen, rose), (True, {"connect_failed": 1, "requests": 1}), "reset and counted")


def test_why_for_tls(system):
    """why answers for server names and protocols as the workers do."""
    sites.start(system)
    contains(system.done("why", "tls", "--sni", "b.example"), "tls/b2", "why")
    contains(system.done("trace", "tls", "--sni", "evil.example"), "banned", "trace")


def test_everything_closes(system):
    """With all clients gone, no server has a connection left and no local port is in use."""
    sites.start(system)
    sites.everything_closes(system)
