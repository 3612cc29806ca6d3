"""The law of the recogniser: whatever came, went and was answered before, it holds what all at once gives."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kith.people import PeopleSettings, Recogniser, recognise
from kith.types import Evidence, FaceId, Floats, Gallery, PersonId, PhotoId
from laws import tried
from people_world import CALIBRATION, World

SMALL = PeopleSettings(min_faces=2, auto="wide", largest_component=12, exemplars=2, sample=3)
CLOSE = PeopleSettings(min_faces=2, auto="wide", strictness=-1)
APART = PeopleSettings(min_faces=2, auto="wide", strictness=4, burst_seconds=0.5)  # many clusters
WEIGHED = replace(
    CALIBRATION,
    classifier={"bias": -8.0, "nearest": 12.0, "centroid": 6.0, "margin": 5.0, "years": -0.2, "face_cohort": -1.0},
    group={
        "bias": -5.0,
        "nearest": 5.0,
        "margin": 3.0,
        "exemplars": -0.3,
        "group_cohort": -1.0,
        "people": -0.5,
        "clusters": -1.0,
        "group_nearest": 12.0,
        "group_centroid": 5.0,
        "group_margin": 3.0,
        "group_size": 0.2,
        "group_named": 0.5,
        "group_other": -1.0,
    },
    cohort=np.eye(128, dtype=np.float32)[:8],
)


@st.composite
def crowds(draw: st.DrawFn) -> World:
    """A few people, some alike, with faces that share photos and bursts; some are copies of others."""
    world = World(draw(st.integers(0, 2**32 - 1)))
    for count in draw(st.lists(st.integers(1, 6), min_size=2, max_size=6)):
        alike = world.last if draw(st.booleans()) else world.vector()
        world.person(count, like=world.vector() + draw(st.sampled_from([0.0, 0.7])) * alike, spread=0.07)
    if draw(st.booleans()):
        world.add(world.vectors[0])
    for i in range(len(world.faces)):
        photo = PhotoId(draw(st.integers(0, len(world.faces))))
        taken = draw(st.sampled_from([None, photo * 2.0, photo * 1e8]))
        world.change(FaceId(i), photo=photo, captured_at=taken, quality=draw(st.sampled_from([0.0, 0.8])))
    return world


@st.composite
def answered(draw: st.DrawFn, face: Evidence) -> Evidence:
    person = draw(st.sampled_from([None, None, PersonId(1), PersonId(2), PersonId(3)]))
    rejected = frozenset(draw(st.sets(st.sampled_from([PersonId(1), PersonId(2)]), max_size=1))) - {person}
    parts = frozenset(draw(st.sets(st.sampled_from([(1, 1), (1, 2), (2, 1), (2, 2), (2, 3)]), max_size=2)))
    ignored = person is None and draw(st.booleans())
    return replace(face, person=person, rejected=rejected, ignored=ignored, parts=parts)


@tried(80)
@given(st.data(), crowds(), st.sampled_from([SMALL, CLOSE, APART]))
def test_step_by_step_gives_what_all_at_once_gives(data, world, some) -> None:
    recogniser = Recogniser(WEIGHED, some)
    held: dict[FaceId, tuple[Evidence, Floats]] = {}
    born: dict[PersonId, float] = {}
    for _ in range(data.draw(st.integers(1, 6))):
        touched = data.draw(st.lists(st.sampled_from(world.faces), unique_by=lambda f: f.id, max_size=8))
        gone = [f.id for f in touched if f.id in held and data.draw(st.booleans())]
        changed = [data.draw(answered(f)) for f in touched if f.id not in gone]
        if data.draw(st.booleans()):
            born = {PersonId(1): data.draw(st.sampled_from([0.0, 1e9]))}
        vectors = {f.id: world.vectors[data.draw(st.sampled_from([f.id, f.id, 0]))] for f in changed}
        held = {face: said for face, said in held.items() if face not in gone}
        held |= {f.id: (f, vectors[f.id]) for f in changed}
        before, number = recogniser.recognition, recogniser.next_group
        arrays = np.stack(list(vectors.values())) if changed else np.zeros((0, 128), np.float32)
        changes = recogniser.update(Gallery(tuple(changed), arrays, born), gone)
        whole = np.stack([v for _, v in held.values()]) if held else arrays
        everything = Gallery(tuple(f for f, _ in held.values()), whole, born)
        after = recogniser.recognition
        assert after == recognise(everything, WEIGHED, before.groups, some, next_group=number)
        for then, now, told in (
            (before.groups, after.groups, changes.groups),
            (before.suggestions, after.suggestions, changes.suggestions),
        ):
            assert all(told[face] == now.get(face) for face in told)
            assert {f for f in then.keys() | now.keys() if then.get(f) != now.get(f)} <= told.keys()


@tried(40)
@given(st.data(), crowds())
def test_one_by_one_in_any_order_gives_the_same_people(data, world) -> None:
    faces = [data.draw(answered(face)) for face in world.faces]
    order = data.draw(st.permutations(range(len(faces))))
    recogniser = Recogniser(WEIGHED, SMALL)
    for i in order:
        recogniser.update(Gallery((faces[i],), world.vectors[i][None]))
    at_once = recognise(Gallery(tuple(faces), np.stack(world.vectors)), WEIGHED, {}, SMALL)
    assert recogniser.recognition.suggestions == at_once.suggestions
    assert people(recogniser.recognition.groups) == people(at_once.groups)


@tried(40)
@given(st.data(), crowds())
def test_a_whole_gallery_is_taken_over_by_what_differs(data, world) -> None:
    recogniser = Recogniser(WEIGHED, SMALL)
    for _ in range(3):
        faces = [data.draw(answered(f)) for f in data.draw(st.lists(st.sampled_from(world.faces), unique_by=id))]
        vectors = np.stack([world.vectors[f.id] for f in faces]) if faces else np.zeros((0, 128), np.float32)
        before, number = recogniser.recognition.groups, recogniser.next_group
        gallery = Gallery(tuple(faces), vectors)
        assert recogniser.recognise(gallery) == recognise(gallery, WEIGHED, before, SMALL, next_group=number)


@tried(40)
@given(st.data(), crowds(), st.sampled_from([0, 1]), st.sampled_from([1, 2, 9]))
def test_what_an_index_missed_is_made_up_for(data, world, neighbours, crowd) -> None:
    some = replace(SMALL, exact_up_to=3, neighbours=neighbours, crowd=crowd)
    faces = [data.draw(answered(face)) for face in world.faces]
    recogniser = Recogniser(WEIGHED, some)
    held: set[FaceId] = set()
    for i in data.draw(st.permutations(range(len(faces)))):
        gone = [face for face in held if data.draw(st.integers(0, 9)) == 0]
        recogniser.update(Gallery((faces[i],), world.vectors[i][None]), gone)
        held = held - set(gone) | {faces[i].id}
        if data.draw(st.booleans()):
            recogniser.tend(data.draw(st.integers(1, 3)))
    while recogniser.waiting():
        recogniser.tend(3)
    left = sorted(held)
    at_once = recognise(Gallery(tuple(faces[i] for i in left), np.stack(world.vectors)[left]), WEIGHED, {}, SMALL)
    assert recogniser.recognition.suggestions == at_once.suggestions
    assert people(recogniser.recognition.groups) == people(at_once.groups)


def people(groups: dict[FaceId, int]) -> set[frozenset[FaceId]]:
    members: dict[int, set[FaceId]] = {}
    for face, group in groups.items():
        members.setdefault(group, set()).add(face)
    return {frozenset(m) for m in members.values()}
