#!/usr/bin/python3
# SipHash, session cookies and SYN cookies written anew, for the numbers in the tests of both.
"""usage: cookie_vectors.py

Checks its SipHash-2-4 by the example of the paper (Aumasson and Bernstein, "SipHash: a fast
short-input PRF", 2012, appendix A), then prints the vectors of tests/unit/session_cookie_test.cc
and tests/unit/syn_cookie_test.cc. It follows the layouts in the headers and shares no code with
the programs.
"""
import base64
import ipaddress
import struct

MASK = (1 << 64) - 1


def rotate(value, by):
    return (value << by | value >> (64 - by)) & MASK


def sip_round(v):
    v[0] = (v[0] + v[1]) & MASK
    v[2] = (v[2] + v[3]) & MASK
    v[1] = rotate(v[1], 13) ^ v[0]
    v[3] = rotate(v[3], 16) ^ v[2]
    v[0] = rotate(v[0], 32)
    v[2] = (v[2] + v[1]) & MASK
    v[0] = (v[0] + v[3]) & MASK
    v[1] = rotate(v[1], 17) ^ v[2]
    v[3] = rotate(v[3], 21) ^ v[0]
    v[2] = rotate(v[2], 32)


def siphash(key, message):
    """The eight bytes of the tag, in the order of the reference implementation."""
    k0, k1 = struct.unpack("<QQ", key)
    v = [k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D,
         k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573]
    padded = message + bytes(7 - len(message) % 8) + bytes([len(message) & 0xFF])
    for (word,) in struct.iter_unpack("<Q", padded):
        v[3] ^= word
        sip_round(v)
        sip_round(v)
        v[0] ^= word
    v[2] ^= 0xFF
    for _ in range(4):
        sip_round(v)
    return struct.pack("<Q", v[0] ^ v[1] ^ v[2] ^ v[3])


def session_cookie(key_id, key, service, generation, backend, session, born, refreshed, epoch):
    body = struct.pack(">BHIQIIQB", 1 << 4 | key_id, generation, backend, session, born, refreshed,
                       epoch, 0)
    whole = body + siphash(key, body + service.encode())
    return base64.urlsafe_b64encode(whole).decode().rstrip("=")


def name_tag(key, purpose, service, name):
    message = purpose + bytes([len(service)]) + service.encode() + name.encode()
    return int.from_bytes(siphash(key, message), "big")


def syn_mac(key, ends, ports, client_isn, window, options, kind):
    message = b"".join(ipaddress.ip_address(end).packed for end in ends)
    message += struct.pack(">HHIIBB", *ports, client_isn, window, options, kind)
    return struct.unpack("<II", siphash(key, message))


def syn_alone(*place, profile):
    mac, _ = syn_mac(*place, profile, 0)
    return f"0x{mac & ~3 | profile:08x}"


def syn_with_timestamp(*place, mss_index, scale, sack):
    options = mss_index << 5 | scale << 1 | sack
    mac, more = syn_mac(*place, options, 1)
    return f"0x{mac:08x} 0x{more & 0xFFFFFF00 | options:08x}"


def main():
    key = bytes(range(16))
    assert siphash(key, bytes(range(15))) == struct.pack("<Q", 0xA129CA6149BE45E5)
    print("session cookies:")
    print(session_cookie(0, key, "shop", 0, 0, 0, 0, 0, 0))
    print(session_cookie(7, key, "shop", 0x1234, 0x89ABCDEF, 0x0123456789ABCDEF,
                         175_000_000, 175_000_042, 77))
    print(session_cookie(15, key[::-1], "s" * 63, 0xFFFF, 0xFFFFFFFF, MASK, 0xFFFFFFFF, 0xFFFFFFFF,
                         MASK))
    print("tags of names:")
    print(f"0x{name_tag(key, b'b', 'shop', 'b1') >> 32:08x}",
          f"0x{name_tag(key, b'g', 'shop', 'v42') >> 48:04x}")
    print("SYN cookies:")
    place4 = (key, ("192.0.2.1", "198.51.100.2"), (40000, 443), 0x12345678, 27_343_750)
    place6 = (key, ("2001:db8::1", "2001:db8::2"), (40000, 443), 0x12345678, 27_343_750)
    for place in place4, place6:
        print(*(syn_alone(*place, profile=profile) for profile in range(4)))
        print(syn_with_timestamp(*place, mss_index=6, scale=10, sack=1))
        print(syn_with_timestamp(*place, mss_index=0, scale=15, sack=0))


if __name__ == "__main__":
    main()
