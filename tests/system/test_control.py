# Plans, guards and terms on real traffic: what operators say, and what then happens by itself.
"""System tests; run.py runs them."""

import json
import time

from fleet import FLEET, TARGET, newest, rows_of, shares
from harness import RUN, check, contains, equal
from hawser import Load
from sites import Crowd

SERVICES = FLEET
USERS = 90

# --- plans and guards ----------------------------------------------------------------------------

PLANNED = (["weight", "web/b1", "50"], ["weight", "web/b1", "--file"], ["drain", "web/b1"],
           ["drain", "web/b1", "--by", "10m", "--jitter", "1m"],
           ["drain", "web/b1", "--by", "10m", "--forever"], ["ready", "web/b1"],
           ["maintenance", "web/b1", "--for", "1h"], ["reload"], ["keys", "rotate", "--force"])


def test_plans_are_dry_runs(system):
    """plan VERB is VERB --dry-run, for people and programs, and changes nothing."""
    before = system.balancer.json("status")
    for verb in PLANNED:
        planned, dry = (json.loads(system.done(*line, "--json"))
                        for line in (["plan", *verb], [*verb, "--dry-run"]))
        for reply in (planned, dry):  # a moment from now is another a second later
            for change in reply.get("changes", []):
                change["after"] = change["after"].split(" until ")[0]
            for key in reply.get("keys", []):
                del key["since_unix"]
            reply.pop("next_rotation_unix", None)
        equal(planned, dry, f"JSON of plan {verb}")
        check(system.done("plan", *verb).strip(), f"plan {verb} says nothing")
        check(planned["dry_run"] and not planned["changed"], f"{verb} is no plan")
    after = system.balancer.json("status")
    equal((after["desired_epoch"], after["drift"]), (before["desired_epoch"], []),
          "epoch and drift after the plans")
    equal(system.balancer.json("history", "--limit", "1000")["history"][1:], [],
          "history but for the first key")


def test_a_plan_is_what_happens(system):
    """States, shares and slots of a plan are those there are afterwards."""
    for verb in (["weight", "web/b1", "300"], ["drain", "web/b2"], ["ready", "web/b2"],
                 ["maintenance", "web/b3"], ["ready", "web/b3"], ["weight", "web/b1", "--file"]):
        plan = json.loads(system.done("plan", *verb, "--json"))["plan"]
        system.done(*verb, "--wait" if verb[0] != "drain" else "--reason", *(
            ["plan"] if verb[0] == "drain" else []))
        seen = rows_of(system, "web")
        check(plan["measured"], f"{verb} was not measured: {plan}")
        equal({sum(row[f"slots_{when}"] for row in plan["backends"])
               for when in ("before", "after")}, {65537}, "slots of the table")
        for row in plan["backends"]:
            check(abs(row["slots_after"] / 65537 - row["share_after"]) < 0.001,
                  f"{row['backend']} would have {row['slots_after']} slots after {verb}")
            equal((row["state_after"], round(row["share_after"], 6)),
                  (seen[row["backend"]]["state"], round(seen[row["backend"]]["share"], 6)),
                  f"{row['backend']} after {verb}")
    text = system.done("plan", "drain", "web/b2")
    with Load(TARGET, concurrency=40, requests=0, pause=100, seconds=30):
        system.until_flows("web", "b2")
        plan = json.loads(system.done("plan", "maintenance", "web/b2", "--json"))["plan"]
        ended = {row["backend"]: row["flows_broken"] for row in plan["backends"]}
        check(plan["flows_broken"] == ended["b2"] > 0, f"flows that would end: {ended}")
    for part in ("min_ready  ", "at least 2", "max_draining", "at most 1", "ready -> draining",
                 "33.3 % -> 0.0 %", "dry run: nothing was changed"):
        contains(text, part, "the plan")


def test_guards_refuse(system):
    """Each guard refuses with its numbers; a plan of it exits 3; nothing has changed."""
    system.done("drain", "web/b1")
    for verb in (["drain", "web/b2"], ["maintenance", "web/b2"], ["drain", "web/b2", "--by", "1h"]):
        for part in ("max_draining of service web is 1: 2 of its backends would be leaving",
                     "min_ready of service web is 2: 1 of its backends would take new flows",
                     "--force does it all the same, which is written down"):
            contains(system.refused(3, *verb), part, f"refusal of {verb}")
        done = system.ctl("plan", *verb, "--json")
        equal(done.returncode, 3, f"exit of plan {verb}")
        guards = {g["guard"]: (g["limit"], g["before"], g["after"], g["refused"])
                  for g in json.loads(done.stdout)["plan"]["guards"]}
        equal(guards, {"max_draining": (1, 1, 2, True), "min_ready": (2, 2, 1, True)}, "guards")
        equal(json.loads(done.stderr)["error"]["kind"], "refused", "kind of the error")
        contains(system.ctl("plan", *verb).stdout, "refuses", "the plan for people")
        equal(system.ctl("plan", *verb, "--force").returncode, 0, "exit of a forced plan")
    contains(system.refused(3, "drain", "tight/b1"), "min_ready of service tight is 3", "refusal")
    equal([rows_of(system, s)["b2"]["state"] for s in ("web", "tight")], ["ready"] * 2, "states")
    system.done("ready", "web/b1", "--wait")


