"""Embeddings of a folder-per-person data set, made once by Kith's own pipeline, and the two halves of its people."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from kith.errors import KithError
from kith.pools import SpawnPool, each
from kith.types import Analysis, Floats, FoundFace
from kith.vision import VisionSettings, is_photo, worker
from kith.vision.manifest import Manifest, read_manifest

OFTEN = 5  # pictures that make a person one of those whom one would name


@dataclass(frozen=True, eq=False)
class Faces:
    """Faces of some people of a data set: `of` has the rows of each person, the people with most pictures first."""

    vectors: Floats
    quality: Floats
    of: Mapping[str, np.ndarray]

    def regulars(self) -> list[np.ndarray]:
        """Rows of each person with five pictures or more."""
        return [rows for rows in self.of.values() if len(rows) >= OFTEN]

    def singles(self) -> list[np.ndarray]:
        """Rows of each person with one picture."""
        return [rows for rows in self.of.values() if len(rows) == 1]


@dataclass(frozen=True, eq=False)
class DataSet:
    """One face a picture: unit `vectors` (N, D), `quality` (N,), names (N,) and `paths` (N,) within the folder."""

    vectors: Floats
    quality: Floats
    labels: np.ndarray
    paths: np.ndarray

    def half(self, number: int) -> Faces:
        """Every other person: thresholds and weights are chosen on half 0, figures are reported on half 1."""
        everybody = self.everybody()
        return Faces(self.vectors, self.quality, dict(list(everybody.of.items())[number::2]))

    def everybody(self) -> Faces:
        rows: dict[str, list[int]] = {}
        for row, label in enumerate(self.labels.tolist()):
            rows.setdefault(label, []).append(row)
        ordered = sorted(rows, key=lambda name: (-len(rows[name]), name))
        return Faces(self.vectors, self.quality, {name: np.array(rows[name]) for name in ordered})


def load(folder: Path, pack: Path, out: Path, workers: int = 2) -> tuple[Manifest, DataSet]:
    """The face in the middle of each picture of `folder`/PERSON/, or the largest, as a pack sees it.

    Kept in `out`/<pack>.npz and taken from there while neither pack nor listing changes. Raises ModelMissing and
    ModelCorrupt, and SystemExit where the folder isn't laid out so.
    """
    manifest = read_manifest(pack)
    pictures = sorted(p for p in folder.glob("*/*") if is_photo(os.fsencode(p.name)))
    if not pictures:
        raise SystemExit(f"{folder} holds no folders with pictures: a folder for each person is wanted.")
    cache, key = out / f"{manifest.id}.npz", cache_key(manifest, folder, pictures)
    if not cache.exists() or str(np.load(cache)["key"]) != key:
        out.mkdir(parents=True, exist_ok=True)
        columns = embed(folder, pictures, pack, workers)
        np.savez(cache, key=np.array(key), **columns)
    with np.load(cache) as data:
        vectors = data["emb"] / np.linalg.norm(data["emb"], axis=1, keepdims=True)
        return manifest, DataSet(vectors, data["quality"], data["labels"], data["paths"])


def cache_key(manifest: Manifest, folder: Path, pictures: Sequence[Path]) -> str:
    """What embeddings depend on: the pack's id, version and models; the pictures' names and sizes."""
    files = manifest.files
    lines = [manifest.id, manifest.version, files.detector.sha256, files.embedder.sha256]
    lines += [f"{p.relative_to(folder)} {p.stat().st_size}" for p in pictures]
    return hashlib.blake2b("\n".join(lines).encode(errors="surrogateescape"), digest_size=16).hexdigest()


def embed(folder: Path, pictures: Sequence[Path], pack: Path, workers: int) -> dict[str, np.ndarray]:
    """Columns `emb`, `labels`, `paths`, `quality` of the pictures in which the pack sees a face."""
    found: dict[Path, FoundFace] = {}
    with SpawnPool(workers, worker.initialise, (pack, VisionSettings())) as pool:
        tasks = ((p, worker.Request(os.fsencode(p))) for p in pictures)
        for path, future in tqdm(each(pool, worker.analyse_file, tasks, 2 * workers), "faces", len(pictures)):
            try:
                analysis: Analysis = future.result()
            except KithError as error:
                print(error)
                continue
            if analysis.faces:
                found[path] = max(analysis.faces, key=_is_meant)
    if not found:
        raise SystemExit(f"The pack in {pack} sees no face in any picture of {folder}.")
    kept = [p for p in pictures if p in found]
    return {
        "emb": np.stack([found[p].embedding for p in kept]),
        "labels": np.array([p.parent.name for p in kept]),
        "paths": np.array([str(p.relative_to(folder)) for p in kept]),
        "quality": np.array([found[p].quality for p in kept], np.float32),
    }


def _is_meant(face: FoundFace) -> tuple[bool, float]:
    """Ranks faces by how likely a picture is of them: those in its middle, then the largest."""
    box = face.box
    return abs(box.x - 0.5) < box.w / 2 and abs(box.y - 0.5) < box.h / 2, box.w * box.h


def pairs(faces: Faces, most: int = 10) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Rows (P, 2) and cosines (P,) of all pairs of one person, then of two people; at most ten faces of each person."""
    people = np.repeat(np.arange(len(faces.of)), [min(most, len(rows)) for rows in faces.of.values()])
    rows = np.concatenate([rows[:most] for rows in faces.of.values()])
    left, right = np.triu_indices(len(rows), 1)
    cosines = (faces.vectors[rows] @ faces.vectors[rows].T)[left, right]
    both = np.stack([rows[left], rows[right]], axis=1)
    same = people[left] == people[right]
    return both[same], cosines[same], both[~same], cosines[~same]


def cosine_at(strangers: np.ndarray, rate: float) -> float:
    """The least cosine that no more than this share of pairs of strangers reaches."""
    reached = int(rate * len(strangers))
    return float(np.partition(strangers, -1 - reached)[-1 - reached]) + 1e-6


def false_match_cosines(faces: Faces) -> dict[str, float]:
    """Cosines at false match rates 1e-3, 1e-4 and 1e-5, as a pack's calibration has them."""
    strangers = pairs(faces)[3]
    return {f"1e-{n}": round(cosine_at(strangers, 10.0**-n), 4) for n in (3, 4, 5)}
