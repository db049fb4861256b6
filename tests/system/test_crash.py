# hawserd is killed at random moments while operators change things: what was acknowledged counts.
"""System tests; run.py runs them."""

import os
import random
import statistics
import subprocess
import threading
import time

from harness import RUN, check, equal
from services import WEB

SERVICES = WEB
ROUNDS = 50
# The kill comes before this many changes in a row could have been made.
CHANGES = 6
WEIGHTS = range(1, 1001)


class Model:
    """What operators were promised: settings by backend, and the history's reasons, oldest first."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.settings = {name: {"weight": 100, "mode": "ready"} for name in ("b1", "b2", "b3")}
        self.history = []
        self.number = 0

    def next_change(self):
        """A change that changes something: (backend, field, value, reason, words of hawserctl)."""
        self.number += 1
        reason = f"change {self.number}"
        if self.random.random() < 0.4:
            # One of three at a time, so that no guard has a say.
            away = [n for n, s in self.settings.items() if s["mode"] != "ready"]
            name = away[0] if away else self.random.choice(sorted(self.settings))
            value = "ready" if away else self.random.choice(("drain", "maintenance"))
            return name, "mode", value, reason, [value, f"web/{name}"]
        name = self.random.choice(sorted(self.settings))
        value = self.random.choice([w for w in WEIGHTS if w != self.settings[name]["weight"]])
        return name, "weight", value, reason, ["weight", f"web/{name}", str(value)]

    def apply(self, change):
        name, field, value, reason, _ = change
        self.settings[name][field] = value
        self.history.append(reason)


class Stream(threading.Thread):
    """Makes one change after the other until hawserd does not answer any more."""

    def __init__(self, system, model):
        super().__init__()
        self.system = system
        self.model = model
        self.unknown = None     # the change that was under way when hawserd died
        self.complaint = None

    def run(self):
        while True:
            change = self.model.next_change()
            try:
                done = self.system.ctl(*change[4], "--reason", change[3], "--timeout", "5")
            except subprocess.TimeoutExpired:
                self.complaint = f"hawserctl hangs: {change[4]}"
                return
            if done.returncode == 0:
                self.model.apply(change)
                continue
            self.unknown = change
            if done.returncode not in (1, 5):
                self.complaint = f"exit {done.returncode} of {change[4]}: {done.stderr}"
            return


def seen(system):
    """What hawserd says now: settings by backend, reasons of the history, oldest first."""
    rows = system.balancer.backends("web")
    words = {"draining": "drain", "maintenance": "maintenance"}
    settings = {name: {"weight": row["weight"], "mode": words.get(row["state"], "ready")}
                for name, row in rows.items()}
    history = system.balancer.json("history", "--limit", "1000")["history"]
    reasons = [row["reason"] for row in reversed(history) if row["reason"].startswith("change ")]
    return settings, reasons


def compare(system, model, unknown):
    """Nothing is lost that was acknowledged; of what was under way, all or nothing is there."""
    settings, reasons = seen(system)
    happened = unknown is not None and bool(reasons) and reasons[-1] == unknown[3]
    if happened:
        model.apply(unknown)
    equal(reasons, model.history, "the history after the crash")
    equal(settings, model.settings, "the settings after the crash")
    return happened


def time_of_a_change(system, model):
    """Seconds that a change takes on this machine, as busy as it is: the median of some."""
    took = []
    for _ in range(5):
        change = model.next_change()
        begun = time.monotonic()
        system.done(*change[4], "--reason", change[3])
        took.append(time.monotonic() - begun)
        model.apply(change)
    return statistics.median(took)


def test_killed_at_random_moments(system):
    """50 times hawserd dies amid changes; then its state is exactly what was acknowledged."""
    seed = int(os.environ.get("HAWSER_CRASH_SEED", "1"))
    model = Model(seed)
    longest = CHANGES * time_of_a_change(system, model)
    acknowledged = under_way = 0
    for number in range(ROUNDS):
        stream = Stream(system, model)
        before = len(model.history)
        stream.start()
        time.sleep(model.random.uniform(0, longest))
        system.balancer.hawserd.kill()
        stream.join()
        check(stream.complaint is None, f"round {number}: {stream.complaint}")
        acknowledged += len(model.history) - before
        system.balancer.hawserd.start()
        system.balancer.until(system.balancer.status_applied, "hawserd's return", 30, step=0.02)
        under_way += compare(system, model, stream.unknown)
    print(f"# {ROUNDS} kills, {acknowledged} changes acknowledged, {under_way} happened whole "
          f"though hawserctl was not told; kills within {longest:.2f} s", flush=True)
    check(acknowledged >= ROUNDS // 2, f"only {acknowledged} changes came through")


def test_nothing_is_left_half_done(system):
    """After all the crashes an ordinary stop and start changes nothing either."""
    before = seen(system)
    equal(system.balancer.hawserd.stop(), 0, "exit of hawserd")
    system.balancer.hawserd.start()
    system.balancer.until(system.balancer.status_applied, "hawserd's return", 30)
    equal(seen(system), before, "state")
    leftovers = [name for name in os.listdir(f"{RUN}/state")
                 if name not in ("journal.sqlite", "journal.sqlite-wal", "journal.sqlite-shm", "lock")]
    equal(leftovers, [], "files in the state directory")
