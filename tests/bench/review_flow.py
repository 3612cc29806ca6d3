"""Play a person who names a library on the review page by keyboard alone: how many answers, keys and seconds?

    review_flow.py LIBRARY PACK [--photos 200] [--home FOLDER] [--look 1.5]

LIBRARY holds photos and `truth.csv` (path, name, x, y, w, h, role: family, friend or stranger). The photos are copied,
since sidecars are written beside them. The person knows everybody but the strangers, takes out the odd ones that are
shown, and stops when 95 % of the faces of people with five photos or more carry the right name. `--look` is how many
seconds a person takes to look at a question before the first key; a key takes 0.2 s. --home keeps what was analysed.
"""

from __future__ import annotations

import argparse
import csv
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "web"))

from at_work import at_work, kith, logged_in

from kith.service import packs, stages
from kith.service.reports import Silent
from served import Served

ENOUGH = 0.95
KEY = 0.2  # seconds a person takes for a key
PATIENCE = 200  # answers, after which the person gives up


@dataclass
class Person:
    """Somebody who knows who is who, and only uses the keyboard."""

    page: Page
    truth: dict[str, str]  # face -> name; "" for strangers, nothing for what is no face
    answers: int = 0
    keys: int = 0
    waits: list[float] = field(default_factory=list)
    pressed: float = 0.0

    def press(self, key: str) -> None:
        self.pressed = time.perf_counter()
        self.page.keyboard.press(key)
        self.keys += 1

    def write(self, text: str) -> None:
        self.page.keyboard.type(text)
        self.keys += len(text)

    def shown(self) -> list[str]:
        return list(self.page.evaluate("[...document.querySelectorAll('.review .tile')].map((t) => t.dataset.face)"))

    def answer(self) -> bool:
        """Answer the question that is there; False where there is none."""
        faces = self.shown()
        if not faces:
            return False
        names = Counter(self.truth.get(face) for face in faces)
        who = names.most_common(1)[0][0]
        asked = self.page.evaluate("document.querySelector('h1 b')?.textContent ?? null")
        self.take_out(faces, asked if asked in names else who)
        if asked is not None and asked in names:
            self.command("y")
        elif not who:
            self.command("f" if who is None else "i")
        elif asked is not None:
            self.command("n")
        else:
            self.name(who)
        self.answers += 1
        for _ in range(400):
            now = self.shown()
            if now != faces:
                self.waits.append(time.perf_counter() - self.pressed)
                return True
            self.page.wait_for_timeout(5)
        return False

    def goes_on(self) -> bool:
        """Have faces asked about that were seen only once; False where there is none."""
        if not self.page.get_by_role("button", name="seen only once").first.is_visible():
            return False
        self.press("o")
        self.page.wait_for_timeout(1000)
        return bool(self.shown())

    def take_out(self, faces: Iterable[str], who: str | None) -> None:
        for number, face in enumerate(faces, 1):
            if self.truth.get(face) != who and number <= 9:
                self.press(f"Shift+Digit{number}")

    def command(self, key: str) -> None:
        typing = self.page.evaluate("document.activeElement.matches('input')")
        self.press(f"Alt+{key}" if typing else key)

    def name(self, who: str) -> None:
        """Choose somebody by number where the page offers them, or type as much of a name as it takes."""
        if not self.page.evaluate("document.activeElement.matches('input')"):
            self.press("Enter")
        offered = self.page.locator(".names li:has(kbd) > span").all_inner_texts()
        if who in offered:
            return self.press(str(offered.index(who) + 1))
        for letter in who:
            self.write(letter)
            first = self.page.evaluate(
                "document.querySelector('.names [aria-selected=true] span:not(.plus)')?.textContent"
            )
            if first == who:
                break
        self.press("Enter")


