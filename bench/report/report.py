#!/usr/bin/env python3
# Makes charts and the measured part of docs/benchmarks.md from bench/baseline, or compares them.
"""usage: report.py [--check]

--check changes nothing: it names the files that are not what the baseline makes of them."""

import argparse
import json
import os
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.normpath(os.path.join(HERE, "../.."))
sys.path.insert(0, HERE)

from figures import CHARTS, FIGURES  # noqa: E402
from svg import bar_chart, number  # noqa: E402

PAGE = "docs/benchmarks.md"
BEGIN = "<!-- measured: made by hawser-bench report -->\n"
END = "<!-- /measured -->\n"


def load():
    folder = os.path.join(ROOT, "bench/baseline")
    rows = {}
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    for name in names:
        if not name.endswith(".json"):
            continue
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            rows[name.removesuffix(".json")] = [json.loads(line) for line in file]
    if not rows:
        sys.exit("there is no baseline in bench/baseline; scripts/bench-baseline measures one")
    return rows


def find(rows, file, where, key):
    matching = [row for row in rows.get(file, []) if where.items() <= row.items()]
    if not matching or key not in matching[0]:
        sys.exit(f"bench/baseline/{file}.json has no row with {where} and {key}; "
                 "scripts/bench-baseline measures it again")
    return matching[0][key]


def value_of(rows, figure):
    value = find(rows, figure.file, figure.where, figure.key)
    if figure.minus is not None:
        value -= find(rows, figure.file, figure.minus, figure.key)
    return value


def machines(rows):
    """One sentence for each machine and commit that anything was measured at."""
    said = {}
    for name, lines in rows.items():
        machine = lines[0]
        said.setdefault(
            f"{machine['processor']}, {machine['cores']} cores, {machine['mhz']} MHz, "
            f"TSC {machine['tsc']}; Linux {machine['kernel']}; {machine['compiler']}; "
            f"commit {machine['commit']}", []).append(name)
    if len(said) == 1:
        return [f"Measured on: {next(iter(said))}."]
    return [f"- {', '.join(names)}: {where}." for where, names in said.items()]


def measured(rows):
    lines = [*machines(rows), "", "| what | measured | bar |", "| --- | ---: | ---: |"]
    for figure in FIGURES:
        value = value_of(rows, figure)
        bar = "" if figure.bar is None else f"≤ {number(figure.bar)} {figure.unit}"
        if figure.bar is not None and value > figure.bar:
            bar += ", missed"
        lines.append(f"| {figure.what} | {number(value)} {figure.unit} | {bar} |")
    for chart in CHARTS:
        lines += ["", f"![{chart.title}](charts/{chart.name}.svg)"]
        if chart.note:
            lines += ["", chart.note]
    return "\n".join(lines) + "\n"


def made(rows):
    """Every file that is made, by its path."""
    files = {}
    for chart in CHARTS:
        bars = [(figure.what, value_of(rows, figure)) for figure in chart.figures]
        files[f"docs/charts/{chart.name}.svg"] = bar_chart(
            chart.title, chart.unit, bars, chart.bar, chart.more_is_better, chart.note)
    with open(os.path.join(ROOT, PAGE), encoding="utf-8") as file:
        page = file.read()
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        sys.exit(f"{PAGE} has no part between {BEGIN.strip()} and {END.strip()}")
    files[PAGE] = before + BEGIN + "\n" + measured(rows) + "\n" + END + after
    return files


def text_of(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return None


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    files = made(load())
    folder = os.path.join(ROOT, "docs/charts")
    strangers = {f"docs/charts/{name}" for name in os.listdir(folder)} - files.keys() \
        if os.path.isdir(folder) else set()
    behind = [path for path, text in files.items() if text_of(os.path.join(ROOT, path)) != text]
    if check:
        for path in sorted([*behind, *strangers]):
            print(f"{path} is not what bench/baseline makes of it; hawser-bench report makes it")
        return 1 if behind or strangers else 0
    os.makedirs(folder, exist_ok=True)
    for path in strangers:
        os.remove(os.path.join(ROOT, path))
    for path in behind:
        with open(os.path.join(ROOT, path), "w", encoding="utf-8") as file:
            file.write(files[path])
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
