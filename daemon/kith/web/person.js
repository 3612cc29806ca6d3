// A person: their faces year by year, those that are probably theirs, and answers that look wrong.

import { all, get } from "./api.js";
import { onSaid, say, tell } from "./answers.js";
import { day, empty, fill, h, kbd, many, settled, sureness, year, years } from "./dom.js";
import { answersTo, doubtCard, doubtWords, standing } from "./doubt.js";
import { on } from "./events.js";
import { mergePanel } from "./everybody.js";
import { confirmThem, faceBar, faceWall, outline, showThem } from "./faces.js";
import { keys } from "./keys.js";
import { portrait } from "./people.js";

const ORDERS = { oldest: "Oldest first", newest: "Newest first" };
const FILTERS = [["all", "All"], ["sure", "Sure"], ["unsure", "Probably"], ["doubts", "Doubts"]];

export async function person(main, { id, only = "all" }, signal) {
  let who = (await get(`/v1/people/${id}`, {}, signal)).person;
  let filter = only;
  let order = "oldest";
  let by = "probability"; // or "alone": what a face is worth without its group
  let least = 0;
  let theirs = [];
  let doubts = [];
  let cards = new Map(); // face and names of a doubt -> its elements
  const head = h("header", { class: "person-head" });
  const tabs = h("div", { class: "tabs", role: "group", "aria-label": "Which faces" });
  const merging = h("section", { class: "merging", "aria-label": "Merge two people", hidden: true });
  const doubtful = h("section", { class: "doubts", "aria-label": "Answers that look wrong" });
  const side = h("nav", { class: "years", "aria-label": "Years" });
  const none = h("p", { class: "quiet" });
  const bar = faceBar({ person: () => who, offer: ["yes", "no", "picture", "ignore", "notFace"], list: () => wall, signal });
  const wall = faceWall({ label: `Faces`, choose: bar.update, signal, sure: (face) => face[by] });
  const kept = h("output", { class: "least" });
  const slider = h("input", { type: "range", min: 0, max: 99, step: 1, value: 0, "aria-label": "How sure, at least", oninput: () => { least = slider.value / 100; showFaces(); } });
  const sorted = h("select", { "aria-label": "Order", onchange: () => { order = sorted.value; showFaces(); } }, Object.entries(ORDERS).map(([value, label]) => h("option", { value }, label)));
  const counted = h("select", { "aria-label": "How sure, by what", onchange: () => { by = counted.value; showFaces(); } },
    h("option", { value: "probability" }, "with its group"), h("option", { value: "alone" }, "by the face alone"));
  const sieve = h("div", { class: "sieve" }, h("label", {}, "At least ", slider, kept), counted);
  document.title = `${who.name} · Kith`;

  function showHead(now = false) {
    if (!now && head.querySelector("form")) return; // whoever types there isn't interrupted
    fill(head, [
      portrait(who, 112),
      h("div", {},
        h("h1", { tabindex: "-1" }, who.name),
        h("p", { class: "about" }, `${many(who.faces, "face")} on ${many(who.photos, "photo")}`,
          theirs.length > 0 && ` · ${years(theirs[0].taken, theirs.at(-1).taken)}`, who.born && ` · born ${day(Date.parse(who.born) / 1000)}`, who.hidden && " · hidden"),
        h("div", { class: "commands" },
          h("button", { type: "button", onclick: rename }, "Rename ", kbd("R")),
          h("button", { type: "button", onclick: born }, who.born ? "Birthday" : "Add birthday", " ", kbd("B")),
          h("button", { type: "button", onclick: merge }, "Merge ", kbd("M")),
          h("button", { type: "button", onclick: feature }, "Choose picture ", kbd("P")),
          h("button", { type: "button", onclick: hide }, who.hidden ? "Show again " : "Hide ", kbd("H"))))]);
  }

  const isSure = (face) => face.state === "confirmed";

  function showFaces() {
    const inOrder = order === "newest" ? theirs.toReversed() : theirs;
    const sure = inOrder.filter(isSure);
    const guessed = inOrder.filter((face) => !isSure(face)).sort((a, b) => b[by] - a[by]);
    const unsure = guessed.filter((face) => face[by] >= least);
    sieve.hidden = !guessed.length || filter === "sure" || filter === "doubts";
    kept.textContent = least ? sureness(least) : "any";
    const counts = { all: theirs.length, sure: sure.length, unsure: guessed.length, doubts: doubts.length };
    fill(tabs, [...FILTERS.map(([key, label]) => h("button", {
      type: "button", "aria-pressed": String(filter === key), disabled: key !== "all" && !counts[key],
      onclick: () => { filter = key; showFaces(); },
    }, label, h("small", {}, ` ${counts[key]}`)))]);
    const byYear = Map.groupBy(sure, (face) => year(face.taken));
    const sections = [];
    if (filter === "all" || filter === "sure") for (const [when, some] of byYear) sections.push({ title: `${when}`, items: some });
    if (unsure.length && (filter === "all" || filter === "unsure")) {
      sections.push({ title: `Probably ${who.name}`, items: unsure, actions: h("button", {
        type: "button", onclick: () => confirmThem(unsure.map((face) => face.id), who),
      }, unsure.length === guessed.length ? `Yes, all ${unsure.length}` : `Yes, these ${unsure.length}`) });
    }
    wall.show(sections);
    fill(side, [...sections.map(({ title }) => h("button", { type: "button", class: "plain", onclick: () => wall.goTo(title) }, title.startsWith("Probably") ? "Probably" : title))]);
    side.hidden = sections.length < 2;
    none.hidden = sections.length > 0 || filter === "doubts";
    none.textContent = theirs.length ? "No face is as sure as that." : `Nothing is ${who.name}’s any more. If that was a slip, undo it with U.`;
    doubtful.hidden = !doubts.length || filter === "sure" || filter === "unsure";
  }

  async function readDoubts() {
    const asOf = performance.now();
    const found = await all("/v1/doubts", "doubts").catch(() => []);
    doubts = await standing(found.filter((doubt) => doubt.person.id === who.id), asOf);
    if (!signal.aborted) showDoubts();
  }

  const cardOf = (doubt) => [h("p", {}, doubtWords(doubt)),
    doubtCard(doubt, { size: "small", beside: [[doubt.nearer?.name ?? who.name, doubt.because]], give: (answer) => settleDoubt(doubt, answer) })];

  /** Those that are there already stay, so that nobody's button goes away under their fingers. */
  function showDoubts() {
    const before = cards;
    const same = ({ face, person: told, nearer }) => JSON.stringify([face, told, nearer]);
    cards = new Map(doubts.map((doubt) => [same(doubt), before.get(same(doubt)) ?? cardOf(doubt)]));
    if ([...cards.keys()].join() !== [...before.keys()].join()) {
      const focused = document.activeElement;
      fill(doubtful, [h("h2", {}, "Is this right?"), ...cards.values()]);
      if (doubtful.contains(focused)) focused.focus({ preventScroll: true });
    }
    showFaces();
  }

  function settleDoubt(doubt, answer) {
    answer(answersTo(doubt, readDoubts));
    doubts = doubts.filter((other) => other.face !== doubt.face);
    showDoubts();
    (doubtful.querySelector("button") ?? head.querySelector("h1")).focus({ preventScroll: true });
  }

  async function read() {
    const told = await get(`/v1/people/${id}`, {}, signal);
    if (told.person.id !== who.id && told.person.id !== id) history.replaceState(null, "", `#/person/${told.person.id}`);
    who = told.person;
    theirs = await outline({ person: who.id }, signal);
    if (signal.aborted) return;
    showHead();
    showFaces();
  }

  // -- what can be said of them -----------------------------------------------------------------------------------

  const answer = (path, body, words) => say({ steps: [{ path: `/v1/people/${who.id}/${path}`, body }], words: () => words });

  /** A line to type into, where the name or the day stood. */
  function edit(label, type, value, save) {
    const input = h("input", { type, value, "aria-label": label, maxlength: 200 });
    const form = h("form", { class: "edit", onsubmit: (event) => {
      event.preventDefault();
      save(input.value.trim());
      showHead(true);
      head.querySelector("h1").focus();
    } }, input, h("button", { type: "submit", class: "primary" }, "Save"), type === "date" && value && h("button", { type: "button", onclick: () => (save(""), showHead(true)) }, "Not known"),
      h("button", { type: "button", onclick: () => { showHead(true); head.querySelector("h1").focus(); } }, "Cancel"));
    form.addEventListener("keydown", (event) => event.key === "Escape" && (event.stopPropagation(), showHead(true), head.querySelector("h1").focus()));
    head.querySelector("h1").after(form);
    if (type === "text") head.querySelector("h1").hidden = true;
    input.focus();
    if (type === "text") input.select();
  }

  const rename = () => edit("Name", "text", who.name, (name) => name && name !== who.name && answer("rename", { name }, `${who.name} is called ${name}`));
  const born = () => edit("Day of birth", "date", who.born ?? "", (day_) => day_ !== (who.born ?? "") && answer("born", { day: day_ }, day_ ? `Born ${day(Date.parse(day_) / 1000)}` : "Birthday forgotten"));
  const hide = () => answer(who.hidden ? "unhide" : "hide", {}, who.hidden ? `${who.name} is shown again` : `${who.name} is hidden from lists; their names stay on the photos`);
  const merge = () => mergePanel(merging, who, null, () => head.querySelector("h1").focus());

  function feature() {
    const [one] = wall.chosen();
    if (!one || !isSure(one)) return tell(`Choose one sure face of ${who.name} first (Space, or the tick in its corner), then P.`);
    wall.clear();
    return showThem(one.id, who);
  }

  main.replaceChildren(head, merging, h("div", { class: "sifting" }, tabs, sieve, sorted), doubtful, none, h("div", { class: "with-years" }, wall.element, side), bar.element);
  await read();
  readDoubts();
  const again = settled(() => signal.aborted || read().catch(() => {}), 300, 2000);
  const doubtAgain = settled(() => signal.aborted || readDoubts().catch(() => {}), 1500, 5000);
  const afterwards = settled(doubtAgain, 4000, 4000); // Kith thinks them up anew a little later
  afterwards();
  on(["names", "person", "answer", "gone"], () => (again(), doubtAgain(), afterwards()), signal);
  onSaid(again, signal);
  keys("This person", [
    { keys: ["r"], label: "Rename", run: rename }, { keys: ["b"], label: "Birthday", run: born },
    { keys: ["m"], label: "Merge into somebody", run: merge }, { keys: ["h"], label: "Hide or show", run: hide },
    { keys: ["p"], label: "Let the chosen face show them", run: feature },
    { keys: ["ArrowDown"], label: "Walk over the faces; Space chooses", run: () => wall.element.querySelector(".tile[tabindex='0']")?.focus(), when: () => !wall.element.contains(document.activeElement) },
    { keys: ["Backspace"], label: "Back to everybody", run: () => { location.hash = "#/people"; } },
  ], signal);
}
