# Both daemons in the confines of their units; hawserd as an ordinary user with no capability.
"""System tests; run.py runs them."""

import os
import re
import shutil
import stat
import subprocess

from harness import HERE, RUN, check, configuration, contains, equal
from hawser import ROOT, Balancer, Daemon, Lab, load, netns, program
from services import WEB

ROOM = f"{RUN}/installed"  # where the files of the installation are
PACKAGING = os.path.join(ROOT, "packaging")
# No privilege may be had, or be got by executing something.
NOTHING = ["--no-new-privs", "--inh-caps=-all", "--ambient-caps=-all", "--bounding-set=-all"]
NOBODY = 65534


def run(*command, **more):
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, **more)
    equal(done.returncode, 0, f"exit of {' '.join(command)} ({done.stderr!r})")
    return done.stdout


def ids():
    """The user and the group that sysusers.d has made."""
    with open(f"{ROOM}/etc/passwd", encoding="utf-8") as stream:
        row = next(line for line in stream if line.startswith("hawser:")).split(":")
    return int(row[2]), int(row[3])


def lay_out(build):
    """Users, directories and programs as sysusers.d, tmpfiles.d and meson bring them."""
    shutil.rmtree(ROOM, ignore_errors=True)
    for folder in ("etc/hawser", "usr/bin", "usr/lib", "var/lib"):
        os.makedirs(f"{ROOM}/{folder}")
    for name in ("passwd", "group", "shadow", "gshadow"):
        if os.path.exists(f"/etc/{name}"):
            shutil.copy2(f"/etc/{name}", f"{ROOM}/etc/{name}")
    for folder in ("sysusers.d", "tmpfiles.d"):
        shutil.copytree(f"{PACKAGING}/{folder}", f"{ROOM}/usr/lib/{folder}")
    run("systemd-sysusers", f"--root={ROOM}")
    run("systemd-tmpfiles", "--create", f"--root={ROOM}")
    for name in ("hawserd", "hawser-dataplane", "hawserctl"):
        shutil.copy2(program(build, name), f"{ROOM}/usr/bin/{name}")
    # What StateDirectory= of the unit does.
    user, group = ids()
    os.mkdir(f"{ROOM}/var/lib/hawser", 0o700)
    os.chown(f"{ROOM}/var/lib/hawser", user, group)


