"""Where digiKam's albums are: its album roots name a volume or a network share, and a folder there.

How digiKam writes the identifiers: core/libs/database/collection/collectionmanager_p.cpp of its source.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from kith_digikam.errors import RootMissing

Query = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Root:
    """An album root. `path` is the folder it is in now, None where that isn't known or isn't there.

    `told` is where digiKam has it, in words: a path, or a folder on a volume.
    """

    id: int
    label: str
    told: str
    path: Path | None


@dataclass(frozen=True, slots=True)
class Mount:
    """A mounted file system: its device (real path), the folder of it that is mounted, and where."""

    device: str
    inside: str
    at: Path


@dataclass(frozen=True, slots=True)
class Volumes:
    """What is mounted on this machine, and which devices are known by which UUID (lower case) and label."""

    mounts: tuple[Mount, ...] = ()
    by_uuid: Mapping[str, str] = field(default_factory=dict)
    by_label: Mapping[str, str] = field(default_factory=dict)

    def folders(self, device: str | None) -> list[Path]:
        """Where a device is mounted; those that show all of it first."""
        found = [mount for mount in self.mounts if mount.device == device]
        return [mount.at for mount in sorted(found, key=lambda mount: (mount.inside != "/", len(str(mount.at))))]


def volumes(mountinfo: Path = Path("/proc/self/mountinfo"), disks: Path = Path("/dev/disk")) -> Volumes:
    """What this machine has now."""
    lines = mountinfo.read_text("utf-8", "surrogateescape").splitlines() if mountinfo.exists() else []
    mounts = tuple(mount for line in lines if (mount := _mount(line)))
    by_uuid = {name.casefold(): device for name, device in _links(disks / "by-uuid")}
    return Volumes(mounts, by_uuid, dict(_links(disks / "by-label")))


def _mount(line: str) -> Mount | None:
    """A line of /proc/self/mountinfo, proc_pid_mountinfo(5)."""
    before, _, after = line.partition(" - ")
    fields, source = before.split(" "), after.split(" ")
    if len(fields) < 5 or len(source) < 2:
        return None
    return Mount(os.path.realpath(_octal(source[1])), _octal(fields[3]), Path(_octal(fields[4])))


def _links(folder: Path) -> Iterable[tuple[str, str]]:
    if not folder.is_dir():
        return []
    return [(_hex(entry.name), os.path.realpath(entry)) for entry in folder.iterdir()]


def _octal(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), text)


def _hex(text: str) -> str:
    return re.sub(r"\\x([0-9a-f]{2})", lambda match: chr(int(match[1], 16)), text)


def resolved(number: int, label: str | None, identifier: str, specific: str | None, here: Volumes) -> Root:
    """The root that a row of AlbumRoots means, where it is on this machine."""
    url = urlsplit(identifier)
    query = _query(url.query)
    folder = (specific or "/").strip("/")
    if url.scheme == "networkshareid" or query.get("path") or query.get("mountpath"):
        places = [Path(place) for place in (*query.get("path", ()), *query.get("mountpath", ()))]
        told = str(_below(places[0], folder)) if places else identifier
    elif query.get("uuid"):
        uuid = query["uuid"][0]
        places = here.folders(here.by_uuid.get(uuid.casefold()))
        told = f"/{folder} on the volume {uuid}"
    elif query.get("label"):
        places = here.folders(here.by_label.get(query["label"][0]))
        told = f"/{folder} on the volume {query['label'][0]!r}"
    else:
        places, told = [], identifier
    there = (path for place in places if (path := _below(place, folder)).is_dir())
    return Root(number, label or told, told, next(there, None))


def _query(text: str) -> Query:
    found: dict[str, list[str]] = {}
    for name, value in parse_qsl(text.replace("+", "%2B"), keep_blank_values=True):
        found.setdefault(name, []).append(value)
    return found


def _below(place: Path, folder: str) -> Path:
    return place / folder if folder else place


def moved(roots: Sequence[Root], moves: Mapping[str, Path]) -> list[Root]:
    """The roots with those that were moved where they are now; a root is named by its label, number or old path.

    Raises RootMissing for a name that no root has, and for a new place that is no folder.
    """
    used = {name: [root.id for root in roots if name in names_of(root)] for name in moves}
    for name, which in used.items():
        if not which:
            known = ", ".join(f"{root.label} ({root.told})" for root in roots)
            raise RootMissing(f"digiKam has no collection {name}. It has: {known}")
        if not moves[name].is_dir():
            raise RootMissing(f"{moves[name]} is not a folder.")
    now = {number: moves[name] for name, which in used.items() for number in which}
    return [replace(root, path=now.get(root.id, root.path)) for root in roots]


def names_of(root: Root) -> set[str]:
    """What a root can be called by."""
    here = {str(root.path)} if root.path else set()
    return here | {root.label, str(root.id), root.told, root.told.rstrip("/")}
