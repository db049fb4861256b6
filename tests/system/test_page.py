# The status page in Chromium, over the real daemons: what it shows, how it ages, what it withstands.
"""System tests; run.py runs them."""

import json
import re
import time

import sites
from harness import RUN, Lab, check, contains, equal
from hawser import Load
from services import WEB, WEB6
from sites import SITE, SOURCES
from status_page import HTTP, PAGE, api, backends, drawn, fresh, load, opened, rows, text, told

SERVICES = WEB + WEB6 + sites.spliced("shop", 88, sites.NGINX_PROXIED)
# Text that would be markup, would end an attribute, would turn the line around.
HOSTILE = "<script>document.title='broken'</script>\"'><img src=x onerror=alert(1)>&amp;\u202egnp"


def test_loads_nothing_from_elsewhere(system):
    """One file and JSON of the same server; no error, no warning, nothing against its policy."""
    page = opened(system)
    equal([u for u in page.requests if not u.startswith((HTTP, "data:"))], [], "requests elsewhere")
    paths = {re.sub(r"\?.*", "", url.removeprefix(HTTP)) for url in page.requests
             if url.startswith(HTTP)}
    equal(paths, {"/", "/api/v1/overview"}, "paths that were asked for")
    equal(page.complaints, [], "what Chromium complains about")
    head = Lab.run("balancer", "curl", "-sgD", "-", "-o", f"{RUN}/page.html", PAGE).stdout.lower()
    policy = re.search(r"content-security-policy: (.*)\r?\n", head).group(1)
    contains(policy, "default-src 'none'", "the policy")
    check("unsafe" not in policy and "http" not in policy, f"the policy is weak: {policy}")
    with open(f"{RUN}/page.html", encoding="utf-8") as stream:
        source = stream.read()
    equal(re.findall(r"(?:src|href)=\"(?!#|data:|api/)[^\"]*\"", source), [], "references")


def test_policy_holds(system):
    """A script or style that is not the page's own does not run, nor does one become text."""
    page = opened(system)
    before = len(page.complaints)
    page.run("""(() => {
      const script = document.createElement("style");
      script.textContent = "body { outline: 7px solid red }";
      document.body.append(script);
    })()""")
    equal(page.run("getComputedStyle(document.body).outlineWidth") == "7px", False, "foreign style")
    refused = page.run("""(() => { try { document.getElementById("about").innerHTML = "<b>x</b>";
      return "taken"; } catch (error) { return String(error); } })()""")
    contains(refused, "TypeError", "what innerHTML says")
    del page.complaints[before:]


def test_says_what_hawserctl_says(system):
    """The JSON routes have the keys and values of hawserctl --json, and the page shows them."""
    page = opened(system)
    moving = {"uptime_seconds", "dataplane", "flows", "new_flows", "packets_in", "bytes_in",
              "packets_out", "bytes_out", "checked_unix", "check_result", "agent_unix"}
    ctl, own = system.balancer.json("status"), told("status")
    for key in ("verdict", "service_list"):
        ctl.pop(key)
    equal(list(own), list(ctl), "keys of the status")
    equal({k: own[k] for k in own if k not in moving}, {k: ctl[k] for k in ctl if k not in moving},
          "the status")
    equal(list(own["dataplane"]), list(ctl["dataplane"]), "keys of the dataplane's status")
    for what in ("services", "backends"):
        ctl, own = system.balancer.json(what)[what], told(what)[what]
        for one, other in zip(ctl, own):
            one.pop("id", None)
            equal(list(other), list(one), f"keys of {what}")
            equal({k: other[k] for k in other if k not in moving},
                  {k: one[k] for k in one if k not in moving}, what)
        equal(len(own), len(ctl), f"number of {what}")
    drawn(page)
    equal([(r["Service"], r["State"].split()[-1], r["Serving"]) for r in rows(page, "#services table")],
          [("web", "ok", "3/3"), ("web6", "ok", "3/3"), ("shop", "ok", "3/3")], "services shown")
    contains(text(page, "#verdict"), "All is well: 3 services, 9 of 9 backends serve", "the verdict")
    for name, row in system.balancer.backends("web").items():
        seen = backends(page, "web")[name]
        equal((seen["Address"], seen["State"].split()[-1], seen["Cause"], seen["Weight"]),
              (row["address"], row["state"], row["cause"], str(row["weight"])), f"row of {name}")


