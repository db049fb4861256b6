#!/usr/bin/env python3
# Changes of weights while packets flow: how long each takes in the dataplane, and what gets lost.
"""Measures from the arrival of a snapshot at the dataplane's socket until every worker runs on it, and
counts packets that are sent, at a pace that loses none without changes, against those that arrive."""

import argparse
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import time

from between import Between
from wire import HERE, PLACES, Wire, need, others_busy, run
from hawser import PREFIX, PYTHON, RUN, Balancer, Broken, Daemon, cores, netns, program

BACKENDS = 100
BAR_MS = 5
PLACE = "balancer"
PORT = 9000
FRONT, BACK, _ = PLACES[PLACE]
SERVICE = f"{FRONT}.0.100"


def options_of(arguments):
    parser = argparse.ArgumentParser(prog="apply", description=__doc__)
    parser.add_argument("--build", default="build", help="where the programs of Hawser are")
    parser.add_argument("--changes", type=int, default=1000, help="of weights, one after the other")
    parser.add_argument("--rate", type=int, default=10000, help="packets a second, 100 to 100000")
    parser.add_argument("--mode", choices=("nat", "dsr-l2"), default="nat", help="of the service")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    options = parser.parse_args(arguments)
    if options.changes < 1 or not 100 <= options.rate <= 100000:
        parser.error("at least one change, and 100 to 100000 packets a second")
    options.build = os.path.abspath(options.build)
    options.peer_core, options.core = cores()
    return options


def backend(number):
    return f"{BACK}.100.{number}"


def configuration(options, socket):
    backends = "".join(f'  {{ name = "b{n:03}", address = "{backend(n)}", port = {PORT}, '
                       "weight = 100 },\n" for n in range(1, BACKENDS + 1))
    return f"""\
[dataplane]
main_core = {options.peer_core}
workers = [{options.core}]
flows_ipv4 = 100000
flows_ipv6 = 1024
socket = "{socket}"

[control]
socket = "{RUN}/hawserd.sock"
state_directory = "{RUN}/state"

[[port]]
name = "front"
device = "net_af_xdp0,iface=front,busy_budget=0"
addresses = ["{FRONT}.0.1/16"]

[[port]]
name = "back"
device = "net_af_xdp1,iface=back,busy_budget=0"
addresses = ["{BACK}.0.1/16"]
nat_addresses = ["{BACK}.1.1", "{BACK}.1.2"]

[[service]]
name = "counted"
address = "{SERVICE}"
port = {PORT}
protocol = "udp"
forward = "{options.mode}"
backend = [
{backends}]
"""


class Balanced(Balancer):
    """Both daemons, with the clock between them."""

    def __init__(self, options):
        super().__init__(options.build, configuration(options, f"{RUN}/dataplane.sock"))
        self.between = Between(f"{RUN}/between.sock", f"{RUN}/dataplane.sock")
        file = f"{RUN}/hawserd.toml"
        with open(file, "w", encoding="utf-8") as stream:
            stream.write(configuration(options, self.between.path))
        self.hawserd = Daemon("hawserd", [program(options.build, "hawserd"), "--config", file])

    def __enter__(self):
        self.between.__enter__()
        try:
            self.start()
            self.until(self.neighbours_known, "the backends' MAC addresses")
        except BaseException as problem:
            logs = self.logs(8)
            self.__exit__()
            if isinstance(problem, Broken):
                raise Broken(f"Hawser did not start: {problem}\n{logs}") from problem
            raise
        return self

    def __exit__(self, *_):
        self.stop()
        self.between.__exit__()

    def neighbours_known(self):
        rows = self.json("status")["dataplane"]["neighbours"]
        return sum(row["state"] == "reachable" for row in rows) >= BACKENDS

    def own_times(self):
        """Microseconds by the dataplane's log."""
        with open(self.dataplane.log, encoding="utf-8", errors="replace") as stream:
            return [int(us) for us in re.findall(r"applied in (\d+) us", stream.read())]


