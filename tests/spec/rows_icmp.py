# Rows about ICMP to addresses of ours that is no error: what is answered, and what is not.
from scapy.layers.inet import ICMP
from scapy.layers.inet6 import (ICMPv6EchoReply, ICMPv6EchoRequest, ICMPv6MLReport,
                                IPv6ExtHdrDestOpt, IPv6ExtHdrFragment)

from icmp_talk import echo, message, reply, request
from network import (DIRECT_VIP, FAR, GUE_VIP, IPIP_VIP, NAT, NAT_1, NEAR, OWN, OWN_1, PORT_0,
                     PORT_1, VIP, service, setup)
from row import burst, frame, row, snapshot

for v in (4, 6):
    for what, host in (("a nat service", VIP), ("a dsr-l2 service", DIRECT_VIP),
                       ("a dsr-ipip service", IPIP_VIP), ("a dsr-gue service", GUE_VIP)):
        row(f"a ping to the address of {what} is answered (IPv{v})", burst(0, echo(v, host)))
    row(f"a ping to a NAT address is answered (IPv{v})", burst(0, echo(v, NAT)))
    row(f"a ping to the NAT address of another port is answered by the port it came to (IPv{v})",
        burst(0, echo(v, NAT_1)),
        burst(0, frame(message(v, VIP, request(v), to=OWN_1.mac), "reply_echo",
                       reply(v, VIP, own=OWN_1.mac), port=1)),
        setup=setup(ports=(PORT_0, PORT_1)))
    row(f"a ping without payload, with one byte, and with 1400 is answered (IPv{v})",
        *[burst(0, frame(message(v, VIP, request(v, payload)), "reply_echo",
                         reply(v, VIP, payload))) for payload in (b"", b"x", bytes(1400))])
    row(f"the answer to a padded ping is padded as well (IPv{v})",
        burst(0, frame(bytes(message(v, VIP, request(v, b"ab"))) + bytes(16), "reply_echo",
                       bytes(reply(v, VIP, b"ab")) + bytes(16))))
    row(f"a neighbour on the link is answered, too, whatever its TTL (IPv{v})",
        *[burst(0, frame(message(v, VIP, request(v), client=NEAR,
                                 **{"ttl" if v == 4 else "hlim": ttl}), "reply_echo",
                         reply(v, VIP, client=NEAR))) for ttl in (1, 255)])
    row(f"a ping whose checksum comes to zero or is all ones is answered rightly (IPv{v})",
        *[burst(0, frame(message(v, VIP, request(v, n.to_bytes(2, "big"))), "reply_echo",
                         reply(v, VIP, n.to_bytes(2, "big"))))
          for n in (0xf7ef, 0xf7f0, 0xffef, 0xfff0, 0x7ef0)])
    row(f"a ping to a service address is not answered once the service is gone (IPv{v})",
        burst(0, echo(v, VIP)), snapshot(service(f"direct{v}")),
        burst(1, frame(message(v, VIP, request(v)), "punt_other")))
    row(f"a ping in a broadcast frame is not answered (IPv{v})",
        burst(0, frame(message(v, VIP, request(v), to="ff:ff:ff:ff:ff:ff"), "frame_not_for_us")))
    row(f"of a hundred and two pings at once a hundred are answered (IPv{v})",
        *[burst(0, *[echo(v, VIP)] * 25) for _ in range(4)],
        burst(0, *[frame(message(v, VIP, request(v)), "icmp_rate_limited")] * 2))
    row(f"a thousand pings a second are answered (IPv{v})",
        *[burst(0, *[echo(v, VIP)] * 25) for _ in range(4)],
        burst(0.001, echo(v, VIP), frame(message(v, VIP, request(v)), "icmp_rate_limited")),
        burst(0.003, echo(v, VIP), echo(v, VIP),
              frame(message(v, VIP, request(v)), "icmp_rate_limited")))

    row(f"a ping with a wrong checksum is malformed (IPv{v})",
        burst(0, *[frame(message(v, host, request(v, **{"chksum" if v == 4 else "cksum": 0x1234})),
                         "icmp_malformed") for host in (VIP, NAT)]))
    HEADER = 34 if v == 4 else 54
    CUT = bytes(message(v, VIP, request(v)))
    row(f"ICMP that ends within its header is malformed (IPv{v})",
        burst(0, *[frame(message(v, VIP, bytes([8 if v == 4 else 128] + [0] * 7)[:n],
                                 **{"proto" if v == 4 else "nh": 1 if v == 4 else 58}),
                         "icmp_malformed") for n in range(8)]))
    row(f"a ping of which a part is not at hand is malformed (IPv{v})",
        burst(0, *[frame(CUT[:n], "icmp_malformed", length=len(CUT))
                   for n in (HEADER, HEADER + 7, HEADER + 8, len(CUT) - 1)]))
    row(f"a ping with a wrong checksum does not use up the rate of others (IPv{v})",
        *[burst(0, *[frame(message(v, VIP, request(v, **{"chksum" if v == 4 else "cksum": 1})),
                           "icmp_malformed")] * 30) for _ in range(4)],
        burst(0, echo(v, VIP)))
    row(f"a ping to an own address is punted, even one with a wrong checksum (IPv{v})",
        burst(0, frame(message(v, OWN, request(v)), "punt_local"),
              frame(message(v, OWN, request(v, **{"chksum" if v == 4 else "cksum": 1})),
                    "punt_local")))
    row(f"ICMP for nobody here goes to the kernel unchanged (IPv{v})",
        burst(0, frame(message(v, FAR, request(v)), "punt_other")))

