# The status page in Chromium: who can use it, how it bears thousands of backends and many hours.
"""System tests; run.py runs them. HAWSER_PICTURES=DIRECTORY keeps the pictures of the guide there."""

import os
import time

import sites
from harness import HERE, RUN, Lab, check, contains, equal
from hawser import Load
from services import WEB, WEB6
from sites import SITE, SOURCES
from status_page import HTTP, backends, drawn, fresh, load, opened, text

SERVICES = WEB + WEB6 + sites.spliced("shop", 88, sites.NGINX_PROXIED)
LARGEST_PICTURE = 300_000  # bytes


WHERE = """(() => { const at = document.activeElement;
  return [at.tagName, at.id || at.textContent.trim().slice(0, 30),
          at === document.body || getComputedStyle(at).outlineStyle !== "none"
          && parseFloat(getComputedStyle(at).outlineWidth) >= 2]; })()"""


def test_keyboard(system):
    """Tab reaches everything in the order of the page, visibly, and comes out again."""
    page = opened(system)
    load(page)
    page.press("Tab")
    contains(page.run(WHERE)[1], "Skip to", "the first stop")
    check(page.run("document.activeElement.getBoundingClientRect().left") >= 0, "it is not seen")
    page.press("Enter")
    equal(page.run("document.activeElement.id"), "main", "where the skip link leads")
    wanted = page.run("""[...document.querySelectorAll("main :is(button, input, select)")]
      .filter((element) => element.checkVisibility()).length""")
    stops = []
    while len(stops) < wanted + 5:
        page.press("Tab")
        stop = page.run(WHERE)
        if stop[0] == "BODY" or stop in stops and stop[1] == stops[0][1]:
            break
        check(stop[2], f"the focus on {stop} is not seen")
        stops.append(stop)
        if page.run("""[...document.querySelectorAll("main :is(button, input, select)")]
            .filter((element) => element.checkVisibility()).at(-1) === document.activeElement"""):
            break
    equal(len(stops), wanted, f"stops ({stops[-3:]})")
    for key, opened_then in (("Enter", "false"), (" ", "true")):
        page.run("""document.querySelector(".service h3 button").focus()""")
        page.press(key)
        equal(page.run("document.activeElement.getAttribute('aria-expanded')"), opened_then,
              f"the service after {key!r}")
    page.run("""[...document.querySelectorAll(".service thead button")].find((button) =>
      button.textContent.startsWith("Backend")).focus()""")
    for wanted_order in ("ascending", "descending", "none"):
        page.press("Enter")
        equal(page.run("document.activeElement.closest('th').getAttribute('aria-sort')"),
              wanted_order, "aria-sort")
    drawn(page)
    equal(page.run("document.activeElement.tagName"), "BUTTON", "the focus after two updates")
    page.run("""document.querySelector("#filter").focus()""")
    page.write("web6/b2 ready")
    equal(text(page, "#filter-result"), "1 of 9 backends", "what the filter found")
    equal(list(backends(page, "web6")), ["b2"], "rows left by the filter")
    page.run("""(() => { const box = document.querySelector("#filter"); box.value = "";
      box.dispatchEvent(new Event("input")); })()""")


def test_everybody_can_use_it(system):
    """Names, headings, landmarks, tables, targets and contrast: light and dark, small and large."""
    page = opened(system)
    with open(os.path.join(HERE, "page_checks.js"), encoding="utf-8") as stream:
        checks = stream.read()
    system.done("drain", "web/b2", "--by", "600s", "--reason", "to be looked at")
    Lab.script("kill", "3")
    try:
        system.balancer.until_state("web", "b3", "down")
        for scheme in ("light", "dark"):
            page.prefer(scheme, "reduce")
            # A phone, a window at 200 %, a desk, a wall.
            for width, height in ((360, 740), (640, 450), (1280, 900), (2560, 1440)):
                page.size(width, height)
                drawn(page, 1)
                seen = page.run(checks)
                equal(seen["wrong"], [], f"faults, {scheme}, {width} wide")
                check(seen["checked"] > 150 and seen["least"] >= 4.5,
                      f"{seen['checked']} texts, least contrast {seen['least']}")
        moving = page.run("""[...document.querySelectorAll("*")].filter((element) => {
          const style = getComputedStyle(element);
          return style.animationName !== "none" || style.transitionDuration !== "0s"; }).length""")
        equal(moving, 0, "elements that move although nobody wants it")
    finally:
        Lab.script("start", "3")
        system.done("ready", "web/b2")
        page.prefer("light")
        page.size(1280, 900)
    system.balancer.until_ok()


def test_the_checks_find_faults(system):
    """Each check of the one above bites on a page that is wrong."""
    page = opened(system)
    with open(os.path.join(HERE, "page_checks.js"), encoding="utf-8") as stream:
        checks = stream.read()
    faults = [
        ("has no name", "document.querySelector('main').append(document.createElement('button'))"),
        ("a target of", "document.querySelector('#expand').style.cssText = "
                        "'min-height:0;height:10px;padding:0'"),
        ("a contrast of", "document.querySelector('#about').style.color = '#888'"),
        ("twice", "document.querySelector('footer').id = 'main'"),
        ("after level", "document.querySelector('#facts').before(document.createElement('h5'))"),
        ("a tabindex above 0", "document.querySelector('#main').tabIndex = 3"),
        ("whose scope", "document.querySelector('#services th').scope = ''"),
        ("without words", "document.querySelector('.strip svg').removeAttribute('aria-label'), "
                          "document.querySelector('.strip title').remove()"),
        ("has not one label", "document.querySelector('label[for=filter]').remove()"),
        ("wide in a window", "document.querySelector('#about').style.width = '5000px'"),
        ("more is live", "document.querySelector('#about').setAttribute('role', 'alert')"),
    ]
    for words, fault in faults:
        load(page, 1)
        page.run(f"({fault}, null)")
        contains(" ".join(page.run(checks)["wrong"]), words, "what the checks find")
    load(page)
    del page.complaints[:]


