# Rows about source affinity: all flows of a client, or of a client's network, share a backend.
#
# Which backend that is follows from the key of the flow hash and is no part of the specification;
# the homes below are what the key in world.cc makes them. That sixteen flows agree is tested here.
from dataclasses import replace

from network import FAR, backend, service, setup
from row import burst, flows, row
from talk import Talk

CLIENT_HOME = {"web4": "b2", "dns4": "b1", "direct4": "b1",
               "web6": "b2", "dns6": "b2", "direct6": "b1"}
NETWORK_HOME = {"web4": "b1", "dns4": "b1", "direct4": "b2",
                "web6": "b2", "dns6": "b2", "direct6": "b1"}
FLOWS = 16


def affine(name, version, **more):
    port = {"web": 8080, "dns": 5353, "direct": 80}[name[:-1]]
    return setup([service(name, affinity="source", **more,
                          backends=[backend(b, version, port) for b in ("b1", "b2")])])


def neighbour(version, n):
    """The n-th client in the network of FAR: /24, or /64."""
    return replace(FAR, **({"ipv4": f"198.51.100.{n + 1}"} if version == 4 else
                           {"ipv6": f"2001:db8:7:0:{n + 1:x}::{n + 7}"}))


for v in (4, 6):
    for kind in ("web", "dns", "direct"):
        name = f"{kind}{v}"
        home, network_home = CLIENT_HOME[name], NETWORK_HOME[name]
        row(f"sixteen flows of one client to {name} with source affinity share a backend",
            *[burst(n, Talk(name, FAR, 40000 + n, 1024 + n, home).ask("S"))
              for n in range(FLOWS)],
            counters=[flows(f"{name}/{home}", live=FLOWS, new=FLOWS)],
            setup=affine(name, v, ipv6_prefix=128))
        row(f"sixteen clients of one network to {name} share a backend by the network's prefix",
            *[burst(n, Talk(name, neighbour(v, n), 40000 + n, 1024 + n, network_home).ask("S"))
              for n in range(FLOWS)],
            counters=[flows(f"{name}/{network_home}", live=FLOWS, new=FLOWS)],
            setup=affine(name, v, ipv4_prefix=24, ipv6_prefix=64))
