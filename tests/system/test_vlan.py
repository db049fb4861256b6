# A port whose frames carry an 802.1Q tag: clients in VLAN 100, backends on the untagged port.
"""System tests; run.py runs them."""

import json
import os

from demo_configuration import service
from harness import Lab, check, contains, equal
from hawser import PYTHON, load
from peers import HERE
from services import EVEN, STREAM, stream_service

LAB = ["trunk"]
TAG = 100
# The second port follows the lines of the first one.
PORT = f"""
[[port]]
name = "trunk"
device = "net_af_packet1,iface=trunk"
vlan = {TAG}
addresses = ["10.76.0.1/24", "fd76::1/64"]

"""
SERVICES = (service("web", "10.76.0.100", 80, EVEN, 8080, 'forward = "nat"\n')
            + stream_service("stream", "10.76.0.100", EVEN, "nat"))
ADDRESSES = ("address add 10.76.0.2/24 dev tagged\n", "address add fd76::2/64 dev tagged nodad\n")
TEN_MEGABYTES = 10_000_000


def in_the_vlan(system):
    """A VLAN interface in the client's namespace: the kernel's own, or vlan.py if it has none."""
    def shown():
        return Lab.run("client", "ip", "link", "show", "tagged").stdout
    if shown():
        return
    own = Lab.run("client", "ip", "link", "add", "link", "trunk", "name", "tagged", "type", "vlan",
                  "id", str(TAG))
    if own.returncode == 0:
        Lab.run("client", "ip", "link", "set", "tagged", "up")
    else:
        system.helper("vlan", "client", PYTHON, os.path.join(HERE, "vlan.py"), "trunk", "tagged",
                      str(TAG))
    system.wait(lambda: "UP" in shown(), "the VLAN interface")
    done = Lab.run("client", "ip", "-batch", "-", input="".join(ADDRESSES))
    equal(done.returncode, 0, f"exit of ip -batch ({done.stderr})")


def test_own_address(system):
    """The port answers ARP, neighbour discovery and ping inside the VLAN."""
    in_the_vlan(system)
    for address in ("10.76.0.1", "fd76::1"):
        contains(Lab.run("client", "ping", "-c", "3", "-i", "0.2", "-W", "1", address).stdout,
                 " 0% packet loss", f"ping {address}")


def test_requests(system):
    """Requests from the VLAN are served by untagged backends."""
    in_the_vlan(system)
    seen = load("10.76.0.100:80", connections=150, concurrency=8)
    equal((seen["failed"], set(seen["connections_by_backend"])), (0, {"b1", "b2", "b3"}),
          f"failed requests and backends ({seen['causes']})")


def test_ten_megabytes(system):
    """Ten megabytes each way: the tag does not count towards the MTU."""
    in_the_vlan(system)
    system.stream_servers(STREAM)
    for verb in ("download", "upload"):
        seen = json.loads(system.client(verb, "10.76.0.100", STREAM, TEN_MEGABYTES))
        check(seen["same"], f"{verb}: {seen}")


def test_other_frames_are_not_ours(system):
    """Untagged frames and those of another VLAN are dropped by name."""
    in_the_vlan(system)
    send = ("import socket; w = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); "
            "w.bind(('trunk', 0)); "
            "e = bytes.fromhex('027600000001' '027600000002'); "
            "i = bytes.fromhex('4500002800010000400600000a4c00020a4c0064') + bytes(20); "
            "[w.send(e + t + bytes.fromhex('0800') + i) for t in "
            "(b'', bytes.fromhex('81000065')) for _ in range(5)]")
    done, counts = system.counted(lambda: Lab.run("client", PYTHON, "-c", send))
    equal(done.returncode, 0, f"exit of the sender ({done.stderr})")
    check(counts["frame_unknown_vlan"] >= 10, f"rose by {counts['frame_unknown_vlan']}")
