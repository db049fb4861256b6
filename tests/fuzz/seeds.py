#!/usr/bin/python3
# Makes the seed corpora of the fuzz targets; run it again when a target's input format changes.
"""Usage: tests/fuzz/seeds.py (needs python3-scapy and protoc). Writes tests/fuzz/corpus/."""
import pathlib
import random
import subprocess
import sys

from scapy.all import (ARP, ICMP, IP, TCP, UDP, Ether, ICMPv6EchoRequest, ICMPv6ND_NA, ICMPv6ND_NS,
                       ICMPv6NDOptSrcLLAddr, IPv6, IPv6ExtHdrFragment, Raw)

HERE = pathlib.Path(__file__).parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE / "../unit"))

import client_hello_vectors  # noqa: E402
import cookie_vectors  # noqa: E402

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
    "settings": '''[[port]]
name = "blue"
device = "net_null0"
vlan = 100
addresses = ["10.0.0.2/24", "fd00::2/64"]
nat_addresses = ["10.0.0.10"]
[[prefix_list]]
name = "blocked"
prefixes = ["192.0.2.0/24", "2001:db8::/32", "198.51.100.7"]
[[service]]
name = "web"
address = "10.0.0.100"
port = 80
client_address = "proxy-v2"
bounded_load = 0.125
max_flows = 100000
new_flow_rate = 5000
source_rate = { per_second = 50, burst = 100, ipv4_prefix = 24, ipv6_prefix = 56 }
deny = ["blocked"]
backend = [ { name = "b1", address = "10.0.0.11", port = 8080 } ]
[[service]]
name = "h3"
address = "10.0.0.101"
port = 443
protocol = "udp"
forward = "dsr-gue"
gue_port = 6081
affinity = { by = "quic-cid" }
backend = [ { name = "b1", address = "fd00::11", port = 443, quic_server_id = "0a0b" } ]
[service.quic]
config_id = 1
server_id_length = 2
nonce_length = 14
key = "00112233445566778899aabbccddeeff"
''',
    "prefixes": '''[[prefix_list]]
name = "blocked"
file = "/list"
\0# One a line.
10.1.0.0/8
  2001:db8::1 # an address
192.0.2.0/33\r
''',
    "misspelt": '[dataplane]\nworker = [1]\n[[service]]\nnmae = "web"\n',
    "broken": '[[service]\nname = "web',
    "types": '[[port]]\nname = 5\naddresses = "10.0.0.1"\n[[service]]\nport = "80"\n',
}


# linux_*: captured on the loopback of Linux 6.18. The others: what the decoder must tell apart.
TCP_OPTIONS = {
    "linux_syn": "0204ffd7 0402080a 6bb4ad3c 00000000 0103030a",
    "linux_ack": "0101080a 6bb4ad3c e775adac",
    "end_and_padding": "020405b4 01030306 0101080a 12345678 00000000 04020000",
    "odd_mss": "01020405 b4010101",
    "sack": "0101080a 6bb4ad3c e775adac 01010512 00000010 00000020 00000030 00000040",
    "odd_sack": "01050a00 00001000 00002001",
    "toa": "fe08d431 c0000201 020405b4",
    "beyond_the_end": "02040102 080a0000",
    "silly_length": "01010200",
    "no_room_for_a_length": "01010102",
    "wrong_length": "02030101 03040101",
}


def write_tcp_options():
    for name, text in TCP_OPTIONS.items():
        most = (1200).to_bytes(2, "big")
        (HERE / "corpus/tcp_options" / name).write_bytes(most + bytes.fromhex(text))


# Datagrams of the quic target after config id, lengths of server id and nonce, and length of short
# headers' connection IDs with the key's bit. The IDs are test vectors of
# draft-ietf-quic-load-balancers-21; those with a key decode to something under the target's own.
QUIC = {
    "long_header": (0, 3, 4, 0, "c300000001" "08" "07c4605e4504cc4f" "00" "0044"),
    "unknown_version": (0, 3, 4, 1, "80deadbeef" "08" "0720b1d07b359d3c" "00"),
    "plaintext": (1, 5, 5, 11 << 1, "40" "2a350d28b42003487d970b" "ffff"),
    "single_pass": (2, 8, 8, 17 << 1 | 1, "40" "504dd2d05a7b0de9b2b9907afb5ecf8cc3" "ffff"),
    "three_passes": (0, 9, 9, 19 << 1 | 1, "40" "125779c9cc86beb3a3a4a3ca96fce4bfe0cdbc" "ffff"),
    "four_passes": (1, 10, 5, 16 << 1 | 1, "40" "2fcc381bc74cb4fbad2823a3d1f8fed2" "ffff"),
    "without_configuration": (0, 3, 4, 8 << 1, "40" "e7c4605e4504cc4f" "ffff"),
    "server_id_in_digits": (0, 1, 4, 0, b"ed793A51".hex()),
    "too_long_together": (0, 10, 10, 20 << 1, "40" + "00" * 20),
}


