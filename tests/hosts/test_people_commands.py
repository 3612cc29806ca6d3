"""What can be said about people and faces beyond a name, as a user says it."""

from __future__ import annotations

from pathlib import Path

import pytest

import drawn
from desk import Desk, Kept, exiftool
from libraries import Libraries


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory, libraries: Libraries) -> Kept:
    """Four photos of one person whom nobody named."""
    desk = libraries.empty(tmp_path_factory.mktemp("home"))
    desk.configure("[sidecars]\nquiet_seconds = 0.0\n[people]\nauto = 'off'\n")
    for i in range(4):
        drawn.save(drawn.photo(["Anna"], seed=i), desk.home / "photos" / f"{i}.jpg")
    desk.kith("scan", desk.home / "photos")
    return Kept.of(desk.home)


@pytest.fixture
def desk(scanned: Kept) -> Desk:
    return Desk(scanned.back())


def photo(desk: Desk, number: int) -> Path:
    return desk.home / "photos" / f"{number}.jpg"


def face(desk: Desk, number: int) -> str:
    return str(desk.faces(photo(desk, number))[0]["id"])


def person(desk: Desk, name: str) -> dict[str, object]:
    return next(found for found in desk.json("people", "--hidden") if found["name"] == name)


def test_a_suggestion_is_explained_by_the_faces_that_made_it_and_asked_about(desk: Desk) -> None:
    desk.kith("name", face(desk, 0), "Anna")
    told = desk.json("explain", face(desk, 1))
    assert told["suggestion"]["person"]["name"] == "Anna"
    assert [other["id"] for other in told["because"]] == [face(desk, 0)]
    (question,) = desk.json("questions")
    assert question["person"]["name"] == "Anna"
    assert set(question["faces"]) == {face(desk, n) for n in (1, 2, 3)}
    desk.kith("confirm", *question["faces"])
    assert desk.json("questions") == []
    assert person(desk, "Anna")["faces"] == 4
    said = desk.json("explain", face(desk, 0))["said"]
    assert [act["words"] for act in said] == [f"name {face(desk, 0)} Anna"]


def test_who_was_only_said_to_be_there_is_counted_once_when_a_face_shows_them(desk: Desk) -> None:
    def known() -> tuple[list[str], list[str], list[str], int]:
        """Names by faces, names without, and what the sidecar has: keywords, and how many regions."""
        desk.kith("scan", desk.home / "photos")
        found = desk.json("faces", photo(desk, 0))
        meta = exiftool(desk.home / "photos", "xmp")[f"{photo(desk, 0)}.xmp"]
        assert meta["PersonInImage"] == ["Otto"]
        return (
            [one["person"]["name"] for one in found["faces"] if one["person"]],
            [one["name"] for one in found["present"]],
            meta["HierarchicalSubject"],
            sum(isinstance(region, dict) for region in meta.get("RegionInfo", {}).get("RegionList", ())),
        )

    desk.kith("tag", photo(desk, 0), "Otto")
    only_said = ([], ["Otto"], ["People|Otto"], 0)
    assert known() == only_said
    desk.kith("name", face(desk, 0), "Otto")
    assert known() == (["Otto"], [], ["People|Otto"], 1)
    assert person(desk, "Otto")["photos"] == 1
    desk.kith("undo")
    assert known() == only_said


def test_a_box_drawn_by_hand_is_a_face_like_any_other(desk: Desk) -> None:
    desk.kith("draw", photo(desk, 0), "30", "40", "150", "200", "Otto")
    desk.kith("scan", desk.home / "photos")
    otto, anna = desk.faces(photo(desk, 0))
    assert (otto["person"]["name"], otto["state"], anna["person"]) == ("Otto", "confirmed", None)
    assert otto["box"] == pytest.approx({"x": 105 / 1500, "y": 140 / 1000, "w": 0.1, "h": 0.2}, abs=1e-6)
    assert "Otto" in photo(desk, 0).with_name("0.jpg.xmp").read_text()
    desk.kith("show", otto["id"], "-o", desk.home / "otto.png")
    desk.kith("undo")
    assert [f["id"] for f in desk.faces(photo(desk, 0)) if f["person"]] == []
    assert "Otto" not in photo(desk, 0).with_name("0.jpg.xmp").read_text()
    outside = desk.run("draw", photo(desk, 0), "1400", "40", "150", "200", "Otto")
    assert outside.returncode == 2
    assert "1500 by 1000" in outside.stderr


