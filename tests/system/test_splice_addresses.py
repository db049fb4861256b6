# Who the client is, for servers behind a spliced service; and servers that refuse or keep silent.
"""System tests; run.py runs them."""

import contextlib
import json
import time

import sites
from harness import Lab, check, equal
from sites import CLIENT, CLIENT6, SITE, SITE6
from talk import Talk, User, get, users_of_each

NO_CHECK = 'check = { type = "none" }\n'
FORWARDED = 'client_address = "x-forwarded-for"\n'
# Nobody listens at b2 (the port is that of origin.py, which the test starts at b1 and b3 alone).
LATE = 8385
SERVICES = (sites.spliced("proxied", 80, sites.ORIGIN_PROXIED)
            + sites.spliced("proxied6", 80, sites.ORIGIN_PROXIED, address=SITE6)
            + sites.spliced("nginx", 81, sites.NGINX_PROXIED)
            + sites.spliced("nginx6", 81, sites.NGINX_PROXIED, address=SITE6)
            + sites.spliced("forwarded", 82, sites.ORIGIN, extra=sites.COOKIE + FORWARDED)
            + sites.spliced("forwarded6", 82, sites.ORIGIN, extra=sites.COOKIE + FORWARDED,
                            address=SITE6)
            + sites.spliced("bare", 83, sites.ORIGIN, extra=sites.COOKIE)
            + sites.spliced("rolling", 84, LATE, check=NO_CHECK)
            + sites.spliced("silent", 85, sites.ORIGIN_PROXIED))
PAIRS = ((SITE, CLIENT), (SITE6, CLIENT6))


def head_of(response):
    return json.loads(response.body)["head"]


def test_proxy_header_tells_the_client(system):
    """proxy-v2: nginx and origin.py learn the client's own address and port, IPv4 and IPv6."""
    sites.start(system)
    for host, source in PAIRS:
        for number in range(12):
            with Talk(host, 80, source) as talk, Talk(host, 81, source) as other:
                user = User(f"address-{number}")
                port = talk.socket.getsockname()[1]
                for _ in range(2):
                    equal(json.loads(user.ask(talk, "/head").body)["client"], f"{source} {port}",
                          "client in the PROXY header")
                port = other.socket.getsockname()[1]
                equal(other.ask(get("/")).field("x-client"), f"{source} {port}",
                      "client that nginx has learnt")


def test_proxy_header_at_every_home(system):
    """proxy-v2: when a connection changes homes, the next server learns the client, too."""
    sites.start(system)
    for host, source in PAIRS:
        users = [found[0] for found in users_of_each(host, 80).values()]
        with Talk(host, 80, source) as talk:
            port = talk.socket.getsockname()[1]
            for user in users * 3:
                seen = json.loads(user.ask(talk, "/head").body)
                equal(seen["client"], f"{source} {port}", "client in the PROXY header")
                equal(seen["head"].encode(), user.request("/head"), "head")


def test_forwarded_for_is_added(system):
    """x-forwarded-for: every request on a connection gets a line with the client's address."""
    sites.start(system)
    for host, source in PAIRS:
        user = User("added")
        with Talk(host, 82, source) as talk:
            for n in range(6):
                request = user.request(f"/head?{n}")
                lines = head_of(user.ask(talk, f"/head?{n}")).split("\r\n")
                equal(lines.count(f"X-Forwarded-For: {source}"), 1, f"lines {lines}")
                lines.remove(f"X-Forwarded-For: {source}")
                equal("\r\n".join(lines).encode(), request, "the rest of the head")


def test_forwarded_for_is_appended(system):
    """x-forwarded-for: what the client sent is kept, its address stands behind it, at the end."""
    sites.start(system)
    for host, source in PAIRS:
        with Talk(host, 82, source) as talk:
            for before in (["X-Forwarded-For: 192.0.2.1"],
                           ["x-forwarded-for: 192.0.2.1, 192.0.2.2"],
                           ["X-Forwarded-For: 192.0.2.1", "X-Other: 1",
                            "X-Forwarded-For: 2001:db8::1"]):
                request = get("/head", *before, "X-Behind: 1")
                wanted = before[-1] + f", {source}"
                seen = head_of(talk.ask(request))
                equal(seen, request.decode().replace(before[-1], wanted), "head")


