# hawserctl capture at the running daemons, compared with what tcpdump sees at both ends.
"""System tests; run.py runs them."""

import json
import os
import signal
import subprocess
import time
from collections import Counter

from scapy.layers.l2 import Ether

import pcapng
from demo_configuration import CHECK_BESIDE, service
from harness import HERE, RUN, check, contains, equal
from hawser import PYTHON, Broken, Lab, load, netns, program
from services import EVEN, WEB, WEB6

SPLICED = service("app", "10.77.0.100", 88, EVEN, 8080, 'forward = "splice"\n', protocol="http",
                  check=CHECK_BESIDE)
SERVICES = WEB + WEB6 + SPLICED
CLIENT = "10.77.0.2"


class Capturing:
    """hawserctl capture in the background; a context manager that ends it like Ctrl-C."""

    def __init__(self, system, *options, out=None):
        self.out = out or f"{RUN}/capture-{time.monotonic_ns()}.pcapng"
        self.process = subprocess.Popen(
            [program(system.build, "hawserctl"), "--socket", system.balancer.socket, "capture",
             "--out", self.out, *options],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def __enter__(self):
        self.until_begun()
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def until_begun(self):
        end = time.monotonic() + 10
        while not os.path.exists(self.out) or os.path.getsize(self.out) == 0:
            if self.process.poll() is not None or time.monotonic() > end:
                raise Broken(f"the capture did not begin: {self.process.stderr.read()}")
            time.sleep(0.02)

    def wait(self, timeout=20):
        """(exit code, standard output, standard error) once it has ended by itself."""
        out, err = self.process.communicate(timeout=timeout)
        return self.process.returncode, out, err

    def interrupt(self):
        time.sleep(0.4)  # what was taken is on its way for a moment
        self.process.send_signal(signal.SIGINT)
        return self.wait()

    def read(self):
        return pcapng.read(self.out)


class Tcpdump:
    """tcpdump in a namespace of the lab; frames() ends it."""

    def __init__(self, space, wanted):
        self.file = f"{RUN}/tcpdump-{space}.pcap"
        self.log = open(f"{self.file}.log", "w+", encoding="utf-8")
        self.process = subprocess.Popen(
            netns(space, "tcpdump", "-i", "data", "-U", "--immediate-mode", "-w", self.file,
                  wanted), stdout=subprocess.DEVNULL, stderr=self.log)
        end = time.monotonic() + 10
        while "listening on" not in open(self.log.name, encoding="utf-8").read():
            if time.monotonic() > end:
                raise Broken("tcpdump does not begin")
            time.sleep(0.02)

    def frames(self):
        time.sleep(0.5)
        self.process.send_signal(signal.SIGINT)
        self.process.wait()
        self.log.close()
        return pcapng.frames_by_scapy(self.file)


def observe(system, port, options):
    """One connection with a body, seen by capture and by tcpdump at all its ends. Returns what
    the capture has, what the client has, and what the backends have."""
    with Capturing(system, "--client", CLIENT, *options) as capture:
        backends = [Tcpdump(f"backend{n}", "tcp port 8080 and (host 10.77.0.20 or host 10.77.0.21)")
                    for n in (1, 2, 3)]
        client = Tcpdump("client", f"tcp port {port} and host {CLIENT}")
        body = "b" * 40000
        done = Lab.run("client", "curl", "-s", "-m", "10", "-o", "/dev/null", "-w", "%{http_code}",
                       "-d", body, f"http://10.77.0.100:{port}/")
        check(done.stdout.strip() in ("200", "405"), f"curl: {done.stdout} {done.stderr}")
        seen = client.frames()
        behind = [frame for backend in backends for frame in backend.frames()]
        code, _, err = capture.interrupt()
        equal(code, 0, f"exit of the interrupted capture ({err})")
        return capture.read(), seen, behind


def compare(taken, ends):
    """Frame by frame: what the capture has as received and sent is what the ends have sent and
    received."""
    check(len(ends) > 20, f"only {len(ends)} frames at the ends")
    captured, seen = Counter(frame.data for frame in taken.frames), Counter(ends)
    for what, more in (("only captured", captured - seen), ("not captured", seen - captured)):
        check(not more, f"{len(more)} of {len(ends)} frames are {what}, such as "
                        f"{Ether(next(iter(more), b'')).summary()}")


def test_nat_connection_is_whole(system):
    """Every segment of a NAT connection is there as received and as sent, and no other frame."""
    taken, seen, behind = observe(system, 80, ("--service", "web"))
    compare(taken, seen + behind)
    for frame in taken.frames:
        contains(frame.comment, "service web", "a comment")
    there = [frame for frame in taken.frames if "verdict forward_nat" in frame.comment]
    equal({frame.sent for frame in there}, {False, True}, "sides of forwarded packets")
    changed = {frame.comment.partition("changed: ")[2] for frame in there if frame.sent}
    check(all("source address, destination address" in text for text in changed), f"{changed}")


def test_spliced_connection_is_whole(system):
    """The same for a spliced one, with the segments that the balancer itself makes."""
    taken, seen, behind = observe(system, 88, ("--service", "app"))
    compare(taken, seen + behind)
    check(any("made by the balancer" in frame.comment for frame in taken.frames), "nothing made")
    check(any("verdict reply_syn_cookie" in frame.comment for frame in taken.frames), "no SYN-ACK")


def test_others_read_it(system):
    """scapy and tcpdump read the file, with the same frames; times are those of the wall clock."""
    before = time.time_ns()
    with Capturing(system, "--service", "web") as capture:
        load("10.77.0.100:80", connections=5, concurrency=1)
        equal(capture.interrupt()[0], 0, "exit")
    taken = capture.read()
    frames = [frame.data for frame in taken.frames]
    check(len(frames) >= 40, f"{len(frames)} frames")
    equal(pcapng.frames_by_scapy(capture.out), frames, "frames by scapy")
    equal(len(pcapng.lines_by_tcpdump(capture.out)), len(frames), "lines of tcpdump")
    equal(taken.interfaces, ["uplink"], "interfaces")
    contains(taken.comment, "capture --service web", "the comment of the section")
    times = [frame.nanoseconds for frame in taken.frames]
    equal(times, sorted(times), "the order of the frames")
    check(before <= times[0] and times[-1] <= time.time_ns(), "times are not those of the clock")
    check(len(set(times)) > len(times) // 10, "many frames have one time")
    check(any(t % 1000 for t in times), "times are not in nanoseconds")
    (port, counts), = taken.statistics
    equal((port, counts[5], counts[8]), (0, 0, len(frames)), "interface, dropped and delivered")
    equal(counts[4], counts[6], "matched and accepted")


def hostile(kind):
    done = Lab.run("client", PYTHON, os.path.join(HERE, "hostile.py"), kind, timeout=60)
    check(done.returncode == 0, f"hostile.py: {done.stderr[-300:]}")
    return json.loads(done.stdout)


def test_verdict_filter(system):
    """Only packets with the verdict, as they came in, though no stage knows their service."""
    with Capturing(system, "--verdict", "ipv4_bad_checksum") as capture:
        sent = hostile("ipv4_bad_checksum")
        load("10.77.0.100:80", connections=3, concurrency=1)
        equal(capture.interrupt()[0], 0, "exit")
    frames = capture.read().frames
    check(len(frames) >= sent, f"{len(frames)} of {sent} frames")
    for frame in frames:
        contains(frame.comment, "verdict ipv4_bad_checksum", "a comment")
        equal(frame.sent, False, "sent")
    with Capturing(system, "--verdict", "drop", "--client", CLIENT) as capture:
        hostile("ipv4_bad_checksum")
        hostile("tcp_bad_flags")
        equal(capture.interrupt()[0], 0, "exit")
    verdicts = {frame.comment.split(",")[0] for frame in capture.read().frames}
    check({"verdict ipv4_bad_checksum", "verdict tcp_bad_flags"} <= verdicts, f"{verdicts}")


def test_answers_have_both_sides(system):
    """What the balancer answers where it lies is there as it came and as it went."""
    with Capturing(system, "--verdict", "reply_echo", "--verdict", "reply_arp") as capture:
        done = Lab.run("client", "ping", "-c", "3", "-i", "0.2", "10.77.0.100")
        equal(done.returncode, 0, "exit of ping")
        equal(capture.interrupt()[0], 0, "exit")
    echoes = [f for f in capture.read().frames if "reply_echo" in f.comment]
    equal([frame.sent for frame in echoes], [False, True] * 3, "sides")
    equal([frame.data[34] for frame in echoes], [8, 0] * 3, "ICMP types")


def test_count_ends_it(system):
    """--count ends it with exactly so many frames; --json tells the counts."""
    with Capturing(system, "--service", "web", "--count", "7", "--json") as capture:
        load("10.77.0.100:80", connections=5, concurrency=1)
        code, out, err = capture.wait()
    equal(code, 0, f"exit ({err})")
    summary = json.loads(out)
    equal((summary["frames"], summary["ended"]), (7, "count"), "frames and end")
    equal(len(capture.read().frames), 7, "frames in the file")


def test_seconds_end_it(system):
    """--seconds ends it, also without any packet, after longer than any other question may take."""
    begun = time.monotonic()
    with Capturing(system, "--client", "203.0.113.77", "--seconds", "4", "--json") as capture:
        code, out, err = capture.wait()
    equal(code, 0, f"exit ({err})")
    check(3.9 < time.monotonic() - begun < 8, f"after {time.monotonic() - begun:.1f} s")
    equal((json.loads(out)["frames"], json.loads(out)["ended"]), (0, "seconds"), "frames and end")
    equal(len(capture.read().statistics), 1, "statistics of the empty file")


def test_sampling_and_snap(system):
    """--sample leaves out so many packets and counts them; --snap cuts frames; one side alone."""
    with Capturing(system, "--service", "web", "--sample", "1/10", "--snap", "64", "--side",
                   "received", "--json") as capture:
        load("10.77.0.100:80", connections=30, concurrency=3)
        code, out, _ = capture.interrupt()
    equal(code, 0, "exit")
    summary = json.loads(out)
    frames = capture.read().frames
    matched = summary["matched"]
    check(matched > 200, f"{matched} packets matched")
    equal(len(frames), matched // 10, "frames")
    equal(summary["sampled_out"], matched - len(frames), "sampled out")
    check(all(len(frame.data) <= 64 for frame in frames), "longer than --snap")
    check(any(frame.length > 64 for frame in frames), "the length of the frame itself is lost")
    check(not any(frame.sent for frame in frames), "a sent frame")


def test_second_capture_is_refused(system):
    """A second capture is refused with exit 3; once the first has gone, there is room at once."""
    with Capturing(system, "--client", "203.0.113.77") as capture:
        message = system.refused(3, "capture", "--out", f"{RUN}/second.pcapng", "--count", "1")
        contains(message, "another capture is running", "the message")
        check(not os.path.exists(f"{RUN}/second.pcapng"), "the refused capture left a file")
        capture.process.kill()
        capture.process.wait()

        def free():
            return system.ctl("capture", "--out", f"{RUN}/third.pcapng", "--force", "--seconds",
                              "0.1").returncode == 0
        system.balancer.until(free, "the end of a capture whose client was killed", 5)


def test_pipe(system):
    """--out - is read by tcpdump as it comes; when tcpdump has enough, the capture ends well."""
    capture = subprocess.Popen(
        [program(system.build, "hawserctl"), "--socket", system.balancer.socket, "capture",
         "--out", "-", "--service", "web"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    reader = subprocess.Popen(["tcpdump", "-tnr", "-", "-c", "5"], stdin=capture.stdout,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    capture.stdout.close()
    end = time.monotonic() + 20
    while capture.poll() is None and time.monotonic() < end:
        load("10.77.0.100:80", connections=2, concurrency=1)
    lines = reader.communicate(timeout=10)[0].splitlines()
    equal(len(lines), 5, "packets that tcpdump printed")
    equal(capture.wait(timeout=10), 0, f"exit of the capture ({capture.stderr.read()!r})")
    capture.stderr.close()


def test_names_are_checked(system):
    """Unknown names are refused with the nearest, before anything is taken or written."""
    out = f"{RUN}/names.pcapng"
    contains(system.refused(1, "capture", "--out", out, "--service", "wbe"), '"web', "the message")
    contains(system.refused(1, "capture", "--out", out, "--backend", "web/b9"), "b", "the message")
    contains(system.refused(2, "capture", "--out", out, "--verdict", "forwrd_nat"), "forward_nat",
             "the message")
    system.refused(2, "capture", "--out", out, "--client", "300.1.1.1")
    check(not os.path.exists(out), "a refused capture left a file")


def test_read_only_sockets_refuse(system):
    """Packets are for administrators: neither read-only socket gives any."""
    done = system.ctl("capture", "--out", f"{RUN}/ro.pcapng", socket=f"{RUN}/hawserd-ro.sock")
    check(done.returncode == 1 and "does not do this" in done.stderr, f"{done}")
    text = subprocess.run(
        [PYTHON, "-c", "import socket, struct, sys\n"
         "s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])\n"
         "s.sendall(struct.pack('>I', 4) + bytes([8, 1, 0x4a, 0]))\n"  # id 1, an empty Capture
         "sys.stdout.buffer.write(s.recv(4096))\n", f"{RUN}/dataplane-ro.sock"],
        capture_output=True, check=True, timeout=10).stdout
    contains(text.decode("latin-1"), "for reading only", "the answer of dataplane-ro.sock")


def test_shapes_of_load(system):
    """Under more traffic than may be copied nobody fails, and what is missing is counted."""
    with Capturing(system, "--json") as capture:
        seen = load("10.77.0.100:80", connections=2000, concurrency=20)
        code, out, _ = capture.interrupt()
    equal((code, seen["failed"]), (0, 0), f"exit and failed requests ({seen['causes']})")
    summary = json.loads(out)
    (_, counts), = capture.read().statistics
    equal(counts[4], summary["matched"], "matched")
    equal(counts[5], summary["over_rate"] + summary["ring_full"], "dropped")
    check(summary["matched"] > 10000, f"{summary}")


def test_service_that_leaves_ends_it(system):
    """A capture of a service that a reload takes away ends and says so."""
    with open(system.balancer.file, encoding="utf-8") as stream:
        before = stream.read()
    with Capturing(system, "--service", "app") as capture:
        system.balancer.write(before.replace(SPLICED, ""))
        system.done("reload", "--wait")
        code, _, err = capture.wait()
    system.balancer.write(before)
    system.done("reload", "--wait")
    equal(code, 3, f"exit ({err})")
    contains(err, "the capture ends", "the message")
    capture.read()
    system.balancer.until_ok(30)


def test_restart_of_the_dataplane_ends_it(system):
    """When the dataplane dies the capture ends with exit 5, and its file can be read."""
    with Capturing(system, "--service", "web") as capture:
        load("10.77.0.100:80", connections=3, concurrency=1)
        time.sleep(0.5)
        system.wipe()
        code, _, err = capture.wait()
    equal(code, 5, f"exit ({err})")
    contains(err, "the capture was cut off", "the message")
    check(len(capture.read().frames) > 10, "the frames until then are lost")
    system.balancer.until_ok(30)
    equal(system.ctl("capture", "--out", f"{RUN}/after.pcapng", "--seconds", "0.1").returncode, 0,
          "exit of a capture at the new dataplane")


def test_restart_of_hawserd_ends_it(system):
    """When hawserd dies the capture ends, and the dataplane has forgotten it at once."""
    with Capturing(system, "--service", "web") as capture:
        system.balancer.hawserd.kill()
        equal(capture.wait()[0], 5, "exit")
        system.balancer.hawserd.start()
        system.balancer.until_ok(30)
    equal(system.ctl("capture", "--out", f"{RUN}/again.pcapng", "--seconds", "0.1").returncode, 0,
          "exit of a capture at the new hawserd")
