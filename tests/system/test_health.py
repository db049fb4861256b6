# Health checks and agents against real servers that are well, ill, or worse.
"""System tests; run.py runs them."""

import json
import os
import re
import time

import check_server
import check_sites
from check_sites import FOLDER, NAME
from harness import HERE, check, contains, equal
from hawser import PYTHON, Lab, configuration, load
from services import WEB

SERVICES = WEB
BACKEND = "10.77.0.11"
TIMES = 'interval = "300ms", timeout = "400ms", rise = 2, fall = 2'
AUTHORITY = f'ca_file = "{FOLDER}/authority.crt"'
VERIFIED = f'{AUTHORITY}, server_name = "{NAME}"'
EXPIRED, SOON = check_sites.day(-3)[1], check_sites.day(3.5)[1]
UP, DOWN = "up", "down"
IN_TIME = r" in \d+ ms"


def own(name):
    return check_server.PORTS[name]


def site(name):
    return check_sites.PORTS[name]


# name: (port, check, health, all of the check's result)
ROWS = {
    "refuse": (9500, 'type = "http"', DOWN, "connection refused"),
    "refuse-tcp": (9500, 'type = "tcp"', DOWN, "connection refused"),
    "hang": (own("hang"), 'type = "http"', DOWN, "no answer in 400 ms"),
    "hang-tcp": (own("hang"), 'type = "tcp"', UP, "connected" + IN_TIME),
    "hang-tls": (own("hang"), f'type = "tls", {VERIFIED}', DOWN, "no TLS handshake in 400 ms"),
    "late": (own("late"), 'type = "http"', DOWN, "no answer in 400 ms"),
    "in-time": (own("just_in_time"), 'type = "http"', UP, r"200 in [23]\d\d ms"),
    "busy": (own("busy"), 'type = "http"', DOWN, "503, expected 200 to 399"),
    "busy-wanted": (own("busy"), 'type = "http", status = 503', UP, "503" + IN_TIME),
    "sorry": (own("sorry"), 'type = "http", body = "ok"', DOWN, '200, but the body lacks "ok"'),
    "sorry-regex": (own("sorry"), 'type = "http", body_regex = "^status: [a-z]+"', DOWN,
                    r'200, but the body does not match "\^status: \[a-z\]\+"'),
    "bare": (own("bare"), 'type = "http", header = { name = "X-Ready" }', DOWN,
             "200, but without header X-Ready"),
    "reset": (own("reset"), 'type = "http", body = "all of it"', DOWN, "connection reset"),
    "close": (own("close"), 'type = "http"', DOWN, "closed without an answer|connection reset"),
    "endless-head": (own("endless_head"), 'type = "http"', DOWN,
                     "the answer's head is longer than 32 KiB"),
    "endless-body": (own("endless_body"), 'type = "http", body = "less"', DOWN,
                     '200, but the body lacks "less"'),
    "no-http": (own("banner"), 'type = "http"', DOWN, "the answer is no HTTP/1"),
    "smtp": (own("banner"), 'type = "tcp", expect = "SSH-2.0-"', UP, '"SSH-2.0-"' + IN_TIME),
    "redis": (own("redis"), r'type = "tcp", send = "PING\r\n", expect = "+PONG"', UP,
              r'"\+PONG"' + IN_TIME),
    "redis-ill": (own("redis_error"), r'type = "tcp", send = "PING\r\n", expect = "+PONG"', DOWN,
                  r'answered "-ERR .*, expected "\+PONG"'),
    "all-of-http": (site("plain"), 'type = "http", method = "POST", host = "web.test", '
                    'request_header = [{ name = "X-Check", value = "deep" }], header = { name = '
                    '"X-Told", value = "POST deep web.test" }, body_regex = "^status: ok \\\\d+$"',
                    UP, "200" + IN_TIME),
    "header-value": (site("plain"), 'type = "http", header = { name = "x-ready", value = "no" }',
                     DOWN, '200, but header x-ready is "yes", expected "no"'),
    "head": (site("plain"), 'type = "http", method = "HEAD"', UP, "200" + IN_TIME),
    "https": (site("good"), f'type = "https", host = "{NAME}", {AUTHORITY}', UP, "200" + IN_TIME),
    "tls": (site("good"), f'type = "tls", {VERIFIED}', UP, "TLS handshake" + IN_TIME),
    "expired": (site("expired"), f'type = "https", {VERIFIED}', DOWN,
                f"certificate expired on {EXPIRED}"),
    "expired-taken": (site("expired"), 'type = "https", verify = false', UP,
                      f"200{IN_TIME}; certificate expired on {EXPIRED}"),
    "soon": (site("soon"), f'type = "https", {VERIFIED}', UP,
             f"200{IN_TIME}; certificate expires on {SOON}, in 3 d"),
    "soon-enough": (site("soon"), f'type = "https", {VERIFIED}, expires_within = "2d"', UP,
                    "200" + IN_TIME),
    "wrong-name": (site("other"), f'type = "https", {VERIFIED}', DOWN,
                   f"certificate is for other.test, not for {NAME}"),
    "no-name": (site("good"), f'type = "tls", {AUTHORITY}', DOWN,
                f"certificate is for {NAME}, not for {BACKEND}"),
    "self-signed": (site("self"), f'type = "https", {VERIFIED}', DOWN,
                    "certificate is self-signed"),
    "self-signed-taken": (site("self"), 'type = "tls", verify = false', UP,
                          "TLS handshake" + IN_TIME),
    "unknown": (site("stranger"), f'type = "https", {VERIFIED}', DOWN,
                "certificate is of the unknown authority Nobody's Authority"),
    "system": (site("good"), f'type = "https", server_name = "{NAME}"', DOWN,
               "certificate is of the unknown authority Lab Authority"),
    "no-tls": (own("banner"), f'type = "https", {VERIFIED}', DOWN, "the answer is no TLS"),
    "no-tls-http": (site("plain"), f'type = "tls", {VERIFIED}', DOWN, "the answer is no TLS"),
    "old": (site("old"), f'type = "tls", {VERIFIED}', DOWN,
            "no common version of TLS: 1.2 and 1.3 are asked for"),
    "closed-tls": (own("close"), f'type = "tls", {VERIFIED}', DOWN,
                   "(closed|connection reset) in the TLS handshake"),
    "asks": (site("asks"), f'type = "https", {VERIFIED}', DOWN, "400, expected 200 to 399"),
    "asks-shown": (site("asks"), f'type = "https", {VERIFIED}, client_certificate = '
                   f'"{FOLDER}/client.crt", client_key = "{FOLDER}/client.key"', UP,
                   "200" + IN_TIME),
    "proxied": (site("proxied"), 'type = "http", proxy_protocol = true', UP, "200" + IN_TIME),
    "proxied-tls": (site("proxied_tls"), f'type = "https", proxy_protocol = true, {VERIFIED}', UP,
                    "200" + IN_TIME),
    "proxied-bare": (site("proxied"), 'type = "http"', DOWN,
                     "closed without an answer|connection reset"),
}


