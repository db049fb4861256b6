# One run of wrk through a balancer, and what the cores did meanwhile.
"""measure() is one row: requests, latency, failures, CPU time."""

import json
import os
import re
import subprocess
import time

from peers import NUMBERS, first, pinned
from wire import BACKENDS, HERE

from hawser import Broken, netns

TICKS = os.sysconf("SC_CLK_TCK")
# user, nice, system, idle, iowait, irq, softirq, steal of a line of /proc/stat
IDLE = (3, 4)


def sessions_of(balancer, count):
    """So many users, the same number at home on each backend: cookie and home of each, from its
    first request."""
    by_home = {f"b{n}": [] for n in NUMBERS}
    for user in range(40 * count):
        answer = first(balancer.address, user=f"user-{user}")
        if answer is None or answer[0] is None:
            raise Broken(f"{balancer.name}: a first request was not answered with a cookie")
        by_home[answer[1]].append(answer)
        if all(len(users) >= count // BACKENDS for users in by_home.values()):
            return [users[turn] for turn in range(count // BACKENDS)
                    for users in by_home.values()]
    raise Broken(f"{balancer.name}: of {40 * count} users too few are at home on some backend: " +
                 ", ".join(f"{home} {len(users)}" for home, users in by_home.items()))


def wrk(balancer, kind, sessions, options, seconds, meanwhile=lambda: None):
    """One run; `meanwhile` is called in the middle of it. Returns (result, what that returned)."""
    arguments = [each for session in sessions for each in session]
    process = subprocess.Popen(
        netns("client", *pinned(options.peer_core, "wrk", f"-t{len(sessions)}",
                                f"-c{options.connections}", f"-d{seconds}s", "-s",
                                os.path.join(HERE, "load.lua"), f"http://{balancer.address}/", "--",
                                kind, *arguments)),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        time.sleep(seconds * 0.6)
        seen = meanwhile()
        out, err = process.communicate(timeout=seconds + 60)
    finally:
        process.kill()
    found = re.search(r"^RESULT (.*)$", out, re.MULTILINE)
    if process.returncode != 0 or not found:
        raise Broken(f"wrk: exit {process.returncode}: {err.strip() or out[-300:]}")
    return json.loads(found[1]), seen


def failures(result):
    return {name: result[name] for name in ("connect", "read", "write", "status", "timeout")
            if result[name]}


def prove_affinity(balancer, sessions, options):
    """With every cookie under another home's name, all requests must be refused: so a balancer
    that does not honour cookies cannot pass for one that does."""
    homes = sorted({home for _, home in sessions})
    wrong = [(cookie, homes[(homes.index(home) + 1) % len(homes)]) for cookie, home in sessions]
    result, _ = wrk(balancer, "keep", wrong, options, 1)
    if result["requests"] == 0 or result["status"] != result["requests"]:
        raise Broken(f"{balancer.name}: {result['status']} of {result['requests']} requests with a "
                     "false home were refused, instead of all; affinity is not proved")


def process_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stream:
        fields = stream.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def core_ticks(core):
    """(all, busy) of a core so far."""
    with open("/proc/stat", encoding="ascii") as stream:
        line = next(line for line in stream if line.startswith(f"cpu{core} "))
    ticks = [int(field) for field in line.split()[1:9]]
    return sum(ticks), sum(ticks) - sum(ticks[i] for i in IDLE)


def measure(balancer, kind, sessions, options):
    cores = {"balancer_core": options.core, "peer_core": options.peer_core}
    before = {name: core_ticks(core) for name, core in cores.items()}
    used = process_seconds(balancer.pid)
    begun = time.monotonic()
    result, worker_busy = wrk(balancer, kind, sessions, options, options.seconds,
                             balancer.worker_busy)
    took = time.monotonic() - begun
    used = process_seconds(balancer.pid) - used
    after = {name: core_ticks(core) for name, core in cores.items()}
    row = {"balancer": balancer.name, "load": kind,
           "per_second": result["requests"] / result["microseconds"] * 1e6,
           "p50_us": result["p50"], "p99_us": result["p99"], "p999_us": result["p999"],
           "cpu_us_per_request": used / took * result["microseconds"] / max(result["requests"], 1),
           "worker_busy_percent": worker_busy,
           "requests": result["requests"], "failures": failures(result)}
    for name in cores:
        whole, busy = (now - then for now, then in zip(after[name], before[name]))
        row[f"{name}_busy_percent"] = 100 * busy / max(whole, 1)
    return row
