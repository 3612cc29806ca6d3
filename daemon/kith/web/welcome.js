// First run: which folders, and the first faces as they come.

import { crop, get, post } from "./api.js";
import { count, fill, h, settled, span } from "./dom.js";
import { doing, on } from "./events.js";

const MOST = 60; // faces on the first wall

export function firstFaces(main, signal, { counts, now }) {
  if (!now.roots.length) return choose(main);
  const heading = h("h1", { tabindex: "-1" }, "Looking at your photos");
  const words = h("p", { class: "about", role: "status" });
  const wall = h("div", { class: "tiles first" });
  wall.style.setProperty("--side", "112px");
  main.replaceChildren(h("section", { class: "first-run" }, heading, words, wall));
  const seen = new Set();
  const waiting = [];

  async function show() {
    const status = doing();
    const stage = status?.stage;
    const { counts: have } = await get("/v1/status", {}, signal);
    heading.textContent = status?.problem ? "Something is in the way" : "Looking at your photos";
    words.textContent = status?.problem ? status.problem.message
      : `${count(have.faces)} faces on ${count(have.analysed)} of ${count(have.photos)} photos so far.`
        + (stage?.seconds_left ? ` About ${span(stage.seconds_left)} left.` : "")
        + " The first question comes as soon as the same face was seen twice.";
    for (const id of waiting.splice(0, 12)) {
      if (seen.size >= MOST) break;
      const { photo } = await get(`/v1/photos/${id}`, {}, signal).catch(() => ({ photo: { faces: [] } }));
      for (const face of photo.faces) {
        if (seen.has(face.id) || seen.size >= MOST) continue;
        seen.add(face.id);
        wall.append(h("a", { class: "tile new", href: `#/photo/${id}?face=${face.id}`, "aria-label": "A face" }, h("img", { src: crop(face.id, 112), alt: "", width: 112, height: 112 })));
      }
    }
  }

  const soon = settled(() => signal.aborted || !wall.isConnected || show().catch(() => {}), 100, 600);
  on(["analysed"], (event) => {
    if (event.photo !== null) waiting.push(event.photo);
    soon();
  }, signal);
  on(["status"], soon, signal);
  get("/v1/faces", { order: "id", limit: 24 }, signal).then(({ faces }) => {
    waiting.push(...new Set(faces.map((face) => face.photo.id)));
    soon();
  }, () => {});
  if (counts.analysed) soon();
  else words.textContent = now.problem ? now.problem.message : "The first faces appear here in a moment.";
}

/** Which folders hold the photos? */
export function choose(main, home = "#/review") {
  const field = h("input", { type: "text", id: "folder", placeholder: "/home/you/Pictures", autocomplete: "off", spellcheck: "false", enterkeyhint: "go" });
  const problem = h("p", { class: "error", role: "alert" });
  const places = h("div", { class: "actions" });
  const watch = async (path) => {
    if (!path.startsWith("/")) return problem.textContent = "Write the whole path, beginning with a slash: /home/you/Pictures";
    try {
      await post("/v1/folders", { paths: [path] });
      problem.textContent = "";
      if (location.hash !== home) location.hash = home;
      else dispatchEvent(new HashChangeEvent("hashchange"));
    } catch (error) {
      problem.textContent = error.message;
    }
  };
  const form = h("form", {
    class: "folder-form",
    onsubmit: (event) => {
      event.preventDefault();
      if (field.value.trim()) watch(field.value.trim());
    },
  }, h("label", { for: "folder" }, "Folder with photos"), h("div", {}, field, h("button", { type: "submit", class: "primary" }, "Look here")));
  main.replaceChildren(h("section", { class: "empty" }, h("h1", { tabindex: "-1" }, "Where are your photos?"),
    h("p", {}, "Kith finds the people on them, here on this machine. It never changes a photo; names go into sidecar files beside them."), places, form, problem));
  get("/v1/folders").then(({ usual = [] }) => fill(places, [...usual.map((path) => h("button", { type: "button", onclick: () => watch(path) }, path))]), () => {});
  field.focus();
}