def service(number, name, port, text):
    return (f'[[service]]\nname = "{name}"\naddress = "10.77.0.100"\nport = {7000 + number}\n'
            f'{text}\nbackend = [{{ name = "b1", address = "{BACKEND}", port = {port} }}]\n')


def all_services():
    return WEB + "".join(service(number, name, port, f"check = {{ {text}, {TIMES} }}")
                         for number, (name, (port, text, _, _)) in enumerate(ROWS.items()))


def use(system, services):
    system.balancer.write(configuration(services))
    return system.done("reload")


def put(backend, name, text):
    folder = f"{FOLDER}/{backend}"
    os.makedirs(folder, exist_ok=True)
    with open(f"{folder}/{name}.new", "w", encoding="utf-8") as stream:
        stream.write(text)
    os.replace(f"{folder}/{name}.new", f"{folder}/{name}")


def start(system):
    """The servers; their files."""
    if "checked-nginx" in system.helpers:
        return
    check_sites.make()
    with open(f"{FOLDER}/nginx.conf", "w", encoding="utf-8") as stream:
        stream.write(check_sites.nginx())
    system.helper("checked-nginx", "backend1", "nginx", "-c", f"{FOLDER}/nginx.conf", "-e",
                  f"{FOLDER}/nginx.log")
    for backend in ("backend1", "backend2", "backend3"):
        put(backend, "flap", "200 OK")
        put(backend, "agent", "up\n")
        system.helper(f"checked-{backend}", backend, PYTHON,
                      os.path.join(HERE, "check_server.py"), f"{FOLDER}/{backend}")
        system.wait(lambda b=backend: system.listening("t", b, own("agent_asked")),
                    f"the servers of {backend}")
    system.wait(lambda: Lab.run("backend1", "ss", "-Hlnt", f"sport = :{site('plain')}").stdout,
                "nginx")


def judged(system, name):
    row = system.balancer.backends(name)["b1"]
    return row if row["health"] == ROWS[name][2] else None


