# Whether streams stay whole in a hostile network: thousands of connections, every byte compared.
"""System tests; run.py runs them. tests/adversary/README.md says what is checked.

Clients with sixteen kinds of TCP stack (timestamps, SACK, window scaling, receive buffer, MTU) talk
to three origins through the balancer, both families, each way of telling the client's address; the
adversary loses, duplicates, reorders, delays, splits, merges and corrupts segments on the clients'
side, the servers' side, or both.

Each run prints its seed. To run the same again, or one stack alone, or one connection alone:

    HAWSER_ADVERSARY_SEED=7 tests/system/run.py --build build --filter both_sides test_adversary
    HAWSER_ADVERSARY_STACK=5 ...         the clients of stack 5 only, as an error names it
    HAWSER_ADVERSARY_ONLY=31 ...         connection 31 only; with a stack
    HAWSER_ADVERSARY_CONNECTIONS=1000 ...    of each stack; what a connection does stays the same
    HAWSER_ADVERSARY_WAY=proxy-v2 ...    services with this client_address only
    HAWSER_ADVERSARY_FORWARD=nat ...     the same through forward = "nat"
"""

import contextlib
import os
import time

from adversary import SERVERS, HostileNetwork, all_stacks
from demo_configuration import CHECK, service
from harness import Broken, check, equal
from services import NO_CHECK

SEED = int(os.environ.get("HAWSER_ADVERSARY_SEED", "1"))
STACK = os.environ.get("HAWSER_ADVERSARY_STACK")
ONLY = os.environ.get("HAWSER_ADVERSARY_ONLY")
CONNECTIONS = int(os.environ.get("HAWSER_ADVERSARY_CONNECTIONS", "110"))
FORWARD = os.environ.get("HAWSER_ADVERSARY_FORWARD", "splice")
CONCURRENCY = 12  # connections of a stack at a time
LONGEST = 500     # seconds for all clients of a run; each connection has a limit of its own

# How the backends learn the client, the port of that service and of its servers, and what
# hawser-peer calls it.
WAYS = [("none", 9301, "none"), ("x-forwarded-for", 9302, "xff"), ("proxy-v2", 9303, "proxy")]
if FORWARD == "nat":  # which does not know HTTP
    WAYS = [way for way in WAYS if way[0] != "x-forwarded-for"]
WAYS = [way for way in WAYS if way[0] == os.environ.get("HAWSER_ADVERSARY_WAY", way[0])]
COOKIE = "hawser" if FORWARD == "splice" else None
ADDRESSES = {4: ("10.77.0.100", "10.77.0.6{}"), 6: ("fd77::100", "fd77::6{}")}

FAULTS = ("loss=0.01,duplicate=0.01,reorder=0.03,reorder_span=6,jitter=0.05,jitter_ms=8,"
          "split=0.15,merge=0.15,corrupt=0.001")


def one_service(family, way, port):
    """The TOML of a service: all that the module says to the balancer."""
    address, backend = ADDRESSES[family]
    backends = [(f"b{n}", backend.format(n), 100) for n in SERVERS]
    extra = f'forward = "{FORWARD}"\nclient_address = "{way}"\n'
    if FORWARD == "splice":
        extra += 'affinity = { by = "cookie" }\n'
    text = service(f"{way}-{family}", address, port, backends, port, extra)
    if FORWARD == "splice":
        text = text.replace('protocol = "tcp"', 'protocol = "http"')
    return text.replace(CHECK, NO_CHECK)


# Not the runner's to start: the servers have to be there before.
BALANCED = "".join(one_service(family, way, port)
                   for family in ADDRESSES for way, port, _ in WAYS)


def targets(stack):
    return [f"[{ADDRESSES[family][0]}]:{port}" for family in stack.families
            for _, port, _ in WAYS]


def stacks():
    return [stack for stack in all_stacks() if STACK is None or stack.number == int(STACK)]


def drive_all(network, seed):
    """Runs the clients of every stack at once; the sum of what they have counted."""
    options = {"connections": CONNECTIONS, "concurrency": CONCURRENCY}
    if ONLY is not None:
        options["only"] = ONLY
    if COOKIE:
        options["expect_cookie"] = COOKIE
    running = [(stack, network.drive(stack, targets(stack), seed=seed + stack.number, **options))
               for stack in network.stacks]
    total, troubles = {}, []
    end = time.monotonic() + LONGEST
    for stack, process in running:
        status, counts = process.wait(max(end - time.monotonic(), 1))
        for name, value in counts.items():
            if isinstance(value, int) and name != "seed":
                total[name] = total.get(name, 0) + value
        for name, value in counts.get("by_server", {}).items():
            total[name] = total.get(name, 0) + value
        if status != 0:
            first = (counts.get("errors") or process.lines())[:3]
            troubles.append(f"{stack}: exit {status}, {counts.get('error_count')} errors: "
                            + "; ".join(first))
    return total, troubles


