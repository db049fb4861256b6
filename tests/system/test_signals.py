# What backends tell of themselves by how they take connections, and how many sessions they have.
"""System tests; run.py runs them."""

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import termios
import threading
import time

import services
import sites
from demo_configuration import CHECK, EVEN, service
from harness import HERE, check, contains, equal
from hawser import PYTHON, program
from peers import BACKENDS
from sites import SITE
from talk import Talk, get

HANG, RESET, ERROR = 9301, 9302, 9303
NO_CHECK = 'check = { type = "none" }\n'
SIGNALS = ("refused", "timed_out", "reset", "aborted", "server_errors")


def direct(name, port, backend_port):
    """A nat service that nobody checks."""
    return service(name, SITE, port, EVEN, backend_port, 'forward = "nat"\n').replace(
        CHECK, NO_CHECK.strip())


def read(name, port, backend_port, extra=""):
    return sites.spliced(name, port, backend_port, extra=extra, check=NO_CHECK)


SERVICES = (direct("shut", 81, sites.CLOSED) + direct("hung", 82, HANG)
            + direct("rude", 83, RESET) + direct("good", 84, ERROR)
            + read("shut7", 91, sites.CLOSED) + read("hung7", 92, HANG) + read("rude7", 93, RESET)
            + read("sick7", 94, ERROR)
            + read("shop", 95, ERROR, extra=sites.COOKIE)
            + services.DIRECT + services.UDP)


def start(system):
    for n in BACKENDS:
        system.helper(f"misbehaving{n}", f"backend{n}", PYTHON,
                      os.path.join(HERE, "misbehaving.py"), str(HANG), str(RESET), str(ERROR))
    for n in BACKENDS:
        for port in (HANG, RESET, ERROR):
            system.wait(lambda p=port, s=f"backend{n}": sites.listens(s, p), f"port {port} of {n}")


def rows(system, name):
    return [row for row in system.balancer.json("backends")["backends"] if row["service"] == name]


def told(system, name):
    """What all backends of a service have told: {signal: count}, without zeros, and connects."""
    sums = {key: sum(row[key] for row in rows(system, name)) for key in SIGNALS + ("requests",)}
    return ({key: count for key, count in sums.items() if count},
            sum(row["connects"] for row in rows(system, name)))


def ask(port, path="/", timeout=8):
    with Talk(SITE, port, timeout=timeout) as talk:
        return talk.ask(get(path)).status


def fails(port, error, timeout=6.0, data=b"hello\r\n\r\n"):
    try:
        with Talk(SITE, port, timeout=timeout) as talk:
            talk.send(data)
            talk.until_closed()
    except error:
        return
    check(False, f"port {port} did not fail with {error}")


def test_refusals(system):
    """Nobody listens. Behind nat the client hears it; a spliced request is tried elsewhere."""
    start(system)
    for _ in range(5):
        fails(81, ConnectionRefusedError)
    equal(told(system, "shut"), ({"refused": 5}, 5), "five connections through nat")
    equal(ask(91), 503, "answer when everybody refuses")
    signals, connects = told(system, "shut7")
    equal((signals, connects), ({"refused": 8}, 8), "eight SYNs of one request")


def test_silence(system):
    """The queue of a listening socket is full, so SYNs are dropped."""
    fails(82, TimeoutError, timeout=3.6)  # SYNs after 0, 1 and 3 seconds
    equal(told(system, "hung"), ({"timed_out": 1}, 1), "one connection through nat")
    began = time.monotonic()
    equal(ask(92), 503, "answer when everybody is silent")
    check(1.5 < time.monotonic() - began < 4, f"it took {time.monotonic() - began} s")
    equal(told(system, "hung7"), ({"timed_out": 4}, 4), "two SYNs for each of four attempts")


def test_resets(system):
    """Behind nat a reset after the handshake may be the application's habit: it counts apart."""
    fails(83, ConnectionResetError)
    equal(told(system, "rude"), ({"aborted": 1}, 1), "one connection through nat")
    fails(93, ConnectionResetError, data=get())
    equal(told(system, "rude7"), ({"reset": 1, "requests": 1}, 1), "a request without an answer")


def test_errors(system):
    """Responses 500 of a backend count, those of the balancer do not."""
    with Talk(SITE, 94) as talk:
        statuses = [talk.ask(get(path)).status for path in ("/", "/fine", "/", "/fine", "/fine")]
    equal(statuses, [500, 200, 500, 200, 200], "statuses")
    equal(told(system, "sick7"), ({"server_errors": 2, "requests": 5}, 1), "five requests")
    row = next(row for row in rows(system, "sick7") if row["requests"])
    equal(row["response"]["requests"], 5, "responses that were timed")
    check(0 < row["response"]["p50_microseconds"] <= row["response"]["p99_microseconds"] < 1e6,
          f"times of responses {row['response']}")
    equal(row["handshake"]["requests"], 1, "handshakes that were timed")
    table = system.done("backends", "sick7")
    contains(table.splitlines()[0], "REQUESTS  ERRORS", "columns of backends")
    check("SESSIONS" not in table, "there are no sessions")


