# Rows about connections that open: PROXY protocol by sequence arithmetic, and the TOA option.
import socket
import struct

from network import service, setup
from row import beside, burst, flows, frame, row, signals, sweep, tick
from talk import Talk

C, S = 1000, 5000  # initial sequence numbers of client and backend
SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
STAMPED = [("MSS", 1400), ("SAckOK", b""), ("Timestamp", (700, 0)), ("NOP", None), ("WScale", 7)]


def address_bytes(address):
    return socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)


class Introduced(Talk):
    """A client's connection to a service whose backends are told of it; `lead` bytes go before."""

    def __init__(self, name, lead=True, **more):
        super().__init__(name, **more)
        self.header = self.proxy_header()
        self.lead = len(self.header) if lead else 0

    def proxy_header(self):
        """Version 2, command PROXY; TCP over the family; who asked whom."""
        ends = address_bytes(self.client[0]) + address_bytes(self.vip[0])
        ends += struct.pack("!HH", self.client[1], self.vip[1])
        family = 0x11 if self.version == 4 else 0x21
        return SIGNATURE + struct.pack("!BBH", 0x21, family, len(ends)) + ends

    def to_backend(self, flags, seq, ack, out_seq=None, payload=b"", cut=False, **l4):
        """A segment of the client; `out_seq` where it differs, `cut`: its payload goes no further."""
        given = self.asked(flags, payload=payload, l4={"seq": seq, "ack": ack, **l4})
        out = self._packet((self.own_mac, self.backend_mac), self.local, self.backend, flags=flags,
                           ttl=63, payload=b"" if cut else payload,
                           l4={"seq": seq if out_seq is None else out_seq, "ack": ack, **l4})
        return frame(given, "forward_nat", out, backend=self.name)

    def to_client(self, flags, seq, ack, out_ack=None, payload=b"", out_options=None, **l4):
        """A segment of the backend; `out_ack` and `out_options` where they differ."""
        given = self.answered(flags, payload=payload, l4={"seq": seq, "ack": ack, **l4})
        out_l4 = {"seq": seq, "ack": ack if out_ack is None else out_ack, **l4}
        if out_options is not None:
            out_l4["options"] = out_options
        out = self._packet((self.own_mac, self.client_mac), self.vip, self.client, flags=flags,
                           ttl=63, payload=payload, l4=out_l4)
        return frame(given, "return_nat", out, backend=self.name)

    def syn(self, **more):
        return self.to_backend("S", C, 0, out_seq=C - self.lead, **more)

    def syn_ack(self, **more):
        return self.to_client("SA", S, C - self.lead + 1, out_ack=C + 1, **more)

    def header_sent(self, **l4):
        """The segment that the balancer makes."""
        ip = {"flags": "DF", "id": 0} if self.version == 4 else {}
        out = self._packet((self.own_mac, self.backend_mac), self.local, self.backend, flags="PA",
                           payload=self.header, ip=ip,
                           l4={"seq": C - self.lead + 1, "ack": S + 1, "window": 8192, **l4})
        return beside("forward_proxy_header", out, backend=self.name)

    def opened(self, at=0):
        """As far as the header is on its way."""
        return [burst(at, self.syn()), burst(at, self.syn_ack(), after=[self.header_sent()])]

    def reset(self, flags, seq, ack, out_seq):
        return self.to_backend(flags, seq, ack, out_seq=out_seq)


def introducing(name, how):
    return setup(services=[service(name, client_address=how)])


