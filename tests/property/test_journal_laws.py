"""Laws of the journal: taking an act back leaves the catalogue as if it had never been said, whatever came between."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, assume, given
from hypothesis import strategies as st

from kith.catalogue import Catalogue, faces, journal, open_catalogue, people, photos
from kith.errors import BadRequest
from kith.types import Answer, Box, Decision, FaceId, Photo
from laws import tried
from made import SAME, analysis, face, vector

LEFT, RIGHT, CORNER = Box(0.25, 0.5, 0.2, 0.3), Box(0.75, 0.5, 0.2, 0.3), Box(0.1, 0.1, 0.1, 0.1)
PLACES = st.sampled_from([LEFT, RIGHT])
NAMES = st.sampled_from(["Anna", "Ben", "Cleo"])
CONTENTS = st.sampled_from([b"one", b"two"])
Said = Callable[[Catalogue], object]


def person(catalogue: Catalogue, name: str) -> object:
    return catalogue.write(people.named, name)


def say(kind: Answer, content: bytes, box: Box | None, name: str | None) -> Said:
    def run(catalogue: Catalogue) -> object:
        who = None if name is None else catalogue.write(people.named, name)
        return catalogue.write(journal.say, [Decision(kind, content, box, who)], "person", str(kind))

    return run


def merge(gone: str, kept: str) -> Said:
    def run(catalogue: Catalogue) -> None:
        one, other = catalogue.write(people.named, gone), catalogue.write(people.named, kept)
        catalogue.write(journal.merge, one, other, "person", "merge")

    return run


def divide(content: bytes) -> Said:
    """The face to the left on one photo is somebody else than those to the right on both."""

    def at(db: faces.Database, x: float) -> list[tuple[bytes, FaceId]]:
        return db.execute("SELECT found_in, id FROM faces WHERE x = ? ORDER BY id", [x]).fetchall()

    def run(catalogue: Catalogue) -> None:
        one = [face for found_in, face in catalogue.read(at, LEFT.x) if found_in == content]
        catalogue.write(journal.divide, one, [face for _, face in catalogue.read(at, RIGHT.x)], "person", "apart")

    return run


def rename(before: str, after: str) -> Said:
    return lambda catalogue: catalogue.write(
        journal.rename, catalogue.write(people.named, before), after, "person", "rename"
    )


ANSWERS = st.one_of(
    st.builds(say, st.sampled_from([Answer.CONFIRMED, Answer.REJECTED, Answer.DISPUTED]), CONTENTS, PLACES, NAMES),
    st.builds(say, st.sampled_from([Answer.IGNORED, Answer.NOT_A_FACE]), CONTENTS, PLACES, st.none()),
    st.builds(say, st.just(Answer.DRAWN), CONTENTS, st.just(CORNER), st.none()),
    st.builds(say, st.sampled_from([Answer.PRESENT, Answer.ABSENT]), CONTENTS, st.none(), NAMES),
    st.builds(merge, NAMES, NAMES),
    st.builds(divide, CONTENTS),
    st.builds(rename, NAMES, st.sampled_from(["Dora", "Emil"])),
)


def fresh(folder: Path, number: int) -> Catalogue:
    catalogue = open_catalogue(folder / f"{number}.db")
    for content in (b"one", b"two"):
        catalogue.write(photos.record, [photos.FileState(b"/" + content, 1, 1, content)], lambda _: True)
        photo = catalogue.read(photos.by_path, b"/" + content)
        assert isinstance(photo, Photo)
        catalogue.write(faces.store, photo, analysis(face(LEFT, vector(1)), face(RIGHT, vector(2))), SAME)
    return catalogue


def seen(catalogue: Catalogue) -> object:
    """All that follows from answers, by names."""

    def rows(db: faces.Database, query: str) -> list[str]:
        return sorted(map(repr, db.execute(query).fetchall()))

    return [
        catalogue.read(rows, query)
        for query in (
            "SELECT photo_id, x, y, w, h, given, answer, n.name, dispute FROM faces f"
            " LEFT JOIN people n ON n.id = f.person_id",
            "SELECT f.photo_id, f.x, n.name FROM rejections r JOIN faces f ON f.id = face_id"
            " JOIN people n ON n.id = r.person_id",
            "SELECT content_key, n.name, dispute FROM presences JOIN people n ON n.id = person_id",
            "SELECT f.photo_id, f.x, part, count(*) FROM parts JOIN faces f ON f.id = face_id GROUP BY 1, 2, 3",
        )
    ]


def told(catalogue: Catalogue, answer: Said) -> bool:
    with contextlib.suppress(BadRequest):
        answer(catalogue)
        return True
    return False


def is_each_name_one_person(catalogue: Catalogue) -> bool:
    """Not so where somebody got the name of a person who had been merged or renamed."""
    born_as = catalogue.read(lambda db: [name for (name,) in db.execute("SELECT born_as FROM people")])
    return len(born_as) == len(set(born_as))


@given(st.lists(ANSWERS, min_size=1, max_size=8), st.data())
@tried(60, suppress_health_check=[HealthCheck.too_slow])
def test_what_is_taken_back_was_never_said(answers: list[Said], data: st.DataObject) -> None:
    number = count()
    with TemporaryDirectory() as folder:
        catalogue = fresh(Path(folder), next(number))
        said = [answer for answer in answers if told(catalogue, answer)]
        assume(is_each_name_one_person(catalogue))  # answers are told again by name
        acts = [act.id for act in reversed(catalogue.read(journal.history, 100))]
        assert len(acts) == len(said)
        whole = seen(catalogue)
        gone = [data.draw(st.booleans()) for _ in acts]
        taken_back = []
        for act, away in zip(acts, gone, strict=True):
            if away and told(catalogue, lambda c, a=act: c.write(journal.undo, a, "person")):
                taken_back.append(act)
        expected = fresh(Path(folder), next(number))
        kept = [answer for act, answer in zip(acts, said, strict=True) if act not in taken_back]
        if all(told(expected, answer) for answer in kept):
            assert seen(catalogue) == seen(expected)
        undoings = [act for act in catalogue.read(journal.history, 200) if act.undoes is not None]
        for undoing in undoings:
            catalogue.write(journal.undo, undoing.id, "person")
        assert seen(catalogue) == whole
        catalogue.close()
        expected.close()
