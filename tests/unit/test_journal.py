"""What the journal promises: everything said can be taken back, and brought back, without a trace of the difference."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kith.catalogue import Catalogue, faces, journal, open_catalogue, people, photos, settle
from kith.errors import BadRequest, NotFound
from kith.types import Answer, Box, Decision, Dispute, Evidence, FaceId, PersonId, Photo
from made import PACK, SAME, analysis, face, vector

LEFT, RIGHT, CORNER = Box(0.25, 0.5, 0.2, 0.3), Box(0.75, 0.5, 0.2, 0.3), Box(0.1, 0.1, 0.1, 0.1)
ANNA, BEN = vector(1), vector(2)
ME = "person"


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    opened = open_catalogue(tmp_path / "catalogue.db")
    yield opened
    opened.close()


def add(catalogue: Catalogue, path: bytes = b"/a.jpg", content: bytes = b"content") -> tuple[Photo, list[FaceId]]:
    catalogue.write(photos.record, [photos.FileState(path, 1000, 1, content)], lambda _: True)
    photo = catalogue.read(photos.by_path, path)
    assert photo is not None
    catalogue.write(faces.store, photo, analysis(face(LEFT, ANNA), face(RIGHT, BEN)), SAME)
    return photo, [found.id for found in catalogue.read(faces.on_photo, photo.id)]


def who(catalogue: Catalogue, photo: Photo) -> list[str | None]:
    return [f.person.name if f.person else None for f in catalogue.read(faces.on_photo, photo.id)]


def name(catalogue: Catalogue, called: str, *ids: FaceId) -> PersonId:
    return catalogue.write(journal.name, ids, called, ME, f"name {called}")[0]


def undo(catalogue: Catalogue, number: int | None = None) -> int:
    return catalogue.write(journal.undo, number, ME).id


def state(catalogue: Catalogue) -> list[object]:
    """Everything that follows from answers."""
    queries = (
        "SELECT photo_id, x, y, w, h, answer, n.name, dispute FROM faces f LEFT JOIN people n ON n.id = f.person_id",
        "SELECT face_id, name FROM rejections JOIN people n ON n.id = person_id",
        "SELECT content_key, name, dispute FROM presences JOIN people n ON n.id = person_id",
        "SELECT face_id, division, part FROM parts",
    )
    return [sorted(map(repr, catalogue.read(lambda db, q=query: db.execute(q).fetchall()))) for query in queries]


def test_a_bulk_answer_is_taken_back_as_one(catalogue: Catalogue) -> None:
    photo, ids = add(catalogue)
    name(catalogue, "Anna", *ids)
    undo(catalogue)
    assert who(catalogue, photo) == [None, None]
    undo(catalogue, max(act.id for act in catalogue.read(journal.history, 10)))
    assert who(catalogue, photo) == ["Anna", "Anna"]


def test_taking_back_an_answer_brings_back_the_one_before(catalogue: Catalogue) -> None:
    photo, (left, _) = add(catalogue)
    name(catalogue, "Anna", left)
    name(catalogue, "Ben", left)
    undo(catalogue)
    assert who(catalogue, photo)[0] == "Anna"
    undo(catalogue)
    assert who(catalogue, photo)[0] is None
    with pytest.raises(NotFound, match="nothing"):
        undo(catalogue)


def test_only_a_person_who_gives_a_name_that_a_face_has_already_says_it_again(catalogue: Catalogue) -> None:
    _, (left, right) = add(catalogue)
    _, (copy, _) = add(catalogue, b"/copy.jpg")  # each answer reaches both, and counts once all the same

    def again() -> set[FaceId]:
        return set(catalogue.read(journal.said_again, [left, right, copy]))

    name(catalogue, "Anna", left, copy, right)
    assert again() == set()
    catalogue.write(journal.name, [left], "Anna", "digikam", "import")
    assert again() == set()
    anna = name(catalogue, "Anna", left)
    assert again() == {left, copy}
    name(catalogue, "Ben", left)
    assert again() == set()
    undo(catalogue)
    maria = name(catalogue, "Maria", right)
    catalogue.write(journal.merge, anna, maria, ME, "merge Anna Maria")
    assert {left, copy} <= again()


def test_taking_back_an_old_answer_leaves_later_ones(catalogue: Catalogue) -> None:
    photo, (left, right) = add(catalogue)
    name(catalogue, "Anna", left)
    first = catalogue.read(journal.history, 1)[0].id
    name(catalogue, "Anna", right)
    undo(catalogue, first)
    assert who(catalogue, photo) == [None, "Anna"]
    with pytest.raises(BadRequest, match="already"):
        undo(catalogue, first)


def test_two_people_become_one_and_two_again(catalogue: Catalogue) -> None:
    photo, (left, right) = add(catalogue)
    ann, anna = name(catalogue, "Ann", left), name(catalogue, "Anna", right)
    before = state(catalogue)
    catalogue.write(journal.merge, ann, anna, ME, "")
    assert who(catalogue, photo) == ["Anna", "Anna"]
    assert [p.name for p in catalogue.read(people.all_of)] == ["Anna"]
    undo(catalogue)
    assert state(catalogue) == before


def test_what_was_said_after_a_merge_stays_when_it_is_taken_back(catalogue: Catalogue) -> None:
    photo, (left, right) = add(catalogue)
    other, (third, _) = add(catalogue, b"/b.jpg", b"other")
    ann, anna = name(catalogue, "Ann", left), name(catalogue, "Anna", right)
    catalogue.write(journal.merge, ann, anna, ME, "")
    merged = catalogue.read(journal.history, 1)[0].id
    name(catalogue, "Anna", third)
    undo(catalogue, merged)
    assert who(catalogue, photo) == ["Ann", "Anna"]
    assert who(catalogue, other) == ["Anna", None]


def test_being_told_apart_ends_with_a_merge_and_comes_back_with_its_undoing(catalogue: Catalogue) -> None:
    photo, (left, right) = add(catalogue)
    ann, anna = name(catalogue, "Ann", right), name(catalogue, "Anna", left)
    catalogue.write(journal.answer, [(left, ann)], Answer.REJECTED, ME)
    catalogue.write(journal.merge, ann, anna, ME, "")
    assert who(catalogue, photo) == ["Anna", "Anna"]
    (evidence, _) = catalogue.read(faces.gallery, PACK).faces
    assert evidence.rejected == frozenset()
    undo(catalogue)
    rejected = [f.rejected for f in catalogue.read(faces.gallery, PACK).faces]
    assert rejected == [{ann}, frozenset()]


def evidence(catalogue: Catalogue) -> dict[FaceId, Evidence]:
    return {one.id: one for one in catalogue.read(faces.gallery, PACK).faces}


def divide(catalogue: Catalogue, *parts: list[FaceId]) -> None:
    catalogue.write(journal.divide, *parts, ME, "apart")


def test_two_people_without_names_stay_two_through_edits_and_vanished_rows_until_it_is_taken_back(
    catalogue: Catalogue,
) -> None:
    photo, (left, right) = add(catalogue)
    _, (other, _) = add(catalogue, b"/b.jpg", b"other")
    divide(catalogue, [left], [right, other])
    act = catalogue.read(journal.history, 1)[0].id
    apart = [frozenset({(act, 1)}), frozenset({(act, 2)}), frozenset({(act, 2)}), frozenset()]
    assert [one.parts for one in evidence(catalogue).values()] == apart
    catalogue.write(lambda db: db.execute("DELETE FROM faces"))
    for path, content in ((b"/a.jpg", b"content"), (b"/b.jpg", b"other")):
        add(catalogue, path, content)
    assert [one.parts for one in evidence(catalogue).values()] == apart
    catalogue.write(photos.record, [photos.FileState(photo.path, 1000, 2, b"edited")], lambda _: True)
    edited = catalogue.read(photos.get, photo.id)
    catalogue.write(faces.store, edited, analysis(face(CORNER, ANNA), face(RIGHT, BEN)), SAME)
    catalogue.write(lambda db: db.execute("DELETE FROM faces WHERE photo_id = ?", [photo.id]))
    catalogue.write(faces.store, edited, analysis(face(CORNER, ANNA), face(RIGHT, BEN)), SAME)
    assert sorted(map(sorted, (one.parts for one in evidence(catalogue).values()))) == sorted(map(sorted, apart))
    undo(catalogue, act)
    assert {one.parts for one in evidence(catalogue).values()} == {frozenset()}


def test_naming_one_of_two_people_tells_who_the_other_is_not(catalogue: Catalogue) -> None:
    _, (left, _) = add(catalogue)
    _, (other, third) = add(catalogue, b"/b.jpg", b"other")
    divide(catalogue, [left], [other, third])
    catalogue.write(lambda db: db.execute("DELETE FROM changed_faces"))
    anna = name(catalogue, "Anna", left)
    assert catalogue.read(faces.changed)[1] == {left, other, third}
    assert evidence(catalogue)[other].rejected == evidence(catalogue)[third].rejected == {anna}
    assert evidence(catalogue)[left].rejected == frozenset()
    assert catalogue.read(faces.rejected, other) == [anna]
    undo(catalogue)
    assert evidence(catalogue)[other].rejected == frozenset()


def test_recognition_learns_of_every_face_that_a_division_bears_on(catalogue: Catalogue) -> None:
    """What it is told of what changed is what it would find in all there is."""
    photo, (left, _) = add(catalogue)
    _, (other, third) = add(catalogue, b"/b.jpg", b"other")
    held: dict[FaceId, Evidence] = {}

    def follow() -> None:
        ids = catalogue.read(faces.changed)[1]
        held.update({one.id: one for one in catalogue.read(faces.gallery, PACK, ids).faces})
        catalogue.write(lambda db: db.execute("DELETE FROM changed_faces"))
        assert held == evidence(catalogue)

    follow()
    divide(catalogue, [left], [other, third])
    follow()
    name(catalogue, "Anna", left)
    follow()
    catalogue.write(journal.forget, [photo], ME, "forget")
    follow()
    undo(catalogue)
    follow()
    name(catalogue, "Anna", other)
    follow()
    undo(catalogue)
    follow()


def test_a_name_that_was_refused_and_given_after_all_is_refused_no_more(catalogue: Catalogue) -> None:
    photo, (left, right) = add(catalogue)
    anna, ben = catalogue.write(people.named, "Anna"), catalogue.write(people.named, "Ben")
    catalogue.write(journal.answer, [(left, anna), (left, ben)], Answer.REJECTED, ME)
    assert catalogue.read(faces.rejected, left) == [anna, ben]
    name(catalogue, "Anna", left)
    assert catalogue.read(faces.rejected, left) == [ben]
    assert evidence(catalogue)[left].rejected == {ben}
    catalogue.write(journal.answer, [(left, None)], Answer.IGNORED, ME)
    assert catalogue.write(journal.name, [left, right], "Anna", ME) == (anna, 2)
    assert who(catalogue, photo) == ["Anna", "Anna"]
    for _ in range(3):
        undo(catalogue)
    assert catalogue.read(faces.rejected, left) == [anna, ben]


def test_a_face_on_copies_of_a_photo_is_in_one_part(catalogue: Catalogue) -> None:
    _, (left, _) = add(catalogue)
    _, (copy, _) = add(catalogue, b"/copy.jpg")
    divide(catalogue, [left], [copy])
    assert [len(evidence(catalogue)[one].parts) for one in (left, copy)] == [1, 1]


def test_who_was_said_to_be_somebody_else_is_passed_over_unless_nobody_else_is_named(catalogue: Catalogue) -> None:
    _, (left, right) = add(catalogue)
    _, (other, _) = add(catalogue, b"/b.jpg", b"other")
    divide(catalogue, [left], [other])
    name(catalogue, "Anna", left)
    assert catalogue.write(journal.name, [right, other], "Anna", ME)[1] == 1
    assert catalogue.write(journal.name, [other], "Anna", ME)[1] == 1


def test_a_box_drawn_where_no_face_was_said_to_be_is_a_face_until_that_is_taken_back(catalogue: Catalogue) -> None:
    photo, (left, _) = add(catalogue)
    catalogue.write(journal.answer, [(left, None)], Answer.NOT_A_FACE, ME)
    catalogue.write(journal.draw, photo.content_key, LEFT, None, ME, "draw")
    assert str(catalogue.read(faces.get, left).state) == "unknown"
    undo(catalogue)
    assert str(catalogue.read(faces.get, left).state) == "not-a-face"


def test_two_people_who_get_one_name_after_all_are_one(catalogue: Catalogue) -> None:
    _, (left, _) = add(catalogue)
    _, (other, third) = add(catalogue, b"/b.jpg", b"other")
    divide(catalogue, [left], [other, third])
    name(catalogue, "Anna", left)
    assert catalogue.write(journal.name, [other, third], "Anna", ME)[1] == 2
    undo(catalogue)
    name(catalogue, "Anna", other)
    assert {one.parts | one.rejected for one in evidence(catalogue).values()} == {frozenset()}


def test_a_renamed_person_is_renamed_everywhere_and_back(catalogue: Catalogue) -> None:
    photo, (left, _) = add(catalogue)
    anna = name(catalogue, "Ana", left)
    revision = catalogue.read(photos.get, photo.id).tags_rev
    catalogue.write(journal.rename, anna, "Anna", ME, "")
    assert who(catalogue, photo)[0] == "Anna"
    assert catalogue.read(photos.get, photo.id).tags_rev > revision
    undo(catalogue)
    assert who(catalogue, photo)[0] == "Ana"


def test_a_name_that_is_somebody_elses_is_refused(catalogue: Catalogue) -> None:
    _, (left, right) = add(catalogue)
    anna, _ = name(catalogue, "Anna", left), name(catalogue, "Ben", right)
    with pytest.raises(BadRequest, match="kith merge"):
        catalogue.write(journal.rename, anna, "ben", ME, "")
    catalogue.write(journal.rename, anna, "ANNA", ME, "")
    catalogue.write(journal.rename, anna, "Hannah", ME, "")
    name(catalogue, "Anna", right)
    with pytest.raises(BadRequest, match="else is called"):
        undo(catalogue, catalogue.read(journal.history, 10)[1].id)


def test_two_merges_that_contradict_each_other_cannot_both_hold(catalogue: Catalogue) -> None:
    photo, (left, right) = add(catalogue)
    ann, anna = name(catalogue, "Ann", left), name(catalogue, "Anna", right)
    catalogue.write(journal.merge, ann, anna, ME, "")
    undo(catalogue)
    redo = catalogue.read(journal.history, 1)[0].id
    catalogue.write(journal.merge, anna, ann, ME, "")
    with pytest.raises(BadRequest, match="the other way round"):
        undo(catalogue, redo)
    assert who(catalogue, photo) == ["Ann", "Ann"]


def test_a_drawn_box_is_a_face_until_that_is_taken_back(catalogue: Catalogue) -> None:
    photo, _ = add(catalogue)
    before = state(catalogue)
    anna = catalogue.write(people.named, "Anna")
    drawn = Decision(Answer.DRAWN, b"content", CORNER)
    catalogue.write(journal.say, [drawn, Decision(Answer.CONFIRMED, b"content", CORNER, anna)], ME, "")
    assert who(catalogue, photo) == ["Anna", None, None]
    assert catalogue.read(faces.given, photo) == (CORNER,)
    undo(catalogue)
    assert state(catalogue) == before


def test_a_moved_box_takes_its_name_along_and_goes_back(catalogue: Catalogue) -> None:
    photo, (left, _) = add(catalogue)
    name(catalogue, "Anna", left)
    catalogue.write(journal.say, [Decision(Answer.MOVED, b"content", LEFT, to=CORNER)], ME, "")
    moved = catalogue.read(faces.get, left)
    assert (moved.box, moved.person and moved.person.name) == (CORNER, "Anna")
    undo(catalogue)
    catalogue.write(faces.store, photo, analysis(face(LEFT, ANNA), face(RIGHT, BEN)), SAME)
    assert [(f.box, f.person and f.person.name) for f in catalogue.read(faces.on_photo, photo.id)] == [
        (LEFT, "Anna"),
        (RIGHT, None),
    ]


def test_a_drawn_box_outlives_an_edit_that_leaves_it_in_place(catalogue: Catalogue) -> None:
    photo, _ = add(catalogue)
    anna = catalogue.write(people.named, "Anna")
    drawn = Decision(Answer.DRAWN, b"content", CORNER)
    catalogue.write(journal.say, [drawn, Decision(Answer.CONFIRMED, b"content", CORNER, anna)], ME, "")
    back = face(CORNER, vector(9))
    catalogue.write(faces.store, photo, analysis(face(LEFT, ANNA), face(RIGHT, BEN), back), SAME)
    catalogue.write(photos.record, [photos.FileState(b"/a.jpg", 1001, 2, b"edited")], lambda _: True)
    edited = catalogue.read(photos.get, photo.id)
    assert catalogue.read(faces.given, edited) == (CORNER,)
    catalogue.write(faces.store, edited, analysis(face(LEFT, ANNA), face(RIGHT, BEN), back), SAME)
    assert who(catalogue, edited) == ["Anna", None, None]


def test_an_edit_that_hides_a_named_face_leaves_the_person_on_the_photo(catalogue: Catalogue) -> None:
    photo, (left, right) = add(catalogue)
    name(catalogue, "Anna", left)
    name(catalogue, "Ben", right)
    catalogue.write(photos.record, [photos.FileState(b"/a.jpg", 1001, 2, b"edited")], lambda _: True)
    edited = catalogue.read(photos.get, photo.id)
    catalogue.write(faces.store, edited, analysis(face(LEFT, ANNA)), SAME)
    assert who(catalogue, edited) == ["Anna"]
    assert [there.person.name for there in catalogue.read(people.present, b"edited")] == ["Ben"]
    undo(catalogue)
    assert catalogue.read(people.present, b"edited") == []


def test_undoing_reaches_the_edited_photo_too(catalogue: Catalogue) -> None:
    photo, (left, _) = add(catalogue)
    name(catalogue, "Anna", left)
    catalogue.write(photos.record, [photos.FileState(b"/a.jpg", 1001, 2, b"edited")], lambda _: True)
    edited = catalogue.read(photos.get, photo.id)
    catalogue.write(faces.store, edited, analysis(face(LEFT, ANNA), face(RIGHT, BEN)), SAME)
    assert who(catalogue, edited) == ["Anna", None]
    undo(catalogue)
    assert who(catalogue, edited) == [None, None]


def test_a_name_taken_away_elsewhere_is_disputed_until_a_person_says(catalogue: Catalogue) -> None:
    photo, (left, _) = add(catalogue)
    anna = name(catalogue, "Anna", left)

    def dispute() -> Dispute | None:
        return catalogue.read(faces.get, left).dispute

    catalogue.write(journal.answer, [(left, anna)], Answer.DISPUTED, "sidecar")
    assert (who(catalogue, photo)[0], dispute()) == ("Anna", Dispute.OPEN)
    catalogue.write(journal.answer, [(left, anna)], Answer.CONFIRMED, ME)
    assert dispute() is Dispute.INSISTED
    catalogue.write(journal.answer, [(left, anna)], Answer.REJECTED, ME)
    assert (who(catalogue, photo)[0], dispute()) == (None, None)
    undo(catalogue)
    assert dispute() is Dispute.INSISTED


def test_somebody_without_a_face_holds_for_every_copy(catalogue: Catalogue) -> None:
    photo, _ = add(catalogue)
    copy, _ = add(catalogue, b"/copy.jpg")
    revisions = [catalogue.read(photos.get, p.id).tags_rev for p in (photo, copy)]
    otto = catalogue.write(people.named, "Otto")
    catalogue.write(journal.say, [Decision(Answer.PRESENT, b"content", person=otto)], ME, "")
    assert [p.tags_rev for p in (catalogue.read(photos.get, p.id) for p in (photo, copy))] == [r + 1 for r in revisions]
    assert [(p.name, p.photos) for p in catalogue.read(people.all_of)] == [("Otto", 2)]


def test_a_confirmed_face_says_that_somebody_is_there_until_it_is_taken_back(catalogue: Catalogue) -> None:
    def present() -> list[str]:
        return [there.person.name for there in catalogue.read(people.present, b"content")]

    photo, (left, right) = add(catalogue)
    anna = catalogue.write(people.named, "Anna")
    catalogue.write(journal.say, [Decision(Answer.PRESENT, b"content", person=anna)], ME, "tag")
    name(catalogue, "Ben", right)
    assert present() == ["Anna"]
    name(catalogue, "Anna", left)
    assert (who(catalogue, photo), present()) == (["Anna", "Ben"], [])
    assert catalogue.read(people.get, anna).photos == 1
    undo(catalogue)
    assert (who(catalogue, photo), present()) == ([None, "Ben"], ["Anna"])
    name(catalogue, "Anna", left)
    not_her = catalogue.read(journal.about, left, Answer.REJECTED, anna)
    catalogue.write(journal.say, [not_her], ME, "reject")  # that face isn't her, who is there all the same
    assert (who(catalogue, photo), present()) == ([None, "Ben"], ["Anna"])


def test_what_is_forgotten_of_a_photo_is_also_who_was_there_before_a_face_showed_them(catalogue: Catalogue) -> None:
    photo, (left, _) = add(catalogue)
    anna = catalogue.write(people.named, "Anna")
    catalogue.write(journal.say, [Decision(Answer.PRESENT, b"content", person=anna)], ME, "tag")
    name(catalogue, "Anna", left)
    catalogue.write(journal.forget, [photo], ME, "forget")
    assert who(catalogue, photo) == [None, None]
    assert catalogue.read(people.present, b"content") == []


def test_rows_that_vanish_come_back_with_everything_said(catalogue: Catalogue) -> None:
    photo, (left, right) = add(catalogue)
    anna = name(catalogue, "Anna", left)
    catalogue.write(journal.answer, [(right, anna)], Answer.REJECTED, ME)
    drawn = Decision(Answer.DRAWN, b"content", CORNER)
    catalogue.write(journal.say, [drawn], ME, "")
    before = state(catalogue)
    catalogue.write(lambda db: db.execute("DELETE FROM faces"))
    catalogue.write(faces.store, photo, analysis(face(LEFT, ANNA), face(RIGHT, BEN)), SAME)
    catalogue.write(settle.of_content, b"content")
    assert [f.box for f in catalogue.read(faces.on_photo, photo.id)] == [CORNER, LEFT, RIGHT]
    assert state(catalogue)[0] == before[0]
