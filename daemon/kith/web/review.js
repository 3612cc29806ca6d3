// Review: one question at a time, the one that settles most first.

import { crop, faces as inFull, get, post } from "./api.js";
import { answered, onSaid, say, seen, settledBy, tell, unanswered, undo } from "./answers.js";
import { between, count, empty, fill, h, kbd, many, passed, PAUSE, percent, settled, sureness as asSure, years } from "./dom.js";
import { doing, on } from "./events.js";
import { outline } from "./faces.js";
import { keys, lettersBegin, onlyFromNow, typing } from "./keys.js";
import { nameField } from "./people.js";
import { caption, pane, photo, preload } from "./pane.js";
import { because } from "./why.js";
import { firstFaces } from "./welcome.js";

const AHEAD = 12; // questions read at once
const FULL = 12; // tiles that fit in two rows
const MORE = 48;
const touch = matchMedia("(pointer: coarse)");

const put_off = new Set(); // first faces of questions for later, while this page is open
const session = { answers: 0, faces: 0 };
let writes = true; // whether the field for a name has the focus when the next question comes

export async function review(main, _, signal) {
  let queue = [];
  let current = null; // the question, with {off: Set, at: index}
  let quiet = 0; // no question comes before, since one went by itself
  let progress = null;
  let reading = null;
  let shown = ""; // what there was to say when there was nothing to ask
  let alone = false; // whether faces that were seen only once are asked about, too
  let divided = []; // questions that came from one of which somebody said that it is about two people
  let field = null;

  const heading = h("h1", { tabindex: "-1" });
  const about = h("p", { class: "about" });
  const known = h("div", { class: "known" });
  const tiles = h("div", { class: "tiles", role: "group" });
  const answer = h("div", { class: "answer" });
  const others = h("div", { class: "commands", role: "group", "aria-label": "Other answers" });
  const side = h("figure", { class: "side" });
  const reasons = h("div", { class: "reasons" });
  const foot = h("div", { class: "progress" });
  const stage = h("section", { class: "review", "aria-live": "off" }, h("div", { class: "ask" }, heading, about, known, tiles, answer, others, reasons), side);

  // -- questions --------------------------------------------------------------------------------------------------

  const keyOf = (question) => question.faces[0];
  const isOpen = (question, asOf) => question.faces.some((face) => !answered(face, asOf));
  const same = (one, other) => one && other && one.faces.some((face) => other.faces.includes(face));

  const ask = async () => ({ asOf: performance.now(), told: await get("/v1/questions", { limit: AHEAD + put_off.size }, signal) });

  async function read() {
    reading ??= ask().finally(() => (reading = null));
    const { told, asOf } = await reading;
    progress = told.progress;
    if (told.fresh === false) afterwards(); // Kith is still thinking, and tells nobody when it is done
    for (const question of told.questions) seen([...question.shown, ...question.known]);
    const fresh = told.questions.filter((question) => isOpen(question, asOf) && !put_off.has(keyOf(question)));
    divided = divided.filter((question) => !put_off.has(keyOf(question)));
    const mine = divided.filter((question) => question !== current);
    queue = [...mine, ...fresh.filter((question) => !same(question, current) && !mine.some((one) => same(one, question)))];
    if (alone && !queue.length && !current) queue = await seenOnce();
    return fresh.filter((question) => same(question, current));
  }

  /** Questions about faces that look like nobody else's; most are strangers. */
  async function seenOnce() {
    const asOf = performance.now();
    const ids = (await onceIds()).filter((face) => !answered(face, asOf) && !put_off.has(face)).slice(0, AHEAD);
    const found = ids.length ? await inFull(ids) : [];
    seen(found);
    return found.filter((face) => face.state === "unknown").map((face) => (
      { person: null, group: null, likely: [], faces: [face.id], shown: [face], known: [], taken: face.photo.taken === null ? null : [face.photo.taken, face.photo.taken] }));
  }

  const onceIds = async () => (await outline({ state: "unknown" }, signal)).map((face) => face.id);

  /** Ask the next question. While there is none, none is to be seen: a key could not be meant for it. */
  async function next() {
    current = null;
    const wait = quiet - performance.now();
    if (!queue.length || wait > 0) {
      if (stage.isConnected) main.replaceChildren(between(), foot);
      const failed = await Promise.all([queue.length || read(), passed(wait)]).then(() => null, (error) => error);
      if (signal.aborted || current) return;
      if (failed) return trouble(failed);
    }
    current = queue.shift() ?? null;
    if (current) {
      Object.assign(current, { off: new Set(), at: 0, all: current.faces.length > FULL ? current.shown.slice(0, FULL - 1) : current.shown });
      show();
    } else nothing();
    if (queue.length < 5) read().then(prepare, () => {});
    else prepare();
  }

  /** The pictures of the next questions, before they are asked. */
  function prepare() {
    showProgress();
    for (const question of queue.slice(0, 3)) {
      for (const face of [...question.shown, ...question.known]) new Image().src = crop(face.id, sideOf(question));
    }
    for (const question of queue.slice(0, 2)) preload(question.shown[0].photo.id, 1024);
    if (!current && queue.length) next();
  }

  // -- one question -----------------------------------------------------------------------------------------------

  const sideOf = (question) => (question.faces.length === 1 ? 256 : question.faces.length <= 4 ? 224 : 160);
  const across = (question) => (question.faces.length <= 4 ? question.faces.length : 6);
  const chosen = () => current.faces.filter((face) => !current.off.has(face));

  function show() {
    if (!stage.isConnected) main.replaceChildren(stage, foot);
    onlyFromNow();
    const question = current;
    const { person } = question;
    fill(heading, [...(person ? ["Is this ", h("b", {}, person.name), "?"] : ["Who is this?"])]);
    fill(about, [
      many(question.faces.length, "face"), question.taken ? ` · ${years(...question.taken)}` : "",
      person ? sureOf(question) : ""]);
    known.hidden = !question.known.length;
    fill(known, [
      h("h2", {}, person ? `This is ${person.name}` : ""),
      h("div", { class: "strip" }, question.known.map((face) => h("img", { src: crop(face.id, 96), alt: `${person?.name ?? "Known"}, ${face.photo.taken ? years(face.photo.taken, face.photo.taken) : ""}`, width: 84, height: 84, title: face.photo.path })))]);
    reasons.replaceChildren();
    showAnswer();
    showTiles();
    showProgress();
    point(0);
    if (writes && field && !touch.matches && !person) field.input.focus({ preventScroll: true });
    else heading.focus({ preventScroll: true });
  }

  const chances = (question) => question.shown.map((face) => face.suggestion?.probability_group).filter((p) => p !== undefined);

  function sureOf(question) {
    const sure = chances(question);
    const least = Math.min(...sure);
    return sure.length ? h("span", { class: "sure" }, h("meter", { min: 0, max: 1, value: least, "aria-label": "How sure Kith is" }), ` ${asSure(least)}${sure.length > 1 ? " or more" : ""}`) : "";
  }

  function showTiles() {
    const shownIds = current.all.map((face) => face.id);
    const left = current.faces.length - shownIds.length;
    const at = sideOf(current);
    tiles.style.setProperty("--across", across(current));
    tiles.style.setProperty("--most", `${at === 160 ? 200 : at}px`);
    tiles.classList.toggle("crowd", current.faces.length > 4);
    tiles.setAttribute("aria-label", `Faces in question; take out the ones that are someone else`);
    fill(tiles, [
      ...current.all.map((face, i) => h("button", {
        type: "button", class: "tile", dataset: { face: face.id }, tabindex: i === current.at ? "0" : "-1",
        "aria-pressed": String(!current.off.has(face.id)), "aria-label": `Face ${i + 1} of ${current.faces.length}`,
        title: i < 9 ? `Not this one (Shift ${i + 1})` : "Not this one",
        onclick: () => toggle(i), onpointerenter: (event) => event.pointerType === "mouse" && point(i, false), onfocus: () => point(i, false),
      }, h("img", { src: crop(face.id, at), alt: "", width: at, height: at, decoding: "async" }),
      i < 9 && current.faces.length > 1 && h("span", { class: "digit", "aria-hidden": "true" }, `⇧${i + 1}`))),
      ...(left > 0 ? [h("button", { type: "button", class: "more", onclick: more }, h("b", {}, `+${count(left)}`), h("span", {}, "show "), kbd("M"))] : [])]);
  }

  async function more() {
    const question = current;
    const ids = question.faces.slice(question.all.length, question.all.length + MORE);
    if (!ids.length) return;
    const found = await inFull(ids).catch(() => []);
    seen(found);
    question.all = [...question.all, ...found];
    if (question === current) showTiles();
  }

  function showAnswer() {
    const { person } = current;
    field = nameField({
      label: person ? `Somebody else than ${person.name}` : "Who is this?", placeholder: person ? "Or somebody else" : "Type a name",
      choose: ({ name }) => named(name), likely: current.likely, not: person ? [person.id] : [],
    });
    field.input.addEventListener("focus", () => {
      writes = true;
      showCommands();
    });
    field.input.addEventListener("blur", () => requestAnimationFrame(showCommands));
    answer.className = `answer ${person ? "is" : "who"}`;
    fill(answer, [...(person ? [
      h("div", { class: "yes-no" },
        h("button", { type: "button", class: "primary", onclick: yes }, "Yes ", kbd("Y")),
        h("button", { type: "button", onclick: no }, "No ", kbd("N")),
        current.likely.slice(0, 3).map((one, i) => h("button", { type: "button", class: "instead", onclick: () => named(one.person.name) },
          one.person.name, h("small", {}, asSure(one.probability)), kbd(i + 1)))),
      field] : [field])]);
    showCommands();
  }

  function showCommands() {
    const alt = typing() ? "Alt " : "";
    const command = (label, key, run) => h("button", { type: "button", onclick: run, tabindex: "0" }, label, " ", kbd(alt + key));
    const wanted = [
      command("Stranger", "I", stranger), command("Not a face", "F", notAFace),
      current?.faces.length > 1 && command("Two people", "X", twoPeople), command("Later", "S", later),
      command("Undo", "U", undo), current?.person && command("Why?", "W", why),
    ].filter(Boolean);
    if (others.contains(document.activeElement)) return;
    fill(others, [...wanted]);
  }

  /** Look at one of the faces: its photo is shown whole. */
  async function point(i, focus = false) {
    const question = current;
    question.at = i;
    tiles.querySelectorAll(".tile").forEach((tile, j) => {
      tile.tabIndex = i === j ? 0 : -1;
      tile.classList.toggle("at", i === j);
      if (focus && i === j) tile.focus();
    });
    const face = question.all[i];
    const whole = await photo(face.photo.id).catch(() => null);
    if (current !== question || question.at !== i || side.dataset.face === face.id) return;
    side.dataset.face = face.id;
    fill(side, [...(whole ? [pane(whole, { face: face.id, href: `#/photo/${whole.id}?face=${face.id}` }), caption(whole, face.id)]
      : [h("p", { class: "quiet" }, `The photo ${face.photo.path} can’t be shown now.`)])]);
  }

  function toggle(i) {
    const face = current?.all[i]?.id;
    if (!face || current.faces.length === 1) return;
    current.off[current.off.has(face) ? "delete" : "add"](face);
    if (current.off.size === current.faces.length) current.off.clear();
    tiles.querySelectorAll(".tile").forEach((tile, j) => tile.setAttribute("aria-pressed", String(!current.off.has(current.all[j].id))));
    point(i);
  }

  /** One of the people it may be, by number: as the list shows them, or the buttons beside yes and no. */
  function pick(i) {
    const instead = current.person && !answer.querySelector(".names").checkVisibility() ? current.likely.slice(0, 3)[i] : null;
    if (instead) named(instead.person.name);
    else field.pick(i);
  }

  const move = (step) => () => current && point((current.at + step + current.all.length) % current.all.length, !typing());

  // -- answers ----------------------------------------------------------------------------------------------------

  function settle(steps, words, { odd = null } = {}) {
    if (!current) return;
    const question = current;
    const ids = chosen();
    const off = odd ? [...question.off] : [];
    divided = divided.filter((other) => other !== question);
    const all = [...ids, ...off];
    if (off.length) steps.push(odd(off));
    const who = question.person?.id ?? null;
    say({
      steps, shown: question.all, words, about: all,
      still: (face) => unanswered(face) && (who === null || face.suggestion?.person.id === who),
      back: (undone) => again(question, undone),
    }).then((result) => {
      if (!result) return;
      session.answers += 1;
      session.faces += result.faces;
    });
    next();
  }

  /** A question whose answer was taken back is asked again, at once; if that was refused, when all are read anew. */
  function again(question, undone) {
    if (signal.aborted) return;
    divided = divided.filter((other) => !same(other, question));
    if (!undone) return;
    if (question.half) divided = [question, ...divided];
    if (current && !same(question, current)) queue.unshift(current);
    queue = queue.filter((other) => !same(other, question));
    current = question;
    question.off.clear();
    show();
  }

  function named(name) {
    writes = true;
    const ids = chosen();
    settle([{ path: "/v1/faces/name", ids, body: { name } }], ([first]) => `Named ${settledBy(first, first.person.name)}`, {
      odd: (off) => ({ path: "/v1/faces/reject", ids: off, body: (results) => ({ person: results[0].person.id }) }),
    });
  }

  function yes() {
    const { person } = current;
    settle([{ path: "/v1/faces/confirm", ids: chosen(), body: { person: person.id } }], ([first]) => `Confirmed ${settledBy(first, person.name)}`, {
      odd: (off) => ({ path: "/v1/faces/reject", ids: off, body: { person: person.id } }),
    });
  }

  function no() {
    const { person } = current;
    settle([{ path: "/v1/faces/reject", ids: chosen(), body: { person: person.id } }], ([first]) => `Not ${person.name}: ${settledBy(first)}`);
  }

  function dismissed(path, words) {
    settle([{ path, ids: chosen(), body: {} }], ([first]) => `${words}: ${settledBy(first)}`);
  }

  const stranger = () => dismissed("/v1/faces/ignore", "Strangers");
  const notAFace = () => dismissed("/v1/faces/not-a-face", "Not faces");

  /** The faces in question are two people, and stay two: those taken out, or else those that look apart. Who is each? */
  async function twoPeople() {
    const question = current;
    if (!question || question.faces.length < 2) return;
    let parts = [chosen(), question.faces.filter((face) => question.off.has(face))];
    if (!question.off.size) ({ parts } = await post("/v1/faces/split", { faces: question.faces }).catch((error) => (tell(error.message, { error: true }), { parts: [[], []] })));
    if (question !== current || !parts[0].length) return;
    if (!parts[1].length) return tell("These look all alike. Click the faces of one of the two first, then say so again.");
    const shown = new Map([...question.all, ...(await inFull(parts.flatMap((part) => part.slice(0, FULL))).catch(() => []))].map((face) => [face.id, face]));
    if (question !== current) return;
    const likely = question.person ? [{ person: question.person, probability: Math.max(0, ...chances(question)) }, ...question.likely] : question.likely;
    const halves = parts.map((part) => ({ ...question, person: null, known: [], likely, faces: part, half: true, shown: part.slice(0, FULL).map((id) => shown.get(id)).filter(Boolean) }));
    divided = divided.filter((other) => other !== question).concat(halves);
    queue = [...halves, ...queue];
    say({
      steps: [{ path: "/v1/faces/apart", body: { parts } }], back: (undone) => again(question, undone),
      words: () => `Two people: ${parts.map((part) => many(part.length, "face")).join(" and ")}. Say who each is.`,
    });
    next();
  }

  function later() {
    if (!current) return;
    put_off.add(keyOf(current));
    next();
  }

  async function why() {
    if (!current) return;
    if (reasons.childElementCount) return reasons.replaceChildren();
    const question = current;
    const told = await because(question.all[question.at].id).catch(() => null);
    if (told && question === current) reasons.replaceChildren(told);
    reasons.scrollIntoView({ block: "nearest" });
  }

  // -- around it --------------------------------------------------------------------------------------------------

  function showProgress() {
    if (!progress || !foot.isConnected) return;
    const share = progress.of ? progress.named / progress.of : 0;
    const left = progress.questions_to_enough;
    fill(foot, [
      h("progress", { max: 1, value: share, "aria-label": "Faces named" }),
      h("p", {},
        h("b", {}, percent(share)), " of the faces of people met more than once are named",
        left > 0 && ` · about ${many(left, "question")} to ${percent(progress.enough)}`,
        session.answers > 0 && h("span", { class: "quiet" }, ` · ${many(session.faces, "face")} in ${many(session.answers, "answer")} just now`))]);
  }

  async function nothing() {
    current = null;
    const { counts, doing: now } = await get("/v1/status", {}, signal);
    if (signal.aborted) return;
    const looking = counts.pending > 0;
    if (!now.roots.length && !counts.photos || counts.analysed === 0 || (looking && counts.people === 0)) {
      if (!main.querySelector(".first-run, .folder-form")) firstFaces(main, signal, { counts, now });
      return;
    }
    const once = alone ? 0 : (await onceIds().catch(() => [])).length;
    if (signal.aborted || current) return;
    const share = progress?.of ? progress.named / progress.of : 1;
    const situation = JSON.stringify([put_off.size, looking, now.paused_by, counts.people > 0, percent(share), once]);
    if (main.querySelector(".empty") && shown === situation) return;
    shown = situation;
    if (put_off.size) {
      main.replaceChildren(empty("All asked", `You put ${many(put_off.size, "question")} off for later.`,
        h("button", { type: "button", class: "primary", onclick: () => { put_off.clear(); next(); } }, "Ask them now")), foot);
    } else if (looking) {
      main.replaceChildren(empty("Nothing to ask just now", now.paused_by.length ? `Kith is paused, and ${many(counts.pending, "photo")} wait to be looked at.`
        : `Kith is still looking at ${many(counts.pending, "photo")}. Questions come as soon as it finds the same face twice.`), foot);
    } else {
      fill(main, [empty(counts.people ? "That’s everybody" : "No questions",
        counts.people ? `${percent(share)} of the faces of people met more than once are named. ${once ? "Those who were seen only once are strangers, most of them." : "New photos bring new questions; until then there is nothing to do."}`
          : "Kith asks about faces that it meets more than once. So far there are none.",
        once > 0 && h("button", { type: "button", class: "primary", onclick: askAlone }, `Ask about ${many(once, "face")} seen only once `, kbd("O")),
        h("a", { class: "button", href: "#/people" }, "See the people"), h("a", { class: "button", href: "#/faces/unknown" }, "All faces seen only once")), foot]);
    }
    showProgress();
    main.querySelector("h1").focus();
  }

  function askAlone() {
    alone = true;
    next();
  }

  function trouble(error) {
    main.replaceChildren(empty("The questions didn’t come", error.message, h("button", { type: "button", class: "primary", onclick: next }, "Try again")));
  }

  /** What changed elsewhere, or became obvious: questions that were settled go, and better ones come. */
  const refresh = settled(async () => {
    if (signal.aborted) return;
    await reading?.catch(() => {}); // what is on its way may be older than what happened
    const before = current;
    const alike = await read().catch(() => null);
    if (signal.aborted || alike === null || current !== before) return;
    if (!current) return queue.length ? next() : nothing().catch(() => {});
    // nobody's answer may change under their fingers: who has begun is left alone, and told if it was too late
    if (touched() || (alike.length && alike[0].person?.id === current.person?.id)) return prepare();
    queue.unshift(...alike);
    quiet = performance.now() + PAUSE;
    return next();
  }, 250, 2500);
  const touched = () => current.half || current.off.size > 0 || field.input.value !== "" || reasons.childElementCount > 0 || current.all.length > FULL;
  const afterwards = settled(refresh, 3500, 3500); // Kith thinks new questions up a little later
  on(["answer", "names", "gone"], () => (refresh(), afterwards()), signal);
  on(["analysed"], () => current || refresh(), signal);
  on(["status"], () => current || refresh(), signal);
  onSaid(refresh, signal);

  const asking = () => current !== null && stage.isConnected;
  const blank = () => asking() && (!typing() || !document.activeElement.value);
  keys("Review", [
    { keys: ["y"], label: "Yes, that’s who it is", run: yes, when: () => asking() && current.person },
    { keys: ["n"], label: "No, it’s not", run: no, when: () => asking() && current.person },
    { keys: ["i"], label: "A stranger: never ask again", run: stranger, when: asking },
    { keys: ["f"], label: "Not a face", run: notAFace, when: asking },
    { keys: ["s"], label: "Later", run: later, when: asking },
    { keys: ["w"], label: "Why Kith thinks so", run: why, when: () => asking() && current.person },
    { keys: ["m"], label: "Show more of the faces", run: more, when: asking },
    { keys: [..."123456789"], label: "Choose one of the people it may be", run: (_, key) => pick(Number(key) - 1), when: () => blank() && !field.input.value, typing: true },
    { keys: [..."123456789"].map((digit) => `shift+${digit}`), label: "Take out a face that is someone else", run: (_, key) => toggle(Number(key.at(-1)) - 1), when: blank, typing: true },
    { keys: ["o"], label: "Ask about faces seen only once, too", run: askAlone, when: () => !current && !alone },
    { keys: ["x"], label: "These are two people", run: twoPeople, when: () => asking() && current.faces.length > 1 },
    { keys: ["ArrowLeft"], label: "Look at the face before", run: move(-1), when: blank, typing: true },
    { keys: ["ArrowRight"], label: "Look at the next face", run: move(1), when: blank, typing: true },
    { keys: [" "], label: "Take out the face you look at", run: () => toggle(current.at), when: blank, typing: true },
    { keys: ["Enter", "/"], label: "Type a name", run: () => field.input.focus(), when: asking },
    {
      keys: ["Escape"], label: "Stop typing: letters become keys", typing: true,
      when: () => asking() && typing(), run: () => { writes = false; heading.focus(); },
    },
  ], signal);
  lettersBegin(() => field.input, asking, signal);

  await next();
}
