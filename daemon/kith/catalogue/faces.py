"""Faces: what analysis found, what recognition believes, and what both look like to the rest."""

from __future__ import annotations

import json
import struct
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlite_utils import Database

from kith.catalogue import divisions, journal, people, settle, trouble
from kith.errors import NotFound
from kith.geometry import SAME_BOX, SAME_FACE, overlap
from kith.types import (
    Analysis,
    Answer,
    Box,
    Crop,
    Dispute,
    Evidence,
    Face,
    FaceId,
    FaceState,
    Floats,
    FoundFace,
    Gallery,
    GroupId,
    Person,
    PersonId,
    Photo,
    PhotoId,
    Recognition,
    Suggestion,
)

FACE = """
    SELECT f.id, f.photo_id, p.path, f.x, f.y, f.w, f.h, f.score, f.quality, f.answer, f.person_id, n.name,
           f.suggested_id, f.probability_classifier, f.probability_group, f.auto, f.because, f.group_id, f.dispute
    FROM faces f JOIN photos p ON p.id = f.photo_id LEFT JOIN people n ON n.id = f.person_id
"""
OPEN = "f.answer IS NULL AND NOT f.unlikely"  # waits for an answer


# -- what analysis found ------------------------------------------------------------------------------------------


def store(db: Database, photo: Photo, analysis: Analysis, same_person: float) -> None:
    """Take in what a pack found on a photo, in place of what was found before.

    A face found again keeps its id and its answers: by overlap where the photo's content is the same, by similarity
    (cosine of at least `same_person`) where it has changed, since edits move and turn faces. What this pack knows stays
    even if it isn't found again, and so does what was answered; where the content has changed, without a place.
    """
    content = photo.content_key
    before = _on_photo(db, photo.id, analysis.pack)
    pairs = _pairs(before, analysis.faces, content, same_person)
    drawn_once = [known.box for known in before if known.given and known.found_in != content]
    for i, found in enumerate(analysis.faces):
        if i in pairs:
            face = _find_again(db, photo, before[pairs[i]], found)
        elif _is_among(found.box, drawn_once):
            continue  # looked at because it was drawn on the earlier content, and not the same face
        else:
            face = _insert(db, photo, found)
        _store_pixels(db, face, analysis.pack, found)
    again = {before[j].id for j in pairs.values()}
    lost = [old for old in before if old.id not in again and (old.found_in != content or old.is_nothing)]
    _carry(db, photo, analysis, [old for old in before if old.id in again], lost)
    for old in lost:
        db.execute("DELETE FROM faces WHERE id = ?", [old.id])
    db.execute(
        "UPDATE photos SET analysed_rev = ?, analysed_pack = ?, width = ?, height = ?, orientation = ?,"
        " captured_at = ?, analysed_key = ?, tags_rev = tags_rev + EXISTS"
        " (SELECT 1 FROM faces WHERE photo_id = photos.id AND answer = 'confirmed') WHERE id = ?",
        [
            *(photo.content_rev, analysis.pack, analysis.width, analysis.height, analysis.orientation),
            *(analysis.captured_at, content, photo.id),
        ],
    )
    trouble.forget(db, photo.path, "analyse")
    settle.of_content(db, content)


def _carry(db: Database, photo: Photo, analysis: Analysis, kept: Sequence[_Known], lost: Sequence[_Known]) -> None:
    """What was said of a photo's earlier content holds for an edit of it, but not for another picture of that name."""
    earlier, taken = db.execute("SELECT analysed_key, captured_at FROM photos WHERE id = ?", [photo.id]).fetchone()
    if earlier is None or earlier == photo.content_key:
        return
    edited = any(known.found_in == earlier for known in kept) or (taken is not None and taken == analysis.captured_at)
    if edited:
        journal.carry_presences(db, earlier, photo.content_key)
        for known in lost:
            journal.carry(db, known.found_in, known.box, photo.content_key, None)


class _Known:
    """A face row as `store` needs it."""

    __slots__ = ("answer", "box", "found_in", "given", "id", "vector")

    def __init__(self, row: Sequence[Any]) -> None:
        self.id = FaceId(row[0])
        self.box = Box(*row[1:5])
        self.found_in: bytes = row[5]
        self.answer: str | None = row[6]
        self.vector: Floats | None = None if row[7] is None else np.frombuffer(row[7], "<f4")
        self.given = bool(row[8])

    @property
    def is_nothing(self) -> bool:
        """Neither the pack nor a person knows it."""
        return self.answer is None and self.vector is None


