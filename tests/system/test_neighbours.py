# ARP, neighbour discovery and the exception TAP, as seen from the machines around.
"""System tests; run.py runs them."""

import time

from harness import Lab, check, contains, equal
from services import DIRECT, WEB, WEB6

SERVICES = WEB + WEB6 + DIRECT
MAC = "02:77:00:00:00:01"


def mac_of(address):
    """What the client learns when it asks for `address` anew."""
    Lab.run("client", "ip", "neigh", "flush", "dev", "data")
    Lab.run("client", "ping", "-c", "1", "-W", "1", address)
    shown = Lab.run("client", "ip", "neigh", "show", address).stdout.split()
    return shown[shown.index("lladdr") + 1] if "lladdr" in shown else None


def ping(space, address, *options):
    return Lab.run(space, "ping", "-c", "3", "-i", "0.2", "-W", "1", *options, address)


def test_arp_for_own_address(system):
    """ARP for the port's own address is answered with the port's MAC."""
    equal(mac_of("10.77.0.1"), MAC, "MAC")


def test_arp_for_service_addresses(system):
    """ARP for nat and dsr-l2 service addresses is answered, by the balancer alone."""
    equal(mac_of("10.77.0.100"), MAC, "MAC of the nat service")
    equal(mac_of("10.77.0.110"), MAC, "MAC of the dsr-l2 service")


def test_arp_for_nat_addresses(system):
    """ARP for the nat addresses is answered: replies of backends go there."""
    equal(mac_of("10.77.0.20"), MAC, "MAC")
    equal(mac_of("10.77.0.21"), MAC, "MAC")


def test_neighbour_discovery(system):
    """Neighbour solicitations for own, service and nat addresses are answered."""
    for address in ("fd77::1", "fd77::100", "fd77::20"):
        equal(mac_of(address), MAC, f"MAC of {address}")


def test_nobody_answers_for_the_unknown(system):
    """An address that is nobody's stays unanswered."""
    equal(mac_of("10.77.0.99"), None, "MAC")
    equal(mac_of("fd77::99"), None, "MAC")


def test_ping_own_address_ipv4(system):
    """The kernel answers ping to the port's own address through the exception TAP."""
    contains(ping("client", "10.77.0.1").stdout, " 0% packet loss", "ping")


def test_ping_own_address_ipv6(system):
    """The same over IPv6."""
    contains(ping("client", "fd77::1").stdout, " 0% packet loss", "ping")


def test_ping_outwards(system):
    """The kernel of the balancer reaches the network through the exception TAP."""
    contains(ping("balancer", "10.77.0.2").stdout, " 0% packet loss", "ping")
    contains(ping("balancer", "fd77::2").stdout, " 0% packet loss", "ping")


def test_tcp_through_the_tap(system):
    """The balancer's own programs speak TCP with backends: large bodies too."""
    status, _, body = Lab.curl("http://10.77.0.12:8080/files/1m", space="balancer")
    equal((status, len(body)), (200, 1000000), "status and length")
    status, _, body = Lab.curl("http://[fd77::12]:8080/files/1m", space="balancer")
    equal((status, len(body)), (200, 1000000), "status and length over IPv6")


def test_tap_is_a_normal_interface(system):
    """The exception TAP is up and carries the port's addresses and MAC."""
    shown = Lab.run("balancer", "ip", "address", "show", "dev", "hawser0").stdout
    for part in ("UP", MAC, "10.77.0.1/24", "fd77::1/64"):
        contains(shown, part, "ip address show hawser0")


def test_neighbours_are_listed(system):
    """status --json lists the backends' MAC addresses as reachable."""
    rows = {n["address"]: n for n in system.balancer.json("status")["dataplane"]["neighbours"]}
    for number in (1, 2, 3):
        for address in (f"10.77.0.1{number}", f"fd77::1{number}"):
            check(address in rows, f"{address} is not listed")
            equal(rows[address]["mac"], f"02:77:00:00:00:1{number}", f"MAC of {address}")


def test_changed_mac_is_learned(system):
    """A backend that comes back with another network card is found again."""
    Lab.run("backend3", "ip", "link", "set", "data", "address", "02:77:00:00:00:33")
    try:
        # A machine that comes up announces itself; this one does too.
        Lab.run("backend3", "ping", "-c", "1", "-W", "1", "10.77.0.1")

        def known():
            rows = system.balancer.json("status")["dataplane"]["neighbours"]
            return any(n["address"] == "10.77.0.13" and n["mac"] == "02:77:00:00:00:33"
                       for n in rows)
        system.balancer.until(known, "the new MAC address", 90)
        time.sleep(0.2)
        equal({Lab.curl("http://10.77.0.100/")[0] for _ in range(30)}, {200}, "statuses")
    finally:
        Lab.run("backend3", "ip", "link", "set", "data", "address", "02:77:00:00:00:13")
