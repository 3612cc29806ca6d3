"""Laws of importing from another program, whatever it and the people here say in which order."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from kith.catalogue import Catalogue, faces, imports, journal, open_catalogue, people, photos
from kith.catalogue.imports import Face, Word
from kith.types import PERSON, Answer, Box, Decision, Photo
from laws import tried
from made import SAME, analysis, face, vector

LEFT, RIGHT, CORNER = Box(0.25, 0.5, 0.2, 0.3), Box(0.75, 0.5, 0.2, 0.3), Box(0.1, 0.1, 0.1, 0.1)
NAMES = st.sampled_from(["Anna", "Ben", "Cleo"])
CONTENT, PATH = b"content", b"/a.jpg"

CONFIRMED = st.builds(lambda name: ("confirmed", name), NAMES)
STATES = st.one_of(CONFIRMED, CONFIRMED, st.sampled_from([("unknown", None), ("ignored", None)]))
PLACES = st.dictionaries(st.sampled_from([LEFT, RIGHT, CORNER]), STATES)
WORDS = st.builds(
    lambda places, on: Word(PATH, tuple(Face(state, box, name) for box, (state, name) in places.items()), on),
    PLACES,
    st.lists(NAMES, unique=True, max_size=2).map(sorted).map(tuple),
)
HERE = st.builds(
    lambda kind, box, name: (kind, box, name),
    st.sampled_from([Answer.CONFIRMED, Answer.REJECTED]),
    st.sampled_from([LEFT, RIGHT]),
    NAMES,
)
LAWS = tried(12, suppress_health_check=[HealthCheck.too_slow])


def fresh(folder: Path) -> Catalogue:
    catalogue = open_catalogue(folder / "catalogue.db")
    catalogue.write(photos.record, [photos.FileState(PATH, 1, 1, CONTENT)], lambda _: True)
    look(catalogue)
    return catalogue


def look(catalogue: Catalogue) -> None:
    """What an analysis finds: two faces by itself, and whatever it is told to look at."""
    photo = catalogue.read(photos.by_path, PATH)
    assert isinstance(photo, Photo)
    seen = [face(LEFT, vector(1)), face(RIGHT, vector(2))]
    drawn = [box for box in catalogue.read(faces.given, photo) if box not in (LEFT, RIGHT)]
    catalogue.write(faces.store, photo, analysis(*seen, *(face(box, vector(3)) for box in drawn)), SAME)


def take(catalogue: Catalogue, word: Word) -> imports.Taken:
    return catalogue.write(imports.take, "digikam", "import", [word])


def say(catalogue: Catalogue, kind: Answer, box: Box, name: str) -> None:
    person = catalogue.write(people.named, name)
    catalogue.write(journal.say, [Decision(kind, CONTENT, box, person)], PERSON, "")


QUERIES = (
    "SELECT x, y, w, h, answer, n.name, dispute, given FROM faces f LEFT JOIN people n ON n.id = f.person_id"
    " ORDER BY x, y",
    "SELECT f.x, n.name FROM rejections r JOIN people n ON n.id = r.person_id JOIN faces f ON f.id = r.face_id"
    " ORDER BY 1, 2",
    "SELECT name, dispute FROM presences JOIN people n ON n.id = person_id ORDER BY 1",
)


def seen(catalogue: Catalogue) -> list[tuple[object, ...]]:
    """All that follows from answers, by names."""
    return catalogue.read(lambda db: [row for query in QUERIES for row in db.execute(query).fetchall()])


@LAWS
@given(WORDS, st.booleans())
def test_without_other_answers_what_is_there_is_here_after_one_import(word: Word, looked: bool) -> None:
    with TemporaryDirectory() as folder:
        catalogue = fresh(Path(folder))
        take(catalogue, word)
        if looked:
            look(catalogue)
        names = Counter(row[5] for row in seen(catalogue)[: 2 + _drawn(word)] if row[4] == "confirmed")
        assert names == Counter(told.name for told in word.faces if told.state == "confirmed")
        catalogue.close()


def _drawn(word: Word) -> int:
    return sum(told.box == CORNER and told.state == "confirmed" for told in word.faces)


@LAWS
@given(st.lists(st.one_of(WORDS, HERE), max_size=3), WORDS)
def test_a_second_import_of_the_same_changes_nothing(history: list[object], word: Word) -> None:
    with TemporaryDirectory() as folder:
        catalogue = fresh(Path(folder))
        _live(catalogue, history)
        take(catalogue, word)
        assert take(catalogue, word).counts == {"unchanged": 1}
        look(catalogue)
        before = seen(catalogue)
        assert take(catalogue, word).counts == {"unchanged": 1}
        look(catalogue)
        assert seen(catalogue) == before
        catalogue.close()


@LAWS
@given(st.lists(st.one_of(WORDS, HERE), max_size=3), WORDS)
def test_taking_an_import_back_leaves_no_trace(history: list[object], word: Word) -> None:
    with TemporaryDirectory() as folder:
        catalogue = fresh(Path(folder))
        _live(catalogue, history)
        look(catalogue)
        before = seen(catalogue)
        act = take(catalogue, word).act
        if act is not None:
            catalogue.write(journal.undo, act, PERSON)
        look(catalogue)
        assert seen(catalogue) == before
        catalogue.close()


@LAWS
@given(st.lists(st.one_of(WORDS, HERE), max_size=3), HERE, WORDS)
def test_an_answer_given_after_the_last_import_stands_after_the_next(
    history: list[object], answer: tuple[Answer, Box, str], word: Word
) -> None:
    with TemporaryDirectory() as folder:
        catalogue = fresh(Path(folder))
        _live(catalogue, history)
        say(catalogue, *answer)
        kind, box, name = answer
        take(catalogue, word)
        who = next((row[5] for row in seen(catalogue) if row[:4] == (box.x, box.y, box.w, box.h)), None)
        assert (who == name) if kind is Answer.CONFIRMED else (who != name)
        catalogue.close()


@LAWS
@given(st.lists(WORDS.map(lambda word: replace(word, people=())), min_size=1, max_size=3))
def test_with_nobody_else_the_last_word_holds(words: list[Word]) -> None:
    """Names of faces follow the other program through any changes, as if only its last word had been said."""
    with TemporaryDirectory() as folder:
        number = count()
        ends = []
        for told in (words, words[-1:]):
            place = Path(folder) / str(next(number))
            place.mkdir()
            catalogue = fresh(place)
            for word in told:
                take(catalogue, word)
                look(catalogue)
            ends.append([row[:6] for row in seen(catalogue) if len(row) == 8 and row[4] == "confirmed"])
            catalogue.close()
        assert ends[0] == ends[1]


def _live(catalogue: Catalogue, history: list[object]) -> None:
    for event in history:
        if isinstance(event, Word):
            take(catalogue, event)
            look(catalogue)
        else:
            say(catalogue, *event)  # type: ignore[misc]
