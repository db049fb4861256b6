# What an operator does and asks with hawserctl, and what it does to traffic.
"""System tests; run.py runs them."""

import json
import os
import re
import time

from harness import RUN, check, contains, equal
from hawser import Load, load
from services import STICKY, WEB, WEB6

SERVICES = WEB + WEB6 + STICKY
TARGET = "10.77.0.100:80"
VERDICTS = 40


def shares(connections=600):
    seen = load(TARGET, connections=connections, concurrency=10)
    equal(seen["failed"], 0, f"failed requests ({seen['causes']})")
    return {n: seen["connections_by_backend"].get(n, 0) / connections for n in ("b1", "b2", "b3")}


def test_tables_for_people(system):
    """Every verb that looks prints something for people and JSON for programs."""
    for verb in ("status", "services", "backends", "counters", "flows", "history", "version"):
        check(system.done(verb).strip(), f"{verb} prints nothing")
        json.loads(system.done(verb, "--json"))
    check(system.done("top", "--once").strip(), "top --once prints nothing")
    json.loads(system.done("top", "--once", "--json"))


def test_weight_takes_effect(system):
    """A changed weight changes the shares of new connections."""
    reply = json.loads(system.done("weight", "web/b1", "800", "--reason", "test", "--json"))
    check(reply["epoch"] > 0, "the dataplane did not confirm")
    share = shares()["b1"]
    check(abs(share - 0.8) < 0.05, f"b1 has {share:.2f} of the connections instead of 0.80")


def test_weight_is_drift(system):
    """What differs from the file is shown, with author and reason."""
    drift = system.balancer.json("status")["drift"]
    equal([(d["service"], d["backend"], d["field"], d["file"], d["runtime"], d["reason"])
           for d in drift], [("web", "b1", "weight", "100", "800", "test")], "drift")


def test_weight_is_idempotent(system):
    """The same weight again succeeds and changes nothing."""
    reply = json.loads(system.done("weight", "web/b1", "800", "--json"))
    equal(reply["changes"], [], "changes")


def test_dry_run_changes_nothing(system):
    """--dry-run says what would change, and does not."""
    reply = json.loads(system.done("weight", "web/b1", "7", "--dry-run", "--json"))
    equal([(c["before"], c["after"]) for c in reply["changes"]], [("800", "7")], "changes")
    equal(system.balancer.backends("web")["b1"]["weight"], 800, "weight")


def test_weight_back_to_file(system):
    """`weight --file` gives the weight back to the file."""
    system.done("weight", "web/b1", "--file")
    equal(system.balancer.backends("web")["b1"]["weight"], 100, "weight")
    equal(system.balancer.json("status")["drift"], [], "drift")


def test_drain_keeps_open_connections(system):
    """Draining: no new connection, while the open ones go on; ready brings it back."""
    with Load(TARGET, concurrency=30, requests=0, pause=50, seconds=30, records=True) as held:
        time.sleep(0.7)
        system.done("drain", "web/b2")
        at = time.time()
        equal(system.balancer.backends("web")["b2"]["state"], "draining", "state")
        equal(shares(200)["b2"], 0, "share of the draining backend")
        time.sleep(0.5)
        result = held.stop()
        equal(result["failed"], 0, f"failed requests on open connections ({result['causes']})")
        check(any(r["backend"] == "b2" and r["at"] > at + 0.3 for r in held.records()),
              "open connections to the draining backend did not go on")
    system.done("ready", "web/b2")
    check(shares(300)["b2"] > 0.2, "ready did not bring it back")


def test_drain_waits(system):
    """`drain --wait` returns when the last flow is gone; --timeout gives up with exit 4."""
    with Load(TARGET, concurrency=40, requests=0, pause=50, seconds=30) as held:
        system.until_flows("web", "b3")
        system.refused(4, "drain", "web/b3", "--wait", "--timeout", "1")
        equal(held.stop()["failed"], 0, "failed requests")
    system.done("ready", "web/b3", "--wait")


