# Slow start, panic, reloads and events, on real traffic with real servers that die.
"""System tests; run.py runs them."""

import json
import os
import signal
import time

from fleet import FLEET, TARGET, Follower, newest, rows_of, shares
from harness import check, contains, equal
from hawser import Lab, Load, load

SERVICES = FLEET

# --- slow start and panic ------------------------------------------------------------------------

def test_slow_start(system):
    """A backend that comes back begins with a small share, which grows to its whole."""
    system.done("maintenance", "slow/b1", "--wait")
    system.done("ready", "slow/b1", "--wait")
    row = rows_of(system, "slow")["b1"]
    equal((row["state"], row["cause"]), ("starting", "slow start"), "state")
    check(row["weight_now"] < 50 and row["weight"] == 100, f"weight {row['weight_now']}")
    check(0 < row["until_unix"] - time.time() < 7, "until")
    contains(system.done("backends", "slow"), " now)", "backends")
    early = shares(82, 200)["b1"]
    check(early < 0.22, f"share {early:.2f} at the beginning")
    equal([p for p in system.balancer.json("status")["problems"] if "slow/b1" in p["message"]], [],
          "problems")
    system.balancer.until_state("slow", "b1", "ready", 12)
    row = rows_of(system, "slow")["b1"]
    equal((row["weight_now"], row["until_unix"]), (100, 0), "weight and end, when it is over")
    late = shares(82, 400)["b1"]
    check(abs(late - 1 / 3) < 0.08, f"share {late:.2f} at the end")
    contains(system.done("services", "slow"), "6s", "services")


def test_panic(system):
    """All servers gone: refused or spread as configured, and status says what to do."""
    with Follower(system) as events:
        for n in (1, 2, 3):
            Lab.script("kill", str(n))
        system.balancer.until(
            lambda: {s["name"]: s["state"] for s in system.balancer.json("services")["services"]}
            ["web"] == "panic", "panic", 15)
        states = {s["name"]: s for s in system.balancer.json("services")["services"]}
        equal([states[n]["state"] for n in ("web", "spread")], ["panic"] * 2, "states")
        check(states["web"]["panic_since_unix"] > 0, "since")
        text = system.done("status")
        contains(text, 'new clients are refused (on_panic = "refuse")', "status")
        contains(text, 'spread over them all the same (on_panic = "spread")', "status")
        equal(system.ctl("status", "--check").returncode, 1, "exit of status --check")
        shares_now = {n: round(r["share"], 2) for n, r in rows_of(system, "spread").items()}
        equal(shares_now, {"b1": 0.33, "b2": 0.33, "b3": 0.33}, "shares while it spreads")
        _, refused = system.counted(lambda: load(TARGET, connections=3, concurrency=3, timeout=1))
        check(refused["no_backend"] >= 3, f"no_backend rose by {refused['no_backend']}")
        _, spread = system.counted(
            lambda: load("10.77.0.100:83", connections=3, concurrency=3, timeout=1))
        equal(spread["no_backend"], 0, "no_backend of the service that spreads")
        for n in (1, 2, 3):
            Lab.script("start", str(n))
        system.balancer.until_ok(40)
        check(events.has("panic", "service web: panic: every backend is unhealthy: refuse"),
              "there is no event of the panic")
        check(events.has("panic", "service web: panic is over"), "event of the end")
    equal(set(shares(80, 90)), {"b1", "b2", "b3"}, "who answers")


# --- reload --------------------------------------------------------------------------------------

def until_nothing_starts(system):
    """A slow start is a snapshot a second, which would be taken for something else."""
    for name in rows_of(system, "slow"):
        system.balancer.until_state("slow", name, "ready", 15)


def test_reload_touches_only_what_changed(system):
    """A reload of one service: the others' slots stay, and every established connection lives."""
    until_nothing_starts(system)
    with open(system.balancer.file, encoding="utf-8") as stream:
        before = stream.read()
    changed = before.replace('slow_start = "6s"', 'slow_start = "6s"\nmax_flows = 100000', 1)
    line = '{ name = "b2", address = "10.77.0.12", port = 8080, weight = 100 }'
    changed = changed.replace(line, line.replace("100", "50"), 1)
    check(changed.count("weight = 50") == 1, "the test's file was not changed")
    clients = [Load(f"10.77.0.100:{port}", concurrency=12, requests=0, pause=40, seconds=60)
               for port in (80, 81, 82, 88)]
    try:
        time.sleep(0.7)
        system.balancer.write(changed)
        plan = json.loads(system.done("plan", "reload", "--json"))
        equal({row["service"] for row in plan["plan"]["backends"]}, {"web", "slow"},
              "services in the plan")
        equal(rows_of(system, "web")["b2"]["weight"], 100, "weight after the plan")
        system.done("reload", "--reason", "less for b2", "--wait")
        equal(rows_of(system, "web")["b2"]["weight"], 50, "weight")
        time.sleep(0.7)
        for client in clients:
            equal(client.stop()["failed"], 0, "failed requests")
    finally:
        for client in clients:
            client.__exit__()
    row = newest(system)
    equal((row["field"], row["reason"]), ("reload", "less for b2"), "history")
    check(row["author"] not in ("", "hawserd", "SIGHUP"), f"author {row['author']}")
    contains(system.done("history", "--limit", "1"), "reload: ", "history for people")
    epoch = system.balancer.json("status")["desired_epoch"]
    system.done("reload", "--wait")
    equal(system.balancer.json("status")["desired_epoch"], epoch, "epoch after reloading the same")
    system.balancer.write(before)
    os.kill(system.balancer.hawserd.pid, signal.SIGHUP)
    system.balancer.until(lambda: rows_of(system, "web")["b2"]["weight"] == 100, "SIGHUP's reload")
    equal(newest(system)["author"], "SIGHUP", "author of the reload by signal")


