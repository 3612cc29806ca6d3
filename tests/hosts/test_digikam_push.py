"""Kith's suggestions in the real digiKam's People view, and what its user then says there, back in Kith."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from desk import Desk
from digikam_made import MadeDatabase, rows
from digikam_screen import CONFIRM, IGNORE, REMOVE, digikam
from libraries import Libraries
from programs import settings

pytestmark = pytest.mark.timeout(1800)  # the real program, on a machine that may have other work
ANNA, OTTO = "Anna Freud", "Otto Dix"
BECOMES = {"tagRegion": ANNA, "autodetectedFace": "Unknown", "ignoredFace": "Ignored"}  # whose tag a face has then
FACES = {"ImageTagProperties", "Tags", "TagProperties", "TagsTree"}  # the tables that a push may change


@pytest.fixture
def desk(tmp_path: Path, libraries: Libraries) -> Desk:
    """Eight drawn photos of the same two, one in each orientation; both were named on the first."""
    desk = libraries.two(tmp_path)
    desk.configure("[sidecars]\nwrite = false\n[people]\nauto = 'off'\nmin_faces = 2\n")
    for face, name in zip(desk.faces(photos(desk) / "1.jpg"), (ANNA, OTTO), strict=True):
        desk.kith("name", face["id"], name)
    return desk


@pytest.fixture
def made(desk: Desk) -> MadeDatabase:
    """digiKam's database over these photos, which has looked at them and knows nobody."""
    sizes = {f"{i}.jpg": (1500, 1000, i) if i < 5 else (1000, 1500, i) for i in range(1, 9)}
    return MadeDatabase(desk.home / "db" / "digikam4.db", photos(desk), sizes)


def photos(desk: Desk) -> Path:
    return desk.home / "photos"


def push(desk: Desk, made: MadeDatabase, *options: str) -> dict[str, Any]:
    return dict(json.loads(desk.kith("digikam", "push", "--db", made.path, "--json", *options)))


def suggested(desk: Desk) -> dict[tuple[str, str], dict[str, Any]]:
    """Kith's suggestions by photo and name."""
    return {
        (photo.name, face["suggestion"]["person"]["name"]): face
        for photo in sorted(photos(desk).glob("*.jpg"))
        for face in desk.faces(photo)
        if face["suggestion"]
    }


def test_suggestions_are_confirmed_rejected_and_ignored_in_digikam_and_come_back(
    desk: Desk, made: MadeDatabase, tmp_path: Path
) -> None:
    before, wanted = rows(made.path), suggested(desk)
    done = push(desk, made)
    assert done["suggestions"] == len(wanted) >= 8
    after = rows(made.path)
    assert {table for table in after if after[table] != before[table]} == FACES
    for table in FACES:
        assert set(before[table]) <= set(after[table])

    with digikam(tmp_path / "profile", made.path, settings(made.path.parent), tmp_path) as screen:
        screen.unconfirmed()
        screen.shot("unconfirmed")
        said: dict[str, set[tuple[int, str, str, str]]] = {}
        for button, kind in ((CONFIRM, "tagRegion"), (REMOVE, "autodetectedFace"), (IGNORE, "ignoredFace")):
            known = set(made.faces())
            screen.on_first_face(button, lambda known=known: set(made.faces()) - known)
            said[kind] = set(made.faces()) - known  # two where a slow digiKam got a second click
            assert {(new[1], new[2]) for new in said[kind]} == {(BECOMES[kind], kind)}
        screen.shot("answered")

    told = json.loads(desk.kith("digikam", "import", "--db", made.path, "--json"))
    assert told["counts"]["confirmed"] == len(said["tagRegion"])
    for image, *_ in said["tagRegion"]:
        assert (ANNA, "confirmed") in states(desk, image)
    for image, *_ in said["ignoredFace"]:
        assert ("", "ignored") in states(desk, image)
    for image, *_ in said["autodetectedFace"]:
        why = desk.json("explain", wanted[f"{image}.jpg", ANNA]["id"])
        assert why["not"] == [ANNA]
        assert (why["suggestion"] or {"person": {"name": None}})["person"]["name"] != ANNA

    # none of that is suggested again, and what was answered stays when the rest is taken back
    push(desk, made)
    answers = set().union(*said.values())
    assert not {(image, ANNA, "autodetectedFace", where) for image, _, _, where in answers} & made.faces()
    desk.kith("digikam", "push", "--db", made.path, "--undo")
    assert made.faces() == answers


def states(desk: Desk, image: int) -> set[tuple[str, str]]:
    """Who is on a photo in Kith, and how sure that is."""
    found = set()
    for face in desk.faces(photos(desk) / f"{image}.jpg"):
        who = face["person"] or (face["suggestion"] or {"person": None})["person"] or {"name": ""}
        found.add((who["name"], face["state"]))
    return found


def test_while_digikam_runs_nothing_is_pushed_and_it_is_told_why(
    desk: Desk, made: MadeDatabase, tmp_path: Path
) -> None:
    with digikam(tmp_path / "profile", made.path, settings(made.path.parent), tmp_path):
        done = desk.run("digikam", "push", "--db", made.path)
        assert done.returncode == 1
        assert "digikam" in done.stderr
        assert "Close it and try again. Nothing was changed." in done.stderr
        assert not made.faces()
    assert push(desk, made)["suggestions"] == len(suggested(desk))
