// Looks over a page for what keeps people out: returns a sentence for each thing that is wrong.
(() => {
  const wrong = [];
  const complain = (element, what) => {
    const text = element.textContent.trim().slice(0, 40);
    wrong.push(`${what}: <${element.tagName.toLowerCase()} ${element.className}> ${text}`);
  };
  const all = (selector) => [...document.querySelectorAll(selector)];
  const seen = (element) => element.checkVisibility({ visibilityProperty: true })
    && element.getClientRects().length > 0;

  // --- names -------------------------------------------------------------------------------------
  const byIds = (ids) => (ids || "").split(/\s+/).filter(Boolean).map((id) => {
    const found = document.getElementById(id);
    if (!found) wrong.push(`nothing has the id ${id}`);
    return found ? found.textContent : "";
  }).join(" ");
  const nameOf = (element) => (element.getAttribute("aria-label")
    || byIds(element.getAttribute("aria-labelledby"))
    || [...(element.labels || [])].map((label) => label.textContent).join(" ")
    || element.textContent).trim();
  for (const element of all("a[href], button, input, select, progress, [role=img], summary")) {
    if (!nameOf(element)) complain(element, "has no name");
  }
  for (const element of all("input, select")) {
    if (element.labels.length !== 1) complain(element, "has not one label");
  }
  for (const element of all("[aria-describedby], [aria-controls]")) {
    byIds(element.getAttribute("aria-describedby"));
    byIds(element.getAttribute("aria-controls"));
  }
  for (const element of all("img:not([alt]), svg")) {
    const quiet = element.getAttribute("aria-hidden") === "true";
    if (!quiet && !nameOf(element)) complain(element, "a picture without words");
  }

  // --- structure ---------------------------------------------------------------------------------
  if (!document.documentElement.lang) wrong.push("the page has no language");
  if (!document.title) wrong.push("the page has no title");
  for (const tag of ["h1", "main", "header", "footer"]) {
    if (all(tag).length !== 1) wrong.push(`${all(tag).length} times <${tag}>`);
  }
  let level = 0;
  for (const heading of all("h1, h2, h3, h4, h5, h6").filter(seen)) {
    const own = Number(heading.tagName[1]);
    if (own > level + 1) complain(heading, `a heading of level ${own} after level ${level}`);
    level = own;
  }
  const ids = all("[id]").map((element) => element.id);
  ids.filter((id, i) => ids.indexOf(id) !== i).forEach((id) => wrong.push(`the id ${id} twice`));
  for (const element of all("[tabindex]")) {
    if (element.tabIndex > 0) complain(element, "a tabindex above 0");
  }
  for (const table of all("table")) {
    if (!table.caption || !table.caption.textContent) complain(table, "a table without a caption");
    if (!table.tHead) complain(table, "a table without a head");
    for (const row of table.rows) {
      const first = row.cells[0];
      if (first && first.tagName !== "TH") complain(first, "a row without a heading");
    }
  }
  for (const cell of all("th")) {
    const wanted = cell.closest("thead") ? "col" : "row";
    if (cell.scope !== wanted) complain(cell, `a heading whose scope is not ${wanted}`);
  }
  for (const cell of all("th:has(button)")) {
    const sorted = cell.getAttribute("aria-sort");
    if (!["none", "ascending", "descending"].includes(sorted)) complain(cell, "no aria-sort");
  }
  const live = all("[aria-live], [role=status], [role=alert], [role=log], output");
  if (live.length !== 1 || live[0].id !== "verdict") wrong.push("more is live than the verdict");

  // --- sizes -------------------------------------------------------------------------------------
  for (const element of all("a[href], button, input, select").filter(seen)) {
    const box = element.getBoundingClientRect();
    const inText = element.tagName === "A" && element.closest("p");
    if (!inText && (box.width < 24 || box.height < 24)) {
      complain(element, `a target of ${Math.round(box.width)} by ${Math.round(box.height)}`);
    }
  }
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) {
    wrong.push(`the page is ${root.scrollWidth} wide in a window of ${root.clientWidth}`);
  }

  // --- contrast (WCAG 2.2, 1.4.3 and 1.4.11) -----------------------------------------------------
  const parse = (colour) => {
    const [r, g, b, a = 1] = colour.match(/[\d.]+/g).map(Number);
    return { r, g, b, a };
  };
  const over = (top, below) => ({
    r: top.r * top.a + below.r * (1 - top.a), g: top.g * top.a + below.g * (1 - top.a),
    b: top.b * top.a + below.b * (1 - top.a), a: 1 });
  const backOf = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) {
      const style = getComputedStyle(at);
      if (style.opacity !== "1") complain(at, `opacity ${style.opacity}`);
      layers.push(parse(style.backgroundColor));
      if (layers[layers.length - 1].a === 1) break;
    }
    if (layers[layers.length - 1].a !== 1) complain(element, "nothing opaque below");
    return layers.reverse().reduce((below, top) => over(top, below));
  };
  const light = ({ r, g, b }) => {
    const [x, y, z] = [r, g, b].map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const contrast = (a, b) => {
    const [high, low] = [light(a), light(b)].sort((x, y) => y - x);
    return (high + 0.05) / (low + 0.05);
  };
  let least = 100;
  let checked = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || !seen(element) || element.closest("script, style, noscript, svg")) {
      continue;
    }
    const back = backOf(element);
    const ratio = contrast(over(parse(getComputedStyle(element).color), back), back);
    least = Math.min(least, ratio);
    checked += 1;
    if (ratio < 4.5) complain(element, `a contrast of ${ratio.toFixed(2)}`);
  }
  for (const element of all("input")) {
    const back = backOf(element);
    const ratio = contrast(parse(getComputedStyle(element, "::placeholder").color), back);
    if (ratio < 4.5) complain(element, `a placeholder with a contrast of ${ratio.toFixed(2)}`);
    const edge = contrast(parse(getComputedStyle(element).borderTopColor), backOf(element.parentElement));
    if (edge < 3) complain(element, `an edge with a contrast of ${edge.toFixed(2)}`);
  }
  // What pictures say is against their track, and the track's mark against the bar.
  const fill = (name) => {
    const part = document.querySelector(`svg .${name}`);
    return part && seen(part) ? parse(getComputedStyle(part).fill) : null;
  };
  for (const name of ["ready", "starting", "draining", "down", "maintenance", "fill", "fair"]) {
    const [colour, track] = [fill(name), fill("track")];
    if (!colour || !track) continue;
    const ratio = contrast(colour, name === "fair" ? (fill("fill") || track) : track);
    if (ratio < (name === "fair" ? 1.5 : 3)) wrong.push(`svg .${name}: ${ratio.toFixed(2)}`);
  }
  return { wrong, least, checked };
})()
