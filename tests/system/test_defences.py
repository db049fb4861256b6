# What a service bears: lists of sources, limits of flows and rates, a flood that hurts nobody.
"""System tests; run.py runs them. Floods are flood.py's, from senders that do not answer."""

import subprocess
import time

from demo_configuration import service
from harness import HERE, RUN, Lab, check, contains, equal
from hawser import PYTHON, Balancer, configuration, netns
from peers import Kept
from services import BACKENDS_OF, EVEN, STREAM, both, stream_service, udp_service

BLOCKED = "blocked"
FILES = {BLOCKED: "# known offenders\n10.77.0.205\nfd77::205\n"}
LIST = f'[[prefix_list]]\nname = "{BLOCKED}"\nfile = "{RUN}/{BLOCKED}"\n\n'
MAX_FLOWS, BURST, RATE, FLOOD = 50, 20, 300, 20_000
FULL, SOURCES, RATED = STREAM + 1, 9001, 9002  # ports
NOBODY = "198.18.0.0"  # senders of floods (RFC 2544): the backends have no route there
NOBODY6 = "2001:db8::"
HANDSHAKE = 'timeouts = { handshake = "6s" }\n'


def guarded(name, address, backends):
    return service(name, address, 80, backends, 8080, f'forward = "nat"\ndeny = ["{BLOCKED}"]\n')


def flooded(name, address, backends):
    return stream_service(name, address, backends, "dsr-l2", f"new_flow_rate = {RATE}\n")


def full(name, address, backends):
    text = stream_service(name, address, backends, "dsr-l2",
                          f"max_flows = {MAX_FLOWS}\n{HANDSHAKE}")
    return text.replace(str(STREAM), str(FULL))


def limited(port, forward, extra):
    def make(name, address, backends):
        text = udp_service(name, address, port, backends, port, forward)
        return text.replace("check =", f"{extra}\ncheck =")
    return make


SERVICES = (LIST + both(guarded, "guarded", 100, BACKENDS_OF)
            + both(flooded, "flooded", 110, BACKENDS_OF) + both(full, "full", 110, BACKENDS_OF)
            + both(limited(SOURCES, "dsr-l2",
                           f"source_rate = {{ per_second = 1, burst = {BURST} }}"),
                   "sources", 110, BACKENDS_OF)
            + both(limited(RATED, "nat", f"new_flow_rate = {RATE}"), "rated", 100, BACKENDS_OF))
DIRECT = (("10.77.0.110", NOBODY), ("fd77::110", NOBODY6))


def served(kept):
    """Connections that a backend has taken."""
    return sum(kept.opened.get(name, 0) for name in ("b1", "b2", "b3"))


def flows(system, name):
    return system.balancer.json("services", name)["services"][0]["flows"]


# --- lists ----------------------------------------------------------------------------------------


def ask(source, limit=5):
    """The status that a client with this address gets; 0 when it gets no answer."""
    url = "http://[fd77::100]/" if ":" in source else "http://10.77.0.100/"
    return Lab.curl(url, "--interface", source, "-m", str(limit))[0]


def test_denied_sources(system):
    """Who is on the list of a file is not served and counted as source_denied; others are."""
    for source, neighbour in (("10.77.0.205", "10.77.0.204"), ("fd77::205", "fd77::204")):
        seen, counts = system.counted(lambda s=source: ask(s, 2))
        equal(seen, 0, f"status for {source}")
        check(counts["source_denied"] >= 1, f"source_denied rose by {counts['source_denied']}")
        equal(ask(neighbour), 200, f"status for {neighbour}")


