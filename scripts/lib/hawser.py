# Runs Hawser's daemons in the lab and talks to them; used by the demo and by the system tests.
"""Lab: the namespaces. Daemon: one process in one of them. Balancer: the two daemons together."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PREFIX = os.environ.get("HAWSER_LAB", "hawser")
RUN = f"/run/{PREFIX}-lab"
LOAD = os.path.join(ROOT, "scripts", "lib", "load.py")
PYTHON = "/usr/bin/python3"


class Broken(Exception):
    """Something that had to hold does not."""


def netns(space, *command):
    return ["ip", "netns", "exec", f"{PREFIX}-{space}", *command]


class Lab:
    """The namespaces that scripts/lab lays."""

    @staticmethod
    def script(*arguments):
        done = subprocess.run([os.path.join(ROOT, "scripts", "lab"), *arguments],
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Broken(f"scripts/lab {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    @staticmethod
    def run(space, *command, timeout=60, **more):
        return subprocess.run(netns(space, *command), capture_output=True, text=True,
                              timeout=timeout, check=False, **more)

    @staticmethod
    def served(number):
        """Requests that nginx of a backend has logged, whoever forwarded them."""
        with contextlib.suppress(FileNotFoundError):
            with open(f"{RUN}/backend{number}/access.log", "rb") as stream:
                return sum(block.count(b"\n") for block in iter(lambda: stream.read(1 << 20), b""))
        return 0

    @staticmethod
    def curl(url, *options, space="client"):
        """(status, backend, body) of one request; status 0 when there was no answer."""
        done = Lab.run(space, "curl", "-sg", "-m", "5", "-D", "-", *options, url)
        head, _, body = done.stdout.replace("\r", "").partition("\n\n")
        if done.returncode != 0 or not head.startswith("HTTP/"):
            return 0, None, f"curl exit {done.returncode}"
        fields = dict(line.split(": ", 1) for line in head.split("\n")[1:] if ": " in line)
        return int(head.split()[1]), fields.get("X-Backend"), body


class Load:
    """load.py in the client's namespace, once its first connections are under way; a context
    manager that stops it at the end."""

    def __init__(self, target, records=False, **options):
        self.records_file = f"{RUN}/records-{os.getpid()}-{id(self)}" if records else None
        arguments = []
        for name, value in options.items():
            arguments += [f"--{name}", str(value)]
        if self.records_file:
            arguments += ["--records", self.records_file]
        ours, theirs = os.pipe()
        self.process = subprocess.Popen(
            netns("client", PYTHON, LOAD, target, "--tell", str(theirs), *arguments),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            start_new_session=True, pass_fds=[theirs])
        os.close(theirs)
        with open(ours, "rb") as told:
            told.read()
        self.result = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.result is None:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()
            self.process.stderr.close()

    def wait(self, timeout=120):
        """What became of the requests, once the load has ended by itself."""
        if self.result is None:
            out, err = self.process.communicate(timeout=timeout)
            if self.process.returncode != 0:
                raise Broken(f"the load ended badly: {err.strip()[-300:]}")
            self.result = json.loads(out)
        return self.result

    def stop(self):
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def records(self):
        with open(self.records_file, encoding="utf-8") as stream:
            return [json.loads(line) for line in stream]


def load(target, **options):
    """Runs a load to its end."""
    with Load(target, **options) as running:
        return running.wait()


class Daemon:
    """A process of ours, with its log."""

    def __init__(self, name, command, space="balancer", environment=None):
        self.name = name
        self.log = f"{RUN}/{name}.log"
        self.command = netns(space, *command) if space else list(command)
        self.environment = {**os.environ, **(environment or {})}
        self.process = None

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, env=self.environment)
        return self

    @property
    def pid(self):
        return self.process.pid

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        """As an accident would: no chance to say goodbye."""
        self.process.kill()
        self.process.wait()

    def stop(self, timeout=20):
        """Asks it to end; returns its exit status, None when it had to be killed."""
        if self.process is None:
            return None
        self.process.terminate()
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            return None

    def tail(self, lines=25):
        with contextlib.suppress(FileNotFoundError):
            with open(self.log, encoding="utf-8", errors="replace") as stream:
                return "".join(stream.readlines()[-lines:])
        return ""


def program(build, name):
    """The path of a program that meson built."""
    for folder in ("dataplane", "control", "control/hawserd", "control/hawserctl"):
        path = os.path.join(build, folder, name)
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    raise Broken(f"{name} is not built in {build}")


DEVICE = "net_af_packet0,iface=uplink"
# net_af_packet asks for PACKET_FANOUT_FLAG_DEFRAG, with one queue too: the kernel then puts IPv4
# fragments together (not those of IPv6), and what is longer than a frame of the ring arrives cut
# short. Through an AF_XDP socket fragments arrive one by one, as from a NIC.
FRAGMENTS_DEVICE = "net_af_xdp0,iface=uplink"
# For the far client of `scripts/lab up --far`.
GATEWAYS = 'gateways = ["10.77.0.254", "fd77::fe"]\n'

COMMON = """\
[dataplane]
main_core = {main_core}
workers = [{worker}]
idle = "adaptive"      # sleep briefly when there is nothing to do
flows_ipv4 = 200000
flows_ipv6 = 50000
socket = "{run}/dataplane.sock"

