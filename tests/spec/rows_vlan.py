# Rows about VLANs: the tag of a frame makes its port, and what leaves bears the tag of its own.
from scapy.layers.inet import ICMP, IP, TCP
from scapy.layers.inet6 import (ICMPv6EchoReply, ICMPv6EchoRequest, ICMPv6ND_NA, ICMPv6ND_NS,
                                ICMPv6NDOptDstLLAddr, ICMPv6NDOptSrcLLAddr, ICMPv6PacketTooBig,
                                IPv6)
from scapy.layers.l2 import ARP, Dot1Q, Ether

from network import (B3, FAR, NAT, NAT_1, NEAR, NEAR_1, OWN, OWN_1, PORT_0, PORT_1, VIP,
                     backend, service, setup)
from pieces import Pieces
from row import beside, burst, flows, frame, row
from talk import Talk
from tunnel_talk import Tunnel

TAGGED_0 = {**PORT_0, "device": "nic0", "vlan": 10}
TAGGED_1 = {**PORT_1, "device": "nic0", "vlan": 20, "mac": OWN.mac}
GONE = {"flags": "R", "seq": 5000, "ack": 0}


def tag(given, vlan, priority=0, dei=0):
    """The frame with a VLAN tag."""
    packet = Ether(bytes(given))
    return (Ether(src=packet.src, dst=packet.dst) /
            Dot1Q(vlan=vlan, prio=priority, id=dei, type=packet.type) / bytes(packet.payload))


def tagged(one, vlan_in=None, vlan_out=None, port=None, **tag_fields):
    """A frame case whose frames bear tags."""
    case = dict(one)
    if vlan_in is not None:
        case["in"] = bytes(tag(bytes.fromhex(one["in"]), vlan_in, **tag_fields)).hex()
    if vlan_out is not None:
        case["out"] = bytes(tag(bytes.fromhex(one["out"]), vlan_out)).hex()
    if port is not None:
        case["port"] = port
    return case


ONE = setup(ports=(TAGGED_0,))
# Clients on VLAN 20, backends on VLAN 10 of one device; or the other way round.
TWO = setup(ports=(TAGGED_0, TAGGED_1))
# Clients on an untagged port, backends on a tagged one.
MIXED = (PORT_0, {**PORT_1, "vlan": 20})

