# Rows about IPv4 options and IPv6 extension headers: what passes, and what is refused by name.
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import (HBHOptUnknown, IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrHopByHop,
                                IPv6ExtHdrRouting, RouterAlert)
from scapy.layers.l2 import Ether

from network import B1, DIRECT_VIP, FAR, NAT, OWN, VIP
from row import burst, flows, frame, row
from talk import Talk

# --- IPv4 ----------------------------------------------------------------------------------------

web, direct = Talk("web4"), Talk("direct4")
HARMLESS = {"timestamp": b"\x44\x0c\x05\x00" + bytes(8), "record route": b"\x07\x07\x04" + bytes(5),
            "router alert": b"\x94\x04\x00\x00", "security": b"\x82\x0b" + bytes(9) + b"\x00",
            "no operation": b"\x01" * 40, "end of list": bytes(40),
            "unknown": b"\xde\x06abcd\x00\x00"}
LOOSE, STRICT = (kind + b"\x07\x04\x0a\x00\x00\x05\x00" for kind in (b"\x83", b"\x89"))

for what, options in HARMLESS.items():
    row(f"the IPv4 option {what} passes nat and dsr-l2 services, both ways",
        burst(0, web.ask("S", ip={"options": options}), direct.ask("S", ip={"options": options})),
        burst(0, web.answer("SA", ip={"options": options})),
        counters=[flows("web4/b1", live=1, new=1), flows("direct4/b1", live=1, new=1)])
ROUTES = {"loose": LOOSE, "strict": STRICT,
          "loose behind others": b"\x01\x94\x04\x00\x00" + LOOSE[:7],
          "strict that is empty": b"\x89\x03\x04\x00",
          "loose without its length": b"\x01\x01\x01\x83"}
for what, options in ROUTES.items():
    row(f"a source route for a service or a NAT address is refused ({what})",
        burst(0, web.dropped("ipv4_source_route", "S", ip={"options": options}),
              direct.dropped("ipv4_source_route", "A", ip={"options": options}),
              Talk("dns4").dropped("ipv4_source_route", ip={"options": options}),
              frame(web.answered("SA", ip={"options": options}), "ipv4_source_route")))
row("a source route behind the end of the list, or a length that makes no sense, is none",
    burst(0, *[web.ask("S", ip={"options": options})
               for options in (b"\x00" + LOOSE[:7], b"\x44\x00" + LOOSE[:6],
                               b"\x44\x01" + LOOSE[:6], b"\x44\x40" + LOOSE[:6])]),
    counters=[flows("web4/b1", live=1, new=1)])
row("a source route for an own address, or for nobody here, is the kernel's to judge",
    burst(0, *[frame(Ether(src=FAR.mac, dst=OWN.mac) / IP(src=FAR.ipv4, dst=d, options=LOOSE) /
                     TCP(dport=80), verdict)
               for d, verdict in ((OWN.ipv4, "punt_local"), ("203.0.113.80", "punt_other"))]))
row("a source route in a piece, the first or another, is refused",
    burst(0, *[frame(Ether(src=FAR.mac, dst=OWN.mac) /
                     IP(src=FAR.ipv4, dst=VIP.ipv4, options=STRICT, flags="MF", frag=at, proto=17) /
                     bytes(UDP(dport=53, len=800)), "ipv4_source_route") for at in (0, 8)]))

# --- IPv6: what passes ---------------------------------------------------------------------------


def extended(chain, rest, source=FAR.ipv6, destination=VIP.ipv6, macs=(FAR.mac, OWN.mac), hop=64,
             **ip):
    """A packet whose transport header lies behind `chain`."""
    return (Ether(src=macs[0], dst=macs[1]) /
            IPv6(src=source, dst=destination, hlim=hop, **ip) / chain / rest)


# An authentication header of 24 bytes (RFC 4302 section 2), as raw bytes with what it carries.
def authentication(next_header):
    return (bytes([next_header, 4]) + bytes(2) + b"\x00\x00\x01\x00" + b"\x00\x00\x00\x01" +
            b"i" * 12)


