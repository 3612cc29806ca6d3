"""Kith as its user runs it: the real command, with folders of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

STORED_TO_DISPLAYED = {
    1: lambda x, y: (x, y),
    2: lambda x, y: (1 - x, y),
    3: lambda x, y: (1 - x, 1 - y),
    4: lambda x, y: (x, 1 - y),
    5: lambda x, y: (y, x),
    6: lambda x, y: (1 - y, x),
    7: lambda x, y: (1 - y, 1 - x),
    8: lambda x, y: (y, 1 - x),
}


class Desk:
    """Runs `kith` with configuration, data, cache and state below one folder."""

    def __init__(self, home: Path) -> None:
        self.home = home
        names = ("CONFIG", "DATA", "CACHE", "STATE")
        self.environment = os.environ | {f"XDG_{name}_HOME": str(home / name.lower()) for name in names}
        (home / "runtime").mkdir(mode=0o700, exist_ok=True)
        self.environment["XDG_RUNTIME_DIR"] = str(home / "runtime")

    def command(self, *words: str | Path) -> list[str]:
        return [sys.executable, "-m", "kith", *map(str, words)]

    def run(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        """The finished command, whatever its exit code."""
        return subprocess.run(
            self.command(*words), env=self.environment, capture_output=True, text=True, check=False, timeout=1800
        )

    def kith(self, *words: str | Path) -> str:
        """What a command that must succeed prints."""
        done = self.run(*words)
        if done.returncode:
            raise AssertionError(
                f"kith {' '.join(map(str, words))}: exit {done.returncode}\n{done.stdout}{done.stderr}"
            )
        return done.stdout

    def json(self, *words: str | Path) -> Any:
        return json.loads(self.kith(*words, "--json"))

    def faces(self, photo: str | Path) -> list[dict[str, Any]]:
        """The faces that `kith faces` gives for a photo."""
        found: list[dict[str, Any]] = self.json("faces", photo)["faces"]
        return found

    def configure(self, text: str) -> None:
        path = self.home / "config" / "kith" / "kith.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@dataclass(frozen=True)
class Kept:
    """A folder that took long to make, to be had as it was made by any number of tests, at the same place."""

    place: Path
    copy: Path

    @classmethod
    def of(cls, place: Path) -> Kept:
        return cls(place, Path(shutil.copytree(place, place.with_name(f"{place.name}-kept"), symlinks=True)))

    def back(self) -> Path:
        shutil.rmtree(self.place)
        shutil.copytree(self.copy, self.place, symlinks=True)
        return self.place


def exiftool(folder: Path, *suffixes: str) -> dict[str, dict[str, Any]]:
    """What exiftool reads of all files with these suffixes below a folder, by path; numbers as numbers."""
    wanted = [word for suffix in suffixes for word in ("-ext", suffix)]
    done = subprocess.run(
        ["exiftool", "-j", "-struct", "-n", "-r", "-charset", "filename=utf8", *wanted, str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    return {entry["SourceFile"]: entry for entry in json.loads(done.stdout or "[]")}


def regions(sidecar: dict[str, Any], orientation: int) -> list[tuple[str, float, float]]:
    """Name and centre, in the displayed frame, of the regions in a sidecar as exiftool gave them."""
    turn = STORED_TO_DISPLAYED[orientation]
    found = sidecar.get("RegionInfo", {}).get("RegionList", [])
    return [(r["Name"], *turn(float(r["Area"]["X"]), float(r["Area"]["Y"]))) for r in found]
