# Bad input: configurations, arguments and circumstances that must be refused with a clear message.
"""System tests; run.py runs them. This module starts the daemons itself."""

import os
import subprocess
import time

from harness import RUN, Lab, check, contains, equal, netns
from hawser import Balancer, configuration, program
from services import WEB

GOOD = configuration(WEB)
PROGRAMS = ("hawser-dataplane", "hawserd")


def run(system, name, text=None, *arguments, space="balancer"):
    """Starts a daemon that must end by itself; returns the finished process."""
    file = f"{RUN}/bad.toml"
    if text is not None:
        with open(file, "w", encoding="utf-8") as stream:
            stream.write(text)
    command = netns(space, program(system.build, name), *(arguments or ("--config", file)))
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def refused(system, text, *parts, programs=PROGRAMS):
    """Each daemon must refuse the configuration at once, with all of `parts` in its message."""
    for name in programs:
        begin = time.monotonic()
        done = run(system, name, text)
        output = done.stdout + done.stderr
        check(done.returncode not in (0, None) and done.returncode > 0,
              f"{name} ended with {done.returncode}: {output[-300:]}")
        check(time.monotonic() - begin < 30, f"{name} took its time to refuse")
        for part in parts:
            contains(output, part, f"what {name} says")
        check("Sanitizer" not in output, f"{name}: {output[-800:]}")
    nothing_left()


def nothing_left():
    """A refusal leaves neither a socket nor a TAP."""
    for socket in ("dataplane.sock", "hawserd.sock"):
        check(not os.path.exists(f"{RUN}/{socket}"), f"{socket} was left behind")
    check("hawser0" not in Lab.run("balancer", "ip", "-br", "link").stdout, "hawser0 was left behind")


def test_broken_toml(system):
    """Broken TOML is refused with file, line and column."""
    refused(system, GOOD + "\n[[service]\n", "bad.toml:")


def test_unknown_key(system):
    """A misspelt key is refused and the nearest known one named."""
    refused(system, GOOD.replace("port = 80\n", "port = 80\nforwrad = \"nat\"\n"),
            "bad.toml:", "unknown key", 'did you mean "forward"')


def test_every_error_at_once(system):
    """Several errors are all reported."""
    text = GOOD.replace("weight = 100 }", "wieght = 100 }", 1).replace("rise = 2", "rise = 0")
    refused(system, text, 'did you mean "weight"', "rise is 0")


def test_duplicate_names(system):
    """Two services or backends of one name are refused."""
    refused(system, GOOD + WEB.replace("port = 80\n", "port = 81\n"), "already used")
    refused(system, GOOD.replace('name = "b2"', 'name = "b1"'), "already used")


def test_overlapping_services(system):
    """Two services on the same address, port and protocol are refused."""
    refused(system, GOOD + WEB.replace('name = "web"', 'name = "other"'), "already served by")


def test_weight_out_of_range(system):
    """Weights outside 1 to 1000 are refused."""
    for weight in ("0", "1001", "-1", '"many"'):
        refused(system, GOOD.replace("weight = 100", f"weight = {weight}", 1), "weight",
                programs=("hawserd",))


def test_unreachable_backend(system):
    """A backend in no network and without a gateway is refused."""
    refused(system, GOOD.replace("10.77.0.12", "192.0.2.12"), "192.0.2.12",
            programs=("hawserd",))


def test_port_that_does_not_exist(system):
    """A device that does not exist is refused by name."""
    refused(system, configuration(WEB, device="net_af_packet0,iface=nowhere0"), "nowhere0",
            programs=("hawser-dataplane",))
    refused(system, configuration(WEB, device="net_nothing0"), "net_nothing0",
            programs=("hawser-dataplane",))


def test_core_that_does_not_exist(system):
    """A core that the machine has not is refused."""
    text = "\n".join("workers = [120]" if line.startswith("workers") else line
                     for line in GOOD.split("\n"))
    refused(system, text, "120", programs=("hawser-dataplane",))


def test_missing_file(system):
    """A file that does not exist is refused by name."""
    for name in PROGRAMS:
        done = run(system, name, None, "--config", f"{RUN}/nothing.toml")
        check(done.returncode > 0, f"{name} ended with {done.returncode}")
        contains(done.stdout + done.stderr, "nothing.toml", f"what {name} says")