def truth_of(library: Path, photos: Path, here: Served) -> tuple[dict[str, str], set[str]]:
    """Who each found face is, and the faces that have to be named."""
    rows = list(csv.DictReader((library / "truth.csv").open()))
    known: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        known.setdefault(str(photos / row["path"]), []).append(row)
    truth: dict[str, str] = {}
    for face in every_face(here):
        for row in known.get(face["photo"]["path"], []):
            if (
                abs(float(row["x"]) - face["box"]["x"]) < float(row["w"]) / 3
                and abs(float(row["y"]) - face["box"]["y"]) < float(row["h"]) / 3
            ):
                truth[face["id"]] = "" if row["role"] == "stranger" else row["name"].replace("_", " ")
    count = Counter(truth.values())
    return truth, {face for face, name in truth.items() if name and count[name] >= 5}


def every_face(here: Served) -> list[dict[str, Any]]:
    return list(here.client.pages("/v1/faces", "faces", limit=500))


def named(here: Served, truth: dict[str, str], wanted: set[str]) -> tuple[int, int]:
    """How many of the wanted faces carry the right name, and how many faces carry a wrong one."""
    right = wrong = 0
    for face in every_face(here):
        who = face["person"] or (face["suggestion"]["person"] if face["state"] == "auto" else None)
        if who is not None:
            is_right = truth.get(face["id"]) == who["name"]
            right += is_right and face["id"] in wanted
            wrong += not is_right
    return right, wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", type=Path)
    parser.add_argument("pack", type=Path)
    parser.add_argument("--photos", type=int, default=200)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--look", type=float, default=1.5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        base = given.home or Path(temporary)
        photos = base / "photos"
        if not photos.is_dir():
            copied(given.library, photos, given.photos)
        with kith(base / "home") as app:
            if packs.in_use(app) is None:
                packs.get(app, "auto", given.pack, Silent())
            stages.run(app, [photos], Silent())
            with at_work(app, photos) as here, sync_playwright() as playwright:
                program = shutil.which("chromium") or shutil.which("google-chrome")
                arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
                browser = playwright.chromium.launch(executable_path=program, args=arguments)
                page, told = logged_in(browser, here)
                play(page, here, *truth_of(given.library, photos, here), given.look)
                browser.close()
                if told:
                    print("console:", *told, sep="\n  ")


def copied(library: Path, photos: Path, most: int) -> None:
    paths = dict.fromkeys(row["path"] for row in csv.DictReader((library / "truth.csv").open()))
    for path in list(paths)[:most]:
        if (library / path).is_file():
            (photos / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(library / path, photos / path)


def play(page: Page, here: Served, truth: dict[str, str], wanted: set[str], look: float) -> None:
    person = Person(page, truth)
    page.locator(".review .tile").first.wait_for()
    began = time.perf_counter()
    right = wrong = 0
    while person.answers < PATIENCE:
        if not person.answer():
            page.wait_for_timeout(4000)  # the last answers may make new questions
            if not (person.answer() or person.goes_on()):
                break
        right, wrong = named(here, truth, wanted)
        if right >= ENOUGH * len(wanted):
            break
    seconds = time.perf_counter() - began
    page.wait_for_timeout(4000)
    right, wrong = named(here, truth, wanted)
    modelled = person.answers * look + person.keys * KEY + sum(person.waits)
    hundred = 100 / max(1, right)
    print(f"{len(truth)} known faces found, {len(wanted)} of them of people with five photos or more")
    print(f"named right: {right} ({right / len(wanted):.1%}); named wrong: {wrong}")
    print(f"{person.answers} answers, {person.keys} keys; {seconds:.0f} s as played")
    print(
        f"for 100 faces: {person.answers * hundred:.1f} answers, {person.keys * hundred:.0f} keys, "
        f"{modelled * hundred:.0f} s with {look} s to look and {KEY} s a key"
    )
    print(
        f"key to next question: median {1000 * median(person.waits):.0f} ms, "
        f"95 % within {1000 * quantiles(person.waits, n=20)[-1]:.0f} ms"
    )


if __name__ == "__main__":
    main()