for v in (4, 6):
    web = Introduced(f"web{v}")
    LIVE = [flows(web.name, live=1, new=1)]
    PROXY = introducing(f"web{v}", "proxy-v2")

    # --- PROXY -----------------------------------------------------------------------------------
    row(f"a backend gets the PROXY header before the client's first byte, which keeps its number "
        f"(IPv{v})",
        *web.opened(), burst(0, web.to_backend("A", C + 1, S + 1)),
        burst(0, web.to_backend("PA", C + 1, S + 1, payload=b"GET /")),
        burst(0, web.to_client("A", S + 1, C + 6)),
        burst(0, web.to_client("PA", S + 1, C + 6, payload=b"200")), tick(5),
        counters=LIVE, setup=PROXY)
    row(f"what acknowledges only the PROXY header is not for the client (IPv{v})",
        *web.opened(),
        burst(0, frame(web.answered("A", l4={"seq": S + 1, "ack": C - web.lead + 1}),
                       "opening_acknowledgement"),
              frame(web.answered("A", l4={"seq": S + 1, "ack": C}), "opening_acknowledgement"),
              web.to_client("A", S + 1, C + 1)),
        counters=LIVE, setup=PROXY)
    row(f"data of a backend that has not acknowledged the PROXY header acknowledges the client's SYN "
        f"(IPv{v})",
        *web.opened(),
        burst(0, web.to_client("PA", S + 1, C - web.lead + 1, out_ack=C + 1, payload=b"220 hello")),
        burst(0, web.to_client("FA", S + 10, C, out_ack=C + 1)), counters=LIVE, setup=PROXY)
    row(f"a selective acknowledgement that goes with less than the header is blanked (IPv{v})",
        *web.opened(),
        burst(0, web.to_client("PA", S + 1, C - web.lead + 1, out_ack=C + 1, payload=b"x",
                               options=[("NOP", None), ("NOP", None), ("SAck", (C + 1, C + 6))],
                               out_options=[("NOP", None)] * 12)),
        counters=LIVE, setup=PROXY)
    row(f"a PROXY header is sent again until it is acknowledged, each time after twice the time "
        f"(IPv{v})",
        *web.opened(), tick(0.19), tick(0.22, web.header_sent()), tick(0.55),
        tick(0.65, web.header_sent()), burst(0.7, web.to_client("A", S + 1, C + 1)), tick(10),
        tick(60), counters=LIVE, setup=PROXY)
    row(f"after eight times a PROXY header is given up (IPv{v})",
        *web.opened(),
        *[tick(t, web.header_sent()) for t in (0.22, 0.65, 1.5, 3.2, 6.5, 13, 26)], tick(53),
        tick(120), counters=LIVE + [(0, {"proxy_header_lost": 1})], setup=PROXY)
    row(f"a SYN that is sent again gets the same number, a SYN-ACK brings the header again (IPv{v})",
        burst(0, web.syn(), web.syn()), burst(0, web.syn_ack(), after=[web.header_sent()]),
        burst(0.1, web.syn_ack(), after=[web.header_sent()]), counters=LIVE, setup=PROXY)
    row(f"a client that begins anew before the backend has answered is followed (IPv{v})",
        burst(0, web.syn()), burst(1, web.to_backend("S", 77, 0, out_seq=(77 - web.lead) % 2 ** 32)),
        burst(1, web.to_client("SA", S, (78 - web.lead) % 2 ** 32, out_ack=78),
              after=[web.header_sent(seq=(78 - web.lead) % 2 ** 32)]),
        counters=LIVE, setup=PROXY)
    row(f"data in a SYN goes no further: the header's bytes lie there (IPv{v})",
        burst(0, web.to_backend("S", C, 0, out_seq=C - web.lead, payload=b"early", cut=True)),
        burst(0, web.to_backend("S", C, 0, out_seq=C - web.lead, payload=b"even", cut=True)),
        counters=LIVE, setup=PROXY)
    row(f"a backend that refuses is heard by its client (IPv{v})",
        burst(0, web.syn()), burst(0, web.to_client("RA", 0, C - web.lead + 1, out_ack=C + 1)),
        tick(70), counters=LIVE + [signals(web.name, refused=1)], setup=PROXY)
    row(f"a client's reset is believed by a backend that waits for the header (IPv{v})",
        *web.opened(), burst(0, web.reset("R", C + 1, 0, C + 1 - web.lead)),
        counters=LIVE, setup=PROXY)
    row(f"a client's reset later keeps its number (IPv{v})",
        *web.opened(), burst(0, web.to_client("A", S + 1, C + 1)),
        burst(0, web.reset("R", C + 1, 0, C + 1)), counters=LIVE, setup=PROXY)
    row(f"the segment with the header has timestamps and a scaled window where both sides do "
        f"(IPv{v})",
        burst(0, web.syn(options=STAMPED, window=64000)),
        burst(0, web.to_client("SA", S, C - web.lead + 1, out_ack=C + 1,
                               options=[("MSS", 1400), ("SAckOK", b""), ("Timestamp", (900, 700)),
                                        ("NOP", None), ("WScale", 9)]),
              after=[web.header_sent(window=500, options=[("NOP", None), ("NOP", None),
                                                          ("Timestamp", (700, 900))])]),
        counters=LIVE, setup=PROXY)
    row(f"and neither where one side does not (IPv{v})",
        burst(0, web.syn(options=STAMPED, window=64000)),
        burst(0, web.to_client("SA", S, C - web.lead + 1, out_ack=C + 1, options=[("MSS", 1400)]),
              after=[web.header_sent(window=64000)]), counters=LIVE, setup=PROXY)
    row(f"a PROXY header waits for a buffer, and for the backend's MAC address (IPv{v})",
        burst(0, web.syn()), burst(0, web.syn_ack()), tick(0.3),
        counters=LIVE, setup={**PROXY, "spares": 0})
    # --- a client that has not heard the SYN-ACK -----------------------------------------------------
    def repeated(talk=web, at_isn=C, options=(), out=None):
        """The SYN once more, and the SYN-ACK once more; `out`: fields of that."""
        ip = {"flags": "DF", "id": 0} if v == 4 else {}
        l4 = {"seq": S, "ack": C + 1, "window": 8192, **(out or {})}
        answer = talk._packet((talk.own_mac, talk.client_mac), talk.vip, talk.client, ip=ip,
                              l4=l4, flags=l4.pop("flags", "SA"))
        return frame(talk.asked("S", l4={"seq": at_isn, "ack": 0, "options": list(options)}),
                     "return_nat", answer, backend=talk.name, capacity=256)

    row(f"a client that sends its SYN again after the backend has answered gets the SYN-ACK again "
        f"(IPv{v})",
        *web.opened(), burst(0.1, repeated()), burst(0.15, web.to_client("A", S + 1, C + 1)),
        tick(3), burst(3, repeated()), burst(7, repeated()),
        burst(7, web.to_backend("A", C + 1, S + 1)), tick(8.9), burst(8.9, web.syn()), tick(9.1),
        burst(9.1, web.to_backend("S", C, 0)), counters=LIVE, setup=PROXY)
    later = [*STAMPED[:2], ("Timestamp", (1700, 0)), *STAMPED[3:]]
    agreed = [("MSS", 1400), ("SAckOK", b""), ("Timestamp", (900, 700)), ("NOP", None),
              ("WScale", 9)]
    row(f"that SYN-ACK has the options of the first, and echoes the latest SYN (IPv{v})",
        burst(0, web.syn(options=STAMPED, window=64000)),
        burst(0, web.to_client("SA", S, C - web.lead + 1, out_ack=C + 1, options=agreed,
                               window=28960),
              after=[web.header_sent(window=500, options=[("NOP", None), ("NOP", None),
                                                          ("Timestamp", (700, 900))])]),
        burst(0.1, repeated(options=later,
                            out={"window": 28960,
                                 "options": [*agreed[:2], ("Timestamp", (900, 1700)),
                                             *agreed[3:]]})),
        tick(0.22, web.header_sent(window=500, options=[("NOP", None), ("NOP", None),
                                                        ("Timestamp", (1700, 900))])),
        counters=LIVE, setup=PROXY)
    row(f"a PROXY header has the time of the client's latest SYN (IPv{v})",
        burst(0, web.syn(options=STAMPED)), burst(1, web.syn(options=later)),
        burst(1, web.syn(options=STAMPED)),
        burst(1, web.to_client("SA", S, C - web.lead + 1, out_ack=C + 1, options=agreed),
              after=[web.header_sent(window=64, options=[("NOP", None), ("NOP", None),
                                                         ("Timestamp", (1700, 900))])]),
        counters=LIVE, setup=PROXY)
    row(f"a SYN without room for its SYN-ACK is dropped (IPv{v})",
        *web.opened(), burst(0.1, web.dropped("no_buffer", l4={"seq": C, "ack": 0})),
        counters=LIVE, setup=PROXY)
    row(f"while the table is crowded, clients that stay silent are forgotten soon (IPv{v})",
        *web.opened(), burst(0, web.to_client("A", S + 1, C + 1)), tick(2.1),
        burst(2.1, web.to_backend("S", C, 0)), counters=LIVE, setup={**PROXY, "openings": 1})
    row(f"a connection that is forgotten takes its PROXY header with it (IPv{v})",
        *web.opened(), burst(0.1, web.reset("R", C + 1, 0, C + 1 - web.lead)), sweep(30), tick(31),
        counters=[flows(web.name, live=0, new=1), (0, {"expired": 1})], setup=PROXY)
    row(f"a connection to a service without client address is not touched (IPv{v})",
        burst(0, web.to_backend("S", C, 0)), burst(0, web.to_client("SA", S, C + 1)), tick(1),
        counters=LIVE)
    row(f"new connections wait while too many are being opened (IPv{v})",
        burst(0, web.syn(), Introduced(f"web{v}", client_port=40001, local_port=1025).syn(),
              Introduced(f"web{v}", client_port=40002).dropped("opening_table_full")),
        burst(0, web.syn_ack(), after=[web.header_sent()]),
        burst(0, web.to_client("A", S + 1, C + 1)), tick(3),
        burst(3, Introduced(f"web{v}", client_port=40003, local_port=1027).syn()),
        counters=[flows(web.name, live=3, new=3)], setup={**PROXY, "openings": 2})

    # --- TOA -------------------------------------------------------------------------------------
    toa = Introduced(f"web{v}", lead=False)
    TOA = introducing(f"web{v}", "toa")
    OPTION = (254, struct.pack("!H", toa.client[1]) + address_bytes(toa.client[0]))

    def with_option(flags, payload=b"", options=(), talk=toa, option=OPTION):
        """A segment of the client, which leaves with the option before all others."""
        l4 = {"seq": C + 1, "ack": S + 1}
        given = talk.asked(flags, payload=payload, l4={**l4, "options": list(options)})
        out = talk._packet((talk.own_mac, talk.backend_mac), talk.local, talk.backend, flags=flags,
                           ttl=63, payload=payload, l4={**l4, "options": [option, *options]})
        return frame(given, "forward_nat", out, backend=talk.name)

    row(f"segments that acknowledge no more than the backend's SYN carry the TOA option (IPv{v})",
        burst(0, toa.syn()), burst(0, toa.syn_ack()),
        burst(0, with_option("A"), with_option("PA", b"GET /"), with_option("PA", b"odd")),
        burst(0, toa.to_client("PA", S + 1, C + 6, payload=b"200")),
        burst(0, toa.to_backend("A", C + 6, S + 4), toa.to_backend("PA", C + 6, S + 1, payload=b"x")),
        counters=LIVE, setup=TOA)
    row(f"the TOA option goes before those there are (IPv{v})",
        burst(0, toa.syn(options=STAMPED)), burst(0, toa.syn_ack()),
        burst(0, with_option("A", options=[("NOP", None), ("NOP", None),
                                           ("Timestamp", (701, 900))])),
        counters=LIVE, setup=TOA)
    row(f"a segment without room for the TOA option goes without it (IPv{v})",
        burst(0, toa.syn()), burst(0, toa.syn_ack()),
        burst(0, toa.to_backend("A", C + 1, S + 1, options=[("NOP", None)] * (36 if v == 4 else 24))),
        burst(0, toa.to_backend("PA", C + 1, S + 1, payload=bytes(1460 if v == 4 else 1440))),
        counters=LIVE, setup=TOA)
    row(f"a reset carries no TOA option (IPv{v})",
        burst(0, toa.syn()), burst(0, toa.syn_ack()), burst(0, toa.to_backend("R", C + 1, 0)),
        counters=LIVE, setup=TOA)
    row(f"the backend's MSS leaves room for the TOA option (IPv{v})",
        burst(0, toa.syn(options=[("MSS", 1460 if v == 4 else 1440)])),
        burst(0, toa.syn_ack(options=[("MSS", 1460 if v == 4 else 1440)],
                             out_options=[("MSS", 1452 if v == 4 else 1420)])),
        counters=LIVE, setup=TOA)
