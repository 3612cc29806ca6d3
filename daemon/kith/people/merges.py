"""Which people may be one: two named ones, a named one and a group without a name, two such groups."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from kith.people.calibration import probability
from kith.people.faces import canonical
from kith.people.vectors import Rows, means, snap
from kith.types import Calibration, Evidence, FaceId, Floats, Gallery, GroupId, Part, PersonId, Recognition

BLOCK = 1024
SPREAD = 32  # faces of a party that are compared one by one
BECAUSE = 3  # pairs of faces shown as the reason
OFTEN = 2  # photos with both on them from which they are two people
ONCE = 2.0  # log odds against being one that a single such photo is worth: a mirror, a picture on the wall
PROPOSE_ABOVE = 0.5  # before anybody accepted or declined anything
WILLING = (0.2, 0.95)  # where accepting and declining can move it
PATIENCE = 4  # answers that the start is worth


@dataclass(frozen=True, slots=True)
class Party:
    """A person, or a group nobody named."""

    person: PersonId | None
    group: GroupId | None


@dataclass(frozen=True, slots=True)
class Merge:
    """Two parties that may be one person, how probable that is, and the pairs of faces that made it so."""

    first: Party
    second: Party
    probability: float
    because: tuple[tuple[FaceId, FaceId], ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Side:
    party: Party
    rows: Rows  # (N,) in the gallery, best faces first
    photos: frozenset[int]
    rejected: frozenset[PersonId]
    parts: frozenset[Part]


def propose_above(accepted: int, declined: int) -> float:
    """The least probability worth proposing, after so many proposals were accepted and declined.

    It rises while more are declined and falls while more are accepted, slowly at first.
    """
    low, high = WILLING
    leaning = (declined - accepted) / (accepted + declined + PATIENCE)
    reach = high - PROPOSE_ABOVE if leaning > 0 else PROPOSE_ABOVE - low
    return PROPOSE_ABOVE + leaning * reach


def merges(
    gallery: Gallery, recognition: Recognition, calibration: Calibration, *, above: float = PROPOSE_ABOVE
) -> tuple[Merge, ...]:
    """Proposals at least as probable as `above`, those first that are expected to settle most faces.

    Never proposed are people and groups of whom somebody said that they are two, parties that stand on two photos
    together, and a person for a group most of whose faces were said not to be them. Named faces count as their
    person only, groups as recognised, ignored faces not at all.
    """
    sides = list(_sides(gallery, recognition))
    vectors = snap(gallery.vectors)
    rows = [side.rows for side in sides]
    starts = np.cumsum([0, *(len(r) for r in rows)])[:-1].astype(np.int64)
    directions = means(vectors[np.concatenate(rows)] if rows else vectors[:0], starts)
    found = []
    for left, right in _alike(directions, calibration.cosine_fmr["1e-3"]):
        first, second = sides[left], sides[right]
        if _may_be_one(first, second, gallery.apart):
            together = len(first.photos & second.photos)
            probable = _probability(first, second, directions[left] @ directions[right], together, vectors, calibration)
            if probable >= above:
                worth = probable * min(len(first.rows), len(second.rows))
                found.append(
                    (worth, Merge(first.party, second.party, probable, _because(first, second, gallery, vectors)))
                )
    return tuple(
        merge for _, merge in sorted(found, key=lambda item: (-item[0], -item[1].probability, item[1].because))
    )


def _sides(gallery: Gallery, recognition: Recognition) -> Iterator[_Side]:
    """All parties: people first, then groups."""
    members: dict[Party, list[int]] = defaultdict(list)
    group_of_named = {recognition.groups.get(f.id) for f in gallery.faces if f.person is not None}
    for row, face in enumerate(gallery.faces):
        group = recognition.groups.get(face.id)
        if face.person is not None:
            members[Party(face.person, None)].append(row)
        elif group is not None and group not in group_of_named and not face.ignored:
            members[Party(None, group)].append(row)
    for party, rows in sorted(members.items(), key=lambda item: _named_first(gallery.faces, *item)):
        faces = [gallery.faces[row] for row in rows]
        refused = [person for face in faces for person in face.rejected]
        rejected = frozenset(person for person in set(refused) if 2 * refused.count(person) >= len(faces))
        best = sorted(rows, key=lambda row: (-gallery.faces[row].quality, canonical(gallery.faces[row])))
        parts = frozenset(part for face in faces for part in face.parts)
        yield _Side(party, np.array(best), frozenset(face.photo for face in faces), rejected, parts)


def _named_first(faces: Sequence[Evidence], party: Party, rows: Iterable[int]) -> tuple[object, ...]:
    return party.person is None, min(canonical(faces[row]) for row in rows)


def _alike(directions: Floats, cosine: float) -> Iterator[tuple[int, int]]:
    """Pairs of mean directions at or above `cosine`, each once."""
    for start in range(0, len(directions), BLOCK):
        left, right = np.nonzero(directions[start : start + BLOCK] @ directions.T >= cosine)
        keep = left + start < right
        yield from zip((left[keep] + start).tolist(), right[keep].tolist(), strict=True)


def _may_be_one(first: _Side, second: _Side, apart: frozenset[tuple[PersonId, PersonId]]) -> bool:
    one, other = first.party.person, second.party.person
    if one is not None and other is not None and (min(one, other), max(one, other)) in apart:
        return False
    if one in second.rejected or other in first.rejected:
        return False
    if any(division == of and part != at for division, part in first.parts for of, at in second.parts):
        return False
    return len(first.photos & second.photos) < OFTEN


def _probability(
    first: _Side, second: _Side, mean: float, together: int, vectors: Floats, calibration: Calibration
) -> float:
    """Log odds -4 at false match rate 1e-3 and 0 at 1e-5, by the mean of two likenesses: of the parties' means, and of
    their faces one by one (the middle one, so that a stray face in one of them counts for little)."""
    low, high = calibration.cosine_fmr["1e-3"], calibration.cosine_fmr["1e-5"]
    cosines = vectors[first.rows[:SPREAD]] @ vectors[second.rows[:SPREAD]].T
    likeness = (float(mean) + float(np.median(cosines))) / 2
    log_odds = 4 * (likeness - high) / max(high - low, 1e-6) - ONCE * together
    return float(probability(np.array([log_odds]))[0])


def _because(first: _Side, second: _Side, gallery: Gallery, vectors: Floats) -> tuple[tuple[FaceId, FaceId], ...]:
    """The most similar pairs of faces, each face once."""
    left, right = first.rows[:SPREAD], second.rows[:SPREAD]
    cosines = vectors[left] @ vectors[right].T
    pairs: list[tuple[FaceId, FaceId]] = []
    for best in np.argsort(-cosines, axis=None, kind="stable").tolist():
        i, j = divmod(best, len(right))
        one, other = gallery.faces[int(left[i])].id, gallery.faces[int(right[j])].id
        if all(one != a and other != b for a, b in pairs):
            pairs.append((one, other))
        if len(pairs) == min(BECAUSE, len(left), len(right)):
            break
    return tuple(pairs)
