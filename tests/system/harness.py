# What the system tests stand on: assertions, the running balancer, and a runner that prints TAP.
"""A test module has functions `test_*(system)`, each with one sentence as docstring.

SERVICES in a module is the TOML of the services the balancer runs with while its tests run; a
module without it starts what it needs itself. DEVICE and PORT change the port it runs with, LAB
names what the lab needs besides (`scripts/lab up --far` is "far"), FILES has the texts of files
in the lab's directory. Tests of a module run in the order of the file.
"""

import inspect
import os
import re
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "scripts", "lib"))

from hawser import (DEVICE, RUN, Balancer, Broken, Daemon, Lab, configuration,  # noqa: E402
                    netns)
from peers import Peers  # noqa: E402


def check(condition, what):
    if not condition:
        raise Broken(what)


def equal(seen, wanted, what):
    if seen != wanted:
        raise Broken(f"{what}: {seen!r} instead of {wanted!r}")


def contains(text, part, what="the text"):
    if part not in text:
        raise Broken(f"{what} does not contain {part!r}: {text.strip()[-600:]!r}")


class Skipped(Exception):
    """What the test needs is not on this machine; the text says what."""


# What the sanitizers and the contracts of our own write when something is wrong.
REPORTS = re.compile(r"^.*(?:AddressSanitizer|LeakSanitizer|runtime error:|contract|Assertion).*$",
                     re.MULTILINE)


class System(Peers):
    """What a test is given: the build, the lab, and the balancer of its module."""

    def __init__(self, build):
        super().__init__()
        self.build = build
        self.balancer = None

    # --- the balancer ----------------------------------------------------------------------------

    def start(self, services, device=DEVICE, port=""):
        for name in ("hawser-dataplane", "hawserd"):
            open(f"{RUN}/{name}.log", "w", encoding="utf-8").close()
        self.remove_state()
        self.balancer = Balancer(self.build, configuration(services, device, port))
        self.balancer.start()

    def stop(self):
        """Ends what runs; raises when a daemon did not end well."""
        self.stop_helpers()
        if self.balancer is None:
            return
        balancer, self.balancer = self.balancer, None
        statuses = balancer.stop()
        for daemon, status in zip((balancer.hawserd, balancer.dataplane), statuses):
            report = REPORTS.search(daemon.tail(4000))
            check(report is None, f"{daemon.name} reported: {report and report.group(0)}\n"
                                  f"{daemon.tail(60)}")
            check(status in (0, None) and (status == 0 or daemon.process is None),
                  f"{daemon.name} ended with {status}\n{daemon.tail(30)}")

    def wipe(self):
        """The dataplane dies, and starts again with no flow in its tables."""
        self.balancer.dataplane.kill()
        self.balancer.until_disconnected()
        self.balancer.dataplane.start()
        self.balancer.until(self.balancer.status_applied, "the dataplane's return", 60)

    def recover(self):
        """After a failed test: as it was before, so that the next one fails for its own reasons."""
        try:
            Lab.script("up")
            if self.balancer is None or self.balancer.hawserd.process is None:
                return
            for daemon in (self.balancer.dataplane, self.balancer.hawserd):
                if not daemon.alive():
                    daemon.start()
            self.balancer.until(self.balancer.status_applied, "the daemons", 30)
            for row in self.balancer.json("status")["drift"]:
                name = f"{row['service']}/{row['backend']}"
                if row["field"] == "weight":
                    self.ctl("weight", name, "--file")
                else:
                    self.ctl("ready", name)
            self.balancer.until_ok(30)
        except (Broken, OSError, KeyError):
            pass  # the next test will say it

    @staticmethod
    def remove_state():
        Lab.run("balancer", "rm", "-rf", f"{RUN}/state", f"{RUN}/dataplane.sock",
                f"{RUN}/hawserd.sock", f"{RUN}/dataplane-ro.sock", f"{RUN}/hawserd-ro.sock")

    @staticmethod
    def put(name, text):
        """A file in the lab's directory, whole at once. Returns its path."""
        path = f"{RUN}/{name}"
        with open(f"{path}.new", "w", encoding="utf-8") as stream:
            stream.write(text)
        os.replace(f"{path}.new", path)
        return path

    # --- what tests say to it --------------------------------------------------------------------

    def ctl(self, *arguments, **more):
        return self.balancer.ctl(*arguments, **more)

    def until_flows(self, service, name):
        """Until clients have connections open to this backend."""
        def is_open():
            row = self.balancer.backends(service)[name]
            return row["flows"] > row["closing_flows"]
        self.balancer.until(is_open, f"flows on {service}/{name}", 10)

    def refused(self, code, *arguments):
        """hawserctl must refuse with this exit code; returns its message."""
        done = self.ctl(*arguments)
        equal(done.returncode, code, f"exit of hawserctl {' '.join(arguments)} ({done.stderr!r})")
        check(done.stderr.strip(), f"hawserctl {' '.join(arguments)} failed without a word")
        return done.stderr

    def done(self, *arguments):
        """hawserctl must succeed; returns what it prints."""
        done = self.ctl(*arguments)
        equal(done.returncode, 0, f"exit of hawserctl {' '.join(arguments)} ({done.stderr!r})")
        return done.stdout

    def other_counter(self, name):
        """A counter that is no verdict."""
        rows = {row["name"]: row["packets"]
                for row in self.balancer.json("counters", "--all")["other"]}
        check(name in rows, f"there is no counter {name}")
        return rows[name]

    def counted(self, action):
        """Runs `action`; returns (its value, by how much each verdict rose meanwhile)."""
        before = self.balancer.counters()
        value = action()
        time.sleep(0.15)
        after = self.balancer.counters()
        return value, {name: count - before.get(name, 0) for name, count in after.items()}


