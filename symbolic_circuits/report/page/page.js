"use strict";
// The table of terms: what is kept and in which order, the rows that are seen, and the term that is chosen.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  const grid = byId("grid"), rows = byId("rows"), viewport = byId("viewport"), detail = byId("detail");
  const count = data.name.length, hasValues = data.value !== null;
  const heads = [...grid.tHead.rows[0].cells], keys = heads.map((cell) => cell.firstElementChild.dataset.sort);
  const lowered = data.name.map((name) => name.toLowerCase());
  const largest = hasValues ? data.value.reduce((most, value) => Math.max(most, Math.abs(value)), 0) : 0;
  const scale = hasValues && data.total ? Math.abs(data.total) : largest;
  const EXTRA = 6; // rows beyond those that are seen
  let kept = [], active = 0, chosen = -1, printing = false, drawn = "";
  let sort = hasValues ? { key: "value", sign: -1 } : { key: "number", sign: 1 };

  // Elements are made of names and text, never of HTML.
  function make(tag, properties, ...children) {
    const node = document.createElement(tag);
    for (const [key, value] of Object.entries(properties || {})) {
      if (key === "class") node.className = value;
      else node.setAttribute(key, value);
    }
    node.append(...children.filter((child) => child !== null));
    return node;
  }

  const component = (k) => (k < 0 ? "\u2013" : data.components[k]);
  const headNumber = (k) => data.components[k].slice(data.components[k].indexOf("[") + 1, -1);

  function filled(k, selector) {
    const source = byId("shape-" + data.shape[k]).content.querySelector(selector);
    if (source === null) return null;
    const copy = source.cloneNode(true);
    for (const hole of copy.querySelectorAll("[data-head]")) hole.textContent = headNumber(data.heads[k][Number(hole.dataset.head)]);
    return copy;
  }

  // what is kept, and its order

  function isKept(k, wanted) {
    if (!wanted.words.every((word) => lowered[k].includes(word))) return false;
    if (wanted.order !== "" && data.order[k] !== Number(wanted.order)) return false;
    if (wanted.class !== "" && data.class[k] !== Number(wanted.class)) return false;
    if (wanted.part && !data.parts[k].some((part) => wanted.part.has(part))) return false;
    for (const side of ["left", "right"]) if (wanted[side] && !wanted[side].has(data[side][k])) return false;
    if (!hasValues) return true;
    if (wanted.sign !== "" && (wanted.sign === "+") !== data.value[k] > 0) return false;
    return !(wanted.least > 0) || 100 * Math.abs(data.value[k]) >= wanted.least * scale;
  }

  const sortValue = {
    number: (k) => data.place[k],
    order: (k) => data.order[k],
    height: (k) => data.height[k],
    value: (k) => Math.abs(data.value[k]),
  };
  const sortText = { term: (k) => data.name[k], left: (k) => component(data.left[k]), right: (k) => component(data.right[k]) };
  const collator = new Intl.Collator("en", { numeric: true });

  function compare(a, b) {
    const text = sortText[sort.key], value = sortValue[sort.key];
    const found = text ? collator.compare(text(a), text(b)) : value(a) - value(b);
    return sort.sign * found || data.place[a] - data.place[b];
  }

  function update() {
    const read = (id) => (byId(id) ? byId(id).value : "");
    const wanted = { words: read("search").toLowerCase().split(/\s+/).filter(Boolean), least: Number(read("least")) };
    for (const id of ["order", "class", "sign"]) wanted[id] = read(id);
    for (const id of ["part", "left", "right"]) wanted[id] = read(id) && new Set(read(id).split(",").map(Number)); // a head, or all of a block
    const before = kept[active];
    kept = [...data.name.keys()].filter((k) => isKept(k, wanted)).sort(compare);
    active = Math.max(0, kept.indexOf(before));
    heads.forEach((cell, k) => cell.setAttribute("aria-sort", keys[k] !== sort.key ? "none" : sort.sign > 0 ? "ascending" : "descending"));
    grid.setAttribute("aria-rowcount", String(kept.length + 1));
    byId("status").textContent = summary();
    viewport.scrollTop = 0;
    render(true);
  }

  function summary() {
    const words = kept.length.toLocaleString("en") + " of " + count.toLocaleString("en") + " rows";
    if (!hasValues || kept.length === 0) return words;
    const sum = kept.reduce((total, k) => total + data.value[k], 0);
    return words + ", together " + signed(sum) + (data.total ? ", " + percent(sum) + " of the total" : "");
  }

  const signed = (value) => (data.isShare ? percent(value) : (value < 0 ? "\u2212" : "+") + Math.abs(value).toPrecision(4));
  const percent = (value) => {
    const part = (100 * value) / (data.total || 1);
    const size = Math.abs(part), digits = size && size < 0.05 ? size.toPrecision(2) : size.toFixed(1);
    return (part < 0 ? "\u2212" : "+") + digits + " %";
  };

  // the rows that are seen

  const rowHeight = () => parseFloat(getComputedStyle(document.documentElement).getPropertyValue("--row"));

  const above = pad(), below = pad();
  const nothing = make("tr", { role: "row" }, make("td", { class: "none", colspan: heads.length, role: "gridcell" }, "No row is kept by these filters."));
  rows.replaceChildren(above, below);

  function render(anew) {
    const height = rowHeight();
    let first = 0, last = kept.length;
    if (!printing) {
      first = Math.max(0, Math.floor(viewport.scrollTop / height) - EXTRA);
      last = Math.min(kept.length, first + Math.ceil(viewport.clientHeight / height) + 2 * EXTRA);
    }
    const state = [first, last, active, chosen].join();
    if (!anew && state === drawn) return;
    drawn = state;
    place(first, last);
    stretch(above, first * height);
    stretch(below, (kept.length - last) * height);
    if (kept.length) grid.setAttribute("aria-activedescendant", "row-" + kept[active]);
    else grid.removeAttribute("aria-activedescendant");
  }

  // Rows that stay are left where they are: a row that is taken out is laid out again.
  function place(first, last) {
    const wanted = new Set(kept.slice(first, last).map((k) => "row-" + k));
    for (const row of [...rows.children]) if (row !== above && row !== below && !wanted.has(row.id)) row.remove();
    const known = new Map([...rows.children].map((row) => [row.id, row]));
    let before = above;
    for (let at = first; at < last; at++) {
      const row = mark(known.get("row-" + kept[at]) || rowOf(kept[at]), at);
      if (before.nextSibling !== row) before.after(row);
      before = row;
    }
    if (kept.length === 0) above.after(nothing);
  }

  function pad() {
    return make("tr", { class: "pad", "aria-hidden": "true" }, make("td", { colspan: heads.length }));
  }

  function stretch(row, height) {
    row.firstChild.style.height = height + "px";
    row.hidden = height === 0;
  }

  function mark(row, at) {
    row.setAttribute("aria-rowindex", String(at + 2));
    row.setAttribute("aria-selected", String(kept[at] === chosen));
    row.classList.toggle("active", at === active);
    return row;
  }

  function rowOf(k) {
    const name = make("span", { class: "name", title: data.name[k] }, data.name[k]);
    const cells = { number: data.short[k], term: null, order: String(data.order[k]), height: String(data.height[k]) };
    Object.assign(cells, { left: component(data.left[k]), right: component(data.right[k]), value: null });
    const row = make("tr", { id: "row-" + k, role: "row" });
    keys.forEach((key, column) => {
      const cell = make("td", { class: heads[column].className, role: "gridcell" });
      if (key === "term") cell.append(filled(k, ".formula"), name);
      else if (key === "value") cell.append(amount(data.value[k]));
      else cell.append(cells[key]);
      row.append(cell);
    });
    return row;
  }

  function amount(value) {
    const bar = make("span", { class: value < 0 ? "fill minus" : "fill" });
    const width = largest ? (50 * Math.abs(value)) / largest : 0;
    bar.style.width = width + "%";
    bar.style.left = (value < 0 ? 50 - width : 50) + "%";
    const digits = make("span", { class: "digits" }, signed(value));
    return make("span", { class: "amount" }, digits, make("span", { class: "track", "aria-hidden": "true" }, bar));
  }

  // the term that is chosen

  function choose(at) {
    active = at;
    chosen = kept[at];
    render(false);
    show(chosen);
  }

  // What a screen reader says of it: its name and number, not all that is shown.
  function chooseAloud(at) {
    choose(at);
    byId("said").textContent = "Shown below: " + data.name[chosen] + (hasValues ? ", " + signed(data.value[chosen]) : "");
  }

  function show(k) {
    const facts = [["number", data.number[k]], ["order", String(data.order[k])], ["height", String(data.height[k])]];
    if (hasValues) facts.push(["contribution", signed(data.value[k])]);
    if (hasValues && data.total && !data.isShare) facts.push(["of the total", percent(data.value[k])]);
    facts.push(["path class", data.classes[data.class[k]]]);
    const list = make("dl", null, ...facts.map(([name, value]) => make("div", null, make("dt", null, name), make("dd", null, value))));
    const diagram = diagramOf(k);
    const parts = [make("div", null, make("h3", null, data.name[k]), filled(k, ".formula"), filled(k, ".meaning"), list)];
    if (diagram) parts.push(make("div", null, make("h4", null, "Diagram"), make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Diagram" }, diagram)));
    const patterns = data.patterns ? data.heads[k].map(patternOf).filter((found) => found !== null) : [];
    if (patterns.length) parts.push(make("div", null, make("h4", null, "Attention patterns of its heads: rows are destinations, columns sources"), make("div", { class: "heads" }, ...patterns)));
    detail.replaceChildren(...parts);
  }

  // the diagram of a term, from its boxes [label, kind, x, y, width] and edges

  function draw(tag, properties, ...children) {
    const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [key, value] of Object.entries(properties)) node.setAttribute(key, value);
    node.append(...children);
    return node;
  }

  function diagramOf(k) {
    const found = data.diagrams[data.shape[k]];
    if (found === null) return null;
    const [width, height, boxes, edges] = found, words = "Diagram of the term " + data.name[k];
    const label = (text) => text.replace(/@(\d+)/, (_, head) => headNumber(data.heads[k][Number(head)]));
    const lines = edges.map(([a, b]) => draw("path", { class: "edge", d: curve(boxes[a], boxes[b]) }));
    const nodes = boxes.map(([text, kind, x, y, across]) =>
      draw("g", { class: "node " + kind },
        draw("rect", { x: x - Math.floor(across / 2), y: y - 13, width: across, height: 26, rx: 7 }),
        draw("text", { x, y: y + 4 }, label(text))));
    const size = { width, height, viewBox: "0 0 " + width + " " + height, class: "graph", role: "img", "aria-label": words };
    return draw("svg", size, draw("title", {}, words), ...lines, ...nodes);
  }

  function curve([, , x, y, width], [, , u, v, across]) {
    const from = x + Math.floor(width / 2), to = u - Math.floor(across / 2), bend = Math.max(12, (to - from) / 2);
    return y === v ? `M${from} ${y}H${to}` : `M${from} ${y}C${from + bend} ${y} ${to - bend} ${v} ${to} ${v}`;
  }

  // attention patterns

  function patternOf(k) {
    const name = data.components[k], encoded = data.patterns.heads[name];
    if (encoded === undefined) return null;
    const bytes = Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0)), side = data.patterns.cells;
    const note = data.patterns.step > 1 ? " (each cell: the largest of " + data.patterns.step + " \u00d7 " + data.patterns.step + ")" : "";
    return make("figure", null, make("figcaption", null, name + note), side <= 8 ? heatTable(bytes, side, name) : heatCanvas(bytes, side, name));
  }

  const positionName = (s) => (data.patterns.tokens && data.patterns.step === 1 ? String(data.patterns.tokens[s]) : String(s * data.patterns.step));

  function heatTable(bytes, side, name) {
    const places = [...Array(side).keys()];
    const corner = data.patterns.tokens && data.patterns.step === 1 ? "token" : "";
    const head = make("tr", null, make("td", null, make("span", null, corner)), ...places.map((s) => make("th", { scope: "col" }, positionName(s))));
    const lines = places.map((t) => make("tr", null, make("th", { scope: "row" }, positionName(t)), ...places.map((s) => heatCell(bytes[t * side + s] / 255))));
    return make("table", { class: "heat" }, make("caption", { class: "hidden" }, "Attention of " + name), make("thead", null, head), make("tbody", null, ...lines));
  }

  function heatCell(value) {
    const cell = make("td", { class: value > 0.6 ? "strong" : "" }, make("span", null, value ? value.toFixed(2) : "\u00b7"));
    cell.style.setProperty("--heat", String(value));
    return cell;
  }

  function heatCanvas(bytes, side, name) {
    const canvas = make("canvas", { width: side, height: side, role: "img", "aria-label": "Attention of " + name + ", " + side + " by " + side + " cells" });
    const context = canvas.getContext("2d");
    context.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--head").trim();
    bytes.forEach((value, k) => {
      context.globalAlpha = value / 255;
      context.fillRect(k % side, Math.floor(k / side), 1, 1);
    });
    return canvas;
  }

  // pointer, keys, print

  function move(to) {
    if (!kept.length) return;
    active = Math.min(kept.length - 1, Math.max(0, to));
    const height = rowHeight(), room = viewport.clientHeight - grid.tHead.offsetHeight;
    if (active * height < viewport.scrollTop) viewport.scrollTop = active * height;
    else if ((active + 1) * height > viewport.scrollTop + room) viewport.scrollTop = (active + 1) * height - room;
    render(false);
  }

  const page = () => Math.max(1, Math.floor((viewport.clientHeight - grid.tHead.offsetHeight) / rowHeight()) - 1);
  const moves = {
    ArrowDown: () => move(active + 1),
    ArrowUp: () => move(active - 1),
    PageDown: () => move(active + page()),
    PageUp: () => move(active - page()),
    Home: () => move(0),
    End: () => move(kept.length - 1),
    Enter: () => kept.length && chooseAloud(active),
    " ": () => kept.length && chooseAloud(active),
  };

  grid.addEventListener("keydown", (event) => {
    if (event.target !== grid || !Object.hasOwn(moves, event.key) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    moves[event.key]();
  });
  rows.addEventListener("click", (event) => {
    const row = event.target.closest("tr[id]");
    if (row) chooseAloud(kept.indexOf(Number(row.id.slice(4))));
  });
  grid.tHead.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    const key = button.dataset.sort, falling = key === "value";
    sort = key === sort.key ? { key, sign: -sort.sign } : { key, sign: falling ? -1 : 1 };
    update();
  });
  for (const control of document.querySelectorAll(".filters input, .filters select")) control.addEventListener("input", update);
  byId("clear").addEventListener("click", () => {
    for (const control of document.querySelectorAll(".filters input, .filters select")) control.value = "";
    update();
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-class]");
    if (!button) return;
    byId("class").value = button.dataset.class;
    update();
    byId("terms").scrollIntoView();
    grid.focus({ preventScroll: true });
  });
  viewport.addEventListener("scroll", () => render(false), { passive: true });
  window.addEventListener("resize", () => render(true));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => chosen >= 0 && show(chosen));

  let closed = [];
  window.addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    for (const part of closed) part.open = true;
    printing = true;
    render(true);
  });
  window.addEventListener("afterprint", () => {
    for (const part of closed) part.open = false;
    printing = false;
    render(true);
  });

  update();
  if (count) choose(0);
  document.documentElement.dataset.ready = String(Math.round(performance.now()));
})();