def test_pictures_of_the_guide(system):
    """The page under load with a drain, light and dark, as the guide shows it."""
    page = opened(system)
    sites.start(system)
    where = os.environ.get("HAWSER_PICTURES", RUN)
    with sites.Crowd(SITE, 88, "--users", 60, "--requests", 0, "--sources", SOURCES, "--pause", 50):
        with Load(f"{SITE}:80", concurrency=60, requests=0, pause=50, seconds=90):
            Lab.script("kill", "3")
            system.balancer.until_state("web", "b3", "down")
            Lab.script("start", "3")
            system.balancer.until_ok()
            system.done("drain", "shop/b2", "--by", "90s", "--reason", "new kernel")
            time.sleep(20)
            page.size(1360, 1500)
            load(page)
            page.run("""(() => { const window = document.querySelector("#window");
              window.value = "600"; window.dispatchEvent(new Event("change")); })()""")
            for scheme, name in (("light", "status-page.png"), ("dark", "status-page-dark.png")):
                page.prefer(scheme)
                drawn(page, 3)
                page.picture(f"{where}/{name}")
                size = os.path.getsize(f"{where}/{name}")
                check(10_000 < size < LARGEST_PICTURE, f"{name} has {size} bytes")
    system.done("ready", "shop/b2", "--wait")
    page.prefer("light")
    page.size(1280, 900)
    equal(page.complaints, [], "what Chromium complains about")


def many(count):
    """Services of a thousand backends, which nobody checks."""
    def addresses(first):
        return "".join(f'  {{ name = "s{n}", address = "10.77.0.1{1 + n % 3}", port = {20000 + n} }},'
                       "\n" for n in range(first, first + 1000))
    return "".join(f'[[service]]\nname = "many{n}"\naddress = "10.77.0.100"\nport = {1000 + n}\n'
                   f'check = {{ type = "none" }}\nforward = "nat"\nbackend = [\n'
                   f"{addresses(n * 1000)}]\n" for n in range(count // 1000))


def measured(page, count):
    """Milliseconds that drawing takes, by what is shown."""
    load(page, 1)
    equal(text(page, "#filter-result"), f"{count + 9} backends", "backends")
    seen = {"first": float(page.run("document.body.dataset.drawMilliseconds"))}
    act = """(() => { const begun = performance.now(); %s; document.body.offsetHeight;
      return performance.now() - begun; })()"""
    drawn(page)
    seen["closed"] = float(page.run("document.body.dataset.drawMilliseconds"))
    seen["open all"] = page.run(act % "document.querySelector('#expand').click()")
    drawn(page)
    seen["open"] = float(page.run("document.body.dataset.drawMilliseconds"))
    seen["elements"] = page.run("document.querySelectorAll('*').length")
    seen["filter"] = page.run(act % """const box = document.querySelector("#filter");
      box.value = "s77"; box.dispatchEvent(new Event("input"))""")
    contains(text(page, "#filter-result"), "of", "what the filter found")
    return seen


def answer_cost(system, path):
    """(seconds, bytes) of one answer."""
    done = Lab.run("balancer", "curl", "-sg", "-o", "/dev/null", "-w", "%{time_total} %{size_download}",
                   f"{HTTP}/api/v1/{path}")
    seconds, size = done.stdout.split()
    return float(seconds), int(size)


def test_many_backends(system):
    """With a thousand and ten thousand more backends the page stays small; times are printed."""
    page = opened(system)
    with open(system.balancer.file, encoding="utf-8") as stream:
        before = stream.read()
    try:
        for count in (1000, 10000):
            system.balancer.write(before + many(count))
            system.done("reload")
            system.balancer.until(system.balancer.status_applied, f"{count} backends", 120)
            seen = measured(page, count)
            seconds, size = answer_cost(system, "overview?defaults=no")
            print(f"# {count} backends: drawn in ms: {seen}; an answer: {seconds:.3f} s, "
                  f"{size / 1e6:.2f} MB", flush=True)
            check(seen["elements"] < 25000, f"too many elements: {seen}")
    finally:
        system.balancer.write(before)
        system.done("reload")
    system.balancer.until_ok(60)


def test_memory_stays(system):
    """Through 600 answers, twenty minutes' worth, memory and elements do not grow."""
    page = fresh(system)
    page.call("Page.addScriptToEvaluateOnNewDocument",
               source="""const slow = window.setTimeout;
                 window.setTimeout = (what, time) => slow(what, time / 40);""")
    load(page)

    def held():
        page.call("HeapProfiler.collectGarbage")
        heap = page.call("Runtime.getHeapUsage")["usedSize"]
        return heap, page.run("document.querySelectorAll('*').length")

    page.until("Number(document.body.dataset.draws) >= 100", "100 answers", 120)
    first = held()
    page.until("Number(document.body.dataset.draws) >= 700", "700 answers", 240)
    last = held()
    page.call("Page.close")
    print(f"# heap after 100 answers {first[0] / 1e6:.2f} MB, after 700 {last[0] / 1e6:.2f} MB",
          flush=True)
    check(last[0] < first[0] * 1.1 + 200_000, f"the heap grew from {first[0]} to {last[0]}")
    check(abs(last[1] - first[1]) < 50, f"elements: {first[1]}, then {last[1]}")