class Flow:
    """Packets from the client to whoever gets them, until stop()."""

    def __init__(self, options):
        self.ends = {}
        script = os.path.join(HERE, "datagrams.py")
        self.open("receive", "server", script, PORT)
        self.ends["receive"].stdout.readline()
        self.open("send", "client", script, SERVICE, PORT, options.rate)

    def open(self, what, space, script, *arguments):
        self.ends[what] = subprocess.Popen(
            netns(space, PYTHON, script, what, *map(str, arguments)),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for end in self.ends.values():
            end.kill()
            end.wait()

    def stop(self):
        """What became of the packets."""
        result = {}
        for what in ("send", "receive"):
            out, _ = self.ends[what].communicate("\n", timeout=60)
            if self.ends[what].returncode != 0:
                raise Broken(f"datagrams.py {what} ended with {self.ends[what].returncode}")
            result |= json.loads(out.splitlines()[-1])
            time.sleep(0.3)  # what is under way arrives
        result["lost"] = result["sent"] - result["received"]
        return result


def without_changes(options, balancer):
    seconds = 2
    with Flow(options) as flow:
        time.sleep(seconds)
        quiet = flow.stop()
    if quiet["sent"] < 100:
        raise Broken(f"only {quiet['sent']} packets were sent in {seconds} s")
    if quiet["lost"] != 0:
        raise Broken(f"{quiet['lost']} of {quiet['sent']} packets were lost without any change, at "
                     f"{options.rate} a second: nothing can be said about changes; try a lower "
                     f"--rate, or an idle machine\n{balancer.ctl('status').stdout}")
    return quiet


def with_changes(options, balancer):
    with Flow(options) as flow:
        time.sleep(0.3)
        begun = time.monotonic()
        for change in range(options.changes):
            # The same backend has its next turn with another weight.
            weight = 101 + (change // BACKENDS * 7 + change) % 100
            done = balancer.ctl("weight", f"counted/b{1 + change % BACKENDS:03}", str(weight),
                                "--reason", "apply")
            if done.returncode != 0:
                raise Broken(f"change {change} failed: {done.stderr.strip()}")
        took = time.monotonic() - begun
        balancer.until(balancer.status_applied, "the last change in the dataplane")
        result = flow.stop()
    times = sorted(seconds * 1000 for at, seconds, _ in balancer.between.applied if at >= begun)
    return result, times, took


def at(times, share):
    return round(times[min(len(times) - 1, int(share * len(times)))], 2)


def measure(options):
    with Wire(0, (PLACE,)):
        Wire.for_dataplane(PLACE)
        for number in range(1, BACKENDS + 1):
            Wire.add_address("server", PLACE, backend(number))
        run("ip", "-n", f"{PREFIX}-server", "address", "add", f"{SERVICE}/32", "dev", "lo")
        with Balanced(options) as balancer:
            quiet = without_changes(options, balancer)
            result, times, took = with_changes(options, balancer)
            own = balancer.own_times()
            if balancer.between.refused or len(times) < options.changes:
                raise Broken(f"of {options.changes} changes {len(times)} became a snapshot, and "
                             f"{balancer.between.refused} were refused")
            return {"bench": "apply", "mode": options.mode, "backends": BACKENDS, "workers": 1,
                    "changes": options.changes, "changes_per_second": round(options.changes / took, 1),
                    "snapshots": len(times),
                    "snapshot_bytes": balancer.between.applied[-1][2],
                    "apply_ms_p50": at(times, 0.5), "apply_ms_p99": at(times, 0.99),
                    "apply_ms_max": at(times, 1), "bar_ms": BAR_MS,
                    "own_ms_p50": round(statistics.median(own) / 1000, 2),
                    "packets_per_second": round(result["per_second"]), "flows": result["flows"],
                    "sent": result["sent"], "received": result["received"],
                    "lost": result["lost"], "twice": result["twice"],
                    "sent_without_changes": quiet["sent"], "lost_without_changes": quiet["lost"]}


def show(row):
    print(f"{row['changes']} changes of weights, {row['changes_per_second']} a second, on "
          f"{row['backends']} backends of one {row['mode']} service; {row['workers']} worker")
    print(f"  snapshot, socket to every worker: median {row['apply_ms_p50']} ms (bar "
          f"{row['bar_ms']}), p99 {row['apply_ms_p99']}, most {row['apply_ms_max']}; "
          f"{row['snapshots']} of {row['snapshot_bytes']} bytes; by the dataplane's own clock "
          f"{row['own_ms_p50']} ms")
    print(f"  packets: {row['lost']} of {row['sent']} lost (bar 0), {row['twice']} came twice; "
          f"{row['packets_per_second']} a second, {row['flows']} flows; without changes "
          f"{row['lost_without_changes']} of {row['sent_without_changes']}")


def main():
    options = options_of(sys.argv[1:])
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    need({"ip": "demo", "ethtool": "demo"})
    for name in ("hawser-dataplane", "hawserd", "hawserctl"):
        program(options.build, name)
    os.nice(-19)
    busy = others_busy()
    if busy > 10:
        print(f"apply: this machine is {busy} % busy with something else; an idle one gives better "
              "figures", file=sys.stderr)
    row = measure(options)
    if options.json:
        print(json.dumps(row))
    else:
        show(row)
    if row["lost"] != 0 or row["twice"] != 0:
        raise Broken(f"{row['lost']} packets were lost and {row['twice']} came twice")


if __name__ == "__main__":
    try:
        main()
    except Broken as problem:
        sys.exit(f"apply: {problem}")
