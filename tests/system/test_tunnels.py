# Backends reached through tunnels: dsr-ipip and dsr-gue, both families inside and outside.
"""System tests; run.py runs them. The backends' kernels need no tunnels: see decapsulator.py."""

import json

from demo_configuration import service
from harness import Lab, check, equal
from hawser import GATEWAYS, load
from services import (BACKENDS_OF, ECHO, EVEN, EVEN6, STREAM, both, stream_service, udp_service)

LAB = ["far"]
PORT = GATEWAYS
CROSSED_WEB = 81
CROSSED = (EVEN6, EVEN)  # IPv6 backends for the IPv4 service and the other way round


def web(name, address, backends, forward):
    return service(name, address, 80, backends, 80, f'forward = "{forward}"\n')


def crossed_stream(name, address, backends, forward):
    return stream_service(name, address, backends, forward).replace(str(STREAM), str(STREAM + 1))


def crossed_web(name, address, backends, forward):
    text = service(name, address, CROSSED_WEB, backends, CROSSED_WEB, f'forward = "{forward}"\n')
    return text.replace('type = "http"', 'type = "http", port = 80')


def echo(name, address, backends, forward):
    return udp_service(name, address, ECHO, backends, ECHO, forward)


SERVICES = "".join(
    both(make, f"{kind}-{label}", last, backends, f"dsr-{kind}")
    for kind, last in (("ipip", 120), ("gue", 130))
    for make, label, backends in (
        (web, "web", BACKENDS_OF), (stream_service, "stream", BACKENDS_OF),
        (crossed_stream, "crossed", CROSSED), (crossed_web, "crossed-web", CROSSED),
        (echo, "echo", BACKENDS_OF)))
MEGABYTE = 1_000_000
TEN_MEGABYTES = 10_000_000
ALL = {"b1", "b2", "b3"}
# What is left of 1500 bytes for the inner packet: by tunnel and family of the outer packet.
ROOM = {("ipip", 4): 1480, ("ipip", 6): 1460, ("gue", 4): 1472, ("gue", 6): 1452}
NAMES = {"ipip": "ipip", "gue": "gue1"}  # what the decapsulator calls them
ADDRESSES = {"ipip": ("10.77.0.120", "fd77::120"), "gue": ("10.77.0.130", "fd77::130")}


def family(address):
    return 6 if ":" in address else 4


def target(address, port):
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def tunnelled(system, kind, inner, outer, action):
    """Runs `action`; at least one packet must have come through that tunnel meanwhile, and none by
    another one. Returns (value, packets, by how much each verdict rose)."""
    system.decapsulators()
    before = system.tunnelled()
    value, counts = system.counted(action)
    rose = {name: count - before.get(name, 0) for name, count in system.tunnelled().items()}
    name = f"{NAMES[kind]} ipv{inner} in ipv{outer}"
    equal({other for other, count in rose.items() if count}, {name}, f"tunnels used ({rose})")
    return value, rose[name], counts


def check_web(system, kind):
    for address in ADDRESSES[kind]:
        seen, packets, counts = tunnelled(
            system, kind, family(address), family(address),
            lambda a=address: load(target(a, 80), connections=150, concurrency=8))
        equal((seen["failed"], set(seen["connections_by_backend"])), (0, ALL), f"failed ({seen})")
        equal(packets, counts[f"forward_dsr_{kind}"], "packets that came out of the tunnel")
        equal(counts["return_nat"], 0, "packets returned through the balancer")


def check_streams(system, kind, port, crossed, run, verbs=("download", "upload")):
    system.stream_servers(port)
    for address in ADDRESSES[kind]:
        outer = 10 - family(address) if crossed else family(address)
        for verb in verbs:
            system.forget_paths()
            seen, _, _ = tunnelled(system, kind, family(address), outer, lambda: json.loads(
                run(verb, address, port, TEN_MEGABYTES)))
            check(seen["same"] and seen["bytes"] == TEN_MEGABYTES, f"{verb} at {address}: {seen}")
            if verb == "upload" and run == system.client:
                equal(system.path_mtu("client", address), ROOM[kind, outer],
                      f"path MTU the client has learnt towards {address}")


