# Servers, clients and tunnel ends of the system tests, each in a namespace of the lab.
"""Peers: what the harness's System can start and ask besides the balancer."""

import json
import os
import subprocess
import time

from hawser import PYTHON, RUN, Broken, Daemon, Lab, netns

HERE = os.path.dirname(os.path.abspath(__file__))
PEER = os.path.join(HERE, "peer.py")
BACKENDS = (1, 2, 3)
MANY = range(1, 21)  # scripts/lab up --twenty


class Kept:
    """Connections of the client that stay open: a context manager that closes them."""

    def __init__(self, host, port, count, space="client"):
        self.process = subprocess.Popen(
            netns(space, PYTHON, PEER, "keep", host, str(port), str(count)), text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.opened = {}  # how many each backend has; words such as "timeout" count failures

    def __enter__(self):
        self.opened = self.read()
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            raise Broken(f"peer.py keep ended: {self.process.stderr.read()[-400:]}")
        return json.loads(line)

    def ask(self):
        """[(backend at first, backend now or what went wrong)] of every connection."""
        self.process.stdin.write("ask\n")
        self.process.stdin.flush()
        return [tuple(pair) for pair in self.read()]


class Peers:
    def __init__(self):
        self.helpers = {}  # by name

    # --- processes -------------------------------------------------------------------------------

    def helper(self, name, space, *command):
        """A process of the test, ended with the module; the one that runs already, if it does."""
        if name not in self.helpers or not self.helpers[name].alive():
            self.helpers[name] = Daemon(name, command, space=space).start()
        return self.helpers[name]

    def stop_helpers(self):
        for helper in self.helpers.values():
            helper.stop()
        self.helpers = {}

    def wait(self, condition, what, timeout=10):
        """Until `condition` holds and every helper lives; returns its value."""
        end = time.monotonic() + timeout
        while not (value := condition()):
            for name, helper in self.helpers.items():
                if not helper.alive():
                    raise Broken(f"{name} ended while waiting for {what}: {helper.tail(5)}")
            if time.monotonic() > end:
                raise Broken(f"waited {timeout} s in vain for {what}")
            time.sleep(0.05)
        return value

    def listening(self, kind, space, port):
        """Both families listen there."""
        return Lab.run(space, "ss", f"-Hln{kind}", f"sport = :{port}").stdout.count("\n") >= 2

    # --- servers ---------------------------------------------------------------------------------

    def servers(self, verb, kind, port, spaces):
        """peer.py VERB in each of `spaces`, told the name b1, b2 ... of its place there."""
        for number, space in enumerate(spaces, 1):
            self.helper(f"{verb}-{port}-{space}", space, PYTHON, PEER, verb, str(port),
                        f"b{number}")
        for space in spaces:
            self.wait(lambda s=space: self.listening(kind, s, port), f"peer.py {verb} in {space}")

    def echo_servers(self, port):
        """UDP echo in every backend: answers with the backend's name and what came."""
        self.servers("echo", "u", port, [f"backend{n}" for n in BACKENDS])

    def stream_servers(self, port, spaces=None):
        """TCP servers of peer.py in every backend: lines, downloads and uploads."""
        self.servers("serve", "t", port, spaces or [f"backend{n}" for n in BACKENDS])

    # --- tunnels ---------------------------------------------------------------------------------

    def decapsulators(self, places=BACKENDS):
        """Every backend takes packets out of tunnels; or the namespaces named."""
        for place in places:
            name = f"decapsulator-{place}"
            if name in self.helpers and self.helpers[name].alive():
                continue
            file = f"{RUN}/{name}.json"
            if os.path.exists(file):
                os.unlink(file)
            self.helper(name, f"backend{place}" if place in BACKENDS else place, PYTHON,
                        os.path.join(HERE, "decapsulator.py"), file)
        for place in places:
            self.wait(lambda p=place: os.path.exists(f"{RUN}/decapsulator-{p}.json"),
                      f"the decapsulator of {place}")

    @staticmethod
    def decapsulated(place):
        """What the decapsulator of a backend has counted: kinds, sources, gue_ports, longest."""
        time.sleep(0.15)  # it writes once nothing has come for 50 ms
        with open(f"{RUN}/decapsulator-{place}.json", encoding="ascii") as stream:
            return json.load(stream)

    def tunnelled(self):
        """Packets by kind, such as "ipip ipv4 in ipv6", over all backends."""
        total = {}
        for number in BACKENDS:
            for kind, count in self.decapsulated(number)["kinds"].items():
                total[kind] = total.get(kind, 0) + count
        return total

    # --- clients ---------------------------------------------------------------------------------

    @staticmethod
    def client(*arguments, timeout=60, space="client"):
        """peer.py in the client's namespace; its output."""
        done = Lab.run(space, PYTHON, PEER, *map(str, arguments), timeout=timeout)
        if done.returncode != 0:
            raise Broken(f"peer.py {' '.join(map(str, arguments))}: {done.stderr.strip()[-400:]}")
        return done.stdout.strip()

    def far(self, *arguments, timeout=60):
        """The same in the namespace behind the narrow link; needs LAB = ["far"]."""
        return self.client(*arguments, timeout=timeout, space="far")

    @staticmethod
    def flood(*arguments, timeout=120):
        """flood.py in the client's namespace; how many packets it has sent."""
        done = Lab.run("client", PYTHON, os.path.join(HERE, "flood.py"), *map(str, arguments),
                       timeout=timeout)
        if done.returncode != 0:
            raise Broken(f"flood.py {' '.join(map(str, arguments))}: {done.stderr[-400:]}")
        return int(done.stdout)

    @staticmethod
    def forget_paths():
        """Nobody remembers a path's MTU, so that the next transfer has to learn it anew."""
        for space in ("far", "client", "backend1", "backend2", "backend3"):
            for command in (("route", "flush", "cache"), ("-6", "route", "flush", "cache"),
                            ("tcp_metrics", "flush")):
                Lab.run(space, "ip", *command)

    @staticmethod
    def path_mtu(space, address):
        """The path MTU that a kernel has learnt towards `address`; None when it has not."""
        words = Lab.run(space, "ip", "route", "get", address).stdout.split()
        return int(words[words.index("mtu") + 1]) if "mtu" in words else None
