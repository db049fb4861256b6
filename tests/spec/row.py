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


def burst(at, *frames, worker=0):
    """Frames that a worker receives together, `at` seconds."""
    return {"do": "burst", "at": at, "worker": worker, "frames": list(frames)}


def snapshot(*services):
    return {"do": "snapshot", "services": list(services)}


def resolve(host, address, port=0):
    return {"do": "neighbour", "port": port, "address": address, "mac": host.mac}


def lose(address, port=0):
    return {"do": "neighbour", "port": port, "address": address, "mac": None}


def sweep(at, seconds=20, worker=0):
    """So much time passes for the sweep; 20 seconds are one whole round."""
    return {"do": "sweep", "at": at, "worker": worker, "microseconds": seconds * 1_000_000}


# --- counters ------------------------------------------------------------------------------------


def flows(name, live, new, worker=0):
    """Live and new flows of a backend ("web4/b1"), with what follows for tables and NAT ports."""
    service = network.SERVICES[name.split("/")[0]]
    version = network.version_of(service["name"])
    counters = {"backends": {name: {"flows": live, "new_flows": new}}, f"flows_ipv{version}": live}
    if service["forward"] == "nat":
        counters["nat_ports_used"] = live
    return worker, counters


def stateless(count, worker=0):
    return worker, {"stateless": count}


def expired(count, worker=0):
    return worker, {"expired": count}


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


def _traffic(step):
    """What one frame adds to the counters of the backend it went to or came from."""
    if "backend" not in step:
        return {}
    way = {"forward_nat": "in", "forward_dsr_l2": "in", "return_nat": "out"}[step["verdict"]]
    length = step.get("length", len(step["out"]) // 2)
    return {"backends": {step["backend"]: {f"packets_{way}": 1, f"bytes_{way}": length}}}


def _expected(setup, steps, counters):
    workers = [{"verdicts": Counter(), "backends": {}} for _ in range(setup["workers"])]
    for step in steps:
        if step["do"] != "burst":
            continue
        for one in step["frames"]:
            workers[step["worker"]]["verdicts"][one["verdict"]] += 1
            _add(workers[step["worker"]], _traffic(one))
    for worker, more in counters:
        _add(workers[worker], more)
    return [_without_zeros(counted) for counted in workers]


def row(title, *steps, setup=None, counters=()):
    """Adds a test. Verdicts, packets and bytes follow from the steps; `counters` says the rest."""
    setup = network.setup() if setup is None else setup
    ROWS.append({"title": title, "setup": setup, "steps": list(steps),
                 "counters": _expected(setup, steps, counters)})


def write(path):
    titles = Counter(one["title"] for one in ROWS)
    twice = [title for title, count in titles.items() if count > 1]
    if twice:
        raise SystemExit(f"two rows have the title {twice[0]!r}")
    with open(path, "w", encoding="utf-8") as file:
        for one in ROWS:
            file.write(json.dumps(one) + "\n")
