# Tunnel: the frames of a flow whose packets reach the backend inside others.
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether

import network
from network import OWN
from row import frame
from talk import Talk


class Tunnel(Talk):
    """`outer`: the address family of the backend. The client's IPv4 packets are sent with
    don't-fragment unless `ip` says otherwise; what may be fragmented has `outer_id` on its way."""

    def __init__(self, service, outer=None, source=OWN, backend="b1", **more):
        super().__init__(service, backend=backend, **more)
        self.outer = outer or self.version
        self.gue = self.service["forward"] == "dsr-gue"
        self.verdict = self.service["forward"].replace("-", "_").join(("forward_", ""))
        self.ends = (source.address(self.outer), network.BACKENDS[backend].address(self.outer))
        self.entropy = f"{service} {self.client[0]} {self.client[1]}"

    def asked(self, flags="S", **more):
        if self.version == 4:
            more["ip"] = {"flags": "DF", **more.get("ip", {})}
        return super().asked(flags, **more)

    def carry(self, inner, tos=0, outer_id=None, gue_port=6080):
        """`inner`, an IP packet, inside another that leaves for the backend. Without entropy."""
        if self.outer == 4:
            ip = {"flags": "DF", "id": 0} if outer_id is None else {"flags": 0, "id": outer_id}
            outer = IP(src=self.ends[0], dst=self.ends[1], ttl=64, tos=tos, **ip)
        else:
            outer = IPv6(src=self.ends[0], dst=self.ends[1], hlim=64, tc=tos, fl=0)
        link = Ether(src=self.own_out_mac, dst=self.backend_mac)
        if self.gue:
            checksum = {"chksum": 0} if self.outer == 4 else {}
            outer /= UDP(sport=0xc000, dport=gue_port, **checksum)
        elif self.outer == 4:
            outer.proto = 4 if self.version == 4 else 41
        else:
            outer.nh = 4 if self.version == 4 else 41
        return link / outer / bytes(inner)

    def sent(self, given, inner, verdict=None, frame_options=None, **outer):
        """Any frame in, and the packet that must be inside what leaves."""
        return frame(given, verdict or self.verdict, self.carry(inner, **outer), port=self.port,
                     out_port=self.out_port, backend=self.name, entropy=self.entropy,
                     **(frame_options or {}))

    def ask(self, flags="S", ttl=64, frame_options=None, outer_id=None, gue_port=6080, **more):
        """The client's packet, and how it must reach the backend."""
        fields = more.get("ip", {})
        tos = fields.get("tos", fields.get("tc", 0))
        inner = self.asked(flags, ttl=ttl - 1, **more).payload
        return self.sent(self.asked(flags, ttl=ttl, **more), inner, frame_options=frame_options,
                         tos=tos, outer_id=outer_id, gue_port=gue_port)
