#!/usr/bin/python3
# Small peers for the system tests: UDP echo, TCP echo, streams with digests, and their clients.
"""usage: peer.py echo PORT NAME | udp HOST PORT COUNT SIZE | udp-one HOST PORT COUNT SIZE |
          hold HOST PORT SECONDS | digest HOST PORT PATH | serve PORT NAME |
          download HOST PORT BYTES [SOURCE] | upload HOST PORT BYTES [SOURCE] |
          keep HOST PORT COUNT | smtp HOST PORT [SOURCE]
"""

import asyncio
import collections
import contextlib
import hashlib
import json
import random
import resource
import select
import socket
import struct
import sys
import time

IP_PKTINFO = 8  # the socket module does not name it
PATIENCE = 5    # datagrams without an answer in a row
# What went wrong with a connection, as one word each.
TROUBLE = {TimeoutError: "timeout", ConnectionResetError: "reset", BrokenPipeError: "reset",
           ConnectionRefusedError: "refused", EOFError: "closed"}


def raise_descriptor_limit():
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def listeners(kind, port):
    """One socket a family, on every address."""
    for family, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
        listener = socket.socket(family, kind)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind((address, int(port)))
        yield listener


def local_address(ancillary):
    """Control data that makes an answer leave from the address the question came to."""
    level, kind, data = ancillary[0]
    if level == socket.IPPROTO_IP:
        return [(level, kind, struct.pack("=i4s4x", 0, data[8:12]))]
    return [(level, kind, data[:16] + bytes(4))]


def echo(port, name):
    """Answers each datagram with NAME, a blank, and what came, from where it was sent to."""
    sockets = list(listeners(socket.SOCK_DGRAM, port))
    sockets[0].setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
    sockets[1].setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
    while True:
        for ready in select.select(sockets, [], [])[0]:
            data, ancillary, _, sender = ready.recvmsg(65536, 256)
            with contextlib.suppress(OSError):  # a path that has just turned out narrower
                ready.sendmsg([name.encode() + b" " + data], local_address(ancillary), 0, sender)


def family_of(host):
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def ask(client, number, size):
    """One datagram and its answer: who answered, "damaged", "refused", or "none"."""
    payload = f"{number}:".encode() + random.Random(number).randbytes(int(size))
    payload = payload[:int(size)]
    try:
        client.send(payload)
        name, _, rest = client.recv(65536).partition(b" ")
        return name.decode() if rest == payload else "damaged"
    except ConnectionRefusedError:  # an ICMP error told us
        return "refused"
    except OSError:
        return "none"


def udp_socket(host, port):
    client = socket.socket(family_of(host), socket.SOCK_DGRAM)
    client.settimeout(1.5)
    client.connect((host, int(port)))
    return client


def ask_all(count, size, client_of):
    """Who answered how many of COUNT datagrams; gives up when several in a row had no answer."""
    answers, silent = collections.Counter(), 0
    for number in range(int(count)):
        answer = ask(client_of(), number, size)
        answers[answer] += 1
        silent = silent + 1 if answer == "none" else 0
        if silent == PATIENCE:
            break
    print(json.dumps(answers))


def udp(host, port, count, size):
    """COUNT datagrams, each from a socket of its own."""
    ask_all(count, size, lambda: udp_socket(host, port))


def udp_one(host, port, count, size):
    """COUNT datagrams from one socket, which makes them one flow."""
    with udp_socket(host, port) as client:
        ask_all(count, size, lambda: client)


def receive_response(client):
    data = b""
    while b"\r\n\r\n" not in data:
        piece = client.recv(65536)
        if not piece:
            raise ConnectionError("closed early")
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
    length = int(fields[b"content-length"])
    while len(body) < length:
        piece = client.recv(65536)
        if not piece:
            raise ConnectionError("closed early")
        body += piece
    return fields.get(b"x-backend", b"?").decode(), body


def hold(host, port, seconds):
    """One connection that asks again after SECONDS of silence; who answered, or what went wrong."""
    seen = []
    with socket.create_connection((host, int(port)), timeout=5) as client:
        client.settimeout(5)
        for turn in range(2):
            if turn:
                time.sleep(float(seconds))
            try:
                client.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
                seen.append(receive_response(client)[0])
            except (ConnectionError, TimeoutError, socket.timeout) as error:
                seen.append(type(error).__name__)
                break
    print(json.dumps(seen))


def digest(host, port, path):
    """SHA-256 and length of what is served at PATH."""
    with socket.create_connection((host, int(port)), timeout=10) as client:
        client.settimeout(20)
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        _, body = receive_response(client)
    print(json.dumps([len(body), hashlib.sha256(body).hexdigest()]))


# --- a TCP server for lines and streams, and its clients ------------------------------------------

def stream(count):
    """COUNT bytes that are the same each time, and in which no part equals another."""
    return random.Random(count).randbytes(count)


