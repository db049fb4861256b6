# What becomes of sessions: shared connections, void cookies, a dead home, a drain, new keys.
"""System tests; run.py runs them."""

import base64
import json
import os
import random
import sqlite3
import struct
import sys
import time

import sites
from harness import HERE, RUN, Lab, check, contains, equal
from sites import SITE, Crowd, caused
from talk import Talk, User, get, users_of_each

sys.path.insert(0, os.path.join(HERE, "..", "unit"))
from cookie_vectors import session_cookie  # noqa: E402

# The lab's own nginx, which its checks ask too, behind a PROXY header.
LAB_NGINX = 8082
SERVICES = (sites.spliced("web", 80, LAB_NGINX)
            + sites.spliced("mixed", 81, sites.NGINX_PROXIED)
            + sites.spliced("other", 82, LAB_NGINX))
USERS = 120


def test_hundred_users_on_one_connection(system):
    """A proxy mixes 100 users on one connection: each request at its user's home, in order."""
    sites.start(system)
    users = [User(f"mixed-{number}") for number in range(100)]
    order = random.Random(7)
    before = sites.causes(system, "mixed")
    with Talk(SITE, 81, timeout=20) as talk:
        for user in users:
            user.ask(talk, "/uri/first")
        check(all(user.given == 1 for user in users), "somebody got no cookie, or two")
        equal({user.home for user in users}, {"b1", "b2", "b3"}, "homes")
        homes = {user.agent: user.home for user in users}
        for turn in range(4):
            order.shuffle(users)
            for user in users:
                response = user.ask(talk, f"/uri/{turn}")
                equal((response.backend, response.field("x-agent")),
                      (homes[user.agent], user.agent), f"home and user, turn {turn}")
        order.shuffle(users)
        for at in range(0, 100, 10):  # and ten of them at once
            talk.send(b"".join(user.request("/uri/at-once") for user in users[at:at + 10]))
            for user in users[at:at + 10]:
                response = user.take(talk.response())
                equal((response.backend, response.field("x-agent")),
                      (homes[user.agent], user.agent), "home and user, ten at once")
    check(all(user.given == 1 for user in users), "a user was given a second cookie")
    after = sites.causes(system, "mixed")
    equal(after["sessions_kept"] - before["sessions_kept"], 500, "requests kept at home")
    for user in users[:10]:  # by a connection of their own, too
        user.visit(SITE, 81)
        equal(user.home, homes[user.agent], "home on another connection")


def test_first_requests_at_once(system):
    """A browser's first connections, none with a cookie yet, agree on one home."""
    sites.start(system)
    for number in range(6):
        talks = [Talk(SITE, 80) for _ in range(8)]
        users = [User(f"browser-{number}") for _ in talks]
        for user, talk in zip(users, talks):
            talk.send(user.request())
        for user, talk in zip(users, talks):
            with talk:
                user.take(talk.response())
        equal(len({user.home for user in users}), 1, "homes of one browser")
        check(all(user.cookie for user in users), "a response without a cookie")


# --- cookies that do not count -------------------------------------------------------------------

def keys():
    """{id: secret} and the id that signs, as hawserd has them."""
    with sqlite3.connect(f"file:{journal()}?mode=ro", uri=True) as database:
        rows = database.execute("SELECT id, secret FROM cookie_key ORDER BY place").fetchall()
    return {number: secret for number, secret in rows}, rows[0][0]


def journal():
    for folder, _, files in os.walk(f"{RUN}/state"):
        for name in files:
            path = os.path.join(folder, name)
            with open(path, "rb") as stream:
                if stream.read(15) == b"SQLite format 3":
                    return path
    raise AssertionError("hawserd keeps no journal")


class Made:
    """A cookie as the balancer made it, to be made again with something different."""

    def __init__(self, cookie):
        whole = base64.urlsafe_b64decode(cookie + "==")
        (first, self.generation, self.backend, self.session, self.born, self.refreshed,
         self.epoch, _) = struct.unpack(">BHIQIIQB", whole[:32])
        self.key = first & 15
        self.service = "web"

    def cookie(self, secret, **other):
        made = {**vars(self), **other}
        return session_cookie(made["key"], secret, made["service"], made["generation"],
                              made["backend"], made["session"], made["born"], made["refreshed"],
                              made["epoch"])


def void_cookies(good):
    """[(cookie, cause)]"""
    secrets, signs = keys()
    secret = secrets[signs]
    made = Made(good)
    equal(made.cookie(secret), good, "the cookie made anew with the key of the journal")
    now = int(time.time()) // 10
    forged = good[:-4] + ("AAAA" if good[-4:] != "AAAA" else "BBBB")
    stranger = next(number for number in range(16) if number not in secrets)
    return [(forged, "bad_tag"), (made.cookie(bytes(16)), "bad_tag"), (good[:50], "malformed"),
            (good + "A", "malformed"), ("", "malformed"), ("%00" * 18, "malformed"),
            (base64.urlsafe_b64encode(b"\x20" + base64.urlsafe_b64decode(good + "==")[1:])
             .decode().rstrip("="), "bad_version"),
            (made.cookie(secret, refreshed=now - 100, born=now - 100), "idle"),
            (made.cookie(secret, born=now - 4400), "too_old"),
            (made.cookie(secret, refreshed=now + 360), "future"),
            (made.cookie(secret, born=now + 360), "future"),
            (made.cookie(secret, service="other"), "other_service"),
            (made.cookie(secret, key=stranger), "unknown_key")]


