#!/usr/bin/python3
# Adds up test cases from TAP files, meson's JUnit file and the demo's JSON into one closing line.
"""usage: summary.py --stage NAME:STATUS:KIND:FILE ...      KIND: junit, tap or demo

A stage that ended badly without any failed case of its own counts as one failed case.
"""

import argparse
import json
import os
import re
import sys
import xml.etree.ElementTree as xml


class Sum:
    def __init__(self):
        self.passed = 0
        self.failed = []
        self.skipped = 0

    def add(self, name, held, skipped=False, why=""):
        if skipped:
            self.skipped += 1
        elif held:
            self.passed += 1
        else:
            self.failed.append((name, why))


def add_junit(total, path):
    """Cases of gtest and TAP programs one by one, as meson writes them down."""
    for suite in xml.parse(path).getroot().iter("testsuite"):
        for case in suite.findall("testcase"):
            name = f"{suite.get('name', '')}.{case.get('classname', '')}.{case.get('name', '')}"
            bad = [case.find(tag) for tag in ("failure", "error") if case.find(tag) is not None]
            skipped = case.find("skipped") is not None or case.get("status") == "notrun"
            why = (bad[0].get("message") or bad[0].text or "") if bad else ""
            total.add(name, not bad, skipped, why)


def add_tap(total, path):
    planned, seen, comment_of = None, 0, None
    with open(path, encoding="utf-8", errors="replace") as stream:
        for line in stream:
            plan = re.match(r"1\.\.(\d+)\s*$", line)
            case = re.match(r"(not )?ok\b\s*\d*\s*-?\s*(.*?)(\s+# SKIP.*)?$", line, re.IGNORECASE)
            if plan:
                planned = int(plan.group(1))
            elif case:
                seen += 1
                total.add(case.group(2), not case.group(1), bool(case.group(3)))
                comment_of = len(total.failed) - 1 if case.group(1) else None
            elif line.startswith("#") and comment_of is not None:
                name, why = total.failed[comment_of]
                total.failed[comment_of] = (name, f"{why}{line[1:].rstrip()}\n")
    if planned is None or planned != seen:
        total.add(os.path.basename(path), False, why=f"{seen} cases of {planned} planned")


def add_demo(total, path):
    try:
        with open(path, encoding="utf-8") as stream:
            seen = json.loads(stream.read().strip().split("\n")[-1])
    except (ValueError, IndexError):
        total.add("demo", False, why="no JSON at its end")
        return
    acts = {name: act for name, act in seen.items() if isinstance(act, dict) and "ok" in act}
    for name, act in acts.items():
        total.add(f"demo.{name}", act["ok"], why=json.dumps(act)[:500])
    if "error" in seen or not acts:
        total.add("demo", False, why=seen.get("error", "no act was played"))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stage", action="append", default=[])
    total = Sum()
    readers = {"junit": add_junit, "tap": add_tap, "demo": add_demo}
    for stage in parser.parse_args().stage:
        name, status, kind, path = stage.split(":", 3)
        before = len(total.failed)
        if os.path.exists(path):
            readers[kind](total, path)
        if status != "0" and len(total.failed) == before:
            total.add(name, False, why=f"ended with {status}")
    for name, why in total.failed:
        print(f"failed: {name}")
        for line in why.strip().split("\n")[:20] if why.strip() else []:
            print(f"    {line}")
    skipped = f", {total.skipped} skipped" if total.skipped else ""
    print(f"{total.passed} passed, {len(total.failed)} failed{skipped}")
    return 1 if total.failed or total.passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
