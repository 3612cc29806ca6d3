"""The cosines that grouping decides by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kith.people.vectors import Doubles
from kith.types import Calibration

EDGE = 1.0  # decades of false match rate below 1e-5 at which faces are looked at together
TIGHTER = (0, 0.5, 1, 1.5, 2, 3, 4, 6, 8)  # decades above the edge at which oversized components are cut


@dataclass(frozen=True, slots=True)
class Cuts:
    """Cosines from a pack's calibration.

    `same`: at a false match rate of 1e-5 (and `strictness` decades less). `decade`: what one decade of false match
    rate is worth there. `stranger`: at 1e-3, where being alike begins to mean anything. `edge`: faces less alike
    share no component. `burst`: near-identical. `one`: means of clusters so alike are one person's.
    """

    same: float
    decade: float
    stranger: float
    edge: float
    burst: float
    one: float

    @classmethod
    def of(cls, calibration: Calibration, strictness: float) -> Cuts:
        rare, rarer = calibration.cosine_fmr["1e-4"], calibration.cosine_fmr["1e-5"]
        decade = rarer - rare
        same = rarer + strictness * decade
        stranger = calibration.cosine_fmr["1e-3"]
        return cls(same, decade, stranger, edge=same - EDGE * decade, burst=(1 + rarer) / 2, one=(2 + rarer) / 3)

    def levels(self) -> Doubles:
        """Ever tighter cosines, the edge first."""
        cosines = [self.edge + step * self.decade for step in TIGHTER]
        return np.array([c for c in cosines if c < 1] or [self.edge], np.float64)
