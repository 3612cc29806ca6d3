"""pack.toml, the description of a model pack: README.md has the format."""

from __future__ import annotations

import tomllib
from base64 import b64decode
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import numpy as np

from kith.errors import ModelCorrupt, ModelMissing
from kith.types import Calibration, Floats

MANIFEST = "pack.toml"
Order = Literal["rgb", "bgr"]
Three = tuple[float, float, float]
Point = tuple[float, float]
Sha256 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
FileName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]*$")]


class PackFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of a pack; `source` says in words or as a URL where it came from."""

    name: FileName
    sha256: Sha256
    source: str = ""


class Files(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    detector: PackFile
    embedder: PackFile


class DetectorTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`mean` and then `scale` are applied to pixels 0..255; below `hint_score` nothing is even a hint of a face."""

    kind: Literal["yunet", "scrfd", "centerface"]
    order: Order
    min_score: float
    hint_score: float
    mean: Three = (0.0, 0.0, 0.0)
    scale: float = 1.0


class EmbedderTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`size` is the chip's side, `template` where the five landmarks lie in it; pixels become (p - mean) / std.

    `flip` averages a chip with its mirror image. `norm_quality`, where the embedding's length before normalising
    tells good faces from bad, holds the lengths of worthless and of good ones.
    """

    size: Annotated[int, msgspec.Meta(ge=16, le=1024)]
    length: Annotated[int, msgspec.Meta(ge=8, le=4096)]
    order: Order
    template: tuple[Point, Point, Point, Point, Point]
    mean: Three = (0.0, 0.0, 0.0)
    std: Three = (1.0, 1.0, 1.0)
    flip: bool = False
    norm_quality: tuple[float, float] | None = None


class CalibrationTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    measured: bool
    cosine_fmr: dict[str, float]
    classifier: dict[str, float] = {}
    group: dict[str, float] = {}
    cohort: tuple[str, ...] = ()  # base64 of 8-bit integers, a direction each

    def directions(self) -> Floats:
        """The cohort (K, D). Raises ValueError where it is no base64."""
        lines = [np.frombuffer(b64decode(line, validate=True), np.int8) for line in self.cohort]
        return np.array(lines, np.float32).reshape(len(lines), -1 if lines else 0)


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What pack.toml says."""

    id: FileName
    version: str
    licence: str
    description: str
    files: Files
    detector: DetectorTable
    embedder: EmbedderTable
    calibration: CalibrationTable

    def __post_init__(self) -> None:
        cohort = self.calibration.directions()
        if len(cohort) and cohort.shape[1] != self.embedder.length:
            raise ValueError(f"the cohort's directions are {cohort.shape[1]} long, embeddings {self.embedder.length}")

    @property
    def beliefs(self) -> Calibration:
        """The calibration as recognition takes it."""
        table = self.calibration
        return Calibration(table.cosine_fmr, table.classifier, table.group, table.measured, table.directions())


def parse_manifest(text: str, where: str) -> Manifest:
    """A manifest from TOML. Raises ModelCorrupt for anything missing, unknown or of the wrong kind."""
    try:
        return msgspec.convert(tomllib.loads(text), Manifest, strict=False)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ModelCorrupt(f"{where} is not a pack description that this version of Kith reads: {error}.") from error


def read_manifest(folder: Path) -> Manifest:
    """What a pack folder says about itself; its models are neither read nor verified.

    Raises ModelMissing where there is no pack, ModelCorrupt where its description can't be used.
    """
    path = folder / MANIFEST
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError as error:
        raise ModelMissing(
            f"There is no model pack in {folder}; install one with `kith models install auto`."
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ModelCorrupt(f"{path} can't be read: {error}.") from error
    return parse_manifest(text, str(path))
