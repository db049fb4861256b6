# Speaks HTTP/1 over bare sockets in a namespace of the lab, so that a test decides on every byte.
"""inside: makes sockets in a namespace. Talk: one connection. User: one session with its cookie."""

import contextlib
import ctypes
import re
import socket
import threading
import time

from hawser import PREFIX, Broken

CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)


def enter(path):
    with open(path, "rb") as space:
        if LIBC.setns(space.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"setns {path}")


@contextlib.contextmanager
def inside(space="client"):
    """Sockets made meanwhile, by this thread, belong to the namespace; and stay there."""
    with open("/proc/thread-self/ns/net", "rb") as home:
        enter(f"/run/netns/{PREFIX}-{space}")
        try:
            yield
        finally:
            LIBC.setns(home.fileno(), CLONE_NEWNET)


class Response:
    def __init__(self, status, head, fields, body):
        self.status, self.head, self.fields, self.body = status, head, fields, body

    def all(self, name):
        return [value for field, value in self.fields if field == name]

    def field(self, name):
        values = self.all(name)
        return values[0] if values else None

    @property
    def backend(self):
        return self.field("x-backend")

    def __repr__(self):
        return f"<{self.head!r} {self.body[:80]!r}>"


class Talk:
    """A connection; reads responses one by one, and nothing beyond them."""

    def __init__(self, host, port, source=None, timeout=6, space="client"):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with inside(space):
            self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if source:
            self.socket.bind((source, 0))
        self.socket.connect((host, port))
        self.rest = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data.encode() if isinstance(data, str) else data)

    def send_aside(self, data):
        """The same while responses are read: a pipeline longer than what the path can hold."""
        threading.Thread(target=self.send, args=(data,), daemon=True).start()

    def send_slowly(self, data, size=1, pause=0.0):
        """One segment for every `size` bytes."""
        for at in range(0, len(data), size):
            self.socket.sendall(data[at:at + size])
            if pause:
                time.sleep(pause)

    def receive(self):
        piece = self.socket.recv(65536)
        if not piece:
            raise Broken(f"closed early, after {self.rest[-200:]!r}")
        self.rest += piece

    def until(self, end):
        while end not in self.rest:
            self.receive()
        data, _, self.rest = self.rest.partition(end)
        return data

    def exactly(self, count):
        while len(self.rest) < count:
            self.receive()
        data, self.rest = self.rest[:count], self.rest[count:]
        return data

    def until_closed(self):
        """All that is left; raises ConnectionResetError when it ends with a reset."""
        while piece := self.socket.recv(65536):
            self.rest += piece
        data, self.rest = self.rest, b""
        return data

    def chunks(self):
        body = b""
        while size := int(self.until(b"\r\n").split(b";")[0], 16):
            body += self.exactly(size)
            self.exactly(2)
        while self.until(b"\r\n"):
            pass
        return body

    def response(self, method="GET"):
        head = self.until(b"\r\n\r\n").decode("latin-1")
        lines = head.split("\r\n")
        seen = re.match(r"HTTP/1\.[01] (\d{3}) ", lines[0] + " ")
        if not seen:
            raise Broken(f"no status line: {lines[0]!r}")
        status = int(seen.group(1))
        fields = [(name.lower(), value.strip()) for name, _, value in
                  (line.partition(":") for line in lines[1:])]
        named = dict(fields)
        if method == "HEAD" or status < 200 or status in (204, 304) or method == "CONNECT":
            body = b""
        elif named.get("transfer-encoding") == "chunked":
            body = self.chunks()
        elif "content-length" in named:
            body = self.exactly(int(named["content-length"]))
        else:
            body = self.until_closed()
        return Response(status, head, fields, body)

    def ask(self, request, method="GET"):
        self.send(request)
        return self.response(method)

    def is_closed(self, seconds=2):
        """The other end closes within that time, and says nothing more."""
        self.socket.settimeout(seconds)
        try:
            return self.rest == b"" and self.socket.recv(1) == b""
        except ConnectionResetError:
            return True
        except socket.timeout:
            return False

    def is_reset(self):
        """The connection ends with a reset, without a byte."""
        try:
            return self.socket.recv(1) is None
        except ConnectionResetError:
            return True


def get(path="/", *fields, host="site", method="GET", version="1.1", body=b""):
    """A request's bytes."""
    lines = [f"{method} {path} HTTP/{version}", f"Host: {host}", *fields]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class User:
    """A session: its user agent chooses its first home, its cookie keeps it."""

    def __init__(self, agent):
        self.agent = agent
        self.cookie = None
        self.home = None
        self.given = 0

    def request(self, path="/", *fields, **more):
        mine = [f"User-Agent: {self.agent}"]
        if self.cookie is not None:
            mine.append(f"Cookie: hawser={self.cookie}")
        return get(path, *mine, *fields, **more)

    def take(self, response):
        """Notes cookie and home; returns the response."""
        for line in response.all("set-cookie"):
            if line.startswith("hawser="):
                self.cookie = line[len("hawser="):].partition(";")[0]
                self.given += 1
        self.home = response.backend or self.home
        return response

    def ask(self, talk, path="/", *fields, **more):
        talk.send(self.request(path, *fields, **more))
        return self.take(talk.response(more.get("method", "GET")))

    def visit(self, host, port, path="/", *fields):
        """One request on a connection of its own."""
        with Talk(host, port) as talk:
            return self.ask(talk, path, *fields)


def users_of_each(host, port, names=("b1", "b2", "b3"), count=1, prefix="user"):
    """Users with a cookie, `count` for each home: {home: [user]}."""
    found = {name: [] for name in names}
    for number in range(400):
        user = User(f"{prefix}-{number}")
        user.visit(host, port)
        if len(found.get(user.home, range(count))) < count:
            found[user.home].append(user)
        if all(len(users) == count for users in found.values()):
            return found
    raise Broken(f"400 users and no {count} for each home: {found}")
