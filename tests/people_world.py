"""A small made world of faces for the tests of kith.people: people are directions, faces lie around them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from kith.people import PeopleSettings, recognise
from kith.types import (
    Calibration,
    Evidence,
    FaceId,
    Floats,
    Gallery,
    GroupId,
    PersonId,
    PhotoId,
    Recognition,
)

CALIBRATION = Calibration({"1e-3": 0.33, "1e-4": 0.40, "1e-5": 0.46}, {}, {})


class World:
    """Faces under construction; each is in a photo of its own, a month after the one before, unless told otherwise."""

    def __init__(self, seed: int = 0) -> None:
        self._random = np.random.default_rng(seed)
        self.faces: list[Evidence] = []
        self.vectors: list[Floats] = []
        self.last = self.vector()

    def vector(self) -> Floats:
        vector = self._random.normal(size=128)
        return (vector / np.linalg.norm(vector)).astype(np.float32)

    def person(self, count: int, *, like: Floats | None = None, spread: float = 0.04, **told: Any) -> list[FaceId]:
        """`count` faces of somebody new, or of the one whose direction is `like`."""
        self.last = self.vector() if like is None else like
        return [self.add(self.last + spread * self._random.normal(size=128), **told) for _ in range(count)]

    def add(self, vector: Floats, **told: Any) -> FaceId:
        number = len(self.faces)
        face = Evidence(
            id=FaceId(number),
            photo=PhotoId(number),
            order=self._random.bytes(8),
            captured_at=number * 30 * 86400.0,
            quality=0.8,
        )
        self.faces.append(replace(face, **told))
        self.vectors.append((vector / np.linalg.norm(vector)).astype(np.float32))
        return face.id

    def change(self, face: FaceId, **told: Any) -> None:
        self.faces[face] = replace(self.faces[face], **told)

    def say(
        self,
        face: FaceId,
        *,
        person: int | None = None,
        rejected: set[int] | None = None,
        ignored: bool = False,
        parts: set[tuple[int, int]] | None = None,
    ) -> None:
        """What a person answered about a face."""
        self.change(
            face,
            person=None if person is None else PersonId(person),
            rejected=frozenset(PersonId(p) for p in rejected or ()),
            ignored=ignored,
            parts=frozenset(parts or ()),
        )

    def gallery(self) -> Gallery:
        return Gallery(tuple(self.faces), np.stack(self.vectors))

    def recognise(
        self,
        settings: PeopleSettings | None = None,
        *,
        previous: Mapping[FaceId, GroupId] | None = None,
        calibration: Calibration = CALIBRATION,
    ) -> Recognition:
        return recognise(self.gallery(), calibration, previous or {}, settings)
