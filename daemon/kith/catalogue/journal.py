"""Answers: an append-only journal of acts, and what follows from it for the rows there are.

An act holds one or more decisions. A decision names a face by photo content and box: it holds for every copy of the
photo, and for every face row that is ever made at that place, so that no rescan asks again. Undoing an act is another
act; what stands is always folded anew from the decisions that hold (`standing`), so nothing has to be reversed.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from sqlite_utils import Database

from kith.catalogue import divisions, people, settle
from kith.catalogue.standing import fold, nearest
from kith.errors import BadRequest, NotFound
from kith.types import PERSON, SIDECAR, Act, Answer, Box, Decision, FaceId, PersonId, Photo

DISMISSED = (Answer.NOT_A_FACE, Answer.IGNORED)
ACTS = (
    "SELECT a.id, a.at, a.source, a.words, a.undoes, a.live, count(d.id) FROM acts a"
    " LEFT JOIN decisions d ON d.act_id = coalesce(a.undoes, a.id)"
)


# -- saying something ---------------------------------------------------------------------------------------------


def say(db: Database, decisions: Iterable[Decision], source: str, words: str) -> int:
    """Write down what was said, all of it as one act, and let it hold; gives the number of the act."""
    number = _act(db, source, words)
    _tell(db, number, decisions)
    return number


def begin(db: Database, source: str, words: str) -> int:
    """Begin an act that is said in several parts; gives its number."""
    return _act(db, source, words)


def go_on(db: Database, number: int, decisions: Iterable[Decision]) -> None:
    """Say more in an act that was begun. Raises BadRequest where it was taken back meanwhile."""
    row = db.execute("SELECT live FROM acts WHERE id = ?", [number]).fetchone()
    if row is None or not row[0]:
        raise BadRequest(f"Entry {number} was taken back while it was still being said; nothing more was added to it.")
    _tell(db, number, decisions)


def _tell(db: Database, number: int, decisions: Iterable[Decision]) -> None:
    told = list(decisions)
    for decision in told:
        _append(db, number, decision)
    settle.after(db, told)


def about(db: Database, face: FaceId, kind: Answer, person: PersonId | None = None) -> Decision:
    """An answer to a face where it is now."""
    content, *box = db.execute("SELECT found_in, x, y, w, h FROM faces WHERE id = ?", [face]).fetchone()
    return Decision(kind, content, Box(*box), person)


def answer(
    db: Database, faces: Iterable[tuple[FaceId, PersonId | None]], kind: Answer, source: str, words: str = ""
) -> int:
    """Say the same of some faces, each about one person or none."""
    return say(db, [about(db, face, kind, person) for face, person in faces], source, words)


def name(db: Database, faces: Sequence[FaceId], called: str, source: str, words: str = "") -> tuple[PersonId, int]:
    """Say that faces are the person called so, new if need be; gives the person and how many faces that named.

    Among several faces, those of which it was said that they are not this person are left out; and those that can't be,
    since others are who were said to be somebody else, unless that are all.
    """
    person = people.named(db, called)
    possible = [face for face in faces if len(faces) == 1 or not _is_rejected(db, face, person)]
    ruled_out = divisions.divided(db, faces).ruled_out
    chosen = [face for face in possible if person not in ruled_out.get(face, ())] or possible
    answer(db, ((face, person) for face in chosen), Answer.CONFIRMED, source, words)
    return person, len(chosen)


def divide(db: Database, one: Iterable[FaceId], other: Iterable[FaceId], source: str, words: str) -> None:
    """Say that some faces are somebody else than others, whoever they are. The same face on copies of a photo is in the
    part in which it comes last."""
    act = _act(db, source, words)
    told: dict[tuple[bytes | None, Box | None], Decision] = {}
    for number, part in enumerate((one, other), 1):
        for face in part:
            said = about(db, face, Answer.PART)
            told[said.content, said.box] = replace(said, part=(act, number))
    _tell(db, act, told.values())


def draw(db: Database, content: bytes, box: Box, called: str | None, source: str, words: str) -> None:
    """Say that there is a face in a box, whatever was said of that place, and whose it is if that is known."""
    told = [
        Decision(Answer.RESTORED, content, place.box)
        for place in settle.standing_of(db, content).places
        if place.answer in DISMISSED and _is_at(place.box, box)
    ]
    told.append(Decision(Answer.DRAWN, content, box))
    if called is not None:
        told.append(Decision(Answer.CONFIRMED, content, box, people.named(db, called)))
    say(db, told, source, words)


def restore(db: Database, photos: Sequence[Photo], source: str, words: str) -> int:
    """Bring back everything on some photos that was said to be no face; gives how many places."""
    told = [
        Decision(Answer.RESTORED, photo.content_key, place.box)
        for photo in photos
        for place in settle.standing_of(db, photo.content_key).places
        if place.answer is Answer.NOT_A_FACE
    ]
    say(db, told, source, words)
    return len(told)


def absent(db: Database, photos: Sequence[Photo], person: PersonId, source: str, words: str) -> int:
    """Say that somebody is on none of some photos: no face there is theirs, nor are they there without one. Gives how
    much of that was new."""
    told = []
    for photo in photos:
        theirs = db.execute(
            "SELECT id FROM faces WHERE photo_id = ?1"
            " AND (person_id = ?2 OR (answer IS NULL AND suggested_id = ?2)) ORDER BY id",
            [photo.id, person],
        ).fetchall()
        told += [about(db, FaceId(face), Answer.REJECTED, person) for (face,) in theirs]
        if person in settle.standing_of(db, photo.content_key).present:
            told.append(Decision(Answer.ABSENT, photo.content_key, person=person))
    if told:
        say(db, told, source, words)
    return len(told)


def forget(db: Database, photos: Sequence[Photo], source: str, words: str) -> int:
    """Let nothing hold any more that was ever said about some photos; gives how many places and people."""
    told = []
    for photo in photos:
        standing = settle.standing_of(db, photo.content_key)
        told += [Decision(Answer.FORGOTTEN, photo.content_key, place.box) for place in standing.places]
        told += [Decision(Answer.ABSENT, photo.content_key, person=person) for person in standing.present]
    say(db, told, source, words)
    return len(told)


def of_face(db: Database, content: bytes, box: Box) -> list[Act]:
    """What was ever said about a face, newest first."""
    acts: dict[int, list[Box]] = {}
    for act, *sides in db.execute(
        "SELECT act_id, x, y, w, h FROM decisions WHERE content_key = ? AND x IS NOT NULL", [content]
    ).fetchall():
        acts.setdefault(act, []).append(Box(*sides))
    return [_get(db, act) for act in sorted(acts, reverse=True) if nearest(box, acts[act]) is not None]


def said_again(db: Database, faces: Iterable[FaceId]) -> frozenset[FaceId]:
    """Those of some confirmed faces to which a person here gave the name once more that they had already.

    What was imported and what was said at once, of all copies of a photo too, counts once.
    """
    return frozenset(face for face in faces if _is_said_again(db, face))


def _is_said_again(db: Database, face: FaceId) -> bool:
    now = about(db, face, Answer.CONFIRMED)
    told = [] if now.content is None else settle.told(db, now.content)
    names = [act for act, said in told if said.kind is Answer.CONFIRMED and _is_at(said.box, now.box)]
    if len(set(names)) < 2 or _source(db, names[-1]) != PERSON:
        return False
    before = fold([said for act, said in told if act < names[-1] or said.kind is Answer.MERGED])
    (person,) = db.execute("SELECT person_id FROM faces WHERE id = ?", [face]).fetchone()
    return person in [place.person for place in before.places if place.person and _is_at(place.box, now.box)]


def _source(db: Database, act: int) -> str:
    return str(db.execute("SELECT source FROM acts WHERE id = ?", [act]).fetchone()[0])


def _is_at(box: Box | None, place: Box | None) -> bool:
    return box is not None and place is not None and nearest(place, [box]) is not None


def merge(db: Database, gone: PersonId, kept: PersonId, source: str, words: str) -> None:
    """Say that two people are one, who keeps the second's name."""
    if gone == kept:
        raise BadRequest("That is one person already.")
    say(db, [Decision(Answer.MERGED, person=gone, other=kept)], source, words)


