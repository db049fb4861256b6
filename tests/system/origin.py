#!/usr/bin/python3
# An HTTP/1.1 server that does what nginx does not: odd framings, digests, tunnels, raw heads.
"""usage: origin.py NAME PORT PROXIED_PORT WEBSOCKET_PORT

PORT takes requests as they are, PROXIED_PORT behind a PROXY header of version 2. WEBSOCKET_PORT
echoes WebSocket messages behind NAME. Every response says NAME in X-Backend. Paths:

  /head      JSON: the head as it came, the client that the PROXY header names, the body's digest
  /up        "DIGEST LENGTH" of the body (SHA-256)
  /chunked   300000 bytes in chunks, with a trailer
  /close     300000 bytes that end with the connection
  /early     103 before 200
  /pieces    a response head that arrives byte by byte
  /long      a response head of 12 KB
  /204 /304  that status
  /broken    no HTTP
  /halved    a response head that never ends: the connection is closed in it
  /slow      answers after 300 ms
  /cookie    sets a cookie of its own, may be kept by caches
"""

import asyncio
import contextlib
import hashlib
import json
import socket
import struct
import sys

import websockets

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
DATA = bytes(range(256)) * 1172  # 300032 bytes in which no line ends alone
BLOCK = 1 << 20


async def read_proxy(reader):
    """The client that a PROXY header of version 2 names: "address port"."""
    start = await reader.readexactly(16)
    if start[:12] != SIGNATURE or start[12] != 0x21:
        raise ValueError("no PROXY header")
    rest = await reader.readexactly(struct.unpack(">H", start[14:16])[0])
    size = 4 if start[13] == 0x11 else 16
    family = socket.AF_INET if size == 4 else socket.AF_INET6
    port = struct.unpack_from(">H", rest, 2 * size)[0]
    return f"{socket.inet_ntop(family, rest[:size])} {port}"


class Body:
    """The body of a request, read once."""

    def __init__(self, reader, fields):
        self.reader = reader
        self.chunked = fields.get("transfer-encoding") == "chunked"
        self.length = int(fields.get("content-length", 0))
        self.digest = hashlib.sha256()
        self.seen = 0

    def take(self, piece):
        self.digest.update(piece)
        self.seen += len(piece)

    async def take_exactly(self, count):
        while count > 0:
            piece = await self.reader.read(min(count, BLOCK))
            if not piece:
                raise EOFError
            self.take(piece)
            count -= len(piece)

    async def read(self):
        if not self.chunked:
            return await self.take_exactly(self.length)
        while size := int((await self.reader.readline()).split(b";")[0], 16):
            await self.take_exactly(size)
            await self.reader.readexactly(2)
        while (await self.reader.readline()).strip():
            pass
        return None


