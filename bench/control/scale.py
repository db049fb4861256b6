#!/usr/bin/env python3
# How Hawser bears size: S services of B backends, both real daemons, changes at a rate for minutes.
"""Measures from the start of both daemons to the first packet that is forwarded, from a command to
its effect on packets, and changes at a rate: latency and memory by minute. Needs root: two network
namespaces with one cable between them; the far end is client and gateway at once. Whoever runs it
wants a release build and an idle machine: medians of what it saw are what it prints."""

import argparse
import contextlib
import ctypes
import json
import os
import re
import select
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../scripts/lib"))

from hawser import Broken, cores, program  # noqa: E402

SPACE = f"hawser-scale-{os.getpid()}"
PORT_MAC, FAR_MAC = "02:00:00:00:77:01", "02:00:00:00:77:02"
CLIENT, NAT = "10.77.0.200", "10.77.0.20"
PROBE, PROBE_PORT = "10.77.0.100", 80
LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000

HEAD = """\
[dataplane]
main_core = {main_core}
workers = [{worker}]
idle = "adaptive"
flows_ipv4 = 200000
flows_ipv6 = 50000
socket = "{run}/dataplane.sock"

[control]
socket = "{run}/hawserd.sock"
state_directory = "{run}/state"

[[port]]
name = "uplink"
device = "net_af_packet0,iface=uplink"
addresses = ["10.77.0.1/24"]
gateways = ["10.77.0.254"]
nat_addresses = ["{nat}"]

"""


def address(network, number):
    return f"{network}.{number >> 16}.{number >> 8 & 255}.{number & 255}"


def service(name, vip, port, backends, more=""):
    rows = "".join(f'  {{ name = "{backend}", address = "{at}", port = 8080, weight = {weight} }},\n'
                   for backend, at, weight in backends)
    return (f'[[service]]\nname = "{name}"\naddress = "{vip}"\nport = {port}\nprotocol = "tcp"\n'
            f'forward = "nat"\ncheck = {{ type = "none" }}\n{more}backend = [\n{rows}]\n\n')


def configuration(run, services, backends):
    main_core, worker = cores()
    text = [HEAD.format(run=run, nat=NAT, main_core=main_core, worker=worker),
            service("probe", PROBE, PROBE_PORT,
                    [("one", address("100", 1 << 20 | 1), 1000), ("two", address("100", 1 << 20 | 2), 1)],
                    # Nothing but weights may send a flow to "two".
                    "bounded_load = 0\n")]
    for s in range(services):
        text.append(service(f"service-{s:05}", address("80", s + 1), 80,
                            [(f"backend-{b:05}", address("100", s * backends + b + 1), 100)
                             for b in range(backends)]))
    return "".join(text)


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def syn(source_port):
    """A frame with a SYN of the client to the probe's service."""
    source, target = socket.inet_aton(CLIENT), socket.inet_aton(PROBE)
    tcp = struct.pack("!HHIIBBHHH", source_port, PROBE_PORT, source_port, 0, 5 << 4, 2, 64240, 0, 0)
    pseudo = source + target + struct.pack("!BBH", 0, 6, len(tcp))
    tcp = tcp[:16] + struct.pack("!H", checksum(pseudo + tcp)) + tcp[18:]
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 0, 0x4000, 64, 6, 0, source, target)
    ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
    return (bytes.fromhex(PORT_MAC.replace(":", "")) + bytes.fromhex(FAR_MAC.replace(":", ""))
            + b"\x08\x00" + ip + tcp)


