"""What stands: a pure fold of the decisions on one photo's content, in the order they were made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from kith.geometry import SAME_FACE, overlap
from kith.types import Answer, Box, Decision, Dispute, Part, PersonId


@dataclass(frozen=True, slots=True)
class Place:
    """What stands of the face in one box.

    `answer` is CONFIRMED (then `person` is set), IGNORED, NOT_A_FACE or None. `drawn` boxes are a person's or another
    program's. `disputed` is the person whose name another program took away, `insisted` that it was given once more.
    `parts` say which of different people it is.
    """

    box: Box
    answer: Answer | None = None
    person: PersonId | None = None
    rejected: frozenset[PersonId] = frozenset()
    drawn: bool = False
    disputed: PersonId | None = None
    insisted: bool = False
    parts: frozenset[Part] = frozenset()

    @property
    def dispute(self) -> Dispute | None:
        """Whether the name that stands is disputed."""
        if self.person is None or self.disputed != self.person:
            return None
        return Dispute.INSISTED if self.insisted else Dispute.OPEN


@dataclass(frozen=True, slots=True)
class Standing:
    """All that stands for one photo's content: of its faces, and of people of whom it was said that they are there."""

    places: tuple[Place, ...] = ()
    present: Mapping[PersonId, Dispute | None] = field(default_factory=dict)

    @property
    def without_face(self) -> dict[PersonId, Dispute | None]:
        """Who is there and shown by no face: a confirmed face says the same, and more."""
        shown = {place.person for place in self.places}
        return {person: dispute for person, dispute in self.present.items() if person not in shown}


def fold(decisions: Sequence[Decision]) -> Standing:
    """What stands after all these decisions; merges of people count wherever they come in the order.

    They count for what is said later too: an undone merge that is brought back keeps its old place in the order.
    """
    places: list[Place] = []
    present: dict[PersonId, Dispute | None] = {}
    for decision in (*decisions, *(d for d in decisions if d.kind is Answer.MERGED)):
        if decision.kind is Answer.MERGED:
            places = [_merged(place, decision) for place in places]
            present = {_after(person, decision): dispute for person, dispute in present.items()}
        elif decision.box is None:
            present = _of_photo(present, decision)
        else:
            at = nearest(decision.box, [place.box for place in places])
            if at is None:
                at = len(places)
                places.append(Place(decision.box))
            places[at] = _of_face(places[at], decision)
    return Standing(tuple(places), present)


def nearest(box: Box, boxes: list[Box]) -> int | None:
    """Which of `boxes` is the same face as `box`; None if none is."""
    if not boxes:
        return None
    over = overlap([box], boxes)[0]
    best = int(over.argmax())
    return best if over[best] >= SAME_FACE else None


def _of_face(place: Place, decision: Decision) -> Place:
    person = decision.person
    match decision.kind:
        case Answer.CONFIRMED if person is not None:
            again = place.disputed == person
            return replace(
                place,
                answer=Answer.CONFIRMED,
                person=person,
                rejected=place.rejected - {person},
                disputed=person if again else None,
                insisted=again,
            )
        case Answer.REJECTED if person is not None:
            rejected = place.rejected | {person}
            if place.person == person:
                return replace(place, answer=None, person=None, rejected=rejected, disputed=None, insisted=False)
            return replace(place, rejected=rejected)
        case Answer.PART if decision.part is not None:
            return replace(place, parts=place.parts | {decision.part})
        case Answer.IGNORED | Answer.NOT_A_FACE:
            return replace(place, answer=decision.kind, person=None, disputed=None, insisted=False)
        case Answer.FORGOTTEN:
            return Place(place.box)
        case Answer.RESTORED:
            return replace(place, answer=None, person=None, disputed=None, insisted=False)
        case Answer.DISPUTED:
            return replace(place, disputed=person, insisted=False)
        case Answer.DRAWN:
            return replace(place, box=decision.box or place.box, drawn=True)
        case Answer.MOVED:
            return replace(place, box=decision.to or place.box, drawn=True)
    return place


def _of_photo(present: Mapping[PersonId, Dispute | None], decision: Decision) -> dict[PersonId, Dispute | None]:
    person = decision.person
    others = {who: dispute for who, dispute in present.items() if who != person}
    if person is None or decision.kind is Answer.ABSENT:
        return others
    if decision.kind is Answer.PRESENT:
        return {**others, person: Dispute.INSISTED if present.get(person) else None}
    return {**others, person: Dispute.OPEN} if person in present else others


def _merged(place: Place, merge: Decision) -> Place:
    """Somebody who was told apart from another person and is the same after all was not told apart."""
    person = None if place.person is None else _after(place.person, merge)
    disputed = None if place.disputed is None else _after(place.disputed, merge)
    rejected = frozenset(_after(who, merge) for who in place.rejected) - {person}
    return replace(place, person=person, rejected=rejected, disputed=disputed)


def _after(person: PersonId, merge: Decision) -> PersonId:
    return merge.other if person == merge.person and merge.other is not None else person