def test_every_failure_has_its_text(system):
    """Each server that is ill, and each that is well, is known for what it is, by state and text."""
    start(system)
    use(system, all_services())
    wrong = []
    for name, (_, _, health, text) in ROWS.items():
        try:
            row = system.balancer.until(lambda n=name: judged(system, n), f"{name} to be {health}",
                                        10)
        except Exception:  # the list of all that is wrong says more than the first of it
            row = system.balancer.backends(name)["b1"]
        seen = row["health"], row["check_result"]
        if seen[0] != health or not re.fullmatch(text, seen[1]):
            wrong.append(f"{name}: {seen}")
        if health == UP:
            equal(row["state"], "ready", f"state of {name}")
        elif seen[0] == DOWN and row["cause"] != f"check failed: {row['check_result']}":
            wrong.append(f"{name}: cause {row['cause']!r}")
    equal(wrong, [], "what is not as it should be")


def test_certificates_that_end_are_a_problem(system):
    """A certificate about to expire is told as a problem; its backend serves all the same."""
    start(system)
    use(system, all_services())
    system.balancer.until(lambda: judged(system, "soon"), "soon to be up", 10)
    problems = json.dumps(system.balancer.json("status")["problems"])
    contains(problems, f"backend soon/b1 ({BACKEND}:{site('soon')}): its certificate expires on "
                       f"{SOON}", "the problems")
    check(f"soon-enough/b1 ({BACKEND}:{site('soon')}): its" not in problems,
          "a certificate that is good for long enough is a problem")


def test_bad_settings_are_refused(system):
    """A file that is not there and a pattern that is none are refused with line and column."""
    start(system)
    use(system, WEB)
    for text, words in (('type = "tls", ca_file = "/nowhere"', "ca_file: No such file"),
                        ('type = "http", body_regex = "(a"', "body_regex: Missing close paren"),
                        (f'type = "tls", client_certificate = "{FOLDER}/good.crt", '
                         f'client_key = "{FOLDER}/self.key"', "client_key: key values mismatch")):
        system.balancer.write(configuration(WEB + service(1, "bad", 1, f"check = {{ {text} }}")))
        message = system.refused(1, "reload")
        contains(message, words, "the refusal")
        check(re.search(r"hawser\.toml:\d+:\d+: service \"bad\", check: ", message), message)
    use(system, WEB)


def test_renewed_files_count_after_a_reload(system):
    """An authority that is exchanged under the same name counts from the next reload on."""
    start(system)
    authority = f"{FOLDER}/exchanged.crt"
    Lab.run("balancer", "cp", f"{FOLDER}/nobody.crt", authority)
    services = WEB + service(1, "exchanged", site("good"), f'check = {{ type = "https", ca_file = '
                             f'"{authority}", server_name = "{NAME}", {TIMES} }}')
    use(system, services)
    health = lambda: system.balancer.backends("exchanged")["b1"]["health"]  # noqa: E731
    system.balancer.until(lambda: health() == DOWN, "the wrong authority to be noticed", 10)
    Lab.run("balancer", "cp", f"{FOLDER}/authority.crt", authority)
    system.done("reload")
    system.balancer.until(lambda: health() == UP, "the right authority to be noticed", 10)


def test_rise_and_fall_move_traffic(system):
    """A backend falls after `fall` bad checks and rises after `rise` good ones; traffic follows."""
    start(system)
    three = "".join(f'  {{ name = "b{n}", address = "10.77.0.1{n}", port = 8080 }},\n'
                    for n in (1, 2, 3))
    flapping = (f'[[service]]\nname = "flap"\naddress = "10.77.0.100"\nport = 7100\n'
                f'forward = "nat"\ncheck = {{ type = "http", port = {own("flap")}, interval = '
                f'"400ms", timeout = "300ms", rise = 3, fall = 2 }}\nbackend = [\n{three}]\n')
    use(system, WEB + flapping)
    system.balancer.until(lambda: all(row["health"] == UP for row in
                                      system.balancer.backends("flap").values()), "all up", 10)
    served = lambda: set(load("10.77.0.100:7100", connections=90,  # noqa: E731
                              concurrency=6)["connections_by_backend"])
    equal(served(), {"b1", "b2", "b3"}, "backends with traffic at first")
    put("backend2", "flap", "500 Ill")
    began = time.monotonic()
    system.balancer.until_state("flap", "b2", "down", 10)
    fell = time.monotonic() - began
    check(fell < 2, f"it took {fell:.1f} s to fall")
    contains(system.balancer.backends("flap")["b2"]["cause"], "500, expected 200 to 399")
    equal(served(), {"b1", "b3"}, "backends with traffic when b2 is down")
    put("backend2", "flap", "200 OK")
    began = time.monotonic()
    system.balancer.until_state("flap", "b2", "ready", 10)
    rose = time.monotonic() - began
    check(rose > 0.7, f"it rose after {rose:.1f} s, before three checks could be good")
    equal(served(), {"b1", "b2", "b3"}, "backends with traffic at last")