class Installed(Balancer):
    """Both daemons with the files of an installation, in the confines of their units."""

    def __init__(self, build):
        lay_out(build)
        text = configuration(WEB).replace(f"{RUN}/state", f"{ROOM}/var/lib/hawser")
        for name in ("dataplane", "hawserd"):
            text = text.replace(f'socket = "{RUN}/{name}.sock"',
                                f'socket = "{ROOM}/run/hawser/{name}.sock"\n'
                                'socket_group = "hawser"')
        # The sanitizer looks for leaks by tracing its own threads, which the confines forbid.
        super().__init__(build, text, {"ASAN_OPTIONS": "detect_leaks=0", "LSAN_OPTIONS": ""})
        self.user, self.group = ids()
        self.file = f"{ROOM}/etc/hawser/hawser.toml"
        self.socket = f"{ROOM}/run/hawser/hawserd.sock"
        self.write(text)
        os.chmod(self.file, 0o640)
        os.chown(self.file, 0, self.group)
        for file in (f"{PACKAGING}/systemd/hawserd.service", os.path.join(HERE, "confine.py"),
                     f"{PACKAGING}/systemd/hawser-dataplane.service"):
            shutil.copy(file, ROOM)
        with open(f"{ROOM}/hawser-dataplane.service", encoding="utf-8") as stream:
            kept = re.search("^CapabilityBoundingSet=(.*)$", stream.read(), re.MULTILINE).group(1)
        kept = "".join(f",+{name.removeprefix('CAP_').lower()}" for name in kept.split())
        self.dataplane = self.within(
            "hawser-dataplane", ["--no-new-privs", f"--bounding-set=-all{kept}"])
        self.hawserd = self.within(
            "hawserd", [f"--reuid={self.user}", f"--regid={self.group}", "--clear-groups",
                        *NOTHING],
            "mount -t proc -o subset=pid,hidepid=invisible proc /proc", "umask 0077")

    def within(self, name, privileges, *more):
        """A daemon that sees the installation's users; `more` is done before it starts."""
        lines = [f"mount --bind {ROOM}/etc/{file} /etc/{file}" for file in ("passwd", "group")]
        command = netns("balancer", "setpriv", *privileges, "/usr/bin/python3", "-B",
                        f"{ROOM}/confine.py", f"{ROOM}/{name}.service", f"{ROOM}/usr/bin/{name}",
                        "--config", self.file)
        script = " && ".join([*lines, *more, 'exec "$@"'])
        return Daemon(name, ["unshare", "-m", "sh", "-c", script, "sh", *command], space=None,
                      environment=self.environment)

    def start(self, timeout=60):
        self.dataplane.start()
        self.until(lambda: os.path.exists(f"{ROOM}/run/hawser/dataplane.sock"), "its socket",
                   timeout)
        self.hawserd.start()
        self.until_ok(timeout)
        return self

    def ctl_as(self, user, groups, *arguments, option=False):
        """hawserctl as somebody, who says where the socket is by environment or by option."""
        who = [f"--groups={','.join(str(group) for group in groups)}"] if groups else [
            "--clear-groups"]
        chosen = ["--socket", self.socket] if option else []
        return subprocess.run(
            ["setpriv", f"--reuid={user}", f"--regid={user}", *who, *NOTHING,
             f"{ROOM}/usr/bin/hawserctl", *chosen, *arguments], capture_output=True, text=True,
            timeout=30, check=False, env={**os.environ, "HAWSER_SOCKET": self.socket})


def mode_of(path):
    """("660", owner, group) as numbers."""
    found = os.stat(path)
    return f"{stat.S_IMODE(found.st_mode):o}", found.st_uid, found.st_gid


def test_hawserd_runs_as_the_unit_says(system):
    """It starts and serves without a privilege, under the unit's filter of system calls."""
    system.balancer = Installed(system.build)
    system.balancer.start()
    user, group = system.balancer.user, system.balancer.group
    with open(f"/proc/{system.balancer.hawserd.pid}/status", encoding="utf-8") as stream:
        fields = dict(line.rstrip("\n").split(":\t", 1) for line in stream if ":\t" in line)
    equal(fields["Name"], "hawserd", "the process")
    equal(set(fields["Uid"].split()), {str(user)}, "users")
    equal(set(fields["Gid"].split()), {str(group)}, "groups")
    for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        equal(int(fields[kind], 16), 0, kind)
    equal((fields["NoNewPrivs"], fields["Seccomp"]), ("1", "2"), "no_new_privs and the filter")
    # And the dataplane with the capabilities that its unit leaves it, no more.
    with open(f"/proc/{system.balancer.dataplane.pid}/status", encoding="utf-8") as stream:
        fields = dict(line.rstrip("\n").split(":\t", 1) for line in stream if ":\t" in line)
    equal((fields["Name"][:12], fields["NoNewPrivs"], fields["Seccomp"]),
          ("hawser-datap", "1", "2"), "the dataplane")
    equal(bin(int(fields["CapEff"], 16)).count("1"), 10, "capabilities of the dataplane")


def test_traffic_flows(system):
    """It reaches the dataplane through its group, and clients are served."""
    check(system.balancer.json("status")["dataplane_connected"], "the dataplane is not connected")
    equal(load("10.77.0.100:80", connections=60, concurrency=6)["failed"], 0, "failed requests")


