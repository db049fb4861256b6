// The backends, a part for each service that opens and closes, and the filter over all of them.

const FEW = 40; // backends: so many are open from the start
const ROWS = 50; // of a service, until somebody wants all

class ServicePart {
  constructor(number, picture, window) {
    this.open = null; // null: nobody chose
    this.all = false;
    const place = make("div", { class: "scroll" });
    this.button = make("button", { type: "button", "aria-controls": `service-${number}` });
    this.sign = make("span", { "aria-hidden": "true" });
    this.name = make("b");
    this.state = make("span");
    this.rest = make("span", { class: "rest" });
    this.button.append(this.sign, this.name, this.state, this.rest);
    this.more = make("button", { type: "button" });
    this.body = make("div", { id: `service-${number}` }, place, this.more);
    this.element = make("section", { class: "service" }, make("h3", {}, this.button), this.body);
    this.button.addEventListener("click", () => {
      this.open = !this.isOpen;
      this.draw();
    });
    this.more.addEventListener("click", () => {
      this.all = !this.all;
      this.draw();
    });
    this.place = place;
    this.make = () => new Table(place, "", backendColumns(picture, window),
      { order: (row) => row.rank * 1e6 + row.order });
    this.table = null;
  }

  take(service, rows, few, filtered) {
    this.service = service;
    this.wanted = rows;
    this.few = few;
    this.filtered = filtered;
    this.draw();
  }

  draw() {
    const { service, wanted } = this;
    this.isOpen = this.filtered || (this.open ?? this.few);
    this.element.hidden = this.filtered && wanted.length === 0;
    this.button.setAttribute("aria-expanded", String(this.isOpen));
    put(this.sign, this.isOpen ? "▾ " : "▸ ");
    put(this.name, service.name);
    if (this.shownState !== service.state) {
      this.shownState = service.state;
      this.state.replaceChildren(stateMark(service.state));
    }
    const all = plural(service.backends || 0, "backend");
    put(this.rest, `${service.backends_serving || 0} of ${all} serve, `
      + `${plural(service.flows || 0, "flow")}`);
    this.body.hidden = !this.isOpen;
    if (!this.isOpen || this.element.hidden) {
      // A thousand rows nobody sees cost memory and time.
      this.place.replaceChildren();
      this.table = null;
      return;
    }
    this.table = this.table || this.make();
    put(this.place.querySelector("caption"), `Backends of ${service.name}`);
    this.table.limit = this.all ? Infinity : ROWS;
    this.table.update(wanted);
    this.more.hidden = wanted.length <= ROWS;
    put(this.more, this.all ? `Show only the first ${ROWS}` : `Show all ${wanted.length} backends`);
  }
}

class ServiceParts {
  constructor(picture) {
    this.picture = picture;
    this.parts = new Map();
    this.made = 0;
    const again = () => this.draw();
    byId("filter").addEventListener("input", again);
    byId("attention").addEventListener("change", again);
    byId("window").addEventListener("change", again);
    byId("expand").addEventListener("click", () => this.openAll(true));
    byId("collapse").addEventListener("click", () => this.openAll(false));
  }

  openAll(open) {
    for (const part of this.parts.values()) part.open = open;
    this.draw();
  }

  matches(row, words, onlyUnwell) {
    if (onlyUnwell && row.rank === RANK.ready) return false;
    if (!words.length) return true;
    const text = [row.key, row.address, row.state, row.cause, row.author, row.reason,
      row.generation, row.hot ? "hot" : ""].join(" ").toLowerCase();
    return words.every((word) => text.includes(word));
  }

  draw() {
    const { services, backends } = this.picture;
    const words = byId("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
    const onlyUnwell = byId("attention").checked;
    const filtered = words.length > 0 || onlyUnwell;
    const window = () => Number(byId("window").value);
    const before = this.parts;
    this.parts = new Map();
    let found = 0;
    arrange(byId("backends"), services.map((service) => {
      let part = before.get(service.name);
      if (!part) part = new ServicePart((this.made += 1), this.picture, window);
      this.parts.set(service.name, part);
      const rows = service.rows.filter((row) => this.matches(row, words, onlyUnwell));
      found += rows.length;
      part.take(service, rows, backends.length <= FEW, filtered);
      return part.element;
    }));
    const of = filtered ? `${found} of ` : "";
    const word = backends.length === 1 ? "backend" : "backends";
    put(byId("filter-result"), `${of}${backends.length} ${word}`);
  }
}
