#!/usr/bin/env python3
# Numbered UDP packets at a pace, and the count of those that arrived.
"""usage: datagrams.py send ADDRESS PORT RATE     until its input ends; prints how many it sent
       datagrams.py receive PORT                until its input ends; prints what it got

Each is one JSON object. The sender has FLOWS sources at a time and gives one of them up for a new one
every few packets, so that there are flows that stay and flows that begin."""

import json
import os
import select
import socket
import struct
import sys
import time

FLOWS = 256
PACKETS_A_NEW_FLOW = 200
# At most so many at once when the sender was late: it must not make bursts of its own.
MOST_AT_ONCE = 32
SO_RCVBUFFORCE = 33
RECEIVE_BUFFER = 128 << 20
NUMBER = struct.Struct("!Q")
PAD = bytes(56)


def ended():
    return bool(select.select([sys.stdin], [], [], 0)[0])


def send(address, port, rate):
    def source():
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        one.connect((address, port))
        return one
    sources = [source() for _ in range(FLOWS)]
    sent, turn, late = 0, 0, 0
    begun = due_from = time.monotonic()
    while not ended():
        due = int((time.monotonic() - due_from) * rate) - (sent - late)
        if due > MOST_AT_ONCE:
            late += MOST_AT_ONCE - due  # never sent: the pace was lower for a moment
            due = MOST_AT_ONCE
        for _ in range(due):
            sources[sent % FLOWS].send(NUMBER.pack(sent) + PAD)
            sent += 1
            if sent % PACKETS_A_NEW_FLOW == 0:
                sources[turn % FLOWS].close()
                sources[turn % FLOWS] = source()
                turn += 1
        time.sleep(0.0005)
    return {"sent": sent, "flows": FLOWS + turn, "per_second": sent / (time.monotonic() - begun)}


def receive(port):
    socket_ = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    socket_.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER)
    socket_.bind(("0.0.0.0", port))
    socket_.setblocking(False)
    print("ready", flush=True)
    seen, got, twice, highest = bytearray(1 << 20), 0, 0, -1
    wait = select.poll()
    wait.register(socket_, select.POLLIN)
    wait.register(sys.stdin, select.POLLIN | select.POLLHUP)
    while True:
        events = dict(wait.poll())
        try:
            while True:
                number, = NUMBER.unpack_from(socket_.recv(2048))
                highest = max(highest, number)
                if number >= len(seen):
                    seen.extend(bytes(len(seen)))
                twice += seen[number]
                got += not seen[number]
                seen[number] = 1
        except BlockingIOError:
            if sys.stdin.fileno() in events:
                break
    missing = [n for n in range(highest + 1) if not seen[n]][:20]
    return {"received": got, "twice": twice, "first_missing": missing}


if __name__ == "__main__":
    os.set_blocking(sys.stdin.fileno(), True)
    if sys.argv[1] == "send":
        print(json.dumps(send(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))))
    else:
        print(json.dumps(receive(int(sys.argv[2]))))
