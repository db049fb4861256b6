#!/usr/bin/python3
# Proves that the Debian package has what it should, installs, works, and leaves nothing behind.
"""usage: package_test.py SOURCE-ROOT PROGRAM...; prints TAP

The package is made of the programs as the build made them. It is installed, as root, into a copy
of this machine that exists for the test only (overlayfs).
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

PLACES = {"hawser-dataplane": "dataplane", "hawserd": "control/hawserd",
          "hawserctl": "control/hawserctl"}
FILES = """
/etc/hawser/hawser.toml
/usr/bin/hawser-dataplane
/usr/bin/hawserctl
/usr/bin/hawserd
/usr/lib/systemd/system/hawser-dataplane.service
/usr/lib/systemd/system/hawserd.service
/usr/lib/sysusers.d/hawser.conf
/usr/lib/tmpfiles.d/hawser.conf
/usr/share/bash-completion/completions/hawserctl
/usr/share/doc/hawser/changelog.gz
/usr/share/doc/hawser/copyright
/usr/share/doc/hawser/examples/hawser.toml
/usr/share/doc/hawser/images/status-page-dark.png
/usr/share/doc/hawser/images/status-page.png
/usr/share/doc/hawser/operate.md
/usr/share/doc/hawser/reference/hawserctl.md
/usr/share/doc/hawser/reference/http-api.md
/usr/share/doc/hawser/reference/metrics.md
/usr/share/fish/vendor_completions.d/hawserctl.fish
/usr/share/hawser/hawser.json
/usr/share/hawser/hawser.rules.yml
/usr/share/man/man5/hawser.toml.5.gz
/usr/share/man/man8/hawser-dataplane.8.gz
/usr/share/man/man8/hawserctl.8.gz
/usr/share/man/man8/hawserd.8.gz
/usr/share/zsh/vendor-completions/_hawserctl
""".split()

# What is done in the copy of the machine, with the package in $1; each line of output is a result.
IN_THE_COPY = r"""
set -e
mount -t tmpfs tmpfs "$2"
mkdir "$2/upper" "$2/work" "$2/machine"
if ! mount -t overlay overlay -o "lowerdir=/,upperdir=$2/upper,workdir=$2/work" "$2/machine"; then
  echo "no copy"
  exit 0
