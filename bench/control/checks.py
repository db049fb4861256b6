#!/usr/bin/python3
# Measures what health checks cost hawserd: CPU seconds a second, against real servers.
"""usage: bench/control/checks.py --build DIR [--type TYPE] [--backends N] [--interval S] [--seconds S]

Runs hawserd and nginx in a network namespace of their own, with N backends (1000) at addresses of
their own, each checked every S seconds (2), and prints JSON: the checks a second that nginx saw, the
part of one core that hawserd used in user and system mode, all its threads together, and the bar.
TYPE is tcp, http, https or tls, or "all" (the default). Needs root, nginx, openssl and iproute2.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request

BAR = 5.0  # percent of one core
NETWORK = "10.200"
PORTS = {"tcp": 8080, "http": 8080, "https": 8443, "tls": 8443}
STATUS = f"http://{NETWORK}.255.2:8079/"
NAME = "web.test"


def arguments():
    parser = argparse.ArgumentParser(usage=__doc__.partition("\n")[0].removeprefix("usage: "),
                                     description=__doc__.partition("\n")[2],
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True)
    parser.add_argument("--type", choices=[*PORTS, "all"], default="all")
    parser.add_argument("--backends", type=int, default=1000)
    parser.add_argument("--interval", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    return parser.parse_args()


def nginx(folder):
    """Starts nginx; returns the process."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{folder}/key.pem", "-out",
                    f"{folder}/certificate.pem", "-days", "90", "-subj", f"/CN={NAME}",
                    "-addext", f"subjectAltName=DNS:{NAME}"], check=True, capture_output=True)
    text = f"""
daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log; worker_processes 1;
events {{ worker_connections 8192; }}
http {{
  access_log off;
  server {{ listen 8079; location / {{ stub_status; }} }}
  server {{
    listen 8080 backlog=4096;
    listen 8443 ssl backlog=4096;
    ssl_certificate {folder}/certificate.pem;
    ssl_certificate_key {folder}/key.pem;
    location / {{ return 200 "hello\\n"; }}
  }}
}}
"""
    with open(f"{folder}/nginx.conf", "w", encoding="utf-8") as stream:
        stream.write(text)
    return subprocess.Popen(["nginx", "-c", f"{folder}/nginx.conf", "-e", f"{folder}/nginx.log"])


def configuration(folder, kind, count, interval):
    """One service for each hundred backends."""
    tls = kind in ("https", "tls")
    extra = f', ca_file = "{folder}/certificate.pem", server_name = "{NAME}"' if tls else ""
    lines = [f"""[control]
socket = "{folder}/hawserd.sock"
state_directory = "{folder}"
[dataplane]
socket = "{folder}/dataplane.sock"
[[port]]
name = "uplink"
device = "net_null0"
addresses = ["{NETWORK}.255.1/16"]
nat_addresses = ["{NETWORK}.255.3"]
"""]
    for number in range(count):
        if number % 100 == 0:
            lines.append(f"""[[service]]
name = "s{number // 100}"
address = "10.201.0.1"
port = {1000 + number // 100}
check = {{ type = "{kind}", interval = "{interval}s"{extra} }}
""")
        lines.append(f'[[service.backend]]\nname = "b{number}"\n'
                     f'address = "{NETWORK}.{number // 250}.{1 + number % 250}"\n'
                     f"port = {PORTS[kind]}\n")
    with open(f"{folder}/hawser.toml", "w", encoding="utf-8") as stream:
        stream.write("".join(lines))


def accepted():
    with urllib.request.urlopen(STATUS, timeout=10) as answer:
        return int(answer.read().split()[7])


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as stream:
        fields = stream.read().rpartition(")")[2].split()
    ticks = os.sysconf("SC_CLK_TCK")
    return int(fields[11]) / ticks, int(fields[12]) / ticks


def serving(build, folder):
    """Backends that answered well, last they were checked."""
    done = subprocess.run([f"{build}/control/hawserctl/hawserctl", "--socket",
                           f"{folder}/hawserd.sock", "backends", "--json"], capture_output=True,
                          text=True, check=True)
    return sum(row["health"] == "up" for row in json.loads(done.stdout)["backends"])


def measure(options, folder, kind):
    configuration(folder, kind, options.backends, options.interval)
    with open(f"{folder}/hawserd.log", "w", encoding="utf-8") as log:
        daemon = subprocess.Popen([f"{options.build}/control/hawserd/hawserd", "--config",
                                   f"{folder}/hawser.toml"], stderr=log)
    try:
        end = time.monotonic() + 30 + 4 * options.interval
        while time.monotonic() < end:
            time.sleep(1)
            if daemon.poll() is not None:
                with open(f"{folder}/hawserd.log", encoding="utf-8") as log:
                    sys.exit(f"hawserd ended: {log.read()[-2000:]}")
            if os.path.exists(f"{folder}/hawserd.sock") and (
                    serving(options.build, folder) == options.backends):
                break
        before, user, system = accepted(), *cpu_seconds(daemon.pid)
        start = time.monotonic()
        time.sleep(options.seconds)
        took = time.monotonic() - start
        user_after, system_after = cpu_seconds(daemon.pid)
        checks = accepted() - before - 1
        used = user_after - user + system_after - system
        return {"type": kind, "backends": options.backends, "interval_s": options.interval,
                "seconds": round(took, 2), "checks_per_second": round(checks / took, 1),
                "user_percent": round(100 * (user_after - user) / took, 2),
                "system_percent": round(100 * (system_after - system) / took, 2),
                "core_percent": round(100 * used / took, 2),
                "microseconds_per_check": round(1e6 * used / max(checks, 1), 1),
                "backends_up": serving(options.build, folder), "bar_percent": BAR,
                "within_bar": 100 * used / took < BAR}
    finally:
        daemon.terminate()
        daemon.wait()


def inside(options):
    """In the namespace: lays addresses, starts nginx, measures."""
    folder = options.inside
    for command in (["link", "set", "lo", "up"],
                    ["route", "add", "local", f"{NETWORK}.0.0/16", "dev", "lo"]):
        subprocess.run(["ip", *command], check=True)
    server = nginx(folder)
    try:
        time.sleep(1)
        kinds = PORTS if options.type == "all" else [options.type]
        print(json.dumps([measure(options, folder, kind) for kind in kinds], indent=2))
    finally:
        server.terminate()
        server.wait()


def main():
    options = arguments()
    if options.inside:
        return inside(options)
    if os.geteuid() != 0:
        sys.exit("bench/control/checks.py needs root, for a network namespace")
    options.build = os.path.abspath(options.build)
    folder = tempfile.mkdtemp(prefix="hawser-checks-")
    try:
        again = [sys.executable, os.path.abspath(__file__), "--inside", folder, "--build",
                 options.build, "--type", options.type, "--backends", str(options.backends),
                 "--interval", str(options.interval), "--seconds", str(options.seconds)]
        sys.exit(subprocess.run(["unshare", "--net", *again], check=False).returncode)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
