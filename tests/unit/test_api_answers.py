"""What is said over the API holds at once, tells what it settled, and is refused where what was seen has changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kith.catalogue import journal, listing, people
from kith.errors import BadRequest, NotFound, Stale
from kith.types import Answer, PersonId
from served import Running, Served, running, served

FAMILY = [(0, 1), (0,), (1, 0), (0,), (1,), (0, 1)]  # who is on which photo


@pytest.fixture
def kith(tmp_path: Path) -> Iterator[Served]:
    with running(tmp_path, FAMILY, pixels=False) as control, served(control) as here:
        yield here


def face(kith: Served, number: str) -> dict[str, Any]:
    found: dict[str, Any] = kith.client.get(f"/v1/faces/{number}")["face"]
    return found


def group_of(kith: Served, number: str) -> str:
    group = face(kith, number)["group"]
    assert group is not None
    return str(group)


def test_a_name_holds_at_once_and_tells_what_it_settled(kith: Served) -> None:
    settled = kith.client.post("/v1/faces/f1/name", name="Anna", rev=0)
    assert settled["faces"] == 1
    assert settled["photos"] == [{"id": 1, "rev": face(kith, "f1")["photo"]["rev"]}]
    assert settled["person"]["name"] == "Anna"
    assert face(kith, "f1")["person"] == {"id": settled["person"]["id"], "name": "Anna"}
    assert kith.client.get("/v1/history")["acts"][0]["id"] == settled["act"]
    assert kith.control.woken == 1


def test_a_group_is_named_in_one_go_and_taken_back_in_one(kith: Served) -> None:
    group = group_of(kith, "f1")
    settled = kith.client.post("/v1/faces/name", faces=[group], name="Anna")
    assert settled["faces"] == len(settled["photos"]) == 5
    undone = kith.client.post("/v1/undo", act=settled["act"])
    assert (undone["faces"], undone["undone"]["id"], undone["undone"]["live"]) == (5, settled["act"], False)
    assert face(kith, "f1")["person"] is None
    again = kith.client.post("/v1/undo", act=undone["act"])
    assert again["faces"] == 5
    assert face(kith, "f1")["person"]["name"] == "Anna"


def test_an_answer_to_what_has_changed_meanwhile_is_refused_whole(kith: Served) -> None:
    seen = [{"id": number, "rev": face(kith, number)["photo"]["rev"]} for number in ("f1", "f3")]
    kith.client.post("/v1/faces/f3/name", name="Ben")
    with pytest.raises(Stale, match="f3"):
        kith.client.post("/v1/faces/name", faces=seen, name="Anna")
    assert face(kith, "f1")["person"] is None
    assert len(kith.client.get("/v1/history")["acts"]) == 1
    seen[1]["rev"] = face(kith, "f3")["photo"]["rev"]
    assert kith.client.post("/v1/faces/name", faces=seen, name="Anna")["faces"] == 2


def test_the_suggestion_is_confirmed_or_the_person_who_was_shown(kith: Served) -> None:
    anna = kith.client.post("/v1/faces/f1/name", name="Anna")["person"]["id"]
    kith.control.believe()
    assert face(kith, "f3")["suggestion"]["person"]["id"] == anna
    assert kith.client.post("/v1/faces/f3/confirm")["faces"] == 1
    assert kith.client.post("/v1/faces/f5/confirm", person=anna)["faces"] == 1
    assert [face(kith, number)["state"] for number in ("f3", "f5")] == ["confirmed"] * 2
    with pytest.raises(BadRequest, match="no suggestion"):
        kith.client.post("/v1/faces/f2/confirm")
    with pytest.raises(NotFound, match="p99"):
        kith.client.post("/v1/faces/f2/confirm", person="p99")


def test_a_rejected_person_never_returns(kith: Served) -> None:
    anna = kith.client.post("/v1/faces/f1/name", name="Anna")["person"]["id"]
    kith.control.believe()
    assert kith.client.post("/v1/faces/reject", faces=["f3", {"id": "f5"}])["faces"] == 2
    assert kith.client.post("/v1/faces/f6/reject", person=anna)["faces"] == 1
    kith.control.believe()
    for number in ("f3", "f5", "f6"):
        assert face(kith, number)["suggestion"] is None
        assert kith.client.get(f"/v1/faces/{number}/explain")["face"]["not"] == ["Anna"]


def test_two_groups_that_were_said_to_be_two_are_never_one_until_that_is_taken_back(kith: Served) -> None:
    kith.control.believe()
    group = {number: face(kith, number)["group"] for number in ("f1", "f3", "f5")}
    assert len(set(group.values())) == 1
    assert kith.client.post("/v1/faces/apart", parts=[["f1"], ["f3", {"id": "f5"}]])["faces"] == 3
    kith.control.believe()
    assert face(kith, "f3")["group"] == face(kith, "f5")["group"] != face(kith, "f1")["group"]
    anna = kith.client.post("/v1/faces/name", faces=["f3"], name="Anna")["person"]["id"]
    kith.control.believe()
    assert face(kith, "f5")["suggestion"]["person"]["id"] == anna
    assert face(kith, "f1")["suggestion"] is None
    assert kith.client.get("/v1/faces/f1/explain")["face"]["not"] == ["Anna"]
    kith.client.post("/v1/undo")
    kith.client.post("/v1/undo")
    kith.control.believe()
    assert {number: face(kith, number)["group"] for number in ("f1", "f3", "f5")} == group
    with pytest.raises(BadRequest, match="one part only"):
        kith.client.post("/v1/faces/apart", parts=[["f1"], ["f1"]])
    with pytest.raises(BadRequest):
        kith.client.post("/v1/faces/apart", parts=[["f1"]])


@pytest.mark.parametrize("verb", ["ignore", "not-a-face"])
def test_faces_are_put_away_one_by_one_and_many_at_once(kith: Served, verb: str) -> None:
    state = {"ignore": "ignored"}.get(verb, verb)
    assert kith.client.post(f"/v1/faces/f1/{verb}", rev=0)["faces"] == 1
    assert kith.client.post(f"/v1/faces/{verb}", faces=["f3", "f5"])["faces"] == 2
    assert {face(kith, number)["state"] for number in ("f1", "f3", "f5")} == {state}


@pytest.mark.parametrize("verb", ["ignore", "not-a-face"])
def test_faces_that_were_put_away_are_asked_about_again(kith: Served, verb: str) -> None:
    kith.client.post(f"/v1/faces/{verb}", faces=["f1", "f2"])
    assert kith.client.post("/v1/faces/reopen", faces=["f1", "f2"])["faces"] == 2
    states = [kith.client.get(f"/v1/faces/{face}")["face"]["state"] for face in ("f1", "f2")]
    assert not {"ignored", "not-a-face"} & set(states)
    kith.client.post("/v1/undo")
    assert kith.client.get("/v1/faces/f1")["face"]["state"] == {"ignore": "ignored"}.get(verb, verb)


def test_many_suggestions_are_confirmed_at_once(kith: Served) -> None:
    kith.client.post("/v1/faces/f1/name", name="Anna")
    kith.control.believe()
    (question,) = (q for q in kith.client.get("/v1/questions")["questions"] if q["person"])
    settled = kith.client.post("/v1/faces/confirm", faces=question["faces"], person=question["person"]["id"])
    assert settled["faces"] == len(question["faces"]) == 4
    assert settled["person"]["faces"] == 5
    assert all(q["person"] is None for q in kith.client.get("/v1/questions")["questions"])


def test_a_face_shows_its_person(kith: Served) -> None:
    kith.client.post("/v1/faces/name", faces=["f1", "f3"], name="Anna")
    for number in ("f1", "f3"):
        assert kith.client.post(f"/v1/faces/{number}/feature")["person"]["feature"] == number
    with pytest.raises(BadRequest, match="confirmed name"):
        kith.client.post("/v1/faces/f2/feature")


def test_a_box_is_moved_and_one_drawn_and_both_taken_back(kith: Served) -> None:
    before = face(kith, "f1")["box"]
    moved = before | {"x": before["x"] + 0.02}
    assert kith.client.post("/v1/faces/f1/move", box=moved, rev=0)["face"]["box"] == moved
    kith.client.post("/v1/undo")
    assert face(kith, "f1")["box"] == before
    box = {"x": 0.5, "y": 0.85, "w": 0.1, "h": 0.2}
    drawn = kith.client.post("/v1/photos/2/draw", box=box, name="Otto")
    assert (drawn["face"]["box"], drawn["face"]["person"]["name"]) == (box, "Otto")
    assert len(kith.client.get("/v1/photos/2")["photo"]["faces"]) == 2
    kith.client.post("/v1/undo")
    assert len(kith.client.get("/v1/photos/2")["photo"]["faces"]) == 1


@pytest.mark.parametrize("box", [{"x": 0.95, "y": 0.5, "w": 0.2, "h": 0.2}, {"x": 0.5, "y": 0.5, "w": 0.0, "h": 0.2}])
def test_a_box_outside_the_photo_is_refused(kith: Served, box: dict[str, float]) -> None:
    for path in ("/v1/photos/1/draw", "/v1/faces/f1/move"):
        with pytest.raises(BadRequest):
            kith.client.post(path, box=box)


def test_somebody_without_a_face_is_put_on_photos_and_taken_off(kith: Served) -> None:
    settled = kith.client.post("/v1/photos/tag", photos=[1, {"id": 2, "rev": 0}], name="Otto")
    assert ([photo["id"] for photo in settled["photos"]], settled["person"]["photos"]) == ([1, 2], 2)
    assert [there["name"] for there in kith.client.get("/v1/photos/1")["photo"]["present"]] == ["Otto"]
    with pytest.raises(Stale):
        kith.client.post("/v1/photos/2/tag", name="Clara", rev=0)
    assert len(kith.client.post("/v1/photos/untag", photos=[1, 3], name="Otto")["photos"]) == 1
    kith.client.post("/v1/photos/3/tag", name="Otto")
    kith.client.post("/v1/photos/3/untag", name="Otto")
    with pytest.raises(NotFound, match="not there"):
        kith.client.post("/v1/photos/3/untag", name="Otto")


def test_who_is_not_there_after_all_is_there_neither_with_a_face_nor_without(kith: Served) -> None:
    def on_photo() -> tuple[list[str | None], list[str]]:
        found = kith.client.get("/v1/photos/1")["photo"]
        names = [one["person"] and one["person"]["name"] for one in found["faces"]]
        return names, [there["name"] for there in found["present"]]

    kith.client.post("/v1/photos/1/tag", name="Otto")
    before = on_photo()
    otto = kith.client.post("/v1/faces/f1/name", name="Otto")["person"]["id"]
    shown = on_photo()
    assert shown == (["Otto", *before[0][1:]], [])
    settled = kith.client.post("/v1/photos/absent", photos=[1, 2], person=otto)
    assert [photo["id"] for photo in settled["photos"]] == [1]
    assert on_photo() == (before[0], [])
    kith.client.post("/v1/undo")
    assert on_photo() == shown
    with pytest.raises(NotFound, match="none of these photos"):
        kith.client.post("/v1/photos/absent", photos=[2], person=otto)


def test_people_are_renamed_merged_told_apart_born_and_hidden(kith: Served) -> None:
    anna = kith.client.post("/v1/faces/f1/name", name="Ann")["person"]["id"]
    ben = kith.client.post("/v1/faces/f2/name", name="Ben")["person"]["id"]
    ask = kith.client.post
    assert ask(f"/v1/people/{anna}/rename", name="Anna")["person"]["name"] == "Anna"
    with pytest.raises(BadRequest, match="another anna"):
        ask(f"/v1/people/{ben}/rename", name="anna")
    assert ask(f"/v1/people/{anna}/born", day="1999-05-01")["person"]["born"] == "1999-05-01"
    assert ask(f"/v1/people/{anna}/born", day="")["person"]["born"] is None
    with pytest.raises(BadRequest, match="no day"):
        ask(f"/v1/people/{anna}/born", day="May")
    with pytest.raises(BadRequest, match="to come"):
        ask(f"/v1/people/{anna}/born", day="2999-05-01")
    assert ask(f"/v1/people/{anna}/hide")["person"]["hidden"]
    assert [person["id"] for person in kith.client.get("/v1/people")["people"]] == [ben]
    assert len(kith.client.get("/v1/people", hidden="true")["people"]) == 2
    assert not ask(f"/v1/people/{anna}/unhide")["person"]["hidden"]
    assert ask(f"/v1/people/{anna}/apart", other=ben)["act"] > 0
    assert kith.control.app.catalogue.read(people.told_apart) == {(PersonId(1), PersonId(2))}
    merged = ask(f"/v1/people/{ben}/merge", into=anna)
    assert (merged["person"]["id"], merged["person"]["faces"]) == (anna, 2)
    assert kith.client.get(f"/v1/people/{ben}")["person"]["id"] == anna  # an old link leads to who they are now
    with pytest.raises(BadRequest):
        ask(f"/v1/people/{anna}/merge", into=anna)


def test_a_suggestion_of_somebody_merged_meanwhile_can_still_be_shown(kith: Served) -> None:
    gone = kith.client.post("/v1/faces/f1/name", name="Ann")["person"]["id"]
    kith.control.believe()
    kept = kith.client.post("/v1/faces/f2/name", name="Anna")["person"]["id"]
    kith.client.post(f"/v1/people/{gone}/merge", into=kept)
    assert face(kith, "f3")["suggestion"]["person"]["name"] == "Anna"
    assert kith.client.post("/v1/faces/f3/confirm")["faces"] == 1
    assert face(kith, "f3")["person"]["id"] == kept


def test_an_answer_that_fails_leaves_nothing_behind(kith: Served) -> None:
    for body in ({"faces": ["f1", "f999"], "name": "Anna"}, {"faces": ["f1"], "name": " \t"}):
        with pytest.raises((NotFound, BadRequest)):
            kith.client.post("/v1/faces/name", **body)
    assert kith.client.get("/v1/history")["acts"] == []
    assert kith.client.get("/v1/people")["people"] == []
    assert kith.control.woken == 0


def test_answers_are_taken_while_a_long_read_is_under_way(kith: Served) -> None:
    catalogue = kith.control.app.catalogue
    rows = catalogue.read(lambda db: iter(db.execute("SELECT id FROM faces")))
    next(rows)
    assert kith.client.post("/v1/faces/f1/name", name="Anna")["faces"] == 1


def test_an_act_says_how_far_it_reaches(tmp_path: Path) -> None:
    with running(tmp_path, FAMILY, pixels=False) as control:
        assert reach_of(control, ["f1", "f2"]) == (2, 1)


def reach_of(control: Running, faces: list[str]) -> tuple[int, int]:
    catalogue = control.app.catalogue
    ids = [(int(number[1:]), None) for number in faces]
    act = catalogue.write(journal.answer, ids, Answer.IGNORED, "person")  # type: ignore[arg-type]
    count, photos = catalogue.read(listing.reach, act)
    return count, len(photos)
