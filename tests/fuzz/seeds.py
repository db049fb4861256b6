#!/usr/bin/python3
# Makes the seed corpora of the fuzz targets; run it again when a target's input format changes.
"""Usage: tests/fuzz/seeds.py (needs python3-scapy and protoc). Writes tests/fuzz/corpus/."""
import pathlib
import subprocess

from scapy.all import (ARP, ICMP, IP, TCP, UDP, Ether, ICMPv6EchoRequest, ICMPv6ND_NA, ICMPv6ND_NS,
                       ICMPv6NDOptSrcLLAddr, IPv6, IPv6ExtHdrFragment, Raw)

HERE = pathlib.Path(__file__).parent
OWN, CLIENT = "02:00:00:00:00:01", "02:00:00:00:00:c1"
ETHER = Ether(src=CLIENT, dst=OWN)
V4 = ETHER / IP(src="10.0.0.50", dst="10.0.0.100")
V6 = ETHER / IPv6(src="fd00::50", dst="fd00::100")


def record(frame, control=0):
    """One record of the frame target: control, length, bytes."""
    raw = bytes(frame)[:255]
    return bytes([control, len(raw)]) + raw


def conversations():
    """Seeds by name: the frames of one short story each."""
    tcp = {"sport": 40000, "dport": 80}
    reply4 = ETHER / IP(src="10.0.1.1", dst="10.0.0.10") / TCP(sport=8080, dport=1024, flags="SA")
    return {
        "nat4_connection": [V4 / TCP(**tcp, flags="S"), reply4, V4 / TCP(**tcp, flags="A"),
                            V4 / TCP(**tcp, flags="PA") / Raw(b"GET / HTTP/1.1\r\n\r\n"),
                            V4 / TCP(**tcp, flags="FA"), V4 / TCP(**tcp, flags="S")],
        "nat6_connection": [V6 / TCP(**tcp, flags="S"), V6 / TCP(**tcp, flags="A"),
                            V6 / TCP(**tcp, flags="R")],
        "dsr4": [ETHER / IP(src="10.0.0.50", dst="10.0.0.102") / TCP(**tcp, flags="A")],
        "udp4": [ETHER / IP(src="10.0.0.50", dst="10.0.0.101") / UDP(sport=5353, dport=53) / b"q"],
        "no_backend": [ETHER / IP(src="10.0.0.50", dst="10.0.0.103") / TCP(**tcp, flags="S")],
        "arp": [ETHER / ARP(op=1, psrc="10.0.0.50", pdst="10.0.0.100", hwsrc=CLIENT),
                ETHER / ARP(op=2, psrc="10.0.1.1", pdst="10.0.0.2", hwsrc=CLIENT)],
        "neighbour": [ETHER / IPv6(src="fd00::50", dst="fd00::100", hlim=255) /
                      ICMPv6ND_NS(tgt="fd00::100") / ICMPv6NDOptSrcLLAddr(lladdr=CLIENT),
                      ETHER / IPv6(src="fd00::1:1", dst="fd00::2", hlim=255) /
                      ICMPv6ND_NA(tgt="fd00::1:1", S=1)],
        "echo": [V4 / ICMP(), V6 / ICMPv6EchoRequest()],
        "fragments": [V4.copy() / UDP(dport=80) / (b"x" * 40),
                      ETHER / IP(src="10.0.0.50", dst="10.0.0.100", frag=10) / (b"x" * 24),
                      V6 / IPv6ExtHdrFragment() / TCP(**tcp)],
        "options": [ETHER / IP(src="10.0.0.50", dst="10.0.0.100", options=b"\x01\x01\x01\x00") /
                    TCP(**tcp, flags="S", options=[("MSS", 1460), ("WScale", 7)])],
    }


def write_frames():
    for name, frames in conversations().items():
        records = [record(frame, control=i % 4) for i, frame in enumerate(frames)]
        (HERE / "corpus/frame" / name).write_bytes(b"".join(records))


SNAPSHOTS = {
    "one_service": '''epoch: 1 flow_key: "01234567890123456789012345678901"
        services { name: "web" address: "\\012\\000\\000\\144" port: 80 affinity_ipv4_prefix: 32
          affinity_ipv6_prefix: 64 established_seconds: 900 handshake_seconds: 60
          closing_seconds: 120 udp_seconds: 300
          backends { name: "b1" address: "\\012\\000\\001\\001" port: 80 weight: 100 } }''',
    "short_key": 'epoch: 1 flow_key: "x"',
    "bad_address": '''epoch: 1 flow_key: "01234567890123456789012345678901"
        services { name: "web" address: "\\012" port: 80 }''',
}


def write_snapshots():
    for name, text in SNAPSHOTS.items():
        encoded = subprocess.run(
            ["protoc", "--proto_path", str(HERE / "../../src/api"), "--encode",
             "hawser.dataplane.v1.Snapshot", "dataplane.proto"],
            input=text.encode(), stdout=subprocess.PIPE, check=True).stdout
        (HERE / "corpus/snapshot" / name).write_bytes(encoded)


CONFIGURATIONS = {
    "whole": '''[dataplane]
workers = [1]
idle = "adaptive"
[[port]]
name = "uplink"
device = "net_null0"
addresses = ["10.0.0.2/24", "fd00::2/64"]
nat_addresses = ["10.0.0.10"]
[[service]]
name = "web"
address = "10.0.0.100"
port = 80
affinity = { by = "source", ipv4_prefix = 24 }
check = { type = "http", path = "/", status = [200, 299], interval = "2s" }
backend = [ { name = "b1", address = "10.0.0.11", port = 8080, weight = 5 } ]
''',
    "misspelt": '[dataplane]\nworker = [1]\n[[service]]\nnmae = "web"\n',
    "broken": '[[service]\nname = "web',
    "types": '[[port]]\nname = 5\naddresses = "10.0.0.1"\n[[service]]\nport = "80"\n',
}


def main():
    for folder in ("frame", "snapshot", "configuration"):
        (HERE / "corpus" / folder).mkdir(parents=True, exist_ok=True)
    write_frames()
    write_snapshots()
    for name, text in CONFIGURATIONS.items():
        (HERE / "corpus/configuration" / name).write_text(text)


if __name__ == "__main__":
    main()
