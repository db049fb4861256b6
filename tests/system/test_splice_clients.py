# Spliced HTTP with the clients and servers that people have: ten thousand sessions, real programs.
"""System tests; run.py runs them."""

import asyncio
import json
import os
import re
import shutil
import subprocess

import requests
import websockets

import sites
from harness import RUN, Lab, Skipped, check, contains, equal
from hawser import netns
from sites import CLIENT, CLIENT6, SITE, SITE6
from talk import User, inside

SERVICES = (sites.spliced("web", 80, sites.NGINX_PROXIED)
            + sites.spliced("web6", 80, sites.NGINX_PROXIED, address=SITE6)
            + sites.spliced("apache", 81, sites.APACHE_PROXIED)
            + sites.spliced("apache6", 81, sites.APACHE_PROXIED, address=SITE6))
HOMES = {"b1", "b2", "b3"}
SESSIONS = 10_000


def jar(name):
    path = f"{RUN}/{name}.jar"
    if os.path.exists(path):
        os.unlink(path)
    return path


def fields_of(text):
    return dict(line.lower().split(": ", 1) for line in text.replace("\r", "").split("\n")
                if ": " in line)


def test_ten_thousand_sessions(system):
    """10,000 users, three requests each, half of them on one connection: all at their homes."""
    sites.start(system)
    seen, counted = sites.caused(system, "web", lambda: sites.sessions(
        SITE, 80, "--users", SESSIONS, "--requests", 3, "--sources", sites.SOURCES, timeout=90))
    equal(seen["causes"], {}, "failed requests")
    equal(seen["moves"], {}, "sessions that moved")
    equal((seen["answered"], seen["least"]), (3 * SESSIONS, 3), "answers")
    equal(seen["cookies"], SESSIONS, "cookies given")
    equal(set(seen["homes"]), HOMES, "homes")
    check(min(seen["homes"].values()) > SESSIONS * 0.28, f"uneven homes: {seen['homes']}")
    equal((counted["requests"], counted["sessions_new"], counted["sessions_kept"]),
          (3 * SESSIONS, SESSIONS, 2 * SESSIONS), "counted requests, new and kept sessions")
    check(seen["seconds"] < 60, f"it took {seen['seconds']} s")


def test_sessions_over_ipv6_and_at_apache(system):
    """The same with Apache httpd, and over IPv6."""
    sites.start(system)
    for host, port in ((SITE, 81), (SITE6, 80), (SITE6, 81)):
        seen = sites.sessions(host, port, "--users", 300, "--requests", 4, "--path",
                              "/index.html")
        equal((seen["causes"], seen["moves"]), ({}, {}), f"failures and moves at {host}:{port}")
        equal((seen["answered"], seen["cookies"]), (1200, 300), "answers and cookies")
        equal(set(seen["homes"]), HOMES, f"homes at {host}:{port}")


def test_curl_keeps_its_home(system):
    """curl with a cookie jar: one connection and many connections, always the same backend."""
    sites.start(system)
    for host, source in ((SITE, CLIENT), (f"[{SITE6}]", CLIENT6)):
        for port in (80, 81):
            path = jar("curl")
            homes = set()
            for turn in range(4):
                done = Lab.run("client", "curl", "-sg", "-m", "5", "--interface", source,
                               "-b", path, "-c", path, "-D", "-", "-A", f"curl-{port}",
                               *[f"http://{host}:{port}/index.html?{n}" for n in range(5)])
                equal(done.returncode, 0, f"exit of curl at {host}:{port}, turn {turn}")
                equal(done.stdout.count("HTTP/1.1 200"), 5, "answers")
                homes |= set(re.findall(r"X-Backend: (b\d)", done.stdout))
                contains(done.stdout, f"X-Client: {source}", "what the server saw")
            equal(len(homes), 1, f"homes of one curl at {host}:{port}: {homes}")


def test_wrk(system):
    """wrk for two seconds over 64 connections: no error of any kind."""
    sites.start(system)
    for url in (f"http://{SITE}/", f"http://[{SITE6}]:81/index.html"):
        done = Lab.run("client", "wrk", "-t1", "-c64", "-d2s", url)
        equal(done.returncode, 0, f"exit of wrk ({done.stderr})")
        for word in ("Socket errors", "Non-2xx"):
            check(word not in done.stdout, f"wrk at {url}: {done.stdout}")
        many = int(re.search(r"(\d+) requests in", done.stdout).group(1))
        check(many > 500, f"wrk did only {many} requests at {url}")


def test_h2load(system):
    """h2load --h1: 4000 requests over 40 connections, every one answered with 200."""
    sites.start(system)
    for host in (SITE, f"[{SITE6}]"):
        done = Lab.run("client", "h2load", "--h1", "-n4000", "-c40", "-t1", "-H",
                       ":authority: site", f"http://{host}/")
        equal(done.returncode, 0, f"exit of h2load ({done.stderr})")
        contains(done.stdout, "4000 total, 4000 started, 4000 done, 4000 succeeded, 0 failed, "
                              "0 errored, 0 timeout", "h2load's report")


def test_python_requests(system):
    """Python requests: a session keeps its home, also by new connections and with bodies."""
    sites.start(system)
    with inside("client"):
        for port in (80, 81):
            homes = set()
            with requests.Session() as session:
                session.headers["User-Agent"] = f"requests-{port}"
                for turn in range(20):
                    reply = session.get(f"http://{SITE}:{port}/index.html", timeout=5)
                    equal(reply.status_code, 200, "status")
                    homes.add(reply.headers["X-Backend"])
                    if turn % 5 == 4:
                        session.close()  # its adapters open new connections
                equal(len(session.cookies), 1, f"cookies at port {port}: {session.cookies}")
            equal(len(homes), 1, f"homes of one session: {homes}")


