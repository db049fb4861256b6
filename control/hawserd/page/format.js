// Numbers, times and names as people read them.

function scaled(value, base, units) {
  let unit = 0;
  while (value >= base && unit + 1 < units.length) {
    value /= base;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1;
  return `${value.toFixed(digits)} ${units[unit]}`.trim();
}

// 12.3 k
function count(value) {
  return value < 10000 ? String(Math.round(value)) : scaled(value, 1000, ["", "k", "M", "G", "T"]);
}

// What happens a second; null: not known yet.
function rate(value) {
  if (value === null) return "–";
  return value > 0 && value < 9.95 ? value.toFixed(1) : count(value);
}

function bits(value) {
  const units = ["bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"];
  return value === null ? "–" : scaled(value * 8, 1000, units);
}

function percent(value) {
  return `${(value * 100).toFixed(1)} %`;
}

function microseconds(value) {
  if (value < 1000) return `${value} µs`;
  return value < 1e6 ? `${(value / 1e3).toFixed(1)} ms` : `${(value / 1e6).toFixed(1)} s`;
}

// The two largest units: 2 h 5 min.
function duration(seconds) {
  const total = Math.max(0, Math.round(seconds));
  if (total < 60) return `${total} s`;
  if (total < 3600) return two(total, 60, "min", "s");
  return total < 86400 ? two(total / 60, 60, "h", "min") : two(total / 3600, 24, "d", "h");
}

function two(value, size, large, small) {
  const rest = Math.floor(value % size);
  return `${Math.floor(value / size)} ${large}${rest ? ` ${rest} ${small}` : ""}`;
}

function clock(milliseconds) {
  const at = new Date(milliseconds);
  const today = new Date().toDateString() === at.toDateString();
  const time = at.toTimeString().slice(0, 8);
  return today ? time : `${at.toISOString().slice(0, 10)} ${time}`;
}

function plural(many, word) {
  return `${count(many)} ${word}${many === 1 ? "" : "s"}`;
}

function compare(a, b) {
  return typeof a === "string" ? a.localeCompare(b, undefined, { numeric: true }) : a - b;
}
