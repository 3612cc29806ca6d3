// Why a face is taken for somebody: the few known faces that made it so.

import { crop, get } from "./api.js";
import { ago, day, h, sureness } from "./dom.js";

/** A panel with a face beside the faces that speak for its name. */
export async function because(id) {
  const { face } = await get(`/v1/faces/${id}/explain`);
  const who = face.person ?? face.suggestion?.person;
  const tile = (other, words) => h("a", { class: "reason", href: `#/photo/${other.photo.id}?face=${other.id}` },
    h("img", { src: crop(other.id, 160), alt: "", width: 128, height: 128 }), h("span", {}, words), h("small", {}, day(other.photo.taken)));
  return h("section", { class: "why", "aria-label": "Why" },
    h("h2", {}, who && !face.person ? `Why ${who.name}?` : who ? `Why it says ${who.name}` : "What Kith knows"),
    h("div", { class: "side-by-side" },
      tile(face, face.suggestion ? `${sureness(face.suggestion.probability_group)} sure` : "this face"),
      face.because.length > 0 && h("span", { class: "like", "aria-hidden": "true" }, "≈"),
      face.because.map((other) => tile(other, [other.person?.name, other.similarity && `${other.similarity.toFixed(2)} alike`].filter(Boolean).join(", ")))),
    face.not.length > 0 && h("p", {}, `Ruled out: ${face.not.join(", ")}.`),
    face.said.length > 0 && h("ul", { class: "said-before" }, face.said.map((act) => h("li", {}, `${saidBy(act)} · ${ago(act.at)}`))));
}

const SOURCES = { person: "you", sidecar: "a sidecar", digikam: "digiKam" };

/** Who gave an answer: a person here, or which other program. */
export const sayer = (act) => SOURCES[act.source] ?? act.source;

const saidBy = (act) => `${act.words} (${sayer(act)})`;
