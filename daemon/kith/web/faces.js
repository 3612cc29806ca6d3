// Lists of faces: as short rows for a wall, and what can be said of the chosen ones.

import { crop, faces as inFull, get } from "./api.js";
import { say, seen, settledBy, unanswered } from "./answers.js";
import { day, h, kbd, many, sureness } from "./dom.js";
import { keys } from "./keys.js";
import { nameField } from "./people.js";
import { wall } from "./wall.js";

/** All faces of a filter, oldest first: [{id, photo, taken, state, person, probability, alone}], the last without its group. */
export async function outline(query, signal) {
  const told = await get("/v1/faces/outline", query, signal);
  return told.faces.map(([face, photo, taken, state, person, probability, alone]) => (
    { id: `f${face}`, photo, taken, state, person: person === null ? null : `p${person}`, probability, alone }));
}

const guessed = (face) => face.state === "auto" || face.state === "suggested";

export function faceWall({ label, side = 124, choose, signal, sure = (face) => face.probability }) {
  return wall({
    label, side, choose, signal,
    name: (face) => `Face, ${day(face.taken)}${guessed(face) ? `, ${sureness(sure(face))} sure` : ""}`,
    content: (face, cell) => [
      h("img", { "data-src": crop(face.id, cell), alt: "", decoding: "async" }),
      guessed(face) && h("span", { class: "note" }, sureness(sure(face)))],
    open: (face, all) => {
      walk(all.map((other) => ({ photo: other.photo, face: other.id })));
      location.hash = `#/photo/${face.photo}?face=${face.id}`;
    },
  });
}

/** The photos through which the arrows lead, and back to where. */
export const path = { steps: [], home: "#/photos" };

export function walk(steps) {
  path.steps = steps;
  path.home = location.hash || "#/review";
}

/** Say something of faces that may have any state; as they are `shown`, or else as they are now. */
async function sayOf(ids, path_, body, words, { shown: known = null, back } = {}) {
  const shown = known ?? (ids.length <= 200 ? await inFull(ids) : []);
  seen(shown);
  const before = new Map(shown.map((face) => [face.id, face]));
  const same = (one, other) => (unanswered(one) ? unanswered(other) : one.state === other.state && one.person?.id === other.person?.id);
  const still = (face) => !before.has(face.id) || same(before.get(face.id), face);
  return say({ steps: [{ path: path_, ids, body }], shown, still, words: ([result]) => words(result), about: ids, back });
}

export const nameThem = (ids, name, given) => sayOf(ids, "/v1/faces/name", { name }, (r) => `Named ${settledBy(r, r.person.name)}`, given);
export const confirmThem = (ids, person, given) => sayOf(ids, "/v1/faces/confirm", { person: person.id }, (r) => `Confirmed ${settledBy(r, person.name)}`, given);
export const rejectThem = (ids, person, given) => sayOf(ids, "/v1/faces/reject", { person: person.id }, (r) => `Not ${person.name}: ${settledBy(r)}`, given);
export const ignoreThem = (ids, given) => sayOf(ids, "/v1/faces/ignore", {}, (r) => `Strangers: ${settledBy(r)}`, given);
export const askAgain = (ids) => sayOf(ids, "/v1/faces/reopen", {}, (r) => `To be asked about again: ${settledBy(r)}`);
export const showThem = (face, person) => say({ steps: [{ path: `/v1/faces/${face}/feature`, body: {} }], words: () => `This is ${person.name}’s picture now` });
export const notFaces = (ids, given) => sayOf(ids, "/v1/faces/not-a-face", {}, (r) => `Not faces: ${settledBy(r)}`, given);

/**
 * The bar for chosen faces. `person`: whose page this is. `offer`: which answers make sense here.
 * Gives {element, update(ids)}; `done` is called after an answer.
 */
export function faceBar({ person = () => null, offer, list, signal }) {
  const words = h("b");
  const bar = h("div", { class: "bar", role: "toolbar", "aria-label": "Chosen faces", hidden: true });
  const ids = () => list().chosen().map((face) => face.id);
  const act = (run) => () => {
    const chosen = ids();
    if (!chosen.length) return;
    list().clear();
    run(chosen);
  };
  const field = nameField({ label: "Who the chosen faces are", placeholder: "They are …", choose: ({ name }) => act((chosen) => nameThem(chosen, name))() });
  const all = {
    yes: ["Yes, that’s right", "y", act((chosen) => confirmThem(chosen, person()))],
    no: ["Somebody else", "n", act((chosen) => rejectThem(chosen, person()))],
    ignore: ["Strangers", "i", act(ignoreThem)],
    notFace: ["Not faces", "f", act(notFaces)],
    again: ["Ask again", "a", act(askAgain)],
    picture: ["Their picture", "p", act(([one]) => showThem(one, person())), (chosen) => chosen.length === 1 && list().chosen()[0].state === "confirmed"],
  };
  const answers = offer.map((key) => all[key]);
  const buttons = answers.map(([label, key, run]) => h("button", { type: "button", onclick: run }, label, " ", kbd(key.toUpperCase())));
  bar.append(words, h("div", { class: "popup" }, field), ...buttons,
    h("button", { type: "button", class: "plain", onclick: () => list().clear() }, "Clear"));
  const some = () => !bar.hidden;
  keys("Chosen faces", [
    ...answers.map(([label, key, run], i) => ({ keys: [key], label, run, when: () => some() && !buttons[i].hidden })),
    { keys: ["Enter", "t"], label: "Type who they are", run: () => field.input.focus(), when: some },
    { keys: ["Escape"], label: "Choose none", run: () => list().clear(), when: some, typing: true },
    { keys: [" ", "x"], label: "Choose a face", run() {}, when: () => false },
  ], signal);
  return { element: bar, update(chosen) {
    bar.hidden = !chosen.length;
    words.textContent = many(chosen.length, "face");
    answers.forEach(([, , , fits], i) => (buttons[i].hidden = fits ? !fits(chosen) : false));
  } };
}