row("identification, DSCP and don't-fragment of a ping come back with the answer",
    burst(0, frame(message(4, VIP, request(4), id=0xbeef, tos=0xb8, flags="DF"), "reply_echo",
                   reply(4, VIP, id=0xbeef, tos=0xb8, flags="DF"))))
row("a ping with IPv4 options is not answered",
    burst(0, frame(message(4, VIP, request(4), options=b"\x01" * 4), "icmp_unsupported")))
row("a ping with IPv6 extension headers is not answered",
    burst(0, frame(message(6, VIP, IPv6ExtHdrDestOpt() / request(6)), "icmp_unsupported")))
row("a ping in fragments is not answered",
    burst(0, frame(message(4, VIP, request(4), flags="MF"), "icmp_unsupported"),
          frame(message(4, VIP, bytes(8), proto=1, frag=8), "icmp_unsupported"),
          frame(message(6, VIP, IPv6ExtHdrFragment(m=1, id=1) / request(6)), "icmp_unsupported"),
          frame(message(6, VIP, IPv6ExtHdrFragment(offset=8, id=1, nh=58) / bytes(8)),
                "icmp_unsupported")))
row("ICMP that is neither a ping nor an error is not for services",
    burst(0, *[frame(message(4, host, ICMP(type=kind) / bytes(20)), "icmp_unsupported")
               for host in (VIP, NAT) for kind in (0, 4, 5, 9, 10, 13, 14, 15, 17, 42)]))
row("ICMPv6 that is neither a ping nor an error is not for services",
    burst(0, *[frame(message(6, host, rest), "icmp_unsupported")
               for host in (VIP, NAT)
               for rest in (ICMPv6EchoReply(), ICMPv6MLReport(), ICMPv6EchoRequest(type=100),
                            ICMPv6EchoRequest(type=0), ICMPv6EchoRequest(type=5))]))
row("the rates of pings of both families are one",
    *[burst(0, *[echo(4, VIP)] * 25) for _ in range(2)],
    *[burst(0, *[echo(6, VIP)] * 25) for _ in range(2)],
    burst(0, frame(message(4, VIP, request(4)), "icmp_rate_limited"),
          frame(message(6, VIP, request(6)), "icmp_rate_limited")))
row("each worker answers pings at a rate of its own",
    *[burst(0, *[echo(4, VIP)] * 25) for _ in range(4)],
    burst(0, frame(message(4, VIP, request(4)), "icmp_rate_limited")),
    burst(0, echo(4, VIP), worker=1),
    setup=setup(workers=2))