def test_reload_reads_the_list_again(system):
    """An address that is added to the file is denied after a reload; taken out, it is served."""
    equal((ask("10.77.0.206"), ask("10.77.0.205", 1)), (200, 0), "before")
    before = system.put(BLOCKED, FILES[BLOCKED] + "10.77.0.206/31\n") and ask("10.77.0.206")
    equal(before, 200, "status before the reload")
    system.done("reload", "--wait")
    equal((ask("10.77.0.206", 1), ask("10.77.0.207", 1), ask("10.77.0.208")), (0, 0, 200),
          "status after the reload")
    rows = system.balancer.json("services", "guarded4")["services"][0]["lists"]
    equal(rows, [{"name": BLOCKED, "rule": "deny", "prefixes": 3}], "lists")
    system.put(BLOCKED, FILES[BLOCKED])
    system.done("reload", "--wait")
    equal(ask("10.77.0.206"), 200, "status once it is gone from the file")


def test_reload_refuses_a_bad_list(system):
    """A mistake in the file is told with its line and changes nothing."""
    system.put(BLOCKED, "10.77.0.205\n10.77.0.206\n10.77.0.300\n")
    try:
        contains(system.refused(1, "reload"), f"{RUN}/{BLOCKED}:3:", "what reload says")
        equal((ask("10.77.0.206"), ask("10.77.0.205", 1)), (200, 0), "status after the reload")
    finally:
        system.put(BLOCKED, FILES[BLOCKED])
        system.done("reload", "--wait")


# --- limits ---------------------------------------------------------------------------------------


def test_max_flows(system):
    """Beyond max_flows new flows are dropped as service_full, and the flows there are go on."""
    system.stream_servers(FULL)
    for (address, nobody), name in zip(DIRECT, ("full4", "full6")):
        with Kept(address, FULL, 10) as kept:
            equal(served(kept), 10, f"connections ({kept.opened})")
            room = MAX_FLOWS - flows(system, name)
            _, counts = system.counted(lambda a=address, n=nobody: system.flood(
                "syn", n, a, FULL, 2 * MAX_FLOWS, "spread"))
            equal(counts["service_full"], 2 * MAX_FLOWS - room, f"service_full of {name}")
            equal(flows(system, name), MAX_FLOWS, f"flows of {name}")
            equal([pair for pair in kept.ask() if pair[0] != pair[1]], [], "connections hurt")
    for (address, _), name in zip(DIRECT, ("full4", "full6")):
        # The flood's flows never finish their handshake.
        system.wait(lambda n=name: flows(system, n) < MAX_FLOWS / 2, f"{name} to be free again", 60)
        with Kept(address, FULL, 10) as kept:
            equal(served(kept), 10, f"connections afterwards ({kept.opened})")


def test_source_rate(system):
    """A source gets its burst and no more; its neighbour, for IPv6 the next /64, has its own."""
    # Addresses of IPv6 that differ only in the last 64 bits are one source.
    for address, first, same, another in (
            ("10.77.0.110", "198.18.1.1", "198.18.1.1", "198.18.1.2"),
            ("fd77::110", "2001:db8:1::1", "2001:db8:1::2", "2001:db8:1:1::1")):
        _, counts = system.counted(lambda: system.flood("udp", first, address, SOURCES, 200))
        passed = counts["forward_dsr_l2"]
        equal(counts["source_rate_exceeded"], 200 - passed, "source_rate_exceeded")
        check(BURST <= passed <= 3 * BURST, f"{passed} flows of {first} passed")
        _, counts = system.counted(lambda: system.flood("udp", same, address, SOURCES, 250))
        # The first 200 of IPv4 may be flows by now; what was refused is still refused.
        check(counts["source_rate_exceeded"] >= 150, f"{counts['source_rate_exceeded']} refused")
        _, counts = system.counted(lambda: system.flood("udp", another, address, SOURCES, BURST))
        equal((counts["forward_dsr_l2"], counts["source_rate_exceeded"]), (BURST, 0),
              f"flows of {another} that passed and that did not")


def test_new_flow_rate_nat(system):
    """nat: new flows beyond new_flow_rate are dropped by name."""
    for address, nobody in (("10.77.0.100", NOBODY), ("fd77::100", NOBODY6)):
        begin = time.monotonic()
        _, counts = system.counted(lambda a=address, n=nobody: system.flood(
            "udp", n, a, RATED, 10 * RATE, "spread"))
        most = RATE * (1 + time.monotonic() - begin)
        passed = counts["forward_nat"]
        check(RATE * 0.9 <= passed <= most, f"{passed} flows passed, {most:.0f} at most")
        check(counts["new_flow_rate_exceeded"] >= RATE,
              f"new_flow_rate_exceeded rose by {counts['new_flow_rate_exceeded']}")