def test_maintenance_takes_all(system):
    """Maintenance: no traffic at all; open connections are reset and find another backend."""
    with Load(TARGET, concurrency=20, requests=0, pause=30, seconds=30, records=True) as held:
        time.sleep(0.7)
        system.done("maintenance", "web/b1", "--reason", "disk swap", "--wait")
        at = time.time() + 0.3
        time.sleep(1.2)
        held.stop()
        late = [r for r in held.records() if r["at"] > at]
        check(late and all(r["backend"] != "b1" for r in late), "b1 still gets requests")
        check(all(not r["cause"] or r["backend"] == "b1" for r in held.records()),
              "a connection of another backend was hurt")
        check(not [r for r in late if r["cause"]], "requests fail long after the maintenance began")
    row = system.balancer.backends("web")["b1"]
    equal((row["state"], row["reason"]), ("maintenance", "disk swap"), "state and reason")
    system.done("ready", "web/b1", "--wait")
    check(shares(300)["b1"] > 0.2, "ready did not bring it back")


def test_last_backend(system):
    """With every backend in maintenance connections are refused by name; ready heals it."""
    for name in ("b1", "b2", "b3"):
        system.done("maintenance", f"web/{name}", "--force", "--wait")
    seen, counts = system.counted(
        lambda: load(TARGET, connections=5, concurrency=5, timeout=1.5))
    equal(seen["ok"], 0, "requests served by nobody")
    check(counts["no_backend"] >= 5, f"no_backend rose by {counts['no_backend']}")
    equal(system.ctl("status", "--check").returncode, 1, "exit of status --check")
    for name in ("b1", "b2", "b3"):
        system.done("ready", f"web/{name}", "--wait")
    equal(set(shares(90)), {"b1", "b2", "b3"}, "backends that answered")


def test_counters_name_every_verdict(system):
    """counters --json lists every verdict with kind and help."""
    rows = system.balancer.json("counters", "--all")["verdicts"]
    check(len(rows) >= VERDICTS, f"only {len(rows)} verdicts")
    check(all(row["name"] and row["kind"] and row["help"] for row in rows), "a nameless row")


def test_flows_filters(system):
    """flows filters by service, backend and client."""
    sources = "10.77.0.201,10.77.0.202"
    with Load(TARGET, concurrency=20, requests=0, pause=100, seconds=30, sources=sources) as held:
        time.sleep(1)
        every = system.balancer.json("flows", "--service", "web")["flows"]
        check(len(every) >= 20, f"{len(every)} flows of web")
        equal({f["service"] for f in every}, {"web"}, "services")
        some = system.balancer.json("flows", "--backend", "web/b1")["flows"]
        equal({f["backend"] for f in some}, {"b1"}, "backends")
        mine = system.balancer.json("flows", "--client", "10.77.0.202")["flows"]
        check(mine, "no flow of this client")
        check(all(f["client"].startswith("10.77.0.202:") for f in mine), "a foreign client")
        net = system.balancer.json("flows", "--client", "10.77.0.200/29")["flows"]
        check(len(net) > len(mine), "the prefix does not cover both clients")
        equal(len(system.balancer.json("flows", "--limit", "3")["flows"]), 3, "rows")
        equal(system.balancer.json("flows", "--service", "sticky")["flows"], [], "flows of sticky")
        held.stop()


def test_unknown_names(system):
    """An unknown backend or service is refused and the nearest one named."""
    contains(system.refused(1, "weight", "web/b9", "5"), 'did you mean "b', "the message")
    contains(system.refused(1, "drain", "wab/b1"), "web", "the message")
    system.refused(1, "backends", "nothing")
    contains(system.refused(2, "drain", "b1"), '"web", "web6"', "what is said to an ambiguous name")


def test_usage(system):
    """A wrong command line exits 2 and says what is wrong."""
    for arguments in (["weight", "web/b1", "0"], ["weight", "web/b1", "1001"],
                      ["weight", "web/b1", "many"], ["weight", "web/b1"], ["drain"],
                      ["status", "--jsn"], ["wieght", "web/b1", "5"],
                      ["flows", "--client", "300.1.1.1"]):
        system.refused(2, *arguments)


def test_unreachable(system):
    """Without hawserd hawserctl exits 5."""
    done = system.ctl("status", socket=f"{RUN}/nobody.sock")
    equal(done.returncode, 5, "exit")
    contains(done.stderr, "nobody.sock", "the message")


def test_read_only_socket(system):
    """The read-only twin answers questions and refuses changes."""
    twin = f"{RUN}/hawserd-ro.sock"
    equal(system.ctl("status", socket=twin).returncode, 0, "exit of status")
    done = system.ctl("weight", "web/b1", "5", socket=twin)
    check(done.returncode not in (0, 2), f"a change was accepted ({done.returncode})")
    equal(system.balancer.backends("web")["b1"]["weight"], 100, "weight")