def _on_photo(db: Database, photo: PhotoId, pack: str) -> list[_Known]:
    rows = db.execute(
        "SELECT f.id, f.x, f.y, f.w, f.h, f.found_in, f.answer, e.vector, f.given FROM faces f"
        " LEFT JOIN embeddings e ON e.face_id = f.id AND e.pack = ? WHERE f.photo_id = ? ORDER BY f.id",
        [pack, photo],
    )
    return [_Known(row) for row in rows]


def _pairs(before: Sequence[_Known], found: Sequence[FoundFace], content: bytes, same_person: float) -> dict[int, int]:
    """Which found face is which known one: the assignment with the highest sum of likeness."""
    if not before or not found:
        return {}
    from scipy.optimize import linear_sum_assignment

    likeness = overlap([f.box for f in found], [k.box for k in before])
    likeness[likeness < SAME_FACE] = 0
    for j, known in enumerate(before):
        if known.found_in != content:
            likeness[:, j] = 0
            if known.vector is not None:
                cosine = np.array([f.embedding @ known.vector for f in found])
                likeness[:, j] = np.where(cosine >= same_person, cosine, 0)
    rows, columns = linear_sum_assignment(-likeness)
    return {int(i): int(j) for i, j in zip(rows, columns, strict=True) if likeness[i, j] > 0}


def given(db: Database, photo: Photo) -> tuple[Box, ...]:
    """The given boxes of a photo, those on its earlier content included: an edit may have left them in place."""
    rows = db.execute("SELECT x, y, w, h FROM faces WHERE photo_id = ? AND given ORDER BY id", [photo.id])
    return tuple(Box(*row) for row in rows)


def _insert(db: Database, photo: Photo, found: FoundFace) -> FaceId:
    row = db.execute(
        "INSERT INTO faces (photo_id, x, y, w, h, landmarks, score, quality, found_in)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
        [photo.id, *_geometry(found), photo.content_key],
    ).fetchone()
    return FaceId(row[0])


def _is_among(box: Box, boxes: Sequence[Box]) -> bool:
    """Whether a box is one of some, but for rounding."""
    return len(boxes) > 0 and bool(overlap([box], boxes).max() >= SAME_BOX)


def _find_again(db: Database, photo: Photo, known: _Known, found: FoundFace) -> FaceId:
    stays = known.given and (known.found_in == photo.content_key or _is_among(known.box, [found.box]))
    db.execute(
        "UPDATE faces SET x = ?, y = ?, w = ?, h = ?, landmarks = ?, score = ?, quality = ?, found_in = ?,"
        " given = ? WHERE id = ?",
        [*_geometry(found, known.box if stays else None), photo.content_key, stays, known.id],
    )
    if known.found_in != photo.content_key:
        journal.carry(db, known.found_in, known.box, photo.content_key, found.box, drawn=stays)
    return known.id


def _sides(box: Box) -> tuple[float, float, float, float]:
    return box.x, box.y, box.w, box.h


def _geometry(found: FoundFace, kept: Box | None = None) -> list[Any]:
    return [*_sides(kept or found.box), _floats(found.landmarks), float(found.score), float(found.quality)]


def _store_pixels(db: Database, face: FaceId, pack: str, found: FoundFace) -> None:
    db.execute(
        "INSERT OR REPLACE INTO crops (face_id, jpeg, landmarks) VALUES (?, ?, ?)",
        [face, found.crop.jpeg, _floats(found.crop.landmarks)],
    )
    db.execute("DELETE FROM embeddings WHERE face_id = ? AND pack != ?", [face, pack])
    store_embeddings(db, [face], pack, found.embedding[None])


def store_embeddings(db: Database, ids: Sequence[FaceId], pack: str, vectors: Floats) -> None:
    """What an embedder makes of some faces; `vectors` has a row for each."""
    for face, vector in zip(ids, vectors, strict=True):
        db.execute(
            "INSERT OR REPLACE INTO embeddings (face_id, pack, vector) VALUES (?, ?, ?)",
            [face, pack, _floats(vector)],
        )


