"""The people whom the real digiKam knows become Kith's, from its database alone and while it runs."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

import drawn
from desk import Desk
from libraries import Libraries
from programs import DigiKam
from required import need

TWO = ["Anna", "Otto"]
BACK = (30, 820, 120, 150)  # of somebody whom only digiKam sees
GUESSED = "8.jpg"  # where digiKam takes Otto for Anna


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, libraries: Libraries) -> Desk:
    """Drawn photos of the same two, one in each orientation, without any sidecar."""
    desk = libraries.two(tmp_path_factory.mktemp("desk"))
    desk.configure("[sidecars]\nquiet_seconds = 0.0\n")
    return desk


@pytest.fixture(scope="module")
def digikam(desk: Desk) -> DigiKam:
    """digiKam has found the photos; then their faces were confirmed there, and nothing of it went to a file."""
    need("digikam")
    digikam = DigiKam(desk.home / "photos", desk.home / "digikam")
    digikam.find_photos()
    for photo in photos(desk):
        for pose in drawn.poses(TWO, seed=int(photo.stem)):
            if (photo.name, pose.name) != (GUESSED, "Otto"):
                digikam.add(photo.name, pose.name, rect(*pose.rectangle))
        digikam.add(photo.name, "Somebody's Back", rect(*BACK))
    otto = drawn.poses(TWO, seed=8)[1]
    digikam.guess(GUESSED, "Anna", rect(*otto.rectangle))
    digikam.put_away("1.jpg", rect(900, 20, 90, 90))
    digikam.tag("2.jpg", "Max Ernst")
    return digikam


@pytest.fixture(scope="module")
def imported(desk: Desk, digikam: DigiKam) -> str:
    """What the import said that was made while digiKam ran."""
    with digikam.running():
        done = desk.run("digikam", "import", "--db", database(digikam))
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def photos(desk: Desk) -> list[Path]:
    return sorted((desk.home / "photos").glob("*.jpg"))


def database(digikam: DigiKam) -> Path:
    return digikam.profile / "db" / "digikam4.db"


def rect(left: int, top: int, width: int, height: int) -> str:
    return f'<rect x="{left}" y="{top}" width="{width}" height="{height}"/>'


def people(desk: Desk) -> dict[str, list[tuple[str, str]]]:
    """By photo the faces from left to right: whose, and how that is known."""
    return {
        photo.name: [(face["person"]["name"] if face["person"] else "", face["state"]) for face in desk.faces(photo)]
        for photo in photos(desk)
    }


def report(desk: Desk, *words: str | Path) -> Any:
    return json.loads(desk.kith("digikam", *words, "--json"))


def test_a_dry_run_shows_who_is_there_and_changes_nothing(desk: Desk, digikam: DigiKam) -> None:
    before = database(digikam).read_bytes()
    found = report(desk, "import", "--dry-run", "--db", database(digikam))
    assert {name: (of["confirmed"], of["unconfirmed"], of["tagged"]) for name, of in found["people"].items()} == {
        "Anna": (8, 1, 0),
        "Somebody's Back": (8, 0, 0),
        "Otto": (7, 0, 0),
        "Max Ernst": (0, 0, 1),
    }
    assert found["faces"] == {"confirmed": 23, "unconfirmed": 1, "unknown": 0, "ignored": 1}
    assert (found["version"], found["act"]) == (15, None)
    assert database(digikam).read_bytes() == before
    assert os.listdir(database(digikam).parent).count("digikam4.db-journal") == 0


def test_every_region_comes_to_the_right_face_in_every_orientation(desk: Desk, digikam: DigiKam, imported: str) -> None:
    for photo in photos(desk):
        found = {face["person"]["name"]: face["box"] for face in desk.faces(photo) if face["person"]}
        wanted = {pose.name: pose for pose in drawn.poses(TWO, seed=int(photo.stem))}
        if photo.name == GUESSED:
            del wanted["Otto"]
        assert set(found) == {*wanted, "Somebody's Back"}
        for name, pose in wanted.items():
            assert abs(found[name]["x"] * 1500 - pose.centre[0]) < pose.unit / 2
            assert abs(found[name]["y"] * 1000 - pose.centre[1]) < pose.unit / 2
        back = found["Somebody's Back"]
        assert abs(back["x"] * 1500 - 90) <= 1
        assert abs(back["y"] * 1000 - 895) <= 1


def test_an_import_beside_a_running_digikam_is_said_and_harms_nothing(
    desk: Desk, digikam: DigiKam, imported: str
) -> None:
    assert "digiKam is running" in imported
    assert "23 faces named, 8 of them found by digiKam alone, 1 person without a face" in imported
    assert sum(map(len, digikam.faces().values())) == 23


def test_what_is_no_answer_there_is_none_here(desk: Desk, imported: str) -> None:
    otto = desk.faces(desk.home / "photos" / GUESSED)[2]
    assert (otto["person"], otto["state"]) != ({"name": "Anna"}, "confirmed")
    assert [person["name"] for person in desk.json("faces", desk.home / "photos" / "2.jpg")["present"]] == ["Max Ernst"]


def test_a_rebuild_says_what_became_of_digikam_s_guesses(desk: Desk, digikam: DigiKam, imported: str) -> None:
    found = report(desk, "rebuild", "--db", database(digikam))
    assert found["counts"]["confirmed"] == 0
    assert {name: change["answers"] for name, change in found["changes"].items() if change["answers"]} == {
        "Anna": 8,
        "Otto": 7,
        "Somebody's Back": 8,
    }
    anna = found["changes"]["Anna"]
    assert (anna["guessed"], anna["same"], anna["another"]) == (1, 0, 1)
    assert found["changes"]["Otto"]["suggests"] + found["changes"]["Otto"]["names"] == 1


def test_only_what_changed_in_digikam_comes_with_the_next_import(desk: Desk, digikam: DigiKam, imported: str) -> None:
    before = people(desk)
    assert "nothing to say" in desk.kith("digikam", "import", "--db", database(digikam))
    digikam.add("3.jpg", "Max Ernst", digikam.remove("3.jpg", "Otto"))
    digikam.remove("4.jpg", "Somebody's Back")
    counts = report(desk, "import", "--db", database(digikam))["counts"]
    assert (counts["confirmed"], counts["forgotten"], counts["rejected"]) == (1, 1, 1)
    now = people(desk)
    assert now["3.jpg"] == [*before["3.jpg"][:2], ("Max Ernst", "confirmed")]
    assert now["4.jpg"] == before["4.jpg"][1:]
    desk.kith("undo")
    desk.kith("scan", desk.home / "photos")
    assert people(desk) == before


def test_what_digikam_also_writes_to_sidecars_makes_no_second_face(desk: Desk, digikam: DigiKam, imported: str) -> None:
    desk.kith("digikam", "import", "--db", database(digikam))
    before = people(desk)
    digikam.read_and_write()
    desk.kith("scan", desk.home / "photos")
    assert people(desk) == before
    assert "nothing to say" in desk.kith("digikam", "import", "--db", database(digikam))
    assert people(desk) == before
