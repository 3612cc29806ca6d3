"""What the user may change about finding faces."""

from __future__ import annotations

from dataclasses import dataclass, field

from kith.vision.formats import Limits


@dataclass(frozen=True, slots=True)
class VisionSettings:
    """What the user may change.

    `min_score` None means what the pack advises. `min_size` is the smallest face's shorter side in pixels of the
    picture as the detector sees it at its finest. `turned` allows a look at quarter turns where a photo shows no face
    and doesn't say which way is up.
    """

    min_score: float | None = None
    min_size: float = 20.0
    turned: bool = True
    limits: Limits = field(default_factory=Limits)
