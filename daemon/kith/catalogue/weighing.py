"""What another program's word of a photo is worth beside what stands here: a pure comparison of three sides.

`before` is what the program said when it was last heard, `now` what it says, `here` what the catalogue has. Only what
changed there since is news: it becomes an answer, unless somebody said otherwise here meanwhile. Then the answer here
stays and is disputed, as it is with sidecars.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import product

from kith.geometry import SAME_BOX, SAME_FACE, edges, overlap
from kith.types import Answer, Box, PersonId

ECHO = 0.85  # overlap from which a box is Kith's own, as it comes back in whole pixels
NEAR = 0.2  # overlap from which boxes around each other's middle are one face, drawn wider and narrower


@dataclass(frozen=True, slots=True)
class Theirs:
    """A face in another program. `answer` is CONFIRMED (then `person` is set), IGNORED, or None.

    `refused` are those it was said not to be.
    """

    box: Box
    answer: Answer | None = None
    person: PersonId | None = None
    refused: frozenset[PersonId] = frozenset()


@dataclass(frozen=True, slots=True)
class Account:
    """All that another program says of one photo: faces, and people without a face."""

    faces: tuple[Theirs, ...] = ()
    people: frozenset[PersonId] = frozenset()


@dataclass(frozen=True, slots=True)
class Ours:
    """A face of the catalogue and what stands of it. `newer`: somebody else said something of it since `before`.

    `given` boxes were drawn, by a person or a program. `guess` is whom Kith itself named there, and wrote so beside the
    photo, where other programs may have read it.
    """

    box: Box
    answer: Answer | None = None
    person: PersonId | None = None
    rejected: frozenset[PersonId] = frozenset()
    given: bool = False
    newer: bool = False
    guess: PersonId | None = None


@dataclass(frozen=True, slots=True)
class Here:
    """A photo in the catalogue: its faces, who is there without one, and of whom that was said or denied since."""

    faces: tuple[Ours, ...] = ()
    present: frozenset[PersonId] = frozenset()
    newer: frozenset[PersonId] = frozenset()


@dataclass(frozen=True, slots=True)
class News:
    """Something to be said: of a `face` (its place in `Here`), of a `box` that has no face here, or of the photo."""

    kind: Answer
    face: int | None = None
    box: Box | None = None
    person: PersonId | None = None


@dataclass(frozen=True, slots=True)
class Weighed:
    """What is news, and how many answers here were kept though the other program says otherwise."""

    news: tuple[News, ...] = ()
    kept: int = 0


def weigh(before: Account | None, now: Account, here: Here) -> Weighed:
    """What is to be said after another program was heard; `before` is None for a photo it says something of first."""
    now = replace(now, faces=_each_face_once(now.faces))
    was_told = replace(before or Account(), faces=_each_face_once(before.faces if before else ()))
    scale = _Scale(was_told, now, here, first=before is None)
    was = pairs(now.faces, scale.before.faces)
    ours = pairs(now.faces, here.faces)
    for i, face in enumerate(now.faces):
        scale.face(face, scale.before.faces[was[i]] if i in was else None, ours.get(i))
    gone = [face for j, face in enumerate(scale.before.faces) if j not in was.values()]
    free = [k for k in range(len(here.faces)) if k not in ours.values()]
    for j, k in pairs(gone, [here.faces[k] for k in free]).items():
        scale.gone(gone[j], free[k])
    scale.people()
    return Weighed(tuple(scale.news), scale.kept)


class _Scale:
    """One comparison under way."""

    def __init__(self, before: Account, now: Account, here: Here, *, first: bool) -> None:
        self.before, self.now, self.here = before, now, here
        self.news: list[News] = []
        self.kept = 0
        self._first = first

    def face(self, told: Theirs, was: Theirs | None, ours: int | None) -> None:
        """A face that the other program has now."""
        known = None if ours is None else self.here.faces[ours]
        if told.answer is Answer.CONFIRMED and told.person is not None:
            if was is None or (was.answer, was.person) != (told.answer, told.person):
                self._named(told, told.person, ours)
            elif known and known.given and known.person == told.person and not known.newer:
                self._moved(was.box, told.box, ours)
        elif ours is None or known is None:
            return
        elif told.answer is Answer.IGNORED:
            if was is None or was.answer is not Answer.IGNORED:
                self._ignored(ours, known)
        elif was and was.answer is Answer.CONFIRMED and was.person is not None:
            self._taken_away(was.person, ours, known)
        if ours is not None and known is not None:
            for person in sorted(told.refused - (was.refused if was else frozenset())):
                self._refused(person, ours, known)

    def gone(self, was: Theirs, ours: int) -> None:
        """A face that the other program had, and has no more."""
        known = self.here.faces[ours]
        if was.answer is not Answer.CONFIRMED or was.person is None or known.person != was.person:
            return
        if known.given and not known.newer:
            self._say(Answer.FORGOTTEN, ours)
        if was.person not in self.now.people:
            self._taken_away(was.person, ours, known)

    def people(self) -> None:
        """Those who are there without a face."""
        gone = {news.face for news in self.news if news.kind in (Answer.FORGOTTEN, Answer.REJECTED)}
        shown = {face.person for i, face in enumerate(self.here.faces) if i not in gone}
        shown |= {face.guess for face in self.here.faces if face.answer is None}
        shown |= {news.person for news in self.news if news.kind is Answer.CONFIRMED}
        for person in sorted(self.now.people - self.before.people - self.here.present):
            if person in self.here.newer:
                self.kept += 1
            elif person not in shown:
                self._say(Answer.PRESENT, person=person)
        faces = {face.person for face in self.now.faces if face.answer is Answer.CONFIRMED}
        for person in sorted((self.before.people - self.now.people - faces) & self.here.present):
            self._say(Answer.DISPUTED if person in self.here.newer else Answer.ABSENT, person=person)

    def _named(self, told: Theirs, person: PersonId, ours: int | None) -> None:
        if ours is None:
            self._drawn(told.box, person)
            return
        known = self.here.faces[ours]
        if known.person == person or _is_echo(told, known):
            return
        if self._is_later(known) or (known.answer is None and person not in known.rejected):
            self._say(Answer.CONFIRMED, ours, person=person)
        elif known.person is not None:
            self._say(Answer.DISPUTED, ours, person=known.person)
        else:
            self.kept += 1

    def _drawn(self, box: Box, person: PersonId) -> None:
        """A face that only the other program has; not where a face here is somebody else in it already."""
        if self.here.faces and overlap([box], [face.box for face in self.here.faces]).max() >= SAME_FACE:
            self.kept += 1
            return
        self._say(Answer.DRAWN, box=box)
        self._say(Answer.CONFIRMED, box=box, person=person)

    def _ignored(self, ours: int, known: Ours) -> None:
        if known.answer is None or (known.answer is Answer.CONFIRMED and self._is_later(known)):
            self._say(Answer.IGNORED, ours)
        elif known.answer is Answer.CONFIRMED:
            self.kept += 1

    def _is_later(self, known: Ours) -> bool:
        """Whether news there are later than whatever was said of a face here."""
        return not (self._first or known.newer)

    def _taken_away(self, person: PersonId, ours: int, known: Ours) -> None:
        if known.person == person:
            self._say(Answer.DISPUTED if known.newer else Answer.REJECTED, ours, person=person)

    def _refused(self, person: PersonId, ours: int, known: Ours) -> None:
        if person in known.rejected:
            return
        if known.answer is None:
            self._say(Answer.REJECTED, ours, person=person)
        elif known.person == person:
            self._say(Answer.DISPUTED if known.newer or self._first else Answer.REJECTED, ours, person=person)

    def _moved(self, was: Box, to: Box, ours: int | None) -> None:
        if overlap([was], [to])[0, 0] < SAME_BOX:
            self._say(Answer.MOVED, ours, box=to)

    def _say(
        self, kind: Answer, face: int | None = None, *, box: Box | None = None, person: PersonId | None = None
    ) -> None:
        self.news.append(News(kind, face, box, person))


def _is_echo(told: Theirs, known: Ours) -> bool:
    """Whether a program only says what Kith guessed and it read in the sidecar: that must not become an answer."""
    own = known.answer is None and told.person == known.guess
    return own and bool(overlap([told.box], [known.box])[0, 0] >= ECHO)


def pairs(a: Sequence[Theirs], b: Sequence[Theirs | Ours]) -> dict[int, int]:
    """Which of `a` is which of `b`: equal people first, then answers before none, then the best overlap."""
    if not a or not b:
        return {}
    over = overlap([face.box for face in a], [face.box for face in b])
    near = []
    for (i, p), (j, q) in product(enumerate(a), enumerate(b)):
        if over[i, j] >= SAME_FACE or (over[i, j] >= NEAR and _around_each_other(p.box, q.box)):
            same = p.person is not None and p.person == q.person
            near.append((not same, p.answer is None, -over[i, j], i, j))
    return _each_once((i, j) for *_, i, j in sorted(near))


def _each_face_once(faces: Sequence[Theirs]) -> tuple[Theirs, ...]:
    """Without faces that are the same as another one with an answer, or as one before: programs have such twins."""
    kept: list[Theirs] = []
    for face in sorted(faces, key=lambda face: face.answer is None):
        if not any(_is_twin(face, other) for other in kept):
            kept.append(face)
    return tuple(face for face in faces if any(face is one for one in kept))


def _is_twin(a: Theirs, b: Theirs) -> bool:
    over = overlap([a.box], [b.box])[0, 0]
    same = a.person is not None and a.person == b.person
    return bool(over >= SAME_FACE or (same and over >= NEAR and _around_each_other(a.box, b.box)))


def _each_once(near: Iterable[tuple[int, int]]) -> dict[int, int]:
    found: dict[int, int] = {}
    for i, j in near:
        if i not in found and j not in found.values():
            found[i] = j
    return found


def _around_each_other(a: Box, b: Box) -> bool:
    return _holds_middle(a, b) and _holds_middle(b, a)


def _holds_middle(box: Box, of: Box) -> bool:
    left, top, right, bottom = edges([box])[0]
    return bool(left < of.x < right and top < of.y < bottom)
