#!/usr/bin/python3
# Sends many HTTP requests and records what became of each: by whom answered, or why it failed.
"""usage: load.py TARGET [options]     TARGET: 10.77.0.100:80 or [fd77::100]:80

Prints one JSON object when it is done: after --connections, after --seconds, or on SIGTERM or
SIGINT, and then only once the requests under way have ended. A request fails when it is refused,
reset, timed out, cut short, or answered with anything but 200. Nothing is tried twice.
"""

import argparse
import asyncio
import collections
import errno
import ipaddress
import json
import os
import signal
import socket
import sys
import time

IP_BIND_ADDRESS_NO_PORT = 24  # pick the source port at connect: many more of them fit


class Failure(Exception):
    """Why a request failed, in one word or two."""


def parse_target(text):
    host, _, port = text.rpartition(":")
    return ipaddress.ip_address(host.strip("[]")), int(port)


def cause_of(error):
    if isinstance(error, Failure):
        return str(error)
    if isinstance(error, (asyncio.TimeoutError, TimeoutError)):
        return "timeout"
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    if isinstance(error, (ConnectionResetError, BrokenPipeError)):
        return "reset"
    if isinstance(error, OSError) and error.errno:
        return errno.errorcode.get(error.errno, str(error.errno)).lower()
    return type(error).__name__


