// A photo: who is on it, who said so and why; boxes can be drawn and moved.

import { crop, get, picture, post } from "./api.js";
import { onSaid, say, seen, settledBy, tell } from "./answers.js";
import { ago, day, fileName, fill, folderOf, h, kbd, sureness, settled } from "./dom.js";
import { on } from "./events.js";
import { confirmThem, ignoreThem, nameThem, notFaces, path, rejectThem } from "./faces.js";
import { keys, typing } from "./keys.js";
import { called, place, preload } from "./pane.js";
import { nameField } from "./people.js";
import { because } from "./why.js";

const SIZE = 1600;
const STEP = 0.005; // how far an arrow moves a box, in parts of the photo
const NEW = { x: 0.5, y: 0.5, w: 0.12, h: 0.16 };
const LEAST = 0.01; // no face is smaller, in parts of the photo

export async function photo(main, { id, face: wanted = "" }, signal) {
  let known = (await get(`/v1/photos/${id}`, {}, signal)).photo;
  let chosen = known.faces.some((face) => face.id === wanted) ? wanted : null;
  let editing = null; // {box, face: id or null, element}
  const at = path.steps.findIndex((step) => `${step.photo}` === id && (!step.face || step.face === wanted));

  const image = h("img", { src: picture(id, SIZE), alt: `The photo ${fileName(known.path)}`, width: known.width ?? 3, height: known.height ?? 2, draggable: "false" });
  const layer = h("div", { class: "layer" });
  const frame = h("div", { class: "frame big", vars: { "--ratio": (known.width ?? 3) / (known.height ?? 2) } }, image, layer);
  const list = h("ul", { class: "on-photo", "aria-label": "Faces on this photo" });
  const asked = h("div", { class: "asked-about" });
  const heading = h("h1", { tabindex: "-1" }, fileName(known.path));
  const about = h("p", { class: "about" });
  const drawButton = h("button", { type: "button", onclick: () => draw(NEW) }, "Draw a face ", kbd("D"));
  const steps = h("div", { class: "actions" },
    at > 0 && h("button", { type: "button", onclick: () => go(-1), "aria-label": "Photo before" }, "←"),
    at >= 0 && at < path.steps.length - 1 && h("button", { type: "button", onclick: () => go(1), "aria-label": "Next photo" }, "→"),
    drawButton, h("a", { class: "button", href: path.home }, "Back ", kbd("Esc")));
  image.addEventListener("error", () => frame.classList.add("broken"));
  main.replaceChildren(h("section", { class: "photo-view" }, frame, h("aside", {}, heading, about, steps, list, asked)));
  document.title = `${fileName(known.path)} · Kith`;

  function show() {
    seen(known.faces.map((face) => ({ ...face, photo: known })));
    about.replaceChildren(h("span", {}, day(known.taken)), h("span", { class: "path", title: known.path }, folderOf(known.path)));
    if (!editing) {
      const focused = document.activeElement?.closest?.(".box, .on-photo li > button")?.dataset?.face;
      fill(layer, [...known.faces.map((face) => {
        const words = called(face);
        const box = h("button", {
          type: "button", class: `box ${face.state} ${face.id === chosen ? "asked" : ""}`, dataset: { face: face.id },
          "aria-label": `Face: ${words || "nobody yet"}`, "aria-pressed": String(face.id === chosen), onclick: () => choose(face.id),
        }, words && h("b", {}, words));
        place(box, face.box);
        return box;
      })]);
      if (focused) layer.querySelector(`[data-face="${focused}"]`)?.focus({ preventScroll: true });
    }
    fill(list, [...known.faces.map((face) => h("li", {}, h("button", { type: "button", class: "plain", dataset: { face: face.id }, "aria-pressed": String(face.id === chosen), onclick: () => choose(face.id) },
      h("img", { src: crop(face.id, 48), alt: "", width: 48, height: 48 }), h("span", {}, called(face).replace(/\?$/, "") || "Nobody yet", h("small", {}, saidOf(face)))))),
    ...known.present.map((there) => h("li", { class: "present" }, h("span", {}, there.name, h("small", {}, "on the photo without a face")),
      h("button", { type: "button", class: "plain", onclick: () => tag("untag", there.name) }, "Not here")))]);
    if (!known.faces.length && !known.present.length) fill(list, [h("li", { class: "quiet" }, known.width ? "No faces were found here. Draw one if there is." : "This photo has not been looked at yet.")]);
  }

  function saidOf(face) {
    if (face.dispute === "open") return "another program took this name away";
    const sure = face.suggestion ? `, ${sureness(face.suggestion.probability_group)} sure` : "";
    return { confirmed: "somebody said so", auto: `named by Kith${sure}`, suggested: `Kith asks${sure}`, ignored: "don’t ask", "not-a-face": "" }[face.state] ?? "";
  }

  /** Somebody is on the photo without a face that shows it, or isn't after all. */
  const tag = (verb, name) => say({ steps: [{ path: `/v1/photos/${id}/${verb}`, body: { name } }], words: () => (verb === "tag" ? `${name} is on this photo` : `${name} is not on this photo`) }).then(() => read());

  /** Ask about one of the faces. */
  async function choose(face) {
    stop();
    chosen = face;
    show();
    ask();
  }

  function ask() {
    const face = known.faces.find((one) => one.id === chosen);
    if (!face) {
      asked.field = null;
      return fill(asked, [known.faces.length > 0 && h("p", { class: "quiet" }, "Choose a face to say who it is, and to see why Kith thinks so. ", kbd("↓")),
        h("div", { class: "popup" }, nameField({ label: "Somebody on this photo without a face", placeholder: "Who else is here, unseen?", choose: ({ name }) => tag("tag", name) }))]);
    }
    const who = face.person ?? face.suggestion?.person;
    const button = (label, key, run) => h("button", { type: "button", onclick: run }, label, " ", kbd(key));
    const field = nameField({ label: "Who this is", placeholder: face.state === "confirmed" ? "Somebody else" : "Type a name", choose: ({ name }) => nameThem([face.id], name) });
    fill(asked, [
      h("div", { class: "popup" }, field),
      h("div", { class: "actions" },
        who && face.state !== "confirmed" && button(`Yes, ${who.name}`, "Y", yes),
        who && button(`Not ${who.name}`, "N", no),
        face.state !== "ignored" && button("Stranger", "I", stranger), face.state !== "not-a-face" && button("Not a face", "F", notFace),
        button("Move the box", "E", move)),
      h("div", { class: "reasons" })]);
    because(face.id).then((told) => asked.querySelector(".reasons")?.replaceChildren(told), () => {});
    asked.field = field;
  }

  const one = () => known.faces.find((face) => face.id === chosen);
  const taken = () => one()?.person ?? one()?.suggestion?.person;
  const yes = () => taken() && confirmThem([chosen], taken());
  const no = () => taken() && rejectThem([chosen], taken());
  const stranger = () => chosen && ignoreThem([chosen]);
  const notFace = () => chosen && notFaces([chosen]);

  // -- boxes ------------------------------------------------------------------------------------------------------

  function draw(box) {
    chosen = null;
    begin({ ...box }, null);
    const save = (name) => {
      const made = editing.box;
      stop();
      say({
        steps: [{ path: `/v1/photos/${id}/draw`, body: name ? { box: made, name } : { box: made } }],
        words: () => (name ? `${name} is there now; the sidecar follows` : "There is a face now"),
      }).then((result) => {
        if (result) chosen = result.face.id;
        read().then(ask);
      });
    };
    const field = nameField({ label: "Whose face this is", placeholder: "Whose face is it?", choose: ({ name }) => save(name) });
    asked.replaceChildren(h("h2", {}, "A new face"), field,
      h("p", { class: "quiet" }, "Drag the box and its corners, or use the arrows (with Shift: size). Then say who it is."),
      h("div", { class: "actions" }, h("button", { type: "button", onclick: () => save(null) }, "Without a name"), h("button", { type: "button", onclick: cancel }, "Cancel ", kbd("Esc"))));
    asked.field = field;
  }

  function move() {
    const face = one();
    if (!face) return;
    begin({ ...face.box }, face.id);
    asked.replaceChildren(h("h2", {}, "Where is the face?"), h("p", { class: "quiet" }, "Drag the box and its corners, or use the arrows (with Shift: size)."),
      h("div", { class: "actions" }, h("button", { type: "button", class: "primary", onclick: save }, "Save ", kbd("↵")), h("button", { type: "button", onclick: cancel }, "Cancel ", kbd("Esc"))));
  }

  function save() {
    if (!editing?.face) return asked.field?.input.focus();
    const { box, face } = editing;
    stop();
    say({ steps: [{ path: `/v1/faces/${face}/move`, body: { box } }], words: () => "The box is moved; the sidecar follows" }).then(() => read().then(ask));
  }

  function cancel() {
    stop();
    show();
    ask();
    drawButton.focus();
  }

  function stop() {
    editing = null;
    frame.classList.remove("editing");
  }

  function begin(box, face) {
    stop();
    const corners = ["nw", "ne", "sw", "se"].map((name) => h("span", { class: `corner ${name}`, dataset: { corner: name } }));
    const element = h("div", { class: "box asked edited", tabindex: "0", role: "group", "aria-label": "The box; arrows move it, Shift and arrows change its size" }, corners);
    editing = { box, face, element };
    show();
    fill(layer, [...known.faces.filter((other) => other.id !== face).map((other) => {
      const still = h("span", { class: "box" });
      place(still, other.box);
      return still;
    }), element]);
    place(element, box);
    frame.classList.add("editing");
    element.focus({ preventScroll: true });
  }

  /** Put the box somewhere, inside the photo. */
  function put(left, top, right, bottom) {
    const inside = (v) => Math.max(0, Math.min(1, v));
    [left, right] = [inside(Math.min(left, right)), inside(Math.max(left, right))];
    [top, bottom] = [inside(Math.min(top, bottom)), inside(Math.max(top, bottom))];
    editing.box = { x: (left + right) / 2, y: (top + bottom) / 2, w: Math.max(LEAST, right - left), h: Math.max(LEAST, bottom - top) };
    place(editing.element, editing.box);
  }

  const sides = ({ x, y, w, h: tall }) => [x - w / 2, y - tall / 2, x + w / 2, y + tall / 2];
  const where = (event) => {
    const { left, top, width, height } = layer.getBoundingClientRect();
    return [(event.clientX - left) / width, (event.clientY - top) / height];
  };

  layer.addEventListener("pointerdown", (event) => {
    if (event.button || (!editing && (event.target.closest(".box") || event.pointerType !== "mouse"))) return;
    const [x, y] = where(event);
    const corner = event.target.dataset.corner;
    const inside = editing && event.target.closest(".edited");
    if (!inside && editing?.face) return;
    event.preventDefault();
    layer.setPointerCapture(event.pointerId);
    const started = { x, y, box: editing?.box };
    const drag = (now) => {
      const [nx, ny] = where(now);
      if (inside && !corner) {
        const { w, h: tall } = started.box;
        const cx = Math.max(w / 2, Math.min(1 - w / 2, started.box.x + nx - x));
        const cy = Math.max(tall / 2, Math.min(1 - tall / 2, started.box.y + ny - y));
        put(cx - w / 2, cy - tall / 2, cx + w / 2, cy + tall / 2);
      } else if (corner) {
        const [left, top, right, bottom] = sides(started.box);
        put(corner.endsWith("w") ? nx : left, corner.startsWith("n") ? ny : top, corner.endsWith("w") ? right : nx, corner.startsWith("n") ? bottom : ny);
      } else if (Math.hypot(nx - x, ny - y) > 0.01) {
        if (!editing) draw({ x, y, w: LEAST, h: LEAST });
        put(x, y, nx, ny);
      }
    };
    const end = () => {
      layer.removeEventListener("pointermove", drag);
      if (editing && !editing.face) asked.field?.input.focus();
    };
    layer.addEventListener("pointermove", drag);
    layer.addEventListener("pointerup", end, { once: true });
    layer.addEventListener("pointercancel", end, { once: true });
  });

  function nudge(event) {
    const dx = { ArrowLeft: -STEP, ArrowRight: STEP }[event.key] ?? 0;
    const dy = { ArrowUp: -STEP, ArrowDown: STEP }[event.key] ?? 0;
    const [left, top, right, bottom] = sides(editing.box);
    if (event.shiftKey) put(left - dx, top + dy, right + dx, bottom - dy);
    else if (left + dx >= 0 && right + dx <= 1 && top + dy >= 0 && bottom + dy <= 1) put(left + dx, top + dy, right + dx, bottom + dy);
  }

  // -- around it --------------------------------------------------------------------------------------------------

  function go(step) {
    const next = path.steps[at + step];
    if (at < 0 || !next) return;
    location.replace(`#/photo/${next.photo}${next.face ? `?face=${next.face}` : ""}`);
  }

  async function read() {
    const told = await get(`/v1/photos/${id}`, {}, signal);
    if (signal.aborted) return;
    const before = JSON.stringify(one());
    known = told.photo;
    if (!editing) show();
    return before !== JSON.stringify(one());
  }

  const among = (step) => {
    const all = known.faces.map((face) => face.id);
    if (all.length) choose(all[(all.indexOf(chosen) + step + all.length) % all.length]);
  };
  const again = settled(() => signal.aborted || read().then((changed) => changed && !editing && !typing() && ask()).catch((error) => error.code === "not-found" && tell("This photo is gone.", { error: true })), 150, 1500);
  on(["names", "answer", "analysed", "photo", "gone"], (event) => (event?.photo === undefined || event.photo === null || `${event.photo}` === id) && again(), signal);
  onSaid(() => read().then(() => !editing && !typing() && ask()).catch(() => {}), signal);
  const free = () => !editing;
  keys("Photo", [
    { keys: ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "shift+ArrowLeft", "shift+ArrowRight", "shift+ArrowUp", "shift+ArrowDown"], label: "Move the box (Shift: size)", run: nudge, when: () => editing },
    { keys: ["Enter"], label: "", run: save, when: () => editing },
    { keys: ["ArrowLeft"], label: "Photo before", run: () => go(-1), when: free },
    { keys: ["ArrowRight"], label: "Next photo", run: () => go(1), when: free },
    { keys: ["ArrowDown", "j"], label: "Next face", run: () => among(1), when: free },
    { keys: ["ArrowUp", "k"], label: "Face before", run: () => among(-1), when: free },
    { keys: ["y"], label: "Yes, that’s who it is", run: yes, when: free }, { keys: ["n"], label: "No, it’s not", run: no, when: free },
    { keys: ["i"], label: "A stranger", run: stranger, when: free }, { keys: ["f"], label: "Not a face", run: notFace, when: free },
    { keys: ["Enter", "t"], label: "Type who it is", run: () => asked.field?.input.focus(), when: () => free() && chosen },
    { keys: ["d"], label: "Draw a face", run: () => draw(NEW), when: free }, { keys: ["e"], label: "Move the box", run: move, when: () => free() && chosen },
    { keys: ["Escape"], label: "Back", typing: true, run: () => (editing ? cancel() : typing() ? heading.focus() : (location.hash = path.home)) },
  ], signal);
  show();
  ask();
  for (const step of [1, -1]) if (at >= 0 && path.steps[at + step]) preload(path.steps[at + step].photo, SIZE);
}