class Exchange:
    """One request and its response."""

    def __init__(self, name, head, reader, writer, client):
        self.name, self.head, self.writer, self.client = name, head, writer, client
        lines = head.decode("latin-1").split("\r\n")
        self.method, self.target, self.version = lines[0].split(" ")
        self.fields = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            if name:
                self.fields[name.lower()] = value.strip().lower()
        self.body = Body(reader, self.fields)
        self.keeps = (self.version == "HTTP/1.1"
                      and self.fields.get("connection") != "close")
        if self.fields.get("connection") == "keep-alive":
            self.keeps = True

    def status(self, line, **fields):
        text = f"HTTP/1.1 {line}\r\nX-Backend: {self.name}\r\nX-Agent: " \
               f"{self.fields.get('user-agent', '')}\r\n"
        for name, value in fields.items():
            text += f"{name.replace('_', '-')}: {value}\r\n"
        if not self.keeps:
            text += "Connection: close\r\n"
        return text.encode() + b"\r\n"

    def answer(self, data, line="200 OK", **fields):
        self.writer.write(self.status(line, Content_Length=len(data), **fields))
        if self.method != "HEAD":
            self.writer.write(data)

    async def serve(self):
        """False: the connection ends."""
        if self.method == "CONNECT":
            return await self.tunnel()
        if self.fields.get("expect") == "100-continue":
            await asyncio.sleep(0.05)  # time for a balancer to make a mistake
            self.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        await self.body.read()
        if self.method == "TRACE":
            self.answer(self.head, Content_Type="message/http")
            return self.keeps
        serve = getattr(self, "get_" + self.target.split("?")[0].strip("/"), None)
        if serve is None:
            self.answer(f"{self.name} {self.target}\n".encode())
            return self.keeps
        return await serve() is not False and self.keeps

    async def tunnel(self):
        self.writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
        while data := await self.body.reader.read(65536):
            self.writer.write(data)
            await self.writer.drain()
        return False

    async def get_head(self):
        told = {"head": self.head.decode("latin-1"), "client": self.client,
                "digest": self.body.digest.hexdigest(), "length": self.body.seen}
        self.answer(json.dumps(told).encode())

    async def get_up(self):
        self.answer(f"{self.body.digest.hexdigest()} {self.body.seen}".encode())

    async def get_chunked(self):
        self.writer.write(self.status("200 OK", Transfer_Encoding="chunked"))
        size = 7
        at = 0
        while self.method != "HEAD" and at < len(DATA):
            piece = DATA[at:at + size]
            self.writer.write(b"%x;note=\"x\"\r\n" % len(piece) + piece + b"\r\n")
            at += len(piece)
            size = size * 3 % 9000 + 1
        if self.method != "HEAD":
            self.writer.write(b"0\r\nX-Sum: 1\r\n\r\n")

    async def get_close(self):
        self.keeps = False
        self.writer.write(self.status("200 OK") + DATA)
        return False

    async def get_early(self):
        self.writer.write(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n")
        await self.writer.drain()
        await asyncio.sleep(0.05)
        self.answer(b"early")

    async def get_pieces(self):
        for byte in self.status("200 OK", Content_Length=6) + b"pieces":
            self.writer.write(bytes((byte,)))
            await self.writer.drain()
            await asyncio.sleep(0.001)

    async def get_long(self):
        self.answer(b"long", **{f"X_Long_{n}": "y" * 1000 for n in range(12)})

    async def get_204(self):
        self.writer.write(self.status("204 No Content"))

    async def get_304(self):
        self.writer.write(self.status("304 Not Modified", ETag='"x"', Content_Length=77))

    async def get_broken(self):
        self.writer.write(b"\x00\x01 this is no HTTP\r\n\r\n")
        return False

    async def get_halved(self):
        self.writer.write(b"HTTP/1.1 200 OK\r\nX-Half:")
        await self.writer.drain()
        return False

    async def get_slow(self):
        await asyncio.sleep(0.3)
        self.answer(b"slow")

    async def get_cookie(self):
        self.answer(b"cookie", Set_Cookie="own=1; Path=/", Cache_Control="public, max-age=60")


async def serve(reader, writer, name, proxied):
    writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with contextlib.suppress(OSError, EOFError, ValueError):
        client = await read_proxy(reader) if proxied else None
        goes_on = True
        while goes_on:
            head = await reader.readuntil(b"\r\n\r\n")
            goes_on = await Exchange(name, head, reader, writer, client).serve()
            await writer.drain()
    with contextlib.suppress(OSError):
        writer.close()
        await writer.wait_closed()


async def echo(socket_, name):
    with contextlib.suppress(websockets.ConnectionClosed):
        async for message in socket_:
            await socket_.send(f"{name} {message}" if isinstance(message, str)
                               else name.encode() + b" " + message)


async def main(name, plain, proxied, websocket):
    servers = [await asyncio.start_server(
        lambda r, w, p=port == proxied: serve(r, w, name, p), host, int(port), limit=BLOCK,
        backlog=2048) for port in (plain, proxied) for host in ("0.0.0.0", "::")]
    servers.append(await websockets.serve(lambda s, _: echo(s, name), "127.0.0.1", int(websocket),
                                          max_size=None, compression=None))
    await asyncio.gather(*(server.serve_forever() for server in servers))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