class Runner:
    """Runs modules and prints one TAP line a test."""

    def __init__(self, build, word):
        self.system = System(build)
        self.word = word
        self.number = 0
        self.failed = 0

    def tests_of(self, module):
        tests = [test for name, test in vars(module).items()
                 if name.startswith("test_") and callable(test)]
        tests.sort(key=lambda test: inspect.getsourcelines(test)[1])
        return [t for t in tests if self.word in f"{module.__name__}.{t.__name__}"]

    def count(self, modules):
        """Tests in all, with one for the clean end of each module's daemons."""
        selected = [(module, self.tests_of(module)) for module in modules]
        return sum(len(tests) + 1 for _, tests in selected if tests)

    def say(self, held, name, why="", skipped=""):
        self.number += 1
        self.failed += not held
        skip = f" # SKIP {skipped}" if skipped else ""
        print(f"{'ok' if held else 'not ok'} {self.number} - system.{name}{skip}", flush=True)
        for line in why.strip().split("\n") if why.strip() else []:
            print(f"# {line}", flush=True)

    def attempt(self, name, action):
        try:
            action()
        except Skipped as reason:
            self.say(True, name, skipped=str(reason))
            return True
        except Exception as error:  # a test may fail in any way; the others still run
            detail = str(error) if isinstance(error, Broken) else traceback.format_exc()
            logs = self.system.balancer.logs(12) if self.system.balancer else ""
            self.say(False, name, f"{detail}\n{logs}")
            self.system.recover()
            return False
        self.say(True, name)
        return True

    def run_module(self, module):
        tests = self.tests_of(module)
        if not tests:
            return
        begun = time.monotonic()
        trouble = ""
        services = getattr(module, "SERVICES", None)
        if services is not None:
            try:
                for extra in getattr(module, "LAB", ()):
                    Lab.script("up", f"--{extra}")
                for name, text in getattr(module, "FILES", {}).items():
                    self.system.put(name, text)
                self.system.start(services, getattr(module, "DEVICE", DEVICE),
                                  getattr(module, "PORT", ""))
            except Exception as error:  # then every test of the module fails for this reason
                logs = self.system.balancer.logs() if self.system.balancer else ""
                trouble = f"the balancer did not start: {error}\n{logs}"
        for test in tests:
            name = f"{module.__name__}.{test.__name__[5:]}"
            if trouble:
                self.say(False, name, trouble)
            else:
                self.attempt(name, lambda test=test: test(self.system))
        self.attempt(f"{module.__name__}.ends_cleanly", self.system.stop)
        print(f"# {module.__name__}: {time.monotonic() - begun:.0f} s", flush=True)
