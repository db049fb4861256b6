# What Prometheus is told over HTTP, against what hawserctl says of the same.
"""System tests; run.py runs them."""

import os
import re
import subprocess
import time

import sites
from harness import RUN, Skipped, check, contains, equal
from hawser import Lab, load
from services import WEB, WEB6

SERVICES = WEB + WEB6 + sites.spliced("shop", 8081, sites.ORIGIN, extra=sites.COOKIE)
TARGET = "10.77.0.100:80"
ADDRESS = "127.0.0.1:9465"
SAMPLE = re.compile(r"(hawser_\w+)(?:\{(.*)\})? (\S+)")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
# What hawserctl calls it, and what Prometheus does.
COUNTERS = {"flows": "hawser_backend_flows", "new_flows": "hawser_backend_new_flows_total",
            "packets_in": "hawser_backend_in_packets_total",
            "bytes_in": "hawser_backend_in_bytes_total",
            "packets_out": "hawser_backend_out_packets_total",
            "bytes_out": "hawser_backend_out_bytes_total",
            "weight": "hawser_backend_weight", "weight_file": "hawser_backend_file_weight",
            "share": "hawser_backend_share_ratio",
            "since_unix": "hawser_backend_state_since_timestamp_seconds"}
PORT_COUNTERS = {"received_packets": "hawser_port_received_packets_total",
        "sent_bytes": "hawser_port_sent_bytes_total",
        "missed_packets": "hawser_port_missed_packets_total"}


def fetch(path="/metrics", *options):
    """(status, body) of one request from the balancer itself."""
    status, _, body = Lab.curl(f"http://{ADDRESS}{path}", *options, space="balancer")
    return status, body


def scrape(path="/metrics"):
    """{(name, labels as a frozenset of pairs): value}"""
    status, text = fetch(path)
    equal(status, 200, f"status of {path}")
    values = {}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        found = SAMPLE.fullmatch(line)
        check(found, f"no sample: {line!r}")
        key = (found[1], frozenset(LABEL.findall(found[2] or "")))
        check(key not in values, f"{line!r} twice")
        values[key] = float(found[3])
    return values


def value(values, name, **labels):
    key = (name, frozenset(labels.items()))
    check(key in values, f"there is no {name} {labels}")
    return values[key]


def quiet(system):
    """Until nothing moves: two tellings of hawserctl around a scrape that agree. Returns
    (scrape, backends, counters)."""
    def still():
        before = system.balancer.json("backends")["backends"]
        counters = system.balancer.json("counters", "--all")
        values = scrape()
        after = system.balancer.json("backends")["backends"]
        keys = [key for key in COUNTERS if key != "share"]
        moved = [[row[key] for key in keys] for row in before] != \
            [[row[key] for key in keys] for row in after]
        return None if moved else (values, after, counters)
    return system.wait(still, "backends at rest", 20)


def test_promtool_finds_nothing(system):
    """promtool has nothing against what a balancer with traffic tells."""
    sites.start(system)
    load(TARGET, connections=60, concurrency=6)
    for _ in range(6):
        equal(Lab.curl(f"http://{sites.SITE}:8081/")[0], 200, "status of a request to shop")
    if not os.path.exists("/usr/bin/promtool"):
        raise Skipped("promtool is not installed")
    status, text = fetch()
    equal(status, 200, "status")
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True,
                          text=True, check=False)
    equal((done.returncode, done.stdout + done.stderr), (0, ""), "promtool check metrics")


