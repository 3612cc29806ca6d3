// What happens in Kith. A browser gives one origin six connections, so all open pages share one stream.

import { get, link, linkIs } from "./api.js";

const KINDS = ["photo", "analysed", "names", "sidecar", "person", "answer", "status", "gone"];
const heard = new EventTarget();
const channel = new BroadcastChannel("kith");
let latest = null;

/** Call `listener(data, kind)` for events of some kinds, until `signal` aborts. "gone": look at everything anew. */
export function on(kinds, listener, signal) {
  for (const kind of kinds) heard.addEventListener(kind, (event) => listener(event.detail, kind), { signal });
}

/** What Kith is doing, as last heard. */
export const doing = () => latest;

function pass(kind, data) {
  if (kind === "status") latest = data;
  heard.dispatchEvent(new CustomEvent(kind, { detail: data }));
}

channel.onmessage = ({ data: [kind, data] }) => {
  if (kind === "link") linkIs(data);
  else if (kind === "hello") { if (stream && latest) channel.postMessage(["status", latest]); }
  else pass(kind, data);
};

let stream = null;

function open() {
  stream = new EventSource("/v1/events");
  for (const kind of KINDS) {
    stream.addEventListener(kind, (event) => {
      const data = JSON.parse(event.data);
      pass(kind, data);
      channel.postMessage([kind, data]);
    });
  }
  stream.onopen = () => tell("there");
  stream.onerror = () => {
    if (stream.readyState === EventSource.CLOSED) setTimeout(open, 2000);
    // a restart of Kith may be over before anybody notices; only what can't be reached is lost
    get("/v1/hello").then(() => tell("there"), (error) => tell(error.code === "unauthorised" ? "out" : "lost"));
  };
}

function tell(state) {
  linkIs(state);
  channel.postMessage(["link", state]);
}

export function follow() {
  channel.postMessage(["hello", null]);
  if (navigator.locks) navigator.locks.request("kith-events", () => new Promise(open));
  else open();
  link.addEventListener("change", () => {
    if (link.state === "there") pass("gone", null);
  });
}
