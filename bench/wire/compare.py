#!/usr/bin/env python3
# Hawser and HAProxy in turns before the same nginx, asked by the same wrk, on the same two cores.
"""Measures requests a second over connections that are kept, and connections a second that are
closed after one request, each with session cookies; told are medians over the rounds."""

import argparse
import json
import os
import platform
import signal
import sys

from wire import Wire, need, others_busy
from measure import measure, prove_affinity, sessions_of
from peers import HAProxy, Hawser, Nginx
from report import BARS, show, summarize
from hawser import Broken, cores, program

BALANCERS = (HAProxy, Hawser)
# Users of wrk, each a thread of it: one at home on each backend.
USERS = 3


def options_of(arguments):
    parser = argparse.ArgumentParser(prog="compare", description=__doc__)
    parser.add_argument("--build", default="build", help="where the programs of Hawser are")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each balancer (5)")
    parser.add_argument("--seconds", type=int, default=5, help="of each measurement (5)")
    parser.add_argument("--connections", type=int, default=96, help="at a time, 3 to 4000 (96)")
    parser.add_argument("--device-options", default="busy_budget=0",
                        help="of the ports' net_af_xdp, after a comma")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    options = parser.parse_args(arguments)
    if not 1 <= options.rounds <= 100 or options.seconds < 1 or not 3 <= options.connections <= 4000:
        parser.error("1 to 100 rounds of at least a second with 3 to 4000 connections")
    options.build = os.path.abspath(options.build)
    options.peer_core, options.core = cores()
    return options


def measure_turn(kind, turn, options, rows):
    """One balancer before backends that nobody had yet: every load."""
    with kind(options, turn) as balancer:
        sessions = sessions_of(balancer, USERS)
        if turn < len(BALANCERS):
            prove_affinity(balancer, sessions, options)
        for load in BARS:
            rows.append(measure(balancer, load, sessions, options))
            row = rows[-1]
            print(f"  {row['balancer']:8} {load:5} {row['per_second']:8.0f}/s  p99 {row['p99_us']} us"
                  f"  failures {row['failures'] or 0}", file=sys.stderr, flush=True)


def run(options):
    rows = []
    turns = len(BALANCERS) * options.rounds
    with Wire(turns) as wire:
        for kind in BALANCERS:
            kind.lay()
        with Nginx(options.peer_core, turns):
            for turn in range(turns):
                # One after the other, and then the other way round: neither is always the second.
                number, place = divmod(turn, len(BALANCERS))
                measure_turn(BALANCERS[(place + number) % 2], turn, options, rows)
        machine = {"kernel": platform.release(), "HAProxy": HAProxy.version(),
                   "congestion control": wire.congestion_control()}
    return rows, machine


def main():
    options = options_of(sys.argv[1:])
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    need({"nginx": "demo", "wrk": "demo", "curl": "demo", "haproxy": "all", "ip": "demo",
          "ethtool": "demo", "taskset": "demo"})
    for name in ("hawser-dataplane", "hawserd", "hawserctl"):
        program(options.build, name)
    # Before whatever else the machine does; both balancers, wrk and nginx alike.
    os.nice(-19)
    busy = others_busy()
    if busy > 10:
        print(f"compare: this machine is {busy} % busy with something else; an idle one gives "
              "better figures", file=sys.stderr)
    rows, machine = run(options)
    summaries = summarize(rows, BARS, [kind.name for kind in BALANCERS])
    if options.json:
        for summary in summaries:
            print(json.dumps(summary | {"machine": machine}))
    else:
        show(summaries, machine | {"busy before": f"{busy} %"})
    failed = {f"{row['balancer']} {row['load']}": row["failures"] for row in rows if row["failures"]}
    if failed:
        raise Broken(f"requests failed: {failed}")


if __name__ == "__main__":
    try:
        main()
    except Broken as problem:
        sys.exit(f"compare: {problem}")
