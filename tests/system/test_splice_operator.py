# What operators see of spliced services: connections without a backend, any bytes, times, tables.
"""System tests; run.py runs them."""

import subprocess
import time

import sites
from harness import HERE, RUN, check, contains, equal, netns
from hawser import program
from sites import SITE
from talk import Talk, get
from test_splice_tls import curl

BACKENDS = [("b1", "10.77.0.11", 100, "v1"), ("b2", "10.77.0.12", 100, "v2"),
            ("b3", "10.77.0.13", 100, "v1")]
RULE = """\
[[service.rule]]
name = "new"
path = { prefix = "/new" }
generation = "v2"
"""
SERVICES = (sites.spliced("web", 80, sites.ORIGIN, backends=BACKENDS, rules=RULE,
                          extra=sites.COOKIE)
            + sites.spliced("other", 81, sites.ORIGIN, extra='h2c = "tunnel"\n')
            + sites.spliced("tls", 443, sites.NGINX_TLS, extra="", protocol="tls"))
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def flows(system, *filters):
    return system.balancer.json("flows", *filters)["flows"]


def latencies(system, service):
    """{name: row}"""
    for row in system.balancer.json("counters", "--all")["services"]:
        if row["service"] == service:
            return {entry["name"]: entry for entry in row["latencies"]}
    return {}


def asked(system, verb, service, head, *more):
    """A verb with a head of any bytes: (exit code, output, errors), as bytes."""
    done = subprocess.run([program(system.build, "hawserctl"), "--socket", system.balancer.socket,
                           verb, service, "--file", "-", *more], input=head, capture_output=True,
                          timeout=30, check=False)
    return done.returncode, done.stdout, done.stderr


def test_flows_without_a_backend(system):
    """A connection whose head is not complete belongs to its service, and to no backend."""
    sites.start(system)
    with Talk(SITE, 80) as talk:
        talk.send(b"GET /head HTTP/1.1\r\n")
        system.wait(lambda: flows(system, "--service", "web"), "the connection to be listed", 5)
        mine = "{}:{}".format(*talk.socket.getsockname())
        rows = flows(system, "--service", "web")
        equal([(row["client"], row["service"], row["backend"], row["local"], row["state"])
               for row in rows], [(mine, "web", "", "", "spliced")], "flows of web")
        table = system.done("flows", "--service", "web").splitlines()
        equal(table[1].split()[1:5], ["web", f"{SITE}:80", "-", "spliced"], "row of the table")
        equal(flows(system, "--service", "other"), [], "flows of another service")
        equal(flows(system, "--backend", "web/b1"), [], "flows of one backend")
        equal(len(flows(system, "--client", mine.partition(":")[0], "--service", "web")), 1,
              "flows of the client")
        response = talk.ask(b"Host: site\r\n\r\n")
        rows = flows(system, "--service", "web", "--backend", f"web/{response.backend}")
        equal([(row["client"], row["backend"]) for row in rows], [(mine, response.backend)],
              "flows when it has a backend")
        check(rows[0]["local"], "no local port")


def test_any_bytes_can_be_asked_about(system):
    """Heads with bytes above ASCII in any place: an answer that is text, no word of Protobuf's."""
    above = bytes(range(0x80, 0x100))
    values = (b"GET /new HTTP/1.1\r\nHost: site\r\nX-Any: " + above + b"\r\nCookie: any=" + above
              + b"; hawser=" + above + b"\r\n\r\n")
    heads = [("web", values, "backend  web/b2"), ("web", b"\xff", "status   4"),
             ("tls", b"\x16\x03\x01\xff\xff", "backend  none")]
    for byte in above:
        one = bytes((byte,))
        heads += [("web", get().replace(*words), "status   400")
                  for words in ((b"GET", one), (b"/ ", b"/" + one + b" "), (b"site", one))]
    for service, head, outcome in heads[:6] + heads[-3:]:
        for verb in ("why", "trace"):
            code, out, errors = asked(system, verb, service, head)
            equal((code, errors), (0, b""), f"{verb} of {head!r}")
            check(out.isascii(), f"{verb} of {head!r} printed {out!r}")
            contains(out.decode(), f"\n{outcome}", f"{verb} of {head!r}")
            code, out, errors = asked(system, verb, service, head, "--json")
            equal((code, errors, out.isascii()), (0, b"", True), f"{verb} --json of {head!r}")
    for service, head, outcome in heads:
        contains(asked(system, "why", service, head)[1].decode(), f"\n{outcome}", f"{head!r}")
    for log in ("hawserd", "hawser-dataplane"):
        with open(f"{RUN}/{log}.log", encoding="utf-8") as stream:
            told = stream.read()
        check("libprotobuf" not in told and told.count("connected to") < 2, f"{log}: {told}")


