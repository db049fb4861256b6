#!/usr/bin/python3
# A UDP server and client with QUIC's headers and QUIC-LB's connection IDs, to test routing by them.
"""The server answers each datagram with its name and a connection ID that leads back to it; the
client opens connections, changes its address, and prints as JSON who answered. `check` proves the
encoding by the draft's vectors; `digest` sums up all lengths, for tests/unit/quic_test.cc.

Sources: RFC 8999 (headers), draft-ietf-quic-load-balancers-21 (connection IDs), FIPS 197 (AES). The
code follows those texts alone, so that it is a twin of src/l4/quic.cc and shares nothing with it.
"""

import argparse
import json
import os
import select
import socket
import struct
import sys

# --- AES-128, one block (FIPS 197) ---------------------------------------------------------------


def multiply(a, b):
    """Product in GF(2^8), section 4.2."""
    product = 0
    while b:
        if b & 1:
            product ^= a
        a = a << 1 ^ (0x11B if a & 0x80 else 0)
        b >>= 1
    return product


def make_substitution():
    box = []
    for value in range(256):
        inverse = next((x for x in range(256) if multiply(value, x) == 1), 0)
        result = 0x63
        for shift in range(5):
            result ^= (inverse << shift | inverse >> (8 - shift)) & 0xFF
        box.append(result)
    return box


SUBSTITUTION = make_substitution()
INVERSE_SUBSTITUTION = [SUBSTITUTION.index(value) for value in range(256)]


def round_keys(key):
    words = [list(key[i:i + 4]) for i in range(0, 16, 4)]
    constant = 1
    for i in range(4, 44):
        word = words[i - 1]
        if i % 4 == 0:
            word = [SUBSTITUTION[byte] for byte in word[1:] + word[:1]]
            word[0] ^= constant
            constant = multiply(constant, 2)
        words.append([a ^ b for a, b in zip(words[i - 4], word)])
    return [sum(words[i:i + 4], []) for i in range(0, 44, 4)]


def add(state, key):
    return [a ^ b for a, b in zip(state, key)]


def mix(state, row):
    columns = [state[i:i + 4] for i in range(0, 16, 4)]
    result = []
    for column in columns:
        for r in range(4):
            value = 0
            for c in range(4):
                value ^= multiply(column[c], row[(c - r) % 4])
            result.append(value)
    return result