def write_quic():
    for name, (*head, datagram) in QUIC.items():
        (HERE / "corpus/quic" / name).write_bytes(bytes(head) + bytes.fromhex(datagram))


def split_hello(hello, sizes):
    """The message of a hello in one record, in records of these sizes and one of the rest."""
    message, split = hello[5:], b""
    for size in [*sizes, len(message)]:
        part, message = message[:size], message[size:]
        split += b"\x16\x03\x01" + len(part).to_bytes(2, "big") + part
    return split


def write_client_hellos():
    hellos = [hello for *_, hello in client_hello_vectors.vectors()]
    short = hellos[0]
    seeds = {f"client_{number}": hello for number, hello in enumerate(hellos)}
    seeds |= {
        "split": split_hello(short, [1, 2, 3, 60, 7]),
        "split_long": split_hello(hellos[-1], [300] * 4),
        "empty_record": split_hello(short, [40, 0]),
        "with_more": short + b"\x14\x03\x03\x00\x01\x01",
        "record_too_long": b"\x16\x03\x01" + (len(short) - 4).to_bytes(2, "big") + short[5:] + b"0",
        "address": short.replace(b"server", b"10.0.1"),
        "bad_name": short.replace(b"server", b"serv/r"),
        "plain": b"GET / HTTP/1.1\r\n\r\n",
    }
    for name, seed in seeds.items():
        (HERE / "corpus/client_hello" / name).write_bytes(seed)


# Texts of the session_cookie target after the time. Its keys are those of session_cookie_fuzz.cc.
def write_session_cookies():
    key, now = bytes(range(16)), 175_000_000
    numbers = (0x1234, 0x89ABCDEF, 0x0123456789ABCDEF)
    sound = cookie_vectors.session_cookie(7, key, "shop", *numbers, now - 40, now - 2, 77)
    seeds = {
        "sound": sound,
        "other_key": cookie_vectors.session_cookie(8, b"\x08" + bytes(15), "shop", *numbers, now,
                                                   now, 77),
        "unknown_key": cookie_vectors.session_cookie(9, key, "shop", *numbers, now, now, 77),
        "other_service": cookie_vectors.session_cookie(7, key, "shopper", *numbers, now, now, 77),
        "future": cookie_vectors.session_cookie(7, key, "shop", *numbers, now, now + 7, 77),
        "idle": cookie_vectors.session_cookie(7, key, "shop", *numbers, now - 91, now - 91, 77),
        "too_old": cookie_vectors.session_cookie(7, key, "shop", *numbers, now - 4321, now, 77),
        "padded": sound + "==",
        "spare_bits": sound[:-1] + chr(ord(sound[-1]) + 1),
        "cut": sound[:-1],
    }
    for name, text in seeds.items():
        (HERE / "corpus/session_cookie" / name).write_bytes(now.to_bytes(4, "big") + text.encode())


