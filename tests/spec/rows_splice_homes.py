# Rows about sessions of spliced services: cookies, and requests that belong to another backend.
from network import backend, service, setup
from row import beside, burst, flows, frame, local_ports, released, row, signals, spliced, tick
from splice_talk import COOKIE_TIME, LINUX, OK, ROOM, Spliced, get, session

talk = Spliced()
M = len(OK)
PRIVATE = b"Cache-Control: private\r\n"
kept = setup([service("page4", affinity="cookie")])


def asks(*cookies):
    return get("/", *[f"Cookie: hawser={cookie}" for cookie in cookies])


def set_cookie(value, name="hawser", attributes="; Path=/; HttpOnly; SameSite=Lax"):
    return f"Set-Cookie: {name}={value}{attributes}\r\n".encode()


def inserted(response, lines):
    at = response.index(b"\n") + 1
    return response[:at] + lines + response[at:]


def counts(edits=0, **more):
    return [flows("page4/b1", live=1, new=1), spliced("page4", requests=1, edits=edits, **more)]


# --- cookies --------------------------------------------------------------------------------------

fresh = asks(session())
row("a session's fresh cookie leads to its home, and is not given anew",
    *talk.open(fresh), burst(1, talk.down("PA", ack=len(fresh), payload=OK)), setup=kept,
    counters=counts(sessions_kept=1))

old = asks(session(refreshed=COOKIE_TIME - 30))
NEW = set_cookie(session()) + PRIVATE
row("a cookie older than a quarter of its idle time is given anew, for the user alone",
    *talk.open(old),
    burst(1, talk.down("PA", ack=len(old), payload=OK, out={"payload": inserted(OK, NEW)})),
    burst(1, talk.up("A", at=len(old), ack=M + len(NEW), out={"ack": M})),
    setup=kept, counters=counts(1, sessions_kept=1))

for control in "private", "no-store":
    own = OK.replace(b"Content", f"Cache-Control: max-age=1, {control}\r\nContent".encode())
    row(f"a response that is {control} gets no Cache-Control beside the cookie",
        *talk.open(old),
        burst(1, talk.down("PA", ack=len(old), payload=own,
                           out={"payload": inserted(own, set_cookie(session()))})),
        setup=kept, counters=counts(1, sessions_kept=1))

second = asks(session(key=1))
row("a cookie signed with the second key counts, and is signed anew with the first",
    *talk.open(second),
    burst(1, talk.down("PA", ack=len(second), payload=OK, out={"payload": inserted(OK, NEW)})),
    setup=kept, counters=counts(1, sessions_kept=1))

gone = asks(session(backend="b9", born=COOKIE_TIME - 100, epoch=0))
row("a session whose backend is gone gets a new home and keeps its number",
    *talk.open(gone),
    burst(1, talk.down("PA", ack=len(gone), payload=OK, out={"payload": inserted(
        OK, set_cookie(session(born=COOKIE_TIME - 100)) + PRIVATE)})),
    setup=kept, counters=counts(1, sessions_moved=1, cookie_unknown_backend=1))

named = setup([service("page4", affinity="cookie", cookie={
    "name": "pin", "path": "/shop", "domain": "shop.example", "secure": True,
    "http_only": False})])
pinned = get("/", f"Cookie: a=b; pin={session(refreshed=COOKIE_TIME - 30)}")
row("the cookie has the name and the attributes that the service is configured with",
    *talk.open(pinned),
    burst(1, talk.down("PA", ack=len(pinned), payload=OK, out={"payload": inserted(
        OK, set_cookie(session(), "pin", "; Path=/shop; Domain=shop.example; Secure; SameSite=Lax")
        + PRIVATE)})),
    setup=named, counters=counts(1, sessions_kept=1))

