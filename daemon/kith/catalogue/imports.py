"""What other programs' own databases say of photos, taken for answers: once, and then only what changed there.

`weighing` says what is news. Here each photo's word is read, weighed, said and remembered in one transaction, so that
an import that stops anywhere goes on where it was.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from sqlite_utils import Database

from kith.catalogue import journal, people, photos, settle
from kith.catalogue.standing import nearest
from kith.catalogue.weighing import Account, Here, News, Ours, Theirs, Weighed, weigh
from kith.types import Answer, Box, Decision, PersonId, Photo

COUNTED = (
    *("confirmed", "drawn", "present", "ignored", "moved", "rejected", "forgotten", "absent", "disputed"),
    *("kept", "unchanged", "waiting", "unknown"),
)


@dataclass(frozen=True, slots=True)
class Face:
    """A face in another program. `state`: "confirmed" (then with a `name`), "ignored", or "unknown".

    `refused` are names it was said not to be.
    """

    state: str
    box: Box
    name: str | None = None
    refused: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Word:
    """All that another program says of the photo at a path: faces, and people without a face."""

    path: bytes
    faces: tuple[Face, ...] = ()
    people: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of an import: its act (None: there was no news), and counts of what was said, by kind, and of photos.

    Of photos: "unknown" to Kith, "waiting" to be analysed, "unchanged". "kept" counts answers here that the other
    program contradicts and that stay.
    """

    act: int | None
    counts: Mapping[str, int]


def take(db: Database, source: str, words: str, said: Sequence[Word], act: int | None = None) -> Taken:
    """Take what another program says of some photos for answers, in a new act or one that was begun.

    What it said before and says still is no news. Raises BadRequest where the act was taken back meanwhile.
    """
    counts: Counter[str] = Counter()
    for word in said:
        photo = photos.by_path(db, word.path)
        if photo is None:
            counts["unknown"] += 1
            continue
        if not _is_analysed(db, photo):
            counts["waiting"] += 1
            continue
        before = _before(db, source, photo)
        if before is not None and before.said == word:
            counts["unchanged"] += 1
            continue
        act = journal.begin(db, source, words) if act is None else act
        weighed = _weighed(db, source, photo, before, word)
        journal.go_on(db, act, _decisions(db, photo, weighed))
        _remember(db, act, source, photo, word)
        counts["kept"] += weighed.kept
        counts.update(news.kind.value for news in weighed.news)
    return Taken(act, dict(+counts))


def remembered(db: Database, source: str) -> list[bytes]:
    """The paths of the photos that are there, of which another program said something of people when last asked."""
    rows = db.execute(
        "SELECT p.path, i.said FROM photos p JOIN imported i ON i.id ="
        " (SELECT max(j.id) FROM imported j JOIN acts a ON a.id = j.act_id"
        "  WHERE a.live AND j.source = ? AND j.photo_id = p.id) WHERE p.missing = 0 ORDER BY p.path",
        [source],
    )
    return [path for path, said in rows if any(json.loads(said).values())]


# -- what was said before -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Before:
    """What a program said last, and the last decision of that time."""

    said: Word
    upto: int


def _before(db: Database, source: str, photo: Photo) -> _Before | None:
    """What still counts of it: what was taken back doesn't, nor what was said of another picture."""
    row = db.execute(
        "SELECT i.said, i.upto, i.content_key FROM imported i JOIN acts a ON a.id = i.act_id"
        " WHERE a.live AND i.source = ? AND i.photo_id = ? ORDER BY i.id DESC LIMIT 1",
        [source, photo.id],
    ).fetchone()
    if row is None or row[2] != photo.content_key:
        return None
    kept = json.loads(row[0])
    faces = tuple(
        Face(face["state"], Box(**face["box"]), face["name"], tuple(face["refused"])) for face in kept["faces"]
    )
    return _Before(Word(photo.path, faces, tuple(kept["people"])), row[1])


def _remember(db: Database, act: int, source: str, photo: Photo, word: Word) -> None:
    said = json.dumps({"faces": [asdict(face) for face in word.faces], "people": list(word.people)})
    db.execute(
        "INSERT INTO imported (act_id, source, photo_id, content_key, upto, said)"
        " VALUES (?, ?, ?, ?, (SELECT coalesce(max(id), 0) FROM decisions), ?)",
        [act, source, photo.id, photo.content_key, said],
    )


# -- the three sides ----------------------------------------------------------------------------------------------


def _weighed(db: Database, source: str, photo: Photo, before: _Before | None, word: Word) -> Weighed:
    was = None if before is None else _account(db, source, before.said)
    now = _account(db, source, word)
    return weigh(was, now, _here(db, source, photo, before))


