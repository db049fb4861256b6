# Rules of a spliced service: what they look at, and what they do.
"""System tests; run.py runs them."""

import time

import sites
from harness import check, contains, equal
from sites import SITE, Crowd, caused
from talk import Talk, User, get

# Rows of (name, what it looks at): each of them denies with a status of its own.
LOOKS = [
    ("exact-method", 'method = "DELETE"', 405),
    ("prefix-host", 'host = { prefix = "old." }', 410),
    ("exact-path", 'path = "/secret"', 404),
    ("prefix-path", 'path = { prefix = "/admin/" }', 403),
    ("regex-path", 'path = { regex = "\\\\.(bak|sql)$" }', 451),
    ("exact-header", 'header = { name = "X-Token", exact = "bad" }', 401),
    ("regex-header", 'header = { name = "User-Agent", regex = "^(curl|bot)/[0-9]+$" }', 418),
    ("prefix-header", 'header = { name = "X-Trace", prefix = "debug-" }', 422),
    ("exact-cookie", 'cookie = { name = "banned", exact = "yes" }', 423),
    ("regex-cookie", 'cookie = { name = "beta", regex = "^v[2-9]" }', 424),
    ("list", 'method = ["PUT", "PATCH"]\npath = ["/read-only", { prefix = "/archive/" }]', 409),
]
RULES = "".join(f'[[service.rule]]\nname = "{name}"\n{what}\ndeny = {status}\n'
                for name, what, status in LOOKS)
REDIRECTS = """\
[[service.rule]]
name = "moved"
path = { prefix = "/moved" }
redirect = { status = 301, location = "https://$host$target" }
[[service.rule]]
name = "login"
path = "/login"
redirect = { location = "/elsewhere" }
"""
ACTIONS = """\
[[service.rule]]
name = "slow-down"
path = "/limited"
rate = { per_second = 5, burst = 5 }
[[service.rule]]
name = "each-source"
path = "/each"
rate = { per_second = 3, burst = 3, by = "source" }
[[service.rule]]
name = "loose"
path = { prefix = "/uri/assets/" }
sticky = false
[[service.rule]]
name = "canary"
header = { name = "X-Release", exact = "new" }
generation = "new"
[[service.rule]]
name = "everybody"
generation = "old"
"""
GENERATIONS = [("b1", "10.77.0.11", 100, "old"), ("b2", "10.77.0.12", 100, "new"),
               ("b3", "10.77.0.13", 100, "old")]
SERVICES = (sites.spliced("looks", 80, sites.NGINX_PROXIED, rules=RULES + REDIRECTS)
            + sites.spliced("acts", 81, sites.NGINX_PROXIED, backends=GENERATIONS, rules=ACTIONS))

# (rule that must match or None, request)
ROWS = [
    ("exact-method", get("/", method="DELETE")),
    (None, get("/", method="DELETED")),
    ("prefix-host", get("/", host="old.example")),
    ("prefix-host", get("/", host="old.example:80")),
    (None, get("/", host="older.example")),
    ("exact-path", get("/secret")),
    ("exact-path", get("/secret?x=1")),
    (None, get("/secret/more")),
    (None, get("/?/secret")),
    ("prefix-path", get("/admin/users")),
    (None, get("/administration")),
    ("regex-path", get("/dump.sql?x=y")),
    ("regex-path", get("http://site/a.bak")),
    (None, get("/dump.sqlite")),
    ("exact-header", get("/", "x-token: bad")),
    ("exact-header", get("/", "X-TOKEN:   bad  ")),
    (None, get("/", "X-Token: badly")),
    ("regex-header", get("/", "User-Agent: bot/7")),
    (None, get("/", "User-Agent: robot/7")),
    ("prefix-header", get("/", "X-Trace: debug-17")),
    (None, get("/", "X-Trace: no debug-17")),
    ("exact-cookie", get("/", "Cookie: a=b; banned=yes; c=d")),
    ("exact-cookie", get("/", "Cookie: a=b", "Cookie: banned=yes")),
    (None, get("/", "Cookie: notbanned=yes; banned=no")),
    ("regex-cookie", get("/", "Cookie: beta=v3.1")),
    (None, get("/", "Cookie: beta=v1")),
    ("list", get("/read-only", method="PUT")),
    ("list", get("/archive/7", method="PATCH")),
    (None, get("/archive/7")),
    (None, get("/elsewhere", method="PUT")),
]


def test_every_way_to_look(system):
    """Method, host, path, header, cookie by text, prefix, expression: denied, counted by rule."""
    sites.start(system)
    status_of = {name: status for name, _, status in LOOKS}
    for rule, request in ROWS:
        with Talk(SITE, 80) as talk:
            response, rose = caused(system, "looks", lambda t=talk, r=request: t.ask(r))
            if rule is None:
                check(response.backend, f"{request!r} did not pass: {response}")
                equal([name for name in rose if name.startswith("rule")], [], f"for {request!r}")
                continue
            equal((response.status, response.field("connection")), (status_of[rule], "close"),
                  f"answer to {request!r}")
            equal((rose.get(f"rule {rule}"), rose.get("denied")), (1, 1), f"for {request!r}")
            check(talk.is_closed(), f"still open after {request!r}")


