# Rows about the choice of a backend: bounded load, weights, and what is not counted.
#
# Which of several backends the hash names first is no part of the specification. All flows of one
# client with source affinity have one owner, though, so `first` and `second` can be told apart: the
# bound (Mirrokni, Thorup, Zadimoghaddam, 2018) says which flow goes where.
from network import FAR, NEAR, backend, service
from network import setup as network_setup
from row import between, burst, choice, flows, row, snapshot, spilled
from talk import Talk
from tunnel_talk import Tunnel

FLOOR = 16  # flows below which a backend is never above its bound
PORTS = {"web": 8080, "dns": 5353, "direct": 80, "directdns": 53, "ipip": 80}


def setup(services, workers=1):
    """Room for all flows of a row."""
    return network_setup(services, workers=workers, ipv4_buckets=256, ipv6_buckets=256)


def sharing(name, *backends, affinity="source", **more):
    """`name` with these backends, each a name or (name, changes), of the service's own family."""
    version = int(name[-1])
    made = [backend(b, version, PORTS[name[:-1]], **changes)
            for b, changes in ((b, {}) if isinstance(b, str) else b for b in backends)]
    return service(name, affinity=affinity, ipv6_prefix=128, backends=made, **more)


class Ledger:
    """Flows of two backends of equal weight that one owner comes first for, by the paper's rule."""

    def __init__(self, permille):
        self.permille = permille
        self.load = {"first": 0, "second": 0}
        self.spilled = 0

    def admits(self, one):
        share = (1000 + self.permille) * (sum(self.load.values()) + 1)
        return self.load[one] < FLOOR or self.load[one] * 2000 < share

    def take(self):
        """Whose the next flow is."""
        chosen = "first"
        if self.permille != 0 and not self.admits("first"):
            chosen = "second"
            self.spilled += 1
        self.load[chosen] += 1
        return chosen


def talk(name, b, n, client=FAR, local_port=None):
    kind = Tunnel if name.startswith("ipip") else Talk
    return kind(name, client=client, client_port=40000 + n, backend=b,
                local_port=local_port or 1024 + n)


def new_flow(name, n, label=None, backends=("b1", "b2"), flags="S", opens=True, **more):
    """The n-th new flow, which may go to any of these backends."""
    return choice(*[talk(name, b, n, **more).ask(flags) for b in backends], label=label,
                  opens=opens)


def at_near(name, n):
    """A flow's SYN to a backend b4 that lives at NEAR."""
    one = talk(name, "b2", n)
    one.backend_mac, one.name = NEAR.mac, f"{name}/b4"
    return one.ask("S")


def in_bursts(frames, at=0, worker=0, size=5):
    return [burst(at, *frames[i:i + size], worker=worker) for i in range(0, len(frames), size)]


for name in ("direct4", "direct6", "web4", "web6", "dns4", "directdns6", "ipip4"):
    for permille, count in ((250, 48), (1, 40), (1000, 40), (100, 64)):
        ledger = Ledger(permille)
        FLOWS = [new_flow(name, n, ledger.take()) for n in range(count)]
        row(f"no backend of {name} gets more than its share and {permille} thousandths of it",
            *in_bursts(FLOWS),
            counters=[spilled(ledger.spilled)],
            setup=setup([sharing(name, "b1", "b2", bounded_load_permille=permille)]))

for name in ("direct4", "web6"):
    row(f"without a bound all flows of a client go to one backend ({name})",
        *in_bursts([new_flow(name, n, "first") for n in range(60)]),
        setup=setup([sharing(name, "b1", "b2", bounded_load_permille=0)]))
    row(f"sixteen flows are no load that matters: the seventeenth goes elsewhere ({name})",
        *in_bursts([new_flow(name, n, "first") for n in range(16)]),
        burst(1, new_flow(name, 16, "second")), counters=[spilled(1)],
        setup=setup([sharing(name, "b1", "b2", bounded_load_permille=1)]))
    row(f"packets of known flows are no load: only flows count ({name})",
        *in_bursts([new_flow(name, n, "first") for n in range(15)]),
        *in_bursts([new_flow(name, n, "first", flags="A", opens=False) for n in range(15)] * 4),
        burst(1, new_flow(name, 15, "first")),
        burst(2, new_flow(name, 16, "second")), counters=[spilled(1)],
        setup=setup([sharing(name, "b1", "b2")]))

