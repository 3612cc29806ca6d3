"""What the catalogue promises: answers outlive everything that happens to rows and files."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from kith.catalogue import Catalogue, faces, journal, open_catalogue, people, photos, schema, sidecars, trouble, work
from kith.errors import BadRequest, CatalogueCorrupt, CatalogueTooNew, FileBusy, NotFound, PhotoUnreadable
from kith.types import Analysis, Answer, Box, Decision, PersonId, Photo, Recognition, Suggestion
from made import PACK, SAME, analysis, face, vector

LEFT, RIGHT = Box(0.25, 0.5, 0.2, 0.3), Box(0.75, 0.5, 0.2, 0.3)
ANNA, BEN = vector(1), vector(2)


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    opened = open_catalogue(tmp_path / "catalogue.db")
    yield opened
    opened.close()


def add(catalogue: Catalogue, path: bytes, content: bytes, exists: bool = True) -> Photo:
    state = photos.FileState(path, 1000, 1, content)
    catalogue.write(photos.record, [state], lambda _: exists)
    photo = catalogue.read(photos.by_path, path)
    assert photo is not None
    return photo


def store(catalogue: Catalogue, photo: Photo, found: Analysis) -> list[faces.Face]:
    catalogue.write(faces.store, photo, found, SAME)
    return catalogue.read(faces.on_photo, photo.id)


def name(catalogue: Catalogue, face_id: faces.FaceId, called: str) -> None:
    catalogue.write(journal.name, [face_id], called, "person")


def states(catalogue: Catalogue, photo: Photo) -> list[tuple[str, str | None]]:
    return [(str(f.state), f.person.name if f.person else None) for f in catalogue.read(faces.on_photo, photo.id)]


def test_a_name_outlives_analysing_the_photo_again(catalogue: Catalogue) -> None:
    photo = add(catalogue, b"/a.jpg", b"content")
    (anna, _) = store(catalogue, photo, analysis(face(LEFT, ANNA), face(RIGHT, BEN)))
    name(catalogue, anna.id, "Anna")
    shifted = Box(LEFT.x + 0.02, LEFT.y, LEFT.w, LEFT.h)
    store(catalogue, photo, analysis(face(shifted, ANNA), face(RIGHT, BEN)))
    assert states(catalogue, photo) == [("confirmed", "Anna"), ("unknown", None)]


@pytest.mark.parametrize(
    ("aside", "expected"), [(0.06, [("confirmed", "Anna")]), (0.08, [("confirmed", "Anna"), ("unknown", None)])]
)
def test_a_face_that_lies_less_than_half_on_a_named_one_is_another(
    catalogue: Catalogue, aside: float, expected: list[tuple[str, str | None]]
) -> None:
    photo = add(catalogue, b"/a.jpg", b"content")
    (anna,) = store(catalogue, photo, analysis(face(LEFT, ANNA)))
    name(catalogue, anna.id, "Anna")
    store(catalogue, photo, analysis(face(Box(LEFT.x + aside, LEFT.y, LEFT.w, LEFT.h), ANNA)))
    assert states(catalogue, photo) == expected


def test_what_is_not_found_again_stays_and_goes_only_where_nobody_answered_and_somebody_says_so(
    catalogue: Catalogue,
) -> None:
    photo = add(catalogue, b"/a.jpg", b"content")
    (anna, _) = store(catalogue, photo, analysis(face(LEFT, ANNA), face(RIGHT, BEN)))
    name(catalogue, anna.id, "Anna")
    store(catalogue, photo, analysis())
    assert states(catalogue, photo) == [("confirmed", "Anna"), ("unknown", None)]
    catalogue.write(work.look_again, [b"/"], clear=True, deep=False)
    store(catalogue, photo, analysis())
    assert states(catalogue, photo) == [("confirmed", "Anna")]


def test_a_name_outlives_an_edit_that_moves_and_turns_the_face(catalogue: Catalogue) -> None:
    photo = add(catalogue, b"/a.jpg", b"content")
    (anna,) = store(catalogue, photo, analysis(face(LEFT, ANNA)))
    name(catalogue, anna.id, "Anna")
    edited = add(catalogue, b"/a.jpg", b"edited")
    assert edited.content_rev == photo.content_rev + 1
    store(catalogue, edited, analysis(face(RIGHT, vector(9, near=ANNA)), face(LEFT, BEN)))
    assert states(catalogue, edited) == [("unknown", None), ("confirmed", "Anna")]


def test_another_picture_under_the_same_name_does_not_inherit_names(catalogue: Catalogue) -> None:
    photo = add(catalogue, b"/a.jpg", b"content")
    (anna,) = store(catalogue, photo, analysis(face(LEFT, ANNA)))
    name(catalogue, anna.id, "Anna")
    other = add(catalogue, b"/a.jpg", b"another picture")
    store(catalogue, other, analysis(face(LEFT, BEN)))
    assert states(catalogue, other) == [("unknown", None)]


@pytest.mark.parametrize(
    ("before", "after", "stays"), [(5.0, 5.0, True), (5.0, 6.0, False), (5.0, None, False), (None, None, False)]
)
def test_somebody_whose_face_is_gone_is_still_on_a_photo_taken_at_the_same_time(
    catalogue: Catalogue, before: float | None, after: float | None, stays: bool
) -> None:
    photo = add(catalogue, b"/a.jpg", b"content")
    anna, _ = store(catalogue, photo, analysis(face(LEFT, ANNA), face(RIGHT, BEN), captured_at=before))
    name(catalogue, anna.id, "Anna")
    otto = catalogue.write(people.named, "Otto")
    catalogue.write(journal.say, [Decision(Answer.PRESENT, b"content", person=otto)], "person", "tag")
    edited = add(catalogue, b"/a.jpg", b"edited")
    assert store(catalogue, edited, analysis(captured_at=after)) == []
    present = {there.person.name for there in catalogue.read(people.present, b"edited")}
    assert present == ({"Anna", "Otto"} if stays else set())


def test_the_first_picture_coming_back_brings_its_names(catalogue: Catalogue) -> None:
    photo = add(catalogue, b"/a.jpg", b"content")
    (anna,) = store(catalogue, photo, analysis(face(LEFT, ANNA)))
    name(catalogue, anna.id, "Anna")
    store(catalogue, add(catalogue, b"/a.jpg", b"another picture"), analysis(face(LEFT, BEN)))
    back = add(catalogue, b"/a.jpg", b"content")
    store(catalogue, back, analysis(face(LEFT, ANNA)))
    assert states(catalogue, back) == [("confirmed", "Anna")]


def test_a_moved_photo_keeps_its_faces_and_names(catalogue: Catalogue) -> None:
    photo = add(catalogue, b"/a.jpg", b"content")
    (anna,) = store(catalogue, photo, analysis(face(LEFT, ANNA)))
    name(catalogue, anna.id, "Anna")
    moved = add(catalogue, b"/elsewhere/b.jpg", b"content", exists=False)
    assert moved.id == photo.id
    assert states(catalogue, moved) == [("confirmed", "Anna")]
    assert catalogue.read(photos.by_path, b"/a.jpg") is None


def test_an_answer_holds_for_copies_old_and_new(catalogue: Catalogue) -> None:
    first = add(catalogue, b"/a.jpg", b"content")
    (anna,) = store(catalogue, first, analysis(face(LEFT, ANNA)))
    second = add(catalogue, b"/copy.jpg", b"content")
    store(catalogue, second, analysis(face(LEFT, ANNA)))
    name(catalogue, anna.id, "Anna")
    third = add(catalogue, b"/another copy.jpg", b"content")
    store(catalogue, third, analysis(face(LEFT, ANNA)))
    assert states(catalogue, second) == states(catalogue, third) == [("confirmed", "Anna")]


@pytest.mark.parametrize("kind", [Answer.IGNORED, Answer.NOT_A_FACE])
def test_a_dismissed_face_stays_dismissed_when_found_from_nothing(catalogue: Catalogue, kind: Answer) -> None:
    photo = add(catalogue, b"/a.jpg", b"content")
    (anna,) = store(catalogue, photo, analysis(face(LEFT, ANNA)))
    catalogue.write(journal.answer, [(anna.id, None)], kind, "person")
    catalogue.write(lambda db: db.execute("DELETE FROM faces"))
    store(catalogue, photo, analysis(face(LEFT, ANNA)))
    assert states(catalogue, photo) == [(str(kind), None)]


def test_a_rejection_takes_the_name_away_and_is_remembered(catalogue: Catalogue) -> None:
    photo = add(catalogue, b"/a.jpg", b"content")
    (anna,) = store(catalogue, photo, analysis(face(LEFT, ANNA)))
    name(catalogue, anna.id, "Anna")
    person = catalogue.read(people.all_of)[0].id
    catalogue.write(journal.answer, [(anna.id, person)], Answer.REJECTED, "person")
    assert states(catalogue, photo) == [("unknown", None)]
    catalogue.write(lambda db: db.execute("DELETE FROM faces"))
    store(catalogue, photo, analysis(face(LEFT, ANNA)))
    (evidence,) = catalogue.read(faces.gallery, PACK).faces
    assert evidence.rejected == {person}


def test_naming_a_group_passes_over_faces_that_were_said_not_to_be_that_person(catalogue: Catalogue) -> None:
    photo = add(catalogue, b"/a.jpg", b"content")
    left, right = store(catalogue, photo, analysis(face(LEFT, ANNA), face(RIGHT, BEN)))
    name(catalogue, right.id, "Anna")
    person = catalogue.read(people.all_of)[0].id
    catalogue.write(journal.answer, [(right.id, person)], Answer.REJECTED, "person")
    assert catalogue.write(journal.name, [left.id, right.id], "anna", "person") == (person, 1)
    assert states(catalogue, photo) == [("confirmed", "Anna"), ("unknown", None)]


def test_names_that_differ_in_case_or_composition_are_one_person(catalogue: Catalogue) -> None:
    first = catalogue.write(people.named, "Zoë  Müller")
    assert catalogue.write(people.named, "zoe\u0308 mu\u0308ller") == first
    assert [p.name for p in catalogue.read(people.all_of)] == ["Zoë Müller"]


@pytest.mark.parametrize("nothing", ["", "  ", "\n\t", "\x00", "\u200b", "x" * 201])
def test_a_name_that_cannot_be_shown_is_refused(catalogue: Catalogue, nothing: str) -> None:
    with pytest.raises(BadRequest):
        catalogue.write(people.named, nothing)
    longest = catalogue.write(people.named, "x" * 200)
    assert [p.id for p in catalogue.read(people.all_of)] == [longest]


def test_a_guess_never_looks_like_an_answer(catalogue: Catalogue) -> None:
    photo = add(catalogue, b"/a.jpg", b"content")
    left, right = store(catalogue, photo, analysis(face(LEFT, ANNA), face(RIGHT, ANNA)))
    person = catalogue.write(people.named, "Anna")
    sure, unsure = Suggestion(person, 0.99, 0.999, True, (right.id,)), Suggestion(person, 0.6, 0.7, False, ())
    catalogue.write(faces.store_recognition, Recognition({}, {left.id: sure, right.id: unsure}))
    assert states(catalogue, photo) == [("auto", None), ("suggested", None)]
    assert catalogue.read(faces.get, left.id).suggestion == sure


def test_only_a_changed_automatic_name_makes_the_sidecar_follow(catalogue: Catalogue) -> None:
    photo = add(catalogue, b"/a.jpg", b"content")
    (left,) = store(catalogue, photo, analysis(face(LEFT, ANNA)))
    person = catalogue.write(people.named, "Anna")

    def believe(auto: bool) -> int:
        guess = Suggestion(person, 0.9, 0.9, auto, ())
        catalogue.write(faces.store_recognition, Recognition({}, {left.id: guess}))
        return catalogue.read(photos.get, photo.id).tags_rev

    start = photo.tags_rev
    assert [believe(False), believe(True), believe(True), believe(False)] == [start, start + 1, start + 1, start + 2]


def test_a_guess_that_is_rejected_leaves_the_sidecar(catalogue: Catalogue) -> None:
    photo = add(catalogue, b"/a.jpg", b"content")
    left, _ = store(catalogue, photo, analysis(face(LEFT, ANNA), face(RIGHT, BEN)))
    anna, ben = catalogue.write(people.named, "Anna"), catalogue.write(people.named, "Ben")
    guess = Suggestion(anna, 0.99, 0.999, True, ())
    catalogue.write(faces.store_recognition, Recognition({}, {left.id: guess}))
    catalogue.write(sidecars.agree, catalogue.read(photos.get, photo.id), "{}", None, "written", [])
    catalogue.write(journal.answer, [(left.id, ben)], Answer.REJECTED, "person")
    assert (states(catalogue, photo)[0], catalogue.read(work.to_write)) == (("auto", None), [])
    catalogue.write(journal.answer, [(left.id, anna)], Answer.REJECTED, "person")
    assert catalogue.read(faces.get, left.id).suggestion is None
    assert [to_write.id for to_write in catalogue.read(work.to_write)] == [photo.id]


def test_another_automatic_name_makes_the_sidecar_follow_and_a_surer_one_does_not(catalogue: Catalogue) -> None:
    photo = add(catalogue, b"/a.jpg", b"content")
    (left,) = store(catalogue, photo, analysis(face(LEFT, ANNA)))
    anna, ben = catalogue.write(people.named, "Anna"), catalogue.write(people.named, "Ben")

    def believe(person: PersonId, probability: float) -> int:
        guess = Suggestion(person, probability, probability, True, ())
        catalogue.write(faces.store_recognition, Recognition({}, {left.id: guess}))
        return catalogue.read(photos.get, photo.id).tags_rev

    start = believe(anna, 0.9)
    assert [believe(anna, 0.99), believe(ben, 0.99), believe(anna, 0.99)] == [start, start + 1, start + 2]


def test_recognition_hears_all_there_is_to_know_of_a_face(catalogue: Catalogue) -> None:
    photo = add(catalogue, b"/a.jpg", b"content")
    found = analysis(face(LEFT, ANNA, quality=0.7), face(RIGHT, BEN, quality=0.3), captured_at=1e9)
    left, right = store(catalogue, photo, found)
    name(catalogue, left.id, "Anna")
    catalogue.write(journal.answer, [(right.id, None)], Answer.IGNORED, "person")
    gallery = catalogue.read(faces.gallery, PACK)
    assert [(e.id, e.photo, e.captured_at, e.quality) for e in gallery.faces] == [
        (left.id, photo.id, 1e9, 0.7),
        (right.id, photo.id, 1e9, 0.3),
    ]
    assert [(e.person is None, e.ignored) for e in gallery.faces] == [(False, False), (True, True)]
    assert np.array_equal(gallery.vectors, [ANNA, BEN])
    assert len({e.order for e in gallery.faces}) == 2
    assert catalogue.read(faces.gallery, "another pack").faces == ()


def test_a_pack_is_checked_on_faces_that_it_found_those_in_company_first(catalogue: Catalogue) -> None:
    alone, two = add(catalogue, b"/a.jpg", b"1"), add(catalogue, b"/b.jpg", b"2")
    (one,) = store(catalogue, alone, analysis(face(LEFT, ANNA)))
    store(catalogue, two, analysis(face(LEFT, ANNA), face(RIGHT, BEN)))

    def checked(pack: str | None, count: int = 9) -> list[int]:
        return [photo for photo, _ in catalogue.read(faces.first_crops, pack, count)]

    assert checked(PACK) == checked(None) == [two.id, two.id, alone.id]
    assert checked(PACK, 2) == [two.id, two.id]
    assert checked("another pack") == []
    catalogue.write(journal.answer, [(one.id, None)], Answer.NOT_A_FACE, "person")
    assert checked(PACK) == [two.id, two.id]


def test_a_write_that_fails_changes_nothing(catalogue: Catalogue) -> None:
    def fails(db: faces.Database) -> None:
        people.named(db, "Anna")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        catalogue.write(fails)
    assert catalogue.read(people.all_of) == []


def test_trouble_waits_for_a_change_or_for_a_while_and_is_forgotten_when_it_goes_well(catalogue: Catalogue) -> None:
    photo = add(catalogue, b"/a.jpg", b"content")
    catalogue.write(trouble.note, b"/a.jpg", "analyse", PhotoUnreadable("no"))
    assert catalogue.read(work.to_analyse) == []
    changed = add(catalogue, b"/a.jpg", b"new content")
    assert [p.id for p in catalogue.read(work.to_analyse)] == [photo.id]
    catalogue.write(trouble.note, b"/a.jpg", "analyse", PhotoUnreadable("no"))
    store(catalogue, changed, analysis())
    assert catalogue.read(trouble.all_of) == []


def test_what_may_pass_is_tried_again_after_a_minute_then_ever_later_and_at_least_once_a_day(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo, now = add(catalogue, b"/a.jpg", b"content"), 1e9
    for module in (trouble, work):
        monkeypatch.setattr(module, "time", SimpleNamespace(time=lambda: now))
    for minutes in (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 1440, 1440):
        catalogue.write(trouble.note, photo.path, "analyse", FileBusy("no"))
        now += 60 * minutes - 1
        assert catalogue.read(work.to_analyse) == []
        now += 1
        assert [waiting.id for waiting in catalogue.read(work.to_analyse)] == [photo.id]
    assert [t.attempts for t in catalogue.read(trouble.all_of)] == [13]
    catalogue.write(trouble.note, photo.path, "analyse", FileBusy("no"), 5.0)
    now += 5
    assert len(catalogue.read(work.to_analyse)) == 1
    for error in (PhotoUnreadable("no"), BadRequest("no")):
        catalogue.write(trouble.note, photo.path, "analyse", error)
        now += 1e9
        assert catalogue.read(work.to_analyse) == []


def test_a_photo_that_is_gone_is_not_forgotten(catalogue: Catalogue) -> None:
    photo = add(catalogue, b"/photos/a.jpg", b"content")
    (anna,) = store(catalogue, photo, analysis(face(LEFT, ANNA)))
    name(catalogue, anna.id, "Anna")
    catalogue.write(photos.looked, b"/photos", [b"/photos/a.jpg"], [], {})
    assert catalogue.read(photos.known_below, b"/photos") == {}
    back = add(catalogue, b"/photos/a.jpg", b"content")
    assert (back.id, states(catalogue, back)) == (photo.id, [("confirmed", "Anna")])
    assert catalogue.read(work.to_analyse) == []


def test_folders_whose_names_begin_alike_are_told_apart(catalogue: Catalogue) -> None:
    add(catalogue, b"/photos/a.jpg", b"1")
    add(catalogue, b"/photos 2/a.jpg", b"2")
    add(catalogue, b"/photos0.jpg", b"3")
    assert set(catalogue.read(photos.known_below, b"/photos/")) == {b"/photos/a.jpg"}


def test_asking_for_what_is_not_there_says_what_to_do(catalogue: Catalogue) -> None:
    with pytest.raises(NotFound, match="kith faces"):
        catalogue.read(faces.get, faces.FaceId(7))
    with pytest.raises(NotFound, match="kith groups"):
        catalogue.read(faces.in_group, faces.GroupId(7))


def test_an_older_catalogue_keeps_every_answer(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.db"
    db = Database(path)
    before = Migrations("kith")
    for step in (schema.initial, schema.imports):
        before()(step)
    before.apply(db)
    db.execute("INSERT INTO people (name, key, born_as) VALUES ('Anna', 'anna', 'Anna')")
    db.execute("INSERT INTO acts (at, source, words) VALUES (1, 'person', 'name f1 Anna')")
    for content in (b"1", b"2", b"3"):
        db.execute(
            "INSERT INTO decisions (act_id, kind, content_key, x, y, w, h, person_id)"
            " VALUES (1, 'confirmed', ?, .5, .5, .2, .3, 1)",
            [content],
        )
    db.conn.commit()
    rows = db.execute("SELECT * FROM decisions").fetchall()
    indexes = db.execute("SELECT name FROM sqlite_master WHERE type IN ('index', 'view') ORDER BY name").fetchall()
    db.close()
    opened = open_catalogue(path)
    assert opened.read(lambda db: db.execute("SELECT * FROM standing").fetchall()) == rows
    now = opened.read(
        lambda db: db.execute("SELECT name FROM sqlite_master WHERE type IN ('index', 'view')").fetchall()
    )
    assert set(indexes) <= set(now)
    said = opened.write(journal.say, [Decision(Answer.IGNORED, b"x", Box(0.5, 0.5, 0.1, 0.1))], "person", "ignore")
    assert opened.read(journal.history, 1)[0].id == said == 2
    assert opened.read(lambda db: db.execute("SELECT max(id) FROM decisions").fetchone()) == (4,)
    opened.close()


def test_a_newer_catalogue_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.db"
    opened = open_catalogue(path)
    opened.write(
        lambda db: db.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('kith', 'from_the_future', '')"
        )
    )
    opened.close()
    with pytest.raises(CatalogueTooNew, match="from_the_future"):
        open_catalogue(path)


def test_a_damaged_catalogue_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.db"
    path.write_bytes(b"not a database" * 1000)
    with pytest.raises(CatalogueCorrupt, match=r"catalogue\.db"):
        open_catalogue(path)
    assert path.read_bytes() == b"not a database" * 1000


def test_the_catalogue_is_closed_to_others_and_synced(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.db"
    opened = open_catalogue(path)
    assert path.stat().st_mode & 0o077 == 0
    assert opened.read(lambda db: db.execute("PRAGMA synchronous").fetchone()[0]) == 2
    assert opened.read(lambda db: db.execute("PRAGMA journal_mode").fetchone()[0]) == "wal"
    opened.close()


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="kith scan"):
        open_catalogue(tmp_path / "catalogue.db", readonly=True)
    open_catalogue(tmp_path / "catalogue.db").close()
    reader = open_catalogue(tmp_path / "catalogue.db", readonly=True)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader.write(people.named, "Anna")
    reader.close()
