"""What follows from the journal: the rows of faces and people say what stands, and sidecars have to follow.

Nothing here decides anything. Each function brings rows into line with what `standing` folds from the decisions that
hold, so that giving an answer and taking it back are the same work.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlite_utils import Database

from kith.catalogue import divisions, people
from kith.catalogue.standing import Place, Standing, fold, nearest
from kith.types import Answer, Box, Decision, FaceId, PersonId

COLUMNS = "kind, content_key, x, y, w, h, person_id, other_id, detail"
OF_PEOPLE = (
    *(Answer.RENAMED, Answer.MERGED, Answer.APART, Answer.BORN),
    *(Answer.HIDDEN, Answer.SHOWN, Answer.FEATURED),
)
OF_NAMES = (Answer.RENAMED, Answer.MERGED)


def after(db: Database, decisions: Sequence[Decision], *, live: bool = True) -> None:
    """Let everything follow that these decisions, or where they are not `live` the end of them, can have changed."""
    for told in decisions:
        if told.kind is Answer.MOVED:
            _shift(db, told, live=live)
    contents = {decision.content for decision in decisions if decision.content is not None}
    divisions.touch(db, contents)
    for person in {d.person for d in decisions if d.person is not None and d.kind in OF_PEOPLE}:
        if people.settle(db, person):
            contents |= _contents_of(db, person)
    for person in {d.person for d in decisions if d.person is not None and d.kind in OF_NAMES}:
        _touch_all_of(db, person)
    for content in sorted(contents):
        of_content(db, content)


def of_content(db: Database, content: bytes) -> None:
    """Let the rows of all copies of a photo say what stands for its content."""
    standing = standing_of(db, content)
    photos = db.execute(
        "SELECT id FROM photos WHERE content_key = ?1 UNION SELECT photo_id FROM faces WHERE found_in = ?1", [content]
    ).fetchall()
    for (photo,) in photos:
        if _settle_faces(db, photo, content, standing.places):
            _touch(db, photo)
    for (person,) in db.execute(
        f"SELECT DISTINCT person_id FROM standing WHERE kind = '{Answer.FEATURED}' AND content_key = ?", [content]
    ).fetchall():
        people.settle(db, person)
    if _settle_presences(db, content, standing):
        db.execute("UPDATE photos SET tags_rev = tags_rev + 1 WHERE content_key = ?", [content])


def standing_of(db: Database, content: bytes) -> Standing:
    """What stands for a photo's content."""
    return fold([decision for _, decision in told(db, content)])


def told(db: Database, content: bytes) -> list[tuple[int, Decision]]:
    """The decisions that hold for a photo's content, merges of people among them, each with the number of its act."""
    # two selections, since with OR between them SQLite reads all decisions there are
    rows = db.execute(
        f"SELECT id, act_id, {COLUMNS} FROM standing WHERE content_key = ?"
        f" UNION ALL SELECT id, act_id, {COLUMNS} FROM standing WHERE kind = '{Answer.MERGED}' ORDER BY id",
        [content],
    ).fetchall()
    return [(act, said) for _, act, *row in rows if (said := decision(row)).kind is not Answer.FEATURED]


def _shift(db: Database, moved: Decision, *, live: bool) -> None:
    """Take the rows of a moved face along, so that they stay the same face."""
    box, to = (moved.box, moved.to) if live else (moved.to, moved.box)
    rows = db.execute("SELECT id, x, y, w, h FROM faces WHERE found_in = ?", [moved.content]).fetchall()
    for face, *sides in rows:
        if box and to and nearest(Box(*sides), [box]) is not None:
            db.execute("UPDATE faces SET x = ?, y = ?, w = ?, h = ? WHERE id = ?", [to.x, to.y, to.w, to.h, face])


def _contents_of(db: Database, person: PersonId) -> set[bytes]:
    """The photos of which anything was ever said about a person, or about somebody merged into them."""
    rows = db.execute(
        "WITH RECURSIVE same (id) AS (SELECT ? UNION SELECT p.id FROM people p JOIN same s ON p.merged_into = s.id)"
        " SELECT DISTINCT content_key FROM decisions WHERE content_key IS NOT NULL"
        " AND person_id IN (SELECT id FROM same)",
        [person],
    )
    return {content for (content,) in rows}


def _settle_faces(db: Database, photo: int, content: bytes, places: Sequence[Place]) -> bool:
    """Let the faces of one photo say what stands; tells whether its sidecar has to follow."""
    rows = db.execute(
        "SELECT id, x, y, w, h, given, score, answer, person_id, dispute FROM faces"
        " WHERE photo_id = ? AND found_in = ? ORDER BY id",
        [photo, content],
    ).fetchall()
    boxes = [place.box for place in places]
    claimed, changed = set(), False
    for face, *box, given, score, answer, person, dispute in rows:
        at = nearest(Box(*box), boxes)
        place = Place(Box(*box)) if at is None else places[at]
        if given and not place.drawn:
            changed = True
            if _was_only_drawn(db, photo, face, answered=place.answer is not None, score=score):
                continue
        claimed.add(at)
        _settle_rejections(db, face, place)
        _settle_parts(db, face, place)
        if place.drawn and (not given or place.box != Box(*box)):
            _put(db, photo, face, place.box)
            changed = True
        if (answer, person, dispute) != (place.answer, place.person, place.dispute):
            db.execute(
                "UPDATE faces SET answer = ?, person_id = ?, dispute = ? WHERE id = ?",
                [place.answer, place.person, place.dispute, face],
            )
            changed = True
    for at, place in enumerate(places):
        if place.drawn and at not in claimed:
            _draw(db, photo, content, place)
            changed = True
    return changed