def test_one_bad_check_is_not_enough(system):
    """Less than `fall` bad checks in a row change no state, but are told."""
    start(system)
    use(system, WEB + service(1, "once", own("flap"), 'check = { type = "http", interval = "1s", '
                              'timeout = "300ms", rise = 1, fall = 3 }'))
    system.balancer.until_state("once", "b1", "ready", 10)
    put("backend1", "flap", "500 Ill")
    row = system.balancer.until(
        lambda: (lambda r: r if r["check_result"].startswith("500") else None)(
            system.balancer.backends("once")["b1"]), "a bad check", 10)
    equal(row["state"], "ready", "state after one bad check")
    contains(json.dumps(system.balancer.json("status")["problems"]),
             "still serves, but its last check failed: 500", "the problems")
    put("backend1", "flap", "200 OK")
    system.balancer.until(lambda: system.balancer.backends("once")["b1"]["check_result"]
                          .startswith("200"), "a good check", 10)
    equal(system.balancer.backends("once")["b1"]["state"], "ready", "state in the end")


def agent_of(system, name):
    row = system.balancer.backends(name)["b1"]
    return row["state"], row["agent"], row["agent_percent"], row["agent_result"]


def agents(system, *rows):
    """Services with an agent each: (name, port of the agent, more of its table)."""
    times = 'interval = "300ms", timeout = "300ms"'
    use(system, WEB + "".join(
        service(number, name, 8080, f'check = {{ type = "none" }}\nagent = {{ port = {port}, '
                f'{times}{more} }}')
        for number, (name, port, more) in enumerate(rows)))


def test_agents_decide(system):
    """What an agent says becomes the backend's state; silence and half lines change nothing."""
    start(system)
    agents(system, ("words", own("agent"), ""))
    for line, wanted in (
            ("up\n", ("ready", "up", 100, "up")),
            ("75%\n", ("ready", "up", 75, "75%")),
            ("drain # disk is slow\n", ("draining", "drain", 75, "drain # disk is slow")),
            ("up 60%\n", ("draining", "drain", 60, "up 60%")),
            ("no line", ("draining", "drain", 60, "the agent closed in the middle of its line")),
            ("ready,100%\r\n", ("ready", "up", 100, "ready,100%")),
            ("down # disk is full\n", ("down", "down", 100, "down # disk is full")),
            ("ready\n", ("down", "down", 100, "ready")),
            ("UP\n", ("ready", "up", 100, "UP")),
            ("maint\n", ("maintenance", "maintenance", 100, "maint")),
            ("ready\n", ("ready", "up", 100, "ready")),
            ("0%\n", ("draining", "drain", 100, "0%")),
            ("50% maxconn:30\n", ("ready", "up", 50, "50% maxconn:30"))):
        put("backend1", "agent", line)
        try:
            system.balancer.until(lambda w=wanted: agent_of(system, "words") == w, line, 8)
        except Exception:  # what it is instead says more than how long it was waited for
            equal(agent_of(system, "words"), wanted, f"after {line!r}")


def test_agents_without_a_word(system):
    """An agent that hangs, hangs up or talks nonsense is told, and changes nothing."""
    start(system)
    agents(system, ("silent", own("agent_hang"), ""), ("closed", own("close"), ""),
           ("garbage", own("agent_garbage"), ""), ("nobody", 9500, ""),
           ("asked", own("agent_asked"), r', send = "words\n"'))
    for name, text in (("silent", "the agent did not answer in 300 ms"),
                       ("closed", "the agent closed without an answer"),
                       ("garbage", '.. what? (".." means nothing)'),
                       ("nobody", "connection refused")):
        system.balancer.until(lambda n=name, t=text: agent_of(system, n)[3] == t,
                              f"{name}: {text}", 8)
        equal(agent_of(system, name)[:3], ("ready", "none", 100), f"state of {name}")
    system.balancer.until(lambda: agent_of(system, "asked") ==
                          ("draining", "drain", 100, "drain # words"), "the asked agent", 8)
