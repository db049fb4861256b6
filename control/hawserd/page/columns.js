// The columns of every table of the page: what stands in a cell, and how it is drawn.

const SIGNS = { ready: "●", ok: "●", starting: "◔", draining: "◐", degraded: "◐", maintenance: "■",
  down: "✖", panic: "✖" };
const KINDS = { ready: "good", ok: "good", starting: "warning", draining: "warning",
  degraded: "warning", down: "bad", panic: "bad", critical: "bad", warning: "warning" };
// Of a strip of health, in a hundredth of its height.
const HEIGHTS = { ready: 35, starting: 65, draining: 65, maintenance: 65, down: 100 };
const STRIP = 400; // as wide as a strip is drawn exactly

function stateMark(state) {
  const sign = make("span", { "aria-hidden": "true" }, `${SIGNS[state] || "○"} `);
  const element = mark(KINDS[state] || "", "");
  element.append(sign, state);
  return element;
}

function ago(now, unix) {
  return unix ? `${duration(now / 1000 - unix)} ago` : "–";
}

function known(name) {
  return (rows) => rows.some((row) => row[name] !== undefined && row[name] !== "");
}

function number(title, value, text, more = {}) {
  return { title, style: "number", value, text, ...more };
}

// Rates sort below everything while they are not known.
function rateOf(title, pick, more = {}, words = rate) {
  return number(title, (row) => pick(row) ?? -1, (row) => words(pick(row) ?? null), more);
}

function drawShare(cell, row) {
  // The bar ends at twice the fair share, or where the largest of the service is.
  const full = Math.max(2 * row.share, row.actual, 0.0001);
  const picture = shape("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none",
    "aria-hidden": "true" });
  const over = row.hot ? " over" : "";
  picture.append(shape("rect", { class: "track", width: 100, height: 10 }),
    shape("rect", { class: `fill${over}`, width: (100 * row.actual) / full, height: 10 }));
  if (row.share > 0) {
    const x = Math.min(98, (100 * row.share) / full - 1);
    picture.append(shape("rect", { class: "fair", x, width: 2, height: 10 }));
  }
  const words = make("span", {}, `${percent(row.actual)} of flows, fair ${percent(row.share)}`);
  cell.append(words);
  if (row.hot) cell.append(" ", mark("hot", "hot"));
  cell.append(picture);
}

// Whole steps of the strip, so that it is drawn again only when something would be seen of it.
function stripOf(picture, row, window) {
  const parts = picture.history.strip(row.key, row.state, picture.now, window * 1000);
  const step = (window * 1000) / STRIP;
  const begin = picture.now - window * 1000;
  const look = parts.map((part) => `${Math.round((part.to - begin) / step)}${part.state}`).join();
  return { parts, look, begin };
}

function drawStrip(cell, { parts, begin }, window) {
  const words = stripWords(parts);
  const picture = shape("svg", { viewBox: `0 0 ${STRIP} 100`, preserveAspectRatio: "none",
    role: "img", "aria-label": words });
  const name = shape("title");
  name.textContent = words;
  picture.append(name, shape("rect", { class: "track", width: STRIP, height: 100 }));
  for (const part of parts) {
    if (!part.state) continue;
    const height = HEIGHTS[part.state] || 100;
    const x = ((part.from - begin) * STRIP) / (window * 1000);
    const width = Math.max(1, ((part.to - part.from) * STRIP) / (window * 1000));
    picture.append(shape("rect", { class: part.state, x, y: 100 - height, width, height }));
  }
  cell.append(picture);
}

function causeOf(row) {
  const who = row.author ? ` by ${row.author}` : "";
  const why = row.reason ? `: ${row.reason}` : "";
  return `${row.cause}${row.cause === "operator" ? who + why : ""}`;
}

function failuresOf(row) {
  const names = ["server_errors", "refused", "timed_out", "reset", "aborted"];
  return sum(names, (name) => row.rates[name]);
}

function latencyOf(latency) {
  if (!latency) return "–";
  const of = (name) => microseconds(latency[name] || 0);
  return `${of("p50_microseconds")} / ${of("p99_microseconds")}`;
}

function backendColumns(picture, window) {
  const p99 = (row) => (row.response ? row.response.p99_microseconds || 0 : -1);
  return [
    { title: "Backend", value: (row) => row.name, text: (row) => row.name },
    { title: "Address", style: "spare", value: (row) => row.address, text: (row) => row.address },
    { title: "Generation", when: known("generation"), value: (row) => row.generation || "",
      text: (row) => row.generation || "–" },
    { title: "State", value: (row) => row.rank, look: (row) => row.state,
      draw: (cell, row) => cell.append(stateMark(row.state)) },
    { title: "Cause", style: "long", text: causeOf },
    { title: "Since", value: (row) => row.since_unix || 0,
      text: (row) => ago(picture.now, row.since_unix) },
    { title: "Ends", when: known("until_unix"), value: (row) => row.until_unix || 0,
      text: (row) => (row.until_unix
        ? `in ${duration(row.until_unix - picture.now / 1000)}` : "–") },
    { title: "Health", style: "strip", look: (row) => stripOf(picture, row, window()).look,
      draw: (cell, row) => drawStrip(cell, stripOf(picture, row, window()), window()) },
    { title: "Share", style: "share long", value: (row) => (row.share ? row.actual / row.share : 0),
      look: (row) => `${percent(row.actual)} ${percent(row.share)} ${row.hot}`, draw: drawShare },
    number("Weight", (row) => row.weight || 0, (row) => (row.weight === row.weight_file
      ? String(row.weight || 0) : `${row.weight || 0} (file ${row.weight_file || 0})`)),
    number("Flows", (row) => row.flows, (row) => count(row.flows)),
    rateOf("New/s", (row) => row.rates.new_flows),
    rateOf("Requests/s", (row) => row.rates.requests, { when: known("requests") }),
    rateOf("Failures/s", failuresOf,
      { when: (rows) => rows.some((row) => row.has_signals || row.server_errors) }),
    number("Response p50 / p99", p99, (row) => latencyOf(row.response),
      { when: known("response") }),
    number("Handshake p50 / p99", (row) => (row.handshake || {}).p99_microseconds || -1,
      (row) => latencyOf(row.handshake), { when: known("handshake"), style: "number spare" }),
    number("Sessions", (row) => row.live_sessions ?? -1,
      (row) => (row.live_sessions === undefined ? "–" : count(row.live_sessions)),
      { when: known("live_sessions") }),
    rateOf("In", (row) => row.rates.bytes_in, { style: "number spare" }, bits),
    rateOf("Out", (row) => row.rates.bytes_out, { style: "number spare" }, bits),
  ];
}

