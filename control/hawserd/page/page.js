// Draws the picture, and keeps asking hawserd for the next one while somebody looks.

const PERIOD = 2000; // milliseconds from answer to question
const PATIENCE = 10000; // for an answer
const LONGEST = 30000; // between two questions, when none is answered
const LOAD = 4; // of the time at most one part in so many is spent on questions
const EVENTS = 50; // shown at first
const PROBLEMS = 20;

const picture = new Picture();
const parts = new ServiceParts(picture);
let offset = 0; // hawserd's clock minus this one's, milliseconds
let lastAnswer = 0; // this clock
let failures = 0;
let timer = 0;
let asking = false;
let eventsShown = EVENTS;
let draws = 0;

const serverNow = () => Date.now() + offset;
const servicesTable = new Table(byId("services"), "Services", serviceColumns());
const drainsTable = new Table(byId("drains"), "Backends that drain", drainColumns(serverNow));
const driftTable = new Table(byId("drift"), "What operators changed", driftColumns(picture));
const eventsTable = new Table(byId("events"), "Events, newest first", eventColumns());

function drawIcon(kind) {
  const colours = { good: "#1d7a3c", warning: "#b57b00", bad: "#b3141d" };
  // What differs besides the colour: a ring is well, a triangle warns, a cross is bad.
  const shapes = { good: "<circle cx='8' cy='8' r='6'/>", warning: "<path d='M8 1l7 14H1z'/>",
    bad: "<path d='M3 1l5 5 5-5 2 2-5 5 5 5-2 2-5-5-5 5-2-2 5-5-5-5z'/>" };
  const colour = colours[kind] || "#6b7680";
  const text = "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'>"
    + `<g fill='${colour}'>${shapes[kind] || "<path d='M2 6h12v4H2z'/>"}</g></svg>`;
  const link = `data:image/svg+xml,${encodeURIComponent(text)}`;
  if (byId("icon").getAttribute("href") !== link) byId("icon").setAttribute("href", link);
}

function say(kind, words, title) {
  const signs = { good: "✔", warning: "▲", bad: "✖", stale: "⌛" };
  const text = `${signs[kind] || ""} ${words}`;
  byId("verdict").className = kind;
  put(byId("verdict"), text);
  document.title = `${title} – Hawser`;
  drawIcon(kind);
}

function drawProblems(problems) {
  byId("problems-section").hidden = problems.length === 0;
  const list = byId("problems");
  problems.slice(0, PROBLEMS).forEach((problem, i) => {
    const line = list.children[i]
      || list.appendChild(make("li", {}, mark("", ""), " ", make("span")));
    line.firstChild.className = `mark ${KINDS[problem.severity] || ""}`;
    put(line.firstChild, problem.severity);
    put(line.lastChild, problem.message);
  });
  while (list.children.length > Math.min(problems.length, PROBLEMS)) list.lastChild.remove();
  byId("problems-more").hidden = problems.length <= PROBLEMS;
  put(byId("problems-more"), `and ${problems.length - PROBLEMS} more; hawserctl status has all`);
}

function facts() {
  const { status, services } = picture;
  const total = (name) => sum(services, (service) => service.rates[name]);
  const sessions = (name) => sum(services, (one) => (one.sessions ? one.sessions[name] : null));
  const dataplane = status.dataplane || {};
  const applied = status.applied_epoch || 0;
  const desired = status.desired_epoch || 0;
  const epochs = `${applied} applied${applied === desired ? "" : `, ${desired} desired`}`;
  const busiest = Math.max(0, ...(dataplane.workers || []).map((one) => one.busy_permille || 0));
  const rows = [
    ["Dataplane", status.dataplane_connected ? "connected" : "not connected"],
    ["Epoch", epochs],
    ["Backends serving", `${status.backends_serving || 0} of ${status.backends || 0}`],
    ["Live flows", count(status.flows || 0)],
    ["New flows/s", rate(total("new_flows"))],
    ["In", bits(total("bytes_in"))],
    ["Out", bits(total("bytes_out"))],
    ["Busiest worker", percent(busiest / 1000)],
    ["hawserd", `${status.version}, up ${duration(status.uptime_seconds || 0)}`],
    ["hawser-dataplane", dataplane.version
      ? `${dataplane.version}, up ${duration(dataplane.uptime_seconds || 0)}` : "no answer"],
  ];
  if (services.some((service) => service.sessions)) {
    rows.push(["Requests/s", rate(sessions("requests"))],
      ["Sessions new/s", rate(sessions("sessions_new"))],
      ["Sessions kept/s", rate(sessions("sessions_kept"))],
      ["Sessions moved/s", rate(sessions("sessions_moved"))]);
  }
  return rows;
}