def test_void_cookies_are_counted_by_cause(system):
    """Forged, cut, expired, post-dated, foreign, of an unknown key: counted, and as if absent."""
    sites.start(system)
    owner = User("owner")
    owner.visit(SITE, 80)
    fresh = User("somebody").visit(SITE, 80).backend
    for cookie, cause in void_cookies(owner.cookie):
        user = User("somebody")
        user.cookie = cookie
        response, rose = caused(system, "web", lambda u=user: u.visit(SITE, 80))
        equal(rose, {f"cookie {cause}": 1, "requests": 1, "sessions_new": 1},
              f"counted for {cookie}")
        equal((response.status, user.given), (200, 1), f"status and cookies given for {cookie}")
        equal(response.backend, fresh, f"home for {cookie}: that of a user without a cookie")
        check(user.cookie != cookie, "the void cookie came back")
        seen = system.done("why", "web", "--cookie", f"hawser={cookie}")
        contains(seen, "no usable cookie", "why")


def test_cookie_of_a_backend_that_is_gone(system):
    """A sound cookie of an unknown backend: counted, and its session moves with its number."""
    sites.start(system)
    owner = User("gone")
    owner.visit(SITE, 80)
    secrets, signs = keys()
    before = Made(owner.cookie)
    owner.cookie = before.cookie(secrets[signs], backend=before.backend ^ 0x5A5A5A5A)
    _, rose = caused(system, "web", lambda: owner.visit(SITE, 80))
    equal((rose.get("cookie unknown_backend"), rose.get("sessions_moved")), (1, 1), "counted")
    equal((Made(owner.cookie).session, Made(owner.cookie).born), (before.session, before.born),
          "session and birth")


def test_first_usable_cookie_wins(system):
    """Among void cookies and others, over several Cookie headers, the good one is found."""
    sites.start(system)
    for name, users in users_of_each(SITE, 80).items():
        good = users[0].cookie
        fields = (f"Cookie: a=b; hawser={good[:-4]}AAAA; c=d", "Cookie: hawser=short",
                  f"cookie: x=y;hawser={good} ;z", "Cookie: hawser=behind")
        with Talk(SITE, 80) as talk:
            response, rose = caused(system, "web", lambda: talk.ask(get("/", *fields)))
        equal((response.backend, response.all("set-cookie")), (name, []), "home and cookies given")
        equal(rose, {"requests": 1, "sessions_kept": 1}, "counted")


def test_another_services_cookie(system):
    """A cookie of one service is void at another, and that is said."""
    sites.start(system)
    user = User("two-sites")
    user.visit(SITE, 82)
    _, rose = caused(system, "web", lambda: user.visit(SITE, 80))
    equal(rose.get("cookie other_service"), 1, "counted")


# --- homes that change ---------------------------------------------------------------------------

def crowd():
    return Crowd(SITE, 80, "--users", USERS, "--at-once", USERS, "--pause", 40)


def test_new_keys_under_load(system):
    """keys rotate under load: nobody fails or moves, and everybody gets a cookie of the new key."""
    sites.start(system)
    with crowd() as load:
        time.sleep(1)
        system.done("keys", "rotate", "--wait", "--reason", "test")
        time.sleep(1)
        seen = load.stop()
    equal((seen["causes"], seen["moves"]), ({}, {}), "failures and moves")
    equal(seen["cookies"], 2 * USERS, "cookies given: one of each key")


def test_second_rotation_is_refused(system):
    """A second rotation would unpin users: exit 3, unless forced; those seen since stay."""
    sites.start(system)
    before = keys()
    contains(system.refused(3, "keys", "rotate"), "unpin", "the refusal")
    equal(keys(), before, "keys after the refusal")
    with crowd() as load:
        time.sleep(1)
        system.done("keys", "rotate", "--wait", "--force", "--reason", "leaked")
        time.sleep(0.7)
        seen = load.stop()
    equal((seen["causes"], seen["moves"]), ({}, {}), "failures and moves after --force")
    check(keys()[1] != before[1], "--force made no new key")


def test_forced_out_key(system):
    """A cookie of the key before the last is void: unknown_key."""
    sites.start(system)
    user = User("late")
    user.visit(SITE, 80)
    for _ in range(2):
        system.done("keys", "rotate", "--wait", "--force", "--reason", "test")
    _, rose = caused(system, "web", lambda: user.visit(SITE, 80))
    equal(rose.get("cookie unknown_key"), 1, "counted")