def rename(db: Database, person: PersonId, called: str, source: str, words: str) -> None:
    """Say what a person is really called. Raises BadRequest where somebody else is called so."""
    other = people.find(db, called)
    if other is not None and other != person:
        name = people.clean(called)
        raise BadRequest(f"There is another {name} already. If they are the same person, use `kith merge`.", name)
    say(db, [Decision(Answer.RENAMED, person=person, text=people.clean(called))], source, words)


def _act(db: Database, source: str, words: str, undoes: int | None = None) -> int:
    row = db.execute(
        "INSERT INTO acts (at, source, words, undoes) VALUES (?, ?, ?, ?) RETURNING id",
        [time.time(), source, words, undoes],
    ).fetchone()
    return int(row[0])


def _append(db: Database, act: int, decision: Decision) -> None:
    box, to = decision.box, decision.to
    detail = decision.text
    if to is not None:
        detail = json.dumps([to.x, to.y, to.w, to.h])
    elif decision.part is not None:
        detail = json.dumps(decision.part)
    person = decision.person if decision.kind in settle.OF_PEOPLE else people.resolve(db, decision.person)
    place = [box.x, box.y, box.w, box.h] if box else [None] * 4
    db.execute(
        f"INSERT INTO decisions (act_id, {settle.COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [act, decision.kind, decision.content, *place, person, decision.other, detail],
    )


