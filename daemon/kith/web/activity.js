// Activity: what Kith does, how long still, what went wrong, what was said, with which models, in which folders.

import { all, get, post } from "./api.js";
import { onSaid, tell } from "./answers.js";
import { ago, count, fileName, fill, h, many, settled, span } from "./dom.js";
import { on } from "./events.js";
import { keys } from "./keys.js";
import { choose } from "./welcome.js";
import { sayer } from "./why.js";

const PAGE = 30; // answers shown at once

export async function activity(main, { id }, signal) {
  if (id === "folders") return choose(main, "#/activity");
  const now = h("section", { class: "now" });
  const trouble = h("section");
  const disputes = h("section");
  const history = h("section");
  const models = h("section");
  const folders = h("section");
  const choices = h("section");
  showSettings(await get("/v1/settings", {}, signal));
  let shown = PAGE;
  main.replaceChildren(h("h1", { tabindex: "-1" }, "Activity"), h("div", { class: "activity" }, h("div", {}, now, trouble, disputes, history), h("div", {}, folders, choices, models)));

  const act = (path, body = {}) => () => post(path, body).then(read, (error) => tell(error.message, { error: true }));

  let presses = 0; // of the key or the button,
  let heard = 0; // and how many of them Kith knows of: what it said before tells nothing of the others
  let saying = Promise.resolve();

  function pause() {
    now.paused = !now.paused;
    presses += 1;
    const path = now.paused ? "/v1/pause" : "/v1/resume";
    saying = saying.then(() => post(path)).catch((error) => tell(error.message, { error: true })).then(() => { heard += 1; });
    return saying.then(read);
  }

  async function showNow() {
    const asOf = heard;
    const { counts, doing } = await get("/v1/status", {}, signal);
    const { stage, paused_by: pausedBy, problem, roots } = doing;
    const paused = pausedBy.includes("you");
    const why = pausedBy.filter((reason) => reason !== "you");
    const title = stage ? stage.title : pausedBy.length ? "Paused" : "Nothing to do";
    const words = stage ? [
      stage.total ? `${count(stage.done)} of ${count(stage.total)}` : `${count(stage.done)} so far`,
      stage.per_second > 0 && `${stage.per_second.toFixed(1)} a second`, stage.seconds_left && `about ${span(stage.seconds_left)} left`]
      : [why.length ? `because of ${why.join(" and ")}` : pausedBy.length ? "Answers are still taken." : "Kith waits for new photos."];
    const focused = now.contains(document.activeElement);
    fill(now, [
      h("div", { class: "row-between" }, h("div", {}, h("p", { class: "big" }, title), h("p", { class: "about" }, words.filter(Boolean).join(" · "))),
        h("button", { type: "button", onclick: pause }, paused ? "Go on" : "Pause", " ", h("kbd", {}, "P"))),
      stage?.total && h("progress", { max: stage.total, value: stage.done, "aria-label": stage.title }),
      problem && h("p", { class: "error" }, problem.message),
      h("dl", { class: "figures" }, [["photos", counts.photos], ["looked at", counts.analysed], ["faces", counts.faces], ["people", counts.people]].map(([label, value]) => h("div", {}, h("dt", {}, label), h("dd", {}, count(value)))))]);
    if (focused) now.querySelector("button").focus({ preventScroll: true });
    if (asOf === presses) now.paused = paused;
    showFolders(roots);
  }

  function showFolders(roots) {
    if (folders.told === JSON.stringify(roots)) return;
    folders.told = JSON.stringify(roots);
    fill(folders, [h("h2", {}, "Folders"),
      h("ul", { class: "lines" }, roots.map((root) => h("li", {}, h("span", { class: "path" }, root.path), !root.online && h("small", { class: "warn" }, "not there now; nothing is forgotten"),
        h("span", { class: "actions" },
          h("button", { type: "button", class: "plain", onclick: act("/v1/rescan", { paths: [root.path], mode: "new" }), "aria-label": `Look again: ${root.path}` }, "Look again"),
          h("button", { type: "button", class: "plain", onclick: () => leave(root.path), "aria-label": `Remove: ${root.path}` }, "Remove"))))),
      roots.length === 0 && h("p", { class: "quiet" }, "Kith watches no folder yet."),
      h("p", { class: "quiet" }, "A folder that is removed isn’t watched any more. Nothing is forgotten: its photos, names and sidecars stay as they are."),
      h("p", {}, h("a", { class: "button", href: "#/activity/folders" }, "Add a folder ", h("kbd", {}, "A")))]);
  }

  const leave = (path) => post("/v1/folders/remove", { paths: [path] }).then(() => {
    tell(`${path} isn’t watched any more. Nothing of it is forgotten.`);
    showNow();
  }, (error) => tell(error.message, { error: true }));

  /** What people want to change; the rest is in the file. */
  function showSettings({ settings: now, file }) {
    const change = (section, key, value) => post("/v1/settings", { settings: { [section]: { [key]: value } } }).then((told) => {
      showSettings(told);
      tell("Changed.");
    }, (error) => {
      showSettings({ settings: now, file });
      tell(error.message, { error: true });
    });
    const tick = (section, key, label, note) => h("label", { class: "setting" },
      h("input", { type: "checkbox", checked: now[section][key], onchange: (event) => change(section, key, event.target.checked) }), h("span", {}, label, h("small", {}, note)));
    fill(choices, [h("h2", {}, "Settings"),
      h("label", { class: "setting" }, h("span", {}, "Names that Kith gives by itself", h("small", {}, "It asks about the rest")),
        h("select", { onchange: (event) => change("people", "auto", event.target.value) }, Object.entries(AUTO).map(([value, label]) => h("option", { value, selected: now.people.auto === value }, label)))),
      h("label", { class: "setting" }, h("span", {}, "Ask about somebody met", h("small", {}, "Fewer times: more strangers")),
        h("select", { onchange: (event) => change("people", "min_faces", Number(event.target.value)) }, [1, 2, 3, 5, 10].map((n) => h("option", { value: n, selected: now.people.min_faces === n }, n === 1 ? "once" : `${n} times`)))),
      tick("sidecars", "write", "Write names into sidecars", "Beside the photos, for other programs"),
      tick("neighbour", "pause_on_battery", "Pause on battery", "Answers are taken all the same"),
      h("p", { class: "quiet" }, "All settings are in ", h("code", { class: "path" }, file), ".")]);
  }

  async function showTrouble() {
    const found = await all("/v1/trouble", "trouble");
    fill(trouble, [h("h2", {}, found.length ? `${many(found.length, "file")} with a problem` : "No problems")]);
    trouble.hidden = !found.length;
    const causes = Map.groupBy(found, (one) => one.code);
    for (const [code, some] of causes) {
      trouble.append(h("details", { open: some.length < 6 }, h("summary", {}, `${CAUSES[code] ?? code} (${count(some.length)})`),
        h("ul", { class: "lines" }, some.slice(0, 200).map((one) => h("li", {}, h("span", {}, h("b", { title: one.path }, fileName(one.path)), h("small", {}, one.message))))),
        h("button", { type: "button", onclick: act("/v1/rescan", { paths: some.slice(0, 1000).map((one) => one.path), mode: "again" }) }, "Try again")));
    }
  }

  async function showDisputes() {
    const told = await get("/v1/disputes", {}, signal);
    disputes.hidden = !told.faces.length && !told.present.length;
    disputes.replaceChildren(h("h2", {}, "Names that another program took away"), h("ul", { class: "lines" }, told.faces.map((face) => h("li", {},
      h("img", { src: `/v1/faces/${face.id}/crop?size=96`, alt: "", width: 48, height: 48 }), h("span", {}, face.person?.name ?? "", h("small", { class: "path" }, face.photo.path)),
      h("button", { type: "button", onclick: act(`/v1/faces/${face.id}/confirm`) }, "Keep the name"), h("button", { type: "button", onclick: act(`/v1/faces/${face.id}/reject`) }, "Let it go"))),
    told.present.map((there) => h("li", {}, h("span", {}, there.person.name, h("small", { class: "path" }, there.path)),
      h("button", { type: "button", onclick: () => onPhoto(there, "tag") }, "Keep the name"), h("button", { type: "button", onclick: () => onPhoto(there, "untag") }, "Let it go")))));
  }

  /** A name without a face, on the photo at some path. */
  async function onPhoto({ person, path }, verb) {
    const { photos: [photo] } = await post("/v1/photos/lookup", { paths: [path] });
    if (photo.id !== null) await act(`/v1/photos/${photo.id}/${verb}`, { name: person.name })();
  }

  async function showHistory() {
    const told = await get("/v1/history", { limit: Math.min(500, shown) }, signal);
    // what is the same stays where it is, under the pointer of whoever is about to click
    if (history.told === JSON.stringify(told)) return;
    history.told = JSON.stringify(told);
    const words = new Map(told.acts.map((one) => [one.id, shorter(one.words)]));
    const saying = (one) => (words.has(one.undoes) ? `took back: ${words.get(one.undoes)}` : words.get(one.id));
    fill(history, [h("h2", {}, "What was said"),
      told.acts.length === 0 && h("p", { class: "quiet" }, "Nothing yet. Every answer will be listed here, and can be taken back."),
      h("ol", { class: "lines" }, told.acts.map((one) => h("li", { class: one.live ? "" : "gone" },
        h("span", {}, h("span", { class: "words" }, saying(one)), h("small", {}, `${sayer(one)} · ${ago(one.at)}${one.answers > 1 ? ` · ${many(one.answers, "answer")}` : ""}${one.live ? "" : " · taken back"}`)),
        one.live && one.source !== "sidecar" && h("button", { type: "button", class: "plain", onclick: act("/v1/undo", { act: one.id }), "aria-label": `${one.undoes ? "Redo" : "Undo"}: ${saying(one)}` }, one.undoes ? "Redo" : "Undo")))),
      told.cursor && h("button", { type: "button", onclick: () => { shown += 4 * PAGE; showHistory(); } }, "Show more")]);
  }

  async function showModels() {
    const told = await get("/v1/models", {}, signal);
    fill(models, [h("h2", {}, "Models"), h("ul", { class: "lines" }, told.models.map((one) => h("li", {},
      h("span", {}, one.id ?? one.name, h("small", {}, one.licence ?? one.license ?? one.title ?? "")),
      one.in_use ? h("small", { class: "in-use" }, "in use") : one.installed ? h("button", { type: "button", onclick: act("/v1/models/use", { pack: one.id ?? one.name }) }, "Use") : h("button", { type: "button", onclick: act("/v1/models/install", { pack: one.id ?? one.name }) }, "Install"))))]);
  }

  const guarded = (part) => part().catch((error) => error.name === "AbortError" || tell(error.message, { error: true }));
  const read = () => (signal.aborted ? null : Promise.all([showNow, showTrouble, showDisputes, showHistory, showModels].map(guarded)));
  await read();
  on(["status", "analysed", "photo"], settled(() => signal.aborted || guarded(showNow), 200, 1000), signal);
  on(["answer", "names", "gone"], settled(() => signal.aborted || Promise.all([showHistory, showDisputes].map(guarded)), 400, 2000), signal);
  on(["status"], settled(() => signal.aborted || guarded(showTrouble), 1500, 5000), signal);
  const tick = setInterval(() => document.visibilityState === "visible" && guarded(showNow), 2000);
  signal.addEventListener("abort", () => clearInterval(tick));
  onSaid(read, signal);
  keys("Activity", [
    { keys: ["p"], label: "Pause or go on", run: pause },
    { keys: ["a"], label: "Add a folder", run: () => { location.hash = "#/activity/folders"; } },
  ], signal);
}

const AUTO = { off: "none", strict: "the surest: 1 in 200 is wrong", wide: "more: 1 in 50 is wrong" };
const CAUSES = {
  "photo-unreadable": "Can’t be read as pictures", "photo-too-large": "Larger than the settings allow", "worker-died": "Crashed the program that reads pictures",
  "sidecar-malformed": "Sidecars that aren’t valid XMP; Kith leaves them alone", "file-busy": "In use by another program; Kith tries again", "permission-denied": "Not Kith’s to read or write",
  "disk-full": "The disk is full", "sidecar-changed": "Changed meanwhile; Kith tries again",
};

/** Long lists of ids say nothing to a person. */
const shorter = (words) => {
  const ids = words.match(/\b[fg]\d+\b/g) ?? [];
  return ids.length > 2 ? words.replace(/(\b[fg]\d+\b ?)+/, `${ids.length} faces `).trim() : words;
};
