#!/usr/bin/python3
# A VLAN interface in user space, for kernels that are built without 802.1Q.
"""usage: vlan.py LINK INTERFACE TAG

A TAP with the name INTERFACE: what the kernel sends there leaves LINK with the 802.1Q tag, and what
comes to LINK with that tag enters it untagged.
"""

import fcntl
import os
import select
import socket
import struct
import subprocess
import sys

TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x0002, 0x1000
SOL_PACKET, PACKET_AUXDATA, VLAN_VALID, OUTGOING = 263, 8, 1 << 4, 4
ALL = 3  # ETH_P_ALL


def open_tap(name):
    tap = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))
    subprocess.run(["ip", "link", "set", name, "up"], check=True)
    return tap


def tag_of(ancillary):
    """The tag that the kernel has taken off the frame; None when there was none."""
    for level, kind, data in ancillary:
        if (level, kind) == (SOL_PACKET, PACKET_AUXDATA):
            status, _, _, _, _, tag, _ = struct.unpack("=IIIHHHH", data)
            return tag & 0x0FFF if status & VLAN_VALID else None
    return None


def main(link, interface, tag):
    tap = open_tap(interface)
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL))
    wire.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    wire.bind((link, ALL))
    tag = int(tag)
    while True:
        for ready in select.select([wire, tap], [], [])[0]:
            if ready == tap:
                frame = os.read(tap, 65536)
                wire.send(frame[:12] + struct.pack(">HH", 0x8100, tag) + frame[12:])
                continue
            frame, ancillary, _, sender = wire.recvmsg(65536, 256)
            if sender[2] != OUTGOING and tag_of(ancillary) == tag:
                os.write(tap, frame)


if __name__ == "__main__":
    main(*sys.argv[1:])