def test_routes_take_filters(system):
    """?service, ?backend, ?after, ?last, ?defaults; what is wrong is refused with words."""
    equal([r["name"] for r in told("backends?service=web&backend=b2")["backends"]], ["b2"], "filter")
    sparse = told("backends?service=web&backend=b2&defaults=no")["backends"][0]
    equal([k for k, v in sparse.items() if v in (0, "", False, [])], [], "defaults left out")
    events = told("events")
    check(events["newest"] == events["events"][-1]["sequence"], "newest is not the last")
    equal(len(told("events?last=1")["events"]), 1, "events with last=1")
    equal(told(f"events?after={events['newest'] - 1}")["events"][0]["sequence"], events["newest"],
          "the event after the last but one")
    equal([e for e in told("events?service=web")["events"] if e["service"] != "web"], [], "others")
    for path, status, part in (("backends?service=wbe", 404, "web"), ("events?after=x", 400, "after"),
                               ("status?defaults=maybe", 400, "defaults"),
                               ("services?service=a&service=b", 400, "twice"),
                               ("events?after=-1", 400, "after"), ("nothing", 404, "path")):
        seen, kind, body = api(path)
        equal((seen, kind), (status, "text/plain; charset=utf-8"), f"the answer to {path}")
        contains(body, part, f"the answer to {path}")


def test_live_traffic(system):
    """Flows, rates and sessions move while clients come; the sum is hawserctl's."""
    page = opened(system)
    sites.start(system)
    with sites.Crowd(SITE, 88, "--users", 60, "--requests", 0, "--sources", SOURCES, "--pause", 50):
        with Load(f"{SITE}:80", concurrency=40, requests=0, pause=50, seconds=60):
            system.balancer.until(lambda: system.balancer.json("status")["flows"] >= 40, "flows")
            drawn(page, 3)
            facts = dict(page.run("""[...document.querySelectorAll("#facts div")].map((box) =>
              [box.firstChild.textContent, box.lastChild.textContent])"""))
            for name in ("Live flows", "Requests/s", "Sessions kept/s"):
                check(facts[name] not in ("0", "–"), f"{name} is {facts[name]}")
            shop = [r for r in rows(page, "#services table") if r["Service"] == "shop"][0]
            check(float(shop["Sessions kept/s"].split()[0]) > 1, f"sessions of shop: {shop}")
            system.done("weight", "web/b1", "1", "--wait", "--reason", "make it hot")
            system.done("weight", "web/b2", "1000", "--wait")
            system.balancer.until(lambda: "hot" in backends(page, "web")["b1"]["Share"],
                                  "b1, with a third of the flows, to be hot", 20)
            contains(text(page, "#drift"), "make it hot", "the drift")
    for name in ("b1", "b2"):
        system.done("weight", f"web/{name}", "--file", "--wait")


def test_a_death_is_seen_without_reload(system):
    """A killed backend: down with its cause, in verdict, row, strip and events; and its return."""
    page = opened(system)
    page.run("window.notReloaded = true")
    Lab.script("kill", "1")
    try:
        page.until("""document.querySelector("#verdict").textContent.includes("problem")""",
                   "the verdict to change", 20)
        system.balancer.until_state("web", "b1", "down")
        drawn(page)
        row = backends(page, "web")["b1"]
        contains(row["State"], "down", "the row's state")
        contains(row["Cause"], "refused", "the row's cause")
        equal(next(iter(backends(page, "web"))), "b1", "the row on top")
        contains(text(page, "#problems"), "web/b1", "the problems")
        contains(text(page, "#events"), "backend web/b1 is down, was ready", "the events")
        words = page.run("""[...document.querySelectorAll(".strip svg")].map((strip) =>
          strip.getAttribute("aria-label")).find((words) => words.includes("down"))""")
        check(re.search(r"ready \d+ .*; down \d+ s.*\. .*down at \d\d:", words), f"strip: {words!r}")
        contains(page.run("document.title"), "problem", "the title")
    finally:
        Lab.script("start", "1")
    system.balancer.until_ok()
    page.until("""document.querySelector("#verdict").textContent.includes("All is well")""",
               "all to be well", 20)
    contains(backends(page, "web")["b1"]["State"], "ready", "the row's state at the end")
    equal(page.run("window.notReloaded"), True, "the page was not loaded again")
    equal(page.complaints, [], "what Chromium complains about")


def seconds_of(words):
    """Of "in 1 min 5 s"."""
    units = {"s": 1, "min": 60, "h": 3600}
    return sum(int(n) * units[unit] for n, unit in re.findall(r"(\d+) (s|min|h)\b", words))


