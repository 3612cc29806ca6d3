// A photo with the faces on it.

import { get, picture } from "./api.js";
import { day, fileName, h } from "./dom.js";
import { on } from "./events.js";

const cache = new Map();

/** A photo by number; what was read lately is kept for a moment. */
export function photo(id, fresh = false) {
  const kept = cache.get(id);
  if (kept && !fresh && performance.now() - kept.at < 20000) return kept.promise;
  const promise = get(`/v1/photos/${id}`).then((told) => told.photo);
  cache.set(id, { promise, at: performance.now() });
  promise.catch(() => cache.delete(id));
  if (cache.size > 60) cache.delete(cache.keys().next().value);
  return promise;
}

on(["names", "analysed", "photo"], (event) => (event.photo === null ? cache.clear() : cache.delete(event.photo)));
on(["answer", "person", "gone"], () => cache.clear());

export function preload(id, size) {
  photo(id).catch(() => {});
  new Image().src = picture(id, size);
}

/** Who a face is or may be, as one says it. */
export function called(face) {
  if (face.person) return face.person.name;
  if (face.state === "ignored") return "stranger";
  if (face.state === "not-a-face") return "not a face";
  return face.suggestion ? `${face.suggestion.person.name}?` : "";
}

export function place(element, { x, y, w, h: tall }) {
  const values = { left: x - w / 2, top: y - tall / 2, width: w, height: tall };
  for (const [name, value] of Object.entries(values)) element.style.setProperty(name, `${100 * value}%`);
}

/** The photo with a box round each face; the one that is asked about stands out. `named: false` leaves the others bare. */
export function pane(known, { face = null, size = 1024, href = null } = {}) {
  const boxes = known.faces.filter((other) => other.state !== "not-a-face" || other.id === face).map((other) => {
    const words = called(other);
    const box = h("span", { class: `box ${other.id === face ? "asked" : ""} ${other.state}` }, words && other.id !== face && h("b", {}, words));
    place(box, other.box);
    return box;
  });
  const image = h("img", { src: picture(known.id, size), alt: `The photo ${fileName(known.path)}`, width: known.width, height: known.height, decoding: "async" });
  const frame = h(href ? "a" : "div", { class: "frame", href, vars: { "--ratio": known.width / known.height } }, image, boxes);
  image.addEventListener("error", () => frame.classList.add("broken"));
  return frame;
}

/** When and where a photo was taken, and with whom. */
export function caption(known, face = null) {
  const others = known.faces.filter((other) => other.id !== face && other.person).map((other) => other.person.name);
  const people = [...new Set([...others, ...known.present.map((there) => there.name)])];
  return h("figcaption", {},
    h("span", {}, day(known.taken)),
    people.length > 0 && h("span", {}, `with ${people.join(", ")}`),
    h("span", { class: "path", title: known.path }, fileName(known.path)));
}
