# Rows about backends of spliced connections: refusals, silence, maintenance, TLS.
import struct

from network import B1, backend, service, setup
from row import beside, burst, flows, hexed, lose, resolve, row, snapshot, spliced, tick
from splice_talk import COOKIE_TIME, OK, READING_WINDOW, Spliced, answer, get, session

FAILED = answer(503, "Service Unavailable")


def homes(*backends, **changes):
    """page4 with sessions by cookie, so that a cookie says which backend a request is for."""
    return service("page4", affinity="cookie", backends=[
        backend(name, 4, 8080, **changes) for name in backends or ("b1", "b2")])


PAGE = get("/", f"Cookie: hawser={session(backend='b1')}")
N = len(PAGE)
one = Spliced()
other = Spliced(backend="b2", local_port=1025)
refusal = one.server_takes("splice_taken", flags="RA", ack=0, at=-1, window=0)
held = burst(0, one.hold(PAGE), after=[one.own_syn()])

row("a backend that refuses is left for another, and the request goes there",
    held, burst(0, refusal, after=[other.own_syn()]),
    burst(0, other.syn_ack(), after=[other.own_ack(), other.lets_go(PAGE)]),
    setup=setup([homes()]),
    counters=[flows("page4/b1", live=0, new=1, refused=1, requests=0),
              flows("page4/b2", live=1, new=1),
              spliced("page4", requests=1, sessions_kept=1, retries=1)])

lines = (f"Set-Cookie: hawser={session(backend='b2', born=COOKIE_TIME - 100)}; Path=/; HttpOnly; "
         "SameSite=Lax\r\nCache-Control: private\r\n").encode()
OLDER = get("/", f"Cookie: hawser={session(backend='b1', born=COOKIE_TIME - 100)}")
at = OK.index(b"\n") + 1
row("a session whose home refuses goes on at another, with its number and its age",
    burst(0, one.hold(OLDER), after=[one.own_syn()]),
    burst(0, refusal, after=[other.own_syn()]),
    burst(0, other.syn_ack(), after=[other.own_ack(), other.lets_go(OLDER)]),
    burst(0, other.down("PA", ack=len(OLDER), payload=OK,
                        out={"payload": OK[:at] + lines + OK[at:]})),
    setup=setup([homes()]),
    counters=[flows("page4/b1", live=0, new=1, refused=1, requests=0),
              flows("page4/b2", live=1, new=1),
              spliced("page4", requests=1, sessions_kept=1, retries=1, edits=1)])

row("a backend that is silent for half a second is left for another",
    held, tick(0.24), tick(0.26, one.own_syn()), tick(0.5), tick(0.52, other.own_syn()),
    setup=setup([homes()]),
    counters=[flows("page4/b1", live=0, new=1, requests=0, timed_out=1),
              flows("page4/b2", live=1, new=1, requests=0),
              spliced("page4", requests=1, sessions_kept=1, retries=1)])

row("a refusal that acknowledges another SYN is dropped",
    held, burst(0, one.server_takes("splice_reset", flags="RA", ack=1)),
    setup=setup([homes()]),
    counters=[flows("page4/b1", live=1, new=1, requests=0),
              spliced("page4", requests=1, sessions_kept=1)])

memory = {**one.syn_ack(ack=4000, verdict="reply_reset"), "out_port": 0, "out": hexed(
    one.to_backend("R", at=4000 - one.isn - 1, ack=-one.server_isn - 1, window=0, own=True, ttl=64))}
row("a backend that answers for a connection of before is reset, and asked again at once",
    held, burst(0, memory, after=[one.own_syn()]), burst(0, one.syn_ack(),
                                                         after=[one.own_ack(), one.lets_go(PAGE)]),
    setup=setup([homes()]),
    counters=[flows("page4/b1", live=1, new=1), spliced("page4", requests=1, sessions_kept=1)])

row("a backend that goes on answering for a connection of before is asked by the clock",
    held, burst(0, memory, after=[one.own_syn()]), burst(0, memory), tick(0.24),
    tick(0.26, other.own_syn()), setup=setup([homes()]),
    counters=[flows("page4/b1", live=0, new=1, requests=0, timed_out=1),
              flows("page4/b2", live=1, new=1, requests=0),
              spliced("page4", requests=1, sessions_kept=1, retries=1)])

row("data before the backend's SYN-ACK is dropped",
    held, burst(0, one.server_takes("splice_over", ack=0, payload=OK)), setup=setup([homes()]),
    counters=[flows("page4/b1", live=1, new=1, requests=0),
              spliced("page4", requests=1, sessions_kept=1)])

