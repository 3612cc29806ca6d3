"""What happens is told once it holds, in order, under numbers that are never used twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kith.catalogue import Catalogue, events, faces, journal, open_catalogue, photos
from kith.errors import EventsGone
from kith.types import Answer, Box, Decision, Photo, Recognition
from made import SAME, analysis, face, vector

LEFT = Box(0.25, 0.5, 0.2, 0.3)


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    opened = open_catalogue(tmp_path / "catalogue.db")
    yield opened
    opened.close()


def add(catalogue: Catalogue, path: bytes) -> Photo:
    catalogue.write(photos.record, [photos.FileState(path, 1000, 1, path)], lambda _: True)
    photo = catalogue.read(photos.by_path, path)
    assert photo is not None
    return photo


def kinds(catalogue: Catalogue, after: int = 0) -> list[str]:
    return [event.kind for event in catalogue.read(events.since, after, 1000)]


def test_a_photo_tells_its_way_through_kith(catalogue: Catalogue) -> None:
    photo = add(catalogue, b"/a.jpg")
    catalogue.write(faces.store, photo, analysis(face(LEFT, vector(1))), SAME)
    before = catalogue.read(events.last)
    (anna,) = catalogue.read(faces.on_photo, photo.id)
    catalogue.write(journal.name, [anna.id], "Anna", "person")
    assert kinds(catalogue)[:2] == ["photo", "analysed"]
    assert sorted(kinds(catalogue, before)) == ["answer", "names", "person"]
    named = [event for event in catalogue.read(events.since, before, 1000) if event.kind == "names"]
    assert [(event.photo, event.path) for event in named] == [(photo.id, b"/a.jpg")]
    assert all(event.at > 1.7e9 for event in named)


def test_a_day_of_birth_makes_recognition_look_again(catalogue: Catalogue) -> None:
    photo = add(catalogue, b"/a.jpg")
    catalogue.write(faces.store, photo, analysis(face(LEFT, vector(1))), SAME)
    (anna,) = catalogue.read(faces.on_photo, photo.id)
    person, _ = catalogue.write(journal.name, [anna.id], "Anna", "person")
    catalogue.write(faces.store_recognition, Recognition({}, {}), seen=catalogue.read(faces.changed)[0])
    assert catalogue.read(faces.changed)[1] == frozenset()
    catalogue.write(journal.say, [Decision(Answer.BORN, person=person, text="2015-04-23")], "person", "")
    assert catalogue.read(faces.changed)[1] == {anna.id}


def test_what_was_rolled_back_is_not_told(catalogue: Catalogue) -> None:
    def fails(db: faces.Database) -> None:
        photos.record(db, [photos.FileState(b"/a.jpg", 1, 1, b"a")], lambda _: True)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        catalogue.write(fails)
    assert kinds(catalogue) == []


def test_whoever_was_away_too_long_is_told_so(catalogue: Catalogue) -> None:
    for i in range(10):
        add(catalogue, f"/{i}.jpg".encode())
    catalogue.write(events.prune, 4)
    assert len(kinds(catalogue, 6)) == 4
    for lost in (5, 11):
        with pytest.raises(EventsGone, match="anew"):
            catalogue.read(events.since, lost, 10)
    assert kinds(catalogue, catalogue.read(events.last)) == []


def test_numbers_outlive_letting_everything_go(tmp_path: Path) -> None:
    opened = open_catalogue(tmp_path / "catalogue.db")
    add(opened, b"/a.jpg")
    opened.write(events.prune, 0)
    last = opened.read(events.last)
    opened.close()
    again = open_catalogue(tmp_path / "catalogue.db")
    assert kinds(again, last) == []
    add(again, b"/b.jpg")
    assert [event.id for event in again.read(events.since, last, 10)] == [last + 1]
    again.close()
