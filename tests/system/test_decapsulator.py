# The decapsulator of the tests alone, without Hawser: real TCP through each kind of tunnel.
"""System tests; run.py runs them. They say what other tests may rely on."""

import json
import os

from harness import Lab, check, equal
from hawser import PYTHON, Daemon
from peers import HERE

SERVICES_INSIDE = ("10.77.0.120", "fd77::120")
UPLOAD = 10_000_000


def send_through(system, kind, backend, test):
    """Runs `test` for each inner family while the client sends through a tunnel to `backend`."""
    system.stream_servers(9080)
    # The client's packets enter the tunnel in its own namespace; the answers come without one.
    other_end = Daemon("encapsulator", [
        PYTHON, os.path.join(HERE, "encapsulator.py"), kind, backend, *SERVICES_INSIDE],
        space="client").start()
    try:
        for service in SERVICES_INSIDE:
            system.wait(lambda s=service: "encap0" in Lab.run(
                "client", "ip", "route", "get", s).stdout, "the encapsulator's routes")
        for service in SERVICES_INSIDE:
            test(service)
    finally:
        other_end.kill()


def upload_and_download(system, kind, backend):
    def both(service):
        for verb in ("upload", "download"):
            seen = json.loads(system.client(verb, service, 9080, UPLOAD))
            check(seen["same"] and seen["bytes"] == UPLOAD, f"{verb} to {service}: {seen}")
            check(seen["seconds"] < 20, f"{verb} to {service} took {seen['seconds']} s")
    system.decapsulators()
    before = system.decapsulated(1)["kinds"]
    send_through(system, kind, backend, both)
    outer = "ipv6" if ":" in backend else "ipv4"
    counts = system.decapsulated(1)["kinds"]
    for inner in ("ipv4", "ipv6"):
        name = f"{kind} {inner} in {outer}"
        rose = counts.get(name, 0) - before.get(name, 0)
        # 10 MB in packets of at most 1400 bytes, and acknowledgements of 10 MB more.
        check(rose > UPLOAD / 1400, f"{name}: {rose} packets of {counts}")
    equal(counts.get("malformed", 0), before.get("malformed", 0), "malformed packets")


def test_ipip_over_ipv4(system):
    """Ten megabytes each way, IPv4 and IPv6 inside IP over IPv4."""
    upload_and_download(system, "ipip", "10.77.0.11")


def test_ipip_over_ipv6(system):
    """The same inside IPv6."""
    upload_and_download(system, "ipip", "fd77::11")


def test_gue_variant_1(system):
    """The same inside UDP, the packet directly behind the header, over both families."""
    upload_and_download(system, "gue1", "10.77.0.11")
    upload_and_download(system, "gue1", "fd77::11")


def test_gue_variant_0(system):
    """The same with GUE's own header of four bytes."""
    upload_and_download(system, "gue0", "10.77.0.11")
    upload_and_download(system, "gue0", "fd77::11")


FORGE = """
import socket

from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether
from scapy.packet import Raw
inner = IP(src="10.77.0.2", dst="10.77.0.120") / UDP(sport=7, dport=7) / Raw(b"x" * 40)
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
wire.bind(("data", 0))
for lie in ({"chksum": 0x1234}, {"chksum": 0}, {}):
    outer = Ether(src="02:77:00:00:00:02", dst="02:77:00:00:00:11") / IPv6(
        src="fd77::2", dst="fd77::11") / UDP(sport=999, dport=6080, **lie)
    wire.send(bytes(outer / inner))
for junk in (b"", b"\\x00\\x04\\x00\\x00", b"\\xff" * 40, b"\\x45" * 8,
             b"\\x20\\x04\\x00\\x00" + bytes(inner)):
    wire.send(bytes(Ether(src="02:77:00:00:00:02", dst="02:77:00:00:00:11") / IP(
        src="10.77.0.2", dst="10.77.0.11") / UDP(sport=998, dport=6080) / Raw(junk)))
"""


def test_bad_packets_are_not_taken(system):
    """A wrong or missing UDP checksum over IPv6 is the kernel's to refuse; junk is counted."""
    system.decapsulators()
    before = system.decapsulated(1)["kinds"]
    done = Lab.run("client", PYTHON, "-c", FORGE)
    equal(done.returncode, 0, f"exit of the forger ({done.stderr[-300:]})")
    system.wait(lambda: system.decapsulated(1)["kinds"].get("malformed", 0) >=
                before.get("malformed", 0) + 5, "the junk to be counted")
    after = system.decapsulated(1)["kinds"]
    equal(after["malformed"] - before.get("malformed", 0), 5, "malformed packets")
    name = "gue1 ipv4 in ipv6"
    equal(after.get(name, 0) - before.get(name, 0), 1, "packets with a right checksum")
