// The picture: the newest answer of hawserd, with what only two answers together say.

const HOT = 1.25; // times the fair share
const RANK = { down: 0, starting: 1, draining: 2, maintenance: 3, ready: 5 };
// Of a backend and of a service's sessions; what counts up.
const COUNTED = ["new_flows", "packets_in", "packets_out", "bytes_in", "bytes_out", "requests",
  "server_errors", "refused", "timed_out", "reset", "aborted"];
const SESSIONS = ["requests", "sessions_new", "sessions_kept", "sessions_moved"];

// Per-second rates of counters, from one answer to the next.
class Rates {
  constructor(names) {
    this.names = names;
    this.before = new Map();
    this.now = new Map();
    this.at = 0;
  }

  begin(at) {
    this.seconds = this.at ? (at - this.at) / 1000 : 0;
    this.at = at;
    this.before = this.now;
    this.now = new Map();
  }

  // null where a counter is new or began anew.
  of(key, row) {
    const values = this.names.map((name) => row[name] || 0);
    this.now.set(key, values);
    const before = this.before.get(key);
    const rates = {};
    this.names.forEach((name, i) => {
      const good = before && this.seconds > 0 && values[i] >= before[i];
      rates[name] = good ? (values[i] - before[i]) / this.seconds : null;
    });
    return rates;
  }
}

function sum(rows, pick) {
  let total = null;
  for (const row of rows) {
    const value = pick(row);
    if (value !== null) total = (total || 0) + value;
  }
  return total;
}

class Picture {
  constructor() {
    this.history = new History();
    this.ofBackends = new Rates(COUNTED);
    this.ofSessions = new Rates(SESSIONS);
    this.started = 0;
    this.now = 0; // milliseconds, hawserd's clock
    this.status = null;
    this.services = [];
    this.backends = [];
  }

  // False: it is from another hawserd than the one before, so ask for all events.
  take(reply) {
    if (this.started !== reply.started_unix) {
      const asked = this.history.newest;
      this.started = reply.started_unix;
      this.history.forget();
      if (asked) return false;
    }
    this.now = reply.now_unix_ms;
    this.status = reply.status;
    this.history.add(reply.events, this.started);
    this.takeServices(reply);
    this.takeBackends(reply.backends);
    this.history.keep(new Set(this.backends.map((row) => row.key)));
    return true;
  }

  takeServices(reply) {
    const sessions = new Map(reply.sessions.map((row) => [row.service, row]));
    this.ofSessions.begin(this.now);
    this.services = reply.services.map((row) => {
      const own = sessions.get(row.name);
      return { ...row, sessions: own ? this.ofSessions.of(row.name, own) : null, rows: [] };
    });
  }

  takeBackends(rows) {
    const byName = new Map(this.services.map((service) => [service.name, service]));
    this.ofBackends.begin(this.now);
    this.backends = rows.map((row) => {
      const key = `${row.service}/${row.name}`;
      const service = byName.get(row.service) || { rows: [], flows: 0 };
      const seen = { ...row, key, order: service.rows.length, flows: row.flows || 0,
        share: row.share || 0, rates: this.ofBackends.of(key, row) };
      const fair = seen.share * (service.flows || 0);
      seen.actual = service.flows ? seen.flows / service.flows : 0;
      // Three standard deviations: with a handful of flows every backend would look hot.
      seen.hot = fair > 0 && seen.flows > HOT * fair && seen.flows - fair > 3 * Math.sqrt(fair);
      seen.rank = seen.hot && row.state === "ready" ? 4 : RANK[row.state];
      service.rows.push(seen);
      return seen;
    });
    for (const service of this.services) {
      service.rates = {};
      for (const name of COUNTED) {
        service.rates[name] = sum(service.rows, (row) => row.rates[name]);
      }
    }
  }

  // {class, words}: the whole of it in a line that changes only when something does.
  verdict() {
    const problems = this.status.problems || [];
    const critical = problems.filter((problem) => problem.severity === "critical").length;
    const cut = !this.status.dataplane_connected;
    if (!problems.length && !cut) {
      const serving = `${this.status.backends_serving || 0} of ${this.status.backends || 0}`;
      const services = plural(this.status.services || 0, "service");
      return { class: "good", words: `All is well: ${services}, ${serving} backends serve` };
    }
    const words = plural(Math.max(problems.length, 1), "problem");
    if (!critical && !cut) return { class: "warning", words };
    return { class: "bad", words: `${words}, ${Math.max(critical, 1)} critical` };
  }
}