again = [Spliced(local_port=1024 + i) for i in range(4)]
row("after eight SYNs without an answer the client gets 503",
    burst(0, again[0].hold(get()), after=[again[0].own_syn()]),
    *[tick(0.26 * n, again[n // 2].own_syn()) for n in range(1, 8)],
    tick(0.26 * 8, again[3].own_down(counted=False, flags="FPA", window=READING_WINDOW, payload=FAILED),
         beside("splice_over")),
    setup=setup([service("page4")]),
    counters=[flows("page4/b1", live=0, new=4, requests=0, timed_out=4), (0, {"flows_ipv4": 1}),
              spliced("page4", requests=1, retries=3, refused_connect_failed=1)])

row("a SYN waits for its backend's MAC address",
    burst(0, Spliced().hold(get())), resolve(B1, B1.ipv4), tick(0.26, Spliced().own_syn()),
    setup=setup([service("page4")], unresolved=(B1,)),
    counters=[flows("page4/b1", live=1, new=1, requests=0), spliced("page4", requests=1)])

# --- when a backend goes --------------------------------------------------------------------------

plain = Spliced()
G = len(get())
row("a connection whose backend drains stays there",
    *plain.open(get()),
    snapshot(service("page4", backends=[backend("b1", 4, 8080, admission="draining")])),
    burst(1, plain.down("PA", ack=G, payload=OK)), burst(1, plain.up("A", at=G, ack=len(OK))),
    setup=setup([service("page4")]),
    counters=[flows("page4/b1", live=1, new=1), spliced("page4", requests=1)])

row("a segment that the backend's MAC address is missing for is dropped",
    *plain.open(get()), lose(B1.ipv4),
    burst(1, plain.takes("next_hop_unresolved", at=G)), setup=setup([service("page4")]),
    counters=[flows("page4/b1", live=1, new=1), spliced("page4", requests=1)])

row("a segment with a TTL of one is dropped",
    *plain.open(get()), burst(1, plain.takes("ttl_expired", at=G, ttl=1)),
    setup=setup([service("page4")]),
    counters=[flows("page4/b1", live=1, new=1), spliced("page4", requests=1)])

fresh = Spliced(isn=plain.isn + 100000)
row("a handshake from the port of a connection that its backend reset is heard",
    *plain.open(get()), burst(1, plain.down("RA", ack=G)),
    burst(1, fresh.syn()), burst(1, fresh.takes("splice_handshake")),
    setup=setup([service("page4")]),
    counters=[flows("page4/b1", live=1, new=1, reset=1), spliced("page4", requests=1)])

# --- TLS ------------------------------------------------------------------------------------------


def client_hello(name):
    """A ClientHello with a server name (RFC 8446 section 4.1.2, RFC 6066 section 3)."""
    def sized(size, content):
        return len(content).to_bytes(size, "big") + content
    server_name = sized(2, b"\0" + sized(2, name.encode()))
    extensions = struct.pack(">H", 0) + sized(2, server_name)
    body = (b"\x03\x03" + bytes(range(32)) + sized(1, b"") + sized(2, b"\x13\x01") +
            sized(1, b"\0") + sized(2, extensions))
    return b"\x16\x03\x01" + sized(2, b"\x01" + sized(3, body))


HELLO = client_hello("shop.example")
H = len(HELLO)
secret = Spliced("tls4")
row("a ClientHello is read, and from there on everything passes unread",
    *secret.open(HELLO),
    burst(1, secret.down("PA", ack=H, payload=b"\x16\x03\x03hello")),
    burst(1, secret.up("PA", at=H, ack=8, payload=b"\x17\x03\x03any")),
    counters=[flows("tls4/b1", live=1, new=1), spliced("tls4", requests=1, tunnels=1)])

row("a backend that resets before it has said a byte about a ClientHello has not answered",
    *secret.open(HELLO), burst(1, secret.down("RA", ack=H)), tick(1.6),
    counters=[flows("tls4/b1", live=0, new=1, reset=1),
              spliced("tls4", requests=1, tunnels=1)])
row("a backend that resets what passes unread has aborted",
    *secret.open(HELLO), burst(1, secret.down("PA", ack=H, payload=b"\x16\x03\x03hello")),
    burst(1, secret.down("RA", at=8, ack=H)), tick(1.6),
    counters=[flows("tls4/b1", live=0, new=1, aborted=1),
              spliced("tls4", requests=1, tunnels=1)])

row("a ClientHello in two segments is acknowledged, and delivered by the balancer",
    burst(0, secret.reply("reply_acknowledge", secret.from_client("PA", payload=HELLO[:50]),
                          ack=50, window=READING_WINDOW - 50)),
    burst(0, secret.reply("reply_acknowledge",
                          secret.from_client("PA", at=50, payload=HELLO[50:]), ack=H,
                          window=READING_WINDOW - H), after=[secret.own_syn()]),
    burst(0, secret.syn_ack(), after=[secret.own_up(flags="PA", payload=HELLO)]),
    burst(0.1, secret.down("A", ack=H)),
    counters=[flows("tls4/b1", live=1, new=1), spliced("tls4", requests=1, tunnels=1)])

row("a TLS client is reset when no backend takes it",
    burst(0, secret.reset(secret.from_client("PA", payload=HELLO), secret.cookie + 1)),
    setup=setup([service("tls4", backends=[backend("b1", 4, 8443, admission="draining")])]),
    counters=[spliced("tls4", requests=1, refused_no_backend=1)])