for v in (4, 6):
    web, direct, dns = Talk(f"web{v}"), Talk(f"direct{v}"), Talk(f"dns{v}")
    WEB = [flows(web.name, live=1, new=1)]

    row(f"on a tagged port frames come and go with its tag (nat, IPv{v})",
        burst(0, tagged(web.ask("S"), 10, 10)), burst(0, tagged(web.answer("SA"), 10, 10)),
        burst(0, tagged(web.ask("A", payload=b"data"), 10, 10)), counters=WEB, setup=ONE)
    row(f"on a tagged port frames come and go with its tag (dsr-l2, IPv{v})",
        burst(0, tagged(direct.ask("S"), 10, 10), tagged(direct.ask("A"), 10, 10)),
        counters=[flows(direct.name, live=1, new=1)], setup=ONE)
    row(f"the priority of a tag is not taken along (IPv{v})",
        burst(0, tagged(web.ask("S"), 10, 10, priority=5, dei=1)), counters=WEB, setup=ONE)
    row(f"an untagged frame is none of a tagged port's (IPv{v})",
        burst(0, frame(web.asked("S"), "frame_unknown_vlan")), setup=ONE)
    row(f"a frame of another VLAN is none of a tagged port's, nor is one of none (IPv{v})",
        burst(0, *[frame(tag(web.asked("S"), vlan), "frame_unknown_vlan")
                   for vlan in (1, 11, 0, 4095)]), setup=ONE)
    row(f"a frame with two tags goes to the kernel (IPv{v})",
        burst(0, frame(tag(tag(web.asked("S"), 30), 10), "punt_other")), setup=ONE)
    inward = Talk(f"web{v}", NEAR_1, own=OWN, own_out=OWN, nat=NAT, port=1, out_port=0)
    row(f"from one VLAN to another of one device, and back (IPv{v})",
        *[burst(0, tagged(one, a, b, port=0)) for one, a, b in
          ((inward.ask("S"), 20, 10), (inward.answer("SA"), 10, 20), (inward.ask("A"), 20, 10))],
        counters=WEB, setup=TWO)
    row(f"frames of one device may come in by any of its ports (IPv{v})",
        *[burst(0, tagged(one, a, b, port=1)) for one, a, b in
          ((inward.ask("S"), 20, 10), (inward.answer("SA"), 10, 20), (inward.ask("A"), 20, 10))],
        counters=WEB, setup=TWO)
    outward = Talk(f"web{v}", FAR, backend="b3", own=OWN, own_out=OWN_1, nat=NAT_1, port=0,
                   out_port=1)
    OUTWARD = setup([service(f"web{v}", backends=[backend("b3", v, 8080)])], ports=MIXED)
    row(f"from an untagged port to a tagged one a frame grows, and back it shrinks (IPv{v})",
        burst(0, tagged(outward.ask("S"), None, 20)), burst(0, tagged(outward.answer("SA"), 20)),
        burst(0, tagged(outward.ask("A"), None, 20)),
        counters=[flows(outward.name, live=1, new=1)], setup=OUTWARD)
    across = Talk(f"direct{v}", NEAR_1, own=OWN_1, own_out=OWN, port=1, out_port=0)
    row(f"from a tagged port to an untagged one a dsr-l2 frame shrinks (IPv{v})",
        burst(0, tagged(across.ask("S"), 20)),
        counters=[flows(across.name, live=1, new=1)], setup=setup(ports=MIXED))
    SAME_DEVICE = setup(ports=({**PORT_0, "device": "nic0"}, TAGGED_1))
    row(f"a device with an untagged port and a tagged one takes both, and priority tags (IPv{v})",
        burst(0, tagged(inward.ask("S"), 20, port=0)),
        burst(0, tagged(inward.answer("SA"), None, 20, port=0)),
        burst(0, tagged(Talk(f"web{v}", local_port=1025).ask("S"), 0, priority=3)),
        burst(0, frame(tag(web.asked("A"), 30), "frame_unknown_vlan")),
        counters=[flows(web.name, live=2, new=2)], setup=SAME_DEVICE)

    # --- answers ---------------------------------------------------------------------------------
    row(f"a reset bears the tag (IPv{v})",
        burst(0, tagged(web.reset("A", answer=GONE), 10, 10)), setup=ONE)
    row(f"a reset of padded data bears the tag (IPv{v})",
        burst(0, tagged(web.reset("PA", payload=b"x" * 900, answer=GONE), 10, 10)), setup=ONE)
    PING = (ICMP(type=8, id=1, seq=2) / b"abc" if v == 4 else
            ICMPv6EchoRequest(id=1, seq=2, data=b"abc"))
    PONG = (ICMP(type=0, id=1, seq=2) / b"abc" if v == 4 else
            ICMPv6EchoReply(id=1, seq=2, data=b"abc"))
    L3 = {4: IP, 6: IPv6}[v]
    row(f"the answer to a ping bears the tag (IPv{v})",
        burst(0, tagged(frame(
            Ether(src=FAR.mac, dst=OWN.mac) / L3(src=FAR.address(v), dst=VIP.address(v)) / PING,
            "reply_echo",
            Ether(src=OWN.mac, dst=FAR.mac) / L3(src=VIP.address(v), dst=FAR.address(v)) / PONG),
            10, 10)), setup=ONE)
    BIG = web.asked("A", payload=bytes(1480), ip={"flags": "DF"} if v == 4 else {})
    ERROR = (ICMP(type=3, code=4, nexthopmtu=1500) / bytes(BIG.payload)[:548] if v == 4 else
             ICMPv6PacketTooBig(mtu=1500) / bytes(BIG.payload)[:1232])
    EXTRA = {"flags": "DF", "id": 0} if v == 4 else {}
    row(f"what tells a client that its packet does not fit bears the tag (IPv{v})",
        burst(0, tagged(web.ask("S"), 10, 10)),
        burst(1, tagged(frame(BIG, "reply_too_big", Ether(src=OWN.mac, dst=FAR.mac) / L3(
            src=VIP.address(v), dst=FAR.address(v), **EXTRA) / ERROR), 10, 10)),
        counters=WEB, setup=ONE)
    FULL = bytes(1500 - (40 if v == 4 else 60))
    row(f"a tag takes nothing of the MTU (IPv{v})",
        burst(0, tagged(web.ask("S"), 10, 10)),
        burst(1, tagged(web.ask("A", payload=FULL), 10, 10)), counters=WEB, setup=ONE)
    row(f"tagged jumbo frames pass whole (IPv{v})",
        burst(0, tagged(web.ask("S"), 10, 10)),
        burst(1, tagged(web.ask("A", payload=bytes(8940)), 10, 10),
              tagged(web.answer("A", payload=bytes(8940)), 10, 10)),
        counters=WEB, setup=setup(ports=({**TAGGED_0, "mtu": 9000},)))

    # --- pieces and tunnels ----------------------------------------------------------------------
    pieces = Pieces(dns)
    row(f"pieces come and go with the tag, those that waited too (IPv{v})",
        burst(0, frame(tag(pieces.asked(1), 10), "hold_fragment"),
              tagged(pieces.ask(0), 10, 10),
              after=[beside("forward_nat", tag(bytes.fromhex(pieces.ask(1)["out"]), 10),
                            backend=dns.name)]),
        burst(0.1, tagged(pieces.ask(2), 10, 10)),
        counters=[flows(dns.name, live=1, new=1)], setup=ONE)
    for kind, outer in (("ipip", 4), ("ipip", 6), ("gue", 4), ("gue", 6)):
        t = Tunnel(f"{kind}{v}", outer)
        row(f"a tunnel's packet bears the tag of its port ({kind}, IPv{v} in IPv{outer})",
            burst(0, tagged(t.ask("S"), 10, 10), tagged(t.ask("A", payload=b"odd"), 10, 10)),
            counters=[flows(t.name, live=1, new=1)],
            setup=setup([service(f"{kind}{v}", backends=[backend("b1", outer, 80)])],
                        ports=(TAGGED_0,)))

