#!/usr/bin/python3
# Proves that alert rules and dashboard ask for metrics and labels that hawserd has, and that the
# rules fire when they should and are silent when they should.
"""usage: monitoring_test.py HAWSERD; prints TAP"""

import json
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
RULES = os.path.join(ROOT, "packaging/prometheus/hawser.rules.yml")
RULE_TESTS = os.path.join(ROOT, "packaging/prometheus/hawser.rules.test.yml")
DASHBOARD = os.path.join(ROOT, "packaging/grafana/hawser.json")
ROWS = ("Overview", "Load against fair share", "Backends", "Drops", "Layer 7",
        "Workers and ports")
# Those that Prometheus adds itself.
SCRAPED = {"instance", "job"}
SELECTOR = re.compile(r"(hawser_[a-z_]+)(?:\{([^}]*)\})?")
# No selector: where the labels stand by which series are grouped and matched.
GROUPING = re.compile(r"(?:by|without|ignoring|on|group_left|group_right) *\(([^)]*)\)")
MATCHER = re.compile(r'([a-z_]+)(=~|!~|!=|=)"([^"]*)"')


def read(path):
    with open(path, encoding="utf-8") as stream:
        return stream.read()


def table_of(hawserd):
    """The labels of every metric, by name, as hawserd lists them."""
    page = subprocess.run([hawserd, "--list-metrics"], capture_output=True, text=True,
                          check=True).stdout
    table = {}
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if not cells[0].startswith("`hawser_"):
            continue
        name, labels = cells[0].strip("`"), set(re.findall(r"`([a-z]+)`", cells[3]))
        table[name] = labels
        if cells[1] == "summary":
            table[name] = labels | {"quantile"}
            table[name + "_count"] = labels
    return table


def alternatives(operator, value):
    """The texts that a matcher names, if they can be told."""
    words = value.split("|") if operator in ("=~", "!~") else [value]
    return [word for word in words if re.fullmatch(r"[a-z0-9_]+", word)]


def values_of(label):
    """What a label can be, from the sources; nothing: anything."""
    if label == "verdict":
        return set(re.findall(r'K::k\w+, "(\w+)"', read(f"{ROOT}/src/pipeline/verdict.cc")))
    if label == "cause":
        reports = read(f"{ROOT}/dataplane/reports.cc") + read(f"{ROOT}/dataplane/reports_splice.cc")
        return set(re.findall(r'add\((?:reply|\*reply\.add_other\(\)), "(\w+)"', reports))
    if label == "state":
        return set(re.findall(r'"(\w+)"', read(f"{ROOT}/control/hawserd/state_machine.cc")))
    return None


def faults_of(expression, table):
    """What of an expression hawserd does not have."""
    faults = []
    known = set(SCRAPED)
    for name, matchers in SELECTOR.findall(expression):
        if name not in table:
            faults.append(f"there is no metric {name}")
            continue
        known |= table[name]
        for label, operator, value in MATCHER.findall(matchers or ""):
            if label not in table[name] | SCRAPED:
                faults.append(f"{name} has no label {label}")
            values = values_of(label)
            for word in alternatives(operator, value) if values else []:
                if word not in values:
                    faults.append(f"{label} is never {word}")
    for group in GROUPING.findall(expression):
        for label in re.findall(r"[a-z_]+", group):
            if label not in known:
                faults.append(f"nothing here has the label {label}")
    return "\n".join(f"{fault}: {expression}" for fault in faults)


def rules():
    """(alert, expression) of every rule."""
    found = []
    for block in re.split(r"^ {6}- alert: ", read(RULES), flags=re.MULTILINE)[1:]:
        expression = re.search(r"expr: (?:>-\n)?(.*?)\n {8}(?:for|labels):", block, re.DOTALL)
        found.append((block.split("\n")[0], " ".join(expression.group(1).split()), block))
    return found


def check_rule_metrics(table):
    faults = [faults_of(expression, table) for _, expression, _ in rules()]
    for alert, _, block in rules():
        for part in ("severity: ", "summary: ", "description: ", "action: "):
            if part not in block:
                faults.append(f"{alert} has no {part}")
    return "\n".join(filter(None, faults)) or ("" if len(rules()) > 12 else "the rules are gone")