function drawFacts() {
  const list = byId("facts");
  const rows = facts();
  rows.forEach(([name, value], i) => {
    const box = list.children[i] || list.appendChild(make("div", {}, make("dt"), make("dd")));
    put(box.firstChild, name);
    put(box.lastChild, value);
  });
  while (list.children.length > rows.length) list.lastChild.remove();
}

function drawEvents() {
  const { events } = picture.history;
  const rows = events.slice(-eventsShown).reverse();
  eventsTable.update(rows.map((row) => ({ ...row, key: row.sequence })));
  byId("events-more").hidden = events.length <= eventsShown;
}

function drawDrains() {
  const drains = picture.backends.filter((row) => row.state === "draining");
  byId("drains-section").hidden = drains.length === 0;
  drainsTable.update(drains);
}

function draw() {
  const begun = performance.now();
  const { status } = picture;
  const verdict = picture.verdict();
  document.body.classList.remove("stale");
  say(verdict.class, verdict.words, verdict.class === "good" ? "All is well" : verdict.words);
  drawProblems(status.problems || []);
  drawFacts();
  drawDrains();
  const drift = (status.drift || []).map((row) => ({
    ...row, key: `${row.service}/${row.backend} ${row.field}` }));
  byId("drift-section").hidden = drift.length === 0;
  driftTable.update(drift);
  servicesTable.update(picture.services.map((service) => ({ ...service, key: service.name })));
  parts.draw();
  drawEvents();
  put(byId("about"), `hawserd ${status.version}, ${status.configuration_file}`);
  drawFreshness();
  // For those who measure: how often it was drawn, and how long the last time took.
  draws += 1;
  document.body.dataset.draws = draws;
  document.body.dataset.drawMilliseconds = (performance.now() - begun).toFixed(1);
}

function drawFreshness() {
  const text = failures === 0
    ? `Live: from ${clock(picture.now)}`
    : `What is shown is ${duration((Date.now() - lastAnswer) / 1000)} old; asked again ever more `
      + "seldom, and at once when you come back to this page";
  put(byId("freshness"), lastAnswer ? text : "");
}

function drawStale() {
  document.body.classList.add("stale");
  if (lastAnswer) {
    say("stale", `Stale since ${clock(lastAnswer)}: hawserd does not answer`, "Stale");
  } else {
    say("stale", "hawserd does not answer", "No answer");
  }
  drawFreshness();
}

async function ask() {
  const path = `api/v1/overview?defaults=no&after=${picture.history.newest}`;
  const reply = await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
  if (!reply.ok) throw new Error(await reply.text());
  return reply.json();
}

async function turn() {
  clearTimeout(timer);
  if (asking || document.hidden) return;
  asking = true;
  const begun = performance.now();
  const told = await ask().catch(() => null);
  asking = false;
  if (told === null) {
    failures += 1;
    timer = setTimeout(turn, Math.min(LONGEST, PERIOD * 2 ** (failures - 1)));
    drawStale();
    return;
  }
  if (!picture.take(told)) {
    timer = setTimeout(turn, 0);
    return;
  }
  lastAnswer = Date.now();
  offset = told.now_unix_ms - lastAnswer;
  failures = 0;
  // First of all, so that a fault in the drawing does not end it.
  timer = setTimeout(turn, PERIOD);
  draw();
  clearTimeout(timer);
  timer = setTimeout(turn, Math.max(PERIOD, (LOAD - 1) * (performance.now() - begun)));
}

// Nobody looks: nothing is asked.
document.addEventListener("visibilitychange", turn);
window.addEventListener("online", turn);
byId("events-more").addEventListener("click", () => {
  eventsShown += 200;
  drawEvents();
});
// Countdowns and ages go on between two answers.
setInterval(() => {
  if (document.hidden || !lastAnswer) return;
  drawDrains();
  drawFreshness();
}, 1000);
turn();
