# The language of the rows: a row is a sentence, steps, and every counter at the end.
import json
from collections import Counter

from scapy.packet import Packet

import network

ROWS = []


def hexed(frame):
    return (bytes(frame) if isinstance(frame, Packet) else frame).hex()


def frame(given, verdict, out=None, port=0, out_port=None, backend=None, **more):
    """One frame of a burst. Without `out` the frame must come out as it went in.

    `backend` ("web4/b1") is whose packet and byte counters it adds to. `more`: capacity (bytes of
    the buffer), length (when `given` is only the beginning of the frame), ip_checksum and
    transport_checksum ("good" or "bad": what the port found), owner (worker of a handed-off one).
    """
    step = {"in": hexed(given), "verdict": verdict, "port": port, **more}
    if out is not None:
        step["out"] = hexed(out)
        step["out_port"] = port if out_port is None else out_port
    if backend is not None:
        step["backend"] = backend
    return step


def burst(at, *frames, worker=0, after=()):
    """Frames that a worker receives together, `at` seconds. `after`: what comes out beside them, in
    order; see `beside` and `released`."""
    return {"do": "burst", "at_ms": _milliseconds(at), "worker": worker, "frames": list(frames),
            "after": list(after)}


def tick(at, *after, worker=0):
    """What is due without a packet, and what comes out of it."""
    return {"do": "tick", "at_ms": _milliseconds(at), "worker": worker, "after": list(after)}


def beside(verdict, out=None, out_port=0, backend=None, **more):
    """A packet that comes out beside those of the burst; without `out` it is dropped."""
    step = {"verdict": verdict, **more}
    if out is not None:
        step.update({"out": hexed(out), "out_port": out_port})
    if backend is not None:
        step["backend"] = backend
    return step


def released(one):
    """A frame that was held and goes its way now, as `frame` says."""
    step = {"out": one["in"], **one}
    del step["in"], step["port"]
    return step


def choice(*ways, label=None, opens=False):
    """One frame that may go any of these ways, each a `frame`. Frames of one `label` must go the
    same way, those of another label another. `opens`: it begins a flow."""
    assert len({(way["in"], way["verdict"], way["port"]) for way in ways}) == 1
    choices = [{"backend": way["backend"], "out": way["out"], "out_port": way["out_port"],
                "counters": _chosen(way, opens)} for way in ways]
    one = {"in": ways[0]["in"], "verdict": ways[0]["verdict"], "port": ways[0]["port"],
           "choices": choices}
    if label is not None:
        one["label"] = label
    return one


def snapshot(*services, at=None, prefix_lists=None):
    """Other services from now on, or from `at` seconds on."""
    return {"do": "snapshot", "services": list(services), "prefix_lists": prefix_lists or {},
            "cookie_keys": network.COOKIE_KEYS,
            "at_ms": None if at is None else _milliseconds(at)}


def resolve(host, address, port=0):
    return {"do": "neighbour", "port": port, "address": address, "mac": host.mac}


def lose(address, port=0):
    return {"do": "neighbour", "port": port, "address": address, "mac": None}


def sweep(at, seconds=20, worker=0):
    """So much time passes for the sweep; 20 seconds are one whole round."""
    return {"do": "sweep", "at_ms": _milliseconds(at), "worker": worker,
            "microseconds": seconds * 1_000_000}


def wipe(worker=0):
    """A worker forgets all its flows, as one that begins after another's end."""
    return {"do": "wipe", "worker": worker}


def _milliseconds(at):
    return round(at * 1000)


# --- counters ------------------------------------------------------------------------------------


def flows(name, live, new, worker=0, requests=None, **signals):
    """Live and new flows of a backend ("web4/b1"), with what follows for tables and NAT ports, and
    `signals`. Requests of a spliced one are as many as its flows, if nothing else is said."""
    service = network.SERVICES[name.split("/")[0]]
    version = network.version_of(service["name"])
    if requests is None:
        requests = new if service["protocol"] == "http" else 0
    counted = {"flows": live, "new_flows": new, "requests": requests, **signals}
    counters = {"backends": {name: counted}, f"flows_ipv{version}": live}
    if service["forward"] in ("nat", "splice"):
        counters["nat_ports_used"] = live
    return worker, counters


