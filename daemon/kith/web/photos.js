// Photos, folder by folder.

import { get, picture } from "./api.js";
import { day, empty, fileName, fill, folderOf, h, many, month, settled } from "./dom.js";
import { on } from "./events.js";
import { walk } from "./faces.js";
import { keys } from "./keys.js";
import { wall } from "./wall.js";

export async function photos(main, { folder = "" }, signal) {
  const heading = h("h1", { tabindex: "-1" }, "Photos");
  const about = h("p", { class: "about" });
  const open = h("select", { "aria-label": "Folder", onchange: () => { location.hash = open.value ? `#/photos?folder=${encodeURIComponent(open.value)}` : "#/photos"; } });
  const list = wall({
    label: "Photos", side: 210, ratio: 1.4, signal,
    name: (photo) => `${fileName(photo.path)}, ${many(photo.faces, "face")}${photo.unnamed ? `, ${photo.unnamed} without a name` : ""}`,
    content: (photo) => [h("img", { "data-src": picture(photo.id, 420), alt: "", decoding: "async" }), photo.unnamed > 0 && h("span", { class: "note" }, `${photo.unnamed} ?`)],
    open: (photo, all) => {
      walk(all.map((other) => ({ photo: other.id })));
      location.hash = `#/photo/${photo.id}`;
    },
  });

  async function read() {
    const told = await get("/v1/photos", {}, signal);
    if (signal.aborted) return;
    const all = told.photos.map(([id, path, taken, faces, unnamed]) => ({ id, path, taken, faces, unnamed }));
    if (!all.length) return main.replaceChildren(empty("No photos yet", "Kith shows photos from the folders it watches.", h("a", { class: "button primary", href: "#/activity" }, "Choose folders")));
    if (!list.element.isConnected) main.replaceChildren(h("header", { class: "page-head" }, h("div", {}, heading, about), open), list.element);
    const folders = [...new Set(all.map((photo) => folderOf(photo.path)))].sort();
    const shared = common(folders);
    fill(open, [h("option", { value: "" }, "All folders"), ...folders.map((path) => h("option", { value: path, selected: path === folder }, path.slice(shared.length) || fileName(path)))]);
    const shown = all.filter((photo) => !folder || photo.path.startsWith(`${folder}/`)).reverse();
    about.textContent = `${many(shown.length, "photo")}, ${many(shown.reduce((sum, photo) => sum + photo.faces, 0), "face")}`;
    list.show([...Map.groupBy(shown, (photo) => month(photo.taken))].map(([title, items]) => ({ title, items })));
  }

  await read();
  on(["photo", "analysed", "answer", "gone"], settled(() => signal.aborted || read().catch(() => {}), 500, 4000), signal);
  keys("Photos", [
    { keys: ["ArrowDown"], label: "Walk over the photos", run: () => list.element.querySelector(".tile[tabindex='0']")?.focus(), when: () => !list.element.contains(document.activeElement) },
    { keys: ["/"], label: "Choose a folder", run: () => open.focus() },
  ], signal);
}

/** What all paths begin with, up to a slash. */
function common(paths) {
  const parents = paths.map((path) => `${folderOf(path)}/`);
  return parents.reduce((one, other) => {
    let i = 0;
    while (i < one.length && one[i] === other[i]) i++;
    return one.slice(0, one.lastIndexOf("/", i - 1) + 1);
  });
}
