// People: everybody by name and face, who may be one person, and who is hidden.

import { crop, get, post } from "./api.js";
import { onSaid, say, settledBy, tell } from "./answers.js";
import { count, empty, fill, h, kbd, many, sureness, settled } from "./dom.js";
import { howMany } from "./doubt.js";
import { on } from "./events.js";
import { keys, onlyFromNow } from "./keys.js";
import { matching, nameField, onPeople, people, portrait } from "./people.js";

const PAIRS = 3; // to be seen at a time

export async function everybody(main, _, signal) {
  await people();
  const search = h("input", { type: "search", placeholder: "Search", "aria-label": "Search people", autocomplete: "off" });
  const wall = h("ul", { class: "cards", "aria-label": "People" });
  const hidden = h("details", { class: "hidden-people" });
  const doubtful = h("section", { class: "doubtful", "aria-label": "Answers that look wrong", hidden: true });
  const twins = h("section", { class: "twins", "aria-label": "Perhaps one person" });
  const merging = h("section", { class: "merging", "aria-label": "Merge two people", hidden: true });
  const heading = h("h1", { tabindex: "-1" }, "People");
  const total = h("p", { class: "about" });

  function show(known) {
    const wanted = search.value.trim();
    const found = wanted ? matching(wanted, 500) : known.filter((person) => !person.hidden);
    const away = known.filter((person) => person.hidden);
    if (!known.length) {
      return main.replaceChildren(empty("Nobody yet", "People appear here as soon as you name a face.", h("a", { class: "button primary", href: "#/review" }, "Name the first one")));
    }
    if (!wall.isConnected) main.replaceChildren(h("header", { class: "page-head" }, h("div", {}, heading, total), search), doubtful, merging, twins, wall, hidden);
    total.textContent = `${many(known.length, "person", "people")}, ${many(known.reduce((sum, person) => sum + person.faces, 0), "named face")}`;
    const focused = document.activeElement?.dataset?.person;
    fill(wall, [...found.map(card)]);
    if (focused) wall.querySelector(`[data-person="${focused}"]`)?.focus({ preventScroll: true });
    if (!found.length) wall.replaceChildren(h("li", { class: "quiet" }, `Nobody is called “${wanted}”.`));
    hidden.hidden = !away.length || wanted !== "";
    hidden.replaceChildren(h("summary", {}, many(away.length, "hidden person", "hidden people")), h("ul", { class: "cards" }, away.map(card)));
  }

  function card(person) {
    const link = h("a", {
      href: `#/person/${person.id}`, dataset: { person: person.id }, draggable: "true",
      ondragstart: (event) => event.dataTransfer.setData("text/kith-person", person.id),
      ondragover: (event) => event.dataTransfer.types.includes("text/kith-person") && (event.preventDefault(), link.classList.add("over")),
      ondragleave: () => link.classList.remove("over"),
      ondrop: (event) => {
        event.preventDefault();
        link.classList.remove("over");
        const other = event.dataTransfer.getData("text/kith-person");
        if (other && other !== person.id) merge(other, person.id);
      },
    }, portrait(person, 132), h("b", {}, person.name), h("small", {}, `${many(person.faces, "face")} · ${many(person.photos, "photo")}`));
    return h("li", {}, link);
  }

  /** Both side by side before they become one. */
  async function merge(gone, kept = null) {
    const known = await people();
    const [one, other] = [gone, kept].map((id) => known.find((person) => person.id === id));
    mergePanel(merging, one, other, () => document.querySelector(`[data-person="${one.id}"]`)?.focus());
  }

  const shown = new Map(); // the pairs to be seen, and what shows them
  const pairs = h("h2");
  twins.append(pairs);

  async function showTwins() {
    for (const name of [...shown.keys()].filter((one) => settledPairs.has(one))) take(name);
    const told = await get("/v1/merges", {}, signal).catch(() => null);
    if (signal.aborted || !told) return;
    const all = told.merges.map(nameOf);
    for (const name of settledPairs) if (!all.includes(name)) settledPairs.delete(name);
    const merges = told.merges.filter((pair) => !settledPairs.has(nameOf(pair)));
    const writes = (name) => shown.get(name).contains(document.activeElement) && shown.get(name).querySelector("input")?.value;
    for (const name of [...shown.keys()]) if (!merges.some((pair) => nameOf(pair) === name) && !writes(name)) take(name);
    // those to be seen stay where they are; of the others those with names come first
    const named = (pair) => [pair.first, pair.second].filter((who) => who.name).length;
    const fresh = merges.filter((pair) => !shown.has(nameOf(pair))).sort((a, b) => named(b) - named(a));
    for (const pair of fresh.slice(0, PAIRS - shown.size)) {
      shown.set(nameOf(pair), twin(pair, showTwins));
      twins.append(shown.get(nameOf(pair)));
    }
    twins.hidden = !shown.size;
    pairs.textContent = `${many(merges.length, "pair")} may be one person`;
  }

  /** A pair leaves, and another one comes to its place: what is clicked at this moment was meant for the first. */
  function take(name) {
    shown.get(name)?.remove();
    shown.delete(name);
    onlyFromNow();
  }

  async function showDoubts() {
    const total = await howMany(signal).catch(() => 0);
    if (signal.aborted) return;
    doubtful.hidden = !total;
    const [they, them] = total === 1 ? ["1 answer looks wrong. While it stands", "it"] : [`${many(total, "answer")} look wrong. While they stand`, "them"];
    fill(doubtful, [h("p", {}, `${they}, Kith may name fewer faces by itself.`), h("a", { class: "button", href: "#/doubts" }, `Look at ${them} `, kbd("D"))]);
  }

  search.addEventListener("input", async () => show(await people()));
  onPeople(show, signal);
  show(await people());
  const look = () => Promise.all([showTwins(), showDoubts()]);
  look();
  const again = settled(look, 800, 4000);
  const afterwards = settled(look, 4000, 4000); // Kith thinks them up anew a little later
  afterwards();
  on(["answer", "person"], () => (again(), afterwards()), signal);
  onSaid(again, signal);
  const focused = () => document.activeElement?.dataset?.person;
  keys("People", [
    { keys: ["/"], label: "Search", run: () => search.focus() },
    { keys: ["d"], label: "Look at the answers that look wrong", when: () => !doubtful.hidden, run: () => { location.hash = "#/doubts"; } },
    { keys: ["m"], label: "Merge the person you are on into another", when: focused, run: () => merge(focused()) },
    { keys: ["ArrowLeft"], label: "", run: () => step(-1), when: focused },
    { keys: ["ArrowRight"], label: "", run: () => step(1), when: focused },
    { keys: ["ArrowUp"], label: "", run: () => step(-across()), when: focused },
    { keys: ["ArrowDown"], label: "Walk over the people", run: () => step(focused() ? across() : 0) },
    { keys: ["Escape"], label: "Leave", typing: true, run: () => { search.value = ""; merging.hidden = true; people().then(show); heading.focus(); } },
  ], signal);
  const cards = () => [...wall.querySelectorAll("a")];
  const across = () => Math.max(1, cards().filter((one) => one.offsetTop === cards()[0].offsetTop).length);
  function step(by) {
    const all = cards();
    const now = all.indexOf(document.activeElement);
    all[Math.max(0, Math.min(all.length - 1, now + by))]?.focus();
  }
}

