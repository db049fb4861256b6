# Reads pcapng files with a reader of its own, and by scapy's and tcpdump's opinion.
"""read(path) takes every block apart and complains about what the draft does not allow."""

import logging
import struct
import subprocess
from collections import namedtuple

from hawser import Broken

# scapy wants comments to end with a line feed, and warns of every other.
logging.getLogger("scapy.runtime").setLevel(logging.ERROR)

Frame = namedtuple("Frame", "interface nanoseconds length data sent comment")
Capture = namedtuple("Capture", "comment interfaces frames statistics")

SECTION, INTERFACE, STATISTICS, PACKET = 0x0A0D0D0A, 1, 5, 6


def options_of(data):
    """[(code, value)] up to opt_endofopt."""
    found, at = [], 0
    while at < len(data):
        code, length = struct.unpack_from("<HH", data, at)
        if code == 0:
            return found
        found.append((code, data[at + 4:at + 4 + length]))
        at += 4 + (length + 3) // 4 * 4
    if data:
        raise Broken("options without an end")
    return found


def blocks_of(data):
    at = 0
    while at < len(data):
        kind, length = struct.unpack_from("<II", data, at)
        if length % 4 or length < 12 or at + length > len(data):
            raise Broken(f"a block of {length} bytes at {at} of {len(data)}")
        if struct.unpack_from("<I", data, at + length - 4)[0] != length:
            raise Broken(f"the block at {at} ends with another length than it begins with")
        yield kind, data[at + 8:at + length - 4]
        at += length


def frame_of(body):
    interface, high, low, stored, length = struct.unpack_from("<5I", body)
    options = dict(options_of(body[20 + (stored + 3) // 4 * 4:]))
    return Frame(interface, high << 32 | low, length, body[20:20 + stored],
                 struct.unpack("<I", options[2])[0] & 3 == 2, options.get(1, b"").decode())


def read(path):
    with open(path, "rb") as stream:
        blocks = list(blocks_of(stream.read()))
    if not blocks or blocks[0][0] != SECTION:
        raise Broken("no section header")
    magic, major, minor, _ = struct.unpack_from("<IHHq", blocks[0][1])
    if (magic, major, minor) != (0x1A2B3C4D, 1, 0):
        raise Broken(f"a section header of {magic:x}, version {major}.{minor}")
    result = Capture(dict(options_of(blocks[0][1][16:])).get(1, b"").decode(), [], [], [])
    for kind, body in blocks[1:]:
        if kind == INTERFACE:
            options = dict(options_of(body[8:]))
            if options.get(9) != b"\x09" or struct.unpack_from("<H", body)[0] != 1:
                raise Broken("an interface that is not Ethernet with nanoseconds")
            result.interfaces.append(options[2].decode())
        elif kind == PACKET:
            result.frames.append(frame_of(body))
        elif kind == STATISTICS:
            number = struct.unpack_from("<I", body)[0]
            counts = {code: struct.unpack("<Q", value)[0]
                      for code, value in options_of(body[12:]) if 4 <= code <= 8}
            result.statistics.append((number, counts))
        else:
            raise Broken(f"a block of kind {kind}")
    return result


def frames_by_scapy(path):
    """The frames of a file, as another program reads it: pcapng or tcpdump's own."""
    from scapy.utils import RawPcapReader
    reader = RawPcapReader(path)
    try:
        return [data for data, _ in reader]
    finally:
        reader.close()


def lines_by_tcpdump(path):
    done = subprocess.run(["tcpdump", "-tnr", path], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Broken(f"tcpdump does not read {path}: {done.stderr}")
    return done.stdout.splitlines()
