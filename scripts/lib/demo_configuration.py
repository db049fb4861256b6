# The services of the demo as an operator writes them; docs/lab.md explains the addresses.
"""SERVICES is TOML for the lab that scripts/lab lays."""

CHECK = 'check = { type = "http", path = "/healthz", interval = "500ms", timeout = "300ms", ' \
        "rise = 2, fall = 2 }"


# Port 8082 expects PROXY headers, which checks do not send.
CHECK_BESIDE = CHECK.replace('type = "http"', 'type = "http", port = 8080')


def service(name, address, port, backends, backend_port, extra="", protocol="tcp", check=CHECK):
    text = f'[[service]]\nname = "{name}"\naddress = "{address}"\nport = {port}\n'
    text += f'protocol = "{protocol}"\n{extra}{check}\nbackend = [\n'
    for backend, backend_address, weight in backends:
        text += (f'  {{ name = "{backend}", address = "{backend_address}", port = {backend_port}, '
                 f"weight = {weight} }},\n")
    return text + "]\n\n"


IPV4 = [("b1", "10.77.0.11", 100), ("b2", "10.77.0.12", 200), ("b3", "10.77.0.13", 100)]
IPV6 = [("b1", "fd77::11", 100), ("b2", "fd77::12", 200), ("b3", "fd77::13", 100)]
EVEN = [(name, address, 100) for name, address, _ in IPV4]

SERVICES = "\n" + "".join([
    service("web", "10.77.0.100", 80, IPV4, 8080, 'forward = "nat"\n'),
    service("web6", "fd77::100", 80, IPV6, 8080, 'forward = "nat"\n'),
    service("sticky", "10.77.0.100", 8080, EVEN, 8080,
            'forward = "nat"\naffinity = { by = "source" }\n'),
    service("direct", "10.77.0.110", 80, EVEN, 80, 'forward = "dsr-l2"\n'),
    service("app", "10.77.0.100", 88, EVEN, 8082,
            'forward = "splice"\naffinity = { by = "cookie" }\nclient_address = "proxy-v2"\n',
            protocol="http", check=CHECK_BESIDE),
])