const settledPairs = new Set(); // pairs that were answered here, which Kith may go on telling of for a moment
const nameOf = ({ first, second }) => JSON.stringify([[first.id, first.name], [second.id, second.name]].sort());

/** Two who may be one, with the pairs of faces that look so; `changed` is called when that was answered or taken back. */
function twin(pair, changed) {
  const { first, second } = pair;
  const isGroup = (who) => who.id.startsWith("g");
  const called = (who) => who.name || "Somebody without a name";
  const answer = (step, words) => {
    settledPairs.add(nameOf(pair));
    changed();
    say({ steps: [step], words, back: () => (settledPairs.delete(nameOf(pair)), changed()) });
  };
  const [named, group] = isGroup(first) ? [second, first] : [first, second];
  let same = () => answer({ path: `/v1/people/${second.id}/merge`, body: { into: first.id } }, ([r]) => `${first.name} and ${second.name} are one: ${r.person.name}`);
  let apart = () => answer({ path: `/v1/people/${first.id}/apart`, body: { other: second.id } }, () => `${first.name} and ${second.name} are two`);
  if (isGroup(group) && !isGroup(named)) {
    same = () => answer({ path: "/v1/faces/name", ids: [group.id], body: { name: named.name } }, ([r]) => `Named ${settledBy(r, named.name)}`);
    apart = () => answer({ path: "/v1/faces/reject", ids: [group.id], body: { person: named.id } }, ([r]) => `Not ${named.name}: ${settledBy(r)}`);
  } else if (isGroup(group)) {
    apart = () => answer({ path: "/v1/faces/apart", body: { parts: [[first.id], [second.id]] } }, ([r]) => `Two people: ${settledBy(r)}`);
  }
  const field = isGroup(named) ? nameField({
    label: "Who both are", placeholder: "Both are …",
    choose: ({ name }) => answer({ path: "/v1/faces/name", ids: [first.id, second.id], body: { name } }, ([r]) => `Named ${settledBy(r, r.person.name)}`),
  }) : null;
  const link = (who) => (isGroup(who) ? h("b", {}, called(who)) : h("a", { href: `#/person/${who.id}` }, who.name));
  return h("article", { class: "twin" },
    h("div", { class: "pairs" }, pair.because.slice(0, 2).map(([one, other]) => h("div", {}, h("img", { src: crop(one, 88), alt: "", width: 88, height: 88 }), h("img", { src: crop(other, 88), alt: "", width: 88, height: 88 })))),
    h("p", {}, isGroup(named) ? "Two groups without a name" : [link(first), " and ", link(second)], h("small", {}, ` ${sureness(pair.probability)}`)),
    h("div", { class: "actions" },
      field ? h("div", { class: "popup" }, field) : h("button", { type: "button", class: "primary", onclick: () => same() }, "One person"),
      h("button", { type: "button", onclick: () => apart() }, "Two people")));
}

