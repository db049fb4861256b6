# The status page of hawserd in Chromium: opening it, reading its tables, asking for its JSON.
"""opened(system) is the page; the other functions read it."""

import json
import re

from browser import Browser
from harness import Lab, equal

HTTP = "http://127.0.0.1:9465"
PAGE = f"{HTTP}/"


def fresh(system):
    """Another page in the browser of the module's tests."""
    if "browser" not in system.helpers:
        system.helpers["browser"] = Browser()
    return system.helpers["browser"].page()


def load(page, times=2):
    page.go(PAGE)
    page.until(f"Number(document.body.dataset.draws) >= {times}", "the page to be drawn", 60)
    return page


def opened(system):
    """The page that all tests of a module go on with."""
    browser = system.helpers.get("browser")
    if browser is None or not hasattr(browser, "kept"):
        page = load(fresh(system))
        system.helpers["browser"].kept = page
    return system.helpers["browser"].kept


def api(path, space="balancer"):
    """(status, content type, body)"""
    done = Lab.run(space, "curl", "-sg", "-m", "10", "-w", "\n%{http_code} %{content_type}",
                   f"{HTTP}/api/v1/{path}")
    body, _, end = done.stdout.rpartition("\n")
    status, _, kind = end.partition(" ")
    return int(status), kind, body


def told(path):
    status, kind, body = api(path)
    equal((status, kind), (200, "application/json"), f"the answer to {path}")
    return json.loads(body)


def rows(page, place):
    """[{column: text}] of a table."""
    return page.run("""(() => {
      const table = document.querySelector(%s);
      if (!table) return [];
      const titles = [...table.tHead.rows[0].cells].map((cell) =>
        cell.textContent.replace(/ [▲▼]$/, ""));
      return [...table.tBodies[0].rows].map((row) => Object.fromEntries(
        [...row.cells].map((cell, i) => [titles[i], cell.textContent.trim()])));
    })()""" % json.dumps(place))


def backends(page, service):
    number = page.run("""[...document.querySelectorAll(".service")].findIndex((part) =>
      part.querySelector("b").textContent === %s)""" % json.dumps(service))
    return {row["Backend"]: row for row in rows(page, f".service:nth-child({number + 1}) table")}


def text(page, selector):
    return page.run(f"(document.querySelector({json.dumps(selector)}) || {{}}).textContent || ''")


def drawn(page, times=2):
    """Waits until the page has been drawn so many times more."""
    now = int(page.run("document.body.dataset.draws || 0"))
    page.until(f"Number(document.body.dataset.draws) >= {now + times}", "the page to be drawn again",
               60)