def _account(db: Database, source: str, word: Word) -> Account:
    faces = (
        Theirs(
            box=face.box,
            answer=Answer(face.state) if face.state in (Answer.CONFIRMED, Answer.IGNORED) else None,
            person=None if face.name is None else _meant(db, source, face.name),
            refused=frozenset(who for name in face.refused if (who := _known(db, source, name)) is not None),
        )
        for face in word.faces
    )
    return Account(tuple(faces), frozenset(_meant(db, source, name) for name in word.people))


def _here(db: Database, source: str, photo: Photo, before: _Before | None) -> Here:
    content = photo.content_key
    rows = db.execute(
        "SELECT CASE WHEN auto THEN suggested_id END, x, y, w, h, answer, f.person_id, given,"
        " (SELECT group_concat(r.person_id) FROM rejections r WHERE r.face_id = f.id)"
        " FROM faces f WHERE f.photo_id = ? AND f.found_in = ? ORDER BY f.id",
        [photo.id, content],
    ).fetchall()
    since = _said_since(db, source, content, -1 if before is None else before.upto)
    boxes = [box for box, _ in since if box is not None]
    guessed = _guesses_beside(db, photo)
    faces = tuple(
        Ours(
            box=(at := Box(*sides)),
            answer=None if answer is None else Answer(answer),
            person=None if person is None else PersonId(person),
            rejected=frozenset(PersonId(int(one)) for one in rejected.split(",")) if rejected else frozenset(),
            given=bool(given),
            newer=nearest(at, boxes) is not None,
            guess=PersonId(guess) if guess in guessed else None,
        )
        for guess, *sides, answer, person, given, rejected in rows
    )
    there = db.execute("SELECT person_id FROM presences WHERE content_key = ?", [content]).fetchall()
    newer = frozenset(person for box, person in since if box is None and person is not None)
    return Here(faces, frozenset(PersonId(person) for (person,) in there), newer)


def _guesses_beside(db: Database, photo: Photo) -> set[PersonId]:
    """Whom the sidecar of a photo names because Kith guessed so."""
    row = db.execute("SELECT base FROM sidecars WHERE photo_id = ? AND base IS NOT NULL", [photo.id]).fetchone()
    names = json.loads(row[0])["guesses"] if row else []
    return {person for name in names if (person := people.find(db, name)) is not None}


def _said_since(db: Database, source: str, content: bytes, upto: int) -> list[tuple[Box | None, PersonId | None]]:
    """Where on a photo, and of whom without a face, others said something after a decision."""
    rows = db.execute(
        f"SELECT {', '.join('d.' + name.strip() for name in settle.COLUMNS.split(','))} FROM decisions d"
        " JOIN acts a ON a.id = d.act_id WHERE a.live AND a.source != ? AND d.content_key = ? AND d.id > ?",
        [source, content, upto],
    ).fetchall()
    found: list[tuple[Box | None, PersonId | None]] = []
    for row in rows:
        told = settle.decision(row)
        found += [(box, people.resolve(db, told.person)) for box in (told.box, told.to) if box is not None]
        if told.box is None:
            found.append((None, people.resolve(db, told.person)))
    return found


def _meant(db: Database, source: str, name: str) -> PersonId:
    """Whom another program means by a name: whoever it meant when it first used it, or the person called so."""
    known = _known(db, source, name)
    if known is not None:
        return known
    person = people.named(db, name)
    db.execute(
        "INSERT INTO imported_names (source, key, person_id) VALUES (?, ?, ?)", [source, people.key(name), person]
    )
    return person


def _known(db: Database, source: str, name: str) -> PersonId | None:
    """The same, where that is somebody who is known already."""
    row = db.execute(
        "SELECT person_id FROM imported_names WHERE source = ? AND key = ?", [source, people.key(name)]
    ).fetchone()
    return people.resolve(db, PersonId(row[0])) if row else people.find(db, name)


# -- saying it ----------------------------------------------------------------------------------------------------


def _decisions(db: Database, photo: Photo, weighed: Weighed) -> list[Decision]:
    rows = db.execute(
        "SELECT x, y, w, h FROM faces WHERE photo_id = ? AND found_in = ? ORDER BY id", [photo.id, photo.content_key]
    ).fetchall()
    boxes = [Box(*row) for row in rows]
    return [_decision(photo, news, boxes) for news in weighed.news]


def _decision(photo: Photo, news: News, boxes: Sequence[Box]) -> Decision:
    if news.kind is Answer.MOVED and news.face is not None:
        return Decision(news.kind, photo.content_key, boxes[news.face], to=news.box)
    box = news.box if news.face is None else boxes[news.face]
    return Decision(news.kind, photo.content_key, box, news.person)


def _is_analysed(db: Database, photo: Photo) -> bool:
    """Whether the faces on the picture as it is now were looked for; a face that was only drawn since may wait."""
    row = db.execute("SELECT analysed_key FROM photos WHERE id = ?", [photo.id]).fetchone()
    return bool(row[0] == photo.content_key)