def test_a_drain_counts_down(system):
    """A drain with a deadline: sessions let go rise, the countdown falls, who and why are told."""
    page = opened(system)
    system.done("drain", "shop/b2", "--by", "60s", "--reason", HOSTILE)
    try:
        page.until("""!document.querySelector("#drains-section").hidden""", "the drain", 20)
        first = rows(page, "#drains table")[0]
        equal((first["Backend"], first["Why"]), ("shop/b2", HOSTILE), "what drains, and why")
        check(30 < seconds_of(first["Deadline"]) <= 60, f"the deadline: {first['Deadline']}")
        time.sleep(5)
        later = rows(page, "#drains table")[0]
        fallen = seconds_of(first["Deadline"]) - seconds_of(later["Deadline"])
        check(3 <= fallen <= 12, f"the countdown fell by {fallen} s in 5 s")
        released = [float(r["Sessions let go"].split()[0]) for r in (first, later)]
        check(released[1] > released[0], f"sessions let go: {released}")
        value = page.run("""document.querySelector("#drains progress").value""")
        check(abs(value * 100 - released[1]) < 5, f"the bar is at {value}, the text at {released}")
        contains(backends(page, "shop")["b2"]["State"], "draining", "the row's state")
    finally:
        system.done("ready", "shop/b2", "--wait")
    page.until("""document.querySelector("#drains-section").hidden""", "no drain", 20)


def test_hostile_texts_stay_text(system):
    """Names, causes and reasons full of markup are shown as they are and change nothing."""
    name = (HOSTILE + "x" * 63)[:63]
    page = fresh(system)
    replaced = []

    def replace(body):
        overview = json.loads(body)
        replaced.append(True)
        for group, key in (("services", "name"), ("backends", "service")):
            for row in overview[group]:
                row[key] = name if row[key] == "web" else row[key]
        row = [row for row in overview["backends"] if row["service"] == name][0]
        row.update(name=name, cause=HOSTILE, state="down", author=HOSTILE, generation=HOSTILE)
        overview["status"]["problems"] = [{"severity": HOSTILE, "message": HOSTILE}]
        overview["events"].append({"sequence": 10**9, "at_unix_ms": 0, "kind": "state",
                                   "severity": "info", "service": name, "backend": name,
                                   "text": f"backend {name}/{name} is down, was ready: {HOSTILE}"})
        return json.dumps(overview)

    page.falsify("*/api/v1/overview*", replace)
    load(page)
    check(replaced, "nothing was replaced")
    row = backends(page, name)[name]
    equal((row["Cause"], row["Generation"]), (HOSTILE, HOSTILE), "cause and generation")
    contains(text(page, "#problems"), HOSTILE, "the problems")
    contains(text(page, "#events"), HOSTILE, "the events")
    equal(page.run("""document.querySelectorAll("main script, main img, main b b").length"""), 0,
          "elements made of text")
    contains(page.run("document.title"), "Hawser", "the title")
    equal(page.complaints, [], "what Chromium complains about")
    page.call("Page.close")


def test_hawserd_dies_and_returns(system):
    """Killed: the page says since when it is stale, keeps what it shows, and goes on by itself."""
    page = opened(system)
    complaints = len(page.complaints)
    shown = rows(page, "#services table")
    system.balancer.hawserd.kill()
    page.until("""document.querySelector("#verdict").textContent.includes("Stale since")""",
               "the page to say it is stale", 20)
    contains(page.run("document.title"), "Stale", "the title")
    contains(text(page, "#freshness"), " old", "the age")
    equal([r["Service"] for r in rows(page, "#services table")], [r["Service"] for r in shown],
          "services still shown")
    system.balancer.hawserd.start()
    page.until("""document.querySelector("#verdict").textContent.includes("All is well")""",
               "the page to go on", 45)
    equal(page.run("document.body.classList.contains('stale')"), False, "stale")
    contains(text(page, "#freshness"), "Live", "the freshness")
    page.until("""!document.querySelector("#events").textContent.includes("b1 is down")""",
               "the events of the hawserd before to be gone", 20)
    equal([c for c in page.complaints[complaints:] if "net::ERR_" not in c], [],
          "complaints besides failed requests")
    del page.complaints[complaints:]


def test_rests_while_nobody_looks(system):
    """A hidden page asks nothing; seen again it asks at once."""
    page = opened(system)
    hide = """(() => { Object.defineProperty(document, "hidden", { value: %s, configurable: true });
      document.dispatchEvent(new Event("visibilitychange")); })()"""
    page.run(hide % "true")
    time.sleep(1)
    before = len(page.requests)
    time.sleep(5)
    equal(len(page.requests) - before, 0, "requests while hidden")
    page.run(hide % "false")
    time.sleep(0.5)
    check(len(page.requests) > before, "it did not ask at once")
    page.run("delete document.hidden")
