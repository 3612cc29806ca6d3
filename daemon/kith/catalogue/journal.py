"""Answers: an append-only journal, and what follows from it for the faces there are.

A decision names a face by photo content and box. It holds for every copy of the photo, and for every face row that
is ever made at that place, so that no rescan asks again.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from sqlite_utils import Database

from kith.catalogue import people
from kith.geometry import SAME_FACE, overlap
from kith.types import Answer, Box, FaceId, PersonId


def name(db: Database, faces: Sequence[FaceId], called: str, source: str) -> tuple[PersonId, int]:
    """Say that faces are the person called so, new if need be; gives the person and how many faces that named.

    Among several faces, those of which it was said that they are not this person are left out.
    """
    person = people.named(db, called)
    chosen = [face for face in faces if len(faces) == 1 or not _is_rejected(db, face, person)]
    answer(db, ((face, person) for face in chosen), Answer.CONFIRMED, source)
    return person, len(chosen)


def deny(db: Database, face: FaceId, called: str, source: str) -> None:
    """Say that a face is not the person called so."""
    answer(db, [(face, people.named(db, called))], Answer.REJECTED, source)


def answer(db: Database, faces: Iterable[tuple[FaceId, PersonId | None]], kind: Answer, source: str) -> None:
    """Write down what was said of some faces, and let it hold for them and for the copies of their photos."""
    for face, person in faces:
        content, *box = db.execute(
            "SELECT p.content_key, f.x, f.y, f.w, f.h FROM faces f JOIN photos p ON p.id = f.photo_id WHERE f.id = ?",
            [face],
        ).fetchone()
        append(db, source, kind, content, Box(*box), person)
        for same in _at(db, content, Box(*box)):
            _apply(db, same, kind, person)


def append(db: Database, source: str, kind: Answer, content: bytes, box: Box, person: PersonId | None) -> None:
    """One more line in the journal."""
    db.execute(
        "INSERT INTO decisions (at, source, kind, content_key, x, y, w, h, person_id)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [time.time(), source, kind, content, box.x, box.y, box.w, box.h, person],
    )


def replay(db: Database, face: FaceId, content: bytes, box: Box) -> None:
    """Let everything hold for a new face row that was ever said of its place, in the order it was said."""
    rows = db.execute(
        "SELECT kind, person_id, x, y, w, h FROM decisions WHERE content_key = ? ORDER BY id", [content]
    ).fetchall()
    for kind, person, *place in rows:
        if overlap([Box(*place)], [box])[0, 0] >= SAME_FACE:
            _apply(db, face, Answer(kind), None if person is None else PersonId(person))


def touch(db: Database, face: FaceId) -> None:
    """The names on the photo of this face may have changed: its sidecar has to follow."""
    db.execute(
        "UPDATE photos SET tags_rev = tags_rev + 1 WHERE id = (SELECT photo_id FROM faces WHERE id = ?)",
        [face],
    )


def _is_rejected(db: Database, face: FaceId, person: PersonId) -> bool:
    row = db.execute("SELECT 1 FROM rejections WHERE face_id = ? AND person_id = ?", [face, person]).fetchone()
    return row is not None


def _at(db: Database, content: bytes, box: Box) -> list[FaceId]:
    rows = db.execute(
        "SELECT f.id, f.x, f.y, f.w, f.h FROM faces f JOIN photos p ON p.id = f.photo_id WHERE p.content_key = ?",
        [content],
    ).fetchall()
    return [FaceId(face) for face, *place in rows if overlap([Box(*place)], [box])[0, 0] >= SAME_FACE]


def _apply(db: Database, face: FaceId, kind: Answer, person: PersonId | None) -> None:
    match kind:
        case Answer.CONFIRMED:
            db.execute("DELETE FROM rejections WHERE face_id = ? AND person_id = ?", [face, person])
            _set(db, face, kind, person)
        case Answer.REJECTED:
            db.execute("INSERT OR IGNORE INTO rejections (face_id, person_id) VALUES (?, ?)", [face, person])
            db.execute(
                "UPDATE faces SET answer = NULL, person_id = NULL WHERE id = ? AND person_id = ?",
                [face, person],
            )
            db.execute(
                "UPDATE faces SET suggested_id = NULL, probability_classifier = NULL, probability_group = NULL,"
                " auto = 0, because = NULL WHERE id = ? AND suggested_id = ?",
                [face, person],
            )
        case Answer.IGNORED | Answer.NOT_A_FACE:
            _set(db, face, kind, None)
    touch(db, face)


def _set(db: Database, face: FaceId, kind: Answer, person: PersonId | None) -> None:
    db.execute("UPDATE faces SET answer = ?, person_id = ? WHERE id = ?", [kind, person, face])
