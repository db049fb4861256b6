# QUIC: a connection stays with its server by the connection ID, whatever its addresses become.
"""System tests; run.py runs them. Servers and clients are quic_peer.py's, which shares no code with
the balancer."""

import json
import os

from harness import Lab, check, equal
from hawser import PYTHON, Broken
from peers import BACKENDS, HERE
from services import BACKENDS_OF, udp_service

PEER = os.path.join(HERE, "quic_peer.py")
ALL = {"b1", "b2", "b3"}
KEY = "8f95f09245765f80256934e50c66207f"
# By port, how connection IDs are written: in plain sight; encrypted by one AES block; by four, with
# a first octet that does not tell the length.
LAYOUTS = {
    4433: {"config_id": 0, "server_id_length": 2, "nonce_length": 6},
    4434: {"config_id": 1, "server_id_length": 8, "nonce_length": 8, "key": KEY},
    4435: {"config_id": 2, "server_id_length": 3, "nonce_length": 4, "key": KEY, "random": True},
}
# Servers there write IDs of configuration 7, which nobody can route by; the service expects 0.
UNROUTABLE = 4436
ADDRESSES = {"nat": ("10.77.0.100", "fd77::100"), "dsr-l2": ("10.77.0.110", "fd77::110")}
SOURCES = {4: [f"10.77.0.{n}" for n in range(201, 221)], 6: [f"fd77::{n}" for n in range(201, 221)]}
CONNECTIONS = 30  # so many that each backend has some


def server_id(port, number):
    """Of backend `number`, as hexadecimal digits."""
    return bytes([number * 16 + n for n in range(layout(port)["server_id_length"])]).hex()


def layout(port):
    return LAYOUTS.get(port, LAYOUTS[4433])


def quic_service(name, address, port, backends, forward):
    text = udp_service(name, address, port, backends, port, forward)
    here = layout(port)
    key = f', key = "{here["key"]}"' if "key" in here else ""
    text = text.replace("check =", 'affinity = { by = "quic-cid" }\n' + (
        f'quic = {{ config_id = {here["config_id"]}, server_id_length = '
        f'{here["server_id_length"]}, nonce_length = {here["nonce_length"]}{key} }}\ncheck ='))
    for number in BACKENDS:
        text = text.replace(f'name = "b{number}",', f'name = "b{number}", quic_server_id = '
                                                    f'"{server_id(port, number)}",')
    return text


SERVICES = "".join(
    quic_service(f"{forward}-{port}-{family}", address, port, backends, forward)
    for port in [*LAYOUTS, UNROUTABLE] for forward, pair in ADDRESSES.items()
    for family, address, backends in zip((4, 6), pair, BACKENDS_OF))


def servers(system, port):
    """One in each backend, under its own and the service's addresses."""
    here = layout(port)
    config_id = 7 if port == UNROUTABLE else here["config_id"]
    more = ["--key", here["key"]] if "key" in here else []
    more += ["--random-first-octet"] if "random" in here else []
    for n in BACKENDS:
        addresses = (f"10.77.0.1{n}", f"fd77::1{n}", *ADDRESSES["dsr-l2"])
        system.helper(
            f"quic-{port}-{n}", f"backend{n}", PYTHON, PEER, "server", str(port), f"b{n}",
            server_id(port, n), "--config-id", str(config_id), "--nonce-length",
            str(here["nonce_length"]), *more, *(w for a in addresses for w in ("--address", a)))
    for n in BACKENDS:
        system.wait(lambda n=n: system.listening("u", f"backend{n}", port),
                    f"the server of backend {n}", 30)


def peer(verb, *arguments):
    done = Lab.run("client", PYTHON, PEER, verb, *map(str, arguments), timeout=120)
    if done.returncode != 0:
        raise Broken(f"quic_peer.py {verb} {arguments}: {done.stderr.strip()[-400:]}")
    return json.loads(done.stdout)


def from_sources(address):
    return [w for source in SOURCES[6 if ":" in address else 4] for w in ("--source", source)]


def connect(address, port, *more):
    """Connections from the client's many addresses, without a move."""
    seen = peer("client", address, port, "--count", CONNECTIONS, "--moves", 0,
                *from_sources(address), *more)
    equal(seen["stayed"], CONNECTIONS, f"connections at {address} ({seen})")
    return seen["connections"]


def resume(address, port, connections):
    """Each connection goes on from another address: [(its server, who answered now)]."""
    sources = from_sources(address)[20:] + from_sources(address)[:20]
    answers = peer("resume", address, port, *sources,
                   "--timeout", 5, *(one["connection_id"] for one in connections))
    return list(zip((one["first"] for one in connections), answers))


