"""What an import from another program promises: everything it says is heard once, and nothing newer is overridden."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from kith.catalogue import Catalogue, faces, imports, journal, open_catalogue, people, photos
from kith.catalogue.imports import Face, Taken, Word
from kith.errors import BadRequest
from kith.types import (
    PERSON,
    SIDECAR,
    Answer,
    Box,
    Decision,
    Dispute,
    FaceId,
    FaceState,
    Photo,
    Recognition,
    Suggestion,
)
from made import PACK, SAME, analysis, face, vector

LEFT, RIGHT, CORNER = Box(0.25, 0.5, 0.2, 0.3), Box(0.75, 0.5, 0.2, 0.3), Box(0.1, 0.1, 0.1, 0.1)
WIDE = Box(0.25, 0.48, 0.34, 0.5)  # the left face as somebody draws it who means the head
PATH, CONTENT = b"/a.jpg", b"content"


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    opened = open_catalogue(tmp_path / "catalogue.db")
    yield opened
    opened.close()


@pytest.fixture
def photo(catalogue: Catalogue) -> Photo:
    return add(catalogue)


def add(catalogue: Catalogue, path: bytes = PATH, content: bytes = CONTENT) -> Photo:
    """A photo with two faces."""
    catalogue.write(photos.record, [photos.FileState(path, 1000, 1, content)], lambda _: True)
    found = catalogue.read(photos.by_path, path)
    assert found is not None
    catalogue.write(faces.store, found, analysis(face(LEFT, vector(1)), face(RIGHT, vector(2))), SAME)
    return found


def take(catalogue: Catalogue, *said: Word, act: int | None = None) -> Taken:
    return catalogue.write(imports.take, "digikam", "import", said, act)


def named(name: str, box: Box = LEFT) -> Face:
    return Face("confirmed", box, name)


def unknown(box: Box = LEFT, *refused: str) -> Face:
    return Face("unknown", box, None, refused)


def word(*told: Face, on: tuple[str, ...] = (), path: bytes = PATH) -> Word:
    return Word(path, told, on)


def who(catalogue: Catalogue, path: bytes = PATH) -> list[str | None]:
    """Whom the faces of a photo are said to be, from left to right."""
    return [f.person.name if f.person else None for f in on(catalogue, path)]


def on(catalogue: Catalogue, path: bytes = PATH) -> list[faces.Face]:
    photo = catalogue.read(photos.by_path, path)
    assert photo is not None
    return catalogue.read(faces.on_photo, photo.id)


def present(catalogue: Catalogue) -> list[str]:
    return [there.person.name for there in catalogue.read(people.present, CONTENT)]


def answer(catalogue: Catalogue, kind: Answer, name: str | None = None, source: str = PERSON) -> None:
    """Say something of the left face."""
    left = on(catalogue)[0].id
    person = None if name is None else catalogue.write(people.named, name)
    catalogue.write(journal.answer, [(left, person)], kind, source)


def pixels_of(catalogue: Catalogue, id_: FaceId) -> bool:
    return bool(catalogue.read(faces.crops, [id_]))


def test_confirmed_faces_become_answers_with_their_source(catalogue: Catalogue, photo: Photo) -> None:
    taken = take(catalogue, word(named("Anna"), named("Ben", RIGHT)))
    assert who(catalogue) == ["Anna", "Ben"]
    (act,) = catalogue.read(journal.history, 10)
    assert (act.id, act.source, act.answers) == (taken.act, "digikam", 2)
    assert taken.counts == {"confirmed": 2}


def test_a_face_that_only_the_other_program_has_gets_a_box_and_waits_for_a_look(
    catalogue: Catalogue, photo: Photo
) -> None:
    taken = take(catalogue, word(named("Anna", CORNER)))
    assert who(catalogue) == ["Anna", None, None]
    assert taken.counts == {"drawn": 1, "confirmed": 1}
    assert catalogue.read(faces.given, photo) == (CORNER,)
    catalogue.write(
        faces.store,
        photo,
        analysis(face(LEFT, vector(1)), face(RIGHT, vector(2)), face(CORNER, vector(3))),
        SAME,
    )
    assert who(catalogue) == ["Anna", None, None]
    assert pixels_of(catalogue, on(catalogue)[0].id)


def test_a_region_around_the_whole_head_is_the_same_face(catalogue: Catalogue, photo: Photo) -> None:
    take(catalogue, word(named("Anna", WIDE)))
    assert who(catalogue) == ["Anna", None]
    assert on(catalogue)[0].box == LEFT


def test_a_face_that_the_program_has_twice_is_one_face(catalogue: Catalogue, photo: Photo) -> None:
    """As digiKam has it after reading its own region back from a file, a pixel off."""
    twin, corner_twin = Box(0.252, 0.5, 0.2, 0.3), Box(0.102, 0.1, 0.1, 0.1)
    taken = take(
        catalogue,
        word(unknown(twin), named("Anna"), named("Anna", twin), named("Ben", CORNER), named("Ben", corner_twin)),
    )
    assert taken.counts == {"confirmed": 2, "drawn": 1}
    assert [f.box for f in on(catalogue)] == [CORNER, LEFT, RIGHT]
    assert take(catalogue, word(named("Anna", twin), named("Ben", corner_twin))).counts == {}


def test_a_second_name_on_one_face_moves_nothing(catalogue: Catalogue, photo: Photo) -> None:
    beside = Box(0.25 + 0.2 / 3.5, 0.5, 0.2, 0.3)
    taken = take(catalogue, word(named("Anna", Box(0.25 - 0.2 / 3.5, 0.5, 0.2, 0.3)), named("Ben", beside)))
    assert taken.counts == {"confirmed": 1, "kept": 1}
    assert [f.box for f in on(catalogue)] == [LEFT, RIGHT]


def guessed(catalogue: Catalogue, name: str, *, written: bool) -> None:
    """Kith itself names the left face, and maybe says so in the sidecar."""
    left = on(catalogue)[0]
    person = catalogue.write(people.named, name)
    guess = Suggestion(person, 1.0, 1.0, True, ())
    catalogue.write(faces.store_recognition, Recognition({}, {left.id: guess}))
    if written:
        base = json.dumps({"faces": [], "strings": [], "people": [], "guesses": [name], "gone": []})
        catalogue.write(
            lambda db: db.execute("INSERT INTO sidecars (photo_id, base) VALUES (?, ?)", [left.photo, base])
        )


def test_a_guess_of_kith_s_own_that_a_program_read_in_the_sidecar_does_not_come_back_as_an_answer(
    catalogue: Catalogue, photo: Photo
) -> None:
    guessed(catalogue, "Anna", written=True)
    assert take(catalogue, word(named("Anna", Box(0.2502, 0.5001, 0.2, 0.3)))).counts == {}
    assert take(catalogue, word(on=("Anna",))).counts == {}
    assert on(catalogue)[0].state is FaceState.AUTO
    assert present(catalogue) == []


@pytest.mark.parametrize(
    ("name", "box", "written"),
    [("Ben", LEFT, True), ("Anna", WIDE, True), ("Anna", LEFT, False)],
    ids=["another name", "a region of its own", "nothing in the sidecar"],
)
def test_what_a_program_says_of_itself_is_an_answer_whatever_kith_guesses(
    catalogue: Catalogue, photo: Photo, name: str, box: Box, written: bool
) -> None:
    guessed(catalogue, "Anna", written=written)
    assert take(catalogue, word(named(name, box))).counts == {"confirmed": 1}
    assert who(catalogue)[0] == name


def test_what_was_said_before_and_is_said_still_is_no_news(catalogue: Catalogue, photo: Photo) -> None:
    said = word(named("Anna"), named("Ben", CORNER), unknown(RIGHT), on=("Cleo",))
    take(catalogue, said)
    before = catalogue.read(journal.history, 10)
    again = take(catalogue, said)
    assert (again.act, again.counts) == (None, {"unchanged": 1})
    assert catalogue.read(journal.history, 10) == before


def test_what_a_sidecar_said_already_is_not_said_again_and_makes_no_second_face(
    catalogue: Catalogue, photo: Photo
) -> None:
    answer(catalogue, Answer.CONFIRMED, "Anna", SIDECAR)
    taken = take(catalogue, word(named("Anna", Box(0.26, 0.5, 0.2, 0.3))))
    assert taken.counts == {}
    assert who(catalogue) == ["Anna", None]


def test_only_what_changed_there_is_said(catalogue: Catalogue, photo: Photo) -> None:
    take(catalogue, word(named("Anna"), named("Ben", RIGHT)))
    taken = take(catalogue, word(named("Cleo"), named("Ben", RIGHT)))
    assert taken.counts == {"confirmed": 1}
    assert who(catalogue) == ["Cleo", "Ben"]


def test_a_name_taken_away_there_is_taken_away_here_and_does_not_return(catalogue: Catalogue, photo: Photo) -> None:
    take(catalogue, word(named("Anna"), named("Ben", RIGHT)))
    taken = take(catalogue, word(unknown(), named("Ben", RIGHT)))
    assert taken.counts == {"rejected": 1}
    assert who(catalogue) == [None, "Ben"]
    anna = catalogue.read(people.called, "Anna").id
    assert catalogue.read(faces.rejected, on(catalogue)[0].id) == [anna]


def test_a_box_that_came_from_there_goes_when_it_is_removed_there(catalogue: Catalogue, photo: Photo) -> None:
    take(catalogue, word(named("Anna", CORNER)))
    taken = take(catalogue, word())
    assert taken.counts == {"forgotten": 1, "rejected": 1}
    assert who(catalogue) == [None, None]


def test_a_box_that_came_from_there_moves_as_it_is_moved_there(catalogue: Catalogue, photo: Photo) -> None:
    take(catalogue, word(named("Anna", CORNER)))
    moved = Box(0.12, 0.11, 0.1, 0.1)
    taken = take(catalogue, word(named("Anna", moved)))
    assert taken.counts == {"moved": 1}
    assert on(catalogue)[0].box == moved
    assert who(catalogue) == ["Anna", None, None]


def test_somebody_who_keeps_the_tag_when_the_region_goes_is_still_there(catalogue: Catalogue, photo: Photo) -> None:
    take(catalogue, word(named("Anna", CORNER)))
    take(catalogue, word(on=("Anna",)))
    assert who(catalogue) == [None, None]
    assert present(catalogue) == ["Anna"]


def test_people_without_a_face_come_and_go(catalogue: Catalogue, photo: Photo) -> None:
    assert take(catalogue, word(on=("Anna", "Ben"))).counts == {"present": 2}
    assert present(catalogue) == ["Anna", "Ben"]
    assert take(catalogue, word(on=("Ben",))).counts == {"absent": 1}
    assert present(catalogue) == ["Ben"]


def test_somebody_whom_a_face_shows_is_not_there_a_second_time(catalogue: Catalogue, photo: Photo) -> None:
    answer(catalogue, Answer.CONFIRMED, "Anna")
    assert take(catalogue, word(on=("Anna",))).counts == {}
    assert present(catalogue) == []


def test_a_newer_answer_here_stays_and_is_disputed(catalogue: Catalogue, photo: Photo) -> None:
    take(catalogue, word(named("Anna")))
    answer(catalogue, Answer.CONFIRMED, "Ben")
    taken = take(catalogue, word(named("Cleo")))
    assert taken.counts == {"disputed": 1}
    assert who(catalogue)[0] == "Ben"
    assert on(catalogue)[0].dispute is Dispute.OPEN
    assert take(catalogue, word(named("Cleo"))).counts == {"unchanged": 1}


def test_a_name_that_a_person_confirmed_again_here_is_not_taken_away_there(catalogue: Catalogue, photo: Photo) -> None:
    take(catalogue, word(named("Anna")))
    answer(catalogue, Answer.CONFIRMED, "Anna")
    assert take(catalogue, word(unknown())).counts == {"disputed": 1}
    assert who(catalogue)[0] == "Anna"


def test_an_answer_here_from_before_the_last_import_gives_way_to_news(catalogue: Catalogue, photo: Photo) -> None:
    answer(catalogue, Answer.CONFIRMED, "Ben")
    take(catalogue, word(unknown()))
    assert take(catalogue, word(named("Anna"))).counts == {"confirmed": 1}
    assert who(catalogue)[0] == "Anna"


def test_the_first_import_never_overrides_an_answer(catalogue: Catalogue, photo: Photo) -> None:
    answer(catalogue, Answer.CONFIRMED, "Ben")
    assert take(catalogue, word(named("Anna"))).counts == {"disputed": 1}
    assert who(catalogue)[0] == "Ben"


@pytest.mark.parametrize("kind", [Answer.IGNORED, Answer.NOT_A_FACE])
def test_a_face_put_away_here_stays_put_away(catalogue: Catalogue, photo: Photo, kind: Answer) -> None:
    answer(catalogue, kind)
    assert take(catalogue, word(named("Anna"))).counts == {"kept": 1}
    assert on(catalogue)[0].state.value == kind.value


def test_a_no_given_here_is_not_overridden(catalogue: Catalogue, photo: Photo) -> None:
    answer(catalogue, Answer.REJECTED, "Anna")
    assert take(catalogue, word(named("Anna"))).counts == {"kept": 1}
    assert who(catalogue)[0] is None


def test_somebody_taken_off_a_photo_here_stays_off(catalogue: Catalogue, photo: Photo) -> None:
    anna = catalogue.write(people.named, "Anna")
    catalogue.write(journal.say, [Decision(Answer.PRESENT, CONTENT, person=anna)], PERSON, "")
    catalogue.write(journal.say, [Decision(Answer.ABSENT, CONTENT, person=anna)], PERSON, "")
    assert take(catalogue, word(on=("Anna",))).counts == {"kept": 1}
    assert present(catalogue) == []


def test_ignored_faces_are_ignored_and_need_no_box_of_their_own(catalogue: Catalogue, photo: Photo) -> None:
    taken = take(catalogue, word(Face("ignored", LEFT), Face("ignored", CORNER)))
    assert taken.counts == {"ignored": 1}
    assert [f.state.value for f in on(catalogue)] == ["ignored", "unknown"]


def test_a_no_given_there_is_heard(catalogue: Catalogue, photo: Photo) -> None:
    catalogue.write(people.named, "Anna")
    assert take(catalogue, word(unknown(LEFT, "Anna", "Nobody Kith knows"))).counts == {"rejected": 1}
    anna = catalogue.read(people.called, "Anna").id
    assert catalogue.read(faces.rejected, on(catalogue)[0].id) == [anna]


def test_an_import_is_taken_back_as_one_and_can_be_made_again(catalogue: Catalogue, photo: Photo) -> None:
    said = word(named("Anna"), named("Ben", CORNER), on=("Cleo",))
    take(catalogue, said)
    undone = catalogue.write(journal.undo, None, PERSON)
    assert undone.source == "digikam"
    assert who(catalogue) == [None, None]
    assert present(catalogue) == []
    assert take(catalogue, said).counts == {"confirmed": 2, "drawn": 1, "present": 1}
    assert who(catalogue) == ["Ben", "Anna", None]


def test_taking_back_the_second_import_leaves_the_first(catalogue: Catalogue, photo: Photo) -> None:
    take(catalogue, word(named("Anna")))
    second = take(catalogue, word(named("Ben")))
    catalogue.write(journal.undo, second.act, PERSON)
    assert who(catalogue)[0] == "Anna"
    assert take(catalogue, word(named("Anna"))).counts == {"unchanged": 1}


def test_parts_of_one_import_are_one_entry(catalogue: Catalogue, photo: Photo) -> None:
    add(catalogue, b"/b.jpg", b"other")
    first = take(catalogue, word(named("Anna")))
    second = take(catalogue, word(named("Anna", RIGHT), path=b"/b.jpg"), act=first.act)
    assert first.act == second.act
    catalogue.write(journal.undo, None, PERSON)
    assert who(catalogue) == who(catalogue, b"/b.jpg") == [None, None]


def test_nothing_is_added_to_an_import_that_was_taken_back(catalogue: Catalogue, photo: Photo) -> None:
    first = take(catalogue, word(named("Anna")))
    catalogue.write(journal.undo, None, PERSON)
    with pytest.raises(BadRequest, match="taken back"):
        take(catalogue, word(named("Ben")), act=first.act)


def test_a_person_renamed_or_merged_here_stays_so(catalogue: Catalogue, photo: Photo) -> None:
    take(catalogue, word(named("Ann"), named("Ben", RIGHT)))
    ann, ben = (catalogue.read(people.called, name).id for name in ("Ann", "Ben"))
    catalogue.write(journal.rename, ann, "Anna Freud", PERSON, "rename")
    bruno = catalogue.write(people.named, "Bruno")
    catalogue.write(journal.merge, ben, bruno, PERSON, "merge")
    add(catalogue, b"/b.jpg", b"other")
    take(catalogue, word(named("Ann"), named("Ben", RIGHT)), word(named("Ann"), named("Ben", RIGHT), path=b"/b.jpg"))
    assert who(catalogue) == who(catalogue, b"/b.jpg") == ["Anna Freud", "Bruno"]


def test_copies_of_a_photo_say_it_once(catalogue: Catalogue, photo: Photo) -> None:
    add(catalogue, b"/copy.jpg")
    taken = take(catalogue, word(named("Anna", CORNER)), word(named("Anna", CORNER), path=b"/copy.jpg"))
    assert taken.counts == {"drawn": 1, "confirmed": 1}
    assert who(catalogue) == who(catalogue, b"/copy.jpg") == ["Anna", None, None]


def test_photos_that_are_unknown_or_not_analysed_are_left_for_later(catalogue: Catalogue, photo: Photo) -> None:
    catalogue.write(photos.record, [photos.FileState(b"/new.jpg", 5, 1, b"new")], lambda _: True)
    taken = take(catalogue, word(named("Anna"), path=b"/new.jpg"), word(named("Anna"), path=b"/nowhere.jpg"))
    assert (taken.act, taken.counts) == (None, {"waiting": 1, "unknown": 1})
    assert catalogue.read(imports.remembered, "digikam") == []


def test_the_photos_of_which_something_was_said_are_known(catalogue: Catalogue, photo: Photo) -> None:
    take(catalogue, word(named("Anna")))
    assert catalogue.read(imports.remembered, "digikam") == [PATH]
    assert catalogue.read(imports.remembered, "other") == []
    take(catalogue, word())
    assert catalogue.read(imports.remembered, "digikam") == []


def test_an_edited_photo_is_heard_anew(catalogue: Catalogue, photo: Photo) -> None:
    take(catalogue, word(named("Anna")))
    catalogue.write(photos.record, [photos.FileState(PATH, 1000, 2, b"edited")], lambda _: True)
    edited = catalogue.read(photos.by_path, PATH)
    assert edited is not None
    assert take(catalogue, word(named("Anna", RIGHT))).counts == {"waiting": 1}
    catalogue.write(faces.store, edited, analysis(face(RIGHT, vector(1)), face(LEFT, vector(2))), SAME)
    assert who(catalogue) == [None, "Anna"]
    assert take(catalogue, word(named("Anna", RIGHT))).counts == {}
    assert who(catalogue) == [None, "Anna"]


def test_vectors_of_confirmed_faces_are_exemplars(catalogue: Catalogue, photo: Photo) -> None:
    take(catalogue, word(named("Anna")))
    anna = catalogue.read(people.called, "Anna").id
    gallery = catalogue.read(faces.gallery, PACK)
    assert [evidence.person for evidence in gallery.faces] == [anna, None]