def _settle_rejections(db: Database, face: int, place: Place) -> None:
    db.execute("DELETE FROM rejections WHERE face_id = ?", [face])
    for person in sorted(place.rejected):
        db.execute("INSERT INTO rejections (face_id, person_id) VALUES (?, ?)", [face, person])
        forgotten = db.execute(
            "UPDATE faces SET suggested_id = NULL, probability_classifier = NULL, probability_group = NULL,"
            " auto = 0, because = NULL WHERE id = ? AND suggested_id = ?",
            [face, person],
        )
        if forgotten.rowcount:
            touch(db, FaceId(face))


def _settle_parts(db: Database, face: int, place: Place) -> None:
    rows = db.execute("SELECT division, part FROM parts WHERE face_id = ?", [face]).fetchall()
    for division, part in sorted(set(rows) - place.parts):
        db.execute("DELETE FROM parts WHERE (face_id, division, part) = (?, ?, ?)", [face, division, part])
    for division, part in sorted(place.parts - set(rows)):
        db.execute("INSERT INTO parts (face_id, division, part) VALUES (?, ?, ?)", [face, division, part])


def _settle_presences(db: Database, content: bytes, standing: Standing) -> bool:
    before = dict(db.execute("SELECT person_id, dispute FROM presences WHERE content_key = ?", [content]).fetchall())
    after = standing.without_face
    if before == after:
        return False
    db.execute("DELETE FROM presences WHERE content_key = ?", [content])
    for person, dispute in after.items():
        db.execute(
            "INSERT INTO presences (content_key, person_id, dispute) VALUES (?, ?, ?)", [content, person, dispute]
        )
    return True


# -- boxes that were drawn ----------------------------------------------------------------------------------------


def _draw(db: Database, photo: int, content: bytes, place: Place) -> None:
    """A face that nobody detected; the next analysis embeds it."""
    box = place.box
    face = db.execute(
        "INSERT INTO faces (photo_id, x, y, w, h, landmarks, score, quality, found_in, given, answer, person_id,"
        " dispute) VALUES (?, ?, ?, ?, ?, x'', 0, 0, ?, 1, ?, ?, ?) RETURNING id",
        [photo, box.x, box.y, box.w, box.h, content, place.answer, place.person, place.dispute],
    ).fetchone()[0]
    _settle_rejections(db, face, place)
    _settle_parts(db, face, place)
    _analyse(db, photo)


def _put(db: Database, photo: int, face: int, box: Box) -> None:
    db.execute(
        "UPDATE faces SET x = ?, y = ?, w = ?, h = ?, given = 1 WHERE id = ?", [box.x, box.y, box.w, box.h, face]
    )
    _analyse(db, photo)


def _was_only_drawn(db: Database, photo: int, face: int, *, answered: bool, score: float) -> bool:
    """The box of a face was drawn or moved, and that was taken back: where it was detected it is looked for again."""
    if answered or score:
        db.execute("UPDATE faces SET given = 0 WHERE id = ?", [face])
        _analyse(db, photo)
        return False
    db.execute("DELETE FROM faces WHERE id = ?", [face])
    return True


def _analyse(db: Database, photo: int) -> None:
    db.execute("UPDATE photos SET analysed_rev = 0 WHERE id = ?", [photo])


# -- sidecars follow ----------------------------------------------------------------------------------------------


def touch(db: Database, face: FaceId) -> None:
    """The names on the photo of this face may have changed: its sidecar has to follow."""
    db.execute(
        "UPDATE photos SET tags_rev = tags_rev + 1 WHERE id = (SELECT photo_id FROM faces WHERE id = ?)",
        [face],
    )


def _touch(db: Database, photo: int) -> None:
    db.execute("UPDATE photos SET tags_rev = tags_rev + 1 WHERE id = ?", [photo])


def _touch_all_of(db: Database, person: PersonId) -> None:
    db.execute(
        "UPDATE photos SET tags_rev = tags_rev + 1 WHERE"
        " id IN (SELECT photo_id FROM faces WHERE person_id = ?1 OR (suggested_id = ?1 AND auto))"
        " OR content_key IN (SELECT content_key FROM presences WHERE person_id = ?1)",
        [person],
    )


def decision(row: Sequence[Any]) -> Decision:
    kind, content, x, y, w, h, person, other, detail = row
    said = Decision(
        Answer(kind),
        content,
        None if x is None else Box(x, y, w, h),
        None if person is None else PersonId(person),
        None if other is None else PersonId(other),
    )
    match said.kind:
        case Answer.MOVED:
            return replace(said, to=Box(*json.loads(detail)))
        case Answer.PART:
            division, part = json.loads(detail)
            return replace(said, part=(division, part))
    return replace(said, text=detail)