def test_flood_past_established_connections(system):
    """dsr-l2: while 20 000 SYNs pass, most without a record, no connection of before is hurt."""
    system.stream_servers(STREAM)
    for (address, nobody), name in zip(DIRECT, ("flooded4", "flooded6")):
        stateless = system.other_counter("stateless")
        with Kept(address, STREAM, 100) as kept:
            equal(served(kept), 100, f"connections ({kept.opened})")
            begin = time.monotonic()
            before = system.balancer.counters()
            with subprocess.Popen(
                    netns("client", PYTHON, f"{HERE}/flood.py", "syn", nobody, address, str(STREAM),
                          str(FLOOD), "spread"), stdout=subprocess.DEVNULL) as flood:
                while flood.poll() is None:
                    equal([p for p in kept.ask() if p[0] != p[1]], [], "connections hurt meanwhile")
            took = time.monotonic() - begin
            equal(flood.returncode, 0, "exit of flood.py")
            equal([p for p in kept.ask() if p[0] != p[1]], [], "connections hurt afterwards")
            recorded = flows(system, name) - 100
            passed = system.balancer.counters()["forward_dsr_l2"] - before["forward_dsr_l2"]
        check(passed >= FLOOD / 4, f"only {passed} of {FLOOD} SYNs came to the backends")
        check(RATE / 2 <= recorded <= RATE * (2 + took), f"{recorded} flows after {took} s")
        stateless = system.other_counter("stateless") - stateless
        check(stateless >= FLOOD / 5, f"{stateless} packets forwarded without a record")


# --- what runs out --------------------------------------------------------------------------------

PORTS, RESTING = 64512, 32  # of one NAT address; so many of them are never given out
ONE_ADDRESS = 'nat_addresses = ["10.77.0.20"]'
THREE_ADDRESSES = 'nat_addresses = ["10.77.0.20", "10.77.0.21", "fd77::20"]'


def nat_ports(system):
    worker = system.balancer.json("status")["dataplane"]["workers"][0]
    return worker["nat_ports_used"], worker["nat_ports_total"]


def problems(system):
    return "\n".join(row["message"] for row in system.balancer.json("status")["problems"])


def fill(system, source, count):
    """So many NAT ports in use; what got lost on the way is sent again."""
    def filled():
        system.flood("udp", source, "10.77.0.100", SOURCES, count)
        return nat_ports(system)[0] >= count
    system.wait(filled, f"{count} flows", 120)


def test_nat_ports_run_out(system):
    """With more than 80 % of the local ports in use status warns; beyond all of them it says so."""
    system.stop()
    nat = udp_service("nat", "10.77.0.100", SOURCES, EVEN, SOURCES, "nat")
    system.remove_state()
    text = configuration(nat).replace(THREE_ADDRESSES, ONE_ADDRESS)
    system.balancer = Balancer(system.build, text)
    system.balancer.start()
    equal(nat_ports(system), (0, PORTS), "NAT ports in use, and in all")
    fill(system, "198.18.0.1", PORTS * 7 // 10)
    check("NAT ports" not in problems(system), f"status warns at 70 %: {problems(system)}")
    fill(system, "198.18.0.1", PORTS * 82 // 100 + 1)
    contains(problems(system), "NAT ports are 82 % used", "status")
    fill(system, "198.18.0.1", PORTS - RESTING)
    _, counts = system.counted(
        lambda: system.flood("udp", "198.18.0.2", "10.77.0.100", SOURCES, 100))
    equal((counts["nat_ports_exhausted"], counts["forward_nat"]), (100, 0),
          "new flows that were dropped, and forwarded")
    contains(problems(system), "NAT ports are 99 % used", "status")
    contains(problems(system), "nat_ports_exhausted rose by 100", "status")
