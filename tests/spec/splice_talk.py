# Spliced: the segments of one spliced connection on both sides of the balancer, made by scapy.
#
# SYN cookies and session cookies come from tests/unit/cookie_vectors.py, which follows the layouts
# alone; keys are derived as libsodium documents it (crypto_kdf is keyed BLAKE2b).
import hashlib
import os
import struct
import sys

import network
from network import FAR, NAT, OWN
from row import beside, burst, frame, released
from talk import packet

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "unit"))
from cookie_vectors import name_tag, session_cookie, syn_mac  # noqa: E402 (needs that path)

FLOW_KEY = bytes((i * 7 + 1) & 0xFF for i in range(32))  # as world.cc has it
UNIX = 1_800_000_000                                     # at second 0
CLIENT_ISN, SERVER_ISN = 1000, 700_000
CLIENT_TIME, SERVER_TIME = 5000, 90_000
READING_WINDOW = 16384
ROOM = 2048  # of a buffer: answers may be longer than what they answer
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
COOKIE_TIME = UNIX // 10


def derived(number):
    return hashlib.blake2b(b"", digest_size=16, key=FLOW_KEY, salt=struct.pack("<QQ", number, 0),
                           person=b"hawserL7" + bytes(8)).digest()


def get(path="/", *lines, host="shop.example", version="1.1"):
    head = [f"GET {path} HTTP/{version}", f"Host: {host}", *lines, "", ""]
    return "\r\n".join(head).encode()


def session(service="page4", backend="b1", number=77, born=COOKIE_TIME, refreshed=COOKIE_TIME,
            epoch=1, key=0):
    """The value of a session cookie. `key`: the first of the keys, or the second."""
    signing = network.COOKIE_KEYS[key]
    tag = name_tag(derived(2), b"b", service, backend) >> 32
    return session_cookie(signing["id"], bytes.fromhex(signing["secret"]), service, 0, tag, number,
                          born, refreshed, epoch)


def answer(status, phrase, body=None):
    """An answer of the balancer's own."""
    body = f"{status} {phrase}\n" if body is None else body
    return (f"HTTP/1.1 {status} {phrase}\r\nContent-Type: text/plain; charset=utf-8\r\n"
            f"Content-Length: {len(body)}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n"
            f"{body}").encode()


class Offer:
    """What a client's SYN offers, and what a cookie keeps of that: without timestamps `profile`,
    with them the index of the MSS, as syn_cookie.h lists them."""

    def __init__(self, mss=None, scale=None, sack=False, timestamps=False, profile=0, index=0,
                 kept_mss=536, kept_scale=None, kept_sack=False):
        self.mss, self.scale, self.sack, self.timestamps = mss, scale, sack, timestamps
        self.profile, self.index = profile, index
        self.kept_mss, self.kept_scale, self.kept_sack = kept_mss, kept_scale, kept_sack

    def options(self, mss, scale, sack, timestamps):
        """Of a SYN, in the order of Linux."""
        out = [("MSS", mss)] if mss else []
        if sack:
            out.append(("SAckOK", b""))
        elif timestamps:
            out += [("NOP", None), ("NOP", None)]
        if timestamps:
            out.append(("Timestamp", timestamps))
        elif sack:
            out += [("NOP", None), ("NOP", None)]
        return out if scale is None else out + [("NOP", None), ("WScale", scale)]


PLAIN = Offer()
PLAIN6 = Offer(kept_mss=1220)
LINUX = Offer(1460, 7, True, profile=3, kept_mss=1460, kept_scale=7, kept_sack=True)
WINDOWS = Offer(1460, 8, True, profile=2, kept_mss=1460, kept_scale=8, kept_sack=True)
FULL = Offer(1460, 7, True, True, index=6, kept_mss=1460, kept_scale=7, kept_sack=True)
FULL6 = Offer(1440, 7, True, True, index=6, kept_mss=1440, kept_scale=7, kept_sack=True)


