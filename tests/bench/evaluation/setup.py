"""What all sections share: the pack, the two halves of the people, the rivals at their best on the first."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from evaluation.faces import DataSet, Faces, false_match_cosines, load
from evaluation.fit import LIBRARIES, fitted
from evaluation.libraries import Library, crowd, make_library
from evaluation.rivals import Rival, choose
from kith.types import Calibration
from kith.vision.manifest import Manifest


@dataclass(frozen=True, eq=False)
class Setup:
    """`first` are the people on whom thresholds are chosen, `second` those on whom figures are reported."""

    pack: Manifest
    data: DataSet

    @classmethod
    def of(cls, faces: Path, pack: Path, out: Path) -> Setup:
        return cls(*load(faces, pack, out))

    @property
    def calibration(self) -> Calibration:
        """As it ships with the pack."""
        return self.pack.beliefs

    @cached_property
    def first(self) -> Faces:
        return self.data.half(0)

    @cached_property
    def second(self) -> Faces:
        return self.data.half(1)

    @cached_property
    def people(self) -> np.ndarray:
        """Number of the person in each picture (N,)."""
        return np.unique(self.data.labels, return_inverse=True)[1]

    @cached_property
    def crossed(self) -> tuple[tuple[Faces, Calibration], ...]:
        """Each half of the people with what was learned from the other half alone: cosines, cohort and weights."""
        halves = ((self.first, self.second), (self.second, self.first))
        return tuple((one, fitted(other, one, false_match_cosines(other), LIBRARIES)) for one, other in halves)

    @cached_property
    def first_crowd(self) -> Library:
        return crowd(self.first, 0)

    @cached_property
    def second_crowd(self) -> Library:
        return crowd(self.second, 0)

    @cached_property
    def rivals(self) -> tuple[Rival, ...]:
        return choose(self.first_crowd, self.calibration.cosine_fmr["1e-5"])

    def library(self, seed: int) -> Library:
        """A made library of the second half's people."""
        return make_library(self.second, seed, 1 - self.calibration.cosine_fmr["1e-3"])
