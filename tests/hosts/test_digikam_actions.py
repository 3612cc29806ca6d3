"""Kith in the real digiKam's menus: real clicks on several photos, beside the real running Kith."""

from __future__ import annotations

import shlex
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

import drawn
from churn import Running
from desk import Desk
from digikam_made import MadeDatabase
from digikam_screen import Screen, digikam, without_other_programs
from headless import home, until, until_or_not
from kith_digikam import desktop
from libraries import Libraries
from programs import settings

pytestmark = pytest.mark.timeout(1800)  # the real program, on a machine that may have other work
ANNA, OTTO = "Anna Freud", "Otto Dix"
FIRST_ALBUM, FIRST_PHOTO = (90, 140), (525, 231)
# The `kith` command as the menu starts it: with the folders of the test, and saying what it was asked and what it said.
PROGRAM = """#!/bin/sh
{exports}
echo "$*" >> {log}
{python} -m kith "$@" >> {log} 2>&1
"""
BROWSER = """#!/bin/sh
echo "$1" >> {log}
"""


class Menus:
    """The photos of a desk, a Kith that runs, and a digiKam that is about to have Kith in its menus."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.photos, self.profile = desk, desk.home / "photos", desk.home / "profile"
        self.log, self.visited = desk.home / "menu.log", desk.home / "visited.log"
        sizes = {path.name: (1500, 1000, 1) for path in sorted(self.photos.glob("*.jpg"))}
        self.database = MadeDatabase(desk.home / "db" / "digikam4.db", self.photos, sizes)
        self.environment = home(self.profile) | {"XDG_DATA_DIRS": without_other_programs(desk.home / "share")}
        folders = {name: value for name, value in desk.environment.items() if name.startswith(("XDG_", "PYTHONPATH"))}
        exports = "\n".join(f"export {name}={shlex.quote(value)}" for name, value in folders.items())
        binaries = desk.home / "bin"
        self.program = script(binaries / "kith", PROGRAM, exports=exports, log=self.log, python=sys.executable)
        script(binaries / "xdg-open", BROWSER, log=self.visited)
        self.environment["PATH"] = f"{binaries}:{desk.environment['PATH']}"

    def data(self) -> Path:
        return self.desk.home / "data" / "kith"

    def words(self, path: Path) -> list[str]:
        return path.read_text().splitlines() if path.exists() else []

    def asked(self, command: str) -> list[str]:
        """The photos with which a command was started."""
        lines = [line for line in self.words(self.log) if line.startswith(f"digikam {command} ")]
        return sorted(lines[-1].split()[2:]) if lines else []


def script(path: Path, text: str, **words: object) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text.format(**words))
    path.chmod(0o755)
    return path


@pytest.fixture
def menus(tmp_path: Path, libraries: Libraries) -> Iterator[Menus]:
    """Four drawn photos of the same two, who were named on the first."""
    desk = libraries.empty(tmp_path)
    desk.configure("[sidecars]\nwrite = false\n[people]\nauto = 'off'\nmin_faces = 2\n")
    for i in range(1, 5):
        drawn.save(drawn.photo(["Anna", "Otto"], seed=i), tmp_path / "photos" / f"{i}.jpg")
    desk.kith("scan", tmp_path / "photos")
    for face, name in zip(desk.faces(tmp_path / "photos" / "1.jpg"), (ANNA, OTTO), strict=True):
        desk.kith("name", face["id"], name)
    kith = Running(desk, tmp_path / "photos")
    kith.start()
    try:
        kith.ready()
        yield Menus(desk)
    finally:
        assert kith.stop() == 0


def choose(screen: Screen, entry: int) -> None:
    """Choose an entry below Open With for all photos of the album."""
    screen.xdo("key", "Escape", "sleep", 0.5)
    screen.dismiss()
    screen.call("activateAction", "selectAll")
    screen.click(FIRST_PHOTO, 3)
    screen.xdo("sleep", 1, "key", "w", "sleep", 1.5)
    screen.shot(f"open-with-{entry}")
    screen.xdo(*(word for _ in range(entry) for word in ("key", "Down", "sleep", 0.3)), "key", "Return")


def test_menu_actions_get_every_selected_photo_and_do_their_work(menus: Menus, tmp_path: Path) -> None:
    assert "Open With" in desktop.install(menus.program, menus.data(), menus.environment)[0]
    rc = settings(menus.database.path.parent)
    everybody = [str(menus.photos / f"{i}.jpg") for i in range(1, 5)]
    with digikam(menus.profile, menus.database.path, rc, tmp_path, menus.environment) as screen:
        screen.click(FIRST_ALBUM)
        screen.xdo("sleep", 3)
        for entry in range(3):
            for _ in range(3):
                before = menus.words(menus.log)
                choose(screen, entry)
                if until_or_not(lambda before=before: len(menus.words(menus.log)) > len(before), 15):
                    break
        for command in ("find", "confirm", "open"):
            until(lambda command=command: menus.asked(command) == everybody, 30)
        until(lambda: any(line.startswith("Confirmed: ") for line in menus.words(menus.log)), 60)
        until(lambda: any(line.startswith("On 4 photos: ") for line in menus.words(menus.log)), 60)
        until(lambda: menus.words(menus.visited), 30)
    for photo in sorted(menus.photos.glob("*.jpg")):
        assert {face["state"] for face in menus.desk.faces(photo)} == {"confirmed"}
    link = menus.words(menus.visited)[-1]
    assert "#/photo/" in link
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    with browser.open(link.partition("#")[0], timeout=20) as page:
        assert "Kith" in page.read().decode()
