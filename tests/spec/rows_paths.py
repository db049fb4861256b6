# Rows about ways to backends that are narrower than the port: tunnels learn their path MTU.
from scapy.layers.inet import ICMP, IP
from scapy.layers.inet6 import ICMPv6PacketTooBig, ICMPv6TimeExceeded, IPv6
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from network import FAR, OWN, ROUTER, all_services, backend, setup
from row import burst, flows, frame, row
from rows_size import told
from tunnel_talk import Tunnel

# What a tunnel puts in front: kind, family outside.
OVERHEAD = {("ipip", 4): 20, ("ipip", 6): 40, ("gue", 4): 28, ("gue", 6): 48}


def learned(count):
    return 0, {"path_mtus_learned": count}


def mixed(name, outer):
    """All services, that of `name` with its backend in the family `outer`."""
    return setup(services=[{**one, "backends": [backend("b1", outer, one["port"])]}
                           if one["name"] == name else one for one in all_services()])


def complaint(tunnel, mtu, sent=None, to=OWN, quote=576, broken=False):
    """A router's error about a tunnel packet that the balancer has sent."""
    outer = bytes((sent or tunnel.carry(tunnel.asked("A").payload)).payload)[:quote]
    link = Ether(src=ROUTER.mac, dst=to.mac)
    wrong = {"chksum": 0x1234} if broken else {}
    if tunnel.outer == 4:
        error = (link / IP(src=ROUTER.ipv4, dst=to.ipv4) /
                 ICMP(type=3, code=4, nexthopmtu=mtu, **wrong) / Raw(outer))
    else:
        wrong = {"cksum": 0x1234} if broken else {}
        error = (link / IPv6(src=ROUTER.ipv6, dst=to.ipv6) / ICMPv6PacketTooBig(mtu=mtu, **wrong) /
                 Raw(outer))
    return frame(error, "punt_local")


def room(tunnel, mtu):
    """Bytes of payload behind the client's headers that fit such a path."""
    kind = "gue" if tunnel.gue else "ipip"
    return mtu - OVERHEAD[kind, tunnel.outer] - (40 if tunnel.version == 4 else 60)


for kind in ("ipip", "gue"):
    for outer in (4, 6):
        for v in (4, 6):
            web = Tunnel(f"{kind}{v}", outer=outer)
            LIVE, SETUP = [flows(web.name, live=1, new=1)], mixed(web.service["name"], outer)
            over = OVERHEAD[kind, outer]
            fit, more = bytes(room(web, 1400)), bytes(room(web, 1400) + 1)
            row(f"{kind} to IPv{outer}: what routers on the way let through is told to clients "
                f"(IPv{v})",
                burst(0, web.ask("S"), web.ask("A", payload=more)), burst(1, complaint(web, 1400)),
                burst(1, web.ask("A", payload=fit),
                      told(web.asked("A", payload=more), OWN, 1400 - over)),
                counters=LIVE + [learned(1)], setup=SETUP)

for v in (4, 6):
    web = Tunnel(f"ipip{v}")
    LIVE = [flows(web.name, live=1, new=1)]
    more = bytes(room(web, 1400) + 1)
    opened = burst(0, web.ask("S"), web.ask("A"))
    row(f"a path's MTU is forgotten after ten minutes (IPv{v})",
        opened, burst(1, complaint(web, 1400)),
        burst(600.9, told(web.asked("A", payload=more), OWN, 1400 - (20 if v == 4 else 40))),
        burst(601.1, web.ask("A", payload=more)), counters=LIVE + [learned(1)])
    row(f"an error that quotes eight bytes behind the outer header is enough (IPv{v})",
        opened, burst(1, complaint(web, 1400, quote=(20 if v == 4 else 40) + 8)),
        burst(1, told(web.asked("A", payload=more), OWN, 1400 - (20 if v == 4 else 40))),
        counters=LIVE + [learned(1)])
    if v == 4:
        row("nobody can talk an IPv4 path below 576 bytes",
            opened, burst(1, complaint(web, 68)),
            burst(1, web.ask("A", payload=bytes(room(web, 576))),
                  told(web.asked("A", payload=bytes(room(web, 576) + 1)), OWN, 556)),
            counters=LIVE + [learned(1)])
    largest = bytes(1280 - 60)
    if v == 6:
        row("a client of IPv6 is never told less than 1280 bytes",
            opened, burst(1, complaint(web, 1280)),
            burst(1, web.ask("A", payload=largest),
                  told(web.asked("A", payload=largest + b"x"), OWN, 1280)),
            counters=LIVE + [learned(1)])
    row(f"the path of one backend says nothing of another's (IPv{v})",
        opened, burst(1, complaint(Tunnel(f"ipip{v}", backend="b2"), 1400)),
        burst(1, web.ask("A", payload=more)), counters=LIVE)
    row(f"an error whose checksum is wrong teaches nothing (IPv{v})",
        opened, burst(1, complaint(web, 1400, broken=True)), burst(1, web.ask("A", payload=more)),
        counters=LIVE)
    stranger = web.carry(web.asked("A").payload)
    stranger.payload.src = FAR.address(v)
    row(f"an error about a packet of somebody else teaches nothing (IPv{v})",
        opened, burst(1, complaint(web, 1400, sent=stranger)), burst(1, web.ask("A", payload=more)),
        counters=LIVE)
    row(f"a larger MTU than the port's changes nothing (IPv{v})",
        opened, burst(1, complaint(web, 8000)),
        burst(1, web.ask("A", payload=bytes(room(web, 1500)))), counters=LIVE + [learned(1)])

for kind in ("ipip", "gue"):
    web = Tunnel(f"{kind}6", outer=4)
    large, small = bytes(1280 - 60), bytes(room(web, 1280))
    row(f"tunnelled IPv6 that routers on its way must cut may be cut there ({kind} to IPv4)",
        burst(0, web.ask("S"), web.ask("A", payload=large)), burst(1, complaint(web, 1280)),
        burst(1, web.ask("A", payload=large, outer_id=1), web.ask("A", payload=small)),
        counters=[flows(web.name, live=1, new=1), learned(1)],
        setup=mixed(web.service["name"], 4))

web = Tunnel("ipip6")
row("other errors about tunnel packets are the kernel's",
    burst(0, web.ask("S")),
    burst(1, frame(Ether(src=ROUTER.mac, dst=OWN.mac) / IPv6(src=ROUTER.ipv6, dst=OWN.ipv6) /
                   ICMPv6TimeExceeded() / Raw(bytes(web.carry(web.asked("A").payload).payload)),
                   "punt_local")),
    counters=[flows(web.name, live=1, new=1)])
