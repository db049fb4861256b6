#!/usr/bin/python3
# Checks the rules of the house over the whole tree; prints one TAP line a rule.
"""usage: tidy.py [ROOT] [--rule NAME]"""

import argparse
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from cpp_rules import CPP_RULES  # noqa: E402
from source import Tree  # noqa: E402
from tree_rules import TREE_RULES  # noqa: E402

RULES = {rule.__name__: rule for rule in CPP_RULES + TREE_RULES}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    here = os.path.dirname(os.path.abspath(__file__))
    parser.add_argument("root", nargs="?", default=os.path.join(here, "..", ".."))
    parser.add_argument("--rule", choices=sorted(RULES), action="append")
    arguments = parser.parse_args()
    tree = Tree.of_directory(os.path.abspath(arguments.root))
    names = arguments.rule or list(RULES)
    failed = 0
    print(f"1..{len(names)}")
    for number, name in enumerate(names, 1):
        findings = sorted(set(RULES[name](tree)))
        failed += bool(findings)
        print(f"{'not ok' if findings else 'ok'} {number} - tidy.{name}")
        for path, line, message in findings:
            print(f"# {path}:{line}: {message}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
