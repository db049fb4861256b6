# Spliced HTTP byte by byte: large bodies, heads in small pieces, pipelining, odd framing.
"""System tests; run.py runs them."""

import hashlib
import json
import os
import subprocess
import time

import sites
from harness import RUN, Lab, check, contains, equal
from hawser import netns
from origin import DATA
from services import NO_CHECK
from sites import SITE, SITE6
from talk import Talk, User, get, users_of_each

LAB = ["far"]
PORT = 'gateways = ["10.77.0.254", "fd77::fe"]\n'
# A gigabyte takes long on a busy machine: a check that is late twice must not reset it.
SERVICES = "".join(sites.spliced(name, port, servers, address=address, check=NO_CHECK + "\n")
                   for name, port, servers, address in (
                       ("web", 80, sites.NGINX_PROXIED, SITE),
                       ("web6", 80, sites.NGINX_PROXIED, SITE6),
                       ("origin", 81, sites.ORIGIN_PROXIED, SITE),
                       ("origin6", 81, sites.ORIGIN_PROXIED, SITE6)))
GIGABYTE = 1 << 30
HOSTS = (SITE, SITE6)


def url(host, port, path):
    return f"http://[{host}]:{port}{path}" if ":" in host else f"http://{host}:{port}{path}"


def pseudo_random(path, size):
    """A file in which no part equals another; returns its SHA-256."""
    if not os.path.exists(path):
        subprocess.run(f"head -c {size} /dev/zero | openssl enc -aes-128-ctr -nosalt -K "
                       f"{'7' * 32} -iv {'0' * 32} >{path}", shell=True, check=True)
    return digest_of(path)


def digest_of(path):
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def pipe(*commands):
    """The output of commands joined by pipes, in the client's namespace."""
    text = " | ".join(commands)
    done = subprocess.run(netns("client", "bash", "-o", "pipefail", "-c", text),
                          capture_output=True, text=True, timeout=600, check=False)
    equal(done.returncode, 0, f"exit of {text} ({done.stderr[-300:]})")
    return done.stdout.strip()


def test_gigabyte_down(system):
    """A gigabyte by curl from nginx arrives byte for byte."""
    sites.start(system)
    wanted = pseudo_random(f"{RUN}/files/gigabyte", GIGABYTE)
    seen = pipe(f"curl -sS --fail -m 500 {url(SITE, 80, '/files/gigabyte')}", "sha256sum")
    equal(seen.split()[0], wanted, "digest")


def test_gigabyte_up(system):
    """A gigabyte by curl arrives byte for byte at a server that hashes it."""
    sites.start(system)
    wanted = pseudo_random(f"{RUN}/files/gigabyte", GIGABYTE)
    seen = pipe(f"curl -sS --fail -m 500 -T {RUN}/files/gigabyte {url(SITE, 81, '/up')}")
    equal(seen, f"{wanted} {GIGABYTE}", "digest and length")


def test_upload_in_chunks_over_ipv6(system):
    """20 MB in chunks, behind 100-continue, over IPv6."""
    sites.start(system)
    wanted = pseudo_random(f"{RUN}/files/medium", 20_000_000)
    seen = pipe(f"cat {RUN}/files/medium", "curl -sSg --fail -m 60 -T - -H 'Expect: 100-continue' "
                f"--expect100-timeout 20 '{url(SITE6, 81, '/up')}'")
    equal(seen, f"{wanted} 20000000", "digest and length")


def test_downloads_at_once(system):
    """Thirty downloads of 1 to 3 MB at once, each byte for byte, over IPv4 and IPv6."""
    sites.start(system)
    for size in (1, 2, 3):
        pseudo_random(f"{RUN}/files/{size}", size * 1_000_000 + size)
    for host in HOSTS:
        targets = " ".join(f"{url(host, 80, f'/files/{n % 3 + 1}')} -o {RUN}/down{n}"
                           for n in range(30))
        done = Lab.run("client", "bash", "-c", "curl -sSg --fail -m 60 -Z --parallel-immediate "
                                               f"--parallel-max 30 {targets}")
        equal(done.returncode, 0, f"exit of curl ({done.stderr})")
        for n in range(30):
            equal(digest_of(f"{RUN}/down{n}"), digest_of(f"{RUN}/files/{n % 3 + 1}"), f"file {n}")


def test_behind_a_narrow_path(system):
    """A client behind a 1280-byte link: a megabyte down and a megabyte up, byte for byte."""
    sites.start(system)
    wanted = pseudo_random(f"{RUN}/files/1", 1_000_001)
    for host in HOSTS:
        system.forget_paths()
        done = Lab.run("far", "bash", "-c", f"curl -sSg --fail -m 20 '{url(host, 80, '/files/1')}' "
                                            "| sha256sum")
        equal(done.stdout.split()[0], wanted, f"digest of the download at {host} ({done.stderr})")
        done = Lab.run("far", "curl", "-sSg", "--fail", "-m", "20", "-T", f"{RUN}/files/1",
                       url(host, 81, "/up"))
        equal(done.stdout, f"{wanted} 1000001", f"the upload at {host} ({done.stderr})")


