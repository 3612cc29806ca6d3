// Calls of the API, and whether Kith is there.

export class Refused extends Error {
  constructor({ code, message, detail }) {
    super(message);
    this.code = code;
    this.detail = detail;
  }
}

/** Nobody answered; what was asked may be asked again. */
export class Lost extends Error {}

/** Says "there", "lost" and "out" (the login is over) whenever that changes. */
export const link = Object.assign(new EventTarget(), { state: "there" });

export function linkIs(state) {
  if (link.state === state) return;
  link.state = state;
  link.dispatchEvent(new Event("change"));
}

async function call(path, options) {
  let response;
  try {
    response = await fetch(path, { ...options, headers: { Accept: "application/json", ...options.headers } });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    linkIs("lost");
    throw new Lost("Kith doesn’t answer.");
  }
  const told = await response.json().catch(() => {
    throw new Lost("Kith’s answer broke off.");
  });
  linkIs(response.status === 401 ? "out" : "there");
  if (!told.ok) throw new Refused(told.error);
  return told;
}

export function get(path, query = {}, signal = undefined) {
  const given = Object.entries(query).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  return call(given.length ? `${path}?${new URLSearchParams(given)}` : path, { signal });
}

export function post(path, body = {}) {
  return call(path, { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" } });
}

/** All pages of a list. */
export async function all(path, name, query = {}) {
  const found = [];
  let cursor = "";
  do {
    const page = await get(path, { ...query, limit: 500, cursor });
    found.push(...page[name]);
    cursor = page.cursor;
  } while (cursor);
  return found;
}

/** Faces in full, in the order of their ids. */
export async function faces(ids) {
  const found = [];
  for (let i = 0; i < ids.length; i += 400) {
    found.push(...(await get("/v1/faces", { ids: ids.slice(i, i + 400).join(",") })).faces);
  }
  return found;
}

const SIZES = [96, 160, 224, 320, 512];

/** The address of a face's picture for a square of so many CSS pixels. */
export function crop(face, side) {
  const wanted = side * Math.min(2, devicePixelRatio);
  return `/v1/faces/${face}/crop?size=${SIZES.find((size) => size >= wanted) ?? 512}`;
}

export const picture = (photo, size = 1600) => `/v1/photos/${photo}/picture?size=${size}`;