def _is_rejected(db: Database, face: FaceId, person: PersonId) -> bool:
    row = db.execute("SELECT 1 FROM rejections WHERE face_id = ? AND person_id = ?", [face, person]).fetchone()
    return row is not None


# -- taking it back -----------------------------------------------------------------------------------------------


def undo(db: Database, number: int | None, source: str) -> Act:
    """Take back an act, or the last one that a person made, imports included; undoing an undo brings the act back.

    Gives the act that was taken back. Raises NotFound where there is no such act, and BadRequest where it is taken
    back already or can't be.
    """
    act = _last(db) if number is None else _get(db, number)
    if not act.live:
        raise BadRequest(f"{act.id} is taken back already; `kith history` shows by which entry.")
    _act(db, source, f"take back {act.id}", undoes=act.id)
    _flip(db, act, live=False)
    return act


def history(db: Database, limit: int, before: int | None = None) -> list[Act]:
    """The last acts, newest first; or the last before one of them."""
    rows = db.execute(
        f"{ACTS} WHERE ?1 IS NULL OR a.id < ?1 GROUP BY a.id ORDER BY a.id DESC LIMIT ?2", [before, limit]
    )
    return [_as_act(row) for row in rows]


def merges_and_not(db: Database) -> tuple[int, int]:
    """How many pairs of people a person said are one, and how many are two."""
    counts = dict(
        db.execute("SELECT kind, count(*) FROM standing WHERE kind IN ('merged', 'apart') GROUP BY kind").fetchall()
    )
    return counts.get(Answer.MERGED, 0), counts.get(Answer.APART, 0)


def _flip(db: Database, act: Act, *, live: bool) -> None:
    db.execute("UPDATE acts SET live = ? WHERE id = ?", [live, act.id])
    if act.undoes is not None:
        _flip(db, _get(db, act.undoes), live=not live)
        return
    rows = db.execute(f"SELECT {settle.COLUMNS} FROM decisions WHERE act_id = ? ORDER BY id", [act.id]).fetchall()
    settle.after(db, [settle.decision(row) for row in rows], live=live)


def _last(db: Database) -> Act:
    row = db.execute(
        f"{ACTS} WHERE a.live AND a.source != ? AND a.undoes IS NULL"
        " GROUP BY a.id HAVING count(d.id) > 0 ORDER BY a.id DESC LIMIT 1",
        [SIDECAR],
    ).fetchone()
    if row is None:
        raise NotFound("There is nothing to take back.")
    return _as_act(row)


def _get(db: Database, number: int) -> Act:
    row = db.execute(f"{ACTS} WHERE a.id = ? GROUP BY a.id", [number]).fetchone()
    if row is None:
        raise NotFound(f"There is no entry {number}; `kith history` lists them.")
    return _as_act(row)


def _as_act(row: Sequence[Any]) -> Act:
    number, at, source, words, undoes, live, answers = row
    return Act(number, at, source, words, undoes, bool(live), answers)


# -- a photo that was edited --------------------------------------------------------------------------------------


def carry(db: Database, content: bytes, box: Box, changed: bytes, now: Box | None, *, drawn: bool = False) -> None:
    """A photo's content has changed and the face in `box` is now elsewhere, or can't be found any more (None).

    What was ever said of it is said of the new place in the same acts, so that undoing reaches both; somebody whose
    face can't be found is still on the photo.
    """
    rows = db.execute(
        f"SELECT act_id, {settle.COLUMNS} FROM decisions WHERE content_key = ? AND x IS NOT NULL ORDER BY id", [content]
    ).fetchall()
    at = [box]
    for act, *row in rows:
        decision = settle.decision(row)
        if decision.box is None or nearest(decision.box, at) is None:
            continue
        if decision.to is not None:
            at.append(decision.to)
        boxed = decision.kind in (Answer.DRAWN, Answer.MOVED)
        if now is not None and (drawn or not boxed):
            kind = Answer.DRAWN if boxed else decision.kind
            _append(db, act, Decision(kind, changed, now, decision.person, part=decision.part))
        if now is None and decision.kind is Answer.CONFIRMED:
            _append(db, act, Decision(Answer.PRESENT, changed, person=decision.person))


def carry_presences(db: Database, content: bytes, changed: bytes) -> None:
    """A photo's content has changed: those who are on it without a face still are."""
    rows = db.execute(
        f"SELECT act_id, {settle.COLUMNS} FROM decisions WHERE content_key = ? AND x IS NULL ORDER BY id", [content]
    ).fetchall()
    for act, *row in rows:
        decision = settle.decision(row)
        _append(db, act, Decision(decision.kind, changed, person=decision.person))
