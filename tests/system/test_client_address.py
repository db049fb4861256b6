# How a backend behind nat learns who the client is: TOA and the PROXY protocol, version 2.
"""System tests; run.py runs them."""

import hashlib
import json
import os

from demo_configuration import CHECK, service
from harness import RUN, Lab, check, contains, equal
from hawser import GATEWAYS, PYTHON
from peers import BACKENDS, HERE
from services import EVEN, EVEN6, NO_CHECK, STREAM

LAB = ["far"]
PORT = GATEWAYS
PROXY = 'client_address = "proxy-v2"\n'
TOA = 'client_address = "toa"\n'


def proxied(name, address, port, backends, backend_port, extra):
    text = service(name, address, port, backends, backend_port, f'forward = "nat"\n{extra}')
    return text.replace(CHECK, NO_CHECK)


SERVICES = (proxied("web", "10.77.0.100", 80, EVEN, 8082, PROXY)
            + proxied("web6", "fd77::100", 80, EVEN6, 8082, PROXY)
            + proxied("mail", "10.77.0.100", 25, EVEN, 2525, PROXY)
            + proxied("mail6", "fd77::100", 25, EVEN6, 2525, PROXY)
            + proxied("toa", "10.77.0.100", STREAM, EVEN, STREAM, TOA)
            + proxied("toa6", "fd77::100", STREAM, EVEN6, STREAM, TOA))
CLIENTS = {"10.77.0.100": "10.77.0.207", "fd77::100": "fd77::207"}
TEN_MEGABYTES = 10_000_000


def url(address, path="/"):
    return f"http://[{address}]{path}" if ":" in address else f"http://{address}{path}"


def learnt(address, source, port):
    """The client's address and port that nginx has learnt from the PROXY header."""
    done = Lab.run("client", "curl", "-sg", "-m", "5", "-o", "/dev/null", "-D", "-", "--interface",
                   source, "--local-port", str(port), url(address))
    fields = dict(line.split(": ", 1) for line in done.stdout.replace("\r", "").split("\n")
                  if ": " in line)
    return fields.get("X-Client"), fields.get("X-Backend")


def test_proxy_tells_nginx_the_client(system):
    """proxy-v2: nginx learns the client's own address and port, at every backend."""
    for address, source in CLIENTS.items():
        backends = set()
        for port in range(40000, 40030):
            told, backend = learnt(address, source, port)
            equal(told, f"{source} {port}", "client that nginx has learnt")
            backends.add(backend)
        equal(backends, {"b1", "b2", "b3"}, "backends that answered")


def test_proxy_keeps_requests_whole(system):
    """proxy-v2: many requests on one connection, and bodies of a megabyte, arrive byte for byte."""
    wanted = [1000000, hashlib.sha256(b"x" * 1000000).hexdigest()]
    for address in CLIENTS:
        for _ in range(3):
            equal(json.loads(system.client("digest", address, 80, "/files/1m")), wanted, "body")
        equal(json.loads(system.client("hold", address, 80, 1))[0][0], "b", "who answered")


def test_proxy_behind_a_narrow_path(system):
    """proxy-v2: a client behind a 1280-byte link gets its megabyte too."""
    wanted = [1000000, hashlib.sha256(b"x" * 1000000).hexdigest()]
    for address in CLIENTS:
        system.forget_paths()
        equal(json.loads(system.far("digest", address, 80, "/files/1m")), wanted, "body")


def test_proxy_before_a_server_that_speaks_first(system):
    """proxy-v2: a mail server greets, having learnt who the client is before it said a word."""
    for address, source in CLIENTS.items():
        for _ in range(5):
            said = json.loads(system.client("smtp", address, 25, source))
            contains(said[0], "220 b", "the greeting")
            equal(said[-1], f"550 5.7.1 client {source}", "what the mail server says of the client")


def test_toa_carries_the_client(system):
    """toa: the backend gets the client's address in TCP option 254, and the stream stays whole."""
    system.stream_servers(STREAM)
    for n in BACKENDS:
        system.helper(f"toa{n}", f"backend{n}", PYTHON, os.path.join(HERE, "toa_reader.py"), "data",
                      str(STREAM), f"{RUN}/toa{n}.json")
    system.wait(lambda: all(os.path.exists(f"{RUN}/toa{n}.json") for n in BACKENDS), "the readers")
    for address in CLIENTS:
        for verb in ("download", "upload"):
            seen = json.loads(system.client(verb, address, STREAM, TEN_MEGABYTES))
            check(seen["same"], f"{verb} at {address}: {seen}")
    for address, source in CLIENTS.items():
        seen = json.loads(system.client("download", address, STREAM, 1000, source))
        check(seen["same"], f"download at {address}: {seen}")
        n = int(seen["backend"][1:])
        with open(f"{RUN}/toa{n}.json", encoding="ascii") as stream:
            told = json.load(stream)
        check([source, seen["port"]] in [row[:2] for row in told],
              f"backend {n} was not told of {source} port {seen['port']}: {told[-6:]}")


def test_toa_behind_a_narrow_path(system):
    """toa: the option never makes a segment too long for the path."""
    system.stream_servers(STREAM)
    for address in CLIENTS:
        for verb in ("download", "upload"):
            system.forget_paths()
            seen = json.loads(system.far(verb, address, STREAM, TEN_MEGABYTES))
            check(seen["same"], f"{verb} at {address}: {seen}")
