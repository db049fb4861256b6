# Lays the network of a benchmark: one client, one server, and a place for each balancer between them.
"""Wire: namespaces of its own, told apart from scripts/lab by their prefix. Import it before hawser:
it says which lab that one talks to."""

import contextlib
import os
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "scripts", "lib"))
# scripts/bench-wire, which keeps others out meanwhile, names a lab of their own for benchmarks.
os.environ.setdefault("HAWSER_LAB", "hawserwire")

from hawser import PREFIX, RUN, Broken, netns  # noqa: E402

# Each balancer has a cable to the client and one to the server: network (/16) of the first, of the
# second, and the last byte but one of their MAC addresses.
PLACES = {"balancer": ("10.81", "10.82", 0x81), "haproxy": ("10.83", "10.84", 0x83)}
BACKENDS = 3
SPACES = ("client", "server", *PLACES)
OFFLOADS = "rx off tx off sg off tso off gso off gro off"


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Broken(f"{' '.join(command)}: {done.stderr.strip() or done.returncode}")
    return done.stdout


def within(space, *command):
    return run(*netns(space, *command))


def backend_address(place, turn, number):
    """Each turn has backends of its own, so that none begins on the TIME-WAITs of another."""
    return f"{PLACES[place][1]}.{100 + turn}.{number}"


def set_sysctls(space):
    within(space, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1",
           "net.ipv4.ip_local_port_range=1024 65535", "net.ipv4.tcp_tw_reuse=1",
           "net.core.somaxconn=16384", "net.ipv4.tcp_max_syn_backlog=16384",
           # A minute of closed connections has room: beyond it a FIN is answered with a reset.
           "net.ipv4.tcp_max_tw_buckets=2000000")
    # The same for all, whatever the machine prefers; some kernels keep cubic for themselves.
    with contextlib.suppress(Broken):
        within(space, "sysctl", "-qw", "net.ipv4.tcp_congestion_control=reno")
        within(space, "sysctl", "-qw", "net.ipv4.tcp_congestion_control=cubic")


class Wire:
    """The namespaces, while somebody is in the `with`; nothing is left afterwards."""

    def __init__(self, turns, places=tuple(PLACES)):
        self.turns = turns
        self.places = places

    def __enter__(self):
        self.remove()
        try:
            self.lay()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.remove()

    def lay(self):
        os.makedirs(RUN, exist_ok=True)
        for space in ("client", "server", *self.places):
            run("ip", "netns", "add", f"{PREFIX}-{space}")
            run("ip", "-n", f"{PREFIX}-{space}", "link", "set", "lo", "up")
            set_sysctls(space)
        for place in self.places:
            front, back, byte = PLACES[place]
            self.cable(place, "front", "client", byte)
            self.cable(place, "back", "server", byte + 1)
            self.add_address("client", place, f"{front}.0.2")
            for turn in range(self.turns):
                for number in range(1, BACKENDS + 1):
                    self.add_address("server", place, backend_address(place, turn, number))

    @staticmethod
    def cable(place, link, peer, byte):
        """`link` in the place; in the peer's space it is named after the place."""
        run("ip", "link", "add", link, "address", f"02:00:00:00:{byte:02x}:01", "netns",
            f"{PREFIX}-{place}", "type", "veth", "peer", "name", place, "address",
            f"02:00:00:00:{byte:02x}:02", "netns", f"{PREFIX}-{peer}")
        run("ip", "-n", f"{PREFIX}-{place}", "link", "set", link, "up")
        run("ip", "-n", f"{PREFIX}-{peer}", "link", "set", place, "up")

    @staticmethod
    def add_address(space, link, address):
        run("ip", "-n", f"{PREFIX}-{space}", "address", "add", f"{address}/16", "dev", link)

    @staticmethod
    def congestion_control():
        return within("client", "sysctl", "-n", "net.ipv4.tcp_congestion_control").strip()

    @staticmethod
    def for_dataplane(place):
        """The place's links belong to the dataplane: the kernel is silent on them, and hands over
        what a NIC would (docs/dataplane.md, Ports)."""
        for link, peer in (("front", "client"), ("back", "server")):
            within(place, "sysctl", "-qw", f"net.ipv4.conf.{link}.arp_ignore=8",
                   f"net.ipv4.conf.{link}.rp_filter=1")
            within(place, "ethtool", "-K", link, *OFFLOADS.split())
            within(peer, "ethtool", "-K", place, *OFFLOADS.split())

    @staticmethod
    def remove():
        for space in SPACES:
            name = f"{PREFIX}-{space}"
            if not os.path.exists(f"/run/netns/{name}"):
                continue
            # All in there was started for this, by us or by a run that was killed.
            for signal in ("-TERM", "-KILL"):
                pids = run("ip", "netns", "pids", name).split()
                for pid in pids:
                    subprocess.run(["kill", signal, pid], capture_output=True, check=False)
                if not wait_gone(pids):
                    break
            run("ip", "netns", "delete", name)
        shutil.rmtree(RUN, ignore_errors=True)


def wait_gone(pids, seconds=3):
    """Those that still run after that time."""

    end = time.monotonic() + seconds
    while pids and time.monotonic() < end:
        pids = [pid for pid in pids if os.path.exists(f"/proc/{pid}") and state_of(pid) != "Z"]
        time.sleep(0.02)
    return pids


def state_of(pid):
    with contextlib.suppress(OSError):
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stream:
            return stream.read().rsplit(")", 1)[1].split()[0]
    return "Z"


def others_busy(seconds=0.5):
    """Percent of this machine's cores that is in use while we do nothing."""
    def ticks():
        with open("/proc/stat", encoding="ascii") as stream:
            fields = [int(field) for field in stream.readline().split()[1:9]]
        return sum(fields), fields[3] + fields[4]
    before = ticks()
    time.sleep(seconds)
    whole, idle = (now - then for now, then in zip(ticks(), before))
    return round(100 * (1 - idle / max(whole, 1)))


def need(programs):
    """Refuses when a program is missing; `programs`: name and group of scripts/setup."""
    missing = {name: group for name, group in programs.items() if shutil.which(name) is None}
    if missing:
        group = "all" if "all" in missing.values() else "demo"
        raise Broken(f"{', '.join(missing)} cannot be found; scripts/setup {group} installs it")
    if os.geteuid() != 0:
        raise Broken("this needs root, for network namespaces; try sudo")
