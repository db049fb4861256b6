#!/usr/bin/env python3
# Runs what is measured in memory and keeps what it printed, with the machine, in bench/baseline.
"""usage: baseline.py --build DIR [--only NAME]... [--to DIR]"""

import argparse
import json
import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "../..")
sys.path.insert(0, HERE)

from machine import describe  # noqa: E402
from runs import RUNS  # noqa: E402


def measure(program, name):
    rows = []
    for arguments in RUNS[name]:
        print("hawser-bench", *arguments, file=sys.stderr)
        run = subprocess.run([program, "--json", *arguments], stdout=subprocess.PIPE, text=True,
                             check=False)
        if run.returncode != 0:
            sys.exit(f"hawser-bench {' '.join(arguments)} failed: nothing of {name} is kept")
        rows += run.stdout.splitlines()
    return rows


def keep(path, machine, rows):
    with tempfile.NamedTemporaryFile("w", dir=os.path.dirname(path), delete=False) as file:
        file.write("\n".join([json.dumps(machine), *rows]) + "\n")
    os.chmod(file.name, 0o644)
    os.replace(file.name, path)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True)
    parser.add_argument("--only", action="append", choices=sorted(RUNS))
    parser.add_argument("--to", default=os.path.join(ROOT, "bench/baseline"))
    arguments = parser.parse_args()
    os.makedirs(arguments.to, exist_ok=True)
    machine = describe(ROOT, arguments.build)
    program = os.path.join(arguments.build, "bench/hawser-bench")
    for name in arguments.only or RUNS:
        keep(os.path.join(arguments.to, name + ".json"), machine, measure(program, name))


if __name__ == "__main__":
    main()