/** A preview of two people becoming one; without the second, a field to choose them. */
export function mergePanel(panel, one, other, done = () => {}) {
  const close = () => {
    panel.hidden = true;
    done();
  };
  const half = (person) => h("div", { class: "half" }, portrait(person, 120), h("b", {}, person.name), h("small", {}, `${many(person.faces, "face")} · ${many(person.photos, "photo")}`));
  const cancel = h("button", { type: "button", onclick: close }, "Cancel ", kbd("Esc"));
  panel.hidden = false;
  if (!other) {
    const field = nameField({
      label: `Who ${one.name} really is`, only: true, not: [one.id], placeholder: "is really …",
      choose: async ({ id }) => mergePanel(panel, one, (await people()).find((person) => person.id === id), done),
    });
    panel.replaceChildren(h("div", { class: "halves" }, half(one), h("span", { class: "arrow", "aria-hidden": "true" }, "→"), field), h("div", { class: "actions" }, cancel));
    return field.input.focus();
  }
  const go = h("button", { type: "button", class: "primary", onclick: async () => {
    await say({
      steps: [{ path: `/v1/people/${one.id}/merge`, body: { into: other.id } }],
      words: ([result]) => `${one.name} is ${result.person.name} now: ${many(result.person.faces, "face")}`,
    });
    close();
  } }, `They are one: ${other.name} `, kbd("↵"));
  panel.replaceChildren(
    h("div", { class: "halves" }, half(one), h("span", { class: "arrow", "aria-hidden": "true" }, "→"), half(other)),
    h("p", { class: "quiet" }, `All faces of ${one.name} will be ${other.name}’s, in the sidecars too. It can be undone.`),
    h("div", { class: "actions" }, go, h("button", { type: "button", onclick: () => mergePanel(panel, other, one, done) }, "The other way round"), cancel));
  panel.addEventListener("keydown", (event) => event.key === "Escape" && close(), { once: true });
  go.focus();
  panel.scrollIntoView({ block: "nearest" });
}
