# Stands between hawserd and the dataplane's socket and takes the time of every snapshot.
"""Between: frames pass unchanged both ways, any number of connections."""

import contextlib
import os
import socket
import struct
import threading
import time

LENGTH = struct.Struct("!I")
# Protobuf's tags of what may stand behind the id, in Request and Response of dataplane.proto.
APPLY, APPLY_REPLY = 3 << 3 | 2, 4 << 3 | 2


def kind_and_id(frame):
    """Tag of a message's body, and its id."""
    at, number, shift = 0, 0, 0
    if frame[:1] == b"\x08":
        at = 1
        while True:
            byte = frame[at]
            number |= (byte & 127) << shift
            at, shift = at + 1, shift + 7
            if byte < 128:
                break
    return (frame[at] if at < len(frame) else 0), number


def read_exactly(stream, count):
    parts = []
    while count > 0:
        part = stream.recv(min(count, 1 << 20))
        if not part:
            return None
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


class Between:
    """`applied`: (when its frame was handed to the dataplane, seconds to the reply, bytes) of each
    snapshot; `refused`: how many were."""

    def __init__(self, path, dataplane):
        self.path, self.dataplane = path, dataplane
        self.applied, self.refused = [], 0
        self.listener = None

    def __enter__(self):
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(self.path)
        self.listener.listen()
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                ours, _ = self.listener.accept()
                theirs = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                try:
                    theirs.connect(self.dataplane)
                except OSError:
                    ours.close()
                    continue
                waiting = {}
                for pair in ((ours, theirs, waiting, True), (theirs, ours, waiting, False)):
                    threading.Thread(target=self.carry, args=pair, daemon=True).start()

    def carry(self, source, target, waiting, asks):
        with contextlib.suppress(OSError):
            while (head := read_exactly(source, LENGTH.size)) is not None:
                frame = read_exactly(source, LENGTH.unpack(head)[0])
                if frame is None:
                    break
                now = time.monotonic()
                kind, number = kind_and_id(frame)
                if asks and kind == APPLY:
                    waiting[number] = now, len(frame)
                elif not asks and number in waiting:
                    begun, size = waiting.pop(number)
                    if kind == APPLY_REPLY:
                        self.applied.append((begun, now - begun, size))
                    else:
                        self.refused += 1
                target.sendall(head + frame)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
