# Forwarding end to end: nat and dsr-l2, TCP and UDP, IPv4 and IPv6, byte for byte.
"""System tests; run.py runs them."""

import hashlib
import json

from harness import RUN, Lab, check, equal
from hawser import Load, load
from services import DIRECT, DIRECT6, QUIET, UDP, UDP6, WEB, WEB6, WEIGHTED

SERVICES = WEB + WEB6 + QUIET + WEIGHTED + DIRECT + DIRECT6 + UDP + UDP6
ALL = {"b1", "b2", "b3"}


def spread(target, connections, system):
    seen, counts = system.counted(lambda: load(target, connections=connections, concurrency=12))
    equal(seen["failed"], 0, f"failed requests ({seen['causes']})")
    equal(set(seen["connections_by_backend"]), ALL, "backends that answered")
    return seen, counts


def logged(path):
    """The words of the line that one of the nginx has logged for `path`."""
    for number in (1, 2, 3):
        with open(f"{RUN}/backend{number}/access.log", encoding="ascii") as log:
            for line in log:
                if line.endswith(f" {path}\n"):
                    return line.split()
    return ["nothing"] * 4


def test_status_says_ok(system):
    """`status --check` exits 0 when everything serves."""
    equal(system.ctl("status", "--check").returncode, 0, "exit")


def test_nat_ipv4_tcp(system):
    """TCP over IPv4 reaches every backend and comes back through the balancer."""
    _, counts = spread("10.77.0.100:80", 300, system)
    check(counts["forward_nat"] >= 300 * 4, f"forward_nat rose by {counts['forward_nat']}")
    check(counts["return_nat"] >= 300 * 3, f"return_nat rose by {counts['return_nat']}")


def test_nat_ipv6_tcp(system):
    """TCP over IPv6 does the same."""
    _, counts = spread("[fd77::100]:80", 300, system)
    check(counts["forward_nat"] >= 300 * 4, f"forward_nat rose by {counts['forward_nat']}")


def test_nat_hides_the_client(system):
    """A nat backend sees one of the balancer's nat addresses, not the client."""
    equal(Lab.curl("http://10.77.0.100/seen")[0], 200, "status")
    check(logged("/seen")[0] in ("10.77.0.20", "10.77.0.21"), f"nginx saw {logged('/seen')}")


def test_dsr_shows_the_client(system):
    """A dsr-l2 backend sees the client's own address and answers from the service address."""
    equal(Lab.curl("http://10.77.0.110/direct", "--interface", "10.77.0.207")[0], 200, "status")
    words = logged("/direct")
    equal(words[0], "10.77.0.207", "client address nginx saw")
    equal(words[2], "10.77.0.110:80", "address nginx answered from")


def test_dsr_ipv4(system):
    """dsr-l2 over IPv4: requests through the balancer, replies past it."""
    _, counts = spread("10.77.0.110:80", 300, system)
    check(counts["forward_dsr_l2"] >= 300 * 4, f"rose by {counts['forward_dsr_l2']}")
    equal(counts["return_nat"], 0, "packets returned through the balancer")


def test_dsr_ipv6(system):
    """dsr-l2 over IPv6 does the same."""
    _, counts = spread("[fd77::110]:80", 300, system)
    check(counts["forward_dsr_l2"] >= 300 * 4, f"rose by {counts['forward_dsr_l2']}")
    equal(counts["return_nat"], 0, "packets returned through the balancer")


def test_udp_ipv4(system):
    """UDP datagrams of any size that fits reach a backend and are answered unchanged."""
    system.echo_servers(9000)
    for size in (8, 100, 1400):
        answers = json.loads(system.client("udp", "10.77.0.100", 9000, 60, size))
        equal(set(answers), ALL, f"who answered {size}-byte datagrams ({answers})")


def test_udp_ipv6(system):
    """UDP over IPv6 likewise: the checksum is not optional there."""
    for size in (8, 1400):
        answers = json.loads(system.client("udp", "fd77::100", 9000, 60, size))
        equal(set(answers), ALL, f"who answered {size}-byte datagrams ({answers})")


def test_large_body_ipv4(system):
    """A megabyte arrives byte for byte through nat, in segments of full size."""
    wanted = [1000000, hashlib.sha256(b"x" * 1000000).hexdigest()]
    for _ in range(3):
        equal(json.loads(system.client("digest", "10.77.0.100", 80, "/files/1m")), wanted, "body")


def test_large_body_ipv6(system):
    """The same over IPv6."""
    wanted = [1000000, hashlib.sha256(b"x" * 1000000).hexdigest()]
    equal(json.loads(system.client("digest", "fd77::100", 80, "/files/1m")), wanted, "body")


def test_large_body_direct(system):
    """The same past the balancer."""
    wanted = [1000000, hashlib.sha256(b"x" * 1000000).hexdigest()]
    equal(json.loads(system.client("digest", "10.77.0.110", 80, "/files/1m")), wanted, "body")


def test_weights(system):
    """Shares follow the weights 100, 200, 100 within 5 points, as nginx counts them too."""
    before = {n: Lab.served(n) for n in (1, 2, 3)}
    seen, _ = spread("10.77.0.100:81", 2000, system)
    for number, weight in ((1, 25), (2, 50), (3, 25)):
        share = seen["connections_by_backend"][f"b{number}"] / 20
        check(abs(share - weight) <= 5, f"b{number} has {share} % instead of {weight} %")
        equal(Lab.served(number) - before[number], seen["connections_by_backend"][f"b{number}"],
              f"requests that nginx {number} counted")


def test_keep_alive(system):
    """Requests on one connection all reach the same backend."""
    seen = load("10.77.0.100:80", connections=30, requests=20, concurrency=10)
    equal(seen["failed"], 0, "failed requests")
    equal(seen["requests"], 600, "requests")
    for name, count in seen["requests_by_backend"].items():
        equal(count, 20 * seen["connections_by_backend"][name], f"requests of {name}")


def test_many_connections_at_once(system):
    """Five hundred connections held open at once are all served."""
    seen = load("10.77.0.100:80", connections=500, requests=4, pause=300, concurrency=500)
    equal(seen["failed"], 0, f"failed requests ({seen['causes']})")
    equal(seen["requests"], 2000, "requests")


def test_flow_counts_are_exact(system):
    """The live flows of the backends are exactly those of the open connections."""
    with Load("10.77.0.100:82", concurrency=60, requests=0, pause=100, seconds=30) as held:
        system.balancer.until(
            lambda: len(system.balancer.json("flows", "--service", "quiet")["flows"]) >= 60,
            "60 flows")
        rows = system.balancer.json("flows", "--service", "quiet")["flows"]
        counts = {n: row["flows"] for n, row in system.balancer.backends("quiet").items()}
        equal(sum(counts.values()), 60, "flows counted")
        for name, count in counts.items():
            equal(sum(row["backend"] == name for row in rows), count, f"flows listed of {name}")
        equal({row["state"] for row in rows}, {"established"}, "states")
        equal(held.stop()["failed"], 0, "failed requests")


def test_no_service_on_port(system):
    """A port of a service address without a service is refused or ignored, and counted."""
    (status, _, _), counts = system.counted(
        lambda: Lab.curl("http://10.77.0.100:4444/", "-m", "1"))
    equal(status, 0, "status")
    check(counts["no_service"] >= 1, f"no_service rose by {counts['no_service']}")
