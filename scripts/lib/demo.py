#!/usr/bin/python3
# The acts of the demo: what is shown, and what must hold in each.
"""usage: demo.py --build DIR [--check]        (scripts/demo prepares what this needs)

Every act returns what it saw; `ok` in it says whether what was promised held.
"""

import argparse
import json
import shutil
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True

from demo_configuration import SERVICES  # noqa: E402
from demo_sessions import APP, sessions  # noqa: E402
from hawser import (Balancer, Broken, Lab, Load, RUN, configuration, load, netns,  # noqa: E402
                    program)

WEB, WEB6, STICKY, DIRECT = "10.77.0.100:80", "[fd77::100]:80", "10.77.0.100:8080", "10.77.0.110:80"
CLIENTS = ",".join(f"10.77.0.{n}" for n in range(201, 221))
POINTS = 5.0    # a backend's share may differ so much from its weight, in points of 100
SECONDS = 3.0   # and a dead backend may be chosen for so long


class Show:
    """What people read goes to standard output, unless the last line there is for programs."""

    def __init__(self, quiet):
        self.stream = sys.stderr if quiet else sys.stdout
        self.bold = self.stream.isatty()

    def heading(self, text):
        self.say(f"\n\033[1m{text}\033[0m" if self.bold else f"\n== {text}")

    def say(self, text=""):
        print(text, file=self.stream, flush=True)

    def verdict(self, held, text):
        self.say(f"  {'held' if held else 'FAILED'}: {text}")


