"""Suggestions for all unnamed faces, kept while faces and people change.

A person's exemplars bear only on the faces they are a candidate for (see `matching`). When a person changes, those
for whom they were a candidate or are one now are compared again, with all faces of their photos, because a person
stands in a photo once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kith.people.calibration import Models, probability
from kith.people.clusters import Clusters
from kith.people.cuts import Cuts
from kith.people.faces import NOBODY, Faces, Key, grown
from kith.people.graph import Graph
from kith.people.matching import (
    YEAR,
    Pairs,
    People,
    Probes,
    Scale,
    age_gap,
    assign,
    choose_exemplars,
    compare,
    directions,
    judge,
    like,
    scored,
)
from kith.people.refit import Correction
from kith.people.settings import PeopleSettings
from kith.people.vectors import Doubles, Flags, Rows
from kith.types import Calibration, FaceId, Floats, PersonId, PhotoId, Suggestion

AUTO_ABOVE = {"off": 2.0, "strict": 0.995, "wide": 0.98}  # a probability of 2 is never reached
BECAUSE = 3  # faces shown as the reason of a suggestion
FINE = 4  # decimals of a probability
ASKED = 512  # exemplars of changed people compared with all faces at a time
AT_ONCE = 16384  # faces matched at a time
GROWN_UP = 16.0  # years; younger faces change so fast that
OUTGROWN = float(np.log(1.5))  # at half as old again as every exemplar nobody is named without asking


@dataclass(frozen=True, slots=True, eq=False)
class Guesses:
    """Who some faces may be: `person` (N,) or NOBODY, the probabilities by classifier and by group (N,), auto (N,)."""

    person: NDArray[np.int32]
    by_face: Doubles
    by_group: Doubles
    auto: Flags

    @classmethod
    def nothing(cls, count: int) -> Guesses:
        return cls(np.full(count, NOBODY, np.int32), np.zeros(count), np.zeros(count), np.zeros(count, bool))

    def grown(self, capacity: int) -> Guesses:
        """With room for `capacity` faces."""
        probabilities = grown(self.by_face, capacity, 0.0), grown(self.by_group, capacity, 0.0)
        return Guesses(grown(self.person, capacity, NOBODY), *probabilities, grown(self.auto, capacity, False))

    def at(self, rows: Rows) -> Guesses:
        return Guesses(self.person[rows], self.by_face[rows], self.by_group[rows], self.auto[rows])

    def put(self, rows: Rows, said: Guesses) -> None:
        """This is what is said of the faces at `rows`."""
        self.person[rows], self.auto[rows] = said.person, said.auto
        self.by_face[rows], self.by_group[rows] = said.by_face, said.by_group

    def differs(self, other: Guesses) -> Flags:
        """Where something else is said (N,)."""
        different = (self.person != other.person) | (self.auto != other.auto)
        return np.asarray(different | (self.by_face != other.by_face) | (self.by_group != other.by_group))


class Matches:
    """Suggestions in columns (C,) by slot: `person` or NOBODY, both probabilities, `auto`.

    Probabilities are in steps of 1e-4: finer ones mean nothing, and change with every face that comes.
    """

    def __init__(
        self,
        faces: Faces,
        graph: Graph,
        clusters: Clusters,
        calibration: Calibration,
        settings: PeopleSettings,
        correction: Correction | None,
    ) -> None:
        self._faces, self._graph, self._clusters, self._settings = faces, graph, clusters, settings
        self._models, self._stranger = Models.of(calibration), Cuts.of(calibration, 0).stranger
        self._cohort = directions(calibration.cohort)
        self._auto_above = AUTO_ABOVE[settings.auto] if calibration.measured else AUTO_ABOVE["off"]
        self._correction = correction or Correction()
        self._born: Mapping[PersonId, float] = {}
        self._exemplars: dict[PersonId, list[int]] = {}
        self._people = People.of({}, graph.vectors, graph.taken, {})
        self._scale = Scale.of(0, 0)
        self._guesses = Guesses.nothing(0)

    def grow(self, capacity: int) -> None:
        """Make room for slots below `capacity`."""
        self._guesses = self._guesses.grown(capacity)

    def forget(self, slots: Rows) -> None:
        """These have gone."""
        self._guesses.put(slots, Guesses.nothing(len(slots)))

    def update(
        self, changed: set[int], photos: set[PhotoId], named: set[PersonId], born: Mapping[PersonId, float]
    ) -> set[int]:
        """Compare again what can have changed; gives the slots whose suggestion did.

        `changed` are slots in changed clusters, `photos` those where a face came, went or was answered, and `named`
        people with a face that was said to be them, or not to be, and came, went or was answered.
        """
        before = self._people
        people = self._learn(named, born)
        scale = Scale.of(len(self._people.ids), len(self._clusters))
        if scale == self._scale:
            touched = [np.fromiter(changed, np.int64), *self._bear_on(before.only(people), self._people.only(people))]
        else:
            touched, self._scale = [np.flatnonzero(self._faces.id >= 0)], scale
        touched += [np.array(self._faces.on_photo(photo), np.int64) for photo in photos]
        slots = self._faces.beside(np.unique(np.concatenate(touched)))
        return set().union(*(self._match(some, people) for some in self._in_blocks(slots)))

    def sure_of(self, slots: Rows) -> Rows:
        """Who faces (N,) surely are, though nobody said so, or NOBODY."""
        sure = (self._guesses.by_group[slots] >= self._settings.join_above) & ~self._faces.is_divided(slots)
        return np.where(sure, self._guesses.person[slots], NOBODY)

    def sure(self, person: PersonId) -> Rows:
        """The slots of all who surely are a person."""
        theirs = np.flatnonzero(self._guesses.person == person)
        return np.asarray(theirs[self.sure_of(theirs) == person])

    def suggestions(self, slots: Iterable[int] | None = None) -> dict[int, Suggestion]:
        """What is suggested for these slots, or for all, where anything is."""
        rows = np.flatnonzero(self._guesses.person != NOBODY) if slots is None else np.fromiter(slots, np.int64)
        found: dict[int, Suggestion] = {}
        for person in np.unique(self._guesses.person[rows]).tolist():
            if person != NOBODY:
                found.update(self._suggestions(rows[self._guesses.person[rows] == person], PersonId(person)))
        return found

    def compare(self, slots: Sequence[int]) -> tuple[People, Pairs]:
        """All candidates of these unnamed faces."""
        return self._people, self._candidates(np.array(slots, np.int64))

    def _in_blocks(self, slots: Rows) -> list[Rows]:
        """Slots, photo by photo, in parts that end with a photo."""
        ends = np.flatnonzero(np.diff(self._faces.photo[slots])) + 1
        return np.split(slots, ends[np.flatnonzero(np.diff(ends // AT_ONCE)) + 1])

    def _candidates(self, slots: Rows) -> Pairs:
        candidates = compare(self._probes(slots), self._people, self._stranger, self._cohort)
        return judge(candidates, self._scale, self._models)

    def _learn(self, named: set[PersonId], born: Mapping[PersonId, float]) -> set[PersonId]:
        """Choose the exemplars of `named` anew; gives the people who aren't what they were."""
        if not named and born == self._born:
            return set()
        changed = {
            p for p in born.keys() | self._born.keys() if born.get(p) != self._born.get(p)
        } & self._exemplars.keys()
        self._born = dict(born)
        for person in named:
            slots = self._faces.ordered(self._faces.of_person(person))
            chosen = choose_exemplars(slots, {s: self._faces[s] for s in slots}, self._settings) if slots else []
            self._exemplars.pop(person, None)
            if chosen:
                self._exemplars[person] = chosen
        self._exemplars = dict(sorted(self._exemplars.items(), key=lambda item: self._first(item[0])))
        self._people = People.of(self._exemplars, self._graph.vectors, self._graph.taken, self._born)
        return changed | named

    def _first(self, person: PersonId) -> Key:
        return self._faces.key(self._faces.ordered(self._faces.of_person(person))[0])

    def _bear_on(self, *sides: People) -> Iterator[Rows]:
        """Slots for which any of these people, as they were or are, is a candidate by themselves or by their cluster.

        Clusters that changed as well are looked at anyway.
        """
        sides = tuple(some for some in sides if some.ids)
        if not sides:
            return
        asked = np.unique(np.concatenate([scored(some) for some in sides]), axis=0)
        for start in range(0, len(asked), ASKED):
            some = asked[start : start + ASKED]
            slots = np.unique(self._graph.vectors.coarsely_near(some, self._stranger)[1])
            slots = slots[self._faces.id[slots] >= 0]
            yield slots[self._is_near(self._graph.vectors[slots], sides)]
            numbers = self._clusters.coarsely_near(some, self._stranger)
            yield self._clusters.all_of(numbers[self._is_near(self._clusters.means(numbers), sides)])

    def _is_near(self, vectors: Floats, sides: Iterable[People]) -> Flags:
        """Which of these (N, D) are more like any of the people than strangers are."""
        score = [like(vectors, some)[2].max(axis=1) for some in sides]
        return np.asarray(np.max(score, axis=0) > self._stranger)

    def _match(self, slots: Rows, people: set[PersonId]) -> set[int]:
        """Suggest anew for whole photos' slots; gives those that changed. The exemplars of `people` did."""
        said = Guesses.nothing(len(slots))
        is_open = np.flatnonzero(self._faces.is_open(slots))
        pairs = self._candidates(slots[is_open])
        corrected = replace(pairs, group=self._correction(pairs.group))
        chosen = assign(self._faces.photo[slots[is_open]], corrected, self._settings.suggest_above)
        some = chosen[chosen >= 0]
        said.put(is_open[chosen >= 0], self._worded(slots[is_open][chosen >= 0], pairs, some))
        changed = said.differs(self._guesses.at(slots)) | np.isin(said.person, list(people))
        self._guesses.put(slots, said)
        return set(slots[changed].tolist())

    def _worded(self, slots: Rows, pairs: Pairs, chosen: Rows) -> Guesses:
        """What is said of the slots (N,) for which these pairs (N,) were chosen."""
        columns = pairs.person[chosen]
        by_face, by_group = (probability(self._correction(odds[chosen])) for odds in (pairs.classifier, pairs.group))
        auto = np.minimum(probability(pairs.group[chosen]), by_group) >= self._auto_above
        for column in np.unique(columns[auto]).tolist():
            some = np.flatnonzero(auto & (columns == column))
            auto[some] = self._may_be_auto(slots[some], column)
        ids = np.array(self._people.ids, np.int32)
        return Guesses(ids[columns], by_face.round(FINE), by_group.round(FINE), auto)

    def _may_be_auto(self, slots: Rows, column: int) -> Flags:
        """Good enough to be seen, nothing like it was said not to be them, and no child that has outgrown all that is
        known of it; of one person (M,)."""
        good = self._faces.quality[slots] >= self._settings.min_quality
        good &= ~(self._faces.is_divided(slots) | self._is_nearer_a_no(slots, column))
        born, known = float(self._people.born[column]), self._people.taken[self._people.rows(column)]
        if np.isnan(born):
            return good
        taken = self._graph.taken[slots]
        grown_up = np.minimum(taken, np.nanmax(known, initial=-np.inf)) >= born + GROWN_UP * YEAR
        gap = age_gap(taken, known, born)
        return np.asarray(good & (grown_up | np.isinf(gap) | (gap <= OUTGROWN)))

    def _is_nearer_a_no(self, slots: Rows, column: int) -> Flags:
        """As much like a face that was said not to be a person as like any that was said to be them (M,)."""
        refused = self._faces.refused(self._people.ids[column])
        if not len(refused):
            return np.zeros(len(slots), bool)
        vectors, known = self._graph.vectors[slots], self._people.vectors[self._people.rows(column)]
        return np.asarray((vectors @ self._graph.vectors[refused].T).max(axis=1) >= (vectors @ known.T).max(axis=1))

    def _suggestions(self, slots: Rows, person: PersonId) -> Iterator[tuple[int, Suggestion]]:
        """What is said of slots (M,) that are taken for one person, with the exemplars most like each, best first."""
        rows = self._people.rows(self._people.ids.index(person))
        ids = [FaceId(face) for face in self._faces.id[self._people.slots[rows]].tolist()]
        for start in range(0, len(slots), AT_ONCE):
            some = slots[start : start + AT_ONCE]
            cosines = self._graph.vectors[some] @ self._people.vectors[rows].T
            nearest = np.argsort(-cosines, axis=1, kind="stable")[:, :BECAUSE]
            said = self._guesses.at(some)
            columns = (some, said.by_face, said.by_group, said.auto, nearest)
            for slot, by_face, by_group, auto, best in zip(*(c.tolist() for c in columns), strict=True):
                yield slot, Suggestion(person, by_face, by_group, auto, tuple(ids[i] for i in best))

    def _probes(self, slots: Rows) -> Probes:
        numbers, group = np.unique(self._clusters.first[slots].astype(np.int64), return_inverse=True)
        return Probes(
            slots=slots,
            vectors=self._graph.vectors[slots],
            taken=self._graph.taken[slots],
            barred=self._faces.barred(slots),
            group=group,
            means=self._clusters.means(numbers),
            sizes=np.minimum(self._clusters.size[numbers], self._settings.sample).astype(np.int64),
            named=[self._clusters.named(number) for number in numbers.tolist()],
        )