def told(talk, request):
    return json.loads(talk.ask(request).body)


def test_heads_byte_by_byte(system):
    """A head of 15 KB and smaller ones, one byte a segment: they arrive as they were sent."""
    sites.start(system)
    for size, host in ((300, SITE), (2_000, SITE6), (15_000, SITE)):
        user = User(f"slow-{size}")
        padding = [f"X-Padding-{n}: {'p' * 980}" for n in range(size // 1000)]
        request = user.request("/head", *padding, f"X-Last: {'q' * (size % 1000)}")
        with Talk(host, 81, timeout=20) as talk:
            talk.send_slowly(request)
            seen = json.loads(user.take(talk.response()).body)
            equal(seen["head"].encode(), request, f"head of {len(request)} bytes")
            check(user.cookie, "no cookie with the response")
            home = user.home
            # And on the same connection once more, at the same home.
            request = user.request("/head", *padding)
            talk.send_slowly(request, size=37)
            seen = json.loads(user.take(talk.response()).body)
            equal(seen["head"].encode(), request, "second head")
            equal((user.home, user.given), (home, 1), "home, and cookies given")


def test_heads_in_pieces_to_another_home(system):
    """On one connection, heads in pieces that belong to different homes: each arrives there."""
    sites.start(system)
    homes = users_of_each(SITE, 81)
    with Talk(SITE, 81, timeout=20) as talk:
        for turn in range(4):
            for name, users in homes.items():
                request = users[0].request("/head", f"X-Turn: {turn}", "X-Pad: " + "z" * 2500)
                talk.send_slowly(request, size=200)
                response = users[0].take(talk.response())
                equal(json.loads(response.body)["head"].encode(), request, "head")
                equal(response.backend, name, "home")


def test_body_with_the_head_and_behind_it(system):
    """Bodies in the head's segment, in segments of 1 byte, and in chunks of every split."""
    sites.start(system)
    data = bytes(range(256)) * 20
    wanted = hashlib.sha256(data).hexdigest()
    with Talk(SITE, 81, timeout=20) as talk:
        seen = told(talk, get("/head", method="POST", body=data))
        equal((seen["digest"], seen["length"]), (wanted, len(data)), "body in one piece")
        talk.send_slowly(get("/head", method="POST", body=data[:700]))
        equal(json.loads(talk.response().body)["digest"],
              hashlib.sha256(data[:700]).hexdigest(), "body byte by byte")
        chunked = b"".join(b"%X\r\n%s\r\n" % (len(data[at:at + 97]), data[at:at + 97])
                           for at in range(0, len(data), 97)) + b"0\r\nX-Trailer: 1\r\n\r\n"
        head = get("/head", "Transfer-Encoding: chunked", method="POST")
        for size in (len(chunked) + 999, 1000, 61):
            talk.send_slowly(head + chunked, size=size)
            equal(json.loads(talk.response().body)["digest"], wanted, f"chunks, {size} a segment")
        equal(told(talk, get("/head"))["length"], 0, "the request behind them")


def test_pipelined_to_one_home(system):
    """Forty requests in one segment, for one home: forty responses, in order."""
    sites.start(system)
    for host in HOSTS:
        user = User("pipeline")
        with Talk(host, 80) as talk:
            user.ask(talk)
            home = user.home
            talk.send(b"".join(user.request(f"/uri/{n}") for n in range(40)))
            for n in range(40):
                response = user.take(talk.response())
                equal(response.body.decode(), f"{home} /uri/{n}\n", f"response {n}")
            equal(user.given, 1, "cookies given")


def test_pipelined_to_several_homes(system):
    """Requests of users with different homes in one segment: each at its home, all in order."""
    sites.start(system)
    for host in HOSTS:
        homes = users_of_each(host, 80)
        users = [users[0] for users in homes.values()]
        order = [users[n * n % 3] for n in range(30)]
        began = time.monotonic()
        with Talk(host, 80, timeout=20) as talk:
            talk.send(b"".join(user.request(f"/uri/{n}") for n, user in enumerate(order)))
            for n, user in enumerate(order):
                response = talk.response()
                equal(response.body.decode(), f"{user.home} /uri/{n}\n", f"response {n}")
                equal(response.all("set-cookie"), [], "cookies of users who have one")
        # A retransmission by the client at each change of homes would take 0.2 s and more.
        check(time.monotonic() - began < 2, "the client had to send again")


def test_pipelined_bodies_to_several_homes(system):
    """The same with bodies behind the requests, and long responses before them."""
    sites.start(system)
    homes = users_of_each(SITE, 81)
    users = [users[0] for users in homes.values()] * 3
    bodies = [bytes([n + 1]) * (3000 * n + 1) for n in range(len(users))]
    with Talk(SITE, 81, timeout=20) as talk:
        talk.send_aside(b"".join(user.request("/chunked")
                                 + user.request("/head", method="POST", body=body)
                                 for user, body in zip(users, bodies)))
        for user, body in zip(users, bodies):
            response = talk.response()
            equal((response.backend, response.body == DATA), (user.home, True), "long response")
            response = talk.response()
            seen = json.loads(response.body)
            equal((response.backend, seen["length"], seen["digest"]),
                  (user.home, len(body), hashlib.sha256(body).hexdigest()), "body")


def test_every_framing(system):
    """HEAD, 204, 304, chunks, until close, 103, heads in pieces and long ones: all whole."""
    sites.start(system)
    for host in HOSTS:
        user = User("framing")
        with Talk(host, 81) as talk:
            for turn in range(2):
                for path, status, body in (("/204", 204, b""), ("/304", 304, b""),
                                           ("/chunked", 200, DATA), ("/pieces", 200, b"pieces"),
                                           ("/long", 200, b"long"), ("/slow", 200, b"slow")):
                    response = user.ask(talk, path)
                    equal((response.status, response.body), (status, body), f"{path}, {turn}")
                for path in ("/chunked", "/long", "/204"):
                    response = user.ask(talk, path, method="HEAD")
                    equal(response.body, b"", f"HEAD {path}, {turn}")
                equal(user.ask(talk, "/early").status, 103, "the interim response")
                equal(user.take(talk.response()).body, b"early", "the response behind it")
            equal(user.given, 1, "cookies given")
            equal(user.ask(talk, "/close").body, DATA, "a body that ends with the connection")


def test_cookie_goes_on_the_final_response(system):
    """First contact: no cookie on 100 or 103, one on the response behind them, private."""
    sites.start(system)
    for path, fields, interim in (("/early", (), 103), ("/up", ("Expect: 100-continue",), 100)):
        user = User(f"first{path}")
        with Talk(SITE, 81) as talk:
            request = user.request(path, *fields, method="POST", body=b"0123456789")
            head, body = request[:-10], request[-10:]
            talk.send(head)
            if interim == 103:
                talk.send(body)
            response = talk.response()
            equal((response.status, response.all("set-cookie")), (interim, []), "interim response")
            if interim == 100:
                talk.send(body)
            response = user.take(talk.response())
            equal((response.status, user.given), (200, 1), "final status, cookies given")
            equal(response.field("cache-control"), "private", "cache control")


def test_cookie_beside_the_servers_own(system):
    """Both cookies arrive; a response that caches may keep is made private."""
    sites.start(system)
    user = User("own")
    response = user.visit(SITE, 81, "/cookie")
    check("own=1; Path=/" in response.all("set-cookie"), f"the server's own: {response}")
    check(user.cookie, f"the balancer's: {response}")
    check("private" in response.all("cache-control"), f"cache control: {response}")
    line = next(v for v in response.all("set-cookie") if v.startswith("hawser="))
    equal(line.split("; ")[1:], ["Path=/", "HttpOnly", "SameSite=Lax"], "attributes")


def test_methods_left_alone(system):
    """TRACE comes back as it was sent, CONNECT becomes a tunnel, OPTIONS * passes."""
    sites.start(system)
    with Talk(SITE, 81) as talk:
        request = get("/trace", "X-Mine: 1", method="TRACE")
        equal(talk.ask(request).body, request, "TRACE")
        equal(talk.ask(get("*", method="OPTIONS")).status, 200, "OPTIONS *")
        talk.send(get("other.example:443", method="CONNECT", host="other.example:443"))
        equal(talk.response("CONNECT").status, 200, "CONNECT")
        for data in (b"\x16\x03\x01 no HTTP", b"GET / HTTP/1.1\r\n\r\n", bytes(5000)):
            talk.send(data)
            equal(talk.exactly(len(data)), data, "through the tunnel")


def test_old_clients(system):
    """HTTP/1.0, with and without Host and keep-alive; Connection: close closes."""
    sites.start(system)
    with Talk(SITE, 80) as talk:
        response = talk.ask(b"GET / HTTP/1.0\r\n\r\n")
        equal(response.status, 200, "status")
        check(talk.is_closed(), "still open behind HTTP/1.0")
    with Talk(SITE, 80) as talk:
        for _ in range(3):
            response = talk.ask(get("/", "Connection: keep-alive", version="1.0"))
            equal(response.status, 200, "status")
    with Talk(SITE6, 80) as talk:
        response = talk.ask(get("/", "Connection: close"))
        contains(response.head, "Connection: close", "the head")
        check(talk.is_closed(), "still open behind Connection: close")


def test_everything_closes(system):
    """With all clients gone, no server has a connection left and no local port is in use."""
    sites.start(system)
    sites.everything_closes(system)
