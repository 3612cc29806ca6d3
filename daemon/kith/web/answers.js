// Saying something: at once for whoever looks, in order for Kith, and never lost while Kith is away.

import { Lost, Refused, faces, link, post } from "./api.js";
import { fill, h, kbd, many } from "./dom.js";
import { remember } from "./people.js";

const changed = new EventTarget();
const waiting = [];
const undoable = [];
const revs = new Map();
let busy = false;

/** Called whenever something was said or taken back. */
export function onSaid(listener, signal) {
  changed.addEventListener("said", (event) => listener(event.detail), { signal });
}

/** When the last answer about a face arrived at Kith; on its way: never. */
const arrived = new Map();

/** Whether a face was answered here without that being known yet to somebody who looked at a time. */
export const answered = (face, asOf = performance.now()) => (arrived.get(face) ?? -Infinity) > asOf;

/** The newest revision of each photo that was seen. */
export function seen(some) {
  for (const { photo } of some) revs.set(photo.id, Math.max(photo.rev, revs.get(photo.id) ?? 0));
}

/** Whether nobody answered a face; what Kith thinks of it meanwhile is no answer. */
export const unanswered = (face) => ["unknown", "grouped", "suggested", "auto"].includes(face.state);

/** Ids as an answer gives them: with the revision at which the face was seen, where it was. */
const marked = (ids, known) => ids.map((id) => (known.has(id) ? { id, rev: revs.get(known.get(id)) } : { id }));

/**
 * Say something of faces.
 *
 * `steps` are calls [{path, ids?, body}], done one after the other and taken back together; `ids` become their `faces`.
 * `shown` are the faces as they were seen, `still(face)` tells whether a face is what it was then. `words(results)`
 * tells what was settled; `back(undone)` is called when the answer could not be given, or (`undone`) is taken back.
 */
export function say({ steps, shown = [], still = () => true, words, back = () => {}, about = [] }) {
  for (const id of about) arrived.set(id, Infinity);
  const given = { steps, shown, still, words, back, about, acts: [], results: [] };
  waiting.push(given);
  const promise = new Promise((resolve) => (given.resolve = resolve));
  work();
  return promise;
}

async function work() {
  if (busy) return;
  busy = true;
  while (waiting.length) {
    const given = waiting[0];
    try {
      await give(given);
      for (const id of given.about) arrived.set(id, performance.now());
      undoable.push(given);
      if (undoable.length > 200) undoable.shift();
      tell(given.words(given.results), { undo: true });
      given.resolve(given.results.at(-1));
    } catch (error) {
      if (error instanceof Lost) break;
      withdraw(given, false);
      tell(error.message, { error: true });
      given.resolve(null);
    }
    waiting.shift();
    changed.dispatchEvent(new CustomEvent("said"));
  }
  busy = false;
}

async function give(given) {
  const known = new Map(given.shown.map((face) => [face.id, face.photo.id]));
  while (given.results.length < given.steps.length) {
    const step = given.steps[given.results.length];
    const body = typeof step.body === "function" ? step.body(given.results) : step.body;
    const result = await insist(step, body, known, given);
    for (const { id, rev } of result.photos) revs.set(id, rev);
    if (result.person) remember(result.person.id);
    given.results.push(result);
    given.acts.push(result.act);
  }
}

/** A photo's revision also moves when somebody else on it is named: look again, and go on if these faces are as seen. */
async function insist(step, body, known, given) {
  for (let again = 0; ; again++) {
    try {
      return await post(step.path, step.ids ? { ...body, faces: marked(step.ids, known) } : body);
    } catch (error) {
      if (!(error instanceof Refused) || error.code !== "stale" || again > 5) throw error;
      const now = await faces(step.ids ?? []);
      if (!now.length || !now.every(given.still)) throw new Refused({ code: "stale", message: "Somebody answered this meanwhile, elsewhere. Nothing was changed." });
      for (const { photo } of now) revs.set(photo.id, photo.rev);
    }
  }
}

function withdraw(given, undone) {
  for (const id of given.about) arrived.delete(id);
  given.back(undone);
}

/** Take back the last thing said in this page, or else the last thing anybody said. */
export async function undo() {
  if (waiting.length) return tell("One moment: the last answer is still on its way.");
  const given = undoable.pop();
  try {
    if (!given) {
      const { undone } = await post("/v1/undo");
      tell(`Taken back: ${undone.words}`);
    } else {
      while (given.acts.length) {
        const { photos } = await post("/v1/undo", { act: given.acts.at(-1) });
        for (const { id, rev } of photos) revs.set(id, rev);
        given.acts.pop();
      }
      withdraw(given, true);
      tell("Taken back.");
    }
  } catch (error) {
    if (given?.acts.length) undoable.push(given);
    tell(error.message, { error: true });
  }
  changed.dispatchEvent(new CustomEvent("said"));
}

export const canUndo = () => undoable.length > 0;
export const unsent = () => waiting.length;

link.addEventListener("change", () => link.state === "there" && work());
setInterval(() => waiting.length && work(), 3000);
addEventListener("beforeunload", (event) => waiting.length && event.preventDefault());

let silence = 0;

/** A sentence at the foot of the page, which is read aloud too. */
export function tell(words, { undo: takesBack = false, error = false } = {}) {
  const line = document.getElementById("said");
  line.className = error ? "error" : "";
  fill(line, [h("span", {}, words),
    takesBack && h("button", { type: "button", onclick: undo }, "Undo ", kbd("U"))]);
  clearTimeout(silence);
  silence = setTimeout(() => line.replaceChildren(), error ? 12000 : 8000);
}

/** "14 faces of Marie Curie in 12 photos" */
export const settledBy = (result, name) =>
  `${many(result.faces, "face")}${name ? ` of ${name}` : ""}${result.photos.length > 1 ? ` in ${many(result.photos.length, "photo")}` : ""}`;
