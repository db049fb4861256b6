# Truncated, lying and forged packets at the running dataplane: named verdicts, never a crash.
"""System tests; run.py runs them. The packets are made by scapy in the client's namespace.

Fragments are not among them: net_af_packet has the kernel put them together again.
"""

import json
import os

from harness import HERE, Lab, check, equal
from hawser import PYTHON, load
from services import DIRECT, UDP, UDP6, WEB, WEB6

SERVICES = WEB + WEB6 + DIRECT + UDP + UDP6


def send(system, name):
    """Sends one kind of packets; returns by how much each verdict rose."""
    def fire():
        done = Lab.run("client", PYTHON, os.path.join(HERE, "hostile.py"), name, timeout=60)
        check(done.returncode == 0, f"hostile.py {name}: {done.stderr[-400:]}")
        return json.loads(done.stdout)
    return system.counted(fire)


def named(system, kind, verdict):
    sent, counts = send(system, kind)
    check(counts[verdict] >= sent, f"{sent} packets sent, {verdict} rose by {counts[verdict]}; "
                                   f"{ {n: c for n, c in counts.items() if c} }")


def test_ipv4_truncated(system):
    """IPv4 cut inside its header is ipv4_truncated."""
    named(system, "ipv4_truncated", "ipv4_truncated")


def test_ipv4_lying_header_length(system):
    """A header length below 20 or beyond the packet is ipv4_bad_header_length."""
    named(system, "ipv4_bad_header_length", "ipv4_bad_header_length")


def test_ipv4_lying_total_length(system):
    """A total length beyond the frame is ipv4_bad_total_length."""
    named(system, "ipv4_bad_total_length", "ipv4_bad_total_length")


def test_ipv4_wrong_checksum(system):
    """A wrong header checksum is ipv4_bad_checksum."""
    named(system, "ipv4_bad_checksum", "ipv4_bad_checksum")


def test_ipv4_bad_source(system):
    """Impossible source addresses are ipv4_bad_source."""
    named(system, "ipv4_bad_source", "ipv4_bad_source")


def test_ipv6_truncated(system):
    """IPv6 cut inside its header is ipv6_truncated."""
    named(system, "ipv6_truncated", "ipv6_truncated")


def test_ipv6_lying_length(system):
    """A payload length beyond the frame is ipv6_bad_payload_length."""
    named(system, "ipv6_bad_payload_length", "ipv6_bad_payload_length")


def test_ipv6_extensions(system):
    """Routing headers of type 0 or with segments left are ipv6_extension."""
    named(system, "ipv6_extension", "ipv6_extension")


def test_ipv6_extensions_are_forwarded(system):
    """Options, a lone fragment and a routing header that is done are no reason to refuse."""
    named(system, "ipv6_extension_passed", "forward_nat")


def test_tcp_lying_header_length(system):
    """A TCP data offset below 20 or beyond the packet is tcp_bad_header_length."""
    named(system, "tcp_bad_header_length", "tcp_bad_header_length")


def test_tcp_bad_flags(system):
    """No flags, or SYN with FIN or RST, is tcp_bad_flags."""
    named(system, "tcp_bad_flags", "tcp_bad_flags")


def test_tcp_truncated(system):
    """TCP cut inside its header is tcp_truncated."""
    named(system, "tcp_truncated", "tcp_truncated")


def test_udp_bad_length(system):
    """A UDP length below 8 or beyond the packet is udp_bad_length."""
    named(system, "udp_bad_length", "udp_bad_length")


def test_udp_without_checksum(system):
    """UDP over IPv6 with a zero checksum is udp_no_checksum."""
    named(system, "udp_no_checksum", "udp_no_checksum")


def test_ttl_expired(system):
    """A packet whose TTL is used up is ttl_expired."""
    named(system, "ttl_expired", "ttl_expired")


def test_no_service(system):
    """A protocol or port nobody serves at a service address is no_service."""
    named(system, "no_service", "no_service")


def test_malformed_arp(system):
    """ARP that is not IPv4 over Ethernet is arp_malformed."""
    named(system, "arp_malformed", "arp_malformed")


def test_malformed_neighbour_discovery(system):
    """A solicitation that RFC 4861 tells to discard is neighbour_malformed."""
    named(system, "neighbour_malformed", "neighbour_malformed")


def test_stray_segments(system):
    """TCP segments of no flow are counted and leave no flow behind."""
    sent, counts = send(system, "tcp_stray")
    check(counts["no_flow"] + counts["reply_reset"] >= sent, f"{counts}")


def test_foreign_return(system):
    """A packet to a nat port from someone else than the flow's backend is not let through."""
    sent, counts = send(system, "nat_foreign")
    stopped = counts["nat_foreign"] + counts["no_flow"] + counts["reply_reset"]
    check(stopped >= sent, f"{sent} sent, {counts}")
    equal(counts["return_nat"], 0, "packets let through")


def test_forged_arp_heals(system):
    """An ARP reply nobody asked for diverts a backend no longer than until it is asked again."""
    send(system, "arp_forged")

    def healed():
        return load("10.77.0.100:80", connections=30, concurrency=10, timeout=1)["failed"] == 0
    system.balancer.until(healed, "the backends to be found again", 60, step=1)
    system.balancer.until_ok(30)


def test_options_are_forwarded(system):
    """IPv4 options are no reason to refuse: the connection is answered."""
    sent, counts = send(system, "ipv4_options")
    check(counts["forward_nat"] >= sent, f"{counts}")


def test_random_frames(system):
    """Twenty thousand damaged frames are all counted and crash nothing."""
    sent, counts = send(system, "random")
    check(sum(counts.values()) >= sent * 0.9, f"{sent} sent, {sum(counts.values())} counted")
    equal(counts["undecided"], 0, "packets without a decision")


def test_traffic_still_flows(system):
    """After all of that every service works and every buffer is back."""
    for target in ("10.77.0.100:80", "[fd77::100]:80", "10.77.0.110:80"):
        seen = load(target, connections=200, concurrency=10)
        equal(seen["failed"], 0, f"failed requests at {target} ({seen['causes']})")
    port = system.balancer.json("status")["dataplane"]["ports"][0]
    equal(port["receive_errors"], 0, "receive errors")