def check_moves(system, forward):
    for port in LAYOUTS:
        servers(system, port)
        for address in ADDRESSES[forward]:
            homes = set()
            for more in ([], from_sources(address)):  # new ports alone, then new addresses too
                seen, counts = system.counted(lambda m=more: peer(
                    "client", address, port, "--count", CONNECTIONS, "--timeout", 5, *m))
                equal((seen["stayed"], seen["strayed"], seen["silent"]), (CONNECTIONS, 0, 0),
                      f"connections to {address} port {port} ({seen['connections'][:3]})")
                # The first packet, two more from there, and four moves.
                packets = counts[f"forward_{forward.replace('-', '_')}"]
                check(packets >= 7 * CONNECTIONS, f"only {packets} packets forwarded")
                homes |= {one["first"] for one in seen["connections"]}
            equal(homes, ALL, f"servers that have connections of {address} port {port}")


def test_moved_clients_keep_their_server_nat(system):
    """nat: new ports and addresses of a client lead to its server, by IDs in all three layouts."""
    check_moves(system, "nat")


def test_moved_clients_keep_their_server_direct(system):
    """dsr-l2: the same."""
    check_moves(system, "dsr-l2")


def test_unroutable_ids_go_by_flow(system):
    """IDs that name nobody: a flow keeps its server; another flow may have another."""
    servers(system, UNROUTABLE)
    for forward, pair in ADDRESSES.items():
        for address in pair:
            seen = peer("client", address, UNROUTABLE, "--count", CONNECTIONS, "--timeout", 5,
                        "--first-octet", "0xe0", *from_sources(address))
            equal(seen["silent"], 0, f"connections at {address} without an answer")
            homes = [{one["first"], *one["same"]} for one in seen["connections"]]
            equal([home for home in homes if len(home) != 1], [], f"flows at {address} that moved")
            equal(set.union(*homes), ALL, f"servers of flows at {address}")
            check(seen["strayed"] > CONNECTIONS / 2,
                  f"{forward}: {seen['stayed']} connections kept their server: who told it?")


def test_first_packets_may_name_a_server(system):
    """A first packet whose ID happens to name a server goes there, from whatever flow."""
    for forward, pair in ADDRESSES.items():
        servers(system, 4433)
        for address in pair:
            # Nobody has to have seen a connection before: every worker and balancer agrees.
            for number in BACKENDS:
                known = "07" + server_id(4433, number) + "0123456789ab"
                answers = peer("resume", address, 4433, *from_sources(address), *[known] * 20)
                equal(set(answers), {f"b{number}"}, f"{forward}: who answered to {known}")


def test_draining_server_keeps_its_connections(system):
    """Draining: connections go on, from new addresses too; new ones go elsewhere."""
    servers(system, 4434)
    for forward, pair in ADDRESSES.items():
        for family, address in zip((4, 6), pair):
            name = f"{forward}-4434-{family}"
            connections = connect(address, 4434)
            system.done("drain", f"{name}/b2")
            answers = resume(address, 4434, connections)
            equal([pair for pair in answers if pair[0] != pair[1]], [], "connections that moved")
            equal({now for _, now in answers}, ALL, "servers that have connections")
            homes = {one["first"] for one in connect(address, 4434, "--first-octet", "0xe0")}
            equal(homes, {"b1", "b3"}, "servers of new connections")
            system.done("ready", f"{name}/b2", "--wait")


def test_down_server_is_not_followed(system):
    """Maintenance: its IDs lead to others meanwhile, and back to it afterwards."""
    servers(system, 4434)
    for forward, pair in ADDRESSES.items():
        name, address = f"{forward}-4434-4", pair[0]
        connections = connect(address, 4434)
        system.done("maintenance", f"{name}/b3", "--wait")
        for home, now in resume(address, 4434, connections):
            if home == "b3":
                check(now in ("b1", "b2"), f"a connection of b3 was answered by {now}")
            else:
                equal(now, home, f"who answered to a connection of {home}")
        system.done("ready", f"{name}/b3", "--wait")
        answers = resume(address, 4434, connections)
        equal([pair for pair in answers if pair[0] != pair[1]], [], "connections that moved")


def test_connections_outlive_the_dataplane(system):
    """When every flow is forgotten, connection IDs still lead to their servers, in nat too."""
    servers(system, 4435)
    kept = {a: connect(a, 4435) for pair in ADDRESSES.values() for a in pair}
    system.wipe()
    for address, connections in kept.items():
        answers = resume(address, 4435, connections)
        equal([pair for pair in answers if pair[0] != pair[1]], [], f"connections at {address}")
