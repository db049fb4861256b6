# The network that the rows play in: ports, hosts, services, and changes to services.
import copy
from dataclasses import dataclass


@dataclass(frozen=True)
class Host:
    mac: str
    ipv4: str
    ipv6: str

    def address(self, version):
        return self.ipv4 if version == 4 else self.ipv6


OWN = Host("02:00:00:00:00:01", "10.0.0.1", "fd00::1")
NAT = Host(OWN.mac, "10.0.0.2", "fd00::2")
OWN_1 = Host("02:00:00:00:01:01", "10.1.0.1", "fd01::1")
NAT_1 = Host(OWN_1.mac, "10.1.0.2", "fd01::2")
ROUTER = Host("02:00:00:00:00:fe", "10.0.0.254", "fd00::fe")
# Beyond the router; frames of such a client bear the router's MAC address.
FAR = Host(ROUTER.mac, "198.51.100.7", "2001:db8:7::7")
# On the link of port 0, and of port 1.
NEAR = Host("02:00:00:00:00:50", "10.0.0.50", "fd00::50")
NEAR_1 = Host("02:00:00:00:01:50", "10.1.0.50", "fd01::50")
B1 = Host("02:00:00:00:00:11", "10.0.0.11", "fd00::11")
B2 = Host("02:00:00:00:00:12", "10.0.0.12", "fd00::12")
B3 = Host("02:00:00:00:01:13", "10.1.0.13", "fd01::13")
B_FAR = Host(ROUTER.mac, "203.0.113.9", "2001:db8:9::9")
BACKENDS = {"b1": B1, "b2": B2, "b3": B3, "far": B_FAR}

VIP = Host("", "192.0.2.10", "2001:db8:10::10")         # of the nat services
DIRECT_VIP = Host("", "192.0.2.20", "2001:db8:10::20")  # of the dsr-l2 services
IPIP_VIP = Host("", "192.0.2.30", "2001:db8:10::30")    # of the dsr-ipip services
GUE_VIP = Host("", "192.0.2.40", "2001:db8:10::40")     # of the dsr-gue services
SPLICE_VIP = Host("", "192.0.2.50", "2001:db8:10::50")  # of the spliced services
VIPS = {"nat": VIP, "dsr-l2": DIRECT_VIP, "dsr-ipip": IPIP_VIP, "dsr-gue": GUE_VIP,
        "splice": SPLICE_VIP}

PORT_0 = {"name": "lan0", "mac": OWN.mac, "addresses": ["10.0.0.1/24", "fd00::1/64"],
          "gateways": [ROUTER.ipv4, ROUTER.ipv6], "nat_addresses": [NAT.ipv4, NAT.ipv6]}
PORT_1 = {"name": "lan1", "mac": OWN_1.mac, "addresses": ["10.1.0.1/24", "fd01::1/64"],
          "gateways": [], "nat_addresses": [NAT_1.ipv4, NAT_1.ipv6]}
JUMBO_0 = {**PORT_0, "mtu": 9000}
JUMBO_1 = {**PORT_1, "mtu": 9000}
ISOLATED = {**PORT_0, "gateways": []}  # port 0 without a router

RESOLVED = [(0, ROUTER), (0, NEAR), (0, B1), (0, B2), (1, NEAR_1), (1, B3)]


# The first signs session cookies, the other still counts.
COOKIE_KEYS = [{"id": 3, "secret": bytes(range(16)).hex()},
               {"id": 2, "secret": bytes(range(16, 32)).hex()}]


def backend(name, version, port, **more):
    return {"name": name, "address": BACKENDS[name].address(version), "port": port, **more}


def service(name, **changes):
    """One of the services below, by name, with other values where `changes` says so."""
    return {**copy.deepcopy(SERVICES[name]), **changes}


def _service(name, version, protocol, forward, port, backend_port):
    return {"name": name, "address": VIPS[forward].address(version), "port": port,
            "protocol": protocol, "forward": forward, "table_slots": 251,
            "timeouts": {"established": 900, "handshake": 60, "closing": 120, "udp": 300},
            "backends": [backend("b1", version, backend_port)]}


SERVICES = {s["name"]: s for s in [
    _service("web4", 4, "tcp", "nat", 80, 8080),
    _service("web6", 6, "tcp", "nat", 80, 8080),
    _service("dns4", 4, "udp", "nat", 53, 5353),
    _service("dns6", 6, "udp", "nat", 53, 5353),
    _service("direct4", 4, "tcp", "dsr-l2", 80, 80),
    _service("direct6", 6, "tcp", "dsr-l2", 80, 80),
    _service("directdns4", 4, "udp", "dsr-l2", 53, 53),
    _service("directdns6", 6, "udp", "dsr-l2", 53, 53),
    _service("ipip4", 4, "tcp", "dsr-ipip", 80, 80),
    _service("ipip6", 6, "tcp", "dsr-ipip", 80, 80),
    _service("ipipdns4", 4, "udp", "dsr-ipip", 53, 53),
    _service("ipipdns6", 6, "udp", "dsr-ipip", 53, 53),
    _service("gue4", 4, "tcp", "dsr-gue", 80, 80),
    _service("gue6", 6, "tcp", "dsr-gue", 80, 80),
    _service("guedns4", 4, "udp", "dsr-gue", 53, 53),
    _service("guedns6", 6, "udp", "dsr-gue", 53, 53),
    _service("page4", 4, "http", "splice", 80, 8080),
    _service("page6", 6, "http", "splice", 80, 8080),
    _service("tls4", 4, "tls", "splice", 443, 8443),
]}


def all_services():
    return [copy.deepcopy(s) for s in SERVICES.values()]


def version_of(name):
    return 6 if ":" in SERVICES[name]["address"] else 4


def neighbours(unresolved=()):
    """Who answers ARP and ND on which port; all hosts but the `unresolved`."""
    return [{"port": port, "address": address, "mac": host.mac}
            for port, host in RESOLVED if host not in unresolved
            for address in (host.ipv4, host.ipv6)]


def setup(services=None, workers=1, ports=(PORT_0,), ipv4_buckets=16, ipv6_buckets=16,
          unresolved=(), spares=64, prefix_lists=None, spliced=8, heads=4, texts=16):
    """What a row starts from: one worker, one port and all services if not said otherwise.
    `spares`: empty buffers that a worker has at most; `prefix_lists`: by name; `spliced`, `heads`,
    `texts`: connections that a worker may splice, and its buffers for them."""
    return {"workers": workers, "ports": list(ports), "ipv4_buckets": ipv4_buckets,
            "ipv6_buckets": ipv6_buckets, "neighbours": neighbours(unresolved), "spares": spares,
            "prefix_lists": prefix_lists or {}, "cookie_keys": COOKIE_KEYS,
            "spliced": spliced, "heads": heads, "texts": texts,
            "services": all_services() if services is None else services}
