# What survives when every flow is forgotten: the dataplane dies with a thousand connections open.
"""System tests; run.py runs them. Twenty backends, each with a TCP of its own: a packet that
reaches the wrong one is reset there."""

import collections

from harness import check, equal
from peers import MANY, Kept
from services import CHECK, NO_CHECK, service

LAB = ["twenty"]
PORT_NUMBER = 9200
CONNECTIONS = 1000
TWENTY = [(f"b{n}", f"10.77.0.{30 + n}", 100) for n in MANY]
TWENTY6 = [(f"b{n}", f"fd77::{30 + n}", 100) for n in MANY]


# Without bounded load: where a flow went past its slot's owner, only the flow table knows.
def twenty(name, address, backends):
    return service(name, address, PORT_NUMBER, backends, PORT_NUMBER,
                   'forward = "dsr-l2"\nbounded_load = 0\n').replace(CHECK, NO_CHECK)


SERVICES = twenty("wiped", "10.77.0.110", TWENTY) + twenty("wiped6", "fd77::110", TWENTY6)


def open_all(system, address):
    """A thousand connections; every backend has some."""
    system.stream_servers(PORT_NUMBER, [f"many{n}" for n in MANY])
    kept = Kept(address, PORT_NUMBER, CONNECTIONS)
    kept.__enter__()
    equal(sum(kept.opened.values()), CONNECTIONS, f"connections ({kept.opened})")
    equal(set(kept.opened), {name for name, _, _ in TWENTY}, "backends that have some")
    return kept


def wipe(system):
    system.wipe()
    # A last packet of a connection closed before may make a flow again; the thousand are gone.
    flows = system.balancer.json("status")["flows"]
    check(flows < CONNECTIONS / 10, f"{flows} flows after the wipe")


def judge(answers, removed):
    """Only connections of the removed backend may break, and nothing else may happen to others."""
    equal(len(answers), CONNECTIONS, "connections")
    broken = collections.Counter((home, now) for home, now in answers if home != now)
    elsewhere = {pair: count for pair, count in broken.items() if pair[0] != removed}
    equal(elsewhere, {}, "connections of other backends that broke")
    homes = [home for home, _ in answers if home == removed]
    check(homes, f"no connection was with {removed}")
    return sum(count for (home, _), count in broken.items() if home == removed), len(homes)


def maintain(system):
    return lambda name: system.done("maintenance", name, "--wait")


def run(system, service_name, address, removed, remove):
    kept = open_all(system, address)
    try:
        judge(kept.ask(), removed)
        remove(f"{service_name}/{removed}")
        wipe(system)
        broken, had = judge(kept.ask(), removed)
        equal(broken, had, f"connections of {removed} that broke")
    finally:
        kept.__exit__()


def test_wiped_alone_ipv4(system):
    """A wipe alone breaks none of a thousand connections."""
    kept = open_all(system, "10.77.0.110")
    try:
        wipe(system)
        equal([pair for pair in kept.ask() if pair[0] != pair[1]], [], "connections that broke")
    finally:
        kept.__exit__()


def test_wiped_and_maintenance_ipv4(system):
    """One of twenty in maintenance, then the wipe: only its own connections break."""
    run(system, "wiped", "10.77.0.110", "b7", maintain(system))
    system.done("ready", "wiped/b7", "--wait")


def test_wiped_and_maintenance_ipv6(system):
    """The same over IPv6."""
    run(system, "wiped6", "fd77::110", "b12", maintain(system))
    system.done("ready", "wiped6/b12", "--wait")


def test_wiped_and_reloaded(system):
    """One of twenty taken out of the file, then the wipe: only its own connections break."""
    with open(system.balancer.file, encoding="utf-8") as stream:
        before = stream.read()

    def take_out(_):
        line = next(l for l in before.split("\n") if '"b3", address = "10.77.0.33"' in l)
        system.balancer.write(before.replace(f"{line}\n", "", 1))
        system.done("reload", "--wait")
    try:
        run(system, "wiped", "10.77.0.110", "b3", take_out)
    finally:
        system.balancer.write(before)
        system.done("reload", "--wait")