def test_first_match_wins(system):
    """Several rules match: the first one counts; why and trace name it."""
    sites.start(system)
    with Talk(SITE, 80) as talk:
        equal(talk.ask(get("/admin/x.sql", "X-Token: bad")).status, 403, "status")
    seen = system.done("trace", "looks", "/admin/x.sql", "--header", "X-Token: bad")
    contains(seen, "prefix-path", "trace")
    contains(system.done("why", "looks", "/admin/x.sql"), "403", "why")
    contains(system.done("why", "looks", "/fine"), "goes to b", "why")


def test_rules_on_a_kept_connection(system):
    """The third request on a connection is denied: answered in turn, and then closed."""
    sites.start(system)
    with Talk(SITE, 80) as talk:
        talk.send(get("/uri/1") + get("/uri/2") + get("/secret") + get("/uri/4"))
        for n in (1, 2):
            contains(talk.response().body.decode(), f"/uri/{n}", "a response before")
        equal(talk.response().status, 404, "the denied one")
        check(talk.is_closed(), "still open behind the denial")


def test_redirects(system):
    """redirect: $host and $target stand for the request's own."""
    sites.start(system)
    for request, status, location in (
            (get("/moved/a?b=c&d", host="www.example:8080"), 301,
             "https://www.example/moved/a?b=c&d"),
            (get("http://other.example/moved", host="other.example"), 301,
             "https://other.example/moved"),
            (get("/login", method="POST", body=b"user=1"), 308, "/elsewhere")):
        with Talk(SITE, 80) as talk:
            response, rose = caused(system, "looks", lambda t=talk, r=request: t.ask(r))
            equal((response.status, response.field("location")), (status, location),
                  f"answer to {request!r}")
            equal(rose.get("redirected"), 1, "counted")


def ask_often(path, count, source=None):
    seen = []
    for _ in range(count):
        with Talk(SITE, 81, source=source) as talk:
            seen.append(talk.ask(get(path)).status)
    return seen


def test_rates(system):
    """rate: above it 429, for all together or for each source; then it passes again."""
    sites.start(system)
    seen, rose = caused(system, "acts", lambda: ask_often("/limited", 25))
    check(5 <= seen.count(200) <= 9, f"statuses: {seen}")
    equal(seen.count(429), 25 - seen.count(200), f"the others: {seen}")
    equal(rose["rate"], seen.count(429), "counted")
    for source in ("10.77.0.201", "10.77.0.202"):
        seen = ask_often("/each", 10, source)
        check(3 <= seen.count(200) <= 6, f"statuses of {source}: {seen}")
    time.sleep(1.1)
    equal(ask_often("/limited", 3), [200] * 3, "after a second")


def test_generations(system):
    """generation: the header sends to the new release, all others stay on the old one."""
    sites.start(system)
    for number in range(12):
        user = User(f"release-{number}")
        check(user.visit(SITE, 81).backend in ("b1", "b3"), f"the old release: {user.home}")
        home = user.home
        user.visit(SITE, 81)
        equal((user.home, user.given), (home, 1), "home and cookies given")
        response = user.visit(SITE, 81, "/", "X-Release: new")
        equal((response.backend, user.given), ("b2", 2), "new release, and cookies given")
        with Talk(SITE, 81) as talk:
            fresh = User(f"release-{number}")
            equal(fresh.ask(talk, "/", "X-Release: new").backend, "b2", "first contact")
            check(fresh.ask(talk).backend in ("b1", "b3"), "back on the old release")


def test_not_sticky(system):
    """sticky = false: no cookie, whatever the request brings; others keep theirs."""
    sites.start(system)
    user = User("loose")
    user.visit(SITE, 81)
    cookie = user.cookie
    seen = set()
    for _ in range(30):
        response, rose = caused(system, "acts", lambda: user.visit(SITE, 81, "/uri/assets/a.css"))
        equal((response.all("set-cookie"), "sessions_kept" in rose), ([], False),
              "cookies given, and counted as kept")
        seen.add(response.backend)
    check(len(seen) > 1, f"thirty connections that are not sticky went to {seen} alone")
    fresh = User("nobody")
    fresh.visit(SITE, 81, "/uri/assets/a.css")
    equal((user.cookie, fresh.cookie), (cookie, None), "cookies")


def test_rules_of_a_new_file(system):
    """reload under load: the new rule counts on open connections, too, and nobody fails."""
    sites.start(system)
    with open(system.balancer.file, encoding="utf-8") as stream:
        before = stream.read()
    changed = before.replace('path = "/login"', 'path = "/uri/closed"', 1)
    check(changed != before, "the test's file was not changed")
    user = User("reload")
    with Crowd(SITE, 81, "--users", 40, "--at-once", 40, "--pause", 20) as load, \
            Talk(SITE, 80) as talk:
        equal(user.ask(talk, "/uri/closed").status, 200, "status before")
        time.sleep(0.5)
        system.balancer.write(changed)
        system.done("reload", "--wait")
        equal(user.ask(talk, "/uri/closed").status, 308, "status on the open connection")
        time.sleep(0.5)
        seen = load.stop()
    equal((seen["causes"], seen["moves"]), ({}, {}), "failures and moves")
    system.balancer.write(before)
    system.done("reload", "--wait")
    equal(user.visit(SITE, 80, "/uri/closed").status, 200, "status at the end")
    contains(system.done("why", "looks", "/login"), "308", "why")


def test_everything_closes(system):
    """With all clients gone, no server has a connection left and no local port is in use."""
    sites.start(system)
    sites.everything_closes(system)
