// Doubts: the answers of all people that look wrong, one at a time, the most doubtful first.

import { crop, get } from "./api.js";
import { onSaid, undo } from "./answers.js";
import { between, empty, fill, h, kbd, many, passed, PAUSE, settled } from "./dom.js";
import { answersTo, besides, doubtCard, doubtWords, isOpen, standing } from "./doubt.js";
import { on } from "./events.js";
import { outline } from "./faces.js";
import { keys, lettersBegin, onlyFromNow, typing } from "./keys.js";
import { caption, pane, photo, preload } from "./pane.js";
import { nameField } from "./people.js";
import { because } from "./why.js";

const PAGE = 20;
const BESIDE = 5; // faces of a person to compare with

const put_off = new Set(); // faces for later, while this page is open

export async function doubts(main, _, signal) {
  let queue = [];
  let current = null;
  let left = 0;
  let quiet = 0; // none comes before, since one went by itself
  let field = null;
  let looks = new Map(); // person -> their sure faces
  const doubted = new Set();
  document.title = "Doubts · Kith";

  const heading = h("h1", { tabindex: "-1" });
  const about = h("p", { class: "about" });
  const card = h("div");
  const answer = h("div", { class: "answer is" });
  const reasons = h("div", { class: "reasons" });
  const side = h("figure", { class: "side" });
  const command = (label, key, run) => h("button", { type: "button", onclick: run }, label, " ", kbd(key));
  const others = h("div", { class: "commands", role: "group", "aria-label": "Other answers" },
    command("Stranger", "I", () => settle((say) => say.stranger())), command("Not a face", "F", () => settle((say) => say.notFace())),
    command("Later", "S", later), command("Undo", "U", undo), command("Why?", "W", why));
  const stage = h("section", { class: "review" }, h("div", { class: "ask" }, heading, about, card, answer, others, reasons), side);

  // -- which come -------------------------------------------------------------------------------------------------

  async function read() {
    const asOf = performance.now();
    const found = [];
    const wanted = () => found.filter((doubt) => isOpen(doubt, asOf) && !put_off.has(doubt.face));
    let page = { cursor: "" };
    let told = 0;
    do {
      page = await get("/v1/doubts", { limit: PAGE, cursor: page.cursor }, signal);
      for (const doubt of page.doubts) doubted.add(doubt.face);
      told += page.doubts.length;
      found.push(...(await standing(page.doubts, asOf)));
    } while (page.cursor && wanted().length < PAGE / 2);
    // only now, since somebody may have gone on meanwhile
    left = page.total - told + found.filter((doubt) => isOpen(doubt, asOf)).length;
    queue = wanted().filter((doubt) => doubt.face !== current?.face);
  }

  /** Ask about the next one. While there is none, none is to be seen: a key could not be meant for it. */
  async function next() {
    current = null;
    const wait = quiet - performance.now();
    if (!queue.length || wait > 0) {
      if (stage.isConnected) main.replaceChildren(between());
      const failed = await Promise.all([queue.length || read(), passed(wait)]).then(() => null, (error) => error);
      if (signal.aborted || current) return;
      if (failed) return main.replaceChildren(empty("The doubts didn’t come", failed.message, h("button", { type: "button", class: "primary", onclick: next }, "Try again")));
    }
    if (!queue.length) return nothing();
    show(queue.shift());
    if (queue.length < PAGE / 2) read().then(prepare, () => {});
    else prepare();
  }

  /** The faces to compare a doubt with: its own person's and those of whom it looks like, the nearest in time first. */
  async function compared({ person, nearer, because: told, shown }) {
    const few = async (whose, first) => {
      const far = (face) => Math.abs(face.taken - shown.photo.taken);
      const sure = (await sureOf(whose.id)).filter((face) => face.photo !== shown.photo.id && !doubted.has(face.id) && !first.includes(face.id));
      return [whose.name, [...first, ...sure.sort((one, other) => far(one) - far(other)).map((face) => face.id)].slice(0, BESIDE)];
    };
    return Promise.all([few(person, nearer ? [] : told), ...(nearer ? [few(nearer, told)] : [])]);
  }

  const compare = (doubt) => compared(doubt).then((beside) => doubt === current && fill(card.querySelector(".looks"), besides(beside, "large")), () => {});

  function sureOf(person) {
    const found = looks.get(person) ?? outline({ person, state: "confirmed" }, signal);
    looks.set(person, found);
    found.catch(() => looks.delete(person));
    return found;
  }

  /** The pictures of the next ones, before they are asked. */
  function prepare() {
    showLeft();
    for (const doubt of queue.slice(0, 3)) {
      new Image().src = crop(doubt.face, 256);
      preload(doubt.shown.photo.id, 1024);
      compared(doubt).then((beside) => beside.forEach(([, ids]) => ids.forEach((id) => (new Image().src = crop(id, 84)))), () => {});
    }
  }

  // -- one of them ------------------------------------------------------------------------------------------------

  function show(doubt) {
    current = doubt;
    onlyFromNow();
    if (!stage.isConnected) main.replaceChildren(stage);
    fill(heading, ["Is this ", h("b", {}, doubt.person.name), "?"]);
    const soon = [doubt.person, doubt.nearer].filter(Boolean).map(({ name }) => [name, null]);
    card.replaceChildren(doubtCard(doubt, { size: "large", beside: soon, give: settle }));
    compare(doubt);
    field = nameField({ label: `Somebody else than ${doubt.person.name}`, placeholder: "Or type who it is", choose: ({ name }) => settle((say) => say.name(name)), not: [doubt.person.id] });
    answer.replaceChildren(field);
    reasons.replaceChildren();
    showLeft();
    showPhoto(doubt);
    heading.focus({ preventScroll: true });
  }

  function showLeft() {
    if (current) fill(about, [doubtWords(current), " · ", left > 1 ? `${many(left, "answer")} to look at` : "the last one"]);
  }

  async function showPhoto({ face, shown }) {
    const whole = await photo(shown.photo.id).catch(() => null);
    if (current?.face !== face) return;
    fill(side, whole ? [pane(whole, { face, href: `#/photo/${whole.id}?face=${face}` }), caption(whole, face)]
      : [h("p", { class: "quiet" }, `The photo ${shown.photo.path} can’t be shown now.`)]);
  }

  function nothing() {
    if (put_off.size) {
      main.replaceChildren(empty("All looked at", `You put ${many(put_off.size, "answer")} off for later.`,
        h("button", { type: "button", class: "primary", onclick: () => { put_off.clear(); next(); } }, "Look at them now")));
    } else {
      main.replaceChildren(empty("No answer looks wrong", "When one does, Kith shows it here.", h("a", { class: "button", href: "#/people" }, "See the people")));
    }
    main.querySelector("h1").focus();
  }

  // -- answers ----------------------------------------------------------------------------------------------------

  function settle(give) {
    if (!current) return;
    const doubt = current;
    give(answersTo(doubt, (undone) => undone && again(doubt)));
    left -= 1;
    next();
  }

  /** An answer was taken back: it is asked about again, at once. One that was refused comes again when all are read anew. */
  function again(doubt) {
    if (signal.aborted) return;
    queue = [current, ...queue].filter((other) => other && other.face !== doubt.face);
    left += 1;
    show(doubt);
  }

  function later() {
    if (!current) return;
    put_off.add(current.face);
    next();
  }

  async function why() {
    if (!current) return;
    if (reasons.childElementCount) return reasons.replaceChildren();
    const doubt = current;
    const told = await because(doubt.face).catch(() => null);
    if (told && doubt === current) reasons.replaceChildren(told);
    reasons.scrollIntoView({ block: "nearest" });
  }

  /** What changed elsewhere. Nobody's question may change under their fingers, unless it was answered there. */
  const refresh = settled(async () => {
    if (signal.aborted) return;
    looks = new Map();
    const before = current;
    await read().catch(() => {});
    if (signal.aborted || current !== before) return;
    if (!current) return queue.length ? next() : undefined;
    const stands = await standing([current], performance.now()).catch(() => [current]);
    if (signal.aborted || current !== before) return;
    if (!stands.length && !field.input.value) {
      quiet = performance.now() + PAUSE;
      return next();
    }
    if (!card.querySelector(".looks img")) compare(current);
    prepare();
  }, 1500, 5000);
  const afterwards = settled(refresh, 4000, 4000); // Kith thinks them up anew a little later
  on(["answer", "names", "person", "gone"], () => (refresh(), afterwards()), signal);
  onSaid(() => (refresh(), afterwards()), signal);

  const asking = () => current !== null && stage.isConnected;
  keys("Doubts", [
    { keys: ["y"], label: "Yes, that’s who it is", run: () => settle((say) => say.keep()), when: asking },
    { keys: ["1"], label: "It’s who it looks like", run: () => settle((say) => say.name(current.nearer.name)), when: () => asking() && current.nearer && !field.input.value, typing: true },
    { keys: ["n"], label: "No, it’s somebody else", run: () => settle((say) => say.other()), when: asking },
    { keys: ["i"], label: "A stranger: never ask again", run: () => settle((say) => say.stranger()), when: asking },
    { keys: ["f"], label: "Not a face", run: () => settle((say) => say.notFace()), when: asking },
    { keys: ["s"], label: "Later", run: later, when: asking },
    { keys: ["w"], label: "Why it has that name", run: why, when: asking },
    { keys: ["Enter", "/"], label: "Type a name", run: () => field.input.focus(), when: asking },
    { keys: ["Escape"], label: "Stop typing: letters become keys", typing: true, run: () => heading.focus(), when: () => asking() && typing() },
    { keys: ["Backspace"], label: "Back to everybody", run: () => { location.hash = "#/people"; } },
  ], signal);
  lettersBegin(() => field.input, asking, signal);

  await next();
  afterwards();
}
