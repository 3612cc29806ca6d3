// Elements and words.

/** An element: `h("button", {class: "tile", onclick: f, "aria-label": "…"}, "text", otherElement)`. */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "vars") for (const [name, v] of Object.entries(value)) element.style.setProperty(name, v);
    else if (key === "dataset") Object.assign(element.dataset, value);
    else if (key === "value") element.value = value;
    else element.setAttribute(key, value === true ? "" : value);
  }
  return fill(element, children, true);
}

/** Give an element these children, leaving out what is null or false. */
export function fill(element, children, more = false) {
  const some = [children].flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);
  if (more) element.append(...some);
  else element.replaceChildren(...some);
  return element;
}

/** Text with the words in `marked` parts emphasised. */
export const kbd = (key) => h("kbd", {}, key);

const numbers = new Intl.NumberFormat();
const shortDay = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeZone: "UTC" });
const monthOf = new Intl.DateTimeFormat(undefined, { month: "long", year: "numeric", timeZone: "UTC" });

export const count = (n) => numbers.format(n);
export const many = (n, one, more = `${one}s`) => `${count(n)} ${n === 1 ? one : more}`;
export const percent = (p) => `${Math.floor(100 * p)} %`;
/** How sure a guess is; none is as good as an answer. */
export const sureness = (p) => percent(Math.min(0.99, p));
/** The day of a photo's own clock; `seconds` since 1970. */
export const day = (seconds) => (seconds === null || seconds === undefined ? "no date" : shortDay.format(1000 * seconds));
export const month = (seconds) => monthOf.format(1000 * seconds);
export const year = (seconds) => new Date(1000 * seconds).getUTCFullYear();
export const years = (first, last) => (year(first) === year(last) ? `${year(first)}` : `${year(first)} – ${year(last)}`);
export const fileName = (path) => path.slice(path.lastIndexOf("/") + 1);
export const folderOf = (path) => path.slice(0, path.lastIndexOf("/"));

/** Minutes and hours as one says them. */
export function span(seconds) {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3600)} h`;
}

/** How long ago; `seconds` since 1970. */
export function ago(seconds) {
  const passed = Date.now() / 1000 - seconds;
  if (passed < 45) return "just now";
  if (passed < 86400) return `${span(passed)} ago`;
  return shortDay.format(1000 * seconds);
}

/** A function that runs once things have been quiet for a moment, but at least every `most` milliseconds. */
export function settled(run, quiet = 150, most = 1500) {
  let timer = 0;
  let since = 0;
  return () => {
    const now = performance.now();
    if (!timer) since = now;
    clearTimeout(timer);
    timer = setTimeout(() => {
      timer = 0;
      run();
    }, Math.max(0, Math.min(quiet, since + most - now)));
  };
}

/** What is to be seen between two questions, and tells so where that takes long. */
export const between = () => h("section", { class: "between" }, h("h1", { tabindex: "-1" }, "One moment"));

export const PAUSE = 500; // ms between a question that went by itself and the next: what is pressed then was meant for the first

/** A promise for in so many milliseconds. */
export const passed = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** A heading, a sentence and what can be done, where there is nothing else to show. */
export function empty(title, words, ...actions) {
  return h("section", { class: "empty" }, h("h1", { tabindex: "-1" }, title), h("p", {}, words), h("p", { class: "actions" }, ...actions));
}
