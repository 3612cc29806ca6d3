// A wall of pictures of any length: only what is in sight is in the document.

import { h } from "./dom.js";

const GAP = 6;
const TITLE = 52; // height of a section's title
const MARGIN = 600; // how far beyond the window pictures are laid out
const FAST = 4; // pixels a millisecond; pictures that fly by are not asked for

/**
 * A wall of items, each {id, ...}, in sections [{title, items, actions?}].
 *
 * `content(item)` gives what a tile shows; an `img` in it has its address in `data-src`. `open(item)` is called for the
 * one that is clicked, `choose(ids)` when the selection changes (leave it out: nothing can be selected).
 */
export function wall({ label, side = 120, ratio = 1, content, name, open, choose = null, signal }) {
  const element = h("div", { class: "wall", role: "group", "aria-label": label });
  const chosen = new Set();
  let sections = [];
  let items = []; // all of them, in order
  let rows = []; // {top, height, title} or {top, height, first, count}
  let rowOf = []; // the row of each item
  let columns = 1;
  let cell = side;
  let at = 0; // the item that Tab reaches
  let anchor = 0; // where a range began
  const drawn = new Map(); // row number -> element
  let last = { y: 0, t: 0 };
  let rest = 0;

  function show(wanted) {
    sections = wanted.filter((section) => section.items.length);
    const kept = items[at]?.id;
    items = sections.flatMap((section) => section.items);
    at = Math.max(0, items.findIndex((item) => item.id === kept));
    const there = new Set(items.map((item) => item.id));
    let changed = false;
    for (const id of chosen) if (!there.has(id)) changed = chosen.delete(id);
    layOut();
    if (changed) choose?.([...chosen]);
  }

  function layOut() {
    const width = element.clientWidth || element.parentElement?.clientWidth || 800;
    columns = Math.max(2, Math.floor((width + GAP) / (Math.min(side, width / 3.2) + GAP)));
    cell = Math.floor((width - GAP * (columns - 1)) / columns);
    const tall = Math.round(cell / ratio);
    rows = [];
    rowOf = new Array(items.length);
    let top = 0;
    let first = 0;
    for (const section of sections) {
      if (section.title) {
        rows.push({ top, height: TITLE, section });
        top += TITLE;
      }
      for (let i = 0; i < section.items.length; i += columns) {
        const some = Math.min(columns, section.items.length - i);
        for (let j = 0; j < some; j++) rowOf[first + i + j] = rows.length;
        rows.push({ top, height: tall, first: first + i, some });
        top += tall + GAP;
      }
      first += section.items.length;
      top += 18;
    }
    element.style.height = `${top}px`;
    for (const row of drawn.values()) drop(row);
    drawn.clear();
    draw();
  }

  /** The first row that ends below `y`. */
  function rowAt(y) {
    let low = 0;
    let high = rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (rows[middle].top + rows[middle].height < y) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  function draw() {
    if (!element.isConnected || !rows.length) return;
    const offset = -element.getBoundingClientRect().top;
    const now = performance.now();
    const fast = Math.abs(offset - last.y) / Math.max(1, now - last.t) > FAST;
    last = { y: offset, t: now };
    const margin = fast ? 0 : MARGIN;
    const from = rowAt(offset - margin);
    const to = rowAt(offset + innerHeight + margin);
    for (const [number, row] of drawn) {
      if ((number < from || number > to) && !row.contains(document.activeElement)) {
        drop(row);
        drawn.delete(number);
      }
    }
    for (let number = from; number <= Math.min(to, rows.length - 1); number++) {
      if (!drawn.has(number)) {
        const row = build(rows[number]);
        drawn.set(number, row);
        element.append(row);
      }
    }
    clearTimeout(rest);
    if (fast) rest = setTimeout(draw, 90);
    else load();
  }

  function load() {
    for (const image of element.querySelectorAll("img[data-src]")) {
      image.src = image.dataset.src;
      image.removeAttribute("data-src");
    }
  }

  function drop(row) {
    // a picture that nobody waits for any more makes way for those in sight
    for (const image of row.querySelectorAll("img")) if (!image.complete) image.removeAttribute("src");
    row.remove();
  }

  function build(row) {
    const line = h("div", { class: "row" });
    line.style.transform = `translateY(${row.top}px)`;
    if (row.section) {
      line.append(h("h2", {}, row.section.title), h("span", { class: "actions" }, row.section.actions ?? []));
      line.classList.add("titled");
      return line;
    }
    for (let i = row.first; i < row.first + row.some; i++) line.append(tile(i));
    return line;
  }

  function tile(i) {
    const item = items[i];
    const button = h("button", {
      type: "button", class: "tile", dataset: { i }, tabindex: i === at ? "0" : "-1", "aria-label": name(item),
      "aria-pressed": choose ? String(chosen.has(item.id)) : null,
    }, content(item, cell), choose && h("span", { class: "check", "aria-hidden": "true" }, "✓"));
    button.style.width = `${cell}px`;
    button.style.height = `${Math.round(cell / ratio)}px`;
    return button;
  }

  // -- choosing ---------------------------------------------------------------------------------------------------

  function mark() {
    for (const button of element.querySelectorAll(".tile")) {
      const i = Number(button.dataset.i);
      button.tabIndex = i === at ? 0 : -1;
      if (choose) button.setAttribute("aria-pressed", String(chosen.has(items[i].id)));
    }
    element.classList.toggle("choosing", chosen.size > 0);
    choose?.([...chosen]);
  }

  function toggle(i) {
    const { id } = items[i];
    chosen[chosen.has(id) ? "delete" : "add"](id);
    anchor = at = i;
    mark();
  }

  function range(to) {
    for (let i = Math.min(anchor, to); i <= Math.max(anchor, to); i++) chosen.add(items[i].id);
    at = to;
    mark();
  }

  function go(i, extend) {
    const to = Math.max(0, Math.min(items.length - 1, i));
    const row = rows[rowOf[to]];
    const top = element.getBoundingClientRect().top + row.top;
    if (top < 80) scrollBy({ top: top - 90, behavior: "instant" });
    else if (top + row.height > innerHeight - 80) scrollBy({ top: top + row.height - innerHeight + 90, behavior: "instant" });
    draw();
    if (extend && choose) range(to);
    else {
      at = anchor = to;
      for (const button of element.querySelectorAll(".tile")) button.tabIndex = Number(button.dataset.i) === at ? 0 : -1;
    }
    element.querySelector(`.tile[data-i="${to}"]`)?.focus({ preventScroll: true });
  }

  /** The item above or below, in the same column. */
  function below(i, step) {
    const row = rowOf[i];
    const column = i - rows[row].first;
    for (let next = row + step; next >= 0 && next < rows.length; next += step) {
      if (rows[next].some) return rows[next].first + Math.min(column, rows[next].some - 1);
    }
    return i;
  }

  element.addEventListener("error", (event) => event.target.closest(".tile")?.classList.add("broken"), true);
  element.addEventListener("click", (event) => {
    const button = event.target.closest(".tile");
    if (!button) return;
    const i = Number(button.dataset.i);
    const wants = choose && (event.target.closest(".check") || event.ctrlKey || event.metaKey || (chosen.size > 0 && event.detail > 0));
    if (choose && event.shiftKey) range(i);
    else if (wants) toggle(i);
    else {
      at = i;
      open(items[i], items);
    }
  });
  element.addEventListener("keydown", (event) => {
    const button = event.target.closest?.(".tile");
    if (!button || event.altKey || ((event.ctrlKey || event.metaKey) && event.key !== "a")) return;
    const i = Number(button.dataset.i);
    const page = Math.max(1, Math.floor(innerHeight / (cell / ratio)) - 1) * columns;
    const targets = {
      ArrowLeft: i - 1, ArrowRight: i + 1, ArrowUp: below(i, -1), ArrowDown: below(i, 1),
      Home: 0, End: items.length - 1, PageUp: i - page, PageDown: i + page,
    };
    if (event.key in targets) go(targets[event.key], event.shiftKey);
    else if ((event.key === " " || event.key === "x") && choose) toggle(i);
    else if (event.key === "a" && (event.ctrlKey || event.metaKey) && choose) {
      anchor = 0;
      range(items.length - 1);
    } else if (event.key === "Escape" && chosen.size) clear();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });

  function clear() {
    chosen.clear();
    mark();
  }

  /** Scroll to a section by its title. */
  function goTo(title) {
    const row = rows.find((one) => one.section?.title === title);
    if (row) scrollTo({ top: scrollY + element.getBoundingClientRect().top + row.top - 70, behavior: "instant" });
  }

  addEventListener("scroll", () => requestAnimationFrame(draw), { passive: true, signal });
  const watcher = new ResizeObserver(([entry]) => {
    if (Math.abs(entry.contentRect.width - columns * (cell + GAP) + GAP) >= columns) layOut();
  });
  watcher.observe(element);
  signal?.addEventListener("abort", () => watcher.disconnect());
  return { element, show, clear, goTo, chosen: () => items.filter((item) => chosen.has(item.id)), items: () => items };
}
