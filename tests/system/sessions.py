#!/usr/bin/python3
# Many users, each with a cookie and a home: asks, keeps cookies, tells who was answered by whom.
"""usage: sessions.py HOST PORT [options]

Every user has a user agent and a source address of its own, keeps the balancer's cookie, and must
be answered by one backend. Odd users open a connection for each request, even ones keep theirs.
Ends after --requests of each user, or on SIGTERM. One JSON object tells what happened.
"""

import argparse
import collections
import heapq
import json
import re
import resource
import select
import signal
import socket
import time

IP_BIND_ADDRESS_NO_PORT = 24
STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")
FIELD = re.compile(rb"\r\n(content-length|x-backend|x-agent|connection): ?([^\r]*)", re.IGNORECASE)


class User:
    def __init__(self, number, options, sources):
        self.number = number
        self.agent = f"user-{number}"
        self.source = sources[number % len(sources)] if sources else None
        self.keeps = number % 2 == 0
        self.host, self.port, self.path = options.host, options.port, options.path
        self.cookie = b""
        self.cookies = 0     # that it was given
        self.home = None
        self.socket = None
        self.data = b""
        self.begun = 0
        self.answered = 0
        self.failures = []   # [time, home, cause]
        self.moves = []      # [time, from, to]

    def request(self):
        close = "" if self.keeps else "Connection: close\r\n"
        return (f"GET {self.path} HTTP/1.1\r\nHost: site\r\nUser-Agent: {self.agent}\r\n"
                f"{close}").encode() + self.cookie + b"\r\n"

    def connect(self):
        self.socket = socket.socket(socket.AF_INET6 if ":" in self.host else socket.AF_INET)
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.source:
            self.socket.setsockopt(socket.SOL_IP, IP_BIND_ADDRESS_NO_PORT, 1)
            self.socket.bind((self.source, 0))
        try:
            self.socket.connect((self.host, self.port))
        except BlockingIOError:
            pass

    def receive(self):
        """What is wrong; "" when the response is whole, None when more must come."""
        try:
            piece = self.socket.recv(65536)
        except BlockingIOError:
            return None
        except OSError as error:
            return "reset" if error.errno == 104 else str(error)
        if not piece:
            return "closed early"
        self.data += piece
        head, separator, body = self.data.partition(b"\r\n\r\n")
        if not separator:
            return None
        fields = {name.lower(): value for name, value in FIELD.findall(head)}
        missing = int(fields.get(b"content-length", 0)) - len(body)
        if missing > 0:
            return None
        if missing < 0:
            return "more than the response"
        return self.judge(head, fields)

    def judge(self, head, fields):
        status = STATUS.match(head)
        if not status or status[1] != b"200":
            return "status " + (status[1].decode() if status else repr(head[:20]))
        if fields.get(b"x-agent", self.agent.encode()) != self.agent.encode():
            return "another user's response"
        given = re.findall(rb"\r\nSet-Cookie: (hawser=[^;\r]*)", head)
        if len(given) > 1:
            return "two cookies"
        backend = fields.get(b"x-backend", b"?").decode()
        if given:
            self.cookies += 1
            self.cookie = b"Cookie: other=1; " + given[0] + b"\r\n"
        elif not self.cookie:
            return "no cookie"
        if self.home not in (None, backend):
            self.moves.append([time.time(), self.home, backend, bool(given)])
        self.home = backend
        if fields.get(b"connection", b"").lower() == b"close":
            self.hang_up()
        return ""

    def hang_up(self):
        if self.socket is not None:
            self.socket.close()
            self.socket = None


class Crowd:
    def __init__(self, options):
        sources = options.sources.split(",") if options.sources else []
        self.options = options
        self.users = [User(number, options, sources) for number in range(options.users)]
        self.poll = select.epoll()
        self.waiting = collections.deque(self.users)  # whose turn it is
        self.later = []                               # heap of (when, number)
        self.busy = {}                                # by descriptor
        self.stopping = False

    def begin(self, user):
        user.begun = time.time()
        user.data = b""
        if user.socket is None:
            try:
                user.connect()
            except OSError as error:
                user.hang_up()
                self.failed(user, str(error))
                return
            self.poll.register(user.socket, select.EPOLLOUT)
        else:
            self.poll.modify(user.socket, select.EPOLLOUT)
        self.busy[user.socket.fileno()] = user

    def failed(self, user, cause):
        user.failures.append([time.time(), user.home, cause])
        user.hang_up()
        self.next(user)

    def next(self, user):
        if self.options.requests and user.answered + len(user.failures) >= self.options.requests:
            user.hang_up()
            return
        pause = self.options.pause / 1000
        if pause:
            heapq.heappush(self.later, (time.time() + pause, user.number))
        else:
            self.waiting.append(user)

    def happened(self, number, events):
        user = self.busy.get(number)
        if user is None:  # a kept connection that its server has closed
            return
        if events & select.EPOLLOUT and not events & (select.EPOLLERR | select.EPOLLHUP):
            user.socket.send(user.request())
            self.poll.modify(number, select.EPOLLIN)
            return
        wrong = user.receive()
        if wrong is None:
            return
        del self.busy[number]
        if wrong:
            self.failed(user, wrong)
            return
        user.answered += 1
        if user.keeps and user.socket is not None:
            self.poll.modify(number, 0)
        else:
            user.hang_up()
        self.next(user)

    def run(self):
        checked = time.time()
        while self.busy or (not self.stopping and (self.waiting or self.later)):
            now = time.time()
            while self.later and self.later[0][0] <= now:
                self.waiting.append(self.users[heapq.heappop(self.later)[1]])
            while self.waiting and not self.stopping and len(self.busy) < self.options.at_once:
                self.begin(self.waiting.popleft())
            for number, events in self.poll.poll(0.02):
                self.happened(number, events)
            if now > checked + 0.5:
                checked = now
                for number, user in list(self.busy.items()):
                    if now > user.begun + self.options.timeout:
                        del self.busy[number]
                        self.failed(user, "timeout")

    def told(self, started):
        causes = collections.Counter(cause for user in self.users for _, _, cause in user.failures)
        return {"seconds": round(time.time() - started, 2),
                "users": len(self.users),
                "answered": sum(user.answered for user in self.users),
                "least": min(user.answered for user in self.users),
                "cookies": sum(user.cookies for user in self.users),
                "homes": collections.Counter(user.home for user in self.users),
                "causes": causes,
                "failures": {user.number: user.failures for user in self.users if user.failures},
                "moves": {user.number: user.moves for user in self.users if user.moves}}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("--users", type=int, default=100)
    parser.add_argument("--requests", type=int, default=0, help="of each; 0: until SIGTERM")
    parser.add_argument("--at-once", type=int, default=64, dest="at_once")
    parser.add_argument("--pause", type=float, default=0, help="milliseconds between requests")
    parser.add_argument("--timeout", type=float, default=6)
    parser.add_argument("--sources", default="")
    parser.add_argument("--path", default="/")
    crowd = Crowd(parser.parse_args())
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    signal.signal(signal.SIGTERM, lambda *_: setattr(crowd, "stopping", True))
    started = time.time()
    crowd.run()
    print(json.dumps(crowd.told(started)))


if __name__ == "__main__":
    main()
