"""What the graph of likeness promises: leaves are what comparing all pairs gives, however they came about."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest
from scipy.sparse.csgraph import connected_components

from kith.people import PeopleSettings
from kith.people.cuts import Cuts
from kith.people.graph import FEW, Graph
from kith.people.vectors import snap
from people_world import CALIBRATION, World

CUTS = Cuts.of(CALIBRATION, 0)
SETTINGS = PeopleSettings(largest_component=25)


@pytest.fixture(scope="module")
def crowd() -> World:
    """People from loose to dense, chained to one another, some in bursts: components of all sizes at all levels."""
    world = World()
    for spread in np.linspace(0.02, 0.09, 14):
        world.person(int(spread * 400) + 12, spread=float(spread), like=world.vector() + 0.5 * world.last)
    world.person(40, spread=0.004)  # more nearly identical ones than a leaf should have
    for face in world.faces[::3]:
        world.change(face.id, captured_at=float(face.id // 30))
    return world


def leaves_of(graph: Graph, slots: Iterable[int]) -> tuple[set[frozenset[int]], set[frozenset[int]]]:
    """Leaves, and bursts inside them, by slot."""
    leaves, bursts = set(), set()
    for leaf in graph.leaves(np.array(sorted(slots))):
        leaves.add(frozenset(leaf.tolist()))
        number = graph.bursts(leaf)
        bursts |= {frozenset(leaf[number == n].tolist()) for n in np.unique(number)}
    return leaves, bursts


def by_definition(world: World, rows: list[int]) -> tuple[set[frozenset[int]], set[frozenset[int]]]:
    """The same from the matrix of all cosines."""
    vectors = snap(np.stack([world.vectors[r] for r in rows]))
    cosines = vectors @ vectors.T
    taken = np.array([world.faces[r].captured_at for r in rows])
    burst = (cosines >= CUTS.burst) & (np.abs(taken[:, None] - taken) <= SETTINGS.burst_seconds)
    leaves, todo = set(), [(np.arange(len(rows)), 0)]
    levels = CUTS.levels()
    while todo:
        some, level = todo.pop()
        linked = (cosines >= levels[level]) | burst
        number = connected_components(linked[np.ix_(some, some)])[1]
        for part in (some[number == n] for n in np.unique(number)):
            if len(part) <= SETTINGS.largest_component or level + 1 == len(levels):
                leaves.add(frozenset(rows[i] for i in part))
            else:
                todo.append((part, level + 1))
    number = connected_components(burst)[1]
    together = [{rows[i] for i in np.flatnonzero(number == n)} for n in np.unique(number)]
    return leaves, {frozenset(leaf & some) for leaf in leaves for some in together if leaf & some}


def test_all_at_once_one_by_one_and_by_definition_are_the_same(crowd) -> None:
    vectors = snap(np.stack(crowd.vectors))
    assert len(vectors) > FEW
    expected = by_definition(crowd, list(range(len(vectors))))
    assert {len(leaf) > 1 for leaf in expected[0]} == {True, False}
    at_once, one_by_one = Graph(128, CUTS, SETTINGS), Graph(128, CUTS, SETTINGS)
    at_once.add(crowd.faces, vectors)
    for face, vector in zip(crowd.faces, vectors, strict=True):
        one_by_one.add([face], vector[None])
    assert leaves_of(at_once, range(len(vectors))) == expected
    assert leaves_of(one_by_one, range(len(vectors))) == expected


def test_what_goes_leaves_no_trace(crowd) -> None:
    vectors = snap(np.stack(crowd.vectors))
    graph = Graph(128, CUTS, SETTINGS)
    graph.add(crowd.faces, vectors)
    left = set(range(len(vectors)))
    for gone in np.array_split(np.random.default_rng(1).permutation(len(vectors))[:400], 25):
        graph.remove(gone)
        left -= set(gone.tolist())
        assert leaves_of(graph, left) == by_definition(crowd, sorted(left))


def test_every_face_whose_leaf_changes_is_told(crowd) -> None:
    vectors = snap(np.stack(crowd.vectors))
    random = np.random.default_rng(2)
    graph, there = Graph(128, CUTS, SETTINGS), set()
    before: dict[int, frozenset[int]] = {}
    for row in random.permutation(len(vectors))[:300].tolist():
        slots, touched = graph.add([crowd.faces[row]], vectors[row][None])
        there |= set(slots.tolist())
        if len(there) > 40 and random.random() < 0.3:
            gone = random.permutation(sorted(there))[:2]
            there -= set(gone.tolist())
            touched = np.concatenate([touched, graph.remove(gone)])
        after = {slot: leaf for leaf in leaves_of(graph, there)[0] for slot in leaf}
        changed = {slot for slot in there if after[slot] != before.get(slot)}
        assert changed <= set(touched.tolist())
        before = after