class Demo:
    def __init__(self, build, show):
        self.show = show
        self.balancer = Balancer(build, configuration(SERVICES))

    def ctl(self, *arguments):
        """Shows a hawserctl command and what it prints."""
        done = self.balancer.ctl(*arguments)
        self.show.say("$ hawserctl " + " ".join(f'"{a}"' if " " in a else a for a in arguments))
        self.show.say((done.stdout + done.stderr).rstrip())
        if done.returncode != 0:
            raise Broken(f"hawserctl {' '.join(arguments)}: exit {done.returncode}")

    # --- acts ------------------------------------------------------------------------------------

    def shares(self, service, target, connections):
        """Spreads connections and compares each backend's share with its weight."""
        served = {f"b{n}": Lab.served(n) for n in (1, 2, 3)}
        seen = load(target, connections=connections, concurrency=16)
        time.sleep(0.2)
        rows, worst = {}, 0.0
        backends = self.balancer.backends(service)
        total = sum(row["weight"] for row in backends.values())
        self.show.say(f"{'backend':<9}{'weight':>7}{'expected':>10}{'connections':>13}{'share':>8}"
                      f"{'nginx saw':>11}")
        for name, row in backends.items():
            count = seen["connections_by_backend"].get(name, 0)
            expected, share = 100 * row["weight"] / total, 100 * count / max(1, seen["ok"])
            nginx = Lab.served(int(name[1:])) - served[name]
            worst = max(worst, abs(share - expected))
            rows[name] = {"weight": row["weight"], "share": round(share, 2), "nginx": nginx}
            self.show.say(f"{name:<9}{row['weight']:>7}{expected:>9.1f}%{count:>13}{share:>7.1f}%"
                          f"{nginx:>11}")
        agree = all(seen["connections_by_backend"].get(n, 0) == r["nginx"] for n, r in rows.items())
        held = worst <= POINTS and seen["failed"] == 0 and seen["ok"] == connections and agree
        self.show.verdict(held, f"{connections} connections, {seen['failed']} failed, at most "
                                f"{worst:.1f} points from the weights, nginx counted the same")
        return {"ok": held, "connections": connections, "failed": seen["failed"],
                "worst_points": round(worst, 2), "backends": rows}

    def spread(self):
        self.show.heading("Requests are spread by weight")
        return self.shares("web", WEB, 3000)

    def spread_ipv6(self):
        self.show.heading("And over IPv6")
        return self.shares("web6", WEB6, 2000)

    def affinity(self):
        self.show.heading("A client stays on its backend: 20 client addresses, 20 connections each")
        seen = load(STICKY, connections=400, concurrency=8, sources=CLIENTS)
        homes = {source: sorted(names) for source, names in seen["by_source"].items()}
        for source, names in list(homes.items())[:5]:
            self.show.say(f"  {source:<13} -> {', '.join(names)}")
        self.show.say(f"  ... and {len(homes) - 5} more")
        used = {name for names in homes.values() for name in names}
        held = (len(homes) == 20 and all(len(names) == 1 for names in homes.values())
                and len(used) == 3 and seen["failed"] == 0)
        self.show.verdict(held, f"each of {len(homes)} clients met one backend, "
                                f"{len(used)} backends were used")
        return {"ok": held, "clients": len(homes), "failed": seen["failed"],
                "moved": sum(len(names) > 1 for names in homes.values())}

    def direct(self):
        self.show.heading("Direct replies: the backend answers past the balancer (dsr-l2)")
        before = self.balancer.counters()
        seen = load(DIRECT, connections=600, concurrency=8)
        after = self.balancer.counters()
        forwarded = after["forward_dsr_l2"] - before["forward_dsr_l2"]
        returned = after["return_nat"] - before["return_nat"]
        self.show.say(f"  {seen['ok']} requests, answered by {seen['connections_by_backend']}")
        held = (seen["failed"] == 0 and len(seen["connections_by_backend"]) == 3 and forwarded > 600
                and returned == 0)
        self.show.verdict(held, f"{forwarded} packets went in through Hawser, {returned} of the "
                                "replies came back through it")
        return {"ok": held, "requests": seen["requests"], "failed": seen["failed"]}

    def weight(self):
        self.show.heading("A weight is changed: b3 from 100 to 500")
        self.ctl("weight", "web/b3", "500", "--reason", "more memory")
        seen = self.shares("web", WEB, 2000)
        self.ctl("weight", "web/b3", "--file")
        return seen

    def steady(self):
        """Clients of web that come and go, and clients that stay connected."""
        return (Load(WEB, records=True, concurrency=8, pause=10, seconds=60),
                Load(WEB, records=True, concurrency=40, requests=0, pause=50, seconds=60))

    def drain(self):
        self.show.heading("b2 drains under load: no new connections, the open ones stay")
        fresh, staying = self.steady()
        with fresh, staying:
            time.sleep(1.5)
            self.ctl("drain", "web/b2", "--reason", "kernel update")
            drained = time.time()
            time.sleep(2)
            self.ctl("backends", "web")
            self.ctl("ready", "web/b2")
            back = time.time()
            time.sleep(2)
            one, two = fresh.stop(), staying.stop()
            late = [r for r in fresh.records() if drained + 0.2 < r["opened"] < back - 0.2]
            new_on_b2 = sum(r["backend"] == "b2" for r in late)
            stayed = sum(r["backend"] == "b2" and drained + 0.2 < r["at"] < back - 0.2
                         for r in staying.records())
            returned = sum(r["backend"] == "b2" and r["opened"] > back for r in fresh.records())
        failed = one["failed"] + two["failed"]
        held = failed == 0 and new_on_b2 == 0 and stayed > 0 and returned > 0 and len(late) > 100
        self.show.verdict(held, f"{one['requests'] + two['requests']} requests, {failed} failed; "
                                f"while draining {len(late)} new connections, {new_on_b2} of them "
                                f"to b2, and {stayed} requests on connections it already had")
        return {"ok": held, "requests": one["requests"] + two["requests"], "failed": failed,
                "new_connections_while_draining": len(late), "of_them_to_the_drained": new_on_b2,
                "requests_on_open_connections": stayed, "new_connections_after_ready": returned,
                "causes": {**one["causes"], **two["causes"]}}

    def kill_backend(self):
        self.show.heading("b2 dies under load: kill -9 of its nginx")
        homes = {source: next(iter(names)) for source, names in
                 load(STICKY, connections=200, concurrency=8, sources=CLIENTS)["by_source"].items()}
        fresh, staying = self.steady()
        sticky = Load(STICKY, records=True, concurrency=10, pause=20, seconds=60, sources=CLIENTS)
        with fresh, staying, sticky:
            time.sleep(1.5)
            killed = time.time()
            self.show.say("$ scripts/lab kill 2")
            Lab.script("kill", "2")
            time.sleep(SECONDS + 3)
            self.ctl("backends", "web")
            self.show.say("$ scripts/lab start 2")
            restarted = time.time()
            Lab.script("start", "2")
            self.balancer.until_state("web", "b2", "ready")
            back = time.time()
            time.sleep(1.5)
            results = [each.stop() for each in (fresh, staying, sticky)]
            new, old, kept = fresh.records(), staying.records(), sticky.records()
        seen = self.judge_kill(killed, restarted, back, homes, new, old, kept)
        seen["requests"] = sum(result["requests"] for result in results)
        seen["failed"] = sum(result["failed"] for result in results)
        self.show.verdict(
            seen["ok"], f"{seen['requests']} requests; new connections avoided b2 after "
            f"{seen['avoided_after_seconds']} s; {seen['failed_elsewhere']} requests failed that "
            f"were not b2's; b2 was met again by {seen['new_connections_after_return']} connections")
        return seen

    @staticmethod
    def judge_kill(killed, restarted, back, homes, new, old, kept):
        """Whose request may fail: a new one within SECONDS, or one of a connection to b2."""
        refused = [r["opened"] for r in new + kept if r["cause"] and r["opened"]]
        early = sum(at < killed - 0.1 for at in refused)
        avoided = max([at - killed for at in refused if at >= killed - 0.1], default=0.0)
        elsewhere = (
            sum(1 for r in old if r["cause"] and not r["new"] and r["backend"] != "b2")
            + sum(1 for r in old if r["cause"] and r["new"] and r["at"] > killed + SECONDS)
            + sum(1 for r in kept if r["cause"] and homes.get(r["source"]) != "b2"))
        # In every half second, all others were met by new connections.
        slices = [{r["backend"] for r in new if not r["cause"]
                   and killed + i / 2 <= r["opened"] < killed + (i + 1) / 2} for i in range(6)]
        steady = all({"b1", "b3"} <= names for names in slices)
        # Until b2 returns, and takes its share again, no client of another backend moves.
        moved = sum(1 for r in kept if not r["cause"] and r["opened"] < restarted
                    and homes.get(r["source"]) in ("b1", "b3")
                    and r["backend"] != homes[r["source"]])
        returned = sum(1 for r in new if r["backend"] == "b2" and r["opened"] > back)
        ok = (avoided <= SECONDS and early == 0 and elsewhere == 0 and steady and moved == 0
              and returned > 0)
        return {"ok": ok, "avoided_after_seconds": round(avoided, 2), "failed_before": early,
                "failed_elsewhere": elsewhere, "others_met_throughout": steady,
                "clients_of_others_moved": moved, "new_connections_after_return": returned}

    def restart_hawserd(self):
        self.show.heading("hawserd is killed and started again under load")
        self.ctl("weight", "web/b1", "250", "--reason", "kept over a restart")
        fresh, staying = self.steady()
        with fresh, staying:
            time.sleep(1)
            self.show.say(f"$ kill -9 {self.balancer.hawserd.pid}      # hawserd")
            self.balancer.hawserd.kill()
            time.sleep(2)
            during = time.time()
            self.show.say("$ hawserd --config hawser.toml &")
            self.balancer.hawserd.start()
            status = self.balancer.until_ok(20)
            time.sleep(1.5)
            one, two = fresh.stop(), staying.stop()
            alone = sum(r["at"] < during and r["at"] > during - 1.8 for r in fresh.records())
        weight = self.balancer.backends("web")["b1"]["weight"]
        self.ctl("status")
        self.ctl("weight", "web/b1", "--file")
        failed = one["failed"] + two["failed"]
        held = failed == 0 and weight == 250 and alone > 100
        self.show.verdict(held, f"{one['requests'] + two['requests']} requests, {failed} failed, "
                                f"{alone} of them new connections while hawserd was away; "
                                f"the operator's weight {weight} is still in force")
        return {"ok": held, "requests": one["requests"] + two["requests"], "failed": failed,
                "connections_while_away": alone, "weight_kept": weight == 250,
                "epoch": status["applied_epoch"], "causes": {**one["causes"], **two["causes"]}}

    def throughput(self):
        if not shutil.which("wrk"):
            return
        self.show.heading("And how fast? wrk for three seconds, client and servers on the same cores")
        done = subprocess.run(netns("client", "wrk", "-t1", "-c32", "-d3s",
                                    f"http://{WEB}/quiet"), capture_output=True, text=True,
                              timeout=30, check=False)
        self.show.say("\n".join(line for line in done.stdout.split("\n")
                                if "requests in" in line or "Requests/sec" in line
                                or "Socket errors" in line))

    ACTS = (spread, spread_ipv6, affinity, direct, sessions, weight, drain, kill_backend,
            restart_hawserd)

    def play(self):
        self.show.heading("Configuration and start")
        self.show.say(f"{self.balancer.file}:\n{SERVICES.strip()}")
        self.balancer.start()
        self.show.say()
        self.ctl("status")
        seen = {"ok": True}
        for act in self.ACTS:
            seen[act.__name__] = act(self)
            seen["ok"] = seen["ok"] and seen[act.__name__]["ok"]
        self.throughput()
        self.show.heading("What became of all packets")
        self.ctl("counters")
        seen["huge_pages"] = self.balancer.json("status")["dataplane"]["huge_pages"]
        return seen


