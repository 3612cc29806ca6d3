"""Suggestions for all unnamed faces, kept while faces and people change.

A person's exemplars bear only on the faces they are a candidate for (see `matching`). So of every face is remembered
whose candidate it is, and when a person changes, the old and the new candidates are compared again, with all faces of
their photos, because a person stands in a photo once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import compress
from operator import not_

import numpy as np

from kith.people.calibration import Models, probability
from kith.people.clusters import Clusters
from kith.people.cuts import Cuts
from kith.people.faces import Faces, Key
from kith.people.graph import Graph
from kith.people.matching import (
    YEAR,
    Candidates,
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
)
from kith.people.refit import Correction
from kith.people.settings import PeopleSettings
from kith.people.vectors import Flags, Rows
from kith.types import Calibration, FaceId, PersonId, PhotoId, Suggestion

AUTO_ABOVE = {"off": 2.0, "strict": 0.995, "wide": 0.98}  # a probability of 2 is never reached
BECAUSE = 3  # faces shown as the reason of a suggestion
LOOKED_AT = 65536  # vectors compared with a changed person at a time
GROWN_UP = 16.0  # years; younger faces change so fast that
OUTGROWN = float(np.log(1.5))  # at half as old again as every exemplar nobody is named without asking


class Matches:
    """Suggestions by slot, and the sure ones by person."""

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
        self._near: dict[PersonId, set[int]] = defaultdict(set)
        self._candidates: dict[int, tuple[PersonId, ...]] = {}
        self._scale = Scale.of(0, 0)
        self.suggestions: dict[int, Suggestion] = {}
        self.sure: dict[PersonId, set[int]] = defaultdict(set)

    def forget(self, slots: Iterable[int]) -> None:
        """These have gone, or aren't asked about any more."""
        for slot in slots:
            self._consider(slot, ())
            self._suggest(slot, None)

    def update(
        self, changed: set[int], photos: set[PhotoId], named: set[PersonId], born: Mapping[PersonId, float]
    ) -> set[int]:
        """Compare again what can have changed; gives the slots whose suggestion did.

        `changed` are slots in changed clusters, `photos` those where a face came, went or was answered, and `named`
        people with a confirmed face that came, went or was answered.
        """
        people = self._learn(named, born)
        changed = changed | self._bear_on(people, changed)
        scale = Scale.of(len(self._people.ids), len(self._clusters))
        if scale != self._scale:
            self._scale = scale
            changed |= self._candidates.keys()
        slots = self._of_photos(photos | self._photos(changed))
        told = {slot: self.suggestions.get(slot) for slot in slots}
        open_ = self._faces.is_open(slots).tolist()
        self.forget(compress(slots, map(not_, open_)))
        slots = list(compress(slots, open_))
        self._match(slots, self._judged(self._compare(slots)))
        return {slot for slot, suggestion in told.items() if self.suggestions.get(slot) != suggestion}

    def sure_of(self, slot: int) -> PersonId | None:
        """Who a face surely is, though nobody said so."""
        suggestion = self.suggestions.get(slot)
        return suggestion.person if suggestion is not None and slot in self.sure[suggestion.person] else None

    def compare(self, slots: Sequence[int]) -> tuple[People, Pairs]:
        """All candidates of these unnamed faces."""
        return self._people, self._judged(compare(self._probes(slots), self._people, self._stranger, self._cohort))

    def _of_photos(self, photos: Iterable[PhotoId]) -> list[int]:
        """All slots of these photos, canonical within each, on which equal odds depend."""
        return self._faces.on_photos(photos)

    def _photos(self, slots: Iterable[int]) -> set[PhotoId]:
        return {PhotoId(photo) for photo in self._faces.photo[np.fromiter(slots, np.int64)].tolist()}

    def _compare(self, slots: list[int]) -> Candidates:
        """Candidates of whole photos' open slots; who is whose candidate is remembered."""
        candidates = compare(self._probes(slots), self._people, self._stranger, self._cohort)
        ends = np.searchsorted(candidates.probe, np.arange(len(slots) + 1)).tolist()
        people = [self._people.ids[column] for column in candidates.person.tolist()]
        for i, slot in enumerate(slots):
            self._consider(slot, tuple(people[ends[i] : ends[i + 1]]))
        return candidates

    def _judged(self, candidates: Candidates) -> Pairs:
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

    def _bear_on(self, people: set[PersonId], known: set[int]) -> set[int]:
        """Open slots that any of `people` was or is a candidate for, if not all open slots are `known` already."""
        found = set().union(*(self._near.get(person, ()) for person in people))
        exemplars = {person: self._exemplars[person] for person in people if person in self._exemplars}
        if exemplars and len(known) < len(self._faces):
            some = People.of(exemplars, self._graph.vectors, self._graph.taken, self._born)
            vectors = self._graph.vectors
            for start in range(0, len(vectors), LOOKED_AT):
                score = like(vectors[start : start + LOOKED_AT], some)[2].max(axis=1)
                found |= set((start + np.flatnonzero(score > self._stranger)).tolist())
            clusters = self._clusters.averaged()
            for start in range(0, len(clusters), LOOKED_AT):
                block = clusters[start : start + LOOKED_AT]
                score = like(self._clusters.means(block), some)[2].max(axis=1)
                found.update(*(self._clusters.of(n) for n in block[score > self._stranger].tolist()))
        slots = np.fromiter(found, np.int64)
        return set(slots[(self._faces.id[slots] >= 0) & self._faces.is_open(slots)].tolist())

    def _match(self, slots: list[int], pairs: Pairs) -> None:
        corrected = replace(pairs, group=self._correction(pairs.group))
        chosen = assign(self._faces.photo[slots].tolist(), corrected, self._settings.suggest_above)
        suggested = dict(self._suggestions(np.array(slots, np.int64), pairs, chosen[chosen >= 0]))
        for slot in slots:
            self._suggest(slot, suggested.get(slot))

    def _suggestions(self, slots: Rows, pairs: Pairs, chosen: Rows) -> Iterator[tuple[int, Suggestion]]:
        """What is said of the chosen pairs, person by person."""
        by_face = probability(self._correction(pairs.classifier[chosen]))
        by_group = probability(self._correction(pairs.group[chosen]))
        sure = np.minimum(probability(pairs.group[chosen]), by_group) >= self._auto_above
        rows, columns = slots[pairs.probe[chosen]], pairs.person[chosen]
        for column in np.unique(columns).tolist():
            some = np.flatnonzero(columns == column)
            auto = sure[some] & self._may_be_auto(rows[some], column)
            for i, named, because in zip(some.tolist(), auto.tolist(), self._because(rows[some], column), strict=True):
                person = self._people.ids[column]
                yield int(rows[i]), Suggestion(person, float(by_face[i]), float(by_group[i]), named, because)

    def _may_be_auto(self, slots: Rows, column: int) -> Flags:
        """Good enough to be seen, and no child that has outgrown all that is known of it; of one person (M,)."""
        good = self._faces.quality[slots] >= self._settings.min_quality
        born, known = float(self._people.born[column]), self._people.taken[self._people.rows(column)]
        if np.isnan(born):
            return good
        taken = self._graph.taken[slots]
        grown_up = np.minimum(taken, np.nanmax(known, initial=-np.inf)) >= born + GROWN_UP * YEAR
        gap = age_gap(taken, known, born)
        return np.asarray(good & (grown_up | np.isinf(gap) | (gap <= OUTGROWN)))

    def _because(self, slots: Rows, column: int) -> Iterator[tuple[FaceId, ...]]:
        """For each face (M,) the person's exemplars most like it, best first."""
        rows = self._people.rows(column)
        ids = [FaceId(face) for face in self._faces.id[self._people.slots[rows]].tolist()]
        cosines = self._graph.vectors[slots] @ self._people.vectors[rows].T
        for best in np.argsort(-cosines, axis=1, kind="stable")[:, :BECAUSE].tolist():
            yield tuple(ids[i] for i in best)

    def _probes(self, slots: Sequence[int]) -> Probes:
        rows = np.array(slots, np.int64)
        numbers, group = np.unique(self._clusters.first[rows].astype(np.int64), return_inverse=True)
        return Probes(
            slots=rows,
            vectors=self._graph.vectors[rows],
            taken=self._graph.taken[rows],
            barred=[self._faces.barred(slot) for slot in slots],
            group=group,
            means=self._clusters.means(numbers),
            sizes=self._clusters.size[numbers].astype(np.int64),
            named=[self._clusters.named(number) for number in numbers.tolist()],
        )

    def _consider(self, slot: int, people: tuple[PersonId, ...]) -> None:
        before = self._candidates.pop(slot, ())
        for person in before:
            self._near[person].discard(slot)
        if people:
            self._candidates[slot] = people
            for person in people:
                self._near[person].add(slot)

    def _suggest(self, slot: int, suggestion: Suggestion | None) -> None:
        before = self.suggestions.pop(slot, None)
        if before is not None:
            self.sure[before.person].discard(slot)
        if suggestion is not None:
            self.suggestions[slot] = suggestion
            if suggestion.probability_group >= self._settings.join_above:
                self.sure[suggestion.person].add(slot)