def test_force_is_written_down(system):
    """--force passes every guard, says so, and the history has it; without need it is no force."""
    text = system.done("drain", "tight/b1", "--force", "--reason", "fire")
    contains(text, "forced: min_ready of service tight is 3, and 2", "what is said")
    row = newest(system, "--backend", "tight/b1")
    equal((row["after"], row["reason"], row["forced"]), ("drain", "fire", True), "history")
    contains(system.done("history", "--backend", "tight/b1"), "ready -> drain (forced)", "history")
    system.done("ready", "tight/b1", "--wait")
    system.done("drain", "web/b1", "--force")
    equal(newest(system, "--backend", "web/b1")["forced"], False, "forced, where nothing refused")
    system.done("maintenance", "web/b2", "--force", "--wait")
    equal(newest(system, "--backend", "web/b2")["forced"], True, "forced of max_draining")
    for name in ("b1", "b2"):
        system.done("ready", f"web/{name}", "--wait")
    system.balancer.until_ok()


def test_exit_codes(system):
    """0 done, 1 unknown names, 2 usage, 3 refused, 4 too late, 5 nobody there: of every verb."""
    for arguments in (["drain", "web/b9"], ["maintenance", "wab/b1"], ["plan", "ready", "web/b9"],
                      ["events", "--service", "wab"]):
        system.refused(1, *arguments)
    for arguments in (["drain", "web/b1", "--by", "soon"], ["drain", "web/b1", "--jitter", "1s"],
                      ["maintenance", "web/b1", "--for", "0"], ["plan", "status"], ["plan"],
                      ["ready", "web/b1", "--for", "1m"], ["events", "--last", "0"]):
        system.refused(2, *arguments)
    for _ in range(2):
        system.done("keys", "rotate", "--force")
    for arguments in (["keys", "rotate"], ["plan", "keys", "rotate"]):
        contains(system.refused(3, *arguments), "unpin", f"what {arguments} says")
    with Load(TARGET, concurrency=40, requests=0, pause=50, seconds=30) as held:
        system.until_flows("web", "b1")
        system.refused(4, "drain", "web/b1", "--by", "1h", "--wait", "--timeout", "1")
        equal(held.stop()["failed"], 0, "failed requests")
    system.done("drain", "web/b1", "--wait", "--timeout", "20")
    system.done("ready", "web/b1", "--wait")
    for arguments in (["drain", "web/b1"], ["plan", "reload"], ["events", "--follow"]):
        equal(system.ctl(*arguments, socket=f"{RUN}/nobody.sock").returncode, 5, "exit")


# --- terms ---------------------------------------------------------------------------------------

def test_drain_wait_is_not_late(system):
    """drain --wait ends with the last connection, not when its record is forgotten."""
    with Load(TARGET, concurrency=40, requests=0, pause=50, seconds=30) as held:
        system.until_flows("web", "b2")
        held.stop()
    began = time.monotonic()
    system.done("drain", "web/b2", "--wait", "--timeout", "60")
    check(time.monotonic() - began < 5, f"waited {time.monotonic() - began:.1f} s for the closed")
    row = rows_of(system, "web")["b2"]
    check(row["closing_flows"] == row["flows"], f"flows {row['flows']}, {row['closing_flows']}")
    contains(system.done("status"), "backend web/b2 is drained: no flows left, safe to stop",
             "status")
    system.done("ready", "web/b2", "--wait")


