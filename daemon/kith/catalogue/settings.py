"""The few things that Kith must remember once."""

from __future__ import annotations

from sqlite_utils import Database


def get(db: Database, name: str) -> str | None:
    row = db.execute("SELECT value FROM settings WHERE name = ?", [name]).fetchone()
    return None if row is None else str(row[0])


def put(db: Database, name: str, value: str) -> None:
    db.execute("INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)", [name, value])