def test_socket_modes(system):
    """The admin sockets are not for everyone; their twins are."""
    for name in ("hawserd", "dataplane"):
        admin = os.stat(f"{RUN}/{name}.sock").st_mode & 0o777
        twin = os.stat(f"{RUN}/{name}-ro.sock").st_mode & 0o777
        equal(admin & 0o007, 0, f"mode of {name}.sock for others ({admin:o})")
        equal(twin & 0o002, 0o002, f"mode of {name}-ro.sock for others ({twin:o})")


def test_reload_applies(system):
    """reload takes over a changed file; nobody's open connection notices."""
    with open(system.balancer.file, encoding="utf-8") as stream:
        before = stream.read()
    changed = before.replace('{ name = "b1", address = "10.77.0.11", port = 8080, weight = 100 }',
                             '{ name = "b1", address = "10.77.0.11", port = 8080, weight = 300 }', 1)
    check(changed != before, "the test's file was not changed")
    with Load(TARGET, concurrency=20, requests=0, pause=50, seconds=30) as held:
        time.sleep(0.5)
        system.balancer.write(changed)
        contains(system.done("reload", "--dry-run"), "300", "what reload --dry-run prints")
        equal(system.balancer.backends("web")["b1"]["weight"], 100, "weight after the dry run")
        system.done("reload", "--wait")
        equal(system.balancer.backends("web")["b1"]["weight"], 300, "weight")
        time.sleep(0.5)
        equal(held.stop()["failed"], 0, "failed requests")
    system.balancer.write(before)
    system.done("reload", "--wait")
    equal(system.balancer.backends("web")["b1"]["weight"], 100, "weight at the end")


def test_reload_refuses_a_bad_file(system):
    """A bad file is refused whole with line and column; the old one stays in force."""
    with open(system.balancer.file, encoding="utf-8") as stream:
        before = stream.read()
    system.balancer.write(before.replace("weight = 100 }", "wieght = 100 }", 1))
    message = system.refused(1, "reload")
    contains(message, "hawser.toml:", "the message")
    contains(message, 'did you mean "weight"', "the message")
    system.balancer.write(before)
    check(shares(60), "traffic stopped")
    equal(system.ctl("status", "--check").returncode, 0, "exit of status --check")


def history(system, *arguments):
    return system.balancer.json("history", *arguments)["history"]


def told(rows, *keys):
    return [tuple(row[key] for key in keys) for row in rows]


def test_history(system):
    """Every change is in the history with author, reason and moment, the newest first."""
    began = int(time.time())
    system.done("weight", "web/b1", "300", "--reason", "new kernel")
    system.done("weight", "web/b1", "300", "--reason", "so already")
    system.done("weight", "web/b1", "7", "--dry-run", "--reason", "only asked")
    system.refused(2, "weight", "web/b1", "0", "--reason", "no such weight")
    system.done("drain", "web/b2", "--reason", "disk swap")
    system.done("ready", "web/b2")
    system.done("keys", "rotate", "--reason", "quarterly")
    rows = history(system, "--limit", "4")
    equal(told(rows, "service", "backend", "field", "before", "after", "reason"),
          [("", "", "cookie_key", "0", "1", "quarterly"),
           ("web", "b2", "mode", "drain", "ready", ""),
           ("web", "b2", "mode", "ready", "drain", "disk swap"),
           ("web", "b1", "weight", "100", "300", "new kernel")], "the last four changes")
    system.done("weight", "web/b1", "301", "--reason", "next")
    drift = system.balancer.json("status")["drift"][0]
    equal({row["author"] for row in rows}, {drift["author"]}, "authors")
    check(all(began <= row["at_unix"] <= time.time() for row in rows), f"moments of {rows}")
    system.done("weight", "web/b1", "--file", "--reason", "enough")
    equal(told(history(system, "--limit", "1"), "before", "after", "reason"),
          [("301", "100", "enough")], "the change back")
    equal(told(history(system, "--limit", "1000")[-1:], "author", "field", "reason"),
          [("hawserd", "cookie_key", "the first key")], "the first entry of all")