def _floats(values: Floats) -> bytes:
    return np.asarray(values, "<f4").tobytes()


# -- crops --------------------------------------------------------------------------------------------------------


def to_embed(db: Database, pack: str) -> list[FaceId]:
    """Faces that the embedder of this pack has not seen, on photos that are not waiting for analysis anyway."""
    rows = db.execute(
        "SELECT c.face_id FROM crops c JOIN faces f ON f.id = c.face_id JOIN photos p ON p.id = f.photo_id"
        " WHERE p.analysed_rev >= p.content_rev AND NOT EXISTS"
        " (SELECT 1 FROM embeddings e WHERE e.face_id = c.face_id AND e.pack = ?) ORDER BY c.face_id",
        [pack],
    )
    return [FaceId(face) for (face,) in rows]


def crops(db: Database, ids: Iterable[FaceId]) -> dict[FaceId, Crop]:
    """The crops of those faces that have one: a box that was only just drawn has none yet."""
    found = (
        (face, db.execute("SELECT jpeg, landmarks FROM crops WHERE face_id = ?", [face]).fetchone()) for face in ids
    )
    return {face: _crop(*row) for face, row in found if row is not None}


def first_crops(db: Database, pack: str | None, count: int) -> list[tuple[PhotoId, Crop]]:
    """Crops of the first faces that a pack found, or any pack, for a self-check: those in company first."""
    rows = db.execute(
        "SELECT f.photo_id, c.jpeg, c.landmarks FROM faces f JOIN crops c ON c.face_id = f.id"
        " JOIN photos p ON p.id = f.photo_id WHERE ?1 IN (p.analysed_pack, '') AND f.answer IS NOT 'not-a-face'"
        " ORDER BY (SELECT count(*) FROM faces o WHERE o.photo_id = f.photo_id) < 2, f.photo_id, f.id LIMIT ?2",
        [pack or "", count],
    )
    return [(PhotoId(photo), _crop(jpeg, marks)) for photo, jpeg, marks in rows]


def is_known_to(db: Database, pack: str) -> bool:
    """Whether a pack has embedded any face."""
    return db.execute("SELECT 1 FROM embeddings WHERE pack = ? LIMIT 1", [pack]).fetchone() is not None


def _crop(jpeg: bytes, landmarks: bytes) -> Crop:
    return Crop(jpeg, np.frombuffer(landmarks, "<f4").reshape(5, 2))


# -- what recognition believes ------------------------------------------------------------------------------------


def gallery(db: Database, pack: str, only: Collection[FaceId] | None = None) -> Gallery:
    """All faces of this pack that take part in recognition, those of missing photos included; or some of them."""
    wanted, chosen = ("", []) if only is None else (" AND f.id IN (SELECT value FROM json_each(?))", [_json(only)])
    divided = divisions.divided(db, only)
    rejected: dict[int, set[PersonId]] = {}
    for face, person in db.execute(
        f"SELECT f.id, r.person_id FROM rejections r JOIN faces f ON f.id = r.face_id WHERE 1{wanted}", chosen
    ):
        rejected.setdefault(face, set()).add(PersonId(person))
    rows = db.execute(
        "SELECT f.id, f.photo_id, f.found_in, p.path, f.x, f.y, f.w, f.h, p.captured_at, f.quality, f.answer,"
        " f.person_id, e.vector FROM faces f JOIN photos p ON p.id = f.photo_id"
        " JOIN embeddings e ON e.face_id = f.id AND e.pack = ?"
        f" WHERE f.answer IS NOT 'not-a-face'{wanted} ORDER BY f.id",
        [pack, *chosen],
    ).fetchall()
    faces = tuple(
        Evidence(
            id=FaceId(row[0]),
            photo=PhotoId(row[1]),
            order=row[2] + struct.pack(">4d", *row[4:8]) + row[3],
            captured_at=row[8],
            quality=row[9],
            person=None if row[11] is None else PersonId(row[11]),
            rejected=divided.ruled_out.get(row[0], frozenset()).union(rejected.get(row[0], ())),
            ignored=row[10] == Answer.IGNORED,
            parts=divided.parts.get(row[0], frozenset()),
        )
        for row in rows
    )
    vectors = np.frombuffer(b"".join(row[12] for row in rows), "<f4").reshape(len(rows), -1 if rows else 0)
    return Gallery(faces, vectors, people.births(db), people.told_apart(db))


