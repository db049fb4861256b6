# What the daemons tell systemd: ready, reloading, stopping, their status, and that nothing hangs.
"""System tests; run.py runs them."""

import os
import signal
import socket
import time

from harness import RUN, check, contains, equal
from hawser import load
from services import WEB
from watcher import Frozen, Manager, threads

SERVICES = WEB
TARGET = "10.77.0.100:80"
WATCHDOG = 3.0  # seconds; both daemons say that they live at half of it
# hawserd has three seconds of patience with a part that is idle by nature.
PATIENCE = 3.0


def restart(system, daemon, on_ready=None):
    """The daemon starts anew with a manager that listens; returns the manager."""
    equal(daemon.stop(), 0, f"exit of {daemon.name}")
    manager = Manager(daemon.name, WATCHDOG)
    manager.on_ready = on_ready
    daemon.environment.update(manager.environment)
    daemon.start()
    manager.wait("READY", timeout=60)
    system.managers = getattr(system, "managers", {})
    system.managers[daemon.name] = manager
    return manager


def fed(manager, seconds):
    """How often the watchdog is fed within a time."""
    since = time.monotonic()
    time.sleep(seconds)
    return len(manager.moments("WATCHDOG", since))


def hangs(manager, frozen, patience, what):
    """The watchdog must starve while these threads hang, and be fed when they go on."""
    for one in frozen:
        one.__enter__()
    try:
        time.sleep(patience + WATCHDOG)
        equal(fed(manager, 2 * WATCHDOG), 0, f"times the watchdog was fed while {what} hung")
    finally:
        for one in frozen:
            one.__exit__()
    manager.wait("WATCHDOG", 2, since=time.monotonic(), timeout=20)


def test_hawserd_is_ready_when_its_socket_answers(system):
    """READY comes when hawserctl gets an answer, not before; the status says how it is."""
    answers = []

    def ask():
        answers.append(system.ctl("version").returncode)

    manager = restart(system, system.balancer.hawserd, ask)
    equal(answers, [0], "exit of hawserctl version in the moment of READY")
    system.balancer.until_ok()
    manager.wait("STATUS", value="applied, 3 of 3 backends serve")
    equal(manager.values("READY"), ["1"], "READY")


def test_hawserd_status_is_current(system):
    """The status follows what operators do."""
    manager = system.managers["hawserd"]
    since = time.monotonic()
    system.done("drain", "web/b2", "--reason", "status")
    moment = manager.wait("STATUS", since=since, value="applied, 2 of 3 backends serve", timeout=5)
    check(moment - since < 3, f"the status came after {moment - since:.1f} s")
    since = time.monotonic()
    system.done("ready", "web/b2")
    manager.wait("STATUS", since=since, value="applied, 3 of 3 backends serve", timeout=5)


def test_hawserd_feeds_the_watchdog(system):
    """WATCHDOG=1 comes at half the interval, and never later than the interval."""
    manager = system.managers["hawserd"]
    since = time.monotonic()
    manager.wait("WATCHDOG", 6, since=since, timeout=12)
    moments = manager.moments("WATCHDOG", since)
    gaps = [later - earlier for earlier, later in zip(moments, moments[1:])]
    check(max(gaps) < WATCHDOG, f"a pause of {max(gaps):.2f} s")
    check(len(moments) < 12, f"{len(moments)} times within {time.monotonic() - since:.1f} s")


def test_reloads_are_told(system):
    """RELOADING with its moment, then READY, around SIGHUP and `hawserctl reload`; not a dry run."""
    manager = system.managers["hawserd"]

    def by_signal():
        os.kill(system.balancer.hawserd.pid, signal.SIGHUP)

    for name, reload in (("SIGHUP", by_signal), ("hawserctl", lambda: system.done("reload"))):
        since = time.monotonic()
        reload()
        manager.wait("READY", since=since, timeout=10)
        equal(manager.order(since, "RELOADING", "MONOTONIC_USEC", "READY"),
              ["RELOADING", "MONOTONIC_USEC", "READY"], f"what {name} makes it tell")
        told = int(manager.values("MONOTONIC_USEC")[-1]) / 1e6
        check(since <= told <= time.monotonic(), f"the moment {told} of {name}")
    since = time.monotonic()
    system.done("reload", "--dry-run")
    equal(manager.order(since, "RELOADING", "READY"), [], "what a dry run makes it tell")