row("a response that is sent again has the same cookie again",
    *talk.open(old),
    *[burst(1, talk.down("PA", ack=len(old), payload=OK, out={"payload": inserted(OK, NEW)}))
      for _ in range(2)],
    setup=kept, counters=counts(1, sessions_kept=1))

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
row("an interim response passes as it is, the final one has the cookie",
    *talk.open(old),
    burst(1, talk.down("PA", ack=len(old), payload=CONTINUE),
          talk.down("PA", at=len(CONTINUE), ack=len(old), payload=OK,
                    out={"payload": inserted(OK, NEW)})),
    setup=kept, counters=counts(1, sessions_kept=1))

mtu = Spliced(offer=LINUX, client_window=512, server_window=502)
LONG = b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"
full = LONG + bytes(1460 - len(LONG))
whole = inserted(full, NEW)
row("a full segment that a cookie makes too long leaves in two",
    *mtu.open(old),
    burst(1, frame(mtu.from_backend("PA", ack=len(old), payload=full), "return_splice",
                   mtu.to_client("PA", at=1460, ack=len(old), payload=whole[1460:]),
                   backend="page4/b1", capacity=ROOM),
          after=[beside("return_splice", mtu.to_client("A", ack=len(old), payload=whole[:1460]),
                        backend="page4/b1")]),
    setup=kept, counters=counts(1, sessions_kept=1))

# --- another home ---------------------------------------------------------------------------------

two = setup([service("page4", affinity="cookie",
                     backends=[backend("b1", 4, 8080), backend("b2", 4, 8080)])])
ONE, TWO = asks(session()), asks(session(backend="b2"))
N = len(ONE)
next_home = Spliced(backend="b2", local_port=1025, server_isn=40_000_000)
next_home.down_shift = M
moving = [*talk.open(ONE),
          burst(1, talk.down("PA", ack=N, payload=OK)), burst(1, talk.up("A", at=N, ack=M))]
moved = [flows("page4/b1", live=0, new=1), flows("page4/b2", live=1, new=1),
         spliced("page4", requests=2, sessions_kept=2, resplices=1)]
left = talk.own_up(flags="FA", at=N, ack=M)
asked = burst(1, talk.takes("hold_request", flags="PA", at=N, ack=M, payload=TWO),
              after=[left, next_home.own_syn(at=N)])
joined = burst(1, next_home.syn_ack(at=N),
               after=[next_home.own_ack(at=N), next_home.lets_go(TWO, at=N)])

row("a request for another home leaves the old backend by a FIN and goes to the new one",
    *moving, asked, joined,
    burst(1, next_home.down("PA", ack=2 * N, payload=OK)),
    burst(1, next_home.up("A", at=2 * N, ack=M)),
    setup=two, counters=moved + [local_ports(1)])

row("the FIN of the backend that was left is acknowledged, and its port kept for two seconds",
    *moving, asked, joined,
    burst(1, frame(talk.from_backend("FA", at=M, ack=N + 1), "reply_acknowledge",
                   talk.to_backend("A", at=N + 1, ack=M + 1, window=65535, own=True, ttl=64),
                   capacity=ROOM)),
    burst(1, talk.server_takes("splice_over", at=M, ack=N + 1)),
    tick(1.6), tick(2.2), tick(2.8), tick(3.4),
    burst(3.4, talk.server_takes("no_flow", flags="FA", at=M, ack=N + 1)),
    setup=two, counters=moved)

again = [flows("page4/b1", live=0, new=1), flows("page4/b2", live=1, new=1)]
row("a FIN that the backend that was left does not acknowledge is sent again, in the end a reset",
    *moving, asked, joined,
    tick(1.6, left), tick(2.2, left), tick(2.8, left),
    tick(3.4, talk.own_up(flags="RA", at=N, ack=M)),
    setup=two,
    counters=again + [spliced("page4", requests=2, sessions_kept=2, resplices=1, resent=4)])

row("a FIN that the backend that was left has acknowledged is not sent again",
    *moving, asked, joined, tick(1.6, left),
    burst(1.6, talk.server_takes("splice_over", at=M, ack=N + 1)),
    tick(2.2), tick(2.8), tick(3.4), setup=two,
    counters=again + [spliced("page4", requests=2, sessions_kept=2, resplices=1, resent=1)])

