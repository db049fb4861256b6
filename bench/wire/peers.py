# What `compare` runs: nginx as the server, HAProxy and Hawser as balancers before it.
"""Each is a context manager: it serves when `with` has begun, and has ended after it. `options` are
those of compare.py; a turn has backends of its own."""

import contextlib
import os
import re
import subprocess
import time

from wire import BACKENDS, PLACES, Wire, backend_address

from hawser import RUN, Balancer, Broken, Daemon, netns

NUMBERS = range(1, BACKENDS + 1)
BODY = "x" * 64
# Each has a port for 64480 connections to a backend, and a closed one is not forgotten for a minute.
NAT_ADDRESSES = 16


def pinned(core, *command):
    return ["taskset", "-c", str(core), *command]


class Nginx:
    """One process; each backend is a server of it, which answers for its own sessions only."""

    def __init__(self, core, turns, places=tuple(PLACES)):
        self.file = f"{RUN}/nginx.conf"
        self.daemon = Daemon("nginx", pinned(core, "nginx", "-p", f"{RUN}/", "-c", self.file, "-e",
                                             f"{RUN}/nginx.errors"), space="server")
        with open(self.file, "w", encoding="utf-8") as stream:
            stream.write(self.configuration(turns, places))
        self.places = places

    @staticmethod
    def configuration(turns, places):
        temporary = "".join(f"  {kind}_temp_path {RUN}/nginx-{kind};\n" for kind in
                            ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        def listen(number):
            return "".join(f"    listen {backend_address(place, turn, number)}:8080 "
                           "backlog=16384 deferred;\n"
                           for place in places for turn in range(turns))

        servers = "".join(f"""\
  server {{
{listen(n)}\
    location = /healthz {{ return 200 "ok"; }}
    location = /first {{
      add_header X-Backend b{n};
      return 200 "b{n}";
    }}
    location / {{
      if ($http_home != b{n}) {{ return 409; }}
      return 200 "{BODY}";
    }}
  }}
""" for n in NUMBERS)
        return f"""\
daemon off;
worker_processes 1;
pid {RUN}/nginx.pid;
events {{ worker_connections 8192; }}
http {{
{temporary}  access_log off;
  default_type text/plain;
  keepalive_requests 1000000000;
  keepalive_timeout 600s;
{servers}}}
"""

    def __enter__(self):
        self.daemon.start()
        until(lambda: first(backend_address(self.places[0], 0, 1), 8080, space="server") or
              not self.daemon.alive(), "nginx")
        if not self.daemon.alive():
            raise Broken(f"nginx ended: {self.daemon.tail()}")
        return self

    def __exit__(self, *_):
        self.daemon.stop()


class HAProxy:
    """As an operator sets it up for speed: one thread on its core, connections to backends are
    kept and reused, clients are accepted once they have asked, nothing is logged, headers are not
    rewritten beyond the cookie."""

    name, place = "haproxy", "haproxy"

    def __init__(self, options, turn):
        self.options, self.turn = options, turn
        self.address = f"{PLACES[self.place][0]}.0.1"
        self.daemon = None

    def configuration(self):
        servers = "".join(f"  server b{n} {backend_address(self.place, self.turn, n)}:8080 cookie b{n} "
                          "check inter 2s\n" for n in NUMBERS)
        return f"""\
global
  nbthread 1
  cpu-map 1 {self.options.core}
  maxconn 4096
defaults
  mode http
  option splice-auto
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend front
  bind {self.address}:80 backlog 16384 defer-accept
  default_backend back
backend back
  balance roundrobin
  option httpchk GET /healthz
  cookie hawser insert indirect nocache httponly
{servers}"""

    @staticmethod
    def version():
        text = subprocess.run(["haproxy", "-v"], capture_output=True, text=True, check=True).stdout
        return re.search(r"version (\S+)", text)[1]

    def __enter__(self):
        file = f"{RUN}/haproxy.cfg"
        with open(file, "w", encoding="utf-8") as stream:
            stream.write(self.configuration())
        self.daemon = Daemon("haproxy", pinned(self.options.core, "haproxy", "-db", "-f", file),
                             space=self.place).start()
        until(lambda: not self.daemon.alive() or first(self.address), "HAProxy")
        if not self.daemon.alive():
            raise Broken(f"HAProxy ended: {self.daemon.tail()}")
        return self

    def __exit__(self, *_):
        self.daemon.stop()

    @property
    def pid(self):
        return self.daemon.pid

    @staticmethod
    def worker_busy():
        return None

    @staticmethod
    def lay():
        for link, network in zip(("front", "back"), PLACES[HAProxy.place][:2]):
            Wire.add_address(HAProxy.place, link, f"{network}.0.1")


class Hawser:
    """Both daemons; the dataplane's main core is the clients', as hawserd's."""

    name, place = "hawser", "balancer"

    def __init__(self, options, turn):
        self.options, self.turn = options, turn
        self.address = f"{PLACES[self.place][0]}.0.100"
        self.balancer = None

    def configuration(self):
        front, back, _ = PLACES[self.place]
        more = f",{self.options.device_options}" if self.options.device_options else ""
        backends = "".join(f'  {{ name = "b{n}", address = "{backend_address(self.place, self.turn, n)}", '
                           "port = 8080 },\n" for n in NUMBERS)
        nat = ", ".join(f'"{back}.1.{n}"' for n in range(1, NAT_ADDRESSES + 1))
        return f"""\
[dataplane]
main_core = {self.options.peer_core}
workers = [{self.options.core}]
idle = "poll"
flows_ipv4 = 400000
flows_ipv6 = 1024
socket = "{RUN}/dataplane.sock"

[control]
socket = "{RUN}/hawserd.sock"
state_directory = "{RUN}/state"

[[port]]
name = "front"
device = "net_af_xdp0,iface=front{more}"
addresses = ["{front}.0.1/16"]

[[port]]
name = "back"
device = "net_af_xdp1,iface=back{more}"
addresses = ["{back}.0.1/16"]
nat_addresses = [{nat}]

[[service]]
name = "web"
address = "{self.address}"
port = 80
protocol = "http"
forward = "splice"
affinity = {{ by = "cookie" }}
check = {{ type = "http", path = "/healthz", interval = "2s" }}
backend = [
{backends}]
"""

    def __enter__(self):
        self.balancer = Balancer(self.options.build, self.configuration())
        try:
            self.balancer.start()
            until(lambda: first(self.address), "Hawser")
        except BaseException as problem:
            logs = self.balancer.logs(8)
            self.balancer.stop()
            if isinstance(problem, Broken):
                raise Broken(f"Hawser did not start: {problem}\n{logs}") from problem
            raise
        return self

    def __exit__(self, *_):
        self.balancer.stop()
        for name in ("dataplane.sock", "hawserd.sock"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(f"{RUN}/{name}")

    @property
    def pid(self):
        return self.balancer.dataplane.pid

    def worker_busy(self):
        """Percent of the last second that the worker spent in turns with packets: one that polls
        has its core always."""
        return self.balancer.json("status")["dataplane"]["workers"][0]["busy_permille"] / 10

    @staticmethod
    def lay():
        Wire.for_dataplane(Hawser.place)


def first(address, port=80, space="client", user="compare"):
    """A first request: (cookie, backend); None when there was no good answer. Without a cookie
    the first is None."""
    done = subprocess.run(netns(space, "curl", "-s", "-m", "2", "-i", "-A", user,
                                f"http://{address}:{port}/first"),
                          capture_output=True, text=True, check=False)
    home = re.search(r"^x-backend: (\S+)", done.stdout, re.MULTILINE | re.IGNORECASE)
    given = re.search(r"^set-cookie: ([^;\r\n]+)", done.stdout, re.MULTILINE | re.IGNORECASE)
    if done.returncode != 0 or not done.stdout.startswith("HTTP/1.1 200") or not home:
        return None
    return given and given[1], home[1]


def until(condition, what, timeout=20):
    end = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > end:
            raise Broken(f"waited {timeout} s in vain for {what}")
        time.sleep(0.05)