def test_backends_are_as_hawserctl_says(system):
    """Flows, packets, bytes, weights and states are those of `hawserctl backends`."""
    values, rows, _ = quiet(system)
    check(any(row["new_flows"] > 0 for row in rows), "no backend had a flow")
    for row in rows:
        of = {"service": row["service"], "backend": row["name"]}
        for key, name in COUNTERS.items():
            seen = value(values, name, **of)
            check(abs(seen - row[key]) < 1e-4, f"{name} of {of}: {seen} instead of {row[key]}")
        states = {dict(key[1])["state"] for key, on in values.items() if on == 1
                  and key[0] == "hawser_backend_state" and of.items() <= dict(key[1]).items()}
        equal(states, {row["state"]}, f"state of {of}")
    for service in ("web", "web6", "shop"):
        mine = [row for row in rows if row["service"] == service]
        for key, name in (("flows", "hawser_service_flows"),
                          ("new_flows", "hawser_service_new_flows_total"),
                          ("bytes_in", "hawser_service_in_bytes_total")):
            equal(value(values, name, service=service), sum(row[key] for row in mine),
                  f"{name} of {service}")
        equal(value(values, "hawser_service_backends", service=service, state="ready"),
              sum(row["state"] == "ready" for row in mine), f"ready backends of {service}")


def test_counters_are_as_hawserctl_says(system):
    """Verdicts, requests and sessions are those of `hawserctl counters`."""
    values, _, counters = quiet(system)
    verdicts = {row["name"]: row for row in counters["verdicts"]}
    for name in ("forward_nat", "return_nat", "forward_splice", "no_backend", "reply_reset"):
        equal(value(values, "hawser_packets_total", verdict=name), verdicts[name]["packets"], name)
    equal({dict(key[1])["verdict"] for key in values if key[0] == "hawser_packets_total"},
          set(verdicts), "the verdicts")
    drops = sum(row["packets"] for row in verdicts.values() if row["kind"] == "drop")
    seen = value(values, "hawser_packets_by_kind_total", kind="drop")
    check(0 <= seen - drops < 20, f"{seen} drops instead of {drops}")
    shop = next(row for row in counters["services"] if row["service"] == "shop")
    check(shop["requests"] >= 6, f"only {shop['requests']} requests")
    equal(value(values, "hawser_service_requests_total", service="shop"), shop["requests"],
          "requests of shop")
    equal(value(values, "hawser_service_sessions_total", service="shop", state="new"),
          shop["sessions_new"], "new sessions of shop")
    answered = next(row for row in shop["latencies"] if row["name"] == "answered")
    equal(value(values, "hawser_service_answered_seconds_count", service="shop"),
          answered["requests"], "requests that were timed")
    equal(round(value(values, "hawser_service_answered_seconds", service="shop",
                      quantile="0.99") * 1e6), answered["p99_microseconds"], "99th percentile")


def test_ports_workers_and_problems(system):
    """Ports, workers, epochs and problems are those of `hawserctl status`."""
    status = system.balancer.json("status")
    values = scrape()
    dataplane = status["dataplane"]
    for port in dataplane["ports"]:
        for key, name in PORT_COUNTERS.items():
            seen = value(values, name, port=port["name"])
            check(0 <= seen - port[key] <= 0.05 * port[key] + 20000,
                  f"{name}: {seen} after {port[key]}")
        equal(value(values, "hawser_port_up", port=port["name"]), 1, "link")
    for worker in dataplane["workers"]:
        of = {"worker": str(worker["id"])}
        equal(value(values, "hawser_worker_flow_capacity", family="ipv4", **of),
              worker["capacity_ipv4"], "capacity")
        equal(value(values, "hawser_worker_nat_ports", **of), worker["nat_ports_total"],
              "NAT ports")
    equal(value(values, "hawser_epoch_desired"), status["desired_epoch"], "desired epoch")
    equal(value(values, "hawser_epoch_applied"), status["applied_epoch"], "applied epoch")
    equal([value(values, "hawser_problems", severity=s) for s in ("critical", "warning")], [0, 0],
          "problems")
    equal(value(values, "hawser_dataplane_up"), 1, "hawser_dataplane_up")


