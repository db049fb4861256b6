# The services that the system tests run with, in the lab's addresses.
"""Pieces of TOML; a test module joins those it needs."""

import harness  # noqa: F401  (puts scripts/lib on the path)
from demo_configuration import CHECK, EVEN, IPV4, IPV6, service

EVEN6 = [(name, address, 100) for name, address, _ in IPV6]
NO_CHECK = 'check = { type = "none" }'

WEB = service("web", "10.77.0.100", 80, EVEN, 8080, 'forward = "nat"\n')
WEB6 = service("web6", "fd77::100", 80, EVEN6, 8080, 'forward = "nat"\n')
WEIGHTED = service("weighted", "10.77.0.100", 81, IPV4, 8080, 'forward = "nat"\n')
QUIET = service("quiet", "10.77.0.100", 82, EVEN, 8080, 'forward = "nat"\n')
STICKY = service("sticky", "10.77.0.100", 8080, EVEN, 8080,
                 'forward = "nat"\naffinity = { by = "source" }\n')
DIRECT = service("direct", "10.77.0.110", 80, EVEN, 80, 'forward = "dsr-l2"\n')
DIRECT6 = service("direct6", "fd77::110", 80, EVEN6, 80, 'forward = "dsr-l2"\n')


def udp_service(name, address, port, backends, backend_port, forward):
    text = service(name, address, port, backends, backend_port, f'forward = "{forward}"\n')
    return text.replace('protocol = "tcp"', 'protocol = "udp"').replace(CHECK, NO_CHECK)


UDP = udp_service("echo", "10.77.0.100", 9000, EVEN, 9000, "nat")
UDP6 = udp_service("echo6", "fd77::100", 9000, EVEN6, 9000, "nat")

# Ports of peer.py's servers in the backends.
ECHO, STREAM = 9000, 9100


def stream_service(name, address, backends, forward, extra=""):
    """TCP to peer.py's stream servers; nobody checks them."""
    text = service(name, address, STREAM, backends, STREAM, f'forward = "{forward}"\n{extra}')
    return text.replace(CHECK, NO_CHECK)


def both(make, name, last, *more):
    """A service for each family: addresses end in `last`, backends are those of the family."""
    return (make(f"{name}4", f"10.77.0.{last}", *(m[0] if isinstance(m, tuple) else m for m in more))
            + make(f"{name}6", f"fd77::{last}", *(m[1] if isinstance(m, tuple) else m for m in more)))


BACKENDS_OF = (EVEN, EVEN6)  # by family
