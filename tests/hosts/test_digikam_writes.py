"""The real digiKam reads what Kith wrote, and what it then writes comes back to Kith as the same people."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import drawn
from desk import Desk, exiftool, regions
from libraries import Libraries
from programs import DigiKam
from required import need

ANNA, OTTO = "Anna Freud", "Otto Dix"
NOBODY = {"person": {"name": None}}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, libraries: Libraries) -> Desk:
    """Drawn photos of the same two, one in each orientation; on the last two it was Kith who named them."""
    desk = libraries.empty(tmp_path_factory.mktemp("desk"))
    desk.configure("[sidecars]\nquiet_seconds = 0.0\n[people]\nauto = 'wide'\n")
    take(desk, range(1, 7))
    left = desk.faces(photos(desk) / "1.jpg")[0]["group"]
    for group in [group["id"] for group in desk.json("groups")]:
        desk.kith("name", group, ANNA if group == left else OTTO)
    take(desk, (7, 8))
    return desk


@pytest.fixture(scope="module")
def before(desk: Desk) -> dict[str, list[Any]]:
    return people(desk)


@pytest.fixture(scope="module")
def digikam(desk: Desk, before: dict[str, list[Any]]) -> DigiKam:
    """digiKam, after it has read all sidecars and written them again."""
    need("digikam")
    digikam = DigiKam(photos(desk), desk.home / "digikam")
    digikam.read_and_write()
    return digikam


def take(desk: Desk, orientations: range | tuple[int, ...]) -> None:
    for orientation in orientations:
        picture = drawn.photo(["Anna", "Otto"], seed=orientation)
        drawn.save(picture, photos(desk) / f"{orientation}.jpg", orientation=orientation)
    desk.kith("scan", photos(desk))


def photos(desk: Desk) -> Path:
    return desk.home / "photos"


def people(desk: Desk) -> dict[str, list[Any]]:
    """By photo, from left to right: the face, whose it is, and how Kith knows."""
    return {
        photo.name: [
            (face["id"], face["state"], (face["person"] or (face["suggestion"] or NOBODY)["person"])["name"])
            for face in desk.faces(photo)
        ]
        for photo in sorted(photos(desk).glob("*.jpg"))
    }


def names(desk: Desk, photo: str) -> list[str | None]:
    return [face["person"] and face["person"]["name"] for face in desk.faces(photos(desk) / photo)]


def sidecar(desk: Desk, photo: str) -> Path:
    return photos(desk) / f"{photo}.xmp"


def written(desk: Desk, photo: str) -> list[str]:
    """The names of the regions in a sidecar, from left to right as stored."""
    path = sidecar(desk, photo)
    return [name for name, *_ in sorted(regions(exiftool(path, "xmp")[str(path)], 1), key=lambda region: region[1])]


def test_digikam_shows_names_and_boxes_as_confirmed_faces_in_all_orientations(desk: Desk, digikam: DigiKam) -> None:
    found = digikam.faces()
    for orientation in range(1, 9):
        wanted = desk.faces(photos(desk) / f"{orientation}.jpg")
        shown = found[f"{orientation}.jpg"]
        assert [name for name, *_ in shown] == [ANNA, OTTO]
        for (_, x, y), face in zip(shown, wanted, strict=True):
            assert abs(x - face["box"]["x"] * 1500) <= 2
            assert abs(y - face["box"]["y"] * 1000) <= 2


def test_what_digikam_writes_comes_back_as_the_same_people(
    desk: Desk, digikam: DigiKam, before: dict[str, list[Any]]
) -> None:
    """In all orientations; nobody is lost or doubled, an answer stays an answer and a guess a guess."""
    for meta in exiftool(photos(desk), "xmp").values():
        assert "Exiv2" in meta["XMPToolkit"]
    again = desk.json("scan", photos(desk))
    assert (again["analysed"], again["written"], again["troubled"]) == (0, 0, 0)
    assert people(desk) == before
    assert {state for *_, (_, state, _) in before.values()} == {"confirmed", "auto"}
    assert [(person["name"], person["faces"]) for person in desk.json("people")] == [(ANNA, 6), (OTTO, 6)]


def test_what_was_renamed_added_and_removed_in_digikam_is_so_in_kith(
    desk: Desk, digikam: DigiKam, before: dict[str, list[Any]]
) -> None:
    desk.kith("scan", photos(desk))
    digikam.add("1.jpg", "Max Ernst", digikam.remove("1.jpg", OTTO))
    digikam.add("6.jpg", "Max Ernst", digikam.remove("6.jpg", OTTO))
    digikam.add("3.jpg", "Somebody's Back", '<rect x="30" y="800" width="120" height="150"/>')
    digikam.remove("2.jpg", ANNA)
    digikam.remove("8.jpg", OTTO)
    digikam.rate(3)
    digikam.read_and_write()
    without_anna = sidecar(desk, "2.jpg").read_bytes()
    assert written(desk, "2.jpg") == [OTTO]
    desk.kith("scan", photos(desk))

    assert names(desk, "1.jpg") == names(desk, "6.jpg") == [ANNA, "Max Ernst"]
    assert names(desk, "3.jpg") == ["Somebody's Back", ANNA, OTTO]
    # a guess that was taken away does not come back to that face
    assert people(desk)["8.jpg"][1][2] != OTTO
    # a name that a person gave is written once more, and is kept when it is taken away again
    assert (names(desk, "2.jpg"), written(desk, "2.jpg")) == ([ANNA, OTTO], [OTTO, ANNA])
    sidecar(desk, "2.jpg").write_bytes(without_anna)
    desk.kith("scan", photos(desk))
    assert (names(desk, "2.jpg"), written(desk, "2.jpg")) == ([ANNA, OTTO], [OTTO])
    assert [face["person"]["name"] for face in desk.json("disputes")["faces"]] == [ANNA]
    # the rest is as it was, and what else digiKam said stays
    for untouched in ("4.jpg", "5.jpg"):
        assert people(desk)[untouched] == before[untouched]
    assert desk.json("scan", photos(desk))["written"] == 0
    assert {meta["Rating"] for meta in exiftool(photos(desk), "xmp").values()} == {3}
