# A client stays on its backend: by source address, across connections, weights and failures.
"""System tests; run.py runs them."""

from harness import Lab, check, equal
from hawser import load
from services import STICKY, WEB

SERVICES = STICKY + WEB
CLIENTS = [f"10.77.0.{n}" for n in range(201, 221)]


def homes(connections=200):
    seen = load("10.77.0.100:8080", connections=connections, concurrency=10,
                sources=",".join(CLIENTS))
    equal(seen["failed"], 0, f"failed requests ({seen['causes']})")
    for source, names in seen["by_source"].items():
        equal(len(names), 1, f"backends that {source} met ({names})")
    return {source: next(iter(names)) for source, names in seen["by_source"].items()}


def test_each_client_has_one_home(system):
    """Twenty clients with ten connections each meet one backend each."""
    equal(len(homes()), 20, "clients")


def test_homes_are_spread(system):
    """The clients' homes are not all the same backend."""
    check(len(set(homes(40).values())) >= 2, "all clients have the same home")


def test_home_does_not_depend_on_time(system):
    """Asked again, every client is where it was."""
    equal(homes(40), homes(40), "homes")


def test_only_the_homeless_move(system):
    """When a backend goes into maintenance only its clients move."""
    before = homes(40)
    system.done("maintenance", "sticky/b2", "--wait")
    during = homes(40)
    for source in CLIENTS:
        if before[source] != "b2":
            equal(during[source], before[source], f"home of {source}")
        else:
            check(during[source] != "b2", f"{source} is still on b2")
    system.done("ready", "sticky/b2", "--wait")
    check("b2" in homes(40).values(), "nobody came back with b2")


def test_by_flow_spreads_one_client(system):
    """Affinity by flow spreads the connections of one client."""
    seen = load("10.77.0.100:80", connections=60, concurrency=4, sources=CLIENTS[0])
    equal(len(seen["connections_by_backend"]), 3, "backends one client met")
    equal(Lab.curl("http://10.77.0.100/")[0], 200, "status")
