"""What can be looked at over the API: photos by path, faces page by page, questions that an answer makes obvious."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kith import config
from kith.catalogue import faces, photos, trouble
from kith.errors import BadRequest, NotFound, PhotoUnreadable
from kith.types import FaceId
from served import Served, add_photo, running, served

FAMILY = [(0, 1), (0,), (1, 0), (0,), (1,), (0, 1), (2,), (), (2,)]


@pytest.fixture
def kith(tmp_path: Path) -> Iterator[Served]:
    with running(tmp_path, FAMILY, pixels=False) as control, served(control) as here:
        yield here


def path_of(kith: Served, number: int) -> str:
    return str(kith.control.app.paths.data.parent / "photos" / f"{number:05}.jpg")


def test_who_answers_and_what_it_can(kith: Served) -> None:
    hello = kith.client.get("/v1/hello")
    assert (hello["name"], hello["api"]) == ("Kith", 1)
    assert {"answers", "events", "poll"} <= set(hello["capabilities"])
    status = kith.client.get("/v1/status")
    assert status["counts"]["photos"] == len(FAMILY)
    assert status["doing"]["state"] == "idle"
    assert status["last_event"] > 0


def test_photos_are_found_by_path_many_at_once(kith: Served) -> None:
    asked = [path_of(kith, 0), path_of(kith, 7)]
    one, empty = kith.client.post("/v1/photos/lookup", paths=asked)["photos"]
    assert [face["id"] for face in one["faces"]] == ["f1", "f2"]
    assert (one["asked"], one["path"], one["rev"], one["present"]) == (asked[0], asked[0], 0, [])
    assert empty["faces"] == []
    assert {key: value for key, value in one.items() if key != "asked"} == kith.client.get("/v1/photos/1")["photo"]


def test_a_photo_is_found_through_a_link_that_leads_to_it(kith: Served, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(Path(path_of(kith, 0)).parent)
    (found,) = kith.client.post("/v1/photos/lookup", paths=[str(tmp_path / "link" / "00000.jpg")])["photos"]
    assert found["id"] == 1


def test_why_a_photo_is_not_in_kith(kith: Served, tmp_path: Path) -> None:
    catalogue, folder = kith.control.app.catalogue, os.fsencode(Path(path_of(kith, 0)).parent)
    catalogue.write(photos.record, [photos.FileState(folder + b"/new.jpg", 1, 1, b"new")], lambda _: True)
    catalogue.write(photos.looked, folder, [os.fsencode(path_of(kith, 1))], [], {})
    kith.control.roots[Path("/disk")] = False
    wanted = {
        path_of(kith, 1): "gone",
        os.fsdecode(folder) + "/new.jpg": "not-analysed",
        os.fsdecode(folder) + "/unseen.jpg": "not-analysed",
        "/disk/there.jpg": "offline",
        "/elsewhere.jpg": "not-watched",
        os.fsdecode(folder) + "-not/x.jpg": "not-watched",
    }
    found = kith.client.post("/v1/photos/lookup", paths=list(wanted))["photos"]
    assert {photo["asked"]: photo["reason"] for photo in found} == wanted
    assert all(photo["id"] is None for photo in found)


@pytest.mark.parametrize("accept", ["application/vnd.msgpack", "application/json"])
def test_a_path_that_is_no_text_travels_both_ways(kith: Served, accept: str) -> None:
    name = os.fsdecode(b"caf\xe9.jpg")
    added = add_photo(kith.control, 90, (0,), pixels=False, name=name)
    (found,) = kith.client.post("/v1/photos/lookup", paths=[os.fsencode(added)])["photos"]
    assert found["path"] == os.fsencode(added)
    as_json = kith.http("GET", f"/v1/photos/{found['id']}", headers={"Accept": accept})
    if accept.endswith("json"):
        assert os.fsencode(as_json.json["photo"]["path"]) == os.fsencode(added)
    else:
        assert os.fsencode(added) in as_json.body


def test_sizes_are_those_of_the_displayed_photo(kith: Served) -> None:
    sizes = {(photo["width"], photo["height"]) for n in range(1, 9) if (photo := one_photo(kith, n))}
    assert sizes == {(480, 320)}


def one_photo(kith: Served, number: int) -> dict[str, Any]:
    found: dict[str, Any] = kith.client.get(f"/v1/photos/{number}")["photo"]
    return found


@pytest.mark.parametrize("order", ["id", "oldest", "newest", "surest"])
def test_faces_come_page_by_page_in_every_order(kith: Served, order: str) -> None:
    kith.client.post("/v1/faces/f1/name", name="Anna")
    kith.control.believe()
    found = list(kith.client.pages("/v1/faces", "faces", order=order, limit=2))
    assert len({face["id"] for face in found}) == len(found) == 11
    taken = [face["photo"]["taken"] for face in found]
    if order in ("oldest", "newest"):
        assert taken == sorted(taken, reverse=order == "newest")
    if order == "surest":
        assert [face["state"] for face in found][:5] == ["confirmed"] + ["suggested"] * 4


def test_faces_are_filtered(kith: Served) -> None:
    anna = kith.client.post("/v1/faces/f1/name", name="Anna")["person"]["id"]
    kith.control.believe()

    def ids(**query: Any) -> set[str]:
        return {face["id"] for face in kith.client.get("/v1/faces", **query)["faces"]}

    assert ids(state="confirmed") == {"f1"}
    assert ids(person=anna) == {"f1", "f3", "f5", "f6", "f8"}
    assert ids(person=anna, state="suggested") == {"f3", "f5", "f6", "f8"}
    assert ids(photo=1) == {"f1", "f2"}
    assert ids(ids="f2,f1") == {"f1", "f2"}
    group = kith.client.get("/v1/faces/f2")["face"]["group"]
    assert ids(group=group) == {"f2", "f4", "f7", "f9"}
    assert ids(state="unknown") | ids(state="grouped") | ids(state="suggested") | {"f1"} == ids()


def test_why_a_face_is_taken_for_somebody(kith: Served) -> None:
    kith.client.post("/v1/faces/f1/name", name="Anna")
    kith.control.believe()
    why = kith.client.get("/v1/faces/f3/explain")["face"]
    (known,) = why["because"]
    assert (known["id"], known["person"]["name"], known["photo"]["id"]) == ("f1", "Anna", 1)
    assert 0.5 < known["similarity"] <= 1
    said = kith.client.get("/v1/faces/f1/explain")["face"]["said"]
    assert [act["words"] for act in said] == ["name f1 Anna"]


def test_a_question_that_an_answer_made_obvious_never_appears(kith: Served) -> None:
    first, second = kith.client.get("/v1/questions")["questions"][:2]
    assert len(first["faces"]) >= len(second["faces"]) == len(second["shown"])
    assert first["taken"][0] <= first["taken"][1]
    kith.client.post("/v1/faces/name", faces=second["faces"], name="Anna")
    left = kith.client.get("/v1/questions")  # at once, before anything was thought anew
    assert second["group"] not in {question["group"] for question in left["questions"]}
    kith.client.post("/v1/faces/ignore", faces=first["faces"][1:])
    (rest,) = (q for q in kith.client.get("/v1/questions")["questions"] if q["group"] == first["group"])
    assert rest["faces"] == first["faces"][:1]


def test_questions_come_page_by_page_and_tell_how_far_one_is(kith: Served) -> None:
    whole = kith.client.get("/v1/questions")
    paged = list(kith.client.pages("/v1/questions", "questions", limit=1))
    assert paged == whole["questions"]
    assert whole["progress"] == {"named": 0, "of": 9, "questions": 2, "questions_to_enough": 2, "enough": 0.95}
    kith.client.post("/v1/faces/name", faces=whole["questions"][0]["faces"], name="Anna")
    kith.control.believe()
    assert kith.client.get("/v1/questions")["progress"]["named"] == 5


def test_a_question_shows_who_is_known_beside_who_is_asked_about(kith: Served) -> None:
    kith.client.post("/v1/faces/f1/name", name="Anna")
    kith.control.believe()
    (question,) = (q for q in kith.client.get("/v1/questions")["questions"] if q["person"])
    assert [known["id"] for known in question["known"]] == ["f1"]


def test_groups_people_and_trouble_are_listed_page_by_page(kith: Served) -> None:
    groups = list(kith.client.pages("/v1/groups", "groups", limit=1))
    assert [group["size"] for group in groups] == [5, 4]
    assert groups[0]["faces"] and all(face.startswith("f") for face in groups[0]["faces"])
    for number in range(5):
        kith.client.post(f"/v1/faces/f{number + 1}/name", name=f"Person {number}")
    assert len(list(kith.client.pages("/v1/people", "people", limit=2))) == 5
    for name in (b"/a.jpg", b"/b.jpg", b"/\xff.jpg"):
        kith.control.app.catalogue.write(trouble.note, name, "analyse", PhotoUnreadable("It is empty."))
    listed = list(kith.client.pages("/v1/trouble", "trouble", limit=1))
    assert [entry["path"] for entry in listed] == ["/a.jpg", "/b.jpg", b"/\xff.jpg"]
    assert listed[0]["code"] == "photo-unreadable"


def test_doubts_merges_and_disputes_are_listed(kith: Served) -> None:
    kith.client.post("/v1/faces/name", faces=["f1", "f3", "f5"], name="Anna")
    kith.client.post("/v1/faces/name", faces=["f6", "f8"], name="Annie")
    kith.client.post("/v1/faces/name", faces=["f2", "f4", "f7"], name="Ben")
    kith.client.post("/v1/faces/f9/name", name="Anna")  # a mistake
    kith.control.believe()
    doubt = kith.client.get("/v1/doubts")["doubts"][0]
    assert (doubt["face"], doubt["person"]["name"], doubt["nearer"]["name"]) == ("f9", "Anna", "Ben")
    pairs = kith.client.get("/v1/merges")["merges"]
    assert {"Anna", "Annie"} in [{pair["first"]["name"], pair["second"]["name"]} for pair in pairs]
    assert kith.client.get("/v1/disputes") == {"faces": [], "present": []}


def test_a_doubted_answer_that_a_person_gives_once_more_is_doubted_no_longer(kith: Served) -> None:
    kith.client.post("/v1/faces/name", faces=["f1", "f3", "f9"], name="Anna")  # the last is a mistake
    kith.client.post("/v1/faces/name", faces=["f2", "f4", "f7"], name="Ben")
    kith.control.believe()

    def doubted() -> list[str]:
        told = kith.client.get("/v1/doubts", now="true")
        assert told["total"] == len(told["doubts"])
        return [doubt["face"] for doubt in told["doubts"]]

    before = doubted()
    assert "f9" in before
    (anna,) = (one for one in kith.client.get("/v1/people")["people"] if one["name"] == "Anna")
    kept = kith.client.post("/v1/faces/f9/confirm", person=anna["id"])
    assert doubted() == [face for face in before if face != "f9"]
    kith.client.post("/v1/undo", act=kept["act"])
    assert doubted() == before


def test_history_goes_back_to_the_first_answer(kith: Served) -> None:
    for number in range(1, 6):
        kith.client.post(f"/v1/faces/f{number}/ignore")
    told = list(kith.client.pages("/v1/history", "acts", limit=2))
    assert [act["words"] for act in told] == [f"ignore f{number}" for number in range(5, 0, -1)]


def test_settings_folders_and_models_are_shown(kith: Served, tmp_path: Path) -> None:
    assert kith.client.get("/v1/settings")["settings"]["people"]["auto"] == "strict"
    (tmp_path / "more").mkdir()
    kith.client.post("/v1/folders", paths=[str(tmp_path / "more")])
    listed = [root["path"] for root in kith.client.get("/v1/folders")["folders"]]
    assert listed == [str(Path(path_of(kith, 0)).parent), str(tmp_path / "more")]
    with pytest.raises(BadRequest, match="not a folder"):
        kith.client.post("/v1/folders", paths=["/nowhere"])
    settings = config.load(kith.control.app.paths.config_file)
    assert settings.service.folders == (str(tmp_path / "more"),), "it is watched after a restart too"
    kith.client.post("/v1/folders/remove", paths=[str(tmp_path / "more")])
    assert len(kith.client.get("/v1/folders")["folders"]) == 1
    assert config.load(kith.control.app.paths.config_file).service.folders == ()
    with pytest.raises(NotFound):
        kith.client.post("/v1/folders/remove", paths=[str(tmp_path / "more")])
    in_use = [model["id"] for model in kith.client.get("/v1/models")["models"] if model["in_use"]]
    assert in_use == ["made"]


def test_work_is_started_and_looked_at(kith: Served) -> None:
    number = kith.client.post("/v1/relearn")["job"]
    job = kith.client.get(f"/v1/jobs/{number}")["job"]
    assert (job["kind"], job["state"]) == ("relearn", "failed")  # the made pack has no models to load
    assert job["error"]["code"] == "model-corrupt"
    for path, body in (
        ("/v1/rescan", {"paths": ["/nowhere"], "mode": "again"}),
        ("/v1/rebuild", {"paths": ["/nowhere"]}),
        ("/v1/models/install", {"pack": "nothing-like-it"}),
        ("/v1/models/use", {"pack": "nothing-like-it"}),
    ):
        job = kith.client.get(f"/v1/jobs/{kith.client.post(path, **body)['job']}")["job"]
        assert (job["kind"], job["state"]) == (path.rpartition("/")[2], "failed")
        assert job["error"]["code"] in ("not-found", "bad-request", "model-corrupt", "model-missing")
    with pytest.raises(NotFound):
        kith.client.get("/v1/jobs/99")


def test_a_pause_is_taken_and_ended(kith: Served) -> None:
    assert kith.client.post("/v1/pause")["doing"]["state"] == "paused"
    assert kith.client.post("/v1/resume")["doing"]["state"] == "idle"


def test_what_is_not_there_is_told(kith: Served) -> None:
    for path in ("/v1/photos/99", "/v1/photos/x", "/v1/faces/f99", "/v1/faces/99", "/v1/people/p99", "/v1/faces/g1"):
        with pytest.raises(NotFound):
            kith.client.get(path)


def test_cursors_that_kith_did_not_give_are_refused(kith: Served) -> None:
    for cursor in ("x", "bnVsbA", "WzFd", "W10", "é", "WyJpZCIsMWU5OTksMV0"):
        for path in ("/v1/faces", "/v1/questions", "/v1/groups", "/v1/history"):
            if (path, cursor) != ("/v1/history", "WzFd"):
                with pytest.raises(BadRequest):
                    kith.client.get(path, cursor=cursor)


def test_a_face_that_moved_on_is_not_missed_or_given_twice_by_a_page(kith: Served) -> None:
    first = kith.client.get("/v1/faces", order="oldest", limit=4)
    last = first["faces"][-1]["id"]
    kith.control.app.catalogue.write(lambda db: db.execute("DELETE FROM faces WHERE id = ?", [int(last[1:])]))
    add_photo(kith.control, 50, (0, 1), pixels=False)
    rest = kith.client.get("/v1/faces", order="oldest", limit=50, cursor=first["cursor"])["faces"]
    assert [face["id"] for face in rest] == ["f5", "f6", "f7", "f8", "f9", "f10", "f11", "f12", "f13"]
    with pytest.raises(NotFound):
        kith.control.app.catalogue.read(faces.get, FaceId(int(last[1:])))