[control]
socket = "{run}/hawserd.sock"
state_directory = "{run}/state"

[[port]]
name = "uplink"
device = "{device}"
addresses = ["10.77.0.1/24", "fd77::1/64"]
nat_addresses = ["10.77.0.20", "10.77.0.21", "fd77::20"]
"""


def cores():
    """A core for the main loop and one for the worker: the first two this process may use."""
    usable = sorted(os.sched_getaffinity(0))
    if len(usable) < 2:
        raise Broken("two cores are needed, one for the main loop and one for a worker")
    return usable[0], usable[1]


def configuration(services, device=DEVICE, port=""):
    """A whole configuration for the lab around the text of its services; `port` is more lines for
    the port."""
    main_core, worker = cores()
    return COMMON.format(run=RUN, device=device, main_core=main_core,
                         worker=worker) + port + services


class Balancer:
    """hawser-dataplane and hawserd with one configuration in the lab."""

    def __init__(self, build, text, environment=None):
        self.build = build
        self.file = f"{RUN}/hawser.toml"
        self.socket = f"{RUN}/hawserd.sock"
        self.environment = environment
        self.write(text)
        os.makedirs(f"{RUN}/state", exist_ok=True)
        self.dataplane = self.daemon("hawser-dataplane")
        self.hawserd = self.daemon("hawserd")

    def write(self, text):
        with open(self.file, "w", encoding="utf-8") as stream:
            stream.write(text)

    def daemon(self, name, *arguments):
        command = [program(self.build, name), "--config", self.file, *arguments]
        return Daemon(name, command, environment=self.environment)

    def start(self, timeout=60):
        self.dataplane.start()
        self.until(lambda: os.path.exists(f"{RUN}/dataplane.sock"), "the dataplane's socket",
                   timeout)
        self.hawserd.start()
        self.until_ok(timeout)
        return self

    def stop(self):
        statuses = self.hawserd.stop(), self.dataplane.stop()
        return statuses

    def ctl(self, *arguments, socket=None, timeout=30):
        """hawserctl as it is: the finished process with its output as text."""
        return subprocess.run([program(self.build, "hawserctl"), "--socket", socket or self.socket,
                               *arguments], capture_output=True, text=True, timeout=timeout,
                              check=False, env={**os.environ, **(self.environment or {})})

    def json(self, *arguments):
        done = self.ctl(*arguments, "--json")
        if done.returncode != 0:
            raise Broken(f"hawserctl {' '.join(arguments)}: exit {done.returncode}: "
                         f"{done.stderr.strip()}")
        return json.loads(done.stdout)

    def backends(self, service):
        return {row["name"]: row for row in self.json("backends", service)["backends"]}

    def counters(self):
        """Packets by verdict."""
        rows = self.json("counters")
        rows = rows.get("counters", rows)
        return {row["name"]: row["packets"] for row in rows["verdicts"]}

    def until(self, condition, what, timeout=30, step=0.05, alive=True):
        """Waits until `condition` holds; returns its value. The daemons must stay alive, unless
        that is what the caller has changed."""
        end = time.monotonic() + timeout
        while True:
            value = condition()
            if value:
                return value
            for daemon in (self.dataplane, self.hawserd) if alive else ():
                if daemon.process is not None and not daemon.alive():
                    raise Broken(f"{daemon.name} ended with {daemon.process.returncode} while "
                                 f"waiting for {what}")
            if time.monotonic() > end:
                raise Broken(f"waited {timeout} s in vain for {what}")
            time.sleep(step)

    def status_applied(self):
        """The status, once the dataplane runs what hawserd wants; else None."""
        done = self.ctl("status", "--json")
        status = json.loads(done.stdout) if done.returncode == 0 else {}
        good = (status.get("dataplane_connected")
                and status["applied_epoch"] == status["desired_epoch"] > 0)
        return status if good else None

    def status_ok(self):
        """The same, once every backend serves too."""
        status = self.status_applied()
        good = (status and status["verdict"] == "ok"
                and status["backends_serving"] == status["backends"])
        return status if good else None

    def until_ok(self, timeout=30):
        return self.until(self.status_ok, "hawserctl status without problems", timeout)

    def until_disconnected(self, timeout=15):
        """Until hawserd has noticed that the dataplane is gone; returns its status."""
        def gone():
            status = self.json("status")
            return None if status["dataplane_connected"] else status
        return self.until(gone, "hawserd to miss the dataplane", timeout, alive=False)

    def until_state(self, service, backend, state, timeout=10):
        return self.until(lambda: self.backends(service)[backend]["state"] == state,
                          f"{service}/{backend} to be {state}", timeout)

    def logs(self, lines=25):
        return "".join(f"--- {daemon.log}, its end\n{daemon.tail(lines)}"
                       for daemon in (self.dataplane, self.hawserd))


def fail(message):
    print(message, file=sys.stderr)
    sys.exit(1)
