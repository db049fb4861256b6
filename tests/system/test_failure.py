# What happens when something dies: backends, hawserd, the dataplane.
"""System tests; run.py runs them."""

import json
import time

from harness import RUN, Lab, check, contains, equal
from hawser import Load, load
from services import STICKY, WEB, WEB6

SERVICES = WEB + WEB6 + STICKY
TARGET = "10.77.0.100:80"


def test_failed_check_takes_a_backend_down(system):
    """A backend that dies is taken down with its cause, and comes back by itself."""
    Lab.script("kill", "1")
    try:
        row = system.balancer.until(
            lambda: (lambda r: r if r["state"] == "down" else None)(
                system.balancer.backends("web")["b1"]), "b1 to be down", 10)
        contains(row["cause"] + row["check_result"], "refused", "the cause")
        equal(load(TARGET, connections=150, concurrency=10)["failed"], 0, "failed requests")
        equal(system.ctl("status", "--check").returncode, 1, "exit of status --check")
        contains(json.dumps(system.balancer.json("status")["problems"]), "b1", "the problems")
    finally:
        Lab.script("start", "1")
    system.balancer.until_state("web", "b1", "ready")
    system.balancer.until_ok()
    check(load(TARGET, connections=150, concurrency=10)["connections_by_backend"].get("b1"),
          "b1 does not get requests again")


def test_open_connections_are_reset(system):
    """Connections to a backend that vanished silently are reset once it is down."""
    with Load(TARGET, concurrency=20, requests=0, pause=100, seconds=30, records=True,
              timeout=6) as held:
        time.sleep(0.7)
        # The bridge's end of the cable: the backend keeps its addresses and routes.
        Lab.run("fabric", "ip", "link", "set", "backend2-data", "down")
        try:
            system.balancer.until_state("web", "b2", "down", 15)
            time.sleep(1.5)
            held.stop()
            failed = [r for r in held.records() if r["cause"]]
            check(failed, "no connection of the vanished backend failed")
            equal({r["backend"] for r in failed if r["backend"]} - {"b2"}, set(),
                  "other backends whose connections failed")
            check(any(r["cause"] == "reset" for r in failed), "no connection was reset")
        finally:
            Lab.run("fabric", "ip", "link", "set", "backend2-data", "up")
    for service in ("web", "web6", "sticky"):
        system.balancer.until_state(service, "b2", "ready", 30)
    system.balancer.until_ok()


def test_hawserd_killed_under_load(system):
    """hawserd is killed and started again under load: no request fails, intent is kept."""
    system.done("weight", "web/b1", "300", "--reason", "keep me", "--wait")
    system.done("drain", "web/b3", "--reason", "keep me too")
    with Load(TARGET, concurrency=10, pause=5, seconds=60) as fresh:
        with Load(TARGET, concurrency=20, requests=0, pause=30, seconds=60) as staying:
            time.sleep(0.5)
            system.balancer.hawserd.kill()
            time.sleep(1.5)
            system.balancer.hawserd.start()
            system.balancer.until(system.balancer.status_applied, "hawserd's return", 30)
            time.sleep(1)
            one, two = fresh.stop(), staying.stop()
    equal(one["failed"] + two["failed"], 0, f"failed requests ({one['causes']}{two['causes']})")
    rows = system.balancer.backends("web")
    equal(rows["b1"]["weight"], 300, "weight kept")
    equal((rows["b3"]["state"], rows["b3"]["reason"]), ("draining", "keep me too"), "state kept")
    check("b3" not in one["connections_by_backend"], "the draining backend got new connections")
    system.done("weight", "web/b1", "--file")
    system.done("ready", "web/b3", "--wait")


def test_hawserd_stops_gracefully(system):
    """hawserd ends with 0 on SIGTERM, and the dataplane goes on forwarding without it."""
    equal(system.balancer.hawserd.stop(), 0, "exit of hawserd")
    seen = load(TARGET, connections=200, concurrency=10)
    equal(seen["failed"], 0, "failed requests")
    equal(system.ctl("status").returncode, 5, "exit of hawserctl")
    system.balancer.hawserd.start()
    system.balancer.until_ok()


def test_adopts_a_running_dataplane(system):
    """A hawserd that returns does not make the dataplane start over: its flows are kept."""
    before = system.balancer.json("status")["dataplane"]["uptime_seconds"]
    with Load(TARGET, concurrency=10, requests=0, pause=100, seconds=30) as held:
        time.sleep(0.5)
        flows = system.balancer.json("status")["flows"]
        system.balancer.hawserd.kill()
        system.balancer.hawserd.start()
        status = system.balancer.until_ok()
        check(status["flows"] >= flows - 2, f"{status['flows']} flows of {flows} are left")
        check(status["dataplane"]["uptime_seconds"] >= before, "the dataplane was restarted")
        equal(held.stop()["failed"], 0, "failed requests")


def test_lost_state_directory(system):
    """A hawserd without its state adopts the running dataplane and says nothing wrong."""
    system.balancer.hawserd.stop()
    Lab.run("balancer", "sh", "-c", f"rm -rf {RUN}/state/*")
    system.balancer.hawserd.start()
    system.balancer.until_ok()
    equal(load(TARGET, connections=100, concurrency=10)["failed"], 0, "failed requests")


def test_dataplane_restart(system):
    """A killed dataplane that starts again gets its snapshot from hawserd by itself."""
    system.balancer.dataplane.kill()
    system.balancer.until_disconnected()
    system.balancer.dataplane.start()
    system.balancer.until_ok(60)
    # The backends still remember connections from the same nat ports; TCP sorts that out.
    seen = load(TARGET, connections=200, concurrency=10, timeout=20)
    equal(seen["failed"], 0, f"failed requests ({seen['causes']})")


def test_dataplane_stops_gracefully(system):
    """The dataplane ends with 0 on SIGTERM, removes its sockets and its TAP, and starts again."""
    equal(system.balancer.dataplane.stop(), 0, "exit of the dataplane")
    check("hawser0" not in Lab.run("balancer", "ip", "-br", "link").stdout, "the TAP is left behind")
    status = system.balancer.until_disconnected()
    check(status["problems"], "status names no problem")
    system.balancer.dataplane.start()
    system.balancer.until_ok(60)


def test_frozen_dataplane(system):
    """A dataplane that does not answer makes changes time out with exit 4; they apply later."""
    system.balancer.dataplane.process.send_signal(19)  # SIGSTOP
    try:
        done = system.ctl("weight", "web/b2", "321", "--wait", "--timeout", "3")
        equal(done.returncode, 4, f"exit ({done.stderr!r})")
    finally:
        system.balancer.dataplane.process.send_signal(18)  # SIGCONT
    system.balancer.until_ok(30)
    equal(system.balancer.backends("web")["b2"]["weight"], 321, "weight")
    seen = load(TARGET, connections=600, concurrency=10)
    share = seen["connections_by_backend"]["b2"] / 600
    check(abs(share - 321 / 521) < 0.08, f"b2 has {share:.2f} of the connections")
    system.done("weight", "web/b2", "--file")