class Connection:
    """One TCP connection that speaks just enough HTTP/1.1."""

    def __init__(self, load, source):
        self.load = load
        self.source = source
        self.socket = None
        self.opened = None   # wall clock, when connecting began
        self.backend = None  # who answered last
        self.rest = b""

    async def open(self):
        address, port = self.load.target
        family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.source:
            self.socket.setsockopt(socket.SOL_IP, IP_BIND_ADDRESS_NO_PORT, 1)
            self.socket.bind((self.source, 0))
        self.opened = time.time()
        await self.load.loop.sock_connect(self.socket, (str(address), port))

    async def request(self, last):
        await self.load.loop.sock_sendall(self.socket, self.load.requests[last])
        head, body = await self.read_until(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        fields = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
        status = lines[0].split(" ")
        if len(status) < 2 or status[1] != "200":
            raise Failure("status " + (status[1] if len(status) > 1 else lines[0][:20]))
        self.rest = body
        await self.read_bytes(int(fields.get("content-length", 0)))
        self.backend = fields.get("x-backend", "?")

    async def receive(self):
        data = await self.load.loop.sock_recv(self.socket, 65536)
        if not data:
            raise Failure("closed early")
        return data

    async def read_until(self, end):
        data = self.rest
        while end not in data:
            data += await self.receive()
        head, _, rest = data.partition(end)
        return head, rest

    async def read_bytes(self, count):
        while len(self.rest) < count:
            count -= len(self.rest)
            self.rest = await self.receive()
        self.rest = self.rest[count:]

    def close(self):
        if self.socket is not None:
            self.socket.close()


class Load:
    def __init__(self, options):
        self.options = options
        self.target = parse_target(options.target)
        self.sources = options.sources.split(",") if options.sources else [None]
        host = options.target
        head = f"GET {options.path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: load\r\n"
        self.requests = {True: f"{head}Connection: close\r\n\r\n".encode(),
                         False: f"{head}\r\n".encode()}
        self.loop = asyncio.get_running_loop()
        self.stopping = asyncio.Event()
        self.started = time.time()
        self.begun = 0      # connections begun
        self.records = []   # (start, seconds, connection opened, first?, source, backend, cause)

    def more(self):
        if self.stopping.is_set():
            return False
        if self.options.seconds and time.time() - self.started >= self.options.seconds:
            return False
        return not self.options.connections or self.begun < self.options.connections

    async def pause(self):
        if self.options.pause:
            try:
                await asyncio.wait_for(self.stopping.wait(), self.options.pause / 1000)
            except asyncio.TimeoutError:
                pass

    async def one_connection(self):
        connection = Connection(self, self.sources[self.begun % len(self.sources)])
        self.begun += 1
        count = 0
        try:
            while True:
                begin = time.time()
                last = 0 < self.options.requests <= count + 1
                cause = None
                try:
                    await asyncio.wait_for(self.exchange(connection, count == 0, last),
                                           self.options.timeout)
                except (OSError, Failure, asyncio.TimeoutError, ValueError) as error:
                    cause = cause_of(error)
                # A failed request is counted for the backend its connection has talked to.
                self.records.append((begin, time.time() - begin, connection.opened, count == 0,
                                     connection.source, connection.backend, cause))
                count += 1
                if cause or last:
                    return cause
                await self.pause()
                if not self.more_on_connection():
                    return None
        finally:
            connection.close()

    def more_on_connection(self):
        if self.stopping.is_set():
            return False
        return not (self.options.seconds and
                    time.time() - self.started >= self.options.seconds)

    @staticmethod
    async def exchange(connection, first, last):
        if first:
            await connection.open()
        await connection.request(last)

    async def worker(self):
        while self.more():
            if await self.one_connection():
                await asyncio.sleep(0.01)  # a refused connection must not become a flood
            elif self.options.requests:
                await self.pause()

    async def run(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            self.loop.add_signal_handler(number, self.stopping.set)
        workers = asyncio.gather(*(self.worker() for _ in range(self.options.concurrency)))
        await asyncio.sleep(0)  # each has its first connection under way now
        if self.options.tell:
            os.close(self.options.tell)
        await workers

    def summary(self):
        by_backend, by_source, causes = (collections.Counter(), {}, collections.Counter())
        connections = collections.Counter()
        times = sorted(record[1] for record in self.records if record[6] is None)
        failures = []
        for begin, _, opened, first, source, backend, cause in self.records:
            if cause:
                causes[cause] += 1
                failures.append({"at": begin, "opened": opened, "new": first,
                                 "backend": backend, "cause": cause})
                continue
            by_backend[backend] += 1
            connections[backend] += first
            if self.sources[0]:
                by_source.setdefault(source, collections.Counter())[backend] += 1
        return {
            "seconds": round(time.time() - self.started, 3),
            "started": self.started,
            "connections": self.begun,
            "requests": len(self.records),
            "ok": len(times),
            "failed": len(failures),
            "requests_by_backend": dict(sorted(by_backend.items())),
            "connections_by_backend": dict(sorted(connections.items())),
            "by_source": by_source,
            "causes": dict(causes),
            "failures": failures[:1000],
            "milliseconds": {
                "median": round(1000 * times[len(times) // 2], 3) if times else None,
                "p99": round(1000 * times[len(times) * 99 // 100], 3) if times else None,
                "longest": round(1000 * times[-1], 3) if times else None,
            },
        }


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target")
    parser.add_argument("--connections", type=int, default=0, help="end after so many")
    parser.add_argument("--seconds", type=float, default=0, help="end after this time")
    parser.add_argument("--concurrency", type=int, default=16, help="connections at once")
    parser.add_argument("--requests", type=int, default=1,
                        help="requests on each connection; 0: until the end")
    parser.add_argument("--pause", type=float, default=0, help="milliseconds between requests")
    parser.add_argument("--timeout", type=float, default=5, help="seconds a request may take")
    parser.add_argument("--sources", default="", help="source addresses to take turns")
    parser.add_argument("--path", default="/")
    parser.add_argument("--tell", type=int, default=0,
                        help="descriptor to close once connections are under way")
    parser.add_argument("--records", default="", help="file for one JSON line a request")
    return parser.parse_args()


async def main():
    load = Load(parse_options())
    await load.run()
    if load.options.records:
        names = ("at", "seconds", "opened", "new", "source", "backend", "cause")
        with open(load.options.records, "w", encoding="utf-8") as stream:
            for record in load.records:
                stream.write(json.dumps(dict(zip(names, record))) + "\n")
    print(json.dumps(load.summary()))


if __name__ == "__main__":
    asyncio.run(main())
    sys.exit(0)