def check_curl(system, kind, address, port, outer):
    """Every backend answers curl's requests, a megabyte arrives whole, and a body gets there."""
    url = f"http://{target(address, port)}"

    def run():
        backends = set()
        for _ in range(30):
            status, backend, body = Lab.curl(f"{url}/", "-m", "20")
            equal((status, body), (200, f"{backend}\n"), f"answer of {url} ({backend})")
            backends.add(backend)
        equal(backends, ALL, f"backends that answered at {url}")
        status, _, body = Lab.curl(f"{url}/files/1m", "-m", "30")
        equal((status, len(body), set(body)), (200, MEGABYTE, {"x"}), f"{url}/files/1m")
        # Larger than any packet, smaller than what nginx takes.
        status, _, _ = Lab.curl(f"{url}/quiet", "-m", "30", "-H", "Expect:", "-d", "y" * 100_000)
        equal(status, 200, f"status of a long request to {url}")
    tunnelled(system, kind, family(address), outer, run)


def test_curl_ipv6_backends(system):
    """curl over IPv6 to backends behind IPv6 tunnels, by dsr-ipip and by dsr-gue."""
    for kind, (_, address) in ADDRESSES.items():
        check_curl(system, kind, address, 80, 6)


def test_curl_ipv6_by_ipv4_tunnels(system):
    """curl over IPv6 to backends behind IPv4 tunnels; and the other way round."""
    for kind, (ipv4, ipv6) in ADDRESSES.items():
        check_curl(system, kind, ipv6, CROSSED_WEB, 4)
        check_curl(system, kind, ipv4, CROSSED_WEB, 6)


def test_ipip_web(system):
    """dsr-ipip: requests reach every backend inside IP, the answers come past the balancer."""
    check_web(system, "ipip")


def test_gue_web(system):
    """dsr-gue: requests reach every backend inside UDP, the answers come past the balancer."""
    check_web(system, "gue")


def test_gue_spreads_source_ports(system):
    """dsr-gue: connections differ in the outer source port, so that routers may spread them."""
    system.decapsulators()
    load("10.77.0.130:80", connections=60, concurrency=4)
    ports = sum(system.decapsulated(n)["gue_ports"] for n in (1, 2, 3))
    check(ports >= 30, f"{ports} outer source ports for 60 connections")


def test_ipip_ten_megabytes(system):
    """dsr-ipip: ten megabytes each way; the client learns how much the tunnel takes."""
    check_streams(system, "ipip", STREAM, False, system.client)


def test_gue_ten_megabytes(system):
    """dsr-gue: the same."""
    check_streams(system, "gue", STREAM, False, system.client)


def test_ipip_other_family(system):
    """dsr-ipip: IPv6 services on IPv4 backends and IPv4 services on IPv6 backends."""
    check_streams(system, "ipip", STREAM + 1, True, system.client)


def test_gue_other_family(system):
    """dsr-gue: the same; over IPv6 the outer UDP checksum is verified by the backend's kernel."""
    check_streams(system, "gue", STREAM + 1, True, system.client)


def test_narrow_path(system):
    """Both tunnels: ten megabytes each way for a client behind a 1280-byte link."""
    for kind in ("ipip", "gue"):
        check_streams(system, kind, STREAM, False, system.far)
        check_streams(system, kind, STREAM + 1, True, system.far)


def test_udp(system):
    """UDP datagrams that fit are answered through both tunnels and both families."""
    system.echo_servers(ECHO)
    for kind in ("ipip", "gue"):
        for address in ADDRESSES[kind]:
            answers, _, _ = tunnelled(system, kind, family(address), family(address),
                                      lambda a=address: json.loads(
                                          system.client("udp", a, ECHO, 40, 1000)))
            equal(set(answers), ALL, f"who answered at {address} ({answers})")
