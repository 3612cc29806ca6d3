"""Kith in digiKam's menus: desktop entries that stand under Open With, and a script for its Batch Queue Manager.

digiKam asks the desktop which programs open a picture's type, entries with NoDisplay included, and gives one all the
selected files (core/libs/widgets/mainview/dservicemenu.cpp of its source; seen in 7.9).
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from kith_digikam.errors import NotWritten

TYPES = (
    *(f"image/{name}" for name in ("jpeg", "png", "tiff", "webp", "heif", "heic", "avif", "jxl", "jp2", "bmp", "gif")),
    *(f"image/x-{name}" for name in ("adobe-dng", "dcraw", "kde-raw", "canon-cr2", "canon-cr3", "canon-crw")),
    *(f"image/x-{name}" for name in ("nikon-nef", "nikon-nrw", "sony-arw", "sony-sr2", "sony-srf", "fuji-raf")),
    *(f"image/x-{name}" for name in ("olympus-orf", "panasonic-rw", "panasonic-rw2", "pentax-pef", "minolta-mrw")),
    *(f"image/x-{name}" for name in ("kodak-dcr", "kodak-k25", "kodak-kdc", "sigma-x3f", "samsung-srw", "epson-erf")),
    *(f"image/x-{name}" for name in ("hasselblad-3fr", "leaf-mos", "mamiya-mef", "phaseone-iiq", "leica-rwl")),
)
SCRIPT = "digikam-batch-queue.sh"
INDEXES = ("kbuildsycoca6", "kbuildsycoca5", "update-desktop-database")  # programs that make desktops see new entries


@dataclass(frozen=True, slots=True)
class Action:
    """An entry of the menu, and the command of `kith digikam` behind it."""

    file: str
    title: str
    comment: str
    command: str


ACTIONS = (
    Action("kith-find-people.desktop", "Find people (Kith)", "Find the faces on these photos", "find"),
    Action(
        "kith-confirm-people.desktop",
        "Confirm the people Kith suggests",
        "Say that Kith is right about everybody on these photos",
        "confirm",
    ),
    Action("kith-review-photo.desktop", "Open in Kith's review page", "Show this photo in Kith", "open"),
)


def applications(environment: Mapping[str, str] = os.environ) -> Path:
    """Where desktop entries of this user belong."""
    base = environment.get("XDG_DATA_HOME", "")
    home = Path(environment.get("HOME") or Path.home())
    return (Path(base) if base.startswith("/") else home / ".local" / "share") / "applications"


def install(program: Path, data: Path, environment: Mapping[str, str] = os.environ) -> list[str]:
    """Put the entries and the script in place; gives what was done, in sentences.

    `program` is the `kith` command, `data` Kith's folder for data. Raises NotWritten.
    """
    folder = applications(environment)
    for path, text in _files(program, data, folder).items():
        _write(path, text)
    _index(folder, environment)
    titles = ", ".join(f"“{action.title}”" for action in ACTIONS)
    return [
        f"In digiKam, right-click photos and choose Open With: {titles}. A digiKam that runs shows them at once.",
        *_queue(data),
    ]


def uninstall(data: Path, environment: Mapping[str, str] = os.environ) -> list[str]:
    """Take entries and script away; gives what was done, in sentences. Raises NotWritten."""
    folder = applications(environment)
    there = [path for path in _files(Path(), data, folder) if path.is_file()]
    for path in there:
        try:
            path.unlink()
        except OSError as error:
            raise NotWritten(f"{path} can't be removed: {error.strerror}.") from error
    if not there:
        return ["Nothing of Kith's is in digiKam's menus."]
    _index(folder, environment)
    return ["Kith is out of digiKam's menus. Names stay, and suggestions that were pushed: `kith digikam push --undo`."]


def status(program: Path, data: Path, environment: Mapping[str, str] = os.environ) -> list[str]:
    """What is in place, in sentences."""
    wanted = _files(program, data, applications(environment))
    there = [path for path in wanted if path.is_file()]
    if not there:
        return ["Kith is not in digiKam's menus; `kith digikam install` puts it there."]
    if any(not path.is_file() or path.read_text("utf-8") != text for path, text in wanted.items()):
        return ["What is in digiKam's menus is not of this Kith; `kith digikam install` renews it."]
    return ["Kith is in digiKam's menus, under Open With.", *_queue(data)]


def _queue(data: Path) -> list[str]:
    return [
        f"For the Batch Queue Manager, its tool User Shell Script (under Custom Tools): {queue_line(data)}",
        "  and choose there, under Behavior, If Target File Exists: Skip automatically. Then no copies are made.",
    ]


def queue_line(data: Path) -> str:
    """What to type into the Batch Queue Manager's tool User Shell Script, which runs it in /bin/sh for each photo."""
    return f"/bin/sh {shlex.quote(str(data / SCRIPT))} $INPUT $OUTPUT"


def _files(program: Path, data: Path, folder: Path) -> dict[Path, str]:
    entries = {folder / action.file: _entry(action, program) for action in ACTIONS}
    return {**entries, data / SCRIPT: _script(program)}


def _entry(action: Action, program: Path) -> str:
    lines = {
        "Type": "Application",
        "Version": "1.0",
        "Name": action.title,
        "Comment": action.comment,
        "Icon": "system-users",
        "Exec": f"{_quoted(str(program))} digikam {action.command} %F",
        "MimeType": "".join(f"{kind};" for kind in TYPES),
        "NoDisplay": "true",  # under Open With only, not in the menu of programs
        "InitialPreference": "0",  # never what a double click starts, while there is anything else
        "Terminal": "false",
        "StartupNotify": "false",
    }
    return "[Desktop Entry]\n" + "".join(f"{key}={value}\n" for key, value in lines.items())


def _quoted(word: str) -> str:
    """A word of Exec, as the Desktop Entry Specification quotes it: once for the command, once for the file."""
    inner = "".join(f"\\{c}" if c in '"`$\\' else c for c in word).replace("%", "%%")
    return f'"{inner}"'.replace("\\", "\\\\")


def _script(program: Path) -> str:
    return (
        "# For the tool User Shell Script of digiKam's Batch Queue Manager, as the first tool of a queue.\n"
        "# It gives digiKam the photo as it is, and lets Kith find the people on it; it never waits for that.\n"
        'cp -p -- "$1" "$2" || exit 1\n'
        f'{shlex.quote(str(program))} digikam find --queue -- "$1" >/dev/null 2>&1 || :\n'
    )


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temp = path.with_name(f".{path.name}.new")
        temp.write_text(text, "utf-8")
        temp.replace(path)
    except OSError as error:
        raise NotWritten(f"{path} can't be written: {error.strerror}.") from error


def _index(folder: Path, environment: Mapping[str, str]) -> None:
    """Let the desktop see what is new at once; it would find out by itself, later."""
    for name in INDEXES:
        if program := shutil.which(name, path=environment.get("PATH")):
            words = [program, str(folder)] if name == INDEXES[-1] else [program]
            _ran(words, environment)


def _ran(words: Iterable[str], environment: Mapping[str, str]) -> bool:
    try:
        done = subprocess.run(list(words), env=dict(environment), check=False, capture_output=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
