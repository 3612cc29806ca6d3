// A doubt: an answer that looks wrong, the faces that tell so, and what can be said of it.

import { crop, faces as inFull, get } from "./api.js";
import { answered, seen } from "./answers.js";
import { day, h, kbd } from "./dom.js";
import { confirmThem, ignoreThem, nameThem, notFaces, rejectThem } from "./faces.js";

const LATE = 20_000; // ms by which Kith's doubts may be older than an answer that was given here

/** Whether a doubt that was told at `asOf` was not answered here. */
export const isOpen = (doubt, asOf) => !answered(doubt.face, asOf - LATE);

/** How many answers look wrong, without those that were answered here. */
export async function howMany(signal) {
  const asOf = performance.now();
  const { doubts, total } = await get("/v1/doubts", { limit: 500 }, signal);
  return total - doubts.filter((doubt) => !isOpen(doubt, asOf)).length;
}

/** Those doubts, as told at `asOf`, whose answer still stands; each with its face in full as `shown`. */
export async function standing(doubts, asOf) {
  const open = doubts.filter((doubt) => isOpen(doubt, asOf));
  const found = open.length ? await inFull(open.map((doubt) => doubt.face)) : [];
  seen(found);
  return open.map((doubt, i) => ({ ...doubt, shown: found[i] }))
    .filter((doubt) => doubt.shown.state === "confirmed" && doubt.shown.person.id === doubt.person.id && isOpen(doubt, asOf));
}

/** What can be said of a doubt; `back(undone)` is called when that could not be given, or is taken back. */
export function answersTo({ person, shown }, back) {
  const given = { shown: [shown], back };
  return {
    keep: () => confirmThem([shown.id], person, given),
    name: (name) => nameThem([shown.id], name, given),
    other: () => rejectThem([shown.id], person, given),
    stranger: () => ignoreThem([shown.id], given),
    notFace: () => notFaces([shown.id], given),
  };
}

/** "Named Anna, but looks more like Ben" */
export const doubtWords = ({ person, nearer }) =>
  `Named ${person.name}, but looks ${nearer ? `more like ${nearer.name}` : `unlike the other faces of ${person.name}`}`;

const FACES = { small: [96, 64], large: [256, 84] };

/** Faces to compare with: [[whose, ids]], where `ids` are null as long as they aren't known. */
export function besides(beside, size) {
  const [, small] = FACES[size];
  return beside.filter(([, ids]) => ids?.length !== 0).map(([whose, ids]) => h("figure", {},
    h("figcaption", {}, whose),
    h("div", { class: "strip" }, (ids ?? []).map((id) => h("img", { src: crop(id, small), alt: "", width: small, height: small })))));
}

/**
 * A doubt to be answered: `give(answer)` is called with a function of what `answersTo` gives. `beside` as `besides` has
 * it. `size`: "large" has the keys on its buttons.
 */
export function doubtCard(doubt, { size, beside, give }) {
  const { person, nearer, shown } = doubt;
  const [side] = FACES[size];
  const answer = (label, key, run) => h("button", { type: "button", onclick: () => give(run) }, label, size === "large" && [" ", kbd(key)]);
  return h("article", { class: `doubt ${size}` },
    h("a", { href: `#/photo/${shown.photo.id}?face=${shown.id}` },
      h("img", { src: crop(shown.id, side), alt: `Named ${person.name}, ${day(shown.photo.taken)}`, width: side, height: side })),
    h("div", { class: "looks" }, besides(beside, size)),
    h("div", { class: "actions" },
      answer(`It is ${person.name}`, "Y", (say) => say.keep()),
      nearer && answer(`It’s ${nearer.name}`, "1", (say) => say.name(nearer.name)),
      answer("Somebody else", "N", (say) => say.other())));
}