class Spliced:
    """A client's connection. `at` and `ack` count the bytes of each stream from 0, as who sends
    them counts; `ts` are ticks since the first segment of who sends and of who is echoed."""

    def __init__(self, service="page4", client=FAR, client_port=40000, backend="b1",
                 local_port=1024, offer=None, prelude=0, syn_at=0, isn=CLIENT_ISN, server_isn=SERVER_ISN,
                 client_window=8192, server_window=29200, scales=True, stamps=True):
        self.service = network.SERVICES[service]
        self.version = network.version_of(service)
        self.offer = offer or (PLAIN if self.version == 4 else PLAIN6)
        self.name, self.prelude = f"{service}/{backend}", prelude
        self.client = (client.address(self.version), client_port)
        self.client_mac = client.mac
        self.vip = (self.service["address"], self.service["port"])
        host = network.BACKENDS[backend]
        self.backend = (host.address(self.version), self.service["backends"][0]["port"])
        self.backend_mac = host.mac
        self.local = (NAT.address(self.version), local_port)
        self.isn, self.server_isn = isn, server_isn
        self.window, self.server_window = client_window, server_window
        self.scales, self.stamps = scales, stamps  # the backend agrees to that
        self.cookie, self.time = self._cookie((UNIX + syn_at) >> 6)
        self.down_shift = 0  # bytes that the client has from a backend before this one

    def _cookie(self, window):
        o = self.offer
        place = (derived(1), (self.client[0], self.vip[0]), (self.client[1], self.vip[1]),
                 self.isn, window)
        if not o.timestamps:
            return syn_mac(*place, o.profile, 0)[0] & ~3 | o.profile, 0
        scale = 15 if o.kept_scale is None else o.kept_scale
        byte = o.index << 5 | scale << 1 | o.kept_sack
        mac, more = syn_mac(*place, byte, 1)
        return mac, more & 0xFFFFFF00 | byte

    # --- segments ---------------------------------------------------------------------------------

    def _segment(self, macs, source, destination, flags, seq, ack, own, ttl, payload, window,
                 options, **more):
        own_ip = {"flags": "DF", "id": 0} if own and self.version == 4 else {}
        fields = {"seq": seq % 2**32, "ack": ack % 2**32, "window": window, "options": options}
        return packet(macs, (source[0], destination[0]), (source[1], destination[1]), "tcp",
                      flags=flags, payload=payload, ttl=ttl, ip={**own_ip, **more}, l4=fields)

    def _options(self, ts, bases, blocks, first):
        options = []
        if self.offer.timestamps and ts is not None:
            pair = tuple((base + tick) % 2**32 for base, tick in zip(bases, ts))
            options += [("NOP", None), ("NOP", None), ("Timestamp", pair)]
        if blocks:
            edges = tuple((first + edge) % 2**32 for block in blocks for edge in block)
            options += [("NOP", None), ("NOP", None), ("SAck", edges)]
        return options

    def from_client(self, flags="A", at=0, ack=0, payload=b"", window=None, ts=(0, 0), sack=(),
                    ttl=64, own=False, **more):
        first = self.cookie + 1
        options = self._options(ts, (CLIENT_TIME, self.time), sack, first)
        return self._segment((self.client_mac, OWN.mac), self.client, self.vip, flags,
                             self.isn + 1 + at, first + ack, own, ttl, payload,
                             self.window if window is None else window, options, **more)

    def to_backend(self, flags="A", at=0, ack=0, payload=b"", window=None, ts=(0, 0), sack=(),
                   ttl=63, own=False, **more):
        first = self.server_isn + 1
        options = self._options(ts if self.stamps else None, (CLIENT_TIME, SERVER_TIME), sack, first)
        if self.offer.timestamps and not (self.stamps or own):
            options = [("NOP", None)] * 12 + options
        return self._segment((OWN.mac, self.backend_mac), self.local, self.backend, flags,
                             self.isn + 1 + at, first + ack, own, ttl, payload,
                             self.window if window is None else window, options, **more)

    def from_backend(self, flags="A", at=0, ack=0, payload=b"", window=None, ts=(0, 0), sack=(),
                     ttl=64, own=False, **more):
        first = self.isn + 1
        options = self._options(ts if self.stamps else None, (SERVER_TIME, CLIENT_TIME), sack, first)
        return self._segment((self.backend_mac, OWN.mac), self.backend, self.local, flags,
                             self.server_isn + 1 + at, first + ack, own, ttl, payload,
                             self.server_window if window is None else window, options, **more)

    def to_client(self, flags="A", at=0, ack=0, payload=b"", window=None, ts=(0, 0), sack=(),
                  ttl=63, own=False, **more):
        first = self.isn + 1
        options = self._options(ts, (self.time, CLIENT_TIME), sack, first)
        return self._segment((OWN.mac, self.client_mac), self.vip, self.client, flags,
                             self.cookie + 1 + self.down_shift + at, first + ack, own, ttl,
                             payload, self.server_window if window is None else window, options,
                             **more)

    # --- frames -----------------------------------------------------------------------------------

    def up(self, flags="A", at=0, ack=0, payload=b"", out=None, **more):
        """The client's segment, and how it must reach the backend; `out`: what is other there."""
        fields = {"flags": flags, "at": at, "ack": ack, "payload": payload, **more}
        return frame(self.from_client(ack=ack + self.down_shift, **_without(fields, "ack")),
                     "forward_splice", self.to_backend(**{**fields, **(out or {})}),
                     backend=self.name, capacity=ROOM)

    def down(self, flags="A", at=0, ack=0, payload=b"", out=None, **more):
        """The backend's segment, and how it must reach the client."""
        fields = {"flags": flags, "at": at, "ack": ack, "payload": payload, **more}
        return frame(self.from_backend(**fields), "return_splice",
                     self.to_client(**{**fields, **(out or {})}), backend=self.name, capacity=ROOM)

    def own_up(self, **fields):
        """A segment of the balancer's own to the backend."""
        return beside("splice_own", self.to_backend(own=True, ttl=64, **fields), way="in",
                      backend=self.name)

    def own_down(self, counted=True, **fields):
        """To the client. `counted`: it has a backend, whose answer this is."""
        more = {"way": "out", "backend": self.name} if counted else {}
        return beside("splice_own", self.to_client(own=True, ttl=64, **fields), **more)

    def reply(self, verdict, given, **fields):
        """The client's segment, turned into the balancer's answer."""
        return frame(given, verdict, self.to_client(own=True, ttl=64, **fields), capacity=ROOM)

    def takes(self, verdict, **fields):
        """A segment of the client that goes nowhere."""
        return frame(self.from_client(**fields), verdict, capacity=ROOM)

    def server_takes(self, verdict, **fields):
        return frame(self.from_backend(**fields), verdict, capacity=ROOM)

    # --- opening ----------------------------------------------------------------------------------

    def syn(self, window=64240, answer_mss=None):
        """The client's SYN, and the SYN-ACK."""
        o, room = self.offer, {4: 1460, 6: 1440}[self.version]
        given = self._segment((self.client_mac, OWN.mac), self.client, self.vip, "S", self.isn, 0,
                              False, 64, b"", window,
                              o.options(o.mss, o.scale, o.sack,
                                        o.timestamps and (CLIENT_TIME, 0)))
        options = o.options(answer_mss or room, None if o.kept_scale is None else 7, o.kept_sack,
                            o.timestamps and (self.time, CLIENT_TIME))
        out = self._segment((OWN.mac, self.client_mac), self.vip, self.client, "SA", self.cookie,
                            self.isn + 1, True, 64, b"", READING_WINDOW, options)
        return frame(given, "reply_syn_cookie", out, capacity=ROOM)

    def own_syn(self, at=0, mss=None, window=None, time=0):
        """The balancer's SYN to the backend: what the client offered. `at`: the first byte that
        this backend gets."""
        o = self.offer
        window = self.window << (o.kept_scale or 0) if window is None else window
        options = o.options(mss or o.kept_mss, o.kept_scale, o.kept_sack,
                            o.timestamps and (CLIENT_TIME + time, 0))
        out = self._segment((OWN.mac, self.backend_mac), self.local, self.backend, "S",
                            self.isn + at - self.prelude, 0, True, 64, b"", min(window, 65535),
                            options)
        return beside("splice_own", out, way="in", backend=self.name)

    def syn_ack(self, at=0, ack=None, mss=1460, scale=7, window=65160, sack=True,
                verdict="splice_taken"):
        """The backend's answer."""
        o = self.offer
        scale = scale if o.kept_scale is not None and self.scales else None
        options = o.options(mss, scale, o.kept_sack and sack,
                            o.timestamps and self.stamps and (SERVER_TIME, CLIENT_TIME))
        given = self._segment((self.backend_mac, OWN.mac), self.backend, self.local, "SA",
                              self.server_isn,
                              self.isn + 1 + at - self.prelude if ack is None else ack, False, 64,
                              b"", window, options)
        return frame(given, verdict, capacity=ROOM)

    def own_ack(self, at=0, window=None):
        """What tells the backend that its SYN-ACK was heard."""
        shift = self.offer.kept_scale or 0
        unit = 1 << (shift if self.scales else 0)
        known = (min(self.window << shift, 65535) + unit - 1) // unit  # the edge never moves back
        return self.own_up(at=at, window=known if window is None else window)

    def hold(self, payload, at=0, ack=0, flags="PA", **more):
        """The client's segment waits."""
        return frame(self.from_client(flags=flags, at=at, ack=ack, payload=payload, **more),
                     "hold_request", capacity=ROOM)

    def lets_go(self, payload, at=0, ack=0, flags="PA", **more):
        """What waited goes to the backend."""
        return released(self.up(flags, at, ack, payload, **more))

    def open(self, request, at=0, out=None, **syn_ack):
        """The steps until the first request is at its backend; `out`: how it differs there."""
        return [burst(at, self.hold(request), after=[self.own_syn()]),
                burst(at, self.syn_ack(**syn_ack),
                      after=[self.own_ack(), self.lets_go(request, out=out)])]

    def reset(self, given, seq):
        """The reset that answers a client's segment, at the number it acknowledges."""
        out = self._segment((OWN.mac, self.client_mac), self.vip, self.client, "R", seq, 0, True,
                            64, b"", 0, [])
        return frame(given, "reply_reset", out, capacity=ROOM)

    def server_reset(self, given, at):
        """The reset that answers a segment of the backend, at the byte that it expects."""
        out = self._segment((OWN.mac, self.backend_mac), self.local, self.backend, "R",
                            self.isn + 1 + at, 0, True, 64, b"", 0, [])
        return frame(given, "reply_reset", out, capacity=ROOM)

    def refused(self, payload, status, phrase, body=None, flags="PA", **more):
        """A first request that the balancer answers itself."""
        text = answer(status, phrase, body)
        return self.reply("reply_answer", self.from_client(flags, payload=payload), flags="FPA",
                          ack=len(payload) + ("F" in flags), payload=text,
                          window=self.reading_window(), **more)

    def reading_window(self):
        """What a client without a record is told, in the units that were agreed."""
        return READING_WINDOW >> (0 if self.offer.kept_scale is None else 7)


def _without(fields, key):
    return {name: value for name, value in fields.items() if name != key}
