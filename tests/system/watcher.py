# Stands in for systemd towards a daemon: hears what it notifies, and freezes one of its threads.
"""Manager: a NOTIFY_SOCKET. Frozen: a thread that hangs."""

import contextlib
import ctypes
import os
import socket
import threading
import time

from harness import RUN, check


class Manager:
    """Hears datagrams of sd_notify(3), each with the moment it came."""

    def __init__(self, name, watchdog=None):
        self.path = f"{RUN}/{name}.notify"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self.socket.bind(self.path)
        os.chmod(self.path, 0o666)
        self.heard = []  # (moment, key, value)
        self.environment = {"NOTIFY_SOCKET": self.path}
        if watchdog:
            self.environment["WATCHDOG_USEC"] = str(int(watchdog * 1e6))
        self.on_ready = None  # called in the moment of the first READY=1
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while True:
            try:
                text = self.socket.recv(65536).decode()
            except OSError:
                return
            now = time.monotonic()
            for line in text.splitlines():
                key, _, value = line.partition("=")
                if key == "READY" and self.on_ready and not self.moments("READY"):
                    self.on_ready()
                self.heard.append((now, key, value))

    def close(self):
        self.socket.close()

    def moments(self, key, since=0.0):
        return [moment for moment, name, _ in list(self.heard) if name == key and moment >= since]

    def values(self, key):
        return [value for _, name, value in list(self.heard) if name == key]

    def order(self, since, *keys):
        """The keys of these that came since, in their order."""
        return [name for moment, name, _ in list(self.heard) if moment >= since and name in keys]

    def wait(self, key, count=1, since=0.0, timeout=30, value=""):
        """Until that many came with `value` in it; returns the moment of the last."""
        end = time.monotonic() + timeout
        while True:
            found = [moment for moment, name, text in list(self.heard)
                     if name == key and moment >= since and value in text]
            if len(found) >= count:
                return found[count - 1]
            check(time.monotonic() < end,
                  f"no {key}={value} number {count} within {timeout} s; heard {self.heard[-8:]}")
            time.sleep(0.02)


PTRACE_CONT, PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT = 7, 17, 0x4206, 0x4207
WALL = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


def threads(pid, name):
    """Ids of the threads of a process whose names begin so."""
    found = []
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/comm", encoding="utf-8") as stream:
            if stream.read().startswith(name):
                found.append(int(thread))
    return sorted(found)


class Frozen:
    """One thread stands still, as if it hung; the others of its process go on."""

    def __init__(self, thread):
        self.thread = thread

    def trace(self, request):
        done = LIBC.ptrace(request, self.thread, None, None)
        check(done == 0, f"ptrace {request:#x}: {os.strerror(ctypes.get_errno())}")

    def __enter__(self):
        self.trace(PTRACE_SEIZE)
        self.trace(PTRACE_INTERRUPT)
        os.waitpid(self.thread, WALL)
        return self

    def __exit__(self, *_):
        self.trace(PTRACE_DETACH)
