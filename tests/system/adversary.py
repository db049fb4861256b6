# The hostile network of test_adversary.py: client stacks of every kind, servers, an adversary at either side.
"""HostileNetwork lays namespaces beside those of the lab and joins them to its data network:

    PREFIX-advc0 ... each a client with a stack of its own      PREFIX-advs1 ... 3 the servers
                 \\                                              /
                  c0:d0 ... PREFIX-advwire (hawser-adversary twice) s1:t1 ...
                             \\                                /
                              bridge data in PREFIX-fabric, with the balancer

The clients are 10.77.0.150 and up (fd77::a00), the servers 10.77.0.61 to .63 (fd77::61 to ::63).
"""

import contextlib
import itertools
import json
import os
import signal
import subprocess
import time

from hawser import PREFIX, RUN, Broken, netns

SERVERS = (1, 2, 3)
MTU = 1500  # of the lab's links
LEAST_IPV6 = 1280
OFF = ("rx off tx off sg off tso off gso off gro off rxvlan off txvlan off").split()


class Stack:
    """A client's kernel settings."""

    def __init__(self, number, mtu, timestamps, sack):
        self.number = number
        self.space = f"advc{number}"
        self.mtu = mtu
        self.settings = {"net.ipv4.tcp_timestamps": timestamps, "net.ipv4.tcp_sack": sack,
                         "net.ipv4.ip_local_port_range": "1024 65535"}
        # These two go round another way than the rest, so that each meets all of it.
        if number % 3 == 1:
            self.settings["net.ipv4.tcp_window_scaling"] = 0
        if number % 5 == 2:
            self.settings["net.ipv4.tcp_rmem"] = "4096 8192 16384"

    @property
    def families(self):
        return (4, 6) if self.mtu >= LEAST_IPV6 else (4,)

    def __str__(self):
        short = ", ".join(f"{name.rsplit('.', 1)[1]} {value}"
                          for name, value in self.settings.items() if "port" not in name)
        return f"stack {self.number}: MTU {self.mtu}, {short}"


def all_stacks():
    kinds = itertools.product((576, 1280, 1500, 9000), (1, 0), (1, 0))
    return [Stack(number, *kind) for number, kind in enumerate(kinds)]


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Broken(f"{' '.join(command)}: {done.stderr.strip()}")


def program(build, name):
    path = os.path.join(build, "tests", "adversary", name)
    if not os.access(path, os.X_OK):
        raise Broken(f"{name} is not built in {build}; it is with -Dtests=true")
    return path


class Process:
    """A program that ends with a line of JSON."""

    def __init__(self, name, space, *command):
        self.name = name
        self.log = f"{RUN}/{name}.log"
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(netns(space, *command), stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, start_new_session=True)

    def lines(self):
        with open(self.log, encoding="utf-8", errors="replace") as stream:
            return stream.read().split("\n")

    def said(self, count=1):
        """The last of at least `count` lines of JSON; None when there are fewer."""
        rows = [line for line in self.lines() if line.startswith("{") and line.endswith("}")]
        return json.loads(rows[-1]) if len(rows) >= count else None

    def ask(self):
        """What it has counted so far."""
        had = sum(line.startswith("{") for line in self.lines())
        self.process.send_signal(signal.SIGUSR1)
        end = time.monotonic() + 5
        while (counts := self.said(had + 1)) is None:
            if time.monotonic() > end or self.process.poll() is not None:
                raise Broken(f"{self.name} does not answer: {self.lines()[-5:]}")
            time.sleep(0.02)
        return counts

    def wait(self, timeout):
        """(exit status, its last line of JSON)."""
        try:
            status = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise Broken(f"{self.name} did not end within {timeout:.0f} s") from None
        return status, self.said() or {}

    def end(self):
        self.process.terminate()
        return self.wait(15)

    def kill(self):
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait()


