// The keyboard: each view says which keys it has; `?` shows them all.

import { h, kbd } from "./dom.js";

const maps = [];
let since = 0; // what was pressed before was meant for something else
let held = null; // the key that did something, for as long as it is held down
let clicked = 0; // when the mouse last did

/**
 * Keys of a view until `signal` aborts: [{keys: ["y"], label: "Yes", run, when?, typing?}].
 * Letters stand for themselves; while somebody types they need Alt, unless `typing` says they don't.
 */
export function keys(title, bindings, signal) {
  const map = { title, bindings };
  maps.push(map);
  signal?.addEventListener("abort", () => maps.splice(maps.indexOf(map), 1));
}

/** Another question is to be seen: what was pressed before, and is heard only now, doesn't answer it. */
export function onlyFromNow() {
  since = performance.now();
}

export const typing = () => document.activeElement?.matches("input:not([type=checkbox],[type=range]), textarea") ?? false;

/** Any letter that is no key begins a name in `field()`. */
export function lettersBegin(field, when, signal) {
  document.addEventListener("keydown", (event) => {
    if (!event.defaultPrevented && when() && !typing() && /^\p{L}$/u.test(event.key) && !event.ctrlKey && !event.altKey && !event.metaKey) field().focus();
  }, { signal });
}

function named(event) {
  // with Alt, some layouts give another character; the key's place is meant then
  // with Shift, most layouts give a sign in place of a digit; where Shift gives the digit, the digit is meant
  const digit = event.shiftKey && event.code.startsWith("Digit") && !/\d/.test(event.key);
  const key = (event.altKey && event.code.startsWith("Key")) || digit ? event.code.replace(/^Key|^Digit/, "") : event.key;
  const name = key.length === 1 ? key.toLowerCase() : key;
  return (event.ctrlKey || event.metaKey ? "ctrl+" : "") + (event.shiftKey && (key.length > 1 || digit) ? "shift+" : "") + name;
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing) return;
  if (isHeld(event)) return event.preventDefault();
  const name = named(event);
  for (const map of maps.toReversed()) {
    for (const binding of map.bindings) {
      if (!binding.keys.includes(name) || (binding.when && !binding.when())) continue;
      if (typing() && !event.altKey && !binding.typing) continue;
      if (onControl(event.target, name)) continue;
      event.preventDefault();
      if (event.timeStamp < since) return;
      // one walks on while an arrow is held down; everything else is said once
      held = binding.keys.some((key) => key.includes("Arrow")) ? null : event.code;
      binding.run(event, name);
      return;
    }
  }
});

// the second half of a double click was meant for what the first one answered
document.addEventListener("click", (event) => {
  const late = event.timeStamp < since || (event.detail > 1 && clicked < since);
  clicked = event.timeStamp;
  if (!late) return;
  event.preventDefault();
  event.stopPropagation();
}, { capture: true });

/** Whether a key that already did something is still down. */
function isHeld(event) {
  return event.repeat && (event.code === held || event.key === "Enter" || (event.key === " " && !typing()));
}

/** Whether a focused button or link takes this key itself. */
function onControl(target, name) {
  return (name === "Enter" || name === " ") && target.matches("button, a[href], summary, select") && !target.matches(".tile");
}

const SHOWN = { ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", Enter: "↵", Escape: "Esc", " ": "Space", Delete: "Del" };

export const keyName = (name) =>
  name.split("+").map((part) => SHOWN[part] ?? (part.length === 1 ? part.toUpperCase() : part[0].toUpperCase() + part.slice(1))).join(" ");

/** A row of digits is one key to look at; what Shift does besides is told in words. */
function shownKeys(names) {
  const digits = names.filter((name) => /^(shift\+)?[1-9]$/.test(name));
  if (digits.length > 1) return [`${keyName(digits[0])} – 9`];
  return names.filter((name) => !name.startsWith("shift+") || names.length === 1).slice(0, 3).map(keyName);
}

/** The panel that `?` opens. */
export function help() {
  const open = document.getElementById("help");
  if (open) return open.hidePopover();
  const panel = h("div", { id: "help", popover: "auto", role: "region", "aria-label": "Keys", tabindex: "-1" },
    maps.toReversed().map(({ title, bindings }) => [
      h("h2", {}, title),
      h("dl", {}, bindings.filter((b) => b.label).map((b) => h("div", {},
        h("dt", {}, shownKeys(b.keys).map((k) => kbd(k))),
        h("dd", {}, b.label)))),
    ]),
    h("p", { class: "quiet" }, "While you type a name, letters need ", kbd("Alt"), "."));
  const before = document.activeElement;
  panel.addEventListener("toggle", (event) => {
    if (event.newState !== "closed") return;
    panel.remove();
    before?.focus?.({ preventScroll: true });
  });
  document.body.append(panel);
  panel.showPopover();
  panel.focus();
  return panel;
}
