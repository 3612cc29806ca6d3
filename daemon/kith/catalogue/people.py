"""People: names as a person gave them, compared without regard to case and composition."""

from __future__ import annotations

import unicodedata

from sqlite_utils import Database

from kith.errors import BadRequest
from kith.types import Person, PersonId

LONGEST_NAME = 200

COUNTED = """
    SELECT p.id, p.name, count(f.id), count(DISTINCT f.photo_id)
    FROM people p LEFT JOIN faces f ON f.person_id = p.id
    AND EXISTS (SELECT 1 FROM photos WHERE photos.id = f.photo_id AND photos.missing = 0)
"""


def clean(name: str) -> str:
    """A name as it is kept: NFC, no control characters, single blanks. Raises BadRequest where nothing is left."""
    printable = "".join(" " if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") else c for c in name)
    cleaned = " ".join(unicodedata.normalize("NFC", printable).split())
    if not cleaned:
        raise BadRequest("A name needs at least one visible character.")
    if len(cleaned) > LONGEST_NAME:
        raise BadRequest(f"A name may have at most {LONGEST_NAME} characters.")
    return cleaned


def key(name: str) -> str:
    """A name as it is compared."""
    return unicodedata.normalize("NFC", clean(name).casefold())


def named(db: Database, name: str) -> PersonId:
    """The person of this name, new if need be."""
    row = db.execute("SELECT id FROM people WHERE key = ?", [key(name)]).fetchone()
    if row is None:
        row = db.execute(
            "INSERT INTO people (name, key) VALUES (?, ?) RETURNING id", [clean(name), key(name)]
        ).fetchone()
    return PersonId(row[0])


def all_of(db: Database) -> list[Person]:
    """Everybody, most photographed first."""
    rows = db.execute(f"{COUNTED} GROUP BY p.id ORDER BY 3 DESC, p.name")
    return [Person(*row) for row in rows]


def get(db: Database, person: PersonId) -> Person:
    return Person(*db.execute(f"{COUNTED} WHERE p.id = ? GROUP BY p.id", [person]).fetchone())