def signals(name, worker=0, **counts):
    """How a backend took its connections: refused, timed_out, reset, aborted, server_errors,
    requests."""
    return worker, {"backends": {name: counts}}


def spliced(service, worker=0, edits=0, resent=0, lost=0, **counts):
    """What is counted of a spliced service: requests, retries, refused_denied, fault_no_host, ..."""
    return worker, {"splice": {service: counts}, "splice_edits": edits, "owned_resent": resent,
                    "owned_lost": lost}


def unjoined(service, count=1, worker=0):
    """Spliced connections that have no backend."""
    return worker, {f"flows_ipv{network.version_of(service)}": count}


def local_ports(count, worker=0):
    """Local ports in use beyond those of live flows."""
    return worker, {"nat_ports_used": count}


def stateless(count, worker=0):
    return worker, {"stateless": count}


def expired(count, worker=0):
    return worker, {"expired": count}


def spilled(count, worker=0):
    return worker, {"spilled": count}


def previous_owner(count, worker=0):
    return worker, {"previous_owner": count}


def between(least, most, *path, worker=0):
    """Bounds for a counter, by its path: ("backends", "web4/b1", "flows") or ("spilled",). One that
    stands alone is not compared further."""
    return {"worker": worker, "path": list(path), "least": least, "most": most}


def _add(total, more):
    for key, value in more.items():
        if isinstance(value, dict):
            _add(total.setdefault(key, {}), value)
        else:
            total[key] = total.get(key, 0) + value


def _without_zeros(counters):
    kept = {}
    for key, value in counters.items():
        value = _without_zeros(value) if isinstance(value, dict) else value
        if value or key in ("verdicts", "backends"):
            kept[key] = value
    return kept


WAYS = {"forward_nat": "in", "forward_dsr_l2": "in", "forward_dsr_ipip": "in",
        "forward_dsr_gue": "in", "forward_icmp": "in", "forward_fragment": "in",
        "forward_proxy_header": "in", "forward_splice": "in", "return_splice": "out",
        "return_nat": "out", "return_icmp": "out"}


def _traffic(step):
    """What one frame adds to the counters of the backend it went to or came from. `way` says for a
    `forward_fragment` that it is the client's."""
    if "backend" not in step:
        return {}
    way = step.get("way") or WAYS[step["verdict"]]
    length = step.get("out_length", step.get("length", len(step["out"]) // 2))
    return {"backends": {step["backend"]: {f"packets_{way}": 1, f"bytes_{way}": length}}}


def _chosen(way, opens):
    counters = _traffic(way)
    if opens:
        _add(counters, flows(way["backend"], live=1, new=1)[1])
    return counters


def _expected(setup, steps, counters):
    workers = [{"verdicts": Counter(), "backends": {}} for _ in range(setup["workers"])]
    for step in steps:
        for one in step.get("frames", []) + step.get("after", []):
            workers[step["worker"]]["verdicts"][one["verdict"]] += 1
            _add(workers[step["worker"]], _traffic(one))
    for worker, more in counters:
        _add(workers[worker], more)
    return [_without_zeros(counted) for counted in workers]


def row(title, *steps, setup=None, counters=(), ranges=()):
    """Adds a test. Verdicts, packets and bytes follow from the steps; `counters` says the rest, and
    `ranges` what has only bounds."""
    setup = network.setup() if setup is None else setup
    ROWS.append({"title": title, "setup": setup, "steps": list(steps),
                 "counters": _expected(setup, steps, counters), "ranges": list(ranges)})


def write(path):
    titles = Counter(one["title"] for one in ROWS)
    twice = [title for title, count in titles.items() if count > 1]
    if twice:
        raise SystemExit(f"two rows have the title {twice[0]!r}")
    with open(path, "w", encoding="utf-8") as file:
        for one in ROWS:
            file.write(json.dumps(one) + "\n")