def test_what_is_known_of_a_person_is_kept_shown_and_taken_back(desk: Desk) -> None:
    desk.kith("name", face(desk, 0), face(desk, 1), "Anna")
    desk.kith("born", "Anna", "2015-04-23")
    desk.kith("feature", face(desk, 1))
    desk.kith("hide", "Anna")
    assert desk.json("people") == []
    known = person(desk, "Anna")
    assert (known["born"], known["feature"], known["hidden"]) == ("2015-04-23", face(desk, 1), True)
    for _ in range(3):
        desk.kith("undo")
    known = person(desk, "Anna")
    assert (known["born"], known["hidden"]) == (None, False)
    assert desk.run("born", "Anna", "yesterday").returncode == 2


def test_two_who_look_alike_are_proposed_until_somebody_says_they_are_two(desk: Desk) -> None:
    desk.kith("name", face(desk, 0), face(desk, 1), "Anna")
    desk.kith("name", face(desk, 2), face(desk, 3), "Ann")
    (pair,) = desk.json("merges")
    assert {pair["first"]["name"], pair["second"]["name"]} == {"Anna", "Ann"}
    assert pair["probability"] > 0.5
    desk.kith("apart", "Ann", "Anna")
    assert desk.json("merges") == []
    desk.kith("undo")
    assert len(desk.json("merges")) == 1


def test_two_without_names_stay_two_through_rescans_and_a_rebuild(desk: Desk) -> None:
    ids = [face(desk, n) for n in range(4)]
    (group,) = desk.json("groups")
    assert {one["id"] for one in group["faces"]} == set(ids)
    desk.kith("apart", ids[0], ids[1])

    def together() -> list[bool]:
        groups = [{one["id"] for one in some["faces"]} for some in desk.json("groups")]
        return [any({ids[0], ids[1]} <= some for some in groups), any(set(ids[1:]) & some for some in groups)]

    assert together() == [False, True]
    desk.kith("rescan", "--mode", "found", desk.home / "photos")
    ids = [face(desk, n) for n in range(4)]
    assert together() == [False, True]
    desk.kith("rebuild")
    assert together() == [False, True]
    desk.kith("name", ids[1], "Anna")
    assert desk.json("explain", ids[0])["not"] == ["Anna"]
    desk.kith("apart", "Anna", ids[2])
    assert desk.json("explain", ids[2])["not"] == ["Anna"]
    for _ in range(3):
        desk.kith("undo")
    desk.kith("scan", desk.home / "photos")
    assert len(desk.json("groups")[0]["faces"]) == 4


def test_rescans_keep_every_answer_and_bring_back_what_was_no_face(desk: Desk) -> None:
    desk.kith("name", face(desk, 0), "Anna")
    desk.kith("not-a-face", face(desk, 1))
    desk.kith("reject", face(desk, 2))
    rejected = desk.json("explain", face(desk, 2))["not"]
    for mode in ("again", "unconfirmed", "found"):
        assert "4 photos analysed" in desk.kith("rescan", "--mode", mode, desk.home / "photos")
        assert person(desk, "Anna")["faces"] == 1
        assert desk.faces(photo(desk, 1))[0]["state"] == "not-a-face"
        assert desk.json("explain", face(desk, 2))["not"] == rejected == ["Anna"]
    desk.kith("rescan", "--mode", "deleted", desk.home / "photos")
    assert desk.faces(photo(desk, 1))[0]["state"] != "not-a-face"
    desk.kith("rescan", "--mode", "found", "--and-my-answers", photo(desk, 0))
    assert desk.json("people") == []
    desk.kith("undo")
    assert person(desk, "Anna")["faces"] == 1


def test_an_edited_photo_is_looked_at_anew_by_itself_while_others_wait(desk: Desk) -> None:
    drawn.save(drawn.photo(["Anna", "Otto"], seed=7), photo(desk, 0))
    drawn.save(drawn.photo(["Otto"], seed=8), photo(desk, 8))
    assert "1 photo analysed" in desk.kith("rescan", photo(desk, 0))
    assert len(desk.faces(photo(desk, 0))) == 2
    assert desk.json("status")["pending"] == 1
    assert desk.run("rescan", "--and-my-answers", photo(desk, 0)).returncode == 2


def test_learning_anew_keeps_every_answer_and_makes_the_same_guesses(desk: Desk) -> None:
    desk.kith("name", face(desk, 0), "Anna")
    before = [desk.faces(photo(desk, n))[0]["suggestion"] for n in (1, 2, 3)]
    told = desk.kith("rebuild")
    assert "Learnt anew from 1 answer: 3 faces taken for somebody, 0 of them differently" in told
    assert [desk.faces(photo(desk, n))[0]["suggestion"] for n in (1, 2, 3)] == before