def test_sessions_leave_evenly(system):
    """drain --by: users leave evenly until the deadline, and nobody loses a request."""
    term = 10
    with Crowd("10.77.0.100", 88, "--users", USERS, "--at-once", USERS, "--pause", 40) as crowd:
        time.sleep(2)
        began = time.time()
        system.done("drain", "app/b1", "--by", f"{term}s", "--reason", "new kernel")
        row = rows_of(system, "app")["b1"]
        check(abs(row["until_unix"] - began - term) < 2, f"until {row['until_unix']}")
        drift = system.balancer.json("status")["drift"][0]
        contains(drift["runtime"], "drain until 20", "drift")
        time.sleep(term / 2)
        contains(system.done("backends", "app"), "% of sessions let go", "backends")
        time.sleep(term / 2 + 2)
        seen = crowd.stop()
    system.done("ready", "app/b1", "--wait")
    equal(seen["causes"], {}, "failures")
    left = sorted(moves[0][0] - began for moves in seen["moves"].values())
    check(all(len(moves) == 1 and moves[0][1] == "b1" for moves in seen["moves"].values()),
          "somebody moved twice, or from elsewhere")
    check(len(left) > USERS / 6, f"only {len(left)} lived at b1")
    equal(seen["homes"].get("b1", 0), 0, "users left at b1")
    check(left[-1] < term + 1.5, f"the last one left after {left[-1]:.1f} s")
    for part in (0.25, 0.5, 0.75):
        gone = sum(at < term * part for at in left) / len(left)
        check(abs(gone - part) < 0.25, f"{gone:.2f} had left after {part} of the time")


def test_held_connections_end_after_the_deadline(system):
    """drain --by: held connections are reset after the deadline, spread over the jitter."""
    term, jitter = 3, 4
    with Load(TARGET, concurrency=60, requests=0, pause=30, seconds=60, records=True) as held:
        time.sleep(1)
        began = time.time()
        system.done("drain", "web/b2", "--by", f"{term}s", "--jitter", f"{jitter}s")
        time.sleep(term + jitter + 3)
        row = rows_of(system, "web")["b2"]
        held.stop()
        records = held.records()
    system.done("ready", "web/b2", "--wait")
    broken = sorted(r["at"] - began for r in records if r["cause"])
    check(all(r["backend"] == "b2" for r in records if r["cause"]), "others were hurt")
    check(len(broken) >= 10, f"only {len(broken)} connections of b2 were ended")
    check(broken[0] > term - 1.1, f"the first was ended after {broken[0]:.1f} s of {term}")
    check(broken[-1] < term + jitter + 2, f"the last was ended after {broken[-1]:.1f} s")
    check(broken[-1] - broken[0] > jitter / 3, f"all within {broken[-1] - broken[0]:.1f} s")
    equal((row["flows_released"], row["flows"] - row["closing_flows"]), (1, 0), "at the end")


def test_forever_keeps_connections(system):
    """drain --by --forever: past the deadline connections go on."""
    with Load(TARGET, concurrency=30, requests=0, pause=30, seconds=60, records=True) as held:
        time.sleep(1)
        system.done("drain", "web/b2", "--by", "1s", "--forever")
        time.sleep(4)
        at = time.time()
        contains(system.done("backends", "web/b2"), ", flows kept", "backends")
        time.sleep(0.5)
        equal(held.stop()["failed"], 0, "failed requests")
        check(any(r["backend"] == "b2" and r["at"] > at for r in held.records()), "none went on")
    contains(newest(system, "--backend", "web/b2")["after"], ", flows kept", "history")
    system.done("ready", "web/b2", "--wait")


def test_maintenance_ends_by_itself(system):
    """maintenance --for: out at once, back by itself, and the history says why."""
    system.done("maintenance", "web/b3", "--for", "3s", "--reason", "reboot", "--wait")
    row = rows_of(system, "web")["b3"]
    equal((row["state"], row["reason"]), ("maintenance", "reboot"), "state")
    check(0 < row["until_unix"] - time.time() < 4, "until")
    equal(shares(80, 90)["b3"], 0, "share meanwhile")
    system.balancer.until_state("web", "b3", "ready", 8)
    check(shares(80, 200)["b3"] > 0.15, "it gets nothing")
    row = newest(system, "--backend", "web/b3")
    equal((row["author"], row["after"], row["reason"]), ("hawserd", "ready", "its time is over"),
          "history")
    check(row["before"].startswith("maintenance until 20"), row["before"])


def test_terms_survive_hawserd(system):
    """kill -9 of hawserd: deadlines and ends stand, and what was due meanwhile is done."""
    system.done("drain", "web/b1", "--by", "1h", "--jitter", "5m")
    system.done("maintenance", "spread/b2", "--for", "2s", "--wait")
    before = rows_of(system, "web")["b1"]["until_unix"]
    system.balancer.hawserd.kill()
    time.sleep(2.5)
    system.balancer.hawserd.start()
    system.balancer.until(system.balancer.status_applied, "hawserd's return", 30)
    equal(rows_of(system, "web")["b1"]["until_unix"], before, "the deadline")
    system.balancer.until_state("spread", "b2", "ready", 10)
    system.done("ready", "web/b1", "--wait")
    system.balancer.until_ok()