def test_unknown_option(system):
    """An unknown option is refused as usage."""
    for name in PROGRAMS:
        done = run(system, name, None, "--confg", "x")
        equal(done.returncode, 2, f"exit of {name}")
        contains(done.stdout + done.stderr, "--confg", f"what {name} says")


def test_help_and_version(system):
    """--help and --version work without configuration."""
    for name in (*PROGRAMS, "hawserctl"):
        for option in ("--help", "--version"):
            done = subprocess.run([program(system.build, name), option], capture_output=True,
                                  text=True, timeout=30, check=False)
            equal(done.returncode, 0, f"exit of {name} {option}")
            check(done.stdout.strip(), f"{name} {option} prints nothing")


def test_no_huge_pages(system):
    """Without huge pages the dataplane warns once and works."""
    system.remove_state()
    free = _take_huge_pages()
    try:
        system.balancer = Balancer(system.build, GOOD)
        open(system.balancer.dataplane.log, "w", encoding="utf-8").close()
        system.balancer.start()
        log = system.balancer.dataplane.tail(1000)
        equal(sum("huge pages" in line and "warn" in line.lower() for line in log.split("\n")), 1,
              f"warnings about huge pages in {log!r}")
        equal(system.balancer.json("status")["dataplane"]["huge_pages"], False, "huge_pages")
        equal(Lab.curl("http://10.77.0.100/")[0], 200, "status")
    finally:
        _give_huge_pages(free)


def _take_huge_pages():
    path = "/proc/sys/vm/nr_hugepages"
    with open(path, encoding="ascii") as stream:
        before = stream.read().strip()
    with open(path, "w", encoding="ascii") as stream:
        stream.write("0")
    return before


def _give_huge_pages(count):
    with open("/proc/sys/vm/nr_hugepages", "w", encoding="ascii") as stream:
        stream.write(count)


def test_second_dataplane(system):
    """A second dataplane on the same socket is refused; the first one does not notice."""
    done = run(system, "hawser-dataplane", GOOD)
    check(done.returncode > 0, "the second dataplane runs")
    contains(done.stdout + done.stderr, "dataplane.sock", "its message")
    equal(Lab.curl("http://10.77.0.100/")[0], 200, "status")
    system.balancer.until_ok(10)


def test_second_hawserd(system):
    """A second hawserd on the same socket is refused; the first one does not notice."""
    done = run(system, "hawserd", GOOD)
    check(done.returncode > 0, "the second hawserd runs")
    contains(done.stdout + done.stderr, RUN, "its message")
    system.balancer.until_ok(10)


def test_garbage_on_the_dataplane_socket(system):
    """Garbage on the dataplane's sockets closes that connection and harms nobody."""
    import socket
    for name in ("dataplane.sock", "dataplane-ro.sock"):
        for data in (b"\xff" * 64, b"\0\0\0\5hello", b"\0\0", b"\0\0\0\0", os.urandom(4096)):
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer:
                peer.settimeout(1)
                peer.connect(f"{RUN}/{name}")
                try:
                    peer.sendall(data)
                    peer.recv(4096)
                except OSError:
                    pass
    equal(Lab.curl("http://10.77.0.100/")[0], 200, "status")
    system.balancer.until_ok(10)


def test_stop_after_bad_input(system):
    """After all of it the daemons end with 0 and leave nothing behind."""
    system.stop()
    nothing_left()


def test_hawserd_without_dataplane(system):
    """hawserd starts without a dataplane, says so, and hawserctl shows it as critical."""
    system.remove_state()
    system.balancer = Balancer(system.build, GOOD)
    system.balancer.hawserd.start()
    system.balancer.until(lambda: os.path.exists(f"{RUN}/hawserd.sock"), "hawserd's socket")
    status = system.balancer.until_disconnected()
    equal(status["verdict"], "critical", "verdict")
    contains(" ".join(p["message"] for p in status["problems"]), "dataplane", "the problems")
    equal(system.ctl("status", "--check").returncode, 1, "exit of status --check")
    done = system.ctl("weight", "web/b1", "50", "--json")
    check(done.returncode in (0, 4), f"weight ended with {done.returncode}: {done.stderr}")
    system.balancer.dataplane.start()
    system.balancer.until_ok(60)
    equal(system.balancer.backends("web")["b1"]["weight"], 50, "weight, once the dataplane is there")