# Messages of the http target by name: what follows (0 request, 1 response, 2 chunked body; 4 more
# after HEAD, 8 more after CONNECT), where it is cut of 256, and the bytes.
HTTP = {
    "request": (0, 128, b"GET /a/b?c=d HTTP/1.1\r\nHost: shop.example:80\r\nCookie: a=1; b=2\r\n"
                        b"X-Forwarded-For: 192.0.2.1\r\nAccept: */*\r\n\r\n"),
    "request_with_length": (0, 250, b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 005\r\n"
                                    b"Expect: 100-continue\r\n\r\nhello"),
    "request_chunked": (0, 90, b"PUT / HTTP/1.1\r\nHost: [::1]\r\n"
                               b"Transfer-Encoding: gzip, chunked\r\n"
                               b"Connection: keep-alive\r\n\r\n0\r\n\r\n"),
    "request_smuggled": (0, 90, b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n"
                                b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    "request_absolute": (0, 40, b"\r\nOPTIONS http://h:80?a HTTP/1.1\r\nHost: H\r\n\r\n"),
    "request_upgrade": (0, 40, b"GET / HTTP/1.1\r\nHost: h\r\nConnection: x, Upgrade\r\n"
                               b"Upgrade: websocket\r\n\r\n"),
    "request_connect": (0, 60, b"CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n"),
    "request_old": (0, 200, b"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"),
    "request_folded": (0, 200, b"GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n c\r\n\r\n"),
    "request_bare_lf": (0, 200, b"GET / HTTP/1.1\r\nHost: h\nA: b\r\n\r\n"),
    "request_many_headers": (0, 250, b"GET / HTTP/1.1\r\n" + b"A:\r\n" * 101 + b"\r\n"),
    "request_large": (0, 255, b"GET / HTTP/1.1\r\nHost: h\r\nA: " + b"b" * 16400 + b"\r\n\r\n"),
    "http2": (0, 255, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "response": (1, 100, b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"),
    "response_chunked": (1, 100, b"HTTP/1.1 404\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    "response_until_close": (1, 100, b"HTTP/1.0 200 \r\n\r\n<html>"),
    "response_without_body": (1, 100, b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"),
    "response_to_head": (5, 100, b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"),
    "response_to_connect": (9, 100, b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"),
    "response_switching": (1, 100, b"HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: w\r\n\r\n"),
    "chunks": (2, 100, b"5\r\nhello\r\n0A;a=\"b\"\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n"),
    "chunks_of_any_case": (2, 30, b"fF\r\n" + b"x" * 255 + b"\r\n000\r\n\r\nGET"),
    "chunk_too_large": (2, 100, b"7fffffffffffffff0\r\n"),
    "chunk_without_end": (2, 100, b"5\r\nhello0\r\n\r\n"),
    "chunk_bad_trailer": (2, 200, b"0\r\nGET / HTTP/1.1\r\n"),
}


def write_http():
    for name, (kind, cut, message) in HTTP.items():
        (HERE / "corpus/http" / name).write_bytes(bytes([kind, cut]) + message)


def write_splice():
    """Any bytes are choices; long ones keep the network hostile for longer."""
    for number in range(12):
        drawn = random.Random(number).randbytes(400 + 200 * number)
        (HERE / f"corpus/splice/drawn_{number}").write_bytes(drawn)


def write_check_answers():
    head = b"HTTP/1.1 200 OK\r\n"
    seeds = {
        "http_length": head + b"X-Ready: yes\r\nContent-Length: 5\r\n\r\nhello",
        "http_chunks": head + b"Transfer-Encoding: chunked\r\n\r\n3;a=b\r\nhel\r\n2\r\nlo\r\n0\r\n"
                       b"X-End: 1\r\n\r\n",
        "http_until_closed": b"HTTP/1.0 503 Busy\r\n\r\nlater",
        "http_interim": b"HTTP/1.1 100 Continue\r\n\r\n" + head + b"Content-Length: 0\r\n\r\n",
        "http_long_head": head + b"X-More: and more\r\n" * 2000,
        "no_http": b"SSH-2.0-OpenSSH_9.2\r\n",
        "agent_words": b" up,ready\t75%, maxconn:30 # fine\n",
        "agent_down": b"down 0% # disk is full\r\nup\n",
        "agent_garbage": b"\x00\xff%% 7x% maxconn: #",
    }
    for name, text in seeds.items():
        (HERE / "corpus/check_answer" / name).write_bytes(bytes([len(name)]) + text)


def main():
    for folder in ("frame", "snapshot", "configuration", "quic", "tcp_options", "client_hello",
                   "session_cookie", "http", "splice", "check_answer"):
        (HERE / "corpus" / folder).mkdir(parents=True, exist_ok=True)
    write_frames()
    write_snapshots()
    write_quic()
    write_tcp_options()
    write_client_hellos()
    write_session_cookies()
    write_http()
    write_splice()
    write_check_answers()
    for name, text in CONFIGURATIONS.items():
        (HERE / "corpus/configuration" / name).write_text(text)


if __name__ == "__main__":
    main()
