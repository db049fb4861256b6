#!/usr/bin/python3
# Servers that fail in the ways that connections show: silence, resets, errors.
"""usage: misbehaving.py HANG RESET ERROR

HANG listens with a queue that is full: SYNs get no answer. RESET takes a connection and resets it
when something has come. ERROR answers every request with 500, and /fine with 200.
"""

import asyncio
import socket
import struct
import sys

FAULT = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"
FINE = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def hang(port):
    """Sockets to be kept. A queue for one connection that nobody takes, and two to fill it."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("0.0.0.0", port))
    listener.listen(0)
    kept = [listener]
    for _ in range(4):
        filler = socket.socket()
        filler.setblocking(False)
        filler.connect_ex(("127.0.0.1", port))
        kept.append(filler)
    return kept


async def reset(reader, writer):
    await reader.read(4096)
    linger = struct.pack("ii", 1, 0)  # close() sends a reset
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()


async def fail(reader, writer):
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            writer.write(FINE if head.startswith(b"GET /fine ") else FAULT)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def main():
    hang_port, reset_port, error_port = map(int, sys.argv[1:])
    kept = hang(hang_port)
    servers = [await asyncio.start_server(reset, "0.0.0.0", reset_port),
               await asyncio.start_server(fail, "0.0.0.0", error_port)]
    await asyncio.gather(*(server.serve_forever() for server in servers))
    del kept


if __name__ == "__main__":
    asyncio.run(main())