def sentence(system, cookie):
    reply = json.loads(system.done("why", "web", "--cookie", f"hawser={cookie}", "--json"))
    return reply["reason"], reply["backend"]


def test_drain_keeps_sessions(system):
    """A home that drains without a deadline keeps its sessions and gets no new ones."""
    sites.start(system)
    user = users_of_each(SITE, 80)["b2"][0]
    system.done("drain", "web/b2", "--reason", "test")
    with Talk(SITE, 80) as kept:
        for _ in range(5):
            user.ask(kept)
    for _ in range(5):
        user.visit(SITE, 80)
    equal((user.home, user.given), ("b2", 1), "home and cookies given")
    contains(sentence(system, user.cookie)[0], "its session's home", "why, while it drains")
    for number in range(20):
        new = User(f"new-{number}")
        new.visit(SITE, 80)
        check(new.home != "b2", "a new user got the draining home")
    system.done("ready", "web/b2", "--wait")


def test_drain_moves_a_session_once(system):
    """A home past its deadline: a new cookie with the next response, and the session stays there."""
    sites.start(system)
    user = users_of_each(SITE, 80)["b2"][0]
    before = user.cookie
    contains(sentence(system, before)[0], "its session's home", "why, at home")
    with Talk(SITE, 80) as kept:
        user.ask(kept)
        system.done("drain", "web/b2", "--by", "1s", "--forever", "--reason", "test")
        system.balancer.until(
            lambda: system.balancer.backends("web")["b2"]["sessions_released"] == 1,
            "the last session to be let go")
        system.balancer.until(system.balancer.status_applied, "the dataplane to follow")
        told, where = sentence(system, before)
        contains(told, "its session's home is gone or takes no requests", "why, drained")
        equal(user.ask(kept).status, 200, "status on the open connection")
        equal((user.home, user.given), (where, 2), "new home (as why said) and cookies given")
        home = user.home
        for _ in range(5):
            user.ask(kept)
    for _ in range(5):
        user.visit(SITE, 80)
    system.done("ready", "web/b2", "--wait")
    for _ in range(5):
        user.visit(SITE, 80)
    equal((user.home, user.given), (home, 2), "home and cookies given, when b2 is back")
    equal(sentence(system, user.cookie)[1], home, "backend that why names")


def test_drain_under_load(system):
    """A deadline under load: no failure, each of its users moves once, nobody else moves."""
    sites.start(system)
    with crowd() as load:
        time.sleep(1)
        system.done("drain", "web/b1", "--by", "2s", "--reason", "test")
        time.sleep(3.5)
        system.done("ready", "web/b1", "--wait")
        time.sleep(0.7)
        seen = load.stop()
    equal(seen["causes"], {}, "failures")
    for number, moves in seen["moves"].items():
        equal((len(moves), moves[0][1], moves[0][3]), (1, "b1", True), f"moves of user {number}")
    check(len(seen["moves"]) > USERS / 6, f"only {len(seen['moves'])} moved")
    equal(seen["homes"].get("b1", 0), 0, "users at b1 after they have moved")


def test_death_of_a_home(system):
    """kill -9 of a home under load: one failed request a user at most, and no one else's."""
    sites.start(system)
    with crowd() as load:
        time.sleep(1.5)
        at = time.time()
        Lab.script("kill", "3")
        time.sleep(3)
        Lab.script("start", "3")
        system.balancer.until_ok()
        seen = load.stop()
    check(seen["moves"], "nobody lived at b3")
    for number, failures in seen["failures"].items():
        equal((len(failures), failures[0][1]), (1, "b3"), f"failures of user {number}: {failures}")
        check(at - 0.5 < failures[0][0] < at + 2.5, f"user {number} failed late: {failures}")
    for number, moves in seen["moves"].items():
        equal([(move[1], move[3]) for move in moves], [("b3", True)],
              f"moves of user {number}: from where, and with a new cookie")
    equal(seen["homes"].get("b3", 0), 0, "users left at b3")
    check(seen["least"] > 20, f"a user was answered only {seen['least']} times")


def test_restarts_forget_nobody(system):
    """Both daemons die and start again: the cookies that are out still name their homes."""
    sites.start(system)
    users = [user for found in users_of_each(SITE, 80, count=5).values() for user in found]
    sites.everything_closes(system)  # an end that is on its way would be lost with the dataplane
    system.wipe()
    system.balancer.hawserd.kill()
    system.balancer.hawserd.start()
    system.balancer.until_ok()
    for user in users:
        home = user.home
        user.visit(SITE, 80)
        equal((user.home, user.given), (home, 1), "home and cookies given after the restarts")


def test_everything_closes(system):
    """With all clients gone, no server has a connection left and no local port is in use."""
    sites.start(system)
    sites.everything_closes(system)