for v in (4, 6):
    name = f"direct{v}"
    PORTED = setup([sharing(name, "b1")])
    OLD = [Talk(name, client_port=30000 + n).ask("S") for n in range(40)]
    ledger = Ledger(250)
    NEW = [ledger.take() for _ in range(40)]
    row(f"the flows of a draining backend count for nobody's share (IPv{v})",
        *in_bursts(OLD),
        snapshot(service(name, affinity="source", ipv6_prefix=128, backends=[
            backend("b1", v, 80, admission="draining"), backend("b2", v, 80),
            {**backend("b2", v, 80), "name": "b4", "address": NEAR.address(v)}])),
        *in_bursts([choice(talk(name, "b2", n).ask("S"), at_near(name, n), label=label, opens=True)
                    for n, label in enumerate(NEW)], 1),
        counters=[flows(f"{name}/b1", live=40, new=40), spilled(ledger.spilled)], setup=PORTED)
    row(f"a single backend gets all, however many (IPv{v})",
        *in_bursts(OLD), counters=[flows(f"{name}/b1", live=40, new=40)],
        setup=setup([sharing(name, "b1", bounded_load_permille=1)]))
    ledger = Ledger(250)
    SHARED = [(w, new_flow(name, n, ledger.take())) for n, w in enumerate([1] * 20 + [0] * 20 +
                                                                          [1] * 8)]
    SPILLS = [sum(one["label"] == "second" for w, one in SHARED if w == n) for n in (0, 1)]
    row(f"the flows of all workers are the load of a backend (IPv{v})",
        *[burst(0, one, worker=w) for w, one in SHARED],
        counters=[spilled(SPILLS[0]), spilled(SPILLS[1], worker=1)],
        setup=setup([sharing(name, "b1", "b2")], workers=2))

    # --- many flows, by the hash -----------------------------------------------------------------
    def spread(count, backends, name=name, **more):
        return in_bursts([new_flow(name, n, backends=backends, **more) for n in range(count)],
                         size=32)

    row(f"two hundred flows of many ports are spread over both backends (IPv{v})",
        *spread(200, ("b1", "b2")),
        ranges=[between(60, 140, "backends", f"{name}/{b}", "flows") for b in ("b1", "b2")],
        setup=setup([sharing(name, "b1", "b2", affinity="flow", bounded_load_permille=0)]))
    row(f"two hundred flows keep a bound of a hundredth (IPv{v})",
        *spread(200, ("b1", "b2")),
        ranges=[between(99, 101, "backends", f"{name}/{b}", "flows") for b in ("b1", "b2")] +
        [between(1, 100, "spilled")],
        setup=setup([sharing(name, "b1", "b2", affinity="flow", bounded_load_permille=10)]))
    row(f"shares and their bounds follow the weights (IPv{v})",
        *spread(200, ("b1", "b2")),
        ranges=[between(0, 51, "backends", f"{name}/b1", "flows"),
                between(149, 152, "backends", f"{name}/b2", "flows"), between(1, 100, "spilled")],
        setup=setup([sharing(name, ("b1", {"weight": 100}), ("b2", {"weight": 300}),
                             affinity="flow", bounded_load_permille=10)]))
    row(f"a backend of small weight gets few, with no bound, too (IPv{v})",
        *spread(200, ("b1", "b2")),
        ranges=[between(0, 20, "backends", f"{name}/b1", "flows")],
        setup=setup([sharing(name, ("b1", {"weight": 1}), ("b2", {"weight": 99}),
                             affinity="flow", bounded_load_permille=0)]))
    # A packet in the middle goes by the table, whatever the load.
    row(f"a segment met in the middle goes to its slot's owner, be that above its bound (IPv{v})",
        *in_bursts([new_flow(name, n, "first") for n in range(16)]),
        burst(1, new_flow(name, 16, "second")),
        burst(2, new_flow(name, 50, "first", flags="A")),
        burst(3, new_flow(name, 51, "second")),
        counters=[spilled(2)], setup=setup([sharing(name, "b1", "b2")]))