function serviceColumns() {
  const spliced = (rows) => rows.some((row) => row.sessions);
  const ofSessions = (title, name, style = "number") => rateOf(title,
    (row) => (row.sessions ? row.sessions[name] : null), { when: spliced, style });
  return [
    { title: "Service", value: (row) => row.name, text: (row) => row.name },
    { title: "Address", style: "spare", value: (row) => row.address,
      text: (row) => `${row.address} ${row.protocol}` },
    { title: "Forward", style: "spare", value: (row) => row.forward, text: (row) => row.forward },
    { title: "State", value: (row) => ["panic", "down", "degraded", "ok"].indexOf(row.state),
      look: (row) => row.state, draw: (cell, row) => cell.append(stateMark(row.state)) },
    number("Serving", (row) => (row.backends_serving || 0) / (row.backends || 1),
      (row) => `${row.backends_serving || 0}/${row.backends || 0}`),
    number("Flows", (row) => row.flows || 0, (row) => count(row.flows || 0)),
    rateOf("New/s", (row) => row.rates.new_flows),
    rateOf("Packets in/s", (row) => row.rates.packets_in, { style: "number spare" }),
    rateOf("Packets out/s", (row) => row.rates.packets_out, { style: "number spare" }),
    rateOf("In", (row) => row.rates.bytes_in, {}, bits),
    rateOf("Out", (row) => row.rates.bytes_out, {}, bits),
    ofSessions("Requests/s", "requests"),
    ofSessions("Sessions new/s", "sessions_new"),
    ofSessions("Sessions kept/s", "sessions_kept"),
    ofSessions("Sessions moved/s", "sessions_moved"),
  ];
}

// Until when, and what then. Ticks by itself between two answers.
function deadlineWords(row, now) {
  if (!row.until_unix) return "none: flows and sessions stay until they end";
  const left = row.until_unix - now / 1000;
  if (left > 0) return `in ${duration(left)}`;
  if (row.keeps_flows) return "passed; flows are kept";
  return `passed; ${percent(row.flows_released || 0)} of what was left is ended`;
}

function drawReleased(cell, row) {
  const value = row.sessions_released || 0;
  cell.append(`${percent(value)} `, make("progress", { max: 1, value,
    "aria-label": `sessions of ${row.key} let go` }));
}

// Whoever has a session may come back as long as it is not let go.
function isDrained(row) {
  return !row.flows && (!row.live_sessions || row.sessions_released === 1);
}

function drainColumns(now) {
  return [
    { title: "Backend", text: (row) => row.key },
    { title: "Sessions let go", look: (row) => (row.until_unix ? percent(row.sessions_released || 0)
      : ""), draw: (cell, row) => (row.until_unix ? drawReleased(cell, row) : cell.append("–")) },
    { title: "Flows left", style: "number",
      text: (row) => (isDrained(row) ? "0, safe to stop" : count(row.flows)) },
    { title: "Sessions left", style: "number", when: known("live_sessions"),
      text: (row) => (row.live_sessions === undefined ? "–" : count(row.live_sessions)) },
    { title: "Deadline", style: "long", text: (row) => deadlineWords(row, now()) },
    { title: "Since", text: (row) => ago(now(), row.since_unix) },
    { title: "By", text: (row) => row.author || row.cause },
    { title: "Why", style: "long", text: (row) => row.reason || "–" },
  ];
}

function driftColumns(picture) {
  return [
    { title: "Backend", text: (row) => `${row.service}/${row.backend}` },
    { title: "What", text: (row) => row.field },
    { title: "File", text: (row) => row.file || "–" },
    { title: "Now", text: (row) => row.runtime || "–" },
    { title: "By", text: (row) => row.author || "–" },
    { title: "Since", text: (row) => ago(picture.now, row.since_unix) },
    { title: "Why", style: "long", text: (row) => row.reason || "–" },
  ];
}

function eventColumns() {
  const why = (row) => (row.reason ? ` (${row.reason})` : "");
  const by = (row) => (row.author ? `; by ${row.author}${why(row)}` : "");
  return [
    { title: "When", look: (row) => clock(row.at_unix_ms), draw: (cell, row) => cell.append(
      make("time", { datetime: new Date(row.at_unix_ms).toISOString() }, clock(row.at_unix_ms))) },
    { title: "Severity", look: (row) => row.severity,
      draw: (cell, row) => cell.append(mark(KINDS[row.severity] || "", row.severity)) },
    { title: "What", style: "long", text: (row) => `${row.text}${by(row)}` },
  ];
}
