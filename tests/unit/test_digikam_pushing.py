"""What a push puts into digiKam's database, what it leaves alone, and what it hears there."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digikam_made import IGNORED, UNKNOWN, MadeDatabase, every_schema, rect
from kith_digikam import marks, pushing, swap
from kith_digikam.reading import State
from kith_digikam.regions import Rect
from served import PLACE, Served, running, served

ANNA, OTTO, NOBODY, SUGGESTED, REGION = "Anna Freud", "Otto Dix", "Unknown", "autodetectedFace", "tagRegion"
HERE = (rect(72, 96, 96, 96), rect(312, 96, 96, 96))  # where the faces of `served` are, in displayed pixels
NEAR = rect(80, 100, 80, 90)  # the first of them as another detector draws it


class World:
    """A digiKam database over the photos of a Kith that answers at a socket."""

    def __init__(self, home: Path, kith: Served, photos: int, schema: int) -> None:
        self.kith, self.photos = kith, kith.control.app.paths.data.parent / "photos"
        sizes = {f"{i:05}.jpg": ((320, 480, i + 1) if i >= 4 else (480, 320, i + 1)) for i in range(photos)}
        self.made = MadeDatabase(home / "digikam" / "digikam4.db", self.photos, sizes, schema)
        self.folder = home / "record"

    def push(self, **wish: Any) -> pushing.Done:
        return pushing.push(self.made.path, self.kith.client, self.folder, {1: self.photos}, pushing.Wish(**wish))

    def undo(self) -> int:
        return pushing.undo(self.made.path, self.folder)[0]

    def edit(self, statement: str, *values: object) -> None:
        with self.made.open() as db:
            assert db.execute(statement, values).rowcount

    def answer(self, call: str, **body: Any) -> None:
        self.kith.client.post(call, **body)
        self.kith.control.believe()

    def on(self, image: int) -> set[tuple[str, str, str]]:
        return {face[1:] for face in self.made.faces() if face[0] == image}

    def reject(self, image: int, name: str, where: str) -> None:
        """What digiKam does when a suggestion is rejected."""
        self.edit("DELETE FROM ImageTagProperties WHERE imageid = ? AND value LIKE ?", image, f"%{where}")
        self.made.add(image, self.made.special(UNKNOWN), SUGGESTED, where)


@pytest.fixture
def world(tmp_path: Path, schema: int) -> Iterator[World]:
    """Four photos of two people, each named on the first."""
    with running(tmp_path / "kith", [(1, 2)] * 4, pixels=False) as control, served(control) as kith:
        world = World(tmp_path, kith, 4, schema)
        for face, name in (("f1", ANNA), ("f2", OTTO)):
            world.answer(f"/v1/faces/{face}/name", name=name)
        yield world


@every_schema
def test_suggestions_become_unconfirmed_faces_at_their_places(world: World) -> None:
    done = world.push()
    assert done.plan.people() == {ANNA: 3, OTTO: 3}
    for image in (2, 3, 4):
        assert world.on(image) == {(ANNA, SUGGESTED, HERE[0]), (OTTO, SUGGESTED, HERE[1])}
    assert not world.on(1)
    assert world.push().plan.is_empty


@pytest.mark.parametrize("name", [ANNA, "Somebody Else"])
@pytest.mark.parametrize("kind", [REGION, SUGGESTED])
def test_a_face_that_digikam_has_is_never_doubled(world: World, name: str, kind: str) -> None:
    world.made.add(2, world.made.person(name), kind, NEAR)
    world.push(confirmed=True, unknown=True)
    assert world.on(2) == {(name, kind, NEAR), (OTTO, SUGGESTED, HERE[1])}


def test_an_ignored_face_stays_ignored(world: World) -> None:
    world.made.add(2, world.made.special(IGNORED), "ignoredFace", NEAR)
    world.push(confirmed=True, unknown=True)
    assert world.on(2) == {("Ignored", "ignoredFace", NEAR), (OTTO, SUGGESTED, HERE[1])}


@every_schema
def test_an_unknown_face_gets_the_suggestion_where_digikam_has_it_and_is_unknown_again_after_undo(world: World) -> None:
    world.made.add(2, world.made.special(UNKNOWN), SUGGESTED, NEAR)
    before = world.made.rows()
    world.push()
    assert world.on(2) == {(ANNA, SUGGESTED, NEAR), (OTTO, SUGGESTED, HERE[1])}
    assert world.undo() == 6
    assert world.made.rows() == before


def test_a_guess_of_digikams_gives_way_only_when_asked(world: World) -> None:
    world.made.add(2, world.made.person("Wrong"), SUGGESTED, NEAR)
    before = world.made.rows()
    world.push()
    assert ("Wrong", SUGGESTED, NEAR) in world.on(2)
    world.push(replace=True)
    assert world.on(2) == {(ANNA, SUGGESTED, NEAR), (OTTO, SUGGESTED, HERE[1])}
    world.undo()
    assert world.made.faces() == {(2, "Wrong", SUGGESTED, NEAR)}
    assert before["ImageTagProperties"][0] in world.made.rows()["ImageTagProperties"]


@every_schema
def test_confirmed_faces_are_pushed_by_choice_with_the_tag_of_their_person(world: World) -> None:
    before = world.made.rows()
    world.push(confirmed=True)
    assert world.on(1) == {(ANNA, REGION, HERE[0]), (OTTO, REGION, HERE[1])}
    assert len(world.made.rows()["ImageTags"]) == 2
    world.undo()
    assert world.made.rows() == before


def test_a_person_is_one_person_however_the_name_is_spelled_and_wherever_the_tag_is(world: World) -> None:
    family = world.made.person("Family")
    with world.made.open() as db:
        (tag,) = db.execute("INSERT INTO Tags (pid, name) VALUES (?, 'anna  FREUD') RETURNING id", [family]).fetchone()
        db.execute("INSERT INTO TagProperties VALUES (?, 'person', 'anna FREUD')", [tag])
    world.push()
    assert ("anna  FREUD", SUGGESTED, HERE[0]) in world.on(2)
    assert ANNA not in {name for _, name, *_ in world.made.faces()}


def test_names_that_digikam_cant_hold_are_spelled_or_told(world: World) -> None:
    world.answer("/v1/people/p1/rename", name="A/B")
    world.answer("/v1/people/p2/rename", name="Ignored")
    done = world.push()
    assert done.impossible == ("Ignored",)
    assert {name for _, name, *_ in world.made.faces()} == {"A\\B"}


@every_schema
def test_a_suggestion_that_kith_gives_up_or_changes_is_taken_back(world: World) -> None:
    world.push()
    (first, second) = (face["id"] for face in on_photo(world, 2)["faces"])
    world.answer(f"/v1/faces/{first}/reject")
    world.answer("/v1/people/p2/rename", name="Otto D.")
    world.push()
    assert (ANNA, SUGGESTED, HERE[0]) not in world.on(2)
    assert ("Otto D.", SUGGESTED, HERE[1]) in world.on(2)
    assert OTTO not in {tag[2] for tag in world.made.rows()["Tags"]}
    assert second


@every_schema
def test_what_was_rejected_in_digikam_is_a_no_in_kith_and_not_pushed_again(world: World) -> None:
    world.push()
    world.reject(2, ANNA, HERE[0])
    assert world.push().said == 1
    told = world.kith.client.get(f"/v1/faces/{on_photo(world, 2)['faces'][0]['id']}/explain")
    assert told["face"]["not"] == [ANNA]
    world.answer("/v1/undo")  # whoever takes that back in Kith has not taken it back in digiKam
    world.push()
    assert (ANNA, SUGGESTED, HERE[0]) not in world.on(2)


def test_a_face_that_was_removed_in_digikam_is_not_pushed_again(world: World) -> None:
    world.push()
    world.edit("DELETE FROM ImageTagProperties WHERE imageid = 2 AND value LIKE ?", f"%{HERE[0]}")
    assert world.push(unknown=True).plan.refused == 1
    assert world.on(2) == {(OTTO, SUGGESTED, HERE[1])}


def test_a_face_that_digikam_finds_again_after_it_was_removed_gets_the_suggestion(world: World) -> None:
    world.push()
    world.edit("DELETE FROM ImageTagProperties WHERE imageid = 2 AND value LIKE ?", f"%{HERE[0]}")
    world.push()
    world.made.add(2, world.made.special(UNKNOWN), SUGGESTED, NEAR)
    world.push()
    assert world.on(2) == {(ANNA, SUGGESTED, NEAR), (OTTO, SUGGESTED, HERE[1])}


@every_schema
def test_what_digikam_itself_notes_as_rejected_is_not_pushed(world: World) -> None:
    """As digiKam 9.1 does, with the numbers of the tags behind the rectangle."""
    unknown, anna = world.made.special(UNKNOWN), world.made.person(ANNA)
    world.made.add(2, unknown, SUGGESTED, NEAR)
    world.made.add(2, unknown, "faceTagExtendedData", f"{NEAR},{anna}")
    assert world.push().plan.refused == 1
    assert (NOBODY, SUGGESTED, NEAR) in world.on(2)


def test_an_older_database_brought_back_says_no_to_nothing(world: World) -> None:
    before = world.made.path.read_bytes()
    world.push()
    pushed = world.made.faces()
    world.made.path.write_bytes(before)
    done = world.push()
    assert (done.said, done.plan.refused) == (0, 0)
    assert world.made.faces() == pushed


@every_schema
def test_what_the_user_touched_stays_when_the_rest_is_taken_back(world: World) -> None:
    world.push()
    anna = world.made.person(ANNA)
    world.edit("DELETE FROM ImageTagProperties WHERE imageid = 2 AND value LIKE ?", f"%{HERE[0]}")
    world.made.add(2, anna, REGION, HERE[0])
    assert world.undo() == 5
    assert world.made.faces() == {(2, ANNA, REGION, HERE[0])}
    assert world.undo() == 0


def test_photos_that_kith_doesnt_know_are_counted_and_left_alone(world: World) -> None:
    world.push()
    pushed = world.made.faces()
    shutil.rmtree(world.folder)  # even where Kith forgot what it pushed
    world.edit("UPDATE Images SET name = 'other.jpg' WHERE id = 2")
    world.edit("UPDATE ImageInformation SET width = 320, height = 480 WHERE imageid = 3")
    done = world.push()
    assert (done.kiths.unknown, done.kiths.changed) == (1, 1)
    assert world.made.faces() == pushed


def test_a_dry_run_changes_nothing(world: World) -> None:
    before = world.made.path.read_bytes()
    done = pushing.push(world.made.path, world.kith.client, world.folder, {1: world.photos}, dry_run=True)
    assert done.plan.count(State.UNCONFIRMED) == 6
    assert world.made.path.read_bytes() == before
    assert not world.folder.exists()
    assert not swap.backups(world.made.path)


def on_photo(world: World, image: int) -> dict[str, Any]:
    path = world.photos / f"{image - 1:05}.jpg"
    return dict(world.kith.client.post("/v1/photos/lookup", paths=[str(path)])["photos"][0])


SIDES = st.integers(1, 500)
RECTS = st.builds(Rect, st.integers(-50, 500), st.integers(-50, 500), SIDES, SIDES)


@given(RECTS, RECTS)
def test_being_the_same_face_is_mutual(a: Rect, b: Rect) -> None:
    assert marks.same_face(a, b) == marks.same_face(b, a)
    assert marks.same_face(a, a)
    assert marks.iou(a, b) == marks.iou(b, a) <= 1


@given(RECTS)
def test_faces_side_by_side_are_two(a: Rect) -> None:
    assert not marks.same_face(a, a._replace(left=a.left + a.width))
    assert not marks.same_face(a, a._replace(top=a.top + a.height))


@pytest.mark.parametrize(("aside", "same"), [(0, True), (50, True), (53, True), (54, False), (60, False)])
def test_faces_that_lie_half_beside_one_another_are_one_and_those_that_barely_touch_are_two(
    aside: int, same: bool
) -> None:
    """Detectors differ in how much hair and chin they take along: three tenths in common are enough."""
    a = Rect(200, 100, 100, 100)
    for b in (a._replace(left=200 + aside), a._replace(left=200 - aside), a._replace(top=100 + aside)):
        assert marks.same_face(a, b) is same


def test_a_close_box_inside_a_wide_one_is_the_same_face_only_in_its_middle() -> None:
    wide = Rect(100, 100, 200, 200)
    assert marks.same_face(wide, Rect(160, 150, 80, 80))
    assert not marks.same_face(wide, Rect(100, 100, 80, 80))


def test_where_the_made_faces_are() -> None:
    for box, where in zip(PLACE, HERE, strict=True):
        left, top = (box.x - box.w / 2) * 480, (box.y - box.h / 2) * 320
        assert rect(round(left), round(top), round(box.w * 480), round(box.h * 320)) == where
