#!/usr/bin/python3
# Proves that systemd understands the units and finds hawserd's confines tight.
"""usage: units_test.py PROGRAM...; prints TAP"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
PACKAGING = os.path.join(HERE, "../../packaging")
# The exposure that systemd-analyze finds at most. The dataplane owns hardware; it is here so that
# it gets no worse.
EXPOSURE = {"hawserd": 2.0, "hawser-dataplane": 5.5}
VALUES = {"@BINDIR@": "/usr/bin", "@DOCDIR@": "/usr/share/doc/hawser"}


def installed_unit(name):
    with open(f"{PACKAGING}/systemd/{name}.service", encoding="utf-8") as stream:
        text = stream.read()
    for place, value in VALUES.items():
        text = text.replace(place, value)
    return text


def analyze(*arguments):
    return subprocess.run(["systemd-analyze", "--no-pager", *arguments], capture_output=True,
                          text=True, check=False, env={**os.environ, "LC_ALL": "C.UTF-8"})


def verify(root, name):
    """What systemd has against a unit in an installation; empty: nothing."""
    done = analyze("verify", f"--root={root}", "--man=no", f"{name}.service")
    lines = [line for line in (done.stdout + done.stderr).splitlines() if name in line]
    return "\n".join(lines) or (f"exit {done.returncode}: {done.stderr}" if done.returncode else "")


def exposure(path):
    done = analyze("security", "--offline=yes", path)
    found = re.search(r"exposure level for \S+: ([\d.]+)", done.stdout)
    return float(found.group(1)) if found else 99.0


def main():
    if shutil.which("systemd-analyze") is None:
        print("1..0 # SKIP systemd is not on this machine")
        return 0
    failed = 0
    names = sorted(os.path.basename(program) for program in sys.argv[1:])
    names = [name for name in names if name in EXPOSURE]
    print(f"1..{4 * len(names)}")

    def say(good, what, why=""):
        nonlocal failed
        failed += not good
        print(f"{'ok' if good else 'not ok'} - {what}")
        for line in (str(why).splitlines() if not good else []):
            print(f"# {line}")

    with tempfile.TemporaryDirectory() as root:
        units = f"{root}/usr/lib/systemd/system"
        os.makedirs(units)
        os.makedirs(f"{root}/usr/bin")
        # The targets and slices that every unit depends on.
        shutil.copytree("/usr/lib/systemd/system", units, dirs_exist_ok=True, symlinks=True)
        for program in sys.argv[1:]:
            shutil.copy2(program, f"{root}/usr/bin/{os.path.basename(program)}")
        for name in names:
            with open(f"{units}/{name}.service", "w", encoding="utf-8") as stream:
                stream.write(installed_unit(name))
        for name in names:
            wrong = verify(root, name)
            say(not wrong, f"units.{name} is understood", wrong)
            with open(f"{units}/{name}.service", "a", encoding="utf-8") as stream:
                stream.write("[Service]\nWatchdogSecond=1\n")
            say("WatchdogSecond" in verify(root, name), f"units.{name} with a mistake is not")
            path = f"{root}/{name}.service"
            with open(path, "w", encoding="utf-8") as stream:
                stream.write(installed_unit(name))
            found = exposure(path)
            say(found <= EXPOSURE[name], f"units.{name} is exposed {found} of 10", EXPOSURE[name])
            text = installed_unit(name)
            good = all(re.search(rf"^{line}", text, re.MULTILINE)
                       for line in ("Type=notify$", "NotifyAccess=main$", r"WatchdogSec=\d+$"))
            say(good, f"units.{name} hears what the daemon tells")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