def test_changes_show(system):
    """A drain and a weight show at the next scrape, as drift too; so do health checks."""
    system.done("drain", "web/b2", "--reason", "test")
    system.done("weight", "web/b1", "300")
    values = scrape()
    equal(value(values, "hawser_backend_state", service="web", backend="b2", state="draining"), 1,
          "draining")
    equal(value(values, "hawser_backend_weight", service="web", backend="b1"), 300, "weight")
    equal(value(values, "hawser_drifts"), 2, "drifts")
    age = time.time() - value(values, "hawser_drift_oldest_timestamp_seconds")
    check(-2 <= age < 60, f"the drift is {age} s old")
    system.done("ready", "web/b2")
    system.done("weight", "web/b1", "--file")
    equal(value(scrape(), "hawser_drifts"), 0, "drifts at the end")
    of = {"service": "web", "backend": "b1"}
    before = value(values, "hawser_backend_checks_total", result="passed", **of)
    system.wait(lambda: value(scrape(), "hawser_backend_checks_total", result="passed", **of)
                > before, "another check", 15)
    equal(value(scrape(), "hawser_backend_check_up", **of), 1, "the last check")


def test_filters(system):
    """service= leaves that service alone, backends=no the services."""
    values = scrape("/metrics?service=web")
    equal({dict(key[1]).get("service") for key in values}, {"web"}, "services")
    check(not any("backend" in dict(key[1]) for key in scrape("/metrics?backends=no")),
          "a backend")
    status, text = fetch("/metrics?service=wab")
    equal(status, 400, "status for an unknown service")
    contains(text, 'did you mean "web', "the answer")


def test_nobody_else_is_answered(system):
    """Foreign names, other methods and other paths are refused; nobody else reaches it."""
    equal(fetch("/metrics", "-H", "Host: rebound.example")[0], 421, "status for a foreign name")
    equal(fetch("/metrics", "-X", "POST", "-d", "x")[0], 405, "status of POST")
    equal(fetch("/etc/passwd")[0], 404, "status of a path that is not there")
    equal(fetch("/metrics", "-I")[0], 200, "status of HEAD")
    equal(Lab.curl("http://10.77.0.1:9465/metrics")[0], 0, "status from the client")


def test_without_the_dataplane(system):
    """While the dataplane is gone, what hawserd knows is told; counters return with it."""
    system.balancer.dataplane.kill()
    system.balancer.until_disconnected()
    values = scrape()
    equal(value(values, "hawser_dataplane_up"), 0, "hawser_dataplane_up")
    equal(value(values, "hawser_dataplane_connected"), 0, "hawser_dataplane_connected")
    equal(value(values, "hawser_backend_weight", service="web", backend="b1"), 100, "weight")
    check(value(values, "hawser_problems", severity="critical") >= 1, "no problem is told")
    check(not any(name in ("hawser_packets_total", "hawser_backend_flows")
                  for name, _ in values), "counters of nobody")
    served = value(values, "hawser_scrape_errors_total", cause="dataplane")
    check(served >= 1, "the scrape does not count as one without an answer")
    system.balancer.dataplane.start()
    system.balancer.until_ok(60)
    load(TARGET, connections=20, concurrency=4)
    after = scrape()
    equal(value(after, "hawser_dataplane_up"), 1, "hawser_dataplane_up")
    check(value(after, "hawser_service_new_flows_total", service="web") >= 60 + 20,
          "the total of the service fell")


def test_taken_port(system):
    """Where it cannot listen, status says so, and hawserd goes on."""
    with open(system.balancer.file, encoding="utf-8") as stream:
        before = stream.read()
    other = f"{RUN}/second"
    # Without a dataplane: two would tell ours what to do.
    text = before.replace(f"{RUN}/hawserd.sock", f"{other}.sock")
    text = text.replace(f"{RUN}/state", f"{other}.state")
    text = text.replace(f"{RUN}/dataplane.sock", f"{other}.dataplane.sock")
    path = system.put("second.toml", text)
    daemon = system.balancer.daemon("hawserd")
    daemon.command[daemon.command.index(system.balancer.file)] = path
    daemon.log = f"{other}.log"
    daemon.start()
    try:
        def told():
            text = system.ctl("status", socket=f"{other}.sock").stdout
            return text if "no HTTP" in text else None
        contains(system.wait(told, "the problem", 15), f"cannot listen on {ADDRESS}", "status")
    finally:
        daemon.stop()
    system.balancer.until_ok(30)
    equal(fetch()[0], 200, "status of the first one")
