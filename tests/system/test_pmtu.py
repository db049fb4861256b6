# Path MTU: a client behind a 1280-byte link, ten megabytes each way, through nat and dsr-l2.
"""System tests; run.py runs them."""

import json

from hawser import GATEWAYS
from harness import check, equal
from services import BACKENDS_OF, STREAM, both, stream_service

LAB = ["far"]
PORT = GATEWAYS
SERVICES = (both(stream_service, "nat", 100, BACKENDS_OF, "nat")
            + both(stream_service, "direct", 110, BACKENDS_OF, "dsr-l2"))
TEN_MEGABYTES = 10_000_000
NARROW = 1280


def transfer(system, verb, address, times=4):
    """Each with nobody remembering the path. By how much each verdict rose."""
    system.stream_servers(STREAM)

    def run():
        for _ in range(times):
            system.forget_paths()
            seen = json.loads(system.far(verb, address, STREAM, TEN_MEGABYTES))
            check(seen["same"] and seen["bytes"] == TEN_MEGABYTES, f"{verb} at {address}: {seen}")
    return system.counted(run)[1]


def learnt(system, towards):
    """What the backends have learnt of the path to one of `towards`."""
    return {system.path_mtu(f"backend{n}", a) for n in (1, 2, 3) for a in towards} - {None}


def test_download_nat_ipv4(system):
    """nat: the router's error before the narrow link reaches the backend that sent too much."""
    counts = transfer(system, "download", "10.77.0.100")
    equal(learnt(system, ("10.77.0.20", "10.77.0.21")), {NARROW}, "path MTU backends have learnt")
    check(counts["forward_icmp"] >= 4, f"forward_icmp rose by {counts['forward_icmp']}")


def test_download_nat_ipv6(system):
    """The same over IPv6, where no router cuts packets."""
    counts = transfer(system, "download", "fd77::100")
    equal(learnt(system, ("fd77::20",)), {NARROW}, "path MTU backends have learnt")
    check(counts["forward_icmp"] >= 4, f"forward_icmp rose by {counts['forward_icmp']}")


def test_upload_nat(system):
    """nat: ten megabytes from behind the narrow link arrive, over both families."""
    transfer(system, "upload", "10.77.0.100", 2)
    transfer(system, "upload", "fd77::100", 2)


def test_download_direct_ipv4(system):
    """dsr-l2: the error goes to the service's address, and the balancer finds the backend."""
    counts = transfer(system, "download", "10.77.0.110")
    equal(learnt(system, ("10.79.0.2",)), {NARROW}, "path MTU backends have learnt")
    check(counts["forward_icmp"] >= 4, f"forward_icmp rose by {counts['forward_icmp']}")


def test_download_direct_ipv6(system):
    """The same over IPv6."""
    counts = transfer(system, "download", "fd77::110")
    equal(learnt(system, ("fd79::2",)), {NARROW}, "path MTU backends have learnt")
    check(counts["forward_icmp"] >= 4, f"forward_icmp rose by {counts['forward_icmp']}")


def test_upload_direct(system):
    """dsr-l2: ten megabytes from behind the narrow link arrive, over both families."""
    transfer(system, "upload", "10.77.0.110", 2)
    transfer(system, "upload", "fd77::110", 2)
