// Everybody Kith knows, kept fresh, and the field in which one types a name.

import { all, crop } from "./api.js";
import { fill, h, kbd, many, settled, sureness } from "./dom.js";
import { on } from "./events.js";

let known = [];
const listeners = new EventTarget();
let arriving = null;

async function refresh() {
  known = await all("/v1/people", "people", { hidden: true });
  listeners.dispatchEvent(new Event("change"));
}

/** All people, those on most pictures first; waits for the first time they are read. */
export async function people() {
  arriving ??= refresh().catch((error) => {
    arriving = null;
    throw error;
  });
  await arriving;
  return known;
}

export function onPeople(listener, signal) {
  listeners.addEventListener("change", () => listener(known), { signal });
}

const again = settled(() => arriving && refresh().catch(() => {}), 200);
on(["person", "answer", "gone"], again);

// -- finding somebody ---------------------------------------------------------------------------------------------

const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase().trim();

/** How well a name answers to what was typed; 0: not at all. */
function fit(name, typed) {
  const words = name.split(/[\s-]+/);
  if (name === typed) return 5;
  if (name.startsWith(typed)) return 4;
  if (words.some((word) => word.startsWith(typed))) return 3;
  if (words.map((word) => word[0]).join("").startsWith(typed)) return 2;
  return name.includes(typed) ? 1 : 0;
}

/** Whether a name begins with what was typed, or one of its words does: only then Enter may take it for meant. */
export const begins = (name, typed) => fit(plain(name), plain(typed)) >= 3;

/** People who answer to what was typed, the best first; whoever was named last in this page goes before others. */
export function matching(typed, most = 6) {
  const wanted = plain(typed);
  const seen = known.filter((person) => !person.hidden || wanted);
  if (!wanted) return lately.map((id) => seen.find((p) => p.id === id)).concat(seen).filter((p, i, list) => p && list.indexOf(p) === i).slice(0, most);
  return seen
    .map((person) => [fit(plain(person.name), wanted) + (lately.includes(person.id) ? 0.5 : 0), person])
    .filter(([rank]) => rank >= 1)
    .sort((a, b) => b[0] - a[0] || b[1].faces - a[1].faces)
    .slice(0, most)
    .map(([, person]) => person);
}

const lately = [];

/** Somebody was named just now, and may well be again. */
export function remember(id) {
  const at = lately.indexOf(id);
  if (at >= 0) lately.splice(at, 1);
  lately.unshift(id);
  lately.length = Math.min(lately.length, 12);
}

export function portrait(person, side = 40) {
  if (!person?.feature) return h("span", { class: "portrait none", "aria-hidden": "true", vars: { "--side": `${side}px` } });
  return h("img", { class: "portrait", src: crop(person.feature, side), alt: "", width: side, height: side, loading: "lazy", decoding: "async" });
}

let fields = 0;

const NUMBERED = 9;

/**
 * A field for a name, with the people it may mean. `choose({name, id})` is called with somebody known, or (no id) with
 * a new name. `only`: nobody new. `likely`: who it probably is, [{person, probability}]; with it the first ones have
 * numbers, and `pick(i)` takes one of them.
 */
export function nameField({ label, choose, only = false, not = [], likely = null, placeholder = "Type a name" }) {
  const id = `names-${++fields}`;
  let options = [];
  let at = 0;
  const list = h("ul", { role: "listbox", id, "aria-label": "People", class: "names" });
  const input = h("input", {
    type: "text", role: "combobox", "aria-label": label, "aria-controls": id, "aria-expanded": "true",
    "aria-autocomplete": "list", autocomplete: "off", autocapitalize: "words", spellcheck: "false", placeholder,
    maxlength: 200, enterkeyhint: "done",
  });

  function offer() {
    const typed = input.value.trim().replace(/\s+/g, " ");
    const others = matching(typed, likely && !typed ? NUMBERED : 6).filter((person) => !not.includes(person.id));
    options = typed ? others : [...probable(), ...others].filter((person, i, list) => list.findIndex((one) => one.id === person.id) === i).slice(0, likely ? NUMBERED : 6);
    const same = options.some((person) => plain(person.name) === plain(typed));
    if (typed && !same && !only) {
      const meant = options.filter((person) => begins(person.name, typed));
      options = [...meant, { name: typed, id: null }, ...options.filter((person) => !meant.includes(person))];
    }
    at = typed ? 0 : -1;
    show();
  }

  function probable() {
    const odds = new Map((likely ?? []).map((one) => [one.person.id, one.probability]));
    return [...odds.keys()].map((id) => known.find((person) => person.id === id)).filter(Boolean).map((person) => ({ ...person, probability: odds.get(person.id) }));
  }

  function show() {
    const numbered = likely && !input.value.trim();
    fill(list, [...options.map((person, i) => h("li", {
      role: "option", id: `${id}-${i}`, "aria-selected": i === at ? "true" : "false",
      onpointerdown: (event) => event.preventDefault(),
      onclick: () => take(i),
    }, person.id ? [portrait(person, 36), h("span", {}, person.name),
      h("small", {}, person.probability ? sureness(person.probability) : many(person.faces, "face")), numbered && kbd(i + 1)]
      : [h("span", { class: "plus", "aria-hidden": "true" }, "+"), h("span", {}, `new person “${person.name}”`)]))]);
    list.hidden = !options.length;
    input.setAttribute("aria-expanded", String(!list.hidden));
    if (at >= 0) input.setAttribute("aria-activedescendant", `${id}-${at}`);
    else input.removeAttribute("aria-activedescendant");
  }

  function take(i) {
    const chosen = options[i];
    if (!chosen) return;
    input.value = "";
    if (chosen.id) remember(chosen.id);
    choose({ name: chosen.name, id: chosen.id });
    offer();
  }

  input.addEventListener("input", offer);
  input.addEventListener("focus", offer);
  input.addEventListener("keydown", (event) => {
    if (event.isComposing || event.altKey) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && options.length) {
      at = at < 0 && step < 0 ? options.length - 1 : (at + step + options.length) % options.length;
      show();
    } else if (event.key === "Enter" && at >= 0) take(at);
    else if (event.key === "Escape" && input.value) {
      input.value = "";
      offer();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });
  people().then(offer, () => {});
  const box = h("div", { class: "name-field" }, input, list);
  return Object.assign(box, { input, clear() { input.value = ""; offer(); }, pick(i) { if (!input.value.trim() && options[i]?.id && list.checkVisibility()) take(i); } });
}