ALERT = IPv6ExtHdrHopByHop(options=[RouterAlert(value=5)])
PAST = IPv6ExtHdrRouting(type=2, segleft=0, addresses=["2001:db8::5"])
PASSING = {
    "hop-by-hop options": ALERT,
    "destination options": IPv6ExtHdrDestOpt(options=[HBHOptUnknown(otype=0x1e, optdata=b"abcd")]),
    "long destination options": IPv6ExtHdrDestOpt(
        options=[HBHOptUnknown(otype=0x1e, optdata=bytes(200))]),
    "a routing header of type 2 that has done its work": PAST,
    "hop-by-hop, destination and routing headers": ALERT / IPv6ExtHdrDestOpt() / PAST,
    "eight headers": ALERT / IPv6ExtHdrDestOpt() / IPv6ExtHdrDestOpt() / IPv6ExtHdrDestOpt() /
                     IPv6ExtHdrDestOpt() / IPv6ExtHdrDestOpt() / PAST / IPv6ExtHdrDestOpt(),
}


def syn(chain, flags="S"):
    """A SYN behind `chain`: as it arrives, behind nat, and at a dsr-l2 backend."""
    asked = TCP(sport=40000, dport=80, flags=flags) / b"data"
    return [frame(extended(chain.copy(), asked.copy()), "forward_nat",
                  extended(chain.copy(), TCP(sport=1024, dport=8080, flags=flags) / b"data",
                           NAT.ipv6, B1.ipv6, (OWN.mac, B1.mac), 63), backend="web6/b1"),
            frame(extended(chain.copy(), asked.copy(), destination=DIRECT_VIP.ipv6),
                  "forward_dsr_l2",
                  extended(chain.copy(), asked.copy(), destination=DIRECT_VIP.ipv6,
                           macs=(OWN.mac, B1.mac)), backend="direct6/b1")]


BOTH = [flows("web6/b1", live=1, new=1), flows("direct6/b1", live=1, new=1)]
for what, chain in PASSING.items():
    row(f"{what} pass nat and dsr-l2 services, and nat finds the transport behind them",
        burst(0, *syn(chain)), burst(1, *syn(chain, "PA")), counters=BOTH)
    row(f"{what} pass on the way back",
        *Talk("web6").open(),
        burst(1, frame(extended(chain.copy(), TCP(sport=8080, dport=1024, flags="A") / b"data",
                                B1.ipv6, NAT.ipv6, (B1.mac, OWN.mac)), "return_nat",
                       extended(chain.copy(), TCP(sport=80, dport=40000, flags="A") / b"data",
                                VIP.ipv6, FAR.ipv6, (OWN.mac, FAR.mac), 63), backend="web6/b1")),
        counters=[flows("web6/b1", live=1, new=1)])
QUESTION = bytes(Talk("dns6").asked(payload=b"question").payload.payload)
SENT = bytes.fromhex(Talk("dns6").ask(payload=b"question")["out"])[54:]
row("a datagram behind an authentication header reaches its backend, which may judge it",
    burst(0, frame(extended(authentication(17), QUESTION, nh=51), "forward_nat",
                   extended(authentication(17), SENT, NAT.ipv6, B1.ipv6, (OWN.mac, B1.mac), 63,
                            nh=51), backend="dns6/b1")),
    counters=[flows("dns6/b1", live=1, new=1)])
row("a segment behind extension headers of an unknown nat connection is reset without them",
    burst(0, frame(extended(ALERT.copy(), TCP(sport=40000, dport=80, flags="A", ack=5000)),
                   "reply_reset", bytes.fromhex(Talk("web6").reset(
                       "A", answer={"flags": "R", "seq": 5000, "ack": 0})["out"]))))