def changed(db: Database) -> tuple[int, frozenset[FaceId]]:
    """The faces whose evidence recognition has not seen yet, gone ones included, and the number of the last change."""
    rows = db.execute("SELECT seq, face_id FROM changed_faces").fetchall()
    ids = frozenset(FaceId(row[1]) for row in rows)
    return max((row[0] for row in rows), default=0), ids | divisions.beside(db, ids)


def _json(ids: Collection[FaceId]) -> str:
    return json.dumps(sorted(ids))


def groups_before(db: Database) -> dict[FaceId, GroupId]:
    rows = db.execute("SELECT id, group_id FROM faces WHERE group_id IS NOT NULL")
    return {FaceId(face): GroupId(group) for face, group in rows}


def recognition(db: Database) -> Recognition:
    """What was recognised last, as `store_recognition` took it."""
    rows = db.execute(
        "SELECT id, group_id, suggested_id, probability_classifier, probability_group, auto, because FROM faces"
    ).fetchall()
    guesses = {FaceId(row[0]): _suggestion(*row[2:]) for row in rows if row[2] is not None}
    return Recognition({FaceId(row[0]): GroupId(row[1]) for row in rows if row[1] is not None}, guesses)


def unlikely(db: Database) -> frozenset[FaceId]:
    """Faces that are likely none."""
    return frozenset(FaceId(face) for (face,) in db.execute("SELECT id FROM faces WHERE unlikely"))


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Some faces as vision found them: ids, unit `vectors` (N, D), detector `score` and `quality` (N,)."""

    ids: tuple[FaceId, ...]
    vectors: Floats
    score: NDArray[np.float64]
    quality: NDArray[np.float64]


def boxes(db: Database, pack: str, answer: str | None) -> Found:
    """All faces with one answer, None for those without any, as this pack sees them."""
    rows = db.execute(
        "SELECT f.id, f.score, f.quality, e.vector FROM faces f JOIN embeddings e ON e.face_id = f.id AND e.pack = ?"
        " WHERE f.answer IS ? ORDER BY f.id",
        [pack, answer],
    ).fetchall()
    vectors = np.frombuffer(b"".join(row[3] for row in rows), "<f4").reshape(len(rows), -1 if rows else 0)
    score, quality = np.array([row[1:3] for row in rows], np.float64).reshape(-1, 2).T
    return Found(tuple(FaceId(row[0]) for row in rows), vectors, score, quality)


def store_recognition(
    db: Database,
    recognition: Recognition,
    unlikely: Collection[FaceId] = (),
    *,
    seen: int = 0,
    only: Collection[FaceId] | None = None,
) -> None:
    """Write what changed, for all faces or `only` some; a photo whose automatic names changed gets a new `tags_rev`.

    `seen` is the number of the last change of faces that this recognition knows of.
    """
    wanted, chosen = ("", []) if only is None else (" WHERE id IN (SELECT value FROM json_each(?))", [_json(only)])
    current = db.execute(
        "SELECT id, group_id, suggested_id, probability_classifier, probability_group, auto, because, unlikely"
        f" FROM faces{wanted}",
        chosen,
    ).fetchall()
    none = frozenset(unlikely)
    for face, *before in current:
        after = [*_belief(recognition, FaceId(face)), int(face in none)]
        if after == before:
            continue
        db.execute(
            "UPDATE faces SET group_id = ?, suggested_id = ?, probability_classifier = ?, probability_group = ?,"
            " auto = ?, because = ?, unlikely = ? WHERE id = ?",
            [*after, face],
        )
        if _automatic(before) != _automatic(after):
            settle.touch(db, FaceId(face))
    db.execute("DELETE FROM changed_faces WHERE seq <= ?", [seen])


def _belief(recognition: Recognition, face: FaceId) -> list[Any]:
    group, guess = recognition.groups.get(face), recognition.suggestions.get(face)
    if guess is None:
        return [group, None, None, None, 0, None]
    probabilities = round(guess.probability_classifier, 4), round(guess.probability_group, 4)
    return [group, guess.person, *probabilities, int(guess.auto), json.dumps(guess.because)]


def _automatic(belief: Sequence[Any]) -> int | None:
    """Who a belief names without asking."""
    return belief[1] if belief[4] else None


# -- what the rest sees -------------------------------------------------------------------------------------------


def get(db: Database, face: FaceId) -> Face:
    row = db.execute(f"{FACE} WHERE f.id = ?", [face]).fetchone()
    if row is None:
        raise NotFound(f"There is no face f{face}. `kith faces PHOTO` lists the faces on a photo.")
    return _face(row)


def place(db: Database, face: FaceId) -> tuple[bytes, Box]:
    """The photo content and the box that answers to a face are kept by."""
    content, *sides = db.execute("SELECT found_in, x, y, w, h FROM faces WHERE id = ?", [face]).fetchone()
    return content, Box(*sides)


def rejected(db: Database, face: FaceId) -> list[PersonId]:
    """Who a face was said not to be, or can't be since others are who were said to be somebody else."""
    rows = db.execute("SELECT person_id FROM rejections WHERE face_id = ?", [face]).fetchall()
    ruled_out = divisions.divided(db, [face]).ruled_out.get(face, frozenset())
    return sorted({PersonId(person) for (person,) in rows} | ruled_out)


