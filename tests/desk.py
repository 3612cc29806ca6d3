"""Kith as its user runs it: the real command, with folders of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

# Commands are forked from a process that has imported what they need, which takes longer than most of them run.
FORKED = get_context("forkserver")
FORKED.set_forkserver_preload(
    [f"kith.{name}" for name in ("cli", "api.inside", "run", "service.views", "service.care", "sidecars")]
    + ["scipy.cluster.hierarchy", "scipy.optimize", "scipy.sparse.csgraph"]
)
LONGEST = 1800.0  # seconds that a command may take

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
        if not self.settings.exists():
            self.configure("")

    def command(self, *words: str | Path) -> list[str]:
        return [sys.executable, "-m", "kith", *map(str, words)]

    def run(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        """The finished command, whatever its exit code: a process of its own, but for Python's start and imports."""
        command = ["kith", *map(str, words)]
        with TemporaryDirectory(prefix="kith-said-") as folder:
            said = Path(folder, "stdout"), Path(folder, "stderr")
            process = FORKED.Process(target=_kith, args=(command, self.environment, *said))
            process.start()
            process.join(LONGEST)
            if process.exitcode is None:
                process.kill()
                raise subprocess.TimeoutExpired(command, LONGEST)
            return subprocess.CompletedProcess(command, process.exitcode, *(path.read_text() for path in said))

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

    @property
    def settings(self) -> Path:
        return self.home / "config" / "kith" / "kith.toml"

    def configure(self, text: str) -> None:
        """Use these settings, and one process that reads photos: a test has few of them."""
        self.settings.parent.mkdir(parents=True, exist_ok=True)
        self.settings.write_text(text if "[analysis]" in text else f"{text}[analysis]\nworkers = 1\n")


def kith_in_python(*words: str) -> str:
    """A Python statement that runs a command in the process it stands in, and goes on after it."""
    return (
        f"import sys, kith.__main__; sys.argv[:] = ['kith', *{list(words)!r}]\n"
        "try: kith.__main__.main()\n"
        "except SystemExit as end: assert not end.code"
    )


def _kith(words: list[str], environment: dict[str, str], stdout: Path, stderr: Path) -> None:
    """Run a command in this process, as if it had been started for it."""
    sys.modules["__main__"] = ModuleType("__main__")  # Kith's workers would import the main program of the tests
    os.environ.clear()
    os.environ.update(environment)
    for path, stream in ((stdout, sys.stdout), (stderr, sys.stderr)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), stream.fileno())
    sys.argv[:] = words
    from kith.__main__ import main

    main()


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
