# Rows about the life of a TCP connection: its states, its end, and what follows on the same ports.
from row import burst, expired, flows, frame, row, signals
from talk import Talk

for v in (4, 6):
    web = Talk(f"web{v}")
    again = Talk(f"web{v}", local_port=1025)
    third = Talk(f"web{v}", local_port=1026)
    direct = Talk(f"direct{v}")
    ONE_LIVE = [flows(web.name, live=1, new=1)]
    TWO_OPENED = [flows(web.name, live=1, new=2)]

    row(f"a whole connection passes: handshake, data, FIN from client, then server (IPv{v})",
        *web.open(),
        burst(1, web.ask("PA", payload=b"GET")), burst(1, web.answer("A")),
        burst(2, web.answer("PA", payload=b"200")), burst(2, web.ask("A")),
        burst(3, web.ask("FA")), burst(3, web.answer("A")), burst(4, web.answer("FA")),
        burst(4, web.ask("A")),
        counters=ONE_LIVE)
    row(f"a whole connection passes: FIN from server, then client (IPv{v})",
        *web.open(),
        burst(1, web.answer("FA", payload=b"bye")), burst(1, web.ask("A")), burst(2, web.ask("FA")),
        burst(2, web.answer("A")),
        counters=ONE_LIVE)
    row(f"a half-closed connection goes on carrying data the other way (IPv{v})",
        *web.open(), burst(1, web.ask("FA")),
        burst(2, web.answer("PA", payload=b"still here")), burst(2, web.ask("A")),
        burst(100, web.answer("PA", payload=b"and here")),
        counters=ONE_LIVE)
    row(f"a SYN sent again keeps its backend and local port (IPv{v})",
        burst(0, web.ask("S")), burst(1, web.ask("S")), burst(3, web.ask("S")),
        counters=ONE_LIVE + [signals(web.name, timed_out=1)])
    row(f"a SYN on an established connection is the backend's to judge (IPv{v})",
        *web.open(), burst(5, web.ask("S")), burst(5, web.answer("A")),
        counters=ONE_LIVE)
    row(f"a refused SYN is told to the client, and the next one starts anew (IPv{v})",
        burst(0, web.ask("S")), burst(0, web.answer("RA")), burst(1, again.ask("S")),
        counters=TWO_OPENED + [signals(web.name, refused=1)])
    row(f"a SYN on the ports of a finished connection starts anew (IPv{v})",
        *web.open(), burst(1, web.ask("FA")), burst(1, web.answer("FA")), burst(1, web.ask("A")),
        burst(2, again.ask("S")), burst(2, again.answer("SA")),
        counters=TWO_OPENED)
    row(f"a SYN on the ports of a connection that either side reset starts anew (IPv{v})",
        *web.open(), burst(1, web.ask("R")), burst(2, again.ask("S")), burst(2, again.answer("SA")),
        burst(3, again.answer("R")), burst(4, third.ask("S")),
        counters=[flows(web.name, live=1, new=3, reset=1)])
    row(f"a SYN on the ports of a half-closed connection starts anew (IPv{v})",
        *web.open(), burst(1, web.ask("FA")), burst(2, again.ask("S")),
        burst(2, again.answer("SA")), burst(3, again.answer("FA")), burst(4, third.ask("S")),
        counters=[flows(web.name, live=1, new=3)])
    row(f"late segments after a reset still pass, both ways (IPv{v})",
        *web.open(), burst(1, web.ask("R")), burst(2, web.ask("A", payload=b"late")),
        burst(2, web.answer("A", payload=b"late")),
        counters=ONE_LIVE)
    row(f"a packet to the local port that a finished connection had belongs to no flow (IPv{v})",
        *web.open(), burst(1, web.ask("R")), burst(2, again.ask("S")),
        burst(3, frame(web.answered("A"), "no_flow")),
        counters=TWO_OPENED)
    row(f"a SYN on the ports of a finished dsr-l2 connection starts anew (IPv{v})",
        burst(0, direct.ask("S")), burst(0, direct.ask("A")), burst(1, direct.ask("FA")),
        burst(2, direct.ask("S")), burst(3, direct.ask("R")), burst(4, direct.ask("S")),
        counters=[flows(direct.name, live=1, new=3)])

    # RFC 9293 section 3.10.7.1: with ACK the reset takes its sequence number from it; without, the
    # reset acknowledges all that the segment occupied.
    row(f"a segment with ACK of an unknown nat connection is reset at its own number (IPv{v})",
        burst(0, web.reset("A", ack=77777, answer={"flags": "R", "seq": 77777, "ack": 0})))
    row(f"data of an unknown nat connection is reset, options and payload cut off (IPv{v})",
        burst(0, web.reset("PA", ack=4294967295, payload=b"x" * 700,
                           answer={"flags": "R", "seq": 4294967295, "ack": 0})))
    row(f"a FIN without ACK of an unknown nat connection is reset and acknowledged (IPv{v})",
        burst(0, web.reset("F", seq=1000, ack=0, payload=b"abc",
                           answer={"flags": "RA", "seq": 0, "ack": 1004})))
    row(f"the number that a reset acknowledges wraps around (IPv{v})",
        burst(0, web.reset("F", seq=4294967295, ack=0, payload=b"abc",
                           answer={"flags": "RA", "seq": 0, "ack": 3})))
    row(f"a SYN-ACK out of nowhere to a nat service is reset (IPv{v})",
        burst(0, web.reset("SA", ack=123, answer={"flags": "R", "seq": 123, "ack": 0})))
    row(f"a reset of an unknown nat connection is not answered (IPv{v})",
        burst(0, web.dropped("no_flow", "R"), web.dropped("no_flow", "RA")))
    row(f"padding behind a segment does not count as what it occupied (IPv{v})",
        burst(0, frame(bytes(web.asked("F")) + bytes(6), "reply_reset",
                       bytes.fromhex(web.reset("F", seq=1000, ack=0, answer={
                           "flags": "RA", "seq": 0, "ack": 1001})["out"]))))

web = Talk("web4")
row("a segment with IPv4 options of an unknown nat connection is reset without them",
    burst(0, web.reset("A", ack=9, answer={"flags": "R", "seq": 9, "ack": 0},
                       ttl=3) | {"in": bytes(web.asked("A", l4={"seq": 1000, "ack": 9}, ip={
                           "options": b"\x01" * 40})).hex()}))
row("a segment with TCP options and data occupies its data alone",
    burst(0, web.reset("F", seq=10, ack=0, payload=b"12345678",
                       answer={"flags": "RA", "seq": 0, "ack": 15}) |
          {"in": bytes(web.asked("F", payload=b"1234", l4={
              "seq": 10, "ack": 0, "options": [("Timestamp", (1, 2))]})).hex()}))
row("an expired connection whose client sends on is reset",
    *web.open(),
    burst(901, web.reset("PA", ack=5000, payload=b"hello?",
                         answer={"flags": "R", "seq": 5000, "ack": 0})),
    counters=[flows("web4/b1", live=0, new=1), expired(1)])
