// What each backend went through, read from the events that hawserd remembers.

const MAX_EVENTS = 10000; // as many as hawserd remembers
const MAX_CHANGES = 200; // of one backend

class History {
  constructor() {
    this.forget();
  }

  // Another hawserd: its numbers begin anew.
  forget() {
    this.newest = 0;
    this.events = []; // oldest first
    this.changes = new Map(); // by service and backend: {at, before, after}, oldest first
    this.knownSince = 0; // milliseconds
  }

  add(events, startedUnix) {
    for (const event of events) {
      if (event.sequence <= this.newest) continue;
      this.newest = event.sequence;
      this.events.push(event);
      this.note(event);
    }
    if (this.events.length > MAX_EVENTS) this.events.splice(0, this.events.length - MAX_EVENTS);
    const oldest = this.events[0];
    const all = !oldest || oldest.sequence === 1;
    this.knownSince = all ? startedUnix * 1000 : oldest.at_unix_ms;
  }

  note(event) {
    const head = `backend ${event.service}/${event.backend} is `;
    if (event.kind !== "state" || !event.text.startsWith(head)) return;
    const words = /^(\w+), was (\w+)/.exec(event.text.slice(head.length));
    if (!words) return;
    const key = `${event.service}/${event.backend}`;
    const list = this.changes.get(key) || [];
    list.push({ at: event.at_unix_ms, after: words[1], before: words[2] });
    if (list.length > MAX_CHANGES) list.shift();
    this.changes.set(key, list);
  }

  // Only those that are still there are worth remembering.
  keep(keys) {
    for (const key of this.changes.keys()) if (!keys.has(key)) this.changes.delete(key);
  }

  // {from, to, state} in milliseconds, oldest first; state "" where it is not known.
  strip(key, state, now, milliseconds) {
    const begin = now - milliseconds;
    const list = this.changes.get(key) || [];
    const known = list.length === MAX_CHANGES ? list[0].at : this.knownSince;
    const parts = [];
    let from = begin;
    const add = (to, what) => {
      if (to > from) parts.push({ from, to, state: what });
      from = Math.max(from, to);
    };
    add(Math.min(known, now), "");
    for (const change of list) add(change.at, change.before);
    add(now, list.length ? list[list.length - 1].after : state);
    return parts;
  }
}

// The strip in words, for those who do not see it.
function stripWords(parts) {
  const times = new Map();
  for (const part of parts) {
    const so = times.get(part.state) || { often: 0, long: 0 };
    so.often += 1;
    so.long += part.to - part.from;
    times.set(part.state, so);
  }
  const words = [];
  for (const [state, so] of times) {
    const often = so.often > 1 ? `, ${so.often} times` : "";
    words.push(`${state || "not known"} ${duration(so.long / 1000)}${often}`);
  }
  const last = parts.slice(-6).filter((part) => part.state && part.from !== parts[0].from);
  const moments = last.map((part) => `${part.state} at ${clock(part.from)}`);
  return words.join("; ") + (moments.length ? `. ${moments.join(", ")}` : "");
}
