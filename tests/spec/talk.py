# Talk: the frames of one flow on both sides of the balancer, each made from scratch by scapy.
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether

import network
from network import FAR, NAT, OWN
from row import burst, frame


def packet(macs, addresses, ports, protocol, flags="S", payload=b"", ttl=64, ip=None, l4=None):
    """An Ethernet frame; scapy fills in lengths and checksums. Pairs are (source, destination)."""
    version6 = ":" in addresses[0]
    header = (IPv6(src=addresses[0], dst=addresses[1], hlim=ttl, **(ip or {})) if version6 else
              IP(src=addresses[0], dst=addresses[1], ttl=ttl, **(ip or {})))
    if protocol == "tcp":
        ack = 5000 if "A" in flags else 0
        fields = {"seq": 1000, "ack": ack, **(l4 or {})}
        transport = TCP(sport=ports[0], dport=ports[1], flags=flags, **fields)
    else:
        transport = UDP(sport=ports[0], dport=ports[1], **(l4 or {}))
    return Ether(src=macs[0], dst=macs[1]) / header / transport / payload


class Talk:
    """A client's flow through a service. The balancer's choice of backend and local port is said
    here, by hand, so that the frames on the far side can be made without its help."""

    def __init__(self, service, client=FAR, client_port=40000, local_port=1024, backend="b1",
                 own=OWN, nat=NAT, own_out=None, port=0, out_port=0, client_mac=None):
        self.service = network.SERVICES[service]
        self.version = network.version_of(service)
        self.protocol = self.service["protocol"]
        self.is_nat = self.service["forward"] == "nat"
        self.name = f"{service}/{backend}"
        self.client = (client.address(self.version), client_port)
        self.client_mac = client_mac or client.mac
        self.vip = (self.service["address"], self.service["port"])
        host = network.BACKENDS[backend]
        self.backend = (host.address(self.version), self.service["backends"][0]["port"])
        self.backend_mac = host.mac
        self.local = (nat.address(self.version), local_port)
        self.own_mac = own.mac
        self.own_out_mac = (own_out or own).mac
        self.port, self.out_port = port, out_port

    def _packet(self, macs, source, destination, **more):
        return packet(macs, (source[0], destination[0]), (source[1], destination[1]),
                      self.protocol, **more)

    def asked(self, flags="S", **more):
        """The client's packet as it arrives."""
        return self._packet((self.client_mac, self.own_mac), self.client, self.vip, flags=flags,
                            **more)

    def ask(self, flags="S", ttl=64, frame_options=None, **more):
        """The client's packet, and how it must reach the backend."""
        macs = (self.own_out_mac, self.backend_mac)
        if self.is_nat:
            out = self._packet(macs, self.local, self.backend, flags=flags, ttl=ttl - 1, **more)
        else:
            out = self._packet(macs, self.client, self.vip, flags=flags, ttl=ttl, **more)
        return frame(self.asked(flags, ttl=ttl, **more),
                     "forward_nat" if self.is_nat else "forward_dsr_l2", out, port=self.port,
                     out_port=self.out_port, backend=self.name, **(frame_options or {}))

    def answered(self, flags="A", **more):
        """The backend's packet as it arrives at the local port."""
        return self._packet((self.backend_mac, self.own_out_mac), self.backend, self.local,
                            flags=flags, **more)

    def answer(self, flags="A", ttl=64, to_mac=None, **more):
        """The backend's packet, and how it must reach the client."""
        out = self._packet((self.own_mac, to_mac or self.client_mac), self.vip, self.client,
                           flags=flags, ttl=ttl - 1, **more)
        return frame(self.answered(flags, ttl=ttl, **more), "return_nat", out, port=self.out_port,
                     out_port=self.port, backend=self.name)

    def reset(self, flags, seq=1000, ack=5000, payload=b"", answer=None, **more):
        """The client's packet, and the reset it must get; `answer` are the reset's TCP fields."""
        given = self.asked(flags, payload=payload, l4={"seq": seq, "ack": ack}, **more)
        ip = {"flags": "DF", "id": 0} if self.version == 4 else {}
        fields = {"window": 0, **answer}
        out = self._packet((self.own_mac, self.client_mac), self.vip, self.client, ip=ip, ttl=64,
                           flags=fields.pop("flags"), l4=fields)
        return frame(given, "reply_reset", out, port=self.port)

    def dropped(self, verdict, flags="S", **more):
        return frame(self.asked(flags, **more), verdict, port=self.port)

    def open(self, at=0, worker=0):
        """The steps of a TCP handshake (nat: both ways), or one datagram."""
        if self.protocol == "udp":
            return [burst(at, self.ask(payload=b"question"), worker=worker)]
        steps = [burst(at, self.ask("S"), worker=worker)]
        if self.is_nat:
            steps.append(burst(at, self.answer("SA"), worker=worker))
        return steps + [burst(at, self.ask("A"), worker=worker)]
