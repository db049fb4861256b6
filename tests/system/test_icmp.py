# ICMP for service addresses: echo, and errors of backends that reach the client.
"""System tests; run.py runs them."""

import json

from harness import Lab, check, contains, equal
from services import (DIRECT, DIRECT6, EVEN, EVEN6, WEB, WEB6, udp_service)

NOBODY = 9999  # no backend listens there
SERVICES = (WEB + WEB6 + DIRECT + DIRECT6
            + udp_service("closed", "10.77.0.100", NOBODY, EVEN, NOBODY, "nat")
            + udp_service("closed6", "fd77::100", NOBODY, EVEN6, NOBODY, "nat"))


def ping(address, *options):
    return Lab.run("client", "ping", "-n", "-c", "5", "-i", "0.2", "-W", "1", *options,
                   address).stdout


def test_ping_service_addresses(system):
    """Ping of service addresses is answered by the balancer, once each, over both families."""
    for address in ("10.77.0.100", "10.77.0.110", "fd77::100", "fd77::110"):
        for size in ("0", "56", "1400"):
            shown, counts = system.counted(lambda a=address, s=size: ping(a, "-s", s))
            contains(shown, "5 received, 0% packet loss", f"ping -s {size} {address}")
            check("DUP" not in shown, f"{address} answers twice")
            equal(counts["reply_echo"], 5, f"reply_echo for {address}")


def test_ping_without_fragmentation(system):
    """The largest echo that fits is answered with the same bytes."""
    for address, size in (("10.77.0.100", "1472"), ("fd77::100", "1452")):
        contains(ping(address, "-s", size, "-M", "do", "-p", "c0ffee"),
                 "5 received, 0% packet loss", f"ping of {address}")


def test_ping_is_answered_when_no_backend_serves(system):
    """The address belongs to the balancer: its echo does not depend on a backend."""
    for name in ("b1", "b2", "b3"):
        system.done("maintenance", f"web/{name}", "--force", "--wait")
    contains(ping("10.77.0.100"), "5 received, 0% packet loss", "ping")
    for name in ("b1", "b2", "b3"):
        system.done("ready", f"web/{name}", "--wait")


def test_port_unreachable_comes_back(system):
    """A nat backend's "port unreachable" reaches the client's socket, over both families."""
    for address in ("10.77.0.100", "fd77::100"):
        answers, counts = system.counted(
            lambda a=address: json.loads(system.client("udp", a, NOBODY, 5, 100)))
        equal(answers, {"refused": 5}, f"what came of datagrams to {address}")
        equal(counts["return_icmp"], 5, "return_icmp")
