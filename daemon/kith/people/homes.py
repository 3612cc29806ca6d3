"""What is shown together: people with all that is surely theirs, and the clusters of those nobody named.

All confirmed faces of a person stand in one group, with the sure suggestions and the rest of their clusters, as far
as a person stands in a photo once. What a person's group doesn't take stays with its cluster.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from kith.people.clusters import Clusters
from kith.people.cuts import Cuts
from kith.people.faces import NOBODY, Faces, Key, grown
from kith.people.matches import Matches
from kith.people.settings import PeopleSettings
from kith.people.vectors import Directions, Rows
from kith.types import FaceId, GroupId, PersonId

Home = int  # the number of a cluster, or ~person
NOWHERE = np.iinfo(np.int64).min
NO_GROUP = -1
BLOCK = 64  # faces tried at a time for a core point


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
        self._of = np.zeros(0, np.int64)  # homes by slot
        self._wanted = np.zeros(0, np.int64)  # people by slot, see `_want`
        self._group = np.zeros(0, np.int64)  # by slot
        self._joined: dict[PersonId, Rows] = {}
        self._dirty: set[Home] = set()
        self._bereft: set[PersonId] = set()  # whose group may have room for another face of a photo

    def grow(self, capacity: int) -> None:
        """Make room for slots below `capacity`."""
        self._of, self._group = grown(self._of, capacity, NOWHERE), grown(self._group, capacity, NO_GROUP)
        self._wanted = grown(self._wanted, capacity, NOBODY)

    def forget(self, slots: Iterable[int]) -> None:
        """These are gone."""
        for slot in slots:
            home = int(self._of[slot])
            self._dirty.add(home)
            if home < 0:
                person = PersonId(~home)
                self._joined[person] = self._joined[person][self._joined[person] != slot]
                self._bereft.add(person)
            if self._group[slot] != NO_GROUP:
                self._left[FaceId(int(self._faces.id[slot]))] = GroupId(int(self._group[slot]))
            self._of[slot], self._wanted[slot], self._group[slot] = NOWHERE, NOBODY, NO_GROUP

    def group(self, slot: int) -> GroupId | None:
        group = int(self._group[slot])
        return None if group == NO_GROUP else GroupId(group)

    def groups(self) -> dict[FaceId, GroupId]:
        """All groups by face."""
        slots = np.flatnonzero(self._group != NO_GROUP)
        pairs = zip(self._faces.id[slots].tolist(), self._group[slots].tolist(), strict=True)
        return {FaceId(face): GroupId(group) for face, group in pairs}

    def update(self, touched: set[int], named: set[PersonId], vectors: Directions) -> set[FaceId]:
        """Find the groups of `touched` slots and all that follows; gives the faces whose group changed.

        `touched` are slots whose cluster, answer or suggestion changed, `named` people whose confirmed faces did, or
        other members of their clusters.
        """
        rows = np.fromiter(touched, np.int64)
        people = {PersonId(p) for p in np.unique(self._wanted[rows]).tolist() if p != NOBODY}
        self._want(rows)
        people |= {PersonId(p) for p in np.unique(self._wanted[rows]).tolist() if p != NOBODY}
        people |= {PersonId(~home) for home in np.unique(self._of[rows]).tolist() if NOWHERE < home < 0}
        people |= named | self._bereft
        moved, self._bereft = [rows], set()
        for person in people:
            before = self._joined.pop(person, rows[:0])
            after = self._join(person)
            if len(after):
                self._joined[person] = after
            moved.append(np.setxor1d(before, after))
        rows = np.unique(np.concatenate(moved))
        dirty, self._dirty = self._dirty, set()
        dirty.update(np.unique(self._of[rows]).tolist())
        self._settle(rows)
        dirty.update(np.unique(self._of[rows]).tolist())
        members = {home: self._members(home) for home in dirty - {NOWHERE}}
        return self._number({home: slots for home, slots in members.items() if slots}, vectors)

    def _want(self, slots: Rows) -> None:
        """Find whose group each slot belongs to by answer, else by sure suggestion, else by its cluster."""
        number, inverse = np.unique(self._clusters.first[slots], return_inverse=True)
        by_cluster = np.array([next(iter(self._clusters.named(n)), NOBODY) for n in number.tolist()])
        guessed = self._matches.sure_of(slots)
        confirmed = self._faces.person[slots]
        guessed = np.where(guessed != NOBODY, guessed, by_cluster[inverse] if len(slots) else guessed)
        guessed = np.where(self._faces.is_divided(slots), NOBODY, guessed)
        self._wanted[slots] = np.where(confirmed != NOBODY, confirmed, guessed)

    def _join(self, person: PersonId) -> Rows:
        """The slots of a person's group, ascending: the surest of each photo; larger clusters before smaller ones."""
        confirmed = np.array(self._faces.of_person(person), np.int64)
        if not len(confirmed):
            return confirmed
        numbers = np.unique(self._clusters.first[confirmed]).astype(np.int64)
        numbers = numbers[self._faces.rank(numbers)]
        numbers = numbers[np.argsort(-self._clusters.size[numbers], kind="stable")]
        sure = self._faces.ordered(self._matches.sure(person).tolist())
        others = np.array([*sure, *(slot for n in numbers.tolist() for slot in self._clusters.of(n))], np.int64)
        others = others[self._wanted[others] == person]
        others = others[~np.isin(self._faces.photo[others], self._faces.photo[confirmed])]
        surest = np.unique(self._faces.photo[others], return_index=True)[1]
        return np.sort(np.concatenate([confirmed, others[surest]]))

    def _settle(self, slots: Rows) -> None:
        """Find the homes of slots; those that their person's group doesn't take stay with their cluster."""
        wanted = self._wanted[slots]
        home = self._clusters.first[slots].astype(np.int64)
        for person in np.unique(wanted[wanted != NOBODY]).tolist():
            taken = (wanted == person) & np.isin(slots, self._joined.get(PersonId(person), slots[:0]))
            home[taken] = ~person
        self._of[slots] = home

    def _members(self, home: Home) -> list[int]:
        """In canonical order."""
        if home < 0:
            return self._faces.ordered(self._joined.get(PersonId(~home), ()))
        cluster = np.array(self._clusters.of(home), np.int64)
        if not len(cluster) or cluster[0] != home:
            return []
        return [int(slot) for slot in cluster[self._of[cluster] == home]]

    def _number(self, members: Mapping[Home, Sequence[int]], vectors: Directions) -> set[FaceId]:
        """Give the groups their numbers; a changed group's faces can have had none but those of changed groups."""
        ordered = sorted(members.values(), key=self._key)
        shown = [slots for slots in ordered if self._is_shown(slots, vectors)]
        everyone = np.array([slot for slots in ordered for slot in slots], np.int64)
        before = self._group[everyone]
        ids = [[FaceId(face) for face in self._faces.id[slots].tolist()] for slots in shown]
        numbers = number_groups(ids, self._previous(everyone, before), self.next_group)
        self._group[everyone] = NO_GROUP
        for slots, number in zip(shown, numbers, strict=True):
            self._group[slots] = number
        self._left = {}
        self.next_group = max([self.next_group, *(number + 1 for number in numbers)])
        changed = everyone[self._group[everyone] != before]
        return {FaceId(face) for face in self._faces.id[changed].tolist()}

    def _previous(self, slots: Rows, groups: Rows) -> dict[FaceId, GroupId]:
        """The groups that faces had: those that went and are back had one too."""
        had = groups != NO_GROUP
        pairs = zip(self._faces.id[slots[had]].tolist(), groups[had].tolist(), strict=True)
        return self._left | {FaceId(face): GroupId(group) for face, group in pairs}

    def _is_shown(self, slots: Sequence[int], vectors: Directions) -> bool:
        """Whether one has a name or is a core point: `min_faces` - 1 others are near, poor faces don't count."""
        rows = np.array(slots, np.int64)
        if (self._faces.person[rows] != NOBODY).any():
            return True
        good = rows[self._faces.quality[rows] >= self._settings.min_quality][: self._settings.largest_component]
        if len(good) < self._settings.min_faces:
            return False
        known = vectors[good]
        for start in range(0, len(good), BLOCK):
            near = known[start : start + BLOCK] @ known.T >= self._alike
            near[np.arange(len(near)), start + np.arange(len(near))] = True
            if near.sum(axis=1).max() >= self._settings.min_faces:
                return True
        return False

    def _key(self, slots: Sequence[int]) -> Key:
        return self._faces.key(slots[0])


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
