"""What is shown together: people with all that is surely theirs, and the clusters of those nobody named.

All confirmed faces of a person stand in one group, with the sure suggestions and the rest of their clusters, as far
as a person stands in a photo once. What a person's group doesn't take stays with its cluster.
"""

from __future__ import annotations

from collections import ChainMap, Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from kith.people.clusters import Cluster, Clusters
from kith.people.cuts import Cuts
from kith.people.faces import Faces, Key, canonical
from kith.people.matches import Matches
from kith.people.settings import PeopleSettings
from kith.types import FaceId, Floats, GroupId, PersonId

Home = tuple[str, int]  # ("person", id) or ("cluster", first slot)


class Homes:
    """The group of each face, kept while clusters, names and suggestions change."""

    def __init__(
        self,
        faces: Faces,
        clusters: Clusters,
        matches: Matches,
        cuts: Cuts,
        settings: PeopleSettings,
        previous: Mapping[FaceId, GroupId],
        next_group: int,
    ) -> None:
        self._faces, self._clusters, self._matches = faces, clusters, matches
        self._alike, self._settings = cuts.same - cuts.decade, settings
        self._left = dict(previous)  # groups of faces that aren't here, or not yet again
        self.next_group = max([next_group, *(g + 1 for g in previous.values())])
        self._of: dict[int, Home] = {}
        self._joined: dict[PersonId, set[int]] = {}
        self._dirty: set[Home] = set()
        self.groups: dict[FaceId, GroupId] = {}

    def forget(self, slots: Iterable[int]) -> None:
        """These are gone."""
        for slot in slots:
            home = self._of.pop(slot)
            self._dirty.add(home)
            if home[0] == "person":
                self._joined[PersonId(home[1])].discard(slot)
            face = self._faces.at[slot].id
            if face in self.groups:
                self._left[face] = self.groups.pop(face)

    def update(self, touched: set[int], named: set[PersonId], vectors: Floats) -> set[FaceId]:
        """Find the groups of `touched` slots and all that follows; gives the faces whose group changed.

        `touched` are slots whose cluster, answer or suggestion changed, `named` people whose confirmed faces did.
        """
        touched = set(touched)
        for person in named | {p for slot in touched for p in self._who(slot)}:
            before = self._joined.pop(person, set())
            after = self._join(person)
            if after:
                self._joined[person] = after
            touched |= before ^ after
        dirty, self._dirty = self._dirty, set()
        for slot in touched:
            dirty |= {self._of.get(slot, ("cluster", slot)), self._home(slot)}
            self._of[slot] = self._home(slot)
        members = {home: self._members(home) for home in dirty}
        return self._number({home: slots for home, slots in members.items() if slots}, vectors)

    def _who(self, slot: int) -> Iterable[PersonId]:
        """People whose group can have lost or gained this slot."""
        home = self._of.get(slot)
        if home is not None and home[0] == "person":
            yield PersonId(home[1])
        wanted = self._wanted(slot)
        if wanted is not None:
            yield wanted

    def _wanted(self, slot: int) -> PersonId | None:
        """The person whose group a slot belongs to by answer, else by sure suggestion, else by its cluster."""
        person = self._faces.at[slot].person
        suggestion = self._matches.suggestions.get(slot)
        if person is not None:
            return person
        if suggestion is not None and slot in self._matches.sure[suggestion.person]:
            return suggestion.person
        return next((p for s in self._clusters.of[slot] if (p := self._faces.at[s].person) is not None), None)

    def _join(self, person: PersonId) -> set[int]:
        """The slots of a person's group, surest first; larger clusters come before smaller ones."""
        at = self._faces.at
        joined = set(self._faces.of_person.get(person, ()))
        if not joined:
            return joined
        photos = {at[slot].photo for slot in joined}
        clusters = {self._clusters.of[slot][0]: self._clusters.of[slot] for slot in joined}
        by_cluster = sorted(clusters.values(), key=lambda c: (-len(c), self._key(c)))
        sure = self._faces.ordered(self._matches.sure.get(person, ()))
        for slot in [*sure, *(slot for cluster in by_cluster for slot in cluster)]:
            if slot not in joined and at[slot].photo not in photos and self._wanted(slot) == person:
                joined.add(slot)
                photos.add(at[slot].photo)
        return joined

    def _home(self, slot: int) -> Home:
        wanted = self._wanted(slot)
        if wanted is not None and slot in self._joined.get(wanted, ()):
            return "person", wanted
        return "cluster", self._clusters.of[slot][0]

    def _members(self, home: Home) -> list[int]:
        """In canonical order."""
        kind, number = home
        if kind == "person":
            return self._faces.ordered(self._joined.get(PersonId(number), ()))
        cluster = self._clusters.of.get(number, ())
        return [slot for slot in cluster if cluster[0] == number and self._of.get(slot) == home]

    def _number(self, members: Mapping[Home, Sequence[int]], vectors: Floats) -> set[FaceId]:
        """Give the groups their numbers; a changed group's faces can have had none but those of changed groups."""
        at = self._faces.at
        ordered = sorted(members.values(), key=self._key)
        ids = [[at[slot].id for slot in slots] for slots in ordered if self._is_shown(slots, vectors)]
        numbers = number_groups(ids, ChainMap(self.groups, self._left), self.next_group)
        everyone = [at[slot].id for slots in ordered for slot in slots]
        before = {face: self.groups.pop(face, None) for face in everyone}
        for group, number in zip(ids, numbers, strict=True):
            self.groups.update(dict.fromkeys(group, number))
        self._left = {}
        self.next_group = max([self.next_group, *(number + 1 for number in numbers)])
        return {face for face, number in before.items() if self.groups.get(face) != number}

    def _is_shown(self, slots: Sequence[int], vectors: Floats) -> bool:
        """Whether one has a name or is a core point: `min_faces` - 1 others are near, poor faces don't count."""
        faces = [self._faces.at[slot] for slot in slots]
        if any(face.person is not None for face in faces):
            return True
        good = [s for s, f in zip(slots, faces, strict=True) if f.quality >= self._settings.min_quality]
        good = good[: self._settings.largest_component]
        if len(good) < self._settings.min_faces:
            return False
        near = vectors[good] @ vectors[good].T >= self._alike
        np.fill_diagonal(near, True)
        return bool(near.sum(axis=1).max() >= self._settings.min_faces)

    def _key(self, slots: Sequence[int] | Cluster) -> Key:
        return canonical(self._faces.at[slots[0]])


def number_groups(
    groups: Sequence[Sequence[FaceId]], previous: Mapping[FaceId, GroupId], next_group: int
) -> list[GroupId]:
    """A number for each of `groups`: the one that most of its members had, else a new one, the largest group first.

    What is equal otherwise is decided by the order of `groups`.
    """
    votes = [
        (-count, i, old)
        for i, faces in enumerate(groups)
        for old, count in Counter(previous[f] for f in faces if f in previous).items()
    ]
    number: dict[int, GroupId] = {}
    taken: set[GroupId] = set()
    for _, i, old in sorted(votes):
        if i not in number and old not in taken:
            number[i] = old
            taken.add(old)
    unnumbered = [i for i in range(len(groups)) if i not in number]
    fresh = sorted(unnumbered, key=lambda i: (-len(groups[i]), i))
    number.update({i: GroupId(next_group + n) for n, i in enumerate(fresh)})
    return [number[i] for i in range(len(groups))]