def test_forwarded_for_with_bodies(system):
    """x-forwarded-for: with bodies, pipelined, in pieces and between homes, bytes stay whole."""
    sites.start(system)
    users = [found[0] for found in users_of_each(SITE, 82).values()] * 4
    with Talk(SITE, 82, CLIENT, timeout=20) as talk:
        requests = [user.request("/head", f"X-Pad: {'p' * 300 * n}", method="POST",
                                 body=bytes([n]) * 777 * n) for n, user in enumerate(users)]
        talk.send(b"".join(requests))
        for n, user in enumerate(users):
            response = user.take(talk.response())
            seen = json.loads(response.body)
            line = f"\r\nX-Forwarded-For: {CLIENT}\r\n"
            equal(seen["head"].count(line), 1, "lines that were added")
            equal(seen["head"].replace(line, "\r\n", 1).encode(),
                  requests[n][:requests[n].index(b"\r\n\r\n") + 4], "head")
            equal(seen["length"], 777 * n, "bytes of the body")
        for n in (1, 4, 7):
            talk.send_slowly(requests[n], size=50)
            seen = json.loads(talk.response().body)
            equal((seen["head"].count(CLIENT), seen["length"]), (1, 777 * n), "in pieces")


def test_client_address_none(system):
    """none: the server sees the request as it was sent, and nothing before it."""
    sites.start(system)
    user = User("none")
    with Talk(SITE, 83, CLIENT) as talk:
        for _ in range(3):
            request = user.request("/head")
            equal(head_of(user.ask(talk, "/head")).encode(), request, "head")


# --- servers that do not answer -------------------------------------------------------------------

def origins(system, places):
    for n in places:
        system.helper(f"late{n}", f"backend{n}", "/usr/bin/python3", f"{sites.HERE}/origin.py",
                      f"b{n}", str(LATE + 1), str(LATE), str(LATE + 2))
        system.wait(lambda n=n: sites.listens(f"backend{n}", LATE), f"the late server of b{n}")


def test_refused_connections_go_elsewhere(system):
    """Rolling: b2's port is closed; every request is answered by another, and no user notices."""
    sites.start(system)
    origins(system, (1, 3))
    seen = sites.sessions(SITE, 84, "--users", 300, "--requests", 4, "--at-once", 30)
    equal((seen["causes"], seen["moves"]), ({}, {}), "failures and moves")
    equal((seen["answered"], set(seen["homes"])), (1200, {"b1", "b3"}), "answers and homes")
    users = [User(f"rolling-{n}") for n in range(30)]
    for user in users:
        user.visit(SITE, 84)
    origins(system, (2,))
    for user in users:
        home = user.home
        user.visit(SITE, 84)
        equal((user.home, user.given), (home, 1), "home and cookies given, now that b2 is back")


def test_home_closes_its_port(system):
    """A home that closes its port between two requests: the user moves, without an error."""
    sites.start(system)
    user = users_of_each(SITE, 84)["b2"][0]
    system.helpers.pop("late2").stop()
    for turn in range(3):
        response = user.visit(SITE, 84)
        equal((response.status, user.given), (200, 2), f"status and cookies given, turn {turn}")
    check(user.home != "b2", "still at b2")
    origins(system, (2,))


@contextlib.contextmanager
def silence(n):
    """Backend n no longer answers what comes from the balancer's nat addresses; checks go on."""
    routes = [("10.77.0.20/32",), ("10.77.0.21/32",), ("fd77::20/128",)]
    for (address,) in routes:
        family = "-6" if ":" in address else "-4"
        Lab.run(f"backend{n}", "ip", family, "route", "add", "blackhole", address)
    try:
        yield
    finally:
        for (address,) in routes:
            family = "-6" if ":" in address else "-4"
            Lab.run(f"backend{n}", "ip", family, "route", "del", "blackhole", address)


def test_silent_home(system):
    """A home that keeps silent: in about half a second another one answers, with a new cookie."""
    sites.start(system)
    user = users_of_each(SITE, 85)["b1"][0]
    with silence(1):
        began = time.monotonic()
        response = user.visit(SITE, 85)
        lasted = time.monotonic() - began
        equal(response.status, 200, "status")
        check(0.3 < lasted < 1.3, f"the answer took {lasted:.2f} s")
        check(user.home != "b1" and user.given == 2, f"home {user.home}, {user.given} cookies")
        began = time.monotonic()
        user.visit(SITE, 85)
        check(time.monotonic() - began < 0.3, "the second request was slow, too")
        home = user.home
    user.visit(SITE, 85)
    equal((user.home, user.given), (home, 2), "home and cookies given, afterwards")


def test_silent_home_on_a_kept_connection(system):
    """The same between two requests of different users on one connection."""
    sites.start(system)
    homes = users_of_each(SITE, 85)
    with Talk(SITE, 85) as talk:
        homes["b2"][0].ask(talk)
        with silence(1):
            began = time.monotonic()
            response = homes["b1"][0].ask(talk)
            check(time.monotonic() - began < 1.3, "the answer took long")
        check(response.backend in ("b2", "b3"), f"answered by {response}")
        equal(homes["b3"][0].ask(talk).backend, "b3", "home of the next user")


def test_everything_closes(system):
    """With all clients gone, no server has a connection left and no local port is in use."""
    sites.start(system)
    sites.everything_closes(system)
