"""What the menu actions do, and their outcome in a sentence."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kith_digikam.asking import Asking

AT_ONCE = 1000
OPEN, KNOWN = ("suggested", "auto"), ("confirmed", "auto")  # Kith's states of a face
WHY_NOT = {
    "not-watched": "in none of Kith's folders",
    "not-analysed": "waiting for their turn",
    "offline": "on a disk that isn't there",
    "gone": "gone",
}


@dataclass(frozen=True, slots=True)
class Photos:
    """Some files as Kith knows them, and why it doesn't know the others."""

    known: Sequence[Mapping[str, Any]]
    others: Mapping[Path, str]

    @property
    def faces(self) -> list[Mapping[str, Any]]:
        return [face for photo in self.known for face in photo["faces"]]


def look(kith: Asking, files: Sequence[Path]) -> Photos:
    """What Kith knows of some files."""
    paths = [os.path.realpath(os.fsencode(file)) for file in files]
    told = []
    for start in range(0, len(paths), AT_ONCE):
        told += kith.post("/v1/photos/lookup", paths=paths[start : start + AT_ONCE])["photos"]
    others = {file: photo["reason"] for file, photo in zip(files, told, strict=True) if photo["id"] is None}
    return Photos([photo for photo in told if photo["id"] is not None], others)


def confirm(kith: Asking, photos: Photos) -> str:
    """Say that Kith is right about everybody it suggests on some photos, all as one answer; gives what was done."""
    right: Counter[str] = Counter()
    faces = []
    for photo in photos.known:
        for face in photo["faces"]:
            if face["state"] in OPEN and face["suggestion"]:
                right[face["suggestion"]["person"]["name"]] += 1
                faces.append({"id": face["id"], "rev": photo["rev"]})
    if not faces:
        return f"Kith suggests nobody on {_these(photos)}.{_others(photos)}"
    kith.post("/v1/faces/confirm", faces=faces)
    return f"Confirmed: {_people(right)}. `kith undo` takes it back.{_others(photos)}"


def found(photos: Photos) -> str:
    """Who is on some photos."""
    sure = Counter(face["person"]["name"] for face in photos.faces if face["person"])
    maybe = Counter(f"{face['suggestion']['person']['name']}?" for face in photos.faces if face["suggestion"])
    unknown = len(photos.faces) - sure.total() - maybe.total()
    parts = [_people(sure), _people(maybe), f"{unknown} without a name" if unknown else ""]
    who = "; ".join(part for part in parts if part) or "nobody"
    return f"On {_these(photos)}: {who}.{_others(photos)}"


def page(photos: Photos) -> str:
    """The part of a link to the review page that shows the first of some photos."""
    return f"#/photo/{photos.known[0]['id']}" if photos.known else "#/review"


def _these(photos: Photos) -> str:
    if len(photos.known) == 1:
        return Path(os.fsdecode(photos.known[0]["path"])).name
    return f"{len(photos.known)} photos"


def _people(counted: Counter[str]) -> str:
    return ", ".join(f"{name} ({number})" if number > 1 else name for name, number in counted.most_common())


def _others(photos: Photos) -> str:
    """The photos that Kith doesn't know, by reason."""
    counted = Counter(WHY_NOT.get(reason, reason) for reason in photos.others.values())
    return "".join(
        f" {number} {'photo is' if number == 1 else 'photos are'} {reason}." for reason, number in counted.most_common()
    )