async def serve_one(reader, writer, name):
    """"down N": a line with NAME and a digest, then N bytes. "up N" and N bytes: a line with NAME
    and their digest. Any other line comes back behind NAME."""
    with contextlib.suppress(OSError, EOFError):
        while line := await reader.readline():
            verb, _, rest = line.decode("ascii").strip().partition(" ")
            if verb == "down":
                data = stream(int(rest))
                writer.write(f"{name} {hashlib.sha256(data).hexdigest()}\n".encode() + data)
            elif verb == "up":
                data = await reader.readexactly(int(rest))
                writer.write(f"{name} {hashlib.sha256(data).hexdigest()}\n".encode())
            else:
                writer.write(f"{name} ".encode() + line)
            await writer.drain()
    writer.close()


async def serve_all(port, name):
    raise_descriptor_limit()
    servers = [await asyncio.start_server(lambda r, w: serve_one(r, w, name), sock=listener,
                                          backlog=2048, limit=1 << 22)
               for listener in listeners(socket.SOCK_STREAM, port)]
    await asyncio.gather(*(server.serve_forever() for server in servers))


def serve(port, name):
    asyncio.run(serve_all(port, name))


def connect(host, port, source, timeout):
    return socket.create_connection((host, int(port)), timeout=timeout,
                                    source_address=(source, 0) if source else None)


def transfer(host, port, count, source=None, up=False):
    """One stream; who was at the other end, how many bytes, and whether the digests agree. Nothing
    for ten seconds ends it: then the bytes say how far it came."""
    seen = {"backend": None, "bytes": 0, "same": False, "trouble": None}
    begin = time.monotonic()
    data = stream(int(count))
    try:
        with connect(host, port, source, 10) as client:
            seen["port"] = client.getsockname()[1]
            lines = client.makefile("rb")
            client.sendall(f"{'up' if up else 'down'} {count}\n".encode())
            for at in range(0, len(data) if up else 0, 65536):
                client.sendall(data[at:at + 65536])
                seen["bytes"] = min(len(data), at + 65536)
            seen["backend"], told = lines.readline().decode("ascii").split()
            digest = hashlib.sha256(data if up else b"")
            while not up and seen["bytes"] < len(data):
                piece = lines.read1(65536)
                if not piece:
                    raise EOFError
                seen["bytes"] += len(piece)
                digest.update(piece)
            seen["same"] = digest.hexdigest() == told == hashlib.sha256(data).hexdigest()
    except (OSError, EOFError, ValueError) as error:
        seen["trouble"] = TROUBLE.get(type(error), repr(error))
    seen["seconds"] = round(time.monotonic() - begin, 2)
    print(json.dumps(seen))


class Kept:
    """A connection that stays open and can be asked whether it still works."""

    def __init__(self, number):
        self.number = number
        self.reader = self.writer = self.backend = None

    async def ask(self, word):
        """The backend's name, or what went wrong as one word."""
        question = f"{word} {self.number}\n".encode()
        try:
            self.writer.write(question)
            await self.writer.drain()
            name, _, rest = (await asyncio.wait_for(self.reader.readline(), 5)).partition(b" ")
            if not name:
                raise EOFError
            return name.decode("ascii") if rest == question else "damaged"
        except asyncio.TimeoutError:
            return "timeout"
        except (OSError, EOFError) as error:
            return TROUBLE.get(type(error), repr(error))

    async def open(self, host, port, gate):
        async with gate:
            try:
                self.reader, self.writer = await asyncio.wait_for(
                    asyncio.open_connection(host, int(port)), 10)
            except (OSError, asyncio.TimeoutError) as error:
                return TROUBLE.get(type(error), repr(error))
            self.backend = await self.ask("hello")
            return self.backend


async def keep_all(host, port, count):
    raise_descriptor_limit()
    gate = asyncio.Semaphore(100)
    kept = [Kept(number) for number in range(int(count))]
    opened = await asyncio.gather(*(one.open(host, port, gate) for one in kept))
    print(json.dumps(collections.Counter(opened)), flush=True)
    loop = asyncio.get_running_loop()
    while (await loop.run_in_executor(None, sys.stdin.readline)).strip() == "ask":
        answers = await asyncio.gather(*(one.ask("still there") for one in kept))
        print(json.dumps([[one.backend, answer] for one, answer in zip(kept, answers)]), flush=True)


def keep(host, port, count):
    """COUNT connections that stay open. Prints how many each backend has; then, for each line "ask"
    on standard input, a list of [backend at first, backend now or what went wrong]."""
    asyncio.run(keep_all(host, port, count))


def smtp(host, port, source=None):
    """A conversation in which the server speaks first: its lines, down to the refused recipient."""
    said = []
    with connect(host, port, source, 5) as client:
        lines = client.makefile("rb")
        for command in ("", "HELO lab", "MAIL FROM:<a@example.org>", "RCPT TO:<b@example.org>"):
            if command:
                client.sendall(f"{command}\r\n".encode())
            said.append(lines.readline().decode("ascii").strip())
    print(json.dumps(said))


VERBS = {"echo": echo, "udp": udp, "udp-one": udp_one, "hold": hold, "digest": digest,
         "serve": serve, "download": transfer,
         "upload": lambda *a: transfer(*a, up=True), "keep": keep, "smtp": smtp}

if __name__ == "__main__":
    VERBS[sys.argv[1]](*sys.argv[2:])