def servers_agree(network, total, troubles):
    """The servers found nothing wrong, and have seen each request once."""
    left = network.until_closed()
    servers, links = network.end()
    for n, (status, counts) in enumerate(servers, 1):
        if status != 0:
            troubles.append(f"b{n}: exit {status}: " + "; ".join(counts.get("errors", [])[:3]))
    check(not troubles, "\n".join(troubles[:8]))
    equal(left, 0, "connections that stay open at the servers")
    for name in ("requests", "bytes_sent", "bytes_received"):
        other = {"bytes_sent": "bytes_received", "bytes_received": "bytes_sent"}.get(name, name)
        seen = sum(counts.get(name, 0) for _, counts in servers)
        if name == "bytes_sent":
            # The servers count bodies of answers whole, as the clients do.
            equal(seen, total["bytes_received"], "bytes that the servers sent and clients got")
        else:
            equal(seen, total[other], f"{name} at the servers")
    return links


def network_was_hostile(links, hostile):
    """Every fault happened where it was to, and the balancer made no wrong checksum."""
    for side, counts in links.items():
        for way in ("there", "back"):
            for fault in ("lost", "duplicated", "reordered", "jittered", "split", "merged"):
                happened = counts[way][fault] > 0
                equal(happened, side in hostile, f"{fault} on the side of the {side}, {way}")
            equal(counts[way]["missed"], 0, f"frames missed on the side of the {side}")
    # Into the balancer by one side, out of it by the other; "there" is from clients to servers.
    for into, out_of, way in (("clients", "servers", "there"), ("servers", "clients", "back")):
        equal(links[into][way]["wrong_checksum"], 0, f"wrong checksums of the {into} themselves")
        # A segment that a wire has corrupted may be passed on, as corrupt as it was.
        check(links[out_of][way]["wrong_checksum"] <= links[into][way]["corrupted"],
              f"{links[out_of][way]['wrong_checksum']} wrong checksums out of the balancer "
              f"towards the {out_of}, {links[into][way]['corrupted']} segments were corrupted")


@contextlib.contextmanager
def balanced(system):
    """The balancer runs; its servers are there already, for it is not ready without them."""
    try:
        system.start(BALANCED)
        yield
    except Broken as error:
        logs = system.balancer.logs(12) if system.balancer else ""
        with contextlib.suppress(Broken):
            system.stop()
        raise Broken(f"{error}\n{logs}") from None
    except BaseException:
        with contextlib.suppress(Broken):
            system.stop()
        raise
    system.stop()


def run(system, number, hostile):
    seed = SEED * 1000 + number * 100
    faults = {side: FAULTS if side in hostile else "" for side in ("clients", "servers")}
    begin = time.monotonic()
    network = HostileNetwork(system.build, stacks(), [f"{port}:{word}" for _, port, word in WAYS],
                             faults["clients"], faults["servers"], seed)
    with network, balanced(system):
        laid = time.monotonic()
        print(f"# HAWSER_ADVERSARY_SEED={SEED}, faults at {' and '.join(hostile)}", flush=True)
        total, troubles = drive_all(network, seed)
        driven = time.monotonic()
        retried = system.other_counter("splice_retries")
        links = servers_agree(network, total, troubles)
    print(f"# {total['connections']} connections, {total['answers']} requests, "
          f"{(total['bytes_sent'] + total['bytes_received']) / 1e6:.0f} MB of bodies in "
          f"{driven - laid:.0f} s, {driven - begin:.0f} s with the network", flush=True)
    if ONLY is not None:
        return
    equal(total["connections"], CONNECTIONS * len(stacks()), "connections")
    network_was_hostile(links, hostile)
    for n in SERVERS:
        check(total.get(f"b{n}", 0) > total["answers"] / 10,
              f"b{n} gave {total.get(f'b{n}', 0)} of {total['answers']} answers")
    if COOKIE:
        # A home to which two SYNs in turn, or their answers, were lost is left for another.
        check(total["moved"] <= retried <= total["answers"] / 100,
              f"{total['moved']} of {total['answers']} answers from another server than the "
              f"cookie's, {retried} homes were silent")


def test_hostile_clients_side(system):
    """Faults between clients and balancer: every byte of every stream arrives."""
    run(system, 1, ["clients"])


def test_hostile_servers_side(system):
    """Faults between balancer and servers: every byte of every stream arrives."""
    run(system, 2, ["servers"])


def test_hostile_both_sides(system):
    """Faults on both sides: every byte of every stream arrives."""
    run(system, 3, ["clients", "servers"])
