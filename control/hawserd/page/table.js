// Elements, and tables that are kept up to date row by row instead of being made anew.

const SVG = "http://www.w3.org/2000/svg";

function byId(id) {
  return document.getElementById(id);
}

// Text is only ever set as text: what backends and operators write cannot become markup.
function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
  return element;
}

function make(tag, options = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(options)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function shape(tag, options = {}) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(options)) element.setAttribute(name, value);
  return element;
}

// A word in a frame; `kind` is its colour.
function mark(kind, words) {
  return make("span", { class: `mark ${kind}` }, words);
}

// Makes the children of `parent` those of `wanted`, in that order, touching only what differs.
function arrange(parent, wanted) {
  let at = parent.firstChild;
  for (const element of wanted) {
    if (element === at) {
      at = at.nextSibling;
    } else {
      parent.insertBefore(element, at);
    }
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

// A column: {title, text(row)} or {title, look(row), draw(cell, row)}, where `look` is a string
// that changes when the drawing must. `value(row)` makes it sortable, `when(rows)` hides it while
// nothing is known; `style` is a class of its cells.
class Table {
  constructor(place, caption, columns, { limit = Infinity, order = null } = {}) {
    this.columns = columns;
    this.limit = limit;
    this.order = order; // before a column is chosen
    this.chosen = null;
    this.falling = false;
    this.rows = new Map();
    this.shown = "";
    this.head = make("tr");
    this.body = make("tbody");
    place.append(make("table", {}, make("caption", {}, caption), make("thead", {}, this.head),
      this.body));
  }

  visible(rows) {
    return this.columns.filter((column) => !column.when || column.when(rows));
  }

  drawHead(columns) {
    this.head.replaceChildren(...columns.map((column) => {
      const cell = make("th", { scope: "col", class: column.style || "" });
      if (!column.value) {
        cell.append(column.title);
        return cell;
      }
      const chosen = column === this.chosen;
      const sorted = this.falling ? "descending" : "ascending";
      cell.setAttribute("aria-sort", chosen ? sorted : "none");
      const sign = chosen ? (this.falling ? " ▼" : " ▲") : "";
      const button = make("button", { type: "button" }, column.title,
        make("span", { "aria-hidden": "true" }, sign));
      button.addEventListener("click", () => this.choose(column));
      cell.append(button);
      return cell;
    }));
  }

  // Largest numbers first, then smallest, then the order of before.
  choose(column) {
    const first = column.style === "number" || /\bnumber\b/.test(column.style || "");
    if (this.chosen !== column) {
      this.chosen = column;
      this.falling = first;
    } else if (this.falling === first) {
      this.falling = !first;
    } else {
      this.chosen = null;
    }
    this.drawHead(this.visible(this.latest));
    this.update(this.latest);
    const index = this.visible(this.latest).indexOf(column);
    this.head.children[index].querySelector("button").focus();
  }

  sorted(rows) {
    const value = this.chosen ? this.chosen.value : this.order;
    if (!value) return rows;
    const sign = this.chosen && this.falling ? -1 : 1;
    return rows.slice().sort((a, b) => sign * compare(value(a), value(b)));
  }

  update(rows) {
    this.latest = rows;
    const columns = this.visible(rows);
    const shown = columns.map((column) => column.title).join("|");
    if (shown !== this.shown) {
      this.shown = shown;
      this.rows.clear();
      this.drawHead(columns);
    }
    const known = this.rows;
    this.rows = new Map();
    arrange(this.body, this.sorted(rows).slice(0, this.limit).map((row) => {
      const entry = known.get(row.key) || this.makeRow(columns);
      this.rows.set(row.key, entry);
      columns.forEach((column, i) => this.fill(entry, column, i, row));
      return entry.line;
    }));
  }

  makeRow(columns) {
    const cells = columns.map((column, i) => make(i ? "td" : "th", {
      class: column.style || "", ...(i ? {} : { scope: "row" }) }));
    return { line: make("tr", {}, ...cells), cells, looks: [] };
  }

  fill(entry, column, i, row) {
    const look = column.draw ? column.look(row) : column.text(row);
    if (entry.looks[i] === look) return;
    entry.looks[i] = look;
    if (!column.draw) {
      entry.cells[i].textContent = look;
      return;
    }
    entry.cells[i].replaceChildren();
    column.draw(entry.cells[i], row);
  }
}
