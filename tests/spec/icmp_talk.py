# ICMP about services and flows: echo, and errors with the packets that they quote.
from scapy.layers.inet import ICMP, IP
from scapy.layers.inet6 import (ICMPv6DestUnreach, ICMPv6EchoReply, ICMPv6EchoRequest,
                                ICMPv6PacketTooBig, ICMPv6ParamProblem, ICMPv6TimeExceeded, IPv6)
from scapy.layers.l2 import Ether

from network import FAR, OWN, ROUTER
from row import frame
from tunnel_talk import Tunnel

HEADERS = {4: IP, 6: IPv6}
PAYLOAD = bytes(range(56))


def message(v, host, rest, to=OWN.mac, client=FAR, **ip):
    """ICMP from the client as it arrives."""
    return (Ether(src=client.mac, dst=to) /
            HEADERS[v](src=client.address(v), dst=host.address(v), **ip) / rest)


def request(v, payload=PAYLOAD, **fields):
    if v == 4:
        return ICMP(type=8, id=7, seq=9, **fields) / payload
    return ICMPv6EchoRequest(id=7, seq=9, data=payload, **fields)


def reply(v, host, payload=PAYLOAD, own=OWN.mac, client=FAR, **ip):
    icmp = (ICMP(type=0, id=7, seq=9) / payload if v == 4 else
            ICMPv6EchoReply(id=7, seq=9, data=payload))
    ttl = {"ttl": 64} if v == 4 else {"hlim": 64}
    return (Ether(src=own, dst=client.mac) /
            HEADERS[v](src=host.address(v), dst=client.address(v), **ttl, **ip) / icmp)


def echo(v, host, **more):
    return frame(message(v, host, request(v)), "reply_echo", reply(v, host), **more)


# --- errors ---------------------------------------------------------------------------------------

ERRORS = {
    4: [ICMP(type=3, code=c) for c in (0, 1, 2, 3, 9, 10, 13)] +
       [ICMP(type=3, code=4, nexthopmtu=1400), ICMP(type=11, code=0), ICMP(type=11, code=1),
        ICMP(type=12, code=0, ptr=9)],
    6: [ICMPv6DestUnreach(code=c) for c in range(7)] +
       [ICMPv6PacketTooBig(mtu=1400), ICMPv6TimeExceeded(code=0), ICMPv6TimeExceeded(code=1),
        ICMPv6ParamProblem(code=1, ptr=6)]}
TOO_BIG = {4: ICMP(type=3, code=4, nexthopmtu=1400), 6: ICMPv6PacketTooBig(mtu=1400)}
UNREACHABLE = {4: ICMP(type=3, code=3), 6: ICMPv6DestUnreach(code=4)}


def part_of(packet, length=None):
    """The IP packet in a frame, or its first bytes."""
    return bytes(packet.payload)[:length]


def error(v, macs, source, destination, icmp, quote, ttl=64, ip=None):
    hop = {"ttl": ttl, "flags": "DF"} if v == 4 else {"hlim": ttl}
    return (Ether(src=macs[0], dst=macs[1]) /
            HEADERS[v](src=source, dst=destination, **hop, **(ip or {})) / icmp / quote)


class Error:
    """ICMP errors about packets of a flow, on both sides of the balancer. `length`: bytes of the
    quote; `more` is what `talk.packet` takes for the quoted packet."""

    def __init__(self, talk, reporter=FAR):
        self.talk, self.v = talk, talk.version
        self.reporter = reporter.address(self.v)

    def to_vip(self, icmp=None, length=None, ttl=64, quote=None, **more):
        """From somebody on the client's side, about an answer that went to the client."""
        t = self.talk
        answer = t._packet((OWN.mac, t.client_mac), t.vip, t.client, flags="A", ttl=3, **more)
        return error(self.v, (ROUTER.mac, t.own_mac), self.reporter, t.vip[0],
                     icmp or UNREACHABLE[self.v], part_of(answer, length) if quote is None
                     else quote, ttl)

    def ask(self, icmp=None, length=None, ttl=64, **more):
        """That error, and how it must reach the backend."""
        t, given = self.talk, self.to_vip(icmp, length, ttl, **more)
        if isinstance(t, Tunnel):
            return t.sent(given, self.to_vip(icmp, length, ttl - 1, **more).payload,
                          verdict="forward_icmp")
        if not t.is_nat:
            out = Ether(src=t.own_out_mac, dst=t.backend_mac) / given.payload
        else:
            answer = t._packet((OWN.mac, OWN.mac), t.backend, t.local, flags="A", ttl=3, **more)
            out = error(self.v, (t.own_out_mac, t.backend_mac), t.local[0], t.backend[0],
                        icmp or UNREACHABLE[self.v], part_of(answer, length), ttl - 1)
        return frame(given, "forward_icmp", out, backend=t.name)

    def to_nat(self, icmp=None, length=None, ttl=64, source=None, quote=None, **more):
        """From the backend or a router on its side, about a packet that went to the backend."""
        t = self.talk
        asked = t._packet((OWN.mac, t.backend_mac), t.local, t.backend, ttl=3, **more)
        return error(self.v, (t.backend_mac, t.own_out_mac), source or t.backend[0], t.local[0],
                     icmp or UNREACHABLE[self.v], part_of(asked, length) if quote is None
                     else quote, ttl)

    def answer(self, icmp=None, length=None, ttl=64, source=None, **more):
        """That error, and how it must reach the client."""
        t = self.talk
        asked = t._packet((OWN.mac, OWN.mac), t.client, t.vip, ttl=3, **more)
        out = error(self.v, (t.own_mac, t.client_mac), t.vip[0], t.client[0],
                    icmp or UNREACHABLE[self.v], part_of(asked, length), ttl - 1)
        return frame(self.to_nat(icmp, length, ttl, source, **more), "return_icmp", out,
                     backend=t.name)