def test_history_for_people(system):
    """The table has one row a change; older ones are mentioned beside it."""
    done = system.ctl("history", "--limit", "6")
    equal(done.returncode, 0, "exit")
    lines = done.stdout.splitlines()
    equal((len(lines), lines[0].split()), (7, ["WHEN", "UTC", "WHO", "WHAT", "WHY"]), "the table")
    moment = r"(just now|\d+ (s|min) ago) +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +\S+ +"
    for line, what in ((lines[1], r"web/b1 weight 301 -> 100 +enough"),
                       (lines[3], r"cookie_key 0 -> 1 +quarterly"),
                       (lines[4], r"web/b2 mode drain -> ready +-"),
                       (lines[5], r"web/b2 mode ready -> drain +disk swap")):
        check(re.fullmatch(moment + what, line), f"row {line!r} instead of {what}")
    contains(done.stderr, "older changes than these 6: raise --limit", "what is said besides")
    equal(system.ctl("history", "--limit", "1000").stderr, "", "what is said of all")


def test_history_filters(system):
    """history filters by service, backend and number."""
    system.done("weight", "sticky/b1", "50", "--reason", "sticky too")
    system.done("weight", "sticky/b1", "--file")
    every = history(system, "--limit", "1000")
    for arguments, wanted in (
            (["--service", "web"], lambda row: row["service"] == "web"),
            (["--backend", "web/b2"],
             lambda row: (row["service"], row["backend"]) == ("web", "b2")),
            (["--backend", "b1"], lambda row: row["backend"] == "b1"),
            (["--service", "sticky", "--backend", "b1"], lambda row: row["service"] == "sticky")):
        rows = [row for row in every if wanted(row)]
        check(2 <= len(rows) < len(every), f"{len(rows)} changes for {arguments}")
        equal(history(system, *arguments, "--limit", "1000"), rows, f"history {arguments}")
        one = system.balancer.json("history", *arguments, "--limit", "1")
        equal((one["history"], one["truncated"]), (rows[:1], True), f"the newest of {arguments}")
    equal(len(history(system)), min(len(every), 20), "entries without --limit")


def test_history_of_unknown_names(system):
    """A name that is nowhere is refused and the nearest named; a configured one has no changes."""
    equal(history(system, "--service", "web6"), [], "changes of web6")
    equal(system.done("history", "--service", "web6"), "nothing was changed yet\n", "the text")
    contains(system.refused(1, "history", "--service", "wab"), 'did you mean "web', "the message")
    contains(system.refused(1, "history", "--backend", "web/b9"), 'no backend "b9"', "the message")
    for arguments in (["--limit", "0"], ["--limit", "1001"], ["web"],
                      ["--service", "web6", "--backend", "web/b1"]):
        system.refused(2, "history", *arguments)


def test_history_of_what_is_gone(system):
    """A backend that leaves the file keeps its history, with what was dropped by it."""
    with open(system.balancer.file, encoding="utf-8") as stream:
        before = stream.read()
    system.done("weight", "web/b3", "77", "--reason", "before it goes")
    line = '  { name = "b3", address = "10.77.0.13", port = 8080, weight = 100 },\n'
    check(line in before, "the test's file has no b3")
    system.balancer.write(before.replace(line, "", 1))
    system.done("reload", "--wait")
    check("b3" not in system.balancer.backends("web"), "b3 is still there")
    rows = history(system, "--backend", "web/b3", "--limit", "2")
    system.balancer.write(before)
    system.done("reload", "--wait")
    system.balancer.until_ok()
    equal(told(rows, "field", "before", "after"),
          [("weight", "77", ""), ("weight", "100", "77")], "changes of what is gone")
    equal((rows[0]["author"], rows[1]["reason"]), ("hawserd", "before it goes"), "who and why")
    contains(rows[0]["reason"], "not in the configuration file any more", "why it was dropped")


def test_history_survives(system):
    """After kill -9 of hawserd the history is as it was; everybody may read it."""
    before = history(system, "--limit", "1000")
    system.balancer.hawserd.kill()
    system.balancer.hawserd.start()
    system.balancer.until_ok()
    equal(history(system, "--limit", "1000"), before, "the history")
    done = system.ctl("history", "--limit", "1000", "--json", socket=f"{RUN}/hawserd-ro.sock")
    equal((done.returncode, json.loads(done.stdout)["history"]), (0, before),
          "what the read-only socket tells")
