#!/usr/bin/python3
# Sends UDP datagrams in fragments whose order we choose, and waits for the echo of each.
"""usage: fragments.py HOST PORT forwards|backwards|shuffled COUNT SIZE      prints who answered"""

import collections
import json
import logging
import os
import random
import socket
import sys

logging.getLogger("scapy.runtime").setLevel(logging.ERROR)

from scapy.layers.inet import IP, UDP, fragment  # noqa: E402
from scapy.layers.inet6 import IPv6, IPv6ExtHdrFragment  # noqa: E402
from scapy.layers.l2 import Ether  # noqa: E402
from scapy.packet import Raw  # noqa: E402

SOURCES = {4: "10.77.0.2", 6: "fd77::2"}
BALANCER = Ether(src="02:77:00:00:00:02", dst="02:77:00:00:00:01")
FRAGMENT = 1000  # bytes of payload in a fragment
PATIENCE = 5     # datagrams without an answer until it gives up


def pieces_of(host, source_port, port, identifier, payload):
    datagram = UDP(sport=source_port, dport=port) / Raw(payload)
    if ":" not in host:
        return fragment(IP(src=SOURCES[4], dst=host, id=identifier) / datagram, FRAGMENT)
    ipv6 = {"src": SOURCES[6], "dst": host}
    whole = bytes(IPv6(**ipv6) / datagram)[40:]  # with its checksum, before it is cut
    return [IPv6(**ipv6) / IPv6ExtHdrFragment(nh=17, offset=at // 8, id=identifier,
                                              m=at + FRAGMENT < len(whole))
            / Raw(whole[at:at + FRAGMENT]) for at in range(0, len(whole), FRAGMENT)]


def arrange(pieces, order, chance):
    if order == "backwards":
        pieces.reverse()
    elif order == "shuffled":
        chance.shuffle(pieces)
    return pieces


def main(host, port, order, count, size):
    chance = random.Random(7)
    answers = collections.Counter()
    first_id = os.getpid() * 64 % 60000  # no other datagram of the last seconds has had these
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    wire.bind(("data", 0))
    for number in range(int(count)):
        # The kernel's own socket takes the echo, which the kernel puts together and verifies.
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET,
                           socket.SOCK_DGRAM) as client:
            client.bind((SOURCES[6 if ":" in host else 4], 0))
            client.connect((host, int(port)))
            client.settimeout(1.5)
            payload = chance.randbytes(int(size))
            pieces = pieces_of(host, client.getsockname()[1], int(port), first_id + number, payload)
            for piece in arrange(pieces, order, chance):
                wire.send(bytes(BALANCER / piece))
            try:
                name, _, rest = client.recv(65536).partition(b" ")
                answers[name.decode() if rest == payload else "damaged"] += 1
            except OSError:
                answers["none"] += 1
                if answers["none"] == PATIENCE:
                    break
    print(json.dumps(answers))


if __name__ == "__main__":
    main(*sys.argv[1:])
