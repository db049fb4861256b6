#!/usr/bin/python3
# Small peers for the system tests: UDP echo and its client, a patient TCP client, a stream digest.
"""usage: peer.py echo PORT NAME | udp HOST PORT COUNT SIZE | hold HOST PORT SECONDS |
          digest HOST PORT PATH"""

import collections
import hashlib
import json
import select
import socket
import sys
import time


def echo(port, name):
    """Answers each datagram with NAME, a blank, and what came."""
    sockets = []
    for family, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
        listener = socket.socket(family, socket.SOCK_DGRAM)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind((address, int(port)))
        sockets.append(listener)
    while True:
        for ready in select.select(sockets, [], [])[0]:
            data, sender = ready.recvfrom(65536)
            ready.sendto(name.encode() + b" " + data, sender)


def family_of(host):
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def udp(host, port, count, size):
    """COUNT datagrams, each from a socket of its own; who answered, and how many nobody."""
    answers = collections.Counter()
    for number in range(int(count)):
        with socket.socket(family_of(host), socket.SOCK_DGRAM) as client:
            client.settimeout(2)
            client.connect((host, int(port)))
            payload = f"{number}:".encode().ljust(int(size), b"x")
            client.send(payload)
            try:
                name, _, rest = client.recv(65536).partition(b" ")
                answers[name.decode() if rest == payload else "damaged"] += 1
            except (TimeoutError, socket.timeout, OSError):
                answers["none"] += 1
    print(json.dumps(answers))


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


if __name__ == "__main__":
    {"echo": echo, "udp": udp, "hold": hold, "digest": digest}[sys.argv[1]](*sys.argv[2:])
