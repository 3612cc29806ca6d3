"""What a user can choose about reading and writing names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# What digiKam, Picasa and Windows call a face that is nobody in particular; the texts of the larger translations.
NOBODY: Final = frozenset(
    {
        "ffffffffffffffff",
        "Ignored",
        "Unknown",
        "Unconfirmed",
        "Ignoriert",
        "Unbekannt",
        "Unbestätigt",
        "Ignoré",
        "Inconnu",
        "Non confirmé",
        "Ignorado",
        "Desconocido",
        "Sin confirmar",
        "Ignorato",
        "Sconosciuto",
        "Non confermato",
        "Genegeerd",
        "Onbekend",
        "Onbevestigd",
    }
)


@dataclass(frozen=True, slots=True)
class Settings:
    """The user's choices.

    `keywords` are the keyword lists that names are written to (see `keywords.LISTS`). `max_regions` is the most
    entries a region list may have, None for no limit: darktable stops writing a sidecar that has ten or more.
    `microsoft` creates MP regions where there are none. `unnamed` also writes faces without a name. `pipe` and
    `slash` stand for `|` and `/` inside a name where those separate the levels of a keyword.
    """

    people_root: str = "People"
    keywords: frozenset[str] = frozenset({"subject", "hierarchicalSubject", "TagsList"})
    max_regions: int | None = 9
    microsoft: bool = False
    unnamed: bool = False
    pipe: str = "¦"
    slash: str = "\\"
    nobody: frozenset[str] = NOBODY
