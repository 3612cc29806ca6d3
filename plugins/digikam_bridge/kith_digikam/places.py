"""Where digiKam keeps its settings and its database: `digikamrc`, of a package, an AppImage, a Flatpak or a snap."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from configparser import ConfigParser
from configparser import Error as ConfigError
from dataclasses import dataclass
from pathlib import Path

from kith_digikam.errors import NotFound, NotSqlite

FILE = "digikam4.db"
ELSEWHERE = (".var/app/org.kde.digikam/config", "snap/digikam/current/.config")  # below home: Flatpak, snap


@dataclass(frozen=True, slots=True)
class Place:
    """One digiKam of this user: its settings file, and its database file where that is SQLite (else None).

    `server` names the database server in words where there is one. The file need not exist.
    """

    settings: Path
    database: Path | None
    server: str | None = None


def settings_files(home: Path, environment: Mapping[str, str]) -> list[Path]:
    """Every `digikamrc` there is, the usual one first."""
    chosen = environment.get("XDG_CONFIG_HOME", "")
    usual = Path(chosen) if chosen.startswith("/") else home / ".config"
    folders = (usual, *(home / folder for folder in ELSEWHERE))
    return [path for folder in folders if (path := folder / "digikamrc").is_file()]


def read(path: Path, home: Path) -> Mapping[str, Mapping[str, str]]:
    """A KDE settings file: group -> key -> value, with `$HOME` and `~` in values marked `[$e]` filled in.

    Lines that are none of these are left out.
    """
    parser = ConfigParser(
        delimiters=("=",), comment_prefixes=("#",), interpolation=None, strict=False, allow_no_value=True
    )
    parser.optionxform = str  # type: ignore[assignment, method-assign]  # KDE's keys tell case apart
    try:
        parser.read_string(path.read_text("utf-8", "surrogateescape"))
    except ConfigError as error:
        raise NotFound(f"{path} can't be read as digiKam's settings; say which database with --db.") from error
    return {group: _entries(parser[group].items(), home) for group in parser.sections()}


def _entries(items: Iterable[tuple[str, str | None]], home: Path) -> Mapping[str, str]:
    found = {}
    for key, value in items:
        name, _, flags = key.partition("[$")
        text = _unescaped(value or "")
        found[name.strip()] = _filled_in(text, home) if "e" in flags else text
    return found


def _unescaped(value: str) -> str:
    """KConfig writes blanks at the ends as `\\s`, and a backslash as two."""
    letters = {"s": " ", "t": "\t", "n": "\n", "r": "\r", "\\": "\\"}
    return re.sub(r"\\(.)", lambda match: letters.get(match[1], match[0]), value)


def _filled_in(value: str, home: Path) -> str:
    return re.sub(r"^~(?=/|$)|\$HOME\b|\$\{HOME\}", lambda _: str(home), value)


def place(settings: Path, home: Path) -> Place | None:
    """Where the digiKam with these settings keeps its database; None where it was never set up."""
    group = read(settings, home).get("Database Settings", {})
    kind, name = group.get("Database Type", ""), group.get("Database Name", "")
    if kind == "QMYSQL":
        internal = group.get("Internal Database Server", "").casefold() == "true"
        host = group.get("Database Hostname") or "this machine"
        return Place(settings, None, "its own MySQL server" if internal else f"a MySQL server on {host}")
    if not name:
        return None
    path = Path(name)
    return Place(settings, path if path.name == FILE else path / FILE)


def find(home: Path | None = None, environment: Mapping[str, str] = os.environ) -> Place:
    """The digiKam of this user. Raises NotFound where there is none or one of several, NotSqlite for MySQL."""
    home = home or Path.home()
    found = [there for path in settings_files(home, environment) if (there := place(path, home))]
    here = [there for there in found if there.database and there.database.is_file()]
    if len(here) > 1:
        several = ", ".join(str(there.database) for there in here)
        raise NotFound(f"There are several digiKams here; say which database with --db: {several}")
    if here:
        return here[0]
    for there in found:
        if there.server:
            raise NotSqlite(
                f"This digiKam keeps its data on {there.server}, which Kith doesn't read. In digiKam, choose Settings "
                "> Database Migration, copy everything to SQLite, and give Kith the new file: --db FOLDER/digikam4.db. "
                "You can go on with MySQL in digiKam; copy again before the next import."
            )
        raise NotFound(f"{there.settings} says that digiKam's database is {there.database}, but there is no such file.")
    raise NotFound("No digiKam was found for this user. If there is one, say where its database is: --db digikam4.db")
