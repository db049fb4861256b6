# Servers that health checks must find well or ill: each port misbehaves in its own way.
"""usage: check_server.py FOLDER

Listens on all addresses. What `flap` and `agent` answer stands in FOLDER/flap and FOLDER/agent.
"""

import asyncio
import pathlib
import socket
import struct
import sys

PORTS = {"hang": 9501, "late": 9502, "just_in_time": 9503, "busy": 9504, "sorry": 9505,
         "bare": 9506, "reset": 9507, "endless_head": 9508, "endless_body": 9509, "banner": 9510,
         "redis": 9511, "redis_error": 9512, "agent": 9513, "agent_hang": 9514,
         "agent_garbage": 9515, "close": 9516, "flap": 9517, "agent_asked": 9518}
HEAD = b"HTTP/1.1 200 OK\r\nConnection: close\r\n"
FOLDER = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else None


def whole(body, status=b"200 OK", fields=b""):
    return (b"HTTP/1.1 " + status + b"\r\nConnection: close\r\nContent-Length: "
            + str(len(body)).encode() + b"\r\n" + fields + b"\r\n" + body)


async def hang(reader, _):
    await reader.read()


async def late(reader, writer):
    await reader.readuntil(b"\r\n\r\n")
    await asyncio.sleep(1.0)
    writer.write(whole(b"at last"))


async def just_in_time(reader, writer):
    await reader.readuntil(b"\r\n\r\n")
    await asyncio.sleep(0.25)
    writer.write(whole(b"in time"))


def page(answer):
    async def handle(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
    return handle


async def reset(reader, writer):
    await reader.readuntil(b"\r\n\r\n")
    writer.write(HEAD + b"Content-Length: 1000\r\n\r\nhalf of it")
    await writer.drain()
    await asyncio.sleep(0.05)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                               struct.pack("ii", 1, 0))


def endless(start, piece):
    async def handle(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(start)
        for _ in range(100_000):
            writer.write(piece)
            await writer.drain()
    return handle


def line(answer):
    async def handle(_, writer):
        writer.write(answer)
    return handle


async def redis(reader, writer):
    if await reader.readline() == b"PING\r\n":
        writer.write(b"+PONG\r\n")


async def agent(_, writer):
    writer.write((FOLDER / "agent").read_bytes())


async def agent_asked(reader, writer):
    writer.write(b"drain # " + await reader.readline())


async def flap(reader, writer):
    await reader.readuntil(b"\r\n\r\n")
    writer.write(whole(b"flap", (FOLDER / "flap").read_bytes()))


async def close(_, __):
    pass


HANDLERS = {
    "hang": hang, "late": late, "just_in_time": just_in_time, "reset": reset, "redis": redis,
    "agent": agent, "agent_hang": hang, "close": close, "flap": flap, "agent_asked": agent_asked,
    "busy": page(whole(b"busy", b"503 Busy")), "sorry": page(whole(b"sorry, closed")),
    "bare": page(whole(b"ok")),
    "endless_head": endless(HEAD, b"X-More: and more\r\n" * 500),
    "endless_body": endless(HEAD + b"\r\n", b"more and more " * 500),
    "banner": line(b"SSH-2.0-OpenSSH_9.2\r\n"), "redis_error": line(b"-ERR out of memory\r\n"),
    "agent_garbage": line(b"\xff\x80 what?\n"),
}


async def serve():
    for name, port in PORTS.items():
        async def handle(reader, writer, own=HANDLERS[name]):
            try:
                await own(reader, writer)
                await writer.drain()
            except (OSError, asyncio.IncompleteReadError):
                pass
            finally:
                writer.close()
        await asyncio.start_server(handle, ["0.0.0.0", "::"], port, backlog=1024)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve())
