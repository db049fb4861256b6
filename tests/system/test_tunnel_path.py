# A path to the backend that is narrower than the port: routers' errors tell it to the tunnel.
"""System tests; run.py runs them. The backend is in the namespace `far`, with a decapsulator.

What a path takes is remembered for ten minutes, so it only becomes narrower here.
"""

import json

from harness import Lab, check, equal
from hawser import GATEWAYS
from services import STREAM, stream_service

LAB = ["far"]
PORT = GATEWAYS
FAR = {4: "10.79.0.2", 6: "fd79::2"}
SERVICE = {4: "10.77.0.140", 6: "fd77::140"}
TEN_MEGABYTES = 10_000_000
# What the tunnel adds, by kind and family of the outer packet.
ADDED = {("ipip", 4): 20, ("ipip", 6): 40, ("gue", 4): 28, ("gue", 6): 48}
LEARNT = "path_mtus_learned"
NARROW, LESS_NARROW = 1280, 1400
WAYS = [(kind, inner, outer) for kind in ("ipip", "gue") for inner in (4, 6) for outer in (4, 6)]


def port_of(kind, outer):
    return STREAM + 2 * (kind == "gue") + (outer == 6)


def far_service(kind, inner, outer):
    text = stream_service(f"{kind}-{inner}-{outer}", SERVICE[inner], [("far", FAR[outer], 100)],
                          f"dsr-{kind}")
    return text.replace(str(STREAM), str(port_of(kind, outer)))


SERVICES = "".join(far_service(*way) for way in WAYS)


def make_narrow(mtu):
    """The link between the two routers; nobody behind them remembers how it was."""
    for space in ("gate", "gate2"):
        done = Lab.run(space, "ip", "link", "set", "narrow", "mtu", str(mtu))
        equal(done.returncode, 0, f"exit of ip link ({done.stderr})")


def upload(system, kind, inner, outer, mtu):
    """Ten megabytes arrive, although neither the port nor the client's link is narrow."""
    port, address = port_of(kind, outer), SERVICE[inner]
    system.stream_servers(port, ["far"])
    system.decapsulators(["far"])
    system.forget_paths()
    name = f"{'gue1' if kind == 'gue' else kind} ipv{inner} in ipv{outer}"
    before = system.decapsulated("far")["kinds"].get(name, 0)
    seen, counts = system.counted(
        lambda: json.loads(system.client("upload", address, port, TEN_MEGABYTES)))
    check(seen["same"] and seen["bytes"] == TEN_MEGABYTES, f"upload by {name}: {seen}")
    room = mtu - ADDED[kind, outer]
    equal(system.path_mtu("client", address), room, f"path MTU the client has learnt by {name}")
    check(counts["reply_too_big"] >= 1, f"reply_too_big rose by {counts['reply_too_big']}")
    packets = system.decapsulated("far")["kinds"].get(name, 0) - before
    check(packets >= TEN_MEGABYTES / room, f"only {packets} packets came by {name}")


def run(system, inner, mtu):
    make_narrow(mtu)
    try:
        before = system.other_counter(LEARNT)
        for way in WAYS:
            if way[1] == inner:
                upload(system, *way, mtu)
        check(system.other_counter(LEARNT) > before, f"{LEARNT} did not rise")
    finally:
        make_narrow(NARROW)


def test_ipv6_through_a_narrow_path(system):
    """IPv6 services: behind a 1400-byte link ten megabytes arrive, by every kind of tunnel."""
    run(system, 6, LESS_NARROW)


def test_ipv4_through_a_narrow_path(system):
    """IPv4 services: the same behind a 1280-byte link."""
    run(system, 4, NARROW)
