#!/usr/bin/python3
# Runs the system tests: the real daemons in the lab, against real clients and hostile packets.
"""usage: run.py --build DIR [--filter WORD] [MODULE...]"""

import argparse
import fcntl
import importlib
import os
import signal
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from harness import Runner  # noqa: E402
from hawser import PREFIX, Lab, fail  # noqa: E402

# Those of splicing come first: they ask whether every connection is closed in the end, and others
# kill daemons that have some.
MODULES = [
    "test_input",
    "test_splice_addresses",
    "test_splice_clients",
    "test_splice_errors",
    "test_splice_operator",
    "test_splice_rules",
    "test_splice_sessions",
    "test_splice_tls",
    "test_splice_transfers",
    "test_adversary",
    "test_forwarding",
    "test_affinity",
    "test_operator",
    "test_crash",
    "test_control",
    "test_control_events",
    "test_capture",
    "test_health",
    "test_service_manager",
    "test_unprivileged",
    "test_neighbours",
    "test_hostile",
    "test_failure",
    "test_metrics",
    "test_page",
    "test_page_use",
    "test_decapsulator",
    "test_pmtu",
    "test_tunnels",
    "test_tunnel_path",
    "test_icmp",
    "test_fragments",
    "test_vlan",
    "test_client_address",
    "test_quic",
    "test_defences",
    "test_benchmarks",
    "test_signals",
    "test_wiped",
]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True)
    parser.add_argument("--filter", default="")
    parser.add_argument("modules", nargs="*")
    arguments = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    with open(f"/run/{PREFIX}-lab.lock", "w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            fail("another demo or test uses the lab; choose another name: HAWSER_LAB=other")
        runner = Runner(os.path.abspath(arguments.build), arguments.filter)
        modules = [importlib.import_module(name.removesuffix(".py"))
                   for name in arguments.modules or MODULES]
        print(f"1..{runner.count(modules)}", flush=True)
        try:
            Lab.script("down")
            Lab.script("up")
            for module in modules:
                runner.run_module(module)
        finally:
            Lab.script("down")
            os.unlink(lock.name)
    return 1 if runner.failed else 0


if __name__ == "__main__":
    sys.exit(main())
