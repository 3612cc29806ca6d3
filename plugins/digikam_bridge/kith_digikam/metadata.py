"""digiKam's metadata settings that decide whether names get from Kith to digiKam and back; only read, never changed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kith_digikam import places

GROUP = "Metadata Settings"
SIDECARS, BEHAVIOR = "Metadata > Sidecars", "Metadata > Behavior"
WRITES_SIDECARS = ("1", "2")  # "Metadata Writing Mode": to the sidecar only, to both; 0 is to the photo


@dataclass(frozen=True, slots=True)
class Advice:
    """A setting as it should be: what to do in digiKam's own words, and why."""

    do: str
    why: str

    def __str__(self) -> str:
        return f"{self.do}: {self.why}."


def advice(settings: Mapping[str, Mapping[str, str]]) -> list[Advice]:
    """What to change in the settings of a digiKam, if anything. Missing entries are as digiKam has them at first."""
    group = settings.get(GROUP, {})
    found = []
    if not _is_on(group, "Use XMP Sidecar For Reading"):
        found.append(_do(SIDECARS, "tick", "Read from sidecar files", "names that Kith writes are seen by digiKam"))
    if _is_on(group, "Use Compatible File Name"):
        found.append(
            _do(
                SIDECARS,
                "untick",
                "Sidecar file names are compatible with commercial programs",
                "digiKam looks for IMG.xmp, and Kith and darktable write IMG.JPG.xmp",
            )
        )
    if not _is_on(group, "Rescan File If Modified"):
        found.append(
            _do(
                BEHAVIOR,
                "tick",
                "Rescan file when files are modified",
                "else digiKam reads a photo's names once, and no later ones",
            )
        )
    if _is_on(group, "Clear Metadata If Rescan"):
        found.append(
            _do(
                BEHAVIOR,
                "untick",
                "Clean up the metadata from the database when rescan files",
                "a rescan removes suggestions, and faces that are in no file",
            )
        )
    if not _is_on(group, "Save FaceTags"):
        found.append(
            _do(
                BEHAVIOR,
                "tick",
                "Face Tags (including face areas)",
                "faces that you confirm in digiKam get to Kith at once; else with the next `kith digikam import`",
            )
        )
    elif not _writes_sidecars(group):
        found.append(
            _do(
                SIDECARS,
                "tick",
                "Write to sidecar files",
                "faces that you confirm are written into the photos themselves, where an older sidecar hides them",
            )
        )
    if _is_on(group, "Use Lazy Synchronization"):
        found.append(
            _do(
                BEHAVIOR,
                "untick",
                "Use lazy synchronization",
                "else what you confirm is written only when digiKam ends or you choose to",
            )
        )
    return found


def advised(home: Path | None = None, environment: Mapping[str, str] = os.environ) -> list[str]:
    """The advice for each digiKam of this user, in sentences."""
    home = home or Path.home()
    sentences = []
    for file in places.settings_files(home, environment):
        wanted = advice(places.read(file, home))
        if wanted:
            sentences.append(f"In digiKam, under Settings > Configure digiKam ({file}):")
            sentences += [f"  {each}" for each in wanted]
        else:
            sentences.append(f"digiKam's metadata settings ({file}) are as they should be.")
    return sentences or ["There is no digiKam of yours; start it once, so that it makes its settings."]


def _do(page: str, what: str, label: str, why: str) -> Advice:
    return Advice(f"{page}, {what} “{label}”", why)


def _is_on(group: Mapping[str, str], key: str) -> bool:
    return group.get(key, "").casefold() in ("true", "1", "yes", "on")


def _writes_sidecars(group: Mapping[str, str]) -> bool:
    return group.get("Metadata Writing Mode", "0") in WRITES_SIDECARS
