# UDP datagrams larger than the MTU: fragments in and out, over both families, by nat and dsr-l2.
"""System tests; run.py runs them. FRAGMENTS_DEVICE says how fragments get here at all."""

import json
import os

from harness import Lab, check, equal
from hawser import FRAGMENTS_DEVICE, GATEWAYS, PYTHON
from peers import HERE
from services import BACKENDS_OF, ECHO, UDP, UDP6, both, udp_service

LAB = ["far"]
DEVICE = FRAGMENTS_DEVICE
PORT = GATEWAYS


def direct(name, address, backends):
    return udp_service(name, address, ECHO, backends, ECHO, "dsr-l2")


SERVICES = UDP + UDP6 + both(direct, "direct", 110, BACKENDS_OF)
ALL = {"b1", "b2", "b3"}
FOUR_KILOBYTES = 4096
NAT, DIRECT = ("10.77.0.100", "fd77::100"), ("10.77.0.110", "fd77::110")


def fragmented(system, run, least):
    """Runs `run`; the balancer must have forwarded at least so many packets: whole datagrams, put
    together before it sees them, would be fewer."""
    system.echo_servers(ECHO)
    answers, counts = system.counted(run)
    answers = json.loads(answers)
    packets = sum(counts[name] for name in ("forward_nat", "return_nat", "forward_dsr_l2"))
    check(packets >= least, f"{packets} packets, at least {least} expected; answers: {answers}")
    return answers


def test_nat(system):
    """nat: four kilobytes there and back, each datagram a flow of its own."""
    for address in NAT:
        # Three fragments there, three back.
        answers = fragmented(system, lambda a=address: system.client(
            "udp", a, ECHO, 60, FOUR_KILOBYTES), 60 * 6)
        equal(set(answers), ALL, f"who answered at {address} ({answers})")


def test_nat_one_flow(system):
    """nat: five hundred datagrams of one socket all reach the same backend."""
    for address in NAT:
        answers = fragmented(system, lambda a=address: system.client(
            "udp-one", a, ECHO, 500, FOUR_KILOBYTES), 500 * 6)
        equal(list(answers.values()), [500], f"who answered at {address} ({answers})")
        check(set(answers) < ALL, f"who answered at {address} ({answers})")


def test_direct(system):
    """dsr-l2: the same; the answers come past the balancer."""
    for address in DIRECT:
        answers = fragmented(system, lambda a=address: system.client(
            "udp", a, ECHO, 60, FOUR_KILOBYTES), 60 * 3)
        equal(set(answers), ALL, f"who answered at {address} ({answers})")


def test_direct_one_flow(system):
    """dsr-l2: five hundred datagrams of one socket all reach the same backend."""
    for address in DIRECT:
        answers = fragmented(system, lambda a=address: system.client(
            "udp-one", a, ECHO, 500, FOUR_KILOBYTES), 500 * 3)
        equal(list(answers.values()), [500], f"who answered at {address} ({answers})")


def test_any_order(system):
    """Fragments that come backwards or shuffled wait for their first one."""
    for address in NAT + DIRECT:
        for order in ("forwards", "backwards", "shuffled"):
            def run(a=address, o=order):
                done = Lab.run("client", PYTHON, os.path.join(HERE, "fragments.py"), a, str(ECHO),
                               o, "20", str(FOUR_KILOBYTES))
                equal(done.returncode, 0, f"exit of fragments.py ({done.stderr[-300:]})")
                return done.stdout
            least = 20 * (6 if address in NAT else 3)
            answers = fragmented(system, run, least)
            counts = {name: count for name, count in system.balancer.counters().items() if count}
            check(set(answers) <= ALL, f"{order} to {address}: {answers}; {counts}")


def test_narrow_path(system):
    """A client behind a 1280-byte link: once both ends know the path, nothing is lost."""
    for address in NAT + DIRECT:
        system.forget_paths()
        answers = fragmented(system, lambda a=address: system.far(
            "udp-one", a, ECHO, 100, FOUR_KILOBYTES), 300)
        # The first datagrams teach the path: that is what UDP has instead of retransmission.
        check(answers.get("none", 0) <= 4 and sum(answers.values()) == 100 and
              not set(answers) - ALL - {"none"}, f"answers at {address}: {answers}")