fi
cp "$1" "$2/machine/hawser.deb"
mount -t proc proc "$2/machine/proc"
chroot "$2/machine" sh -c '
say() { printf "%s: %s\n" "$1" "$2"; }
userdel hawser 2>/dev/null
rm -rf /etc/hawser /var/lib/hawser /run/hawser
dpkg --force-depends -i /hawser.deb >/tmp/dpkg.log 2>&1; say install $?
say user "$(getent passwd hawser | cut -d: -f1,6)"
say configuration "$(stat -c "%a %U %G" /etc/hawser/hawser.toml)"
say run "$(stat -c "%a %U %G" /run/hawser)"
say check "$(hawserctl check /etc/hawser/hawser.toml)"
say hawserd "$(hawserd --check-config)"
say versions "$(hawserctl --version; hawserd --version; hawser-dataplane --version 2>&1)"
say verify "$(dpkg --verify hawser)"
echo "# mine" >>/etc/hawser/hawser.toml
mkdir -p /var/lib/hawser
dpkg --force-depends -i /hawser.deb >>/tmp/dpkg.log 2>&1; say again $?
say kept "$(tail -n 1 /etc/hawser/hawser.toml)"
dpkg -r hawser >>/tmp/dpkg.log 2>&1; say remove $?
say removed "$(ls /usr/bin/hawser* 2>/dev/null) $(ls /etc/hawser)"
dpkg -P hawser >>/tmp/dpkg.log 2>&1; say purge $?
say purged "$(ls -d /etc/hawser /var/lib/hawser /usr/share/doc/hawser 2>/dev/null)"
sed "s/^/# /" /tmp/dpkg.log
'
"""
CONFIGURATION = "/etc/hawser/hawser.toml is good: 1 port, 2 services"
WANTED = {"install": "0", "user": "hawser:/var/lib/hawser", "configuration": "640 root hawser",
          "run": "755 hawser hawser", "check": CONFIGURATION, "hawserd": CONFIGURATION,
          "versions": "hawserctl ", "verify": "", "again": "0", "kept": "# mine", "remove": "0",
          "removed": " hawser.toml", "purge": "0", "purged": ""}


def run(*command, **more):
    done = subprocess.run(command, capture_output=True, text=True, check=False, **more)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command[:3])}: {done.stderr.strip()[-600:]}")
    return done.stdout


class Results:
    def __init__(self):
        self.number = 0
        self.failed = 0

    def say(self, good, what, why=""):
        self.number += 1
        self.failed += not good
        print(f"{'ok' if good else 'not ok'} {self.number} - package.{what}", flush=True)
        for line in ([] if good else str(why).splitlines()):
            print(f"# {line}")

    def equal(self, seen, wanted, what):
        self.say(seen == wanted, what, f"{seen!r} instead of {wanted!r}")


def make(source, programs, room):
    """A build for /usr with the programs of the build under test; the package made of it."""
    build = f"{room}/build"
    run("meson", "setup", build, source, "--prefix=/usr", "-Dtests=false", "-Dbench=false",
        "-Dzsh_functions=share/zsh/vendor-completions")
    for program in programs:
        name = os.path.basename(program)
        os.makedirs(f"{build}/{PLACES[name]}", exist_ok=True)
        shutil.copy2(program, f"{build}/{PLACES[name]}/{name}")
    # Programs with sanitizers are ten times as large: packing them tightly would take minutes.
    loosely = {**os.environ, "DPKG_DEB_COMPRESSOR_TYPE": "none"}
    made = run(f"{source}/scripts/package", "--build", build, room, env=loosely)
    return made.splitlines()[-1]


def check_contents(results, package, room):
    fields = run("dpkg-deb", "--field", package)
    found = dict(re.findall(r"^([\w-]+): (.*)$", fields, re.MULTILINE))
    results.equal(found["Package"], "hawser", "name")
    needs = [name for name in ("libsystemd0", "libgrpc++", "librte-eal", "libsqlite3-0", "libc6")
             if name not in found["Depends"]]
    results.equal(needs, [], "depends on the libraries of the programs")
    rows = [line.split(None, 5) for line in run("dpkg-deb", "--contents", package).splitlines()]
    files = sorted(row[5].lstrip(".") for row in rows if not row[0].startswith("d"))
    results.equal(files, sorted(FILES), "has exactly its files")
    results.equal([row[5] for row in rows if row[1] != "root/root"], [], "belongs to root")
    modes = {row[0] for row in rows}
    results.equal(modes - {"drwxr-xr-x", "-rwxr-xr-x", "-rw-r--r--"}, set(), "has plain modes")
    root = f"{room}/files"
    run("dpkg-deb", "--raw-extract", package, root)
    run("md5sum", "--quiet", "-c", "DEBIAN/md5sums", cwd=root)
    for script in ("postinst", "prerm", "postrm"):
        run("sh", "-n", f"{root}/DEBIAN/{script}")
    results.say(True, "has sound checksums and scripts")
    for name in ("hawserd", "hawser-dataplane"):
        with open(f"{root}/usr/lib/systemd/system/{name}.service", encoding="utf-8") as stream:
            started = re.findall(r"^Exec\w+=(\S+)", stream.read(), re.MULTILINE)
        missing = [path for path in started if not os.access(root + path, os.X_OK)]
        results.equal((bool(started), missing), (True, []), f"has what {name}.service starts")
    version = run(f"{root}/usr/bin/hawserctl", "--version").split()[-1]
    results.equal(found["Version"], version, "has the version of its programs")


def check_installation(results, package, room):
    # Options of the sanitizers name files that the copy may not have.
    env = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0", "LSAN_OPTIONS": ""}
    copy = f"{room}/copy"
    os.mkdir(copy)
    done = subprocess.run(["unshare", "--mount", "sh", "-c", IN_THE_COPY, "sh", package, copy],
                          capture_output=True, text=True, check=False, env=env)
    if done.stdout.startswith("no copy"):
        results.say(True, "installs # SKIP overlayfs cannot be mounted here")
        return
    said = dict(re.findall(r"^(\w+): (.*)$", done.stdout, re.MULTILINE))
    for step, wanted in WANTED.items():
        seen = said.get(step)
        good = seen is not None and (seen.startswith(wanted) if wanted else seen == "")
        results.say(good, f"{step}", f"{seen!r} instead of {wanted!r}\n{done.stdout[-2500:]}"
                                     f"{done.stderr[-1000:]}")


def main():
    source, programs = os.path.abspath(sys.argv[1]), sys.argv[2:]
    if shutil.which("dpkg-deb") is None or len(programs) != len(PLACES):
        print("1..0 # SKIP no Debian, or not all programs were built")
        return 0
    results = Results()
    with tempfile.TemporaryDirectory() as room:
        package = make(source, programs, room)
        check_contents(results, package, room)
        if os.geteuid() == 0:
            check_installation(results, package, room)
    print(f"1..{results.number}")
    return 1 if results.failed else 0


if __name__ == "__main__":
    sys.exit(main())