def test_a_hung_thread_of_checks_starves_the_watchdog(system):
    """When the loop of health checks hangs, the watchdog is not fed; when it goes on, it is."""
    manager = system.managers["hawserd"]
    found = threads(system.balancer.hawserd.pid, "hawserd-checks")
    equal(len(found), 1, "threads of checks")
    hangs(manager, [Frozen(found[0])], PATIENCE, "the checks")
    contains(system.balancer.hawserd.tail(20), "the loop of checks has stood still", "the log")


def test_hung_sockets_starve_the_watchdog(system):
    """The same when the threads that serve gRPC hang."""
    manager = system.managers["hawserd"]
    pid = system.balancer.hawserd.pid
    others = set(threads(pid, "")) - set(threads(pid, "hawserd-checks"))
    others -= set(threads(pid, "hawserd-vigil"))
    check(len(others) >= 3, f"only {len(others)} threads besides checks and vigil")
    hangs(manager, [Frozen(thread) for thread in others], PATIENCE, "gRPC")
    equal(system.ctl("status").returncode, 0, "exit of hawserctl status afterwards")


def test_hawserd_tells_that_it_stops(system):
    """STOPPING is the last but the watchdog's word, and it ends well."""
    manager = system.managers["hawserd"]
    since = time.monotonic()
    equal(system.balancer.hawserd.stop(), 0, "exit")
    manager.wait("STOPPING", since=since, timeout=1)
    equal(manager.order(since, "STOPPING", "READY"), ["STOPPING"], "what it told")
    for key in manager.environment:
        system.balancer.hawserd.environment.pop(key)
    manager.close()
    system.balancer.hawserd.start()
    system.balancer.until_ok()


def test_dataplane_is_ready_when_it_forwards(system):
    """READY comes when its socket takes connections and the TAP is there."""
    seen = []

    def look():
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            seen.append(probe.connect_ex(f"{RUN}/dataplane.sock"))

    manager = restart(system, system.balancer.dataplane, look)
    equal(seen, [0], "connecting to its socket in the moment of READY")
    contains(system.balancer.dataplane.tail(20), "forwarding on 1 ports", "its log at READY")
    system.balancer.until_ok()
    equal(load(TARGET, connections=20, concurrency=5)["failed"], 0, "failed requests")
    manager.wait("STATUS", value="epoch ", timeout=15)
    equal(manager.values("READY"), ["1"], "READY")


def test_dataplane_status_has_the_rate(system):
    """The status says the epoch and packets a second."""
    manager = system.managers["hawser-dataplane"]
    since = time.monotonic()
    while not any("epoch" in text and " 0 packets/s" not in text
                  for text in manager.values("STATUS")):
        check(time.monotonic() < since + 20, f"no rate in {manager.values('STATUS')[-3:]}")
        load(TARGET, connections=50, concurrency=5)
    status = system.balancer.json("status")
    epoch = status["applied_epoch"]
    contains(manager.values("STATUS")[-1], f"epoch {epoch} in force, ", "the status")


def test_a_hung_worker_starves_the_watchdog(system):
    """The dataplane feeds the watchdog until a worker hangs, and again when it goes on."""
    manager = system.managers["hawser-dataplane"]
    check(fed(manager, 2 * WATCHDOG) >= 3, "the watchdog is not fed")
    pid = system.balancer.dataplane.pid
    workers = threads(pid, "lcore-worker") or threads(pid, "rte-worker")
    equal(len(workers), 1, "worker threads")
    hangs(manager, [Frozen(workers[0])], 0, "the worker")
    contains(system.balancer.dataplane.tail(20), "hangs; the watchdog is not told", "its log")


def test_a_hung_main_core_starves_the_watchdog(system):
    """The same when the main thread hangs, while the worker forwards on."""
    manager = system.managers["hawser-dataplane"]
    with Frozen(system.balancer.dataplane.pid):
        time.sleep(WATCHDOG)
        equal(fed(manager, 2 * WATCHDOG), 0, "times the watchdog was fed")
        equal(load(TARGET, connections=20, concurrency=5)["failed"], 0, "failed requests")
    manager.wait("WATCHDOG", 2, since=time.monotonic(), timeout=20)


def test_dataplane_tells_that_it_stops(system):
    """STOPPING, and it ends well."""
    manager = system.managers["hawser-dataplane"]
    equal(system.balancer.dataplane.stop(), 0, "exit")
    manager.wait("STOPPING", timeout=1)
    for key in manager.environment:
        system.balancer.dataplane.environment.pop(key)
    manager.close()
    system.balancer.dataplane.start()
    system.balancer.until_ok(60)
