// The page's frame: which view is shown, what Kith is doing, whether it is there.

import { get, link, post } from "./api.js";
import { tell, undo, unsent } from "./answers.js";
import { count, empty, fill, h, kbd, many, settled, span } from "./dom.js";
import { doing, follow, on } from "./events.js";
import { help, keys } from "./keys.js";

const VIEWS = [
  ["review", "Review", () => import("./review.js").then((m) => m.review)],
  ["people", "People", () => import("./everybody.js").then((m) => m.everybody)],
  ["photos", "Photos", () => import("./photos.js").then((m) => m.photos)],
  ["faces", "Other faces", () => import("./others.js").then((m) => m.others)],
  ["activity", "Activity", () => import("./activity.js").then((m) => m.activity)],
];
const INNER = {
  person: ["people", () => import("./person.js").then((m) => m.person)],
  doubts: ["people", () => import("./doubts.js").then((m) => m.doubts)],
  photo: ["photos", () => import("./photo.js").then((m) => m.photo)],
};

const main = document.getElementById("main");
let leave = new AbortController();

/** "#/person/p3?face=f8" -> ["person", {id: "p3", face: "f8"}] */
function route() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const [name = "", id = ""] = path.split("/");
  return [name || "review", { id: decodeURIComponent(id), ...Object.fromEntries(new URLSearchParams(query)) }];
}

async function show() {
  leave.abort();
  document.getElementById("help")?.hidePopover();
  leave = new AbortController();
  const { signal } = leave;
  const [name, params] = route();
  const [, title, load] = VIEWS.find(([view]) => view === name) ?? [];
  const [parent, loadInner] = INNER[name] ?? [name];
  const loader = load ?? loadInner;
  for (const a of document.querySelectorAll("#views a")) {
    if (a.dataset.view === parent) a.setAttribute("aria-current", "page");
    else a.removeAttribute("aria-current");
  }
  document.title = title ? `${title} · Kith` : "Kith";
  main.dataset.view = name;
  if (!loader) main.removeAttribute("aria-busy");
  if (!loader) return main.replaceChildren(empty("There is nothing here", "This address leads nowhere.", h("a", { class: "button", href: "#/review" }, "To the questions")));
  main.setAttribute("aria-busy", "true");
  try {
    const view = await loader();
    if (!signal.aborted) await view(main, params, signal);
  } catch (error) {
    if (signal.aborted || error.name === "AbortError") return;
    if (link.state === "there") console.error(error);
    main.replaceChildren(empty("This can’t be shown now", error.message, h("button", { type: "button", class: "primary", onclick: show }, "Try again")));
  } finally {
    if (!signal.aborted) {
      main.removeAttribute("aria-busy");
      if (!main.contains(document.activeElement)) main.querySelector("h1")?.focus({ preventScroll: true });
    }
  }
}

// -- what Kith is doing -------------------------------------------------------------------------------------------

async function showDoing() {
  const { counts, doing: now } = await get("/v1/status");
  const { stage, paused_by: pausedBy, problem } = now;
  const paused = pausedBy.length > 0;
  const words = problem ? problem.message
    : stage ? `${stage.title}${stage.total ? ` · ${count(stage.done)} of ${count(stage.total)}` : ""}`
      : paused ? "Paused"
        : `${many(counts.photos, "photo")}, ${many(counts.people, "person", "people")}`;
  const rate = stage && stage.seconds_left ? ` · ${stage.per_second.toFixed(stage.per_second < 3 ? 1 : 0)}/s · ${span(stage.seconds_left)} left` : "";
  const box = document.getElementById("doing");
  const pause = stage || paused ? h("button", {
    type: "button", class: "icon", "aria-label": paused ? "Go on" : "Pause", title: paused ? "Go on" : "Pause",
    onclick: () => post(paused ? "/v1/resume" : "/v1/pause").then(showDoing, (error) => tell(error.message, { error: true })),
  }, paused ? "▶" : "❚❚") : null;
  const hadFocus = box.contains(document.activeElement);
  fill(box, [...[
    counts.trouble > 0 && h("a", { href: "#/activity", class: "warn" }, many(counts.trouble, "problem")),
    h("a", { href: "#/activity", class: problem ? "warn words" : "words" }, words, h("span", { class: "rate" }, rate)),
    stage?.total && h("progress", { max: stage.total, value: stage.done, "aria-label": stage.title }),
    pause,
  ].filter(Boolean)]);
  if (hadFocus) box.querySelector("button")?.focus();
}

function showLink() {
  const words = {
    there: [],
    lost: ["Kith doesn’t answer. ", unsent() ? `${many(unsent(), "answer")} will be sent when it is back.` : "This page goes on as soon as it is back."],
    out: ["This login is over. Run ", h("code", {}, "kith review"), " to open the page again."],
  };
  fill(document.getElementById("lost"), [...words[link.state]]);
  document.body.classList.toggle("away", link.state !== "there");
}

fill(document.getElementById("views"), [
  ...VIEWS.map(([name, title], i) => h("a", { href: `#/${name}`, dataset: { view: name }, title: `${title} (G ${i + 1})` }, title)),
  h("button", { type: "button", class: "icon", onclick: help, "aria-label": "Keys", title: "Keys (?)" }, kbd("?"))]);
document.getElementById("skip").addEventListener("click", () => main.focus());
keys("Everywhere", [
  { keys: ["?"], label: "Show or hide the keys", run: help, typing: true, when: () => !document.activeElement.value },
  { keys: ["u", "ctrl+z"], label: "Undo the last answer", run: undo },
  { keys: ["g"], label: "Go: then 1 Review, 2 People, 3 Photos, 4 Other faces, 5 Activity", run: go },
]);

function go() {
  addEventListener("keydown", (event) => {
    const view = VIEWS[Number(event.key) - 1];
    if (!view) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    location.hash = `#/${view[0]}`;
  }, { capture: true, once: true });
}

addEventListener("hashchange", show);
link.addEventListener("change", () => {
  showLink();
  if (link.state === "there" && main.querySelector(".empty")) show();
});
const soon = settled(() => showDoing().catch(() => {}), 200, 1000);
on(["status", "analysed", "person", "photo", "gone"], soon);
// how far something is changes without an event
setInterval(() => doing()?.stage && document.visibilityState === "visible" && soon(), 1500);
follow();
soon();
show();
