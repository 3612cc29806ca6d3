"""Chips to embeddings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import cv2
import numpy as np

from kith.types import Floats, Image

BATCH = 8


class EmbedderSpec(Protocol):
    """What an embedder's pack says about its input and output."""

    @property
    def order(self) -> str: ...
    @property
    def mean(self) -> tuple[float, float, float]: ...
    @property
    def std(self) -> tuple[float, float, float]: ...
    @property
    def flip(self) -> bool: ...
    @property
    def length(self) -> int: ...


class Embedder:
    """An embedding model with its preprocessing."""

    def __init__(self, session: Any, spec: EmbedderSpec) -> None:
        self.session = session
        self.spec = spec
        self._input = session.get_inputs()[0].name

    def __call__(self, chips: Sequence[Image]) -> tuple[Floats, Floats]:
        """Embeddings (N, D) of unit length and the model's own norms (N,) of BGR chips, shape (S, S, 3) uint8.

        With `flip`, a chip's embedding is the mean of its own and its mirror image's before normalising.
        """
        parts = [self._embed(batch) for batch in _batches(chips)]
        raw = np.concatenate(parts) if parts else np.zeros((0, self.spec.length), np.float32)
        norms = np.linalg.norm(raw, axis=1)
        return (raw / np.maximum(norms, 1e-12)[:, None]).astype(np.float32), norms.astype(np.float32)

    def _embed(self, chips: Sequence[Image]) -> Floats:
        x = self.blob(chips)
        if not self.spec.flip:
            return self._run(x)
        both = self._run(np.concatenate([x, x[..., ::-1]]))
        return (both[: len(x)] + both[len(x) :]) * np.float32(0.5)

    def _run(self, x: Floats) -> Floats:
        y = self.session.run(None, {self._input: np.ascontiguousarray(x)})[0]
        return np.asarray(y, np.float32).reshape(len(x), -1)

    def blob(self, chips: Sequence[Image]) -> Floats:
        """The model's input for BGR chips: (N, 3, S, S) float32, (pixel - mean) / std in the pack's channel order."""
        x: Floats = cv2.dnn.blobFromImages(list(chips), swapRB=self.spec.order == "rgb")
        x -= np.array(self.spec.mean, np.float32)[:, None, None]
        x /= np.array(self.spec.std, np.float32)[:, None, None]
        return x


def _batches(chips: Sequence[Image]) -> Iterator[Sequence[Image]]:
    for start in range(0, len(chips), BATCH):
        yield chips[start : start + BATCH]
