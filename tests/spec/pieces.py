# Pieces: a packet of a flow in fragments, as they arrive and as they must leave.
from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrFragment
from scapy.layers.l2 import Ether

from network import OWN
from row import frame
from tunnel_talk import Tunnel

PROTOCOLS = {"tcp": 6, "udp": 17}


class Pieces:
    """A packet of `talk` cut at `cuts` (bytes behind the IP header, multiples of eight). It arrives
    with identification `number`; behind nat it leaves with `new_number`. `fields` are those that
    talk.packet takes; `outer` what Tunnel.carry takes, for all pieces."""

    def __init__(self, talk, cuts=(64, 128), payload=bytes(range(180)), number=77, new_number=1,
                 flags="A", ttl=64, ip=None, outer=None, **fields):
        self.talk, self.cuts, self.ttl, self.ip = talk, cuts, ttl, ip or {}
        self.number, self.new_number, self.outer = number, new_number, outer or {}
        self.fields = {"flags": flags, "payload": payload, **fields}

    def _piece(self, macs, source, destination, n, number, ttl):
        """Piece `n`; its bytes come from the whole packet, whose checksum scapy made."""
        t = self.talk
        whole = bytes(t._packet(macs, source, destination, **self.fields).payload.payload)
        begin, end = ((0,) + self.cuts)[n], (self.cuts + (len(whole),))[n]
        more, proto, rest = n < len(self.cuts), PROTOCOLS[t.protocol], whole[begin:end]
        link = Ether(src=macs[0], dst=macs[1])
        if t.version == 4:
            return link / IP(src=source[0], dst=destination[0], ttl=ttl, id=number, proto=proto,
                             frag=begin // 8, **{"flags": "MF" if more else 0, **self.ip}) / rest
        return (link / IPv6(src=source[0], dst=destination[0], hlim=ttl, **self.ip) /
                IPv6ExtHdrFragment(nh=proto, offset=begin // 8, m=int(more), id=number) / rest)

    def asked(self, n):
        t = self.talk
        return self._piece((t.client_mac, t.own_mac), t.client, t.vip, n, self.number, self.ttl)

    def ask(self, n, outer_id=None):
        t, given = self.talk, self.asked(n)
        if isinstance(t, Tunnel):
            inner = self._piece((OWN.mac, OWN.mac), t.client, t.vip, n, self.number, self.ttl - 1)
            return t.sent(given, inner.payload, outer_id=outer_id)
        macs = (t.own_out_mac, t.backend_mac)
        if t.is_nat:
            out = self._piece(macs, t.local, t.backend, n, self.new_number, self.ttl - 1)
        else:
            out = self._piece(macs, t.client, t.vip, n, self.number, self.ttl)
        return frame(given, "forward_nat" if t.is_nat else "forward_dsr_l2", out, port=t.port,
                     out_port=t.out_port, backend=t.name)

    def answered(self, n):
        t = self.talk
        return self._piece((t.backend_mac, t.own_out_mac), t.backend, t.local, n, self.number,
                           self.ttl)

    def answer(self, n):
        t = self.talk
        out = self._piece((t.own_mac, t.client_mac), t.vip, t.client, n, self.new_number,
                          self.ttl - 1)
        return frame(self.answered(n), "return_nat", out, port=t.out_port, out_port=t.port,
                     backend=t.name)

    def hold(self, n):
        return frame(self.asked(n), "hold_fragment", port=self.talk.port)

    def dropped(self, verdict, *numbers):
        return [frame(self.asked(n), verdict, port=self.talk.port) for n in numbers]