def check_rules():
    done = subprocess.run(["promtool", "check", "rules", RULES], capture_output=True, text=True,
                          check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def check_rule_tests():
    """Each alert has a test in which it fires, and all of them hold."""
    text = read(RULE_TESTS)
    missing = [alert for alert, _, _ in rules()
               if f'{{alertname="{alert}",alertstate="firing",instance="sick"' not in text]
    if missing:
        return f"no test for {missing}"
    done = subprocess.run(["promtool", "test", "rules", RULE_TESTS], capture_output=True,
                          text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def check_rule_tests_bite():
    """A rule that never fires, and one that always does, fail their tests."""
    with tempfile.TemporaryDirectory() as folder:
        for before, after in (("hawser_dataplane_up == 0", "hawser_dataplane_up == 2"),
                              ("hawser_worker_busy_ratio > 0.9", "hawser_worker_busy_ratio > 0")):
            text = read(RULES)
            if before not in text:
                return f"{before} is not in the rules"
            for path, content in ((RULES, text.replace(before, after)),
                                  (RULE_TESTS, read(RULE_TESTS))):
                with open(os.path.join(folder, os.path.basename(path)), "w",
                          encoding="utf-8") as stream:
                    stream.write(content)
            done = subprocess.run(
                ["promtool", "test", "rules", os.path.join(folder, os.path.basename(RULE_TESTS))],
                capture_output=True, check=False)
            if done.returncode == 0:
                return f"nobody notices {after}"
    return ""


def expressions(dashboard):
    return [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]


def check_dashboard(table):
    dashboard = json.loads(read(DASHBOARD))
    faults = [faults_of(expression, table) for expression in expressions(dashboard)]
    variables = {entry["name"]: entry for entry in dashboard["templating"]["list"]}
    if list(variables) != ["datasource", "instance", "service", "backend"]:
        faults.append(f"variables are {list(variables)}")
    for name in ("instance", "service", "backend"):
        faults.append(faults_of(variables[name]["query"]["query"].replace("$", ""), table))
    titles = [panel["title"] for panel in dashboard["panels"] if panel["type"] == "row"]
    if titles != list(ROWS):
        faults.append(f"rows are {titles}")
    if dashboard["id"] is not None:
        faults.append("it cannot be imported with an id")
    for panel in dashboard["panels"]:
        if panel["type"] != "row" and panel["datasource"]["uid"] != "${datasource}":
            faults.append(f"{panel['title']} has a data source of its own")
    return "\n".join(filter(None, faults))


def check_layout():
    """Panels have their own numbers and places."""
    taken, numbers, faults = {}, set(), []
    for panel in json.loads(read(DASHBOARD))["panels"]:
        if panel["id"] in numbers:
            faults.append(f"number {panel['id']} twice")
        numbers.add(panel["id"])
        place = panel["gridPos"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                other = taken.setdefault((x, y), panel["title"])
                if other != panel["title"] or x > 23:
                    faults.append(f"{panel['title']} is over {other}")
    return "\n".join(sorted(set(faults)))


def check_dashboard_syntax():
    """Prometheus can read every expression, once Grafana's variables have values."""
    lines = ["groups:", "  - name: dashboard", "    rules:"]
    for number, expression in enumerate(expressions(json.loads(read(DASHBOARD)))):
        text = expression.replace("$__rate_interval", "1m")
        text = re.sub(r"\$(?:instance|service|backend)", ".*", text)
        if "$" in text:
            return f"an unknown variable: {expression}"
        lines.append(f"      - {{record: dashboard:panel:r{number}, expr: {json.dumps(text)}}}")
    with tempfile.NamedTemporaryFile("w", suffix=".yml", encoding="utf-8") as stream:
        stream.write("\n".join(lines) + "\n")
        stream.flush()
        done = subprocess.run(["promtool", "check", "rules", stream.name], capture_output=True,
                              text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def check_checks(table):
    """What is wrong is found."""
    for expression in ("hawser_no_such_metric", 'hawser_backend_flows{port="x"}',
                       "sum by (port) (hawser_backend_flows)",
                       'hawser_packets_total{verdict=~"no_backend|no_such_verdict"}'):
        if not faults_of(expression, table):
            return f"nothing is found wrong with {expression}"
    return ""


def main():
    table = table_of(sys.argv[1])
    checks = [("metrics_and_labels_of_the_rules_exist", lambda: check_rule_metrics(table)),
              ("rules_are_good", check_rules),
              ("every_alert_fires_and_is_silent", check_rule_tests),
              ("tests_of_the_rules_bite", check_rule_tests_bite),
              ("metrics_and_labels_of_the_dashboard_exist", lambda: check_dashboard(table)),
              ("panels_have_their_own_places", check_layout),
              ("expressions_of_the_dashboard_are_good", check_dashboard_syntax),
              ("these_checks_bite", lambda: check_checks(table))]
    print(f"1..{len(checks)}")
    failed = 0
    for number, (name, action) in enumerate(checks, 1):
        why = action()
        failed += bool(why)
        print(f"{'not ok' if why else 'ok'} {number} - monitoring.{name}")
        for line in why.strip().splitlines():
            print(f"# {line}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
