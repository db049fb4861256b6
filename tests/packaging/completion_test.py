#!/usr/bin/python3
# Proves that bash, zsh and fish complete hawserctl: verbs, options, words, names and files.
"""usage: completion_test.py HAWSERCTL; prints TAP"""

import os
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import shells  # noqa: E402

# Answers as hawserd would, of two services; behind another socket is another hawserd.
FAKE = """#!/bin/sh
case "$*" in
  "--timeout 1 --json backends") set -- web/b1 web/b2 mail/m1 ;;
  "--socket /other --timeout 1 --json backends") set -- other/x ;;
  *) echo "asked with $*" >>asked.wrong; exit 2 ;;
esac
for id; do
  printf '    {\\n      "id": "%s",\\n      "service": "%s",\\n      "weight": 100\\n    },\\n' "$id" "${id%%/*}"
done
"""

NAMES = {"web/b1", "web/b2", "mail/m1"}
# A command line with the cursor at its end -> what must be offered, and nothing else.
ROWS = {
    "hawserctl mainten": {"maintenance"},
    "hawserctl --timeout 3 dra": {"drain"},
    "hawserctl drain ": NAMES,
    "hawserctl drain web/": {"web/b1", "web/b2"},
    "hawserctl --socket /other drain ": {"other/x"},
    "hawserctl drain web/b1 --wa": {"--wait"},
    "hawserctl drain web/b1 --js": {"--json"},
    "hawserctl drain --reason backends ": NAMES,
    "hawserctl weight --file ": NAMES,
    "hawserctl weight web/b1 ": set(),
    "hawserctl services ": {"web", "mail"},
    "hawserctl backends ": NAMES | {"web", "mail"},
    "hawserctl flows --service m": {"mail"},
    "hawserctl top --sort b": {"bits"},
    "hawserctl keys ": {"rotate"},
    "hawserctl plan ": {"weight", "drain", "ready", "maintenance", "reload", "keys"},
    "hawserctl plan drain web/": {"web/b1", "web/b2"},
    "hawserctl plan maintenance web/b1 --fo": {"--for", "--force"},
    "hawserctl completion ": {"bash", "zsh", "fish"},
    "hawserctl capture --verdict forward_n": {"forward_nat"},
    "hawserctl capture --side s": {"sent"},
    "hawserctl why web --file head": {"head.txt"},
}


def verbs_of(program):
    """The verbs that its --help lists."""
    text = subprocess.run([program, "--help"], capture_output=True, text=True, check=True).stdout
    part = re.search(r"^Verbs:\n(.*?)\n\n", text, re.MULTILINE | re.DOTALL).group(1)
    return set(re.findall(r"^  (\w[\w-]*)", part, re.MULTILINE))


def check_syntax(shell):
    done = subprocess.run([shell, "-n", shells.SCRIPTS[shell]], capture_output=True, text=True,
                          check=False)
    return done.stderr or (f"exits {done.returncode}" if done.returncode else "")


def check_answers(shell, verbs):
    rows = {"hawserctl ": verbs, **ROWS}
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "hawserctl"), "w", encoding="utf-8") as stream:
            stream.write(FAKE)
        os.chmod(stream.name, 0o755)
        open(os.path.join(folder, "head.txt"), "w", encoding="utf-8").close()
        environment = {"PATH": f"{folder}:/usr/bin:/bin", "HOME": folder, "TERM": "dumb",
                       "LC_ALL": "C.UTF-8"}
        found = getattr(shells, shell)(list(rows), environment, folder)
        if os.path.exists(os.path.join(folder, "asked.wrong")):
            return open(os.path.join(folder, "asked.wrong"), encoding="utf-8").read()
    wrong = [f'"{line}" offers {sorted(words)}, not {sorted(rows[line])}'
             for line, words in zip(rows, found) if words != rows[line]]
    return "\n".join(wrong)


def attempt(check, *arguments):
    try:
        return check(*arguments)
    except (OSError, RuntimeError, subprocess.SubprocessError) as error:
        return str(error) or repr(error)


def main():
    verbs = verbs_of(sys.argv[1])
    results = []
    for shell in shells.SCRIPTS:
        results.append((f"{shell}_reads_it", attempt(check_syntax, shell)))
        results.append((f"{shell}_offers_what_fits", attempt(check_answers, shell, verbs)))
    print(f"1..{len(results)}")
    for number, (name, wrong) in enumerate(results, 1):
        print(f"{'not ok' if wrong else 'ok'} {number} - completion.{name}")
        for line in wrong.splitlines():
            print(f"# {line}")
    return 1 if any(wrong for _, wrong in results) else 0


if __name__ == "__main__":
    sys.exit(main())