row("what the client has had of the backend that was left is acknowledged when it comes again",
    *moving, asked, joined,
    burst(1, frame(talk.from_backend("PA", ack=N, payload=OK), "reply_acknowledge",
                   talk.to_backend("A", at=N, ack=M, window=65535, own=True, ttl=64),
                   capacity=ROOM)),
    setup=two, counters=moved + [local_ports(1)])

row("a request for another home waits until the response before has been acknowledged",
    *talk.open(ONE),
    burst(1, talk.takes("hold_request", flags="PA", at=N, ack=0, payload=TWO)),
    burst(1, talk.down("PA", ack=N, payload=OK),
          after=[released(talk.takes("hold_request", flags="PA", at=N, ack=0, payload=TWO))]),
    burst(1, talk.up("A", at=N, ack=M),
          after=[released(talk.takes("hold_request", flags="PA", at=N, ack=0, payload=TWO)),
                 left, next_home.own_syn(at=N)]),
    setup=two, counters=moved + [local_ports(1), signals("page4/b2", requests=-1)])

row("what the backend before had is acknowledged by the balancer when it comes again",
    *moving, asked, joined,
    burst(1, talk.reply("reply_acknowledge", talk.from_client("PA", at=0, payload=ONE, ack=M),
                        at=M, ack=N, window=29200)),
    setup=two, counters=moved + [local_ports(1)])

row("a head in pieces may be for another home too",
    *moving,
    burst(1, talk.reply("reply_acknowledge",
                        talk.from_client("PA", at=N, ack=M, payload=TWO[:50]), at=M, ack=N + 50,
                        window=29200 - 50)),
    burst(1, talk.reply("reply_acknowledge",
                        talk.from_client("PA", at=N + 50, ack=M, payload=TWO[50:]), at=M,
                        ack=2 * N, window=29200 - N), after=[left, next_home.own_syn(at=N)]),
    burst(1, next_home.syn_ack(at=N), after=[next_home.own_up(flags="PA", at=N, payload=TWO)]),
    burst(1.1, next_home.down("PA", ack=2 * N, payload=OK)),
    burst(1.1, next_home.up("A", at=2 * N, ack=M)), setup=two, counters=moved + [local_ports(1)])

back = Spliced(local_port=1026, server_isn=50_000_000)
back.down_shift = M
row("when the other home refuses, the request goes back, and the session moves there",
    *moving, asked,
    burst(1, next_home.server_takes("splice_taken", flags="RA", ack=N, at=-1, window=0),
          after=[back.own_syn(at=N)]),
    burst(1, back.syn_ack(at=N), after=[back.own_ack(at=N), back.lets_go(TWO, at=N)]),
    setup=two,
    counters=[flows("page4/b1", live=1, new=2),
              flows("page4/b2", live=0, new=1, refused=1, requests=0),
              local_ports(1),
              spliced("page4", requests=2, sessions_kept=2, resplices=1, retries=1)])

row("a FIN of the client waits for the other home behind its request",
    *moving, asked, burst(1, talk.takes("hold_request", flags="FA", at=2 * N, ack=M)),
    burst(1, next_home.syn_ack(at=N),
          after=[next_home.own_ack(at=N), next_home.lets_go(TWO, at=N),
                 released(next_home.up("FA", at=2 * N))]),
    setup=two, counters=moved + [local_ports(1)])

row("a reset of the client while another home is joined ends the connection",
    *moving, asked, burst(1, talk.takes("splice_taken", flags="R", at=2 * N)),
    tick(1.1, beside("splice_over")), tick(4, left), setup=two,
    counters=[flows("page4/b1", live=0, new=1), flows("page4/b2", live=0, new=1, requests=0),
              local_ports(1),
              spliced("page4", requests=2, sessions_kept=2, resplices=1, resent=1)])
