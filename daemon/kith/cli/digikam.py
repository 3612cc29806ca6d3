"""The digiKam bridge: `kith digikam ...`. What it does lives in kith_digikam."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kith.cli.base import PHOTO, Commands, main
from kith.errors import KithError

DATABASE = click.option(
    "--db", "database", type=PHOTO, help="digiKam's database (digikam4.db); without it, what digiKam's settings say."
)


class Bridge(Commands):
    """Commands whose errors the bridge explains."""

    def invoke(self, ctx: click.Context) -> Any:
        from kith_digikam.errors import DigikamError

        try:
            return super().invoke(ctx)
        except DigikamError as error:
            raise KithError(error.message) from error


@main.group("digikam", cls=Bridge)
def digikam() -> None:
    """digiKam: its faces and names as answers, Kith's suggestions in its People view."""


def database_at(given: Path | None) -> Path:
    """The database that was given, or this user's. A folder means the file in it."""
    from kith_digikam import places

    if given is not None:
        return given / places.FILE if given.is_dir() else given
    found = places.find().database
    if found is None:
        raise KithError("digiKam's database is no file.")
    return found