def aes_encrypt(key, block):
    keys = round_keys(key)
    state = add(block, keys[0])
    for number in range(1, 11):
        state = [SUBSTITUTION[byte] for byte in state]
        state = [state[4 * ((i // 4 + i % 4) % 4) + i % 4] for i in range(16)]
        if number < 10:
            state = mix(state, (2, 3, 1, 1))
        state = add(state, keys[number])
    return bytes(state)


def aes_decrypt(key, block):
    keys = round_keys(key)
    state = add(block, keys[10])
    for number in range(9, -1, -1):
        state = [state[4 * ((i // 4 - i % 4) % 4) + i % 4] for i in range(16)]
        state = [INVERSE_SUBSTITUTION[byte] for byte in state]
        state = add(state, keys[number])
        if number > 0:
            state = mix(state, (14, 11, 13, 9))
    return bytes(state)


# --- QUIC-LB (draft-ietf-quic-load-balancers-21 section 5) ---------------------------------------


def feistel_pass(key, length, number, source, target):
    """target ^ truncate(AES(expand(length, number, source))), the halves being lists of nibbles."""
    digits = "".join(f"{nibble:x}" for nibble in source)
    # An odd plaintext's left half ends and its right half begins with the shared octet.
    padded = digits + "0" if len(digits) % 2 and number % 2 else digits
    padded = "0" + padded if len(padded) % 2 else padded
    block = bytes.fromhex(padded).ljust(14, b"\0") + bytes([length, number])
    stream = aes_encrypt(key, block).hex()
    if length % 2 and number % 2:  # the target is a right half: its first nibble is the left's
        stream = stream[1:]
    return [nibble ^ int(digit, 16) for nibble, digit in zip(target, stream)]


def four_passes(key, data, order):
    """The Feistel network over `data`, passes in `order`: 1 to 4 encrypts, 4 to 1 decrypts."""
    nibbles = [int(digit, 16) for digit in data.hex()]
    left, right = nibbles[:len(data)], nibbles[len(data):]
    for number in order:
        if number % 2:
            right = feistel_pass(key, len(data), number, left, right)
        else:
            left = feistel_pass(key, len(data), number, right, left)
    return bytes.fromhex("".join(f"{nibble:x}" for nibble in left + right))


def encode(config_id, key, server_id, nonce, random_bits=None):
    """A connection ID; its first octet has the length of what follows, or RANDOM_BITS."""
    data = server_id + nonce
    low_bits = len(data) if random_bits is None else random_bits & 0x1F
    if key and len(data) == 16:
        data = aes_encrypt(key, data)
    elif key:
        data = four_passes(key, data, (1, 2, 3, 4))
    return bytes([config_id << 5 | low_bits]) + data


def decode(config_id, key, server_id_length, nonce_length, connection_id):
    """The server id in a connection ID, or None when it is another configuration's or too short."""
    data = connection_id[1:1 + server_id_length + nonce_length]
    if len(data) < server_id_length + nonce_length or connection_id[0] >> 5 != config_id:
        return None
    if key and len(data) == 16:
        data = aes_decrypt(key, data)
    elif key:
        data = four_passes(key, data, (4, 3, 2, 1))
    return data[:server_id_length]


# --- QUIC's headers (RFC 8999 section 5) ---------------------------------------------------------


def long_header(destination, source, payload, version=1):
    return (struct.pack("!BIB", 0xC0, version, len(destination)) + destination +
            bytes([len(source)]) + source + payload)


def parse(datagram, short_length):
    """Destination ID, source ID (None in a short header), payload; ValueError when cut off."""
    if not datagram:
        raise ValueError("an empty datagram")
    if datagram[0] & 0x80 == 0:
        if len(datagram) < 1 + short_length:
            raise ValueError("a short header is cut off")
        return datagram[1:1 + short_length], None, datagram[1 + short_length:]
    fields, at = [], 5
    for _ in range(2):
        if at >= len(datagram) or at + 1 + datagram[at] > len(datagram):
            raise ValueError("a long header is cut off")
        fields.append(datagram[at + 1:at + 1 + datagram[at]])
        at += 1 + datagram[at]
    return fields[0], fields[1], datagram[at:]


# --- server --------------------------------------------------------------------------------------


def listen(addresses, port):
    sockets = []
    for address in addresses or ["0.0.0.0", "::"]:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_DGRAM)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind((address, port))
        sockets.append(listener)
    return sockets


def answer(options, datagram):
    """What the server sends back: a long header with a new source ID, and what it saw as JSON."""
    own_length = 1 + len(options.server_id) + options.nonce_length
    try:
        destination, source, _ = parse(datagram, own_length)
    except ValueError as error:
        return json.dumps({"server": options.name, "error": str(error)}).encode()
    decoded = decode(options.config_id, options.key, len(options.server_id), options.nonce_length,
                     destination)
    connection_id = encode(options.config_id, options.key, options.server_id,
                           os.urandom(options.nonce_length),
                           os.urandom(1)[0] if options.random_first_octet else None)
    seen = {"server": options.name, "header": "short" if source is None else "long",
            "destination": destination.hex(), "own": decoded == options.server_id}
    return long_header(source or b"", connection_id, json.dumps(seen).encode())


def server(options):
    sockets = listen(options.address, options.port)
    print(json.dumps({"ready": options.name}), flush=True)
    while True:
        for ready in select.select(sockets, [], [])[0]:
            datagram, sender = ready.recvfrom(65536)
            ready.sendto(answer(options, datagram), sender)


# --- client --------------------------------------------------------------------------------------


class Client:
    """One address of the client: a socket, and what it sends and hears."""

    def __init__(self, options, number=0):
        family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.settimeout(options.timeout)
        if options.source:
            self.socket.bind((options.source[number % len(options.source)], 0))
        self.socket.connect((options.host, options.port))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def ask(self, datagram):
        """Who answered, and the connection ID it gave; ("none", None) when nobody did."""
        try:
            self.socket.send(datagram)
            _, source, payload = parse(self.socket.recv(65536), 0)
            return json.loads(payload)["server"], source
        except (OSError, ValueError, KeyError):
            return "none", None


def connection(options):
    """One connection: opened, used, and used again from new addresses."""
    destination = bytearray(os.urandom(options.random_id_length))
    if options.first_octet is not None:
        destination[0] = options.first_octet
    # A client's first datagrams have 1200 bytes at least (RFC 9000 section 14.1).
    first = long_header(bytes(destination), os.urandom(8), b"").ljust(1200, b"\0")
    with Client(options) as client:
        name, connection_id = client.ask(first)
        result = {"first": name, "same": [], "moved": []}
        if connection_id is None:
            return result
        result["connection_id"] = connection_id.hex()
        short = b"\x40" + connection_id + os.urandom(32)
        result["same"] = [client.ask(short)[0] for _ in range(options.packets)]
    for number in range(options.moves):
        with Client(options, number + 1) as client:
            result["moved"].append(client.ask(short)[0])
    return result


def client(options):
    connections = [connection(options) for _ in range(options.count)]
    summary = {"stayed": 0, "strayed": 0, "silent": 0}
    for one in connections:
        heard = {one["first"], *one["same"], *one["moved"]}
        kind = "silent" if "none" in heard else "stayed" if len(heard) == 1 else "strayed"
        summary[kind] += 1
    print(json.dumps({**summary, "connections": connections}))


def resume(options):
    """A packet of each known connection, from a new address each: who answered."""
    answers = []
    for number, connection_id in enumerate(options.connection_id):
        with Client(options, number) as one:
            answers.append(one.ask(b"\x40" + connection_id + os.urandom(32))[0])
    print(json.dumps(answers))


# --- proofs --------------------------------------------------------------------------------------

KEY = bytes.fromhex("8f95f09245765f80256934e50c66207f")
# Appendices B.1 and B.2 and section 5.4.2.4. Two rows of the appendix are misprinted: see
# tests/unit/quic_test.cc.
VECTORS = [
    (0, None, "c4605e", "4504cc4f", "07c4605e4504cc4f"),
    (1, None, "350d28b420", "03487d970b", "2a350d28b42003487d970b"),
    (0, KEY, "ed793a", "ee080dbf", "0720b1d07b359d3c"),
    (1, KEY, "ed793a51d49b8f5fab65", "ee080dbf48", "2fcc381bc74cb4fbad2823a3d1f8fed2"),
    (2, KEY, "ed793a51d49b8f5f", "ee080dbf48c0d1e5", "504dd2d05a7b0de9b2b9907afb5ecf8cc3"),
    (0, KEY, "ed793a51d49b8f5fab", "ee080dbf48c0d1e55d",
     "125779c9cc86beb3a3a4a3ca96fce4bfe0cdbc"),
    (0, bytes.fromhex("fdf726a9893ec05c0632d3956680baf0"), "31441a", "9c69c275",
     "0767947d29be054a"),
]


def check(_):
    """TAP: the draft's vectors, both ways."""
    print(f"1..{len(VECTORS)}")
    failed = False
    for number, (config_id, key, server_id, nonce, connection_id) in enumerate(VECTORS, 1):
        server_id, nonce = bytes.fromhex(server_id), bytes.fromhex(nonce)
        expected = bytes.fromhex(connection_id)
        good = (encode(config_id, key, server_id, nonce) == expected and
                decode(config_id, key, len(server_id), len(nonce), expected) == server_id)
        failed = failed or not good
        print(f"{'ok' if good else 'not ok'} {number} - {connection_id}")
    return 1 if failed else 0


def digest(_):
    """FNV-1a over one connection ID of every legal pair of lengths, encrypted."""
    total = 0xCBF29CE484222325
    for server_id_length in range(1, 16):
        for nonce_length in range(4, 20 - server_id_length):
            server_id = bytes(range(1, 1 + server_id_length))
            nonce = bytes(range(0x80, 0x80 + nonce_length))
            for byte in encode(5, KEY, server_id, nonce):
                total = (total ^ byte) * 0x100000001B3 % 2**64
    print(f"{total:016x}")


def key_argument(text):
    key = bytes.fromhex(text)
    if len(key) != 16:
        raise ValueError("a key has 32 hexadecimal digits")
    return key


def client_arguments(parser, run):
    parser.set_defaults(run=run)
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("--source", action="append", help="addresses to send from, in turn")
    parser.add_argument("--timeout", type=float, default=2)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("server", help="answer until killed")
    one.set_defaults(run=server)
    one.add_argument("port", type=int)
    one.add_argument("name")
    one.add_argument("server_id", type=bytes.fromhex, help="hexadecimal digits")
    one.add_argument("--address", action="append", help="listen here; default: everywhere")
    one.add_argument("--config-id", type=int, default=0, choices=range(8),
                     help="7: a server without a configuration")
    one.add_argument("--nonce-length", type=int, default=8)
    one.add_argument("--key", type=key_argument, help="32 hexadecimal digits; default: plaintext")
    one.add_argument("--random-first-octet", action="store_true", help="hide the ID's length")
    one = commands.add_parser("client", help="open connections and move them")
    client_arguments(one, client)
    one.add_argument("--count", type=int, default=10, help="connections")
    one.add_argument("--packets", type=int, default=2, help="from the first socket")
    one.add_argument("--moves", type=int, default=4, help="packets from a new socket each")
    one.add_argument("--random-id-length", type=int, default=8, help="of the first packet's ID")
    one.add_argument("--first-octet", type=lambda text: int(text, 0),
                     help="of the first packet's ID; 0xe0 leads nowhere; default: random")
    one = commands.add_parser("resume", help="go on with connections from new addresses")
    client_arguments(one, resume)
    one.add_argument("connection_id", type=bytes.fromhex, nargs="+", help="hexadecimal digits")
    commands.add_parser("check", help="the draft's vectors, as TAP").set_defaults(run=check)
    commands.add_parser("digest", help="of all lengths").set_defaults(run=digest)
    return parser.parse_args()


if __name__ == "__main__":
    chosen = arguments()
    sys.exit(chosen.run(chosen))