# --- neighbours ----------------------------------------------------------------------------------

ASKED = Ether(src=NEAR.mac, dst="ff:ff:ff:ff:ff:ff") / ARP(
    op=1, hwsrc=NEAR.mac, psrc=NEAR.ipv4, hwdst="00:00:00:00:00:00", pdst=VIP.ipv4)
ANSWERED = Ether(src=OWN.mac, dst=NEAR.mac) / ARP(
    op=2, hwsrc=OWN.mac, psrc=VIP.ipv4, hwdst=NEAR.mac, pdst=NEAR.ipv4)
row("an ARP request is answered with the tag it came with",
    burst(0, tagged(frame(ASKED, "reply_arp", ANSWERED), 10, 10)), setup=ONE)
row("an ARP request of another VLAN is not answered",
    burst(0, frame(tag(ASKED, 11), "frame_unknown_vlan"), frame(ASKED, "frame_unknown_vlan")),
    setup=ONE)
row("an ARP request is answered in each VLAN of a device",
    burst(0, tagged(frame(ASKED, "reply_arp", ANSWERED), 10, 10),
          {**tagged(frame(ASKED, "reply_arp", ANSWERED), 20, 20), "out_port": 1}), setup=TWO)
SOLICITED = (Ether(src=NEAR.mac, dst=OWN.mac) / IPv6(src=NEAR.ipv6, dst=VIP.ipv6, hlim=255) /
             ICMPv6ND_NS(tgt=VIP.ipv6) / ICMPv6NDOptSrcLLAddr(lladdr=NEAR.mac))
ADVERTISED = (Ether(src=OWN.mac, dst=NEAR.mac) / IPv6(src=VIP.ipv6, dst=NEAR.ipv6, hlim=255) /
              ICMPv6ND_NA(tgt=VIP.ipv6, R=0, S=1, O=1) / ICMPv6NDOptDstLLAddr(lladdr=OWN.mac))
row("a neighbour solicitation is answered with the tag it came with",
    burst(0, tagged(frame(SOLICITED, "reply_neighbour", ADVERTISED), 10, 10)), setup=ONE)
row("what is for the kernel keeps its tag",
    burst(0, frame(tag(Ether(src=FAR.mac, dst=OWN.mac) / IP(src=FAR.ipv4, dst=OWN.ipv4) /
                       TCP(dport=22), 10), "punt_local"),
          frame(tag(Ether(src=B3.mac, dst=OWN.mac, type=0x88cc) / bytes(20), 10), "punt_other")),
    setup=ONE)
row("a frame that ends within its tag is truncated",
    burst(0, *[frame(bytes(tag(ASKED, 10))[:n], "frame_truncated") for n in (14, 15, 17)]),
    setup=ONE)
row("a frame with nothing behind its tag is truncated IPv4",
    burst(0, frame(bytes(tag(Talk("web4").asked("S"), 10))[:18], "ipv4_truncated")), setup=ONE)