def on_photo(db: Database, photo: PhotoId) -> list[Face]:
    """The faces of a photo from left to right."""
    return [_face(row) for row in db.execute(f"{FACE} WHERE f.photo_id = ? ORDER BY f.x, f.id", [photo])]


def on_photos(db: Database, photos: Collection[PhotoId]) -> dict[PhotoId, list[Face]]:
    """The faces of some photos, each photo's from left to right."""
    found: dict[PhotoId, list[Face]] = {photo: [] for photo in photos}
    wanted = "f.photo_id IN (SELECT value FROM json_each(?))"
    for row in db.execute(f"{FACE} WHERE {wanted} ORDER BY f.x, f.id", [json.dumps(sorted(photos))]):
        face = _face(row)
        found[face.photo].append(face)
    return found


def in_group(db: Database, group: GroupId) -> list[Face]:
    """The faces of a group that nobody has answered yet."""
    faces = [
        _face(row)
        for row in db.execute(f"{FACE} WHERE f.group_id = ? AND f.answer IS NULL AND NOT f.unlikely", [group])
    ]
    if not faces:
        raise NotFound(f"There is no open group g{group}. `kith groups` lists the groups that wait for a name.")
    return faces


def disputed(db: Database) -> list[Face]:
    """Faces whose name another program took away twice, and nobody said yet who is right."""
    return [_face(row) for row in db.execute(f"{FACE} WHERE f.dispute = 'open' AND p.missing = 0 ORDER BY f.id")]


def unanswered(db: Database) -> list[Face]:
    """All faces that wait for an answer, on photos that are there; not those that are likely none."""
    return [
        _face(row)
        for row in db.execute(f"{FACE} WHERE f.answer IS NULL AND NOT f.unlikely AND p.missing = 0 ORDER BY f.id")
    ]


def _face(row: Sequence[Any]) -> Face:
    answer, person, name, suggested = row[9:13]
    suggestion = None
    if suggested is not None and answer is None:
        suggestion = _suggestion(*row[12:17])
    group = None if row[17] is None else GroupId(row[17])
    return Face(
        id=FaceId(row[0]),
        photo=PhotoId(row[1]),
        path=row[2],
        box=Box(*row[3:7]),
        score=row[7],
        quality=row[8],
        state=_state(answer, suggestion, group),
        person=None if person is None else Person(PersonId(person), name),
        suggestion=suggestion,
        group=group,
        dispute=Dispute(row[18]) if row[18] else None,
    )


def _suggestion(person: int, by_classifier: float, by_group: float, auto: int, because: str) -> Suggestion:
    faces = tuple(FaceId(face) for face in json.loads(because))
    return Suggestion(PersonId(person), by_classifier, by_group, bool(auto), faces)


def _state(answer: str | None, suggestion: Suggestion | None, group: GroupId | None) -> FaceState:
    if answer is not None:
        return FaceState(answer)
    if suggestion is not None:
        return FaceState.AUTO if suggestion.auto else FaceState.SUGGESTED
    return FaceState.UNKNOWN if group is None else FaceState.GROUPED
