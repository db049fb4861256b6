# The services that the tests of the control plane run with, and what they ask of it.
"""FLEET is TOML; Follower is hawserctl events --follow."""

import json
import subprocess

import harness  # noqa: F401  (puts scripts/lib on the path)
from demo_configuration import CHECK_BESIDE, service
from harness import RUN, equal
from hawser import load, program
from services import EVEN, WEB6

NAT = 'forward = "nat"\n'
FLEET = "".join([
    service("web", "10.77.0.100", 80, EVEN, 8080,
            NAT + "guards = { max_draining = 1, min_ready = 2 }\n"),
    service("tight", "10.77.0.100", 81, EVEN, 8080, NAT + 'guards = { min_ready = "100%" }\n'),
    service("slow", "10.77.0.100", 82, EVEN, 8080, NAT + 'slow_start = "6s"\n'),
    service("spread", "10.77.0.100", 83, EVEN, 8080, NAT + 'on_panic = "spread"\n'),
    service("app", "10.77.0.100", 88, EVEN, 8082,
            'forward = "splice"\naffinity = { by = "cookie" }\nclient_address = "proxy-v2"\n',
            protocol="http", check=CHECK_BESIDE),
    WEB6])
TARGET = "10.77.0.100:80"


class Follower:
    """hawserctl events --follow --json, in the background."""

    def __init__(self, system, *arguments):
        balancer = system.balancer
        self.path = f"{RUN}/events-{id(self)}"
        with open(self.path, "w", encoding="utf-8") as out:
            self.process = subprocess.Popen(
                [program(balancer.build, "hawserctl"), "--socket", balancer.socket, "events",
                 "--follow", "--json", *arguments], stdout=out, stderr=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.stderr.close()
        self.process.wait()

    def seen(self):
        with open(self.path, encoding="utf-8") as stream:
            return [json.loads(line) for line in stream if line.endswith("\n")]

    def has(self, kind, part):
        return any(row["kind"] == kind and part in row["text"] for row in self.seen())

    def ends(self):
        self.process.wait(10)
        return self.process.returncode, self.process.stderr.read()


def rows_of(system, name):
    return system.balancer.backends(name)


def newest(system, *arguments):
    return system.balancer.json("history", "--limit", "1", *arguments)["history"][0]


def shares(port, connections=300):
    seen = load(f"10.77.0.100:{port}", connections=connections, concurrency=10)
    equal(seen["failed"], 0, f"failed requests ({seen['causes']})")
    return {n: seen["connections_by_backend"].get(n, 0) / connections for n in ("b1", "b2", "b3")}
