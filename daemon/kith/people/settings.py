"""What a user or a test may turn; everything else is measured and ships with the model pack."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

AutoLevel = Literal["off", "strict", "wide"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleSettings:
    """How faces become groups and names.

    `min_faces`: similar faces that make a group worth asking about. `strictness` -1..1: how much more alike faces
    must be to stand in one group than the pack advises, in steps of one decade of false match rate. `auto`: which
    names are given without asking. `suggest_above`: the least probability of a suggestion. `min_quality`: what a
    face must have to teach (exemplar), to be named automatically and to found a group. The rest are limits of cost:
    `largest_component` bounds what is grouped at a time, a cluster tells by its first `sample` faces, and above
    `exact_up_to` faces only the `neighbours` nearest that an index proposes are looked at at once; it holds about
    `crowd` faces of those that are all close to one another.
    """

    min_faces: int = 3
    strictness: float = 0.0
    auto: AutoLevel = "strict"
    suggest_above: float = 0.3
    join_above: float = 0.9
    min_quality: float = 0.05
    exemplars: int = 32
    burst_seconds: float = 3.0
    neighbours: int = 128
    crowd: int = 16
    exact_up_to: int = 1_000_000
    largest_component: int = 1_000
    sample: int = 64