def test_modes_and_groups(system):
    """Files have the owners and modes that the guide gives them."""
    user, group = system.balancer.user, system.balancer.group
    run_directory, state = f"{ROOM}/run/hawser", f"{ROOM}/var/lib/hawser"
    for path, wanted in ((run_directory, ("755", user, group)),
                         (f"{run_directory}/hawserd.sock", ("660", user, group)),
                         (f"{run_directory}/hawserd-ro.sock", ("666", user, group)),
                         (f"{run_directory}/dataplane.sock", ("660", 0, group)),
                         (f"{run_directory}/dataplane-ro.sock", ("666", 0, group)),
                         (state, ("700", user, group))):
        equal(mode_of(path), wanted, f"mode, owner and group of {path}")
    kept = os.listdir(state)
    check(kept, "nothing was written into the state directory")
    for name in kept:
        equal(mode_of(f"{state}/{name}"), ("600", user, group), f"mode and owner of {name}")


def test_members_of_the_group_administer(system):
    """Whoever is in the group may drain and reload, also as ExecReload= does."""
    balancer = system.balancer
    ada = (NOBODY, [balancer.group])
    done = balancer.ctl_as(*ada, "drain", "web/b2", "--reason", "by a member")
    equal(done.returncode, 0, f"exit of drain ({done.stderr!r})")
    equal(balancer.backends("web")["b2"]["state"], "draining", "state")
    with open(balancer.file, encoding="utf-8") as stream:
        text = stream.read()
    balancer.write(text.replace("weight = 100", "weight = 120", 1))
    done = balancer.ctl_as(balancer.user, [balancer.group], "reload", "--wait")
    equal(done.returncode, 0, f"exit of reload ({done.stderr!r})")
    contains(done.stdout, "100 -> 120", "what reload changed")
    equal(balancer.ctl_as(*ada, "ready", "web/b2").returncode, 0, "exit of ready")


def test_others_may_look_only(system):
    """Outside the group changes are refused in clear words; looking works by the read-only twin."""
    balancer = system.balancer
    eve = (NOBODY, [])
    for change in (["drain", "web/b1"], ["weight", "web/b1", "7"], ["reload"],
                   ["keys", "rotate"]):
        done = balancer.ctl_as(*eve, *change)
        equal(done.returncode, 1, f"exit of {change[0]}")
        contains(done.stderr, f"no permission for {balancer.socket}: run as root, or join the "
                              "group of the socket", f"what {change[0]} says")
    for look in ("status", "backends", "history", "keys"):
        done = balancer.ctl_as(*eve, look)
        equal(done.returncode, 0, f"exit of {look} ({done.stderr!r})")
    equal(balancer.ctl_as(*eve, "status", option=True).returncode, 1, "status on the admin socket")
    equal(balancer.backends("web")["b1"]["state"], "ready", "state")


def test_nobody_listens_beyond_loopback(system):
    """No TCP or UDP socket of this server waits for strangers."""
    done = Lab.run("balancer", "ss", "-Hltunp")
    equal(done.returncode, 0, "exit of ss")
    for line in done.stdout.splitlines():
        local = line.split()[4]
        check(local.startswith(("127.", "[::1]:")), f"somebody listens: {line}")


def test_restarts_without_privileges(system):
    """After kill -9 it takes its stale sockets away, knows what it knew, and serves."""
    balancer = system.balancer
    before = balancer.json("history")["history"]
    check(before, "no history")
    balancer.hawserd.kill()
    balancer.hawserd.start()
    balancer.until_ok()
    equal(balancer.json("history")["history"], before, "the history")
    check(balancer.dataplane.alive(), "the dataplane went too")


def test_the_confines_hold(system):
    """What the unit forbids cannot be done in the same confines."""
    balancer = system.balancer
    tried = subprocess.run(
        balancer.hawserd.command[:-3] + ["/usr/bin/python3", "-c", """
import os, socket
for name, action in (("chroot", lambda: os.chroot("/")),
                     ("netlink", lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)),
                     ("affinity", lambda: os.sched_setaffinity(0, [0]))):
    try:
        action()
        print(name, "worked")
    except PermissionError:
        print(name, "refused")
"""], capture_output=True, text=True, timeout=60, check=False)
    equal(tried.stdout.split("\n")[:-1], ["chroot refused", "netlink refused", "affinity refused"],
          f"what was tried ({tried.stderr[-300:]!r})")
