# The figures that the report shows beside their bars, and those that it draws.
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Figure:
    what: str
    file: str
    where: dict
    key: str
    unit: str
    bar: float | None = None  # at most
    minus: dict | None = None  # of another row, to be taken off


@dataclass(frozen=True)
class Chart:
    name: str
    title: str
    unit: str
    figures: list
    bar: float | None = None
    more_is_better: bool = False
    note: str = field(default="")


def l4(mode, family, flows, key="ns_per_packet"):
    return ("l4", {"mode": mode, "family": family, "flows": flows}, key)


def kept(rules, head, **more):
    return ("l7", {"what": "kept-alive request", "family": 4, "timestamps": "yes", "rules": rules,
                   "head_bytes": head, **more}, "ns_per_request")


def life(head, **more):
    return ("l7", {"what": "connection", "family": 4, "timestamps": "yes", "head_bytes": head,
                   **more}, "ns_per_connection")


def change(operation, backends, slots):
    after = {"build": backends, "one leaves": backends - 1, "one joins": backends + 1,
             "one at half weight": backends}[operation]
    return ("table", {"operation": operation, "backends": after, "slots": slots}, "ms")


MI = 1 << 20
MODES = [("dsr-ipip", "DSR, IP in IP"), ("dsr-gue", "DSR, GUE"), ("dsr-l2", "DSR, layer 2"),
         ("nat", "NAT, both directions")]
CHANGES = ["one leaves", "one joins", "one at half weight"]

FIGURES = [
    *(Figure(f"packet of a known flow, IPv{family}, {name}, a million flows",
             *l4(mode, family, MI), "ns") for mode, name in MODES for family in (4, 6)),
    Figure("the floor for such a packet (IP in IP, IPv4)", *l4("dsr-ipip", 4, MI, "floor_ns"), "ns"),
    *(Figure(f"new flow, {mode}", "new-flows", {"mode": mode, "family": 4}, "ns_per_flow", "ns")
      for mode in ("dsr-ipip", "nat")),
    Figure("whole TCP connection through NAT", "connections", {"family": 4}, "ns_per_connection",
           "ns"),
    Figure("SYN answered with a cookie, options of Linux", "syn",
           {"family": 4, "options": "linux"}, "ns_per_answer", "ns"),
    Figure("HTTP request, kept alive, head of 200 bytes", *kept(0, 200), "ns", 500),
    Figure("the same with a head of 1024 bytes", *kept(0, 1024), "ns", 500),
    Figure("the same with a head of 4096 bytes, in three segments", *kept(0, 4096), "ns"),
    Figure("what 10 rules add to the first", *kept(10, 200), "ns", minus=kept(0, 200)[1]),
    Figure("what 1000 rules add to the first", *kept(1000, 200), "ns", 1000,
           minus=kept(0, 200)[1]),
    Figure("spliced connection with one request, head of 200 bytes", *life(200), "ns", 2000),
    *(Figure(f"spliced body, {direction}, 1024 connections", "splice",
             {"direction": direction, "family": 4, "connections": 1024}, "ns_per_packet", "ns")
      for direction in ("down", "up")),
    Figure("table of 65537 slots for 1000 backends, built", *change("build", 1000, 65537), "ms",
           1.5),
    *(Figure(f"the same, {operation}", *change(operation, 1000, 65537), "ms", 1.0)
      for operation in CHANGES),
]

CHARTS = [
    Chart("l4", "Packet of a known flow, a million flows", "ns",
          [Figure(f"{name}, IPv{family}", *l4(mode, family, MI), "ns")
           for mode, name in MODES for family in (4, 6)]),
    Chart("l4-flows", "DSR by IP in IP, IPv4: the pipeline and the floor, by number of flows", "ns",
          [Figure(f"{label}: {what}", *l4("dsr-ipip", 4, flows, key), "ns")
           for flows, label in ((1, "1"), (65536, "64 Ki"), (MI, "1 Mi"), (8 * MI, "8 Mi"))
           for what, key in (("pipeline", "ns_per_packet"), ("floor", "floor_ns"))]),
    Chart("l7", "HTTP request on a connection that is kept alive", "ns",
          [Figure(f"{rules} rules, head of {head} bytes", *kept(rules, head), "ns")
           for rules in (0, 10, 1000) for head in (200, 1024, 4096)], bar=500),
    Chart("connections", "Whole connection with one request", "ns",
          [Figure("NAT", "connections", {"family": 4}, "ns_per_connection", "ns"),
           *(Figure(f"spliced, head of {head} bytes", *life(head), "ns")
             for head in (200, 1024, 4096))], bar=2000),
    Chart("splice", "Body through spliced connections, one core", "Gbit/s",
          [Figure(f"{direction}, IPv{family}, {connections} connections"
                  .replace(" 1 connections", " 1 connection"), "splice",
                  {"direction": direction, "family": family, "connections": connections},
                  "gbit_per_second", "Gbit/s")
           for direction in ("down", "up") for family in (4, 6) for connections in (1, 1024)],
          more_is_better=True),
    Chart("table", "Table of 65537 slots for 1000 backends", "ms",
          [Figure(operation, *change(operation, 1000, 65537), "ms")
           for operation in ("build", *CHANGES)], bar=1.0,
          note="The bar is that of a change; a first build may take 1.5 ms."),
]