class Cable:
    """A namespace for the balancer and one for the far end, and the far end's raw socket."""

    def __init__(self):
        self.ports = 1024

    def __enter__(self):
        far = f"{SPACE}-far"
        for command in (
                f"ip netns add {SPACE}", f"ip netns add {far}",
                f"ip link add uplink address {PORT_MAC} netns {SPACE} type veth "
                f"peer name far address {FAR_MAC} netns {far}",
                f"ip netns exec {SPACE} sysctl -qw net.ipv6.conf.all.disable_ipv6=1 "
                "net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.all.arp_ignore=8",
                f"ip netns exec {far} sysctl -qw net.ipv6.conf.all.disable_ipv6=1",
                f"ip netns exec {SPACE} ethtool -K uplink rx off tx off sg off tso off gso off gro off",
                f"ip netns exec {far} ethtool -K far rx off tx off sg off tso off gso off gro off",
                f"ip -n {SPACE} link set uplink up", f"ip -n {far} link set far up",
                f"ip -n {far} address add 10.77.0.254/24 dev far"):
            subprocess.run(command.split(), check=True, capture_output=True)
        with open("/proc/thread-self/ns/net", "rb") as home, \
                open(f"/run/netns/{far}", "rb") as space:
            if LIBC.setns(space.fileno(), CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
            self.socket.bind(("far", 0))
            LIBC.setns(home.fileno(), CLONE_NEWNET)
        return self

    def __exit__(self, *_):
        self.socket.close()
        for space in (SPACE, f"{SPACE}-far"):
            subprocess.run(["ip", "netns", "del", space], check=False, capture_output=True)

    def send(self):
        self.ports = 1024 + (self.ports - 1023) % 60000
        with contextlib.suppress(OSError):
            self.socket.send(syn(self.ports))

    def drain(self):
        """Forgets the frames that nobody has looked at yet."""
        while select.select([self.socket], [], [], 0.05)[0]:
            self.socket.recv(2048)

    def forwarded(self, seconds):
        """The backend's address of the next forwarded SYN within that time; else None."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if not select.select([self.socket], [], [], left)[0]:
                return None
            frame = self.socket.recv(2048)
            if frame[12:14] == b"\x08\x00" and frame[26:30] == socket.inet_aton(NAT):
                return socket.inet_ntoa(frame[30:34])
        return None

    def until(self, wanted, timeout, pause=0.002):
        """Sends SYNs until one goes to a backend that is `wanted`; the time then, or an error."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            self.send()
            backend = self.forwarded(pause)
            if backend is not None and wanted(backend):
                return time.monotonic()
        raise Broken(f"no packet was forwarded as wanted within {timeout} s")


class Daemon:
    """A process of ours; when it wrote which line, and how much memory it has."""

    def __init__(self, build, name, config):
        self.name, self.lines, self.begun = name, [], time.monotonic()
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", SPACE, program(build, name), "--config", config],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stderr:
            self.lines.append((time.monotonic(), line.rstrip()))

    def when(self, pattern):
        """Seconds from the start to the first line with it; None before."""
        return next((round(at - self.begun, 3) for at, line in self.lines if re.search(pattern, line)),
                    None)

    def applied(self, since):
        """Milliseconds that the dataplane took for each snapshot after that time."""
        found = ((at, re.search(r"applied in (\d+) us", line)) for at, line in list(self.lines))
        return [int(match[1]) / 1000 for at, match in found if match and at >= since]

    def memory(self):
        """MiB in memory now."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return int(re.search(r"VmRSS:\s+(\d+)", status.read())[1]) // 1024

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Balancer:
    def __init__(self, build, run, config):
        self.build, self.run, self.config = build, run, config

    def __enter__(self):
        self.begun = time.monotonic()
        self.dataplane = Daemon(self.build, "hawser-dataplane", self.config)
        self.hawserd = Daemon(self.build, "hawserd", self.config)
        return self

    def __exit__(self, *_):
        self.hawserd.stop()
        self.dataplane.stop()

    def ctl(self, *arguments):
        done = subprocess.run([program(self.build, "hawserctl"), "--socket",
                               f"{self.run}/hawserd.sock", *arguments],
                              capture_output=True, text=True, check=False, timeout=60)
        if done.returncode != 0:
            raise Broken(f"hawserctl {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout


def quantiles(values):
    if not values:
        return {"n": 0}
    ordered = sorted(values)
    at = lambda share: round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 2)  # noqa: E731
    return {"n": len(ordered), "p50": at(0.5), "p99": at(0.99), "max": round(ordered[-1], 2)}


def measure_start(balancer, cable, timeout):
    first = cable.until(lambda _: True, timeout) - balancer.begun
    time.sleep(0.5)
    return {"first_packet_s": round(first, 3),
            "dataplane_ready_s": balancer.dataplane.when("forwarding on"),
            "hawserd_read_s": balancer.hawserd.when("serves"),
            "hawserd_connected_s": balancer.hawserd.when("connected to"),
            "first_snapshot_applied_s": balancer.dataplane.when("applied in"),
            "first_snapshot_build_ms": balancer.dataplane.applied(0)[0]}


def measure_change(balancer, cable, count):
    """One change: milliseconds from the command to its end, and to the first packet it moved; and
    what of both is starting a program that uses gRPC, before it has asked for anything."""
    commands, effects, starts = [], [], []
    two = address("100", 1 << 20 | 2)
    since = time.monotonic()
    for _ in range(count):
        cable.drain()
        begun = time.monotonic()
        balancer.ctl("--version")
        starts.append((time.monotonic() - begun) * 1000)
        begun = time.monotonic()
        ended = []

        def change():
            balancer.ctl("weight", "probe/one", "1", "--reason", "scale")
            ended.append(time.monotonic())

        thread = threading.Thread(target=change)
        thread.start()
        effects.append((cable.until(lambda backend: backend == two, 30) - begun) * 1000)
        thread.join()
        commands.append((ended[0] - begun) * 1000)
        balancer.ctl("weight", "probe/one", "1000", "--reason", "scale")
        time.sleep(0.2)
    return {"command_ms": quantiles(commands), "effect_ms": quantiles(effects),
            "program_start_ms": quantiles(starts),
            "effect_without_start_ms": quantiles(
                [effect - start for effect, start in zip(effects, starts)]),
            "dataplane_apply_ms": quantiles(balancer.dataplane.applied(since))}


def measure_rate(balancer, rate, minutes, services, backends):
    """Changes at a rate, each on another backend; by minute."""
    rows = []
    number = 0
    latencies, lock, failed = [], threading.Lock(), []

    def change(n):
        begun = time.monotonic()
        name = f"service-{n * 7 % services:05}/backend-{n * 13 % backends:05}"
        try:
            # The same backend has its next turn with another weight.
            weight = 50 + (n + n // services) % 100
            balancer.ctl("weight", name, str(weight), "--reason", "scale")
        except (Broken, subprocess.TimeoutExpired) as problem:
            failed.append(str(problem))
        with lock:
            latencies.append((time.monotonic() - begun) * 1000)

    for minute in range(minutes):
        begun = time.monotonic()
        threads = []
        latencies.clear()
        while time.monotonic() < begun + 60:
            due = begun + len(threads) / rate
            time.sleep(max(0, due - time.monotonic()))
            if sum(thread.is_alive() for thread in threads[-64:]) < 64:
                threads.append(threading.Thread(target=change, args=(number,)))
                threads[-1].start()
            number += 1
        for thread in threads:
            thread.join()
        rows.append({"minute": minute + 1, "changes": len(threads),
                     "per_second": round(len(threads) / (time.monotonic() - begun), 1),
                     "command_ms": quantiles(latencies),
                     "dataplane_apply_ms": quantiles(balancer.dataplane.applied(begun)),
                     "hawserd_mib": balancer.hawserd.memory(),
                     "dataplane_mib": balancer.dataplane.memory()})
        print(f"  minute {minute + 1}: {rows[-1]}", file=sys.stderr)
    return {"by_minute": rows, "failed": failed[:5], "failures": len(failed)}


def show(result):
    start, change = result["start"], result["change"]
    print(f"{result['services']} services x {result['backends']} backends")
    print(f"  start to first packet     {start['first_packet_s']:8.2f} s   (bar 3 s; "
          f"hawserd read {start['hawserd_read_s']}, connected {start['hawserd_connected_s']}, "
          f"first build {start['first_snapshot_build_ms']} ms)")
    print(f"  one change, dataplane     {change['dataplane_apply_ms']['p50']:8.2f} ms")
    print(f"  one change, command       {change['command_ms']['p50']:8.2f} ms")
    print(f"  one change, effect        {change['effect_ms']['p50']:8.2f} ms  (bar 10 ms after the "
          f"command: {change['effect_without_start_ms']['p50']} ms without starting hawserctl, "
          f"{change['program_start_ms']['p50']} ms)")
    print("  minute  changes/s  command p50/p99 ms  apply p50/p99 ms  hawserd MiB  dataplane MiB")
    for row in result["rate"]["by_minute"]:
        command, apply = row["command_ms"], row["dataplane_apply_ms"]
        print(f"  {row['minute']:6}  {row['per_second']:9}  {command['p50']:9}/{command['p99']:<8}  "
              f"{apply.get('p50', '-'):>7}/{apply.get('p99', '-'):<8}  {row['hawserd_mib']:11}  "
              f"{row['dataplane_mib']:13}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build")
    parser.add_argument("--services", type=int, default=1000)
    parser.add_argument("--backends", type=int, default=100)
    parser.add_argument("--minutes", type=int, default=10)
    parser.add_argument("--rate", type=int, default=20, help="changes a second")
    parser.add_argument("--starts", type=int, default=3)
    parser.add_argument("--changes", type=int, default=15)
    parser.add_argument("--json", help="file for the result")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hawser-scale-") as run, Cable() as cable:
        os.makedirs(f"{run}/state")
        config = f"{run}/hawser.toml"
        with open(config, "w", encoding="utf-8") as stream:
            stream.write(configuration(run, options.services, options.backends))
        starts = []
        for number in range(options.starts):
            with Balancer(options.build, run, config) as balancer:
                starts.append(measure_start(balancer, cable, 120))
                print(f"  start {number + 1}: {starts[-1]}", file=sys.stderr)
                if number + 1 < options.starts:
                    continue
                change = measure_change(balancer, cable, options.changes)
                print(f"  change: {change}", file=sys.stderr)
                rate = measure_rate(balancer, options.rate, options.minutes, options.services,
                                    options.backends)
    median = statistics.median_low(sorted(row["first_packet_s"] for row in starts))
    result = {"services": options.services, "backends": options.backends,
              "start": next(row for row in starts if row["first_packet_s"] == median),
              "starts": starts, "change": change, "rate": rate}
    show(result)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as stream:
            json.dump(result, stream, indent=2)


if __name__ == "__main__":
    try:
        main()
    except Broken as problem:
        sys.exit(f"bench-scale: {problem}")