def test_words_that_are_no_text(system):
    """Names and reasons that are no UTF-8: a usage error in words. Parts of a head may be any."""
    for code, words in ((2, ["why", b"w\xff"]), (2, ["flows", "--service", b"\xff"]),
                        (2, ["drain", "web/b1", "--dry-run", "--reason", b"\xff"]),
                        (2, ["backends", b"web/\xc3"]), (0, ["trace", "web", b"/\xff"]),
                        (0, ["why", "web", "--header", b"X: \xff"])):
        done = subprocess.run([program(system.build, "hawserctl"), "--socket",
                               system.balancer.socket, *words], capture_output=True, timeout=30,
                              check=False)
        equal(done.returncode, code, f"exit of {words}, {done.stderr!r}")
        said = b"which is no UTF-8" if code else b""
        check(said in done.stderr and b"protobuf" not in done.stderr, f"{words}: {done.stderr!r}")


def test_explained_http2(system):
    """HTTP/2 with prior knowledge: refused with 505, or explained as the tunnel that it becomes."""
    code, out, _ = asked(system, "why", "web", PREFACE)
    equal((code, out.decode().splitlines()[1]), (0, "status   505"), "why of a service that refuses")
    code, out, _ = asked(system, "trace", "other", PREFACE)
    contains(out.decode(), "backend  other/b", "trace of a service that tunnels")


def test_times(system):
    """chosen counts connections to backends; answered ends when the response's head is there."""
    sites.start(system)
    before = latencies(system, "other")
    with Talk(SITE, 81) as talk:
        equal([talk.ask(get("/head")).status for _ in range(3)], [200] * 3, "statuses")
    seen = {name: row["requests"] - before[name]["requests"]
            for name, row in latencies(system, "other").items()}
    equal(seen, {"chosen": 1, "answered": 3}, "three requests, one connection to a backend")
    with Talk(SITE, 81) as talk:
        began = time.monotonic()
        equal(talk.ask(get("/pieces")).status, 200, "status")
        lasted = time.monotonic() - began
    slowest = latencies(system, "other")["answered"]["maximum_microseconds"] / 1e6
    check(0.05 < slowest < lasted * 1.125, f"answered {slowest} s, head in pieces for {lasted} s")
    before = latencies(system, "tls")
    equal(curl("a.example")[0], 0, "exit of curl")
    seen = {name: row["requests"] - before[name]["requests"]
            for name, row in latencies(system, "tls").items()}
    equal(seen, {"chosen": 1, "answered": 0}, "a TLS connection")


def test_tables(system):
    """services tells how connections are read, backends their generation; neither where unused."""
    lines = system.done("services", "web").splitlines()
    contains(lines[3], "READING", "titles of the settings")
    contains(lines[4], "head timeout 10s, h2c refuse, 1 rule", "settings")
    check("QUIC" not in lines[3], "a column without a value")
    lines = system.done("backends", "web").splitlines()
    equal(lines[0].split()[:3], ["BACKEND", "ADDRESS", "GENERATION"], "titles of backends")
    equal([line.split()[2] for line in lines[1:]], ["v1", "v2", "v1"], "generations")
    check("GENERATION" not in system.done("backends", "other"), "a column without a value")


def test_counters_are_explained(system):
    """docs/splicing.md names every counter that only spliced connections have."""
    with open(f"{HERE}/../../docs/splicing.md", encoding="utf-8") as stream:
        text = stream.read().partition("## Seeing")[2]
    seen = system.balancer.json("counters", "--all")
    names = [row["name"] for row in seen["verdicts"] + seen["other"] if "splice" in row["name"]]
    check(len(names) >= 15, f"only {names}")
    equal([name for name in names if f"`{name}`" not in text], [], "not explained")
