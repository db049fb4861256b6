# Benchmarks over real ports run, briefly: what they prove of the balancers holds, figures are there.
import json
import os
import subprocess

from harness import Skipped, check, equal
from hawser import PREFIX, ROOT, Broken


def rows(system, *arguments):
    """What scripts/bench-wire prints as JSON."""
    done = subprocess.run([os.path.join(ROOT, "scripts", "bench-wire"), *arguments, "--json",
                           "--build", system.build], capture_output=True, text=True, timeout=300,
                          check=False, env={**os.environ, "HAWSER_LAB": PREFIX[:12]})
    if "cannot be found" in done.stderr:
        raise Skipped(done.stderr.strip()[-200:])
    if done.returncode != 0:
        raise Broken(f"bench-wire {' '.join(arguments)}: exit {done.returncode}: "
                     f"{done.stderr[-1500:]}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def left_behind():
    spaces = os.listdir("/run/netns")
    return [name for name in spaces if name.startswith(f"{PREFIX[:12]}wire-")]


def test_compare(system):
    """Both balancers answer every request of both loads at the backend that its cookie names."""
    seen = rows(system, "compare", "--rounds", "1", "--seconds", "1", "--connections", "12")
    equal([(row["load"], row["balancer"]) for row in seen],
          [("keep", "haproxy"), ("keep", "hawser"), ("close", "haproxy"), ("close", "hawser")],
          "rows")
    for row in seen:
        equal(row["failures"], 0, f"failures of {row['balancer']} {row['load']}")
        for name in ("per_second", "requests", "p50_us", "p99_us", "cpu_us_per_request"):
            check(row[name] > 0, f"{name} is {row[name]} in {row}")
    for row in (row for row in seen if row["balancer"] == "hawser"):
        check(row["ratio"] > 0 and row["p99_ratio"] > 0, f"there is no ratio in {row}")
    equal(left_behind(), [], "namespaces that are left")


def test_apply(system):
    """Every change becomes a snapshot, and no packet is lost meanwhile."""
    for mode in ("nat", "dsr-l2"):
        row, = rows(system, "apply", "--changes", "20", "--rate", "500", "--mode", mode)
        check(row["snapshots"] >= row["changes"] == 20, f"changes and snapshots: {row}")
        equal((row["lost"], row["twice"]), (0, 0), "lost and doubled packets")
        equal(row["sent"], row["received"], "packets that arrived")
        check(row["sent"] > 100 and row["flows"] >= 256, f"there was no load: {row}")
        check(0 < row["apply_ms_p50"] <= row["apply_ms_p99"] <= row["apply_ms_max"],
              f"times: {row}")
    equal(left_behind(), [], "namespaces that are left")