row("extension headers before a TCP header that is truncated or lies change nothing about it",
    burst(0, frame(extended(bytes([6, 0]) + bytes(6), bytes(TCP(dport=80))[:19], nh=60),
                   "tcp_truncated"),
          frame(extended(ALERT.copy(), TCP(dport=80, flags="SF")), "tcp_bad_flags"),
          frame(extended(ALERT.copy(), UDP(dport=53, chksum=0)), "udp_no_checksum")))

# --- IPv6: what is refused -----------------------------------------------------------------------

REFUSED = {
    "a routing header of type 0": IPv6ExtHdrRouting(type=0, segleft=0, addresses=["2001:db8::5"]),
    "a routing header with segments left": IPv6ExtHdrRouting(type=2, segleft=1,
                                                             addresses=["2001:db8::5"]),
    "a segment routing header with segments left": IPv6ExtHdrRouting(type=4, segleft=1,
                                                                     addresses=["2001:db8::5"]),
    "a routing header of type 0 behind others": ALERT / IPv6ExtHdrDestOpt() / IPv6ExtHdrRouting(
        type=0, segleft=0, addresses=["2001:db8::5"]),
}
for what, chain in REFUSED.items():
    row(f"{what} for a service or a NAT address is refused",
        burst(0, *[frame(extended(chain.copy(), TCP(dport=80, flags="S"), destination=d),
                         "ipv6_extension") for d in (VIP.ipv6, DIRECT_VIP.ipv6, NAT.ipv6)]),
        burst(0, frame(extended(chain.copy(), TCP(dport=22), destination=OWN.ipv6), "punt_local")))
row("ESP, mobility, HIP and shim6 headers for a service are refused",
    burst(0, *[frame(extended(b"", b"\x06" + bytes(23), nh=n), "ipv6_extension")
               for n in (50, 135, 139, 140)]))
row("ESP behind hop-by-hop options for a service is refused",
    burst(0, frame(extended(bytes([50, 0]) + bytes(6), bytes(24), nh=0), "ipv6_extension")))
row("an extension header that no one knows is a protocol without ports",
    burst(0, frame(extended(b"", bytes(24), nh=253), "no_service")))
NINE = ALERT.copy()
for _ in range(8):
    NINE = NINE / IPv6ExtHdrDestOpt()
row("nine extension headers for a service are too many",
    burst(0, *[frame(extended(NINE.copy(), TCP(dport=80, flags="S"), destination=d),
                     "ipv6_extension_chain") for d in (VIP.ipv6, NAT.ipv6)]))
row("nine extension headers for an own address are the kernel's",
    burst(0, frame(extended(NINE.copy(), TCP(dport=22), destination=OWN.ipv6), "punt_local")))
OPTIONS = bytes([6, 1]) + bytes(14)
row("extension headers that end beyond the packet are a broken chain",
    burst(0, *[frame(extended(b"", OPTIONS[:n], nh=60), "ipv6_extension_chain")
               for n in (0, 1, 2, 7, 8, 15)],
          frame(extended(b"", bytes([60, 0]) + bytes(6) + OPTIONS[:8], nh=0),
                "ipv6_extension_chain"),
          frame(extended(b"", bytes([6, 0]) + bytes(5), nh=44), "ipv6_extension_chain"),
          frame(extended(b"", authentication(6)[:20], nh=51), "ipv6_extension_chain")))
row("bytes behind the IPv6 payload are no part of the chain",
    burst(0, frame(bytes(extended(b"", OPTIONS[:8], nh=60)) + OPTIONS[8:], "ipv6_extension_chain")))
WHOLE = bytes(extended(ALERT.copy(), TCP(dport=80, flags="S")))
row("extension headers of which a part is not at hand are a broken chain",
    burst(0, *[frame(WHOLE[:54 + n], "ipv6_extension_chain", length=len(WHOLE))
               for n in (0, 1, 7)],
          frame(WHOLE[:54 + 8 + 19], "tcp_truncated", length=len(WHOLE))))
row("a source address that no host may have is refused before its extension headers are read",
    burst(0, frame(extended(NINE.copy(), TCP(dport=80), source="ff02::1"), "ipv6_bad_source")))