class HostileNetwork:
    """A context manager: lays the network, starts servers and adversaries, removes all of it.

    `ports` are those the servers listen at, as `hawser-peer serve --listen` has them.
    """

    def __init__(self, build, stacks, ports, client_faults, server_faults, seed):
        self.build = build
        self.stacks = stacks
        self.ports = ports
        self.faults = {"clients": client_faults, "servers": server_faults}
        self.seed = seed
        self.servers = []
        self.adversaries = {}
        self.clients = []

    def spaces(self):
        return (["advwire"] + [f"advs{n}" for n in SERVERS]
                + [stack.space for stack in all_stacks()])

    def __enter__(self):
        try:
            self.remove()
            self.lay()
            self.start()
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(self, *_):
        self.remove()

    # --- laying ----------------------------------------------------------------------------------

    @staticmethod
    def space(name, settings):
        run("ip", "netns", "add", f"{PREFIX}-{name}")
        # Left out where a kernel has no such setting; the ones a stack is about must be there.
        usual = ["net.ipv6.conf.all.accept_dad=0", "net.ipv6.conf.default.accept_dad=0",
                 "net.ipv6.conf.default.accept_ra=0", "net.ipv6.conf.default.autoconf=0"]
        run(*netns(name, "sysctl", "-qew", *usual))
        if settings:
            run(*netns(name, "sysctl", "-qw", *(f"{k}={v}" for k, v in settings.items())))
        run("ip", "-n", f"{PREFIX}-{name}", "link", "set", "lo", "up")

    @staticmethod
    def cable(space, link, other_space, other, mtu):
        """Two ends without offloads; the second is nobody's: no address, not even of IPv6."""
        run("ip", "link", "add", link, "mtu", str(mtu), "netns", f"{PREFIX}-{space}", "type",
            "veth", "peer", "name", other, "mtu", str(mtu), "netns", f"{PREFIX}-{other_space}")
        for where, end in ((space, link), (other_space, other)):
            subprocess.run(netns(where, "ethtool", "-K", end, *OFF), capture_output=True,
                           check=False)
        run(*netns(other_space, "sysctl", "-qew", f"net.ipv6.conf.{other}.disable_ipv6=1"))

    def plug(self, wire_link):
        """From the wire to the bridge."""
        self.cable("fabric", f"adv-{wire_link}", "advwire", wire_link, MTU)
        run(*netns("fabric", "sysctl", "-qew", f"net.ipv6.conf.adv-{wire_link}.disable_ipv6=1"))
        run("ip", "-n", f"{PREFIX}-fabric", "link", "set", f"adv-{wire_link}", "master", "data",
            "up")
        run("ip", "-n", f"{PREFIX}-advwire", "link", "set", wire_link, "up")

    def host(self, space, plug, mtu, ipv4, ipv6):
        self.cable(space, "data", "advwire", plug, mtu)
        name = f"{PREFIX}-{space}"
        run("ip", "-n", name, "address", "add", f"{ipv4}/24", "dev", "data")
        if mtu >= LEAST_IPV6:
            run("ip", "-n", name, "address", "add", f"{ipv6}/64", "dev", "data", "nodad")
        run("ip", "-n", name, "link", "set", "data", "up")
        run("ip", "-n", f"{PREFIX}-advwire", "link", "set", plug, "up")

    def lay(self):
        self.space("advwire", {})
        for stack in self.stacks:
            n = stack.number
            self.space(stack.space, stack.settings)
            self.host(stack.space, f"c{n}", stack.mtu, f"10.77.0.{150 + n}", f"fd77::a{n:02x}")
            self.plug(f"d{n}")
        for n in SERVERS:
            self.space(f"advs{n}", {})
            self.host(f"advs{n}", f"s{n}", MTU, f"10.77.0.{60 + n}", f"fd77::{60 + n}")
            self.plug(f"t{n}")

    def remove(self):
        for process in (*self.clients, *self.servers, *self.adversaries.values()):
            process.kill()
        self.clients, self.servers, self.adversaries = [], [], {}
        for name in self.spaces():
            if os.path.exists(f"/run/netns/{PREFIX}-{name}"):
                pids = subprocess.run(["ip", "netns", "pids", f"{PREFIX}-{name}"],
                                      capture_output=True, text=True, check=False).stdout.split()
                for pid in pids:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(int(pid), signal.SIGKILL)
                run("ip", "netns", "delete", f"{PREFIX}-{name}")
        # The ends in the fabric go with the others, but not at once.
        end = time.monotonic() + 10
        while "adv-" in subprocess.run(["ip", "-n", f"{PREFIX}-fabric", "-br", "link"],
                                       capture_output=True, text=True, check=False).stdout:
            if time.monotonic() > end:
                raise Broken("links of an earlier run stay in the fabric")
            time.sleep(0.05)

    # --- running ---------------------------------------------------------------------------------

    def start(self):
        pairs = {"clients": [f"c{s.number}:d{s.number}" for s in self.stacks],
                 "servers": [f"t{n}:s{n}" for n in SERVERS]}
        for side, faults in self.faults.items():
            arguments = [word for pair in pairs[side] for word in ("--pair", pair)]
            self.adversaries[side] = Process(
                f"adversary-{side}", "advwire", program(self.build, "hawser-adversary"),
                *arguments, "--seed", str(self.seed), *(["--faults", faults] if faults else []))
        listen = [word for port in self.ports for word in ("--listen", port)]
        for n in SERVERS:
            self.servers.append(Process(f"adversary-b{n}", f"advs{n}",
                                        program(self.build, "hawser-peer"), "serve", "--name",
                                        f"b{n}", *listen))
        for process in (*self.servers, *self.adversaries.values()):
            self.wait_started(process)

    @staticmethod
    def wait_started(process):
        """Until it answers a signal: before it has set that up, one would end it."""
        end = time.monotonic() + 10
        while True:
            if process.process.poll() is not None:
                raise Broken(f"{process.name} did not start: {process.lines()[-5:]}")
            with open(f"/proc/{process.process.pid}/status", encoding="ascii") as stream:
                blocked = next(line for line in stream if line.startswith("SigBlk"))
            if int(blocked.split()[1], 16) >> (signal.SIGUSR1 - 1) & 1:
                return
            if time.monotonic() > end:
                raise Broken(f"{process.name} did not start: {process.lines()[-5:]}")
            time.sleep(0.02)

    def drive(self, stack, targets, **options):
        """Starts the clients of a stack."""
        arguments = [word for target in targets for word in ("--target", target)]
        for name, value in options.items():
            arguments += [f"--{name.replace('_', '-')}", str(value)]
        process = Process(f"adversary-{stack.space}", stack.space,
                          program(self.build, "hawser-peer"), "drive", *arguments)
        self.clients.append(process)
        return process

    def until_closed(self, timeout=30):
        """Until no server has a connection open; how many there are when that does not come."""
        end = time.monotonic() + timeout
        while left := sum(server.ask()["open"] for server in self.servers):
            if time.monotonic() > end:
                return left
            time.sleep(0.2)
        return 0

    def end(self):
        """Ends servers and adversaries; returns ([(exit, counts) of servers], counts by side)."""
        servers = [server.end() for server in self.servers]
        counts = {side: process.end()[1] for side, process in self.adversaries.items()}
        return servers, counts
