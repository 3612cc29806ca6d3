"""A lost catalogue is no lost work: the names come back from the sidecars, and guesses stay guesses."""

from __future__ import annotations

import shutil

import pytest

import drawn
from desk import Desk, Kept
from libraries import Libraries

CAST = [("Anna", "Otto"), ("Anna",), ("Otto", "Clara"), ("Clara", "Anna")]


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory, libraries: Libraries) -> Kept:
    """Photos on which everybody has a name."""
    desk = libraries.empty(tmp_path_factory.mktemp("home"))
    desk.configure("[sidecars]\nquiet_seconds = 0.0\n[people]\nauto = 'off'\n")
    folder = desk.home / "photos"
    for i, cast in enumerate(CAST):
        photo = drawn.save(drawn.photo(list(cast), seed=i), folder / f"{i}.jpg")
    desk.kith("scan", folder)
    for i, cast in enumerate(CAST):
        for face, name in zip(desk.faces(folder / f"{i}.jpg"), cast, strict=True):
            desk.kith("name", face["id"], name)
    desk.kith("tag", photo, "Ida")
    return Kept.of(desk.home)


@pytest.fixture
def desk(named: Kept) -> Desk:
    return Desk(named.back())


def known(desk: Desk) -> list[object]:
    faces = [
        [(face["person"]["name"] if face["person"] else None, face["state"]) for face in desk.faces(photo)]
        for photo in sorted((desk.home / "photos").glob("*.jpg"))
    ]
    people = sorted((person["name"], person["faces"], person["photos"]) for person in desk.json("people"))
    return [faces, people]


@pytest.mark.parametrize("how", ["lost", "damaged", "sound"])
def test_every_name_comes_back_from_the_sidecars(desk: Desk, how: str) -> None:
    folder, data = desk.home / "photos", desk.home / "data" / "kith"
    before, written = known(desk), {path: path.read_bytes() for path in folder.glob("*.xmp")}
    (catalogue,) = data.glob("catalogue.db")
    if how == "lost":
        for part in data.glob("catalogue.db*"):
            part.unlink()
    elif how == "damaged":
        whole = catalogue.read_bytes()
        catalogue.write_bytes(whole[: len(whole) // 3])
    told = desk.kith("rebuild", "--from-sidecars", folder)
    assert ("damaged" in told) == (how == "damaged")
    assert len(list(data.glob("catalogue.db.damaged-*"))) == (how == "damaged")
    assert "4 people again" in told
    assert known(desk) == before
    assert {path: path.read_bytes() for path in folder.glob("*.xmp")} == written


def test_what_kith_had_guessed_is_no_answer_after_a_rebuild_and_a_wrong_guess_goes_everywhere(desk: Desk) -> None:
    folder, data = desk.home / "photos", desk.home / "data" / "kith"
    photo = folder / "1.jpg"
    sidecar = folder / "1.jpg.xmp"
    guesses = "<k:Guesses xmlns:k='https://kith.invalid/ns/1.0/'><rdf:Bag><rdf:li>Anna</rdf:li></rdf:Bag></k:Guesses>"
    text = sidecar.read_text()
    sidecar.write_text(text.replace("</rdf:Description>", f"{guesses}</rdf:Description>", 1))
    for part in data.glob("catalogue.db*"):
        part.unlink()
    desk.kith("rebuild", "--from-sidecars", folder)
    (face,) = desk.faces(photo)
    assert face["person"] is None
    desk.kith("name", face["id"], "Berta")
    assert "Anna" not in sidecar.read_text()
    assert "Berta" in sidecar.read_text()
    shutil.rmtree(data / "packs")
