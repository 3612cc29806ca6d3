// Faces that aren't anybody's: those nobody asked about yet, strangers, and what is no face. Every answer can be changed.

import { onSaid } from "./answers.js";
import { empty, h, settled, year } from "./dom.js";
import { on } from "./events.js";
import { faceBar, faceWall, outline } from "./faces.js";
import { keys } from "./keys.js";

const KINDS = [
  ["unknown", "Seen once", ["ignore", "notFace"], "Faces that look like nobody else’s.", "There is no face that was seen only once."],
  ["grouped", "Without a name", ["ignore", "notFace"], "Faces of people met more than once; Review asks about them, the most frequent first.", "Everybody who was met more than once has a name."],
  ["ignored", "Strangers", ["again", "notFace"], "You said: strangers. Kith doesn’t ask about them. Choose some to say who they are, or to be asked again.", "You called nobody a stranger yet."],
  ["not-a-face", "Not faces", ["again", "ignore"], "Boxes you deleted, since they hold no face. Choose some to say who they are, or to be asked again.", "You called nothing “not a face” yet."],
];

export async function others(main, { id }, signal) {
  const [state, title, offer, words, nothing] = KINDS.find(([kind]) => kind === id) ?? KINDS[0];
  const bar = faceBar({ offer, list: () => wall, signal });
  const wall = faceWall({ label: title, side: 112, choose: bar.update, signal });
  const heading = h("h1", { tabindex: "-1" }, "Other faces");
  const about = h("p", { class: "about" });
  const tabs = h("nav", { class: "tabs", "aria-label": "Kinds of faces" }, KINDS.map(([kind, label]) => h("a", { class: "button", href: `#/faces/${kind}`, "aria-current": kind === state ? "page" : null }, label)));
  main.replaceChildren(h("header", { class: "page-head" }, h("div", {}, heading, about)), tabs, wall.element, bar.element);

  async function read() {
    const found = (await outline({ state }, signal)).toReversed();
    if (signal.aborted) return;
    about.textContent = found.length ? words : nothing;
    wall.show([...Map.groupBy(found, (face) => year(face.taken))].map(([when, items]) => ({ title: `${when}`, items })));
  }

  await read();
  const again = settled(() => signal.aborted || read().catch(() => {}), 300, 2500);
  on(["names", "answer", "analysed", "gone"], again, signal);
  onSaid(again, signal);
  keys("Other faces", [
    { keys: ["ArrowDown"], label: "Walk over the faces; Space chooses", run: () => wall.element.querySelector(".tile[tabindex='0']")?.focus(), when: () => !wall.element.contains(document.activeElement) },
  ], signal);
}