def print_commands(build):
    ctl = f"{program(build, 'hawserctl')} --socket {RUN}/hawserd.sock"
    print(f"""
The lab stays up. To look around:
  {ctl} status
  {ctl} top
  {ctl} drain web/b1 --reason "trying it out"
  {ctl} flows --service web
  {ctl} trace app /cart --client 10.77.0.2
  scripts/lab exec client curl -i http://{WEB}/
  scripts/lab exec client curl -i -c jar -b jar http://{APP}/
  scripts/lab kill 2
  scripts/lab start 2
  tcpdump: scripts/lab exec client tcpdump -ni data
Logs and the configuration are in {RUN}. To remove it all:
  scripts/demo --down""")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--commands", action="store_true")
    arguments = parser.parse_args()
    if arguments.commands:
        print_commands(arguments.build)
        return 0
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    show = Show(quiet=arguments.check)
    began, demo = time.monotonic(), None
    try:
        demo = Demo(arguments.build, show)
        seen = demo.play()
    except (Broken, OSError, KeyError, subprocess.TimeoutExpired) as error:
        seen = {"ok": False, "error": f"{type(error).__name__}: {error}"}
        show.say(f"\nThe demo broke: {seen['error']}")
    if not seen["ok"] and demo is not None:
        show.say(demo.balancer.logs())
    seen["seconds"] = round(time.monotonic() - began, 1)
    if arguments.check:
        print(json.dumps(seen), flush=True)
    else:
        show.heading("All of it held." if seen["ok"] else "NOT all of it held; see above.")
    return 0 if seen["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