def test_handshakes_behind_nat(system):
    """Each is timed while they are few."""
    for _ in range(6):
        with Talk(SITE, 84) as talk:
            equal(talk.ask(get("/fine")).status, 200, "status")
    seen = rows(system, "good")
    equal(sum(row["handshake"]["requests"] for row in seen), 6, "handshakes that were timed")
    for row in seen:
        times = row["handshake"]
        check(times["p50_microseconds"] <= times["p99_microseconds"] < 1e6, f"times {times}")
    equal(told(system, "good"), ({}, 6), "signals of a good backend")


def test_where_no_answer_is_seen(system):
    """dsr and UDP have no signals: that is said, and no zero stands for health."""
    for name in ("direct", "echo"):
        equal([row["has_signals"] for row in rows(system, name)], [False] * 3, f"signals of {name}")
    equal([row["has_signals"] for row in rows(system, "good")], [True] * 3, "signals of nat")
    equal([row["live_sessions"] for row in rows(system, "good")], [None] * 3, "sessions of nat")


def test_live_sessions(system):
    """As many as users with cookies, within three standard deviations of 4.6 %."""
    equal([row["live_sessions"] for row in rows(system, "shop")], [0] * 3, "before")
    ask(95, "/fine")
    equal([row["live_sessions"] for row in rows(system, "shop")], [0] * 3,
          "after a program that keeps no cookies")
    crowd = sites.sessions(SITE, 95, "--users", 600, "--requests", 4, "--path", "/fine")
    equal(crowd["causes"], {}, "failures of users")
    live = {row["name"]: row["live_sessions"] for row in rows(system, "shop")}
    check(abs(sum(live.values()) - 600) < 3 * 0.046 * 600, f"{live} of 600 users")
    view = json.loads(system.done("top", "--once", "--interval", "0.2", "--service", "shop",
                                  "--json"))["backends"]
    equal({row["name"]: row["live_sessions"] for row in view}, live, "sessions in top")
    contains(system.done("backends", "shop").splitlines()[0], "SESSIONS", "columns of backends")


def test_top(system):
    """Requests and errors a second, worst first."""
    stopping = threading.Event()

    def keep_asking():
        with Talk(SITE, 94) as talk:
            while not stopping.wait(0.02):
                talk.ask(get("/"))

    asking = threading.Thread(target=keep_asking)
    asking.start()
    try:
        time.sleep(0.3)
        view = json.loads(system.done("top", "--once", "--interval", "1.5", "--sort", "errors",
                                      "--json"))["backends"]
        table = system.done("top", "--once", "--interval", "0.5", "--sort", "errors")
    finally:
        stopping.set()
        asking.join()
    worst = view[0]
    equal(worst["service"], "sick7", "who has most errors")
    check(5 < worst["errors_per_second"] <= 50, f"errors {worst['errors_per_second']}")
    check(abs(worst["requests_per_second"] - worst["errors_per_second"]) < 3,
          f"requests {worst['requests_per_second']}, errors {worst['errors_per_second']}")
    check(worst["response_p99_microseconds"] > 0, "no latency")
    for title in ("RATIO", "REQUESTS/S", "ERRORS/S", "P50", "P99", "SESSIONS"):
        contains(table.splitlines()[1], title, "columns of top")
    contains(table.splitlines()[2], "sick7/", "first row")


ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def on_terminal(system, lines, columns, *keys):
    """hawserctl top on a terminal of that size; what it had shown after each key."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    with subprocess.Popen([program(system.build, "hawserctl"), "--socket", system.balancer.socket,
                           "top", "--interval", "30"], stdin=slave, stdout=slave,
                          stderr=slave) as process:
        os.close(slave)
        views = []
        for key in ("", *keys):
            os.write(master, key.encode())
            shown = ""
            end = time.monotonic() + 5
            while not shown.endswith("\x1b[J"):
                check(time.monotonic() < end, f"nothing is shown after {key!r}: {shown!r}")
                shown += os.read(master, 65536).decode()
            views.append(ESCAPE.sub("", shown).rstrip().split("\r\n"))
        os.write(master, b"q")
        equal(process.wait(10), 0, "exit of top")
    os.close(master)
    return views


def test_top_on_a_terminal(system):
    """Keys sort and scroll; lines fit the terminal, and the least important columns make room."""
    backends = len(system.balancer.json("backends")["backends"])
    first, by_error, scrolled, last, wide = *on_terminal(
        system, 12, 90, "e", "\x1b[B", "\x1b[F"), on_terminal(system, 12, 200)[0]
    contains(first[0], "sorted by name", "first line")
    contains(by_error[0], "sorted by errors", "first line after e")
    contains(by_error[1], f"rows 1 to 8 of {backends}", "totals")
    contains(scrolled[1], f"rows 2 to 9 of {backends}", "totals after a key down")
    equal(scrolled[3].split()[0], by_error[4].split()[0], "first row after a key down")
    contains(last[1], f"rows {backends - 7} to {backends} of {backends}", "totals at the end")
    for view in (first, by_error, scrolled, last):
        equal(len(view), 11, f"lines of {view}")
        check(max(map(len, view[2:])) <= 90, f"too wide: {view}")
        check("WEIGHT" not in view[2] and "RATIO" in view[2], f"columns {view[2]}")
    contains(wide[2], "WEIGHT", "columns of a wide terminal")
