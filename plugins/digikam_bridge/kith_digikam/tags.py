"""digiKam's tags of people: found by name, and made as digiKam makes them.

How it makes them: core/libs/database/tags/facetags.cpp of its source (makeFaceTag, personParentTag); seen in 7.9.
"""

from __future__ import annotations

import sqlite3
import unicodedata
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from kith_digikam.errors import NotWritten

PEOPLE, UNCONFIRMED = "People", "Unconfirmed"  # as digiKam calls them in English; it finds them by their properties
IS_PERSON = ("person", "faceEngineId")
SPECIAL = ("unknownPerson", "unconfirmedPerson", "ignoredPerson")


@dataclass(frozen=True, slots=True)
class Made:
    """A tag that Kith made (`whole`), or one of the user's that Kith made a person."""

    tag: int
    whole: bool


class Tags:
    """The tags of people in an open database of digiKam's; `made` are those that were made through it."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self.made: list[Made] = []
        self.special = {name: tag for name in SPECIAL if (tag := _tag_with(db, name)) is not None}
        self.names: Mapping[int, str] = {
            tag: name for tag, name in _people(db) if tag not in set(self.special.values())
        }
        self._by_key = _by_key(db, self.names)

    def called(self, name: str) -> int | None:
        """The person of this name; of several the one with the most faces."""
        return self._by_key.get(key(name))

    def person(self, name: str) -> int | None:
        """The person of this name, made if need be; None where digiKam uses the name for something else."""
        found = self.called(name)
        if found is None:
            found = self._make(spelled(name), [(known, spelled(name)) for known in IS_PERSON])
            if found is not None:
                self._by_key[key(name)] = found
        return found

    def unconfirmed(self) -> int:
        """The tag that lists unconfirmed faces, made if need be."""
        return self._special("unconfirmedPerson", UNCONFIRMED)

    def unknown(self) -> int:
        """The tag of faces nobody knows, made if need be."""
        return self._special("unknownPerson", "Unknown")

    def _special(self, kind: str, name: str) -> int:
        if kind not in self.special:
            made = self._make(name, [("person", None), (kind, None)])
            if made is None:
                raise NotWritten(f"digiKam's tag {name} has another use. Rename it and try again. Nothing was changed.")
            self.special[kind] = made
        return self.special[kind]

    def _make(self, name: str, properties: list[tuple[str, str | None]]) -> int | None:
        parent = self._parent()
        row = self._db.execute("SELECT id FROM Tags WHERE pid = ? AND name = ?", [parent, name]).fetchone()
        if row and row[0] in self.special.values():
            return None
        tag = int(row[0]) if row else self._insert(parent, name)
        self.made.append(Made(tag, whole=row is None))
        self._db.executemany(
            "INSERT INTO TagProperties (tagid, property, value) VALUES (?, ?, ?)", [(tag, *each) for each in properties]
        )
        return tag

    def _insert(self, parent: int, name: str) -> int:
        row = self._db.execute("INSERT INTO Tags (pid, name) VALUES (?, ?) RETURNING id", [parent, name]).fetchone()
        return int(row[0])

    def _parent(self) -> int:
        """Where digiKam puts people: where its own tags of nobody are, whatever the language calls that."""
        for tag in self.special.values():
            return int(self._db.execute("SELECT pid FROM Tags WHERE id = ?", [tag]).fetchone()[0])
        row = self._db.execute("SELECT id FROM Tags WHERE pid = 0 AND name = ?", [PEOPLE]).fetchone()
        if row:
            return int(row[0])
        tag = self._insert(0, PEOPLE)
        self.made.append(Made(tag, whole=True))
        return tag


def remove(db: sqlite3.Connection, made: Made) -> bool:
    """Take back a tag that nothing uses and nobody changed; whether that was so."""
    used = db.execute(
        "SELECT EXISTS (SELECT 1 FROM ImageTags WHERE tagid = :tag)"
        " OR EXISTS (SELECT 1 FROM ImageTagProperties WHERE tagid = :tag)"
        " OR EXISTS (SELECT 1 FROM Tags WHERE pid = :tag)"
        " OR EXISTS (SELECT 1 FROM Tags WHERE id = :tag AND coalesce(icon, iconkde) IS NOT NULL)"
        " OR EXISTS (SELECT 1 FROM TagProperties WHERE tagid = :tag"
        "            AND property NOT IN ('person', 'faceEngineId', 'unknownPerson', 'unconfirmedPerson'))",
        {"tag": made.tag},
    ).fetchone()[0]
    if used:
        return False
    if made.whole:
        db.execute("DELETE FROM Tags WHERE id = ?", [made.tag])  # a trigger removes its properties
    else:
        db.execute("DELETE FROM TagProperties WHERE tagid = ?", [made.tag])
    return True


def key(name: str) -> str:
    """What two spellings of one name have in common."""
    return spelled(name).casefold()


def spelled(name: str) -> str:
    """A name as a tag of digiKam's can hold it, which separates the levels of its tree by slashes."""
    return unicodedata.normalize("NFC", " ".join(name.split())).replace("/", "\\")


def _tag_with(db: sqlite3.Connection, kind: str) -> int | None:
    row = db.execute(
        "SELECT p.tagid FROM TagProperties p JOIN Tags t ON t.id = p.tagid WHERE p.property = ? ORDER BY 1", [kind]
    ).fetchone()
    return int(row[0]) if row else None


def _people(db: sqlite3.Connection) -> list[tuple[int, str]]:
    return db.execute(
        "SELECT DISTINCT t.id, t.name FROM Tags t JOIN TagProperties p ON p.tagid = t.id WHERE p.property = 'person'"
    ).fetchall()


def _by_key(db: sqlite3.Connection, names: Mapping[int, str]) -> dict[str, int]:
    counted = "SELECT tagid, count(*) FROM ImageTagProperties WHERE property = 'tagRegion' GROUP BY tagid"
    faces: dict[int, int] = defaultdict(int, db.execute(counted).fetchall())
    return {key(names[tag]): tag for tag in sorted(names, key=lambda tag: (faces[tag], -tag))}