def test_a_bad_file_changes_nothing(system):
    """A file with a mistake, by reload, plan and SIGHUP: exit 1, and everything is as it was."""
    with open(system.balancer.file, encoding="utf-8") as stream:
        before = stream.read()
    until_nothing_starts(system)
    epoch = system.balancer.json("status")["desired_epoch"]
    with Follower(system) as events:
        system.balancer.write(before.replace('on_panic = "spread"', 'on_panic = "spraed"', 1))
        for verb in (["reload"], ["plan", "reload"]):
            contains(system.refused(1, *verb), 'did you mean "spread"', f"what {verb} says")
        os.kill(system.balancer.hawserd.pid, signal.SIGHUP)
        system.balancer.until(
            lambda: sum("reload refused" in row["text"] for row in events.seen()) >= 2,
            "the events of two refused reloads")
        check({row["author"] for row in events.seen() if "refused" in row["text"]} >= {"SIGHUP"},
              "author of the event")
    equal(system.balancer.json("status")["desired_epoch"], epoch, "epoch")
    system.balancer.write(before)
    system.done("reload", "--wait")


# --- events --------------------------------------------------------------------------------------

def test_events_follow(system):
    """events --follow tells what happens line by line; the filters apply; Ctrl-C ends it with 0."""
    with Follower(system, "--last", "1") as all_of_them, \
            Follower(system, "--service", "spread") as other:
        time.sleep(0.5)
        system.done("weight", "web/b1", "50", "--reason", "events")
        system.done("drain", "web/b1", "--by", "1h")
        system.done("ready", "web/b1", "--wait")
        system.done("weight", "web/b1", "--file")
        system.done("reload", "--reason", "events")
        system.done("keys", "rotate", "--force", "--reason", "events")
        system.wipe()
        for kind, part in (("change", "weight of web/b1: 100 -> 50"),
                           ("change", "mode of web/b1: ready -> drain until 20"),
                           ("state", "backend web/b1 is draining, was ready: operator"),
                           ("state", "backend web/b1 is ready, was draining"),
                           ("reload", "reloaded "), ("keys", "cookie keys rotated"),
                           ("dataplane", "no dataplane: "),
                           ("dataplane", "connected to hawser-dataplane")):
            system.balancer.until(lambda k=kind, p=part: all_of_them.has(k, p),
                                  f"{kind}: {part}", 10)
        rows = all_of_them.seen()
        numbers = [row["sequence"] for row in rows]
        equal(numbers, list(range(numbers[0], numbers[0] + len(numbers))), "numbers")
        equal({row["reason"] for row in rows[1:] if row["kind"] in ("reload", "keys")}, {"events"},
              "reasons")
        all_of_them.process.send_signal(signal.SIGINT)
        equal(all_of_them.ends(), (0, ""), "exit and words after Ctrl-C")
        check(all(row["service"] == "spread" for row in other.seen()), "the filter")
    system.balancer.until_ok(40)
    text = system.done("events", "--last", "500", "--backend", "web/b1")
    contains(text, "  change     weight of web/b1: 100 -> 50 (", "events for people")
    check("spread/" not in text, "the filter by backend")
    equal(len(system.done("events", "--last", "3", "--json").splitlines()), 3, "lines of --last 3")


def test_events_end_with_hawserd(system):
    """events --follow exits 5 when hawserd goes, by SIGTERM and by kill -9."""
    for end in (lambda daemon: daemon.stop(), lambda daemon: daemon.kill()):
        with Follower(system, "--last", "1") as events:
            system.balancer.until(events.seen, "the first event", 10)
            end(system.balancer.hawserd)
            code, words = events.ends()
            equal(code, 5, f"exit ({words})")
            contains(words, "hawserd is gone", "what is said")
        system.balancer.hawserd.start()
        system.balancer.until_ok()