async def talk_by_websocket(url, agent, cookie):
    headers = {"User-Agent": agent}
    if cookie:
        headers["Cookie"] = f"hawser={cookie}"
    answers = []
    async with websockets.connect(url, extra_headers=headers, compression=None,
                                  max_size=None) as opened:
        given = opened.response_headers.get_all("Set-Cookie")
        for message in ("hello", "x" * 70_000, b"\x00\xff" * 40_000):
            await opened.send(message)
        for _ in range(3):
            answers.append(await asyncio.wait_for(opened.recv(), 5))
        await asyncio.sleep(0.3)
        await opened.send("late")
        answers.append(await asyncio.wait_for(opened.recv(), 5))
    return answers, given


def test_websocket(system):
    """WebSocket through an Upgrade: echoed by the session's home, the cookie comes with the 101."""
    sites.start(system)
    with inside("client"):
        for url in (f"ws://{SITE}/ws", f"ws://[{SITE6}]/ws"):
            for number in range(4):
                answers, given = asyncio.run(talk_by_websocket(url, f"ws-{number}", None))
                home = answers[0].split(" ")[0]
                equal(answers, [f"{home} hello", f"{home} {'x' * 70_000}",
                                home.encode() + b" " + b"\x00\xff" * 40_000, f"{home} late"],
                      "echoes")
                equal(len(given), 1, f"cookies with the 101: {given}")
                user = User(f"ws-{number}")
                user.cookie = given[0].split("=", 1)[1].split(";")[0]
                again, given = asyncio.run(talk_by_websocket(url, "other", user.cookie))
                equal((again[0], given), (f"{home} hello", []), "with the cookie: echo and cookies")
                user.visit(SITE6 if "[" in url else SITE, 80)
                equal(user.home, home, "home of a request with the WebSocket's cookie")


async def talk_over_a_drain(system):
    async with websockets.connect(f"ws://{SITE}/ws", compression=None) as opened:
        async def echo(word):
            await opened.send(word)
            return await asyncio.wait_for(opened.recv(), 5)
        home = (await echo("one")).split(" ")[0]
        cookie = opened.response_headers["Set-Cookie"].split("=", 1)[1].split(";")[0]
        system.done("drain", f"web/{home}", "--reason", "test")
        equal(await echo("two"), f"{home} two", "echo of a drained home")
        user = User("drained")
        user.cookie = cookie
        user.visit(SITE, 80)
        equal(user.home, home, "home of the session while its home drains")
        user = User("new")
        user.visit(SITE, 80)
        check(user.home != home, "a new user went to the drained home")
        system.done("maintenance", f"web/{home}", "--wait")
        try:
            return home, await echo("three")
        except websockets.ConnectionClosed:
            return home, None


def test_websocket_outlives_a_drain(system):
    """An open WebSocket stays at its drained home; maintenance ends it."""
    sites.start(system)
    with inside("client"):
        home, answer = asyncio.run(talk_over_a_drain(system))
    equal(answer, None, "echo under maintenance")
    system.done("ready", f"web/{home}", "--wait")


def chromium(url, budget=4000):
    """The page's DOM after its scripts have run; the program is ended if it lasts."""
    if not shutil.which("chromium"):
        raise Skipped("chromium is not installed")
    done = subprocess.run(
        netns("client", "chromium", "--headless=new", "--no-sandbox", "--disable-gpu",
              "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
              "--disable-component-update", f"--user-data-dir={RUN}/chromium",
              f"--virtual-time-budget={budget}", "--dump-dom", url),
        capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, "HOME": RUN, "DBUS_SESSION_BUS_ADDRESS": "disabled:"})
    return done.stdout


def test_chromium_loads_a_page(system):
    """Chromium loads a page with twenty scripts: every one comes from the page's home."""
    sites.start(system)
    dom = chromium(f"http://{SITE}/files/page.html")
    parts = re.findall(r"<b>(b\d) ([^<]*)</b>", dom)
    equal(len(parts), 20, f"scripts that ran ({dom[-400:]})")
    equal(len({home for home, _ in parts}), 1, f"homes of one page: {parts}")
    cookies = {cookie for _, cookie in parts}
    equal(len(cookies), 1, f"cookies that Chromium sent: {cookies}")
    check(cookies.pop().startswith("hawser="), "Chromium sent no cookie of the balancer")


def test_chromium_opens_a_websocket(system):
    """Chromium's own WebSocket, opened by the page, is echoed by the page's home."""
    sites.start(system)
    sites.write(f"{RUN}/files/socket.html", """<!doctype html><body><script src="/part/0.js">
</script><p id="told"></p><script>
const opened = new WebSocket(`ws://${location.host}/ws`);
opened.onopen = () => opened.send("from the page");
opened.onmessage = (event) => { document.getElementById("told").textContent = event.data; };
</script></body>""")
    dom = chromium(f"http://{SITE}/files/socket.html", 3000)
    home = re.search(r"<b>(b\d) ", dom)
    check(home, f"the page's script did not run: {dom[-300:]}")
    contains(dom, f'<p id="told">{home.group(1)} from the page</p>', "the page")


def test_nothing_was_lost(system):
    """After all that: no request was refused, no cookie void, no connection given up."""
    sites.start(system)
    for service in ("web", "web6", "apache", "apache6"):
        seen = sites.causes(system, service)
        bad = {name: count for name, count in seen.items()
               if count and name not in ("requests", "sessions_new", "sessions_kept",
                                              "sessions_moved")}
        equal(bad, {}, f"what went wrong at {service}")
    seen = json.loads(system.done("services", "--json"))
    check(seen["services"], "no services")


def test_everything_closes(system):
    """With all clients gone, no server has a connection left and no local port is in use."""
    sites.start(system)
    sites.everything_closes(system)
