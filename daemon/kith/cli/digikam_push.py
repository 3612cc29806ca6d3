"""`kith digikam push`: Kith's suggestions into digiKam's People view."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kith import paths
from kith.cli.base import JSON, answering, count, print_json
from kith.cli.digikam import DATABASE, database_at, digikam
from kith.errors import BadRequest

if TYPE_CHECKING:
    from kith_digikam.pushing import Done

MOVED = click.option("--root", "moved", multiple=True, metavar="OLD=NEW", help="Where a moved collection is now.")


@digikam.command()
@DATABASE
@MOVED
@click.option("--confirmed", is_flag=True, help="Push faces that were confirmed in Kith, too, as confirmed ones.")
@click.option("--unknown", is_flag=True, help="Push faces that nobody has named, too, as unknown ones.")
@click.option(
    "--replace", is_flag=True, help="Let Kith's suggestions take the place of digiKam's own unconfirmed ones."
)
@click.option("--dry-run", is_flag=True, help="Only say what would be pushed.")
@click.option("--undo", is_flag=True, help="Take away what Kith pushed and you have not touched in digiKam.")
@JSON
def push(
    database: Path | None,
    moved: Sequence[str],
    confirmed: bool,
    unknown: bool,
    replace: bool,
    dry_run: bool,
    undo: bool,
    as_json: bool,
) -> None:
    """Put Kith's suggestions into digiKam as unconfirmed faces, while digiKam is closed.

    A copy of the database is changed and checked, and then takes its place; the original is kept beside it.
    """
    from kith_digikam import pushing

    path, folder = database_at(database), paths.of_user().data / "digikam"
    if undo:
        taken, backup = pushing.undo(path, folder)
        if as_json:
            print_json({"taken": taken, "backup": None if backup is None else str(backup)})
            return
        click.echo(f"{count(taken, 'face')} taken out of digiKam again." if taken else "There is nothing to take back.")
        _kept(backup)
        return
    wish = pushing.Wish(confirmed=confirmed, unknown=unknown, replace=replace)
    with answering() as kith:
        done = pushing.push(path, kith, folder, _roots(path, moved), wish, dry_run=dry_run)
    print_json(_json(done)) if as_json else _tell(done, dry_run=dry_run)


def _roots(path: Path, moved: Sequence[str]) -> Mapping[int, Path]:
    """Where digiKam's collections are; those that aren't there are named, the rest goes on."""
    from kith_digikam import albums, marks

    pairs = dict(each.split("=", 1) for each in moved if "=" in each)
    if len(pairs) < len(moved):
        raise BadRequest("Say which collection is where: --root OLD=NEW")
    roots = albums.moved(marks.roots(path), {name: Path(new) for name, new in pairs.items()})
    for root in roots:
        if root.path is None:
            click.echo(
                f"{root.label} ({root.told}) isn't there; if it was moved: --root '{root.label}=FOLDER'", err=True
            )
    return {root.id: root.path for root in roots if root.path is not None}


def _tell(done: Done, *, dry_run: bool) -> None:
    from kith_digikam.reading import State

    if done.said:
        click.echo(f"{count(done.said, 'suggestion')} that you rejected in digiKam: Kith knows it now.")
    people = done.plan.people()
    for name, faces in people.items():
        click.echo(f"{faces:6,}  {name}")
    parts = [f"{count(sum(people.values()), 'suggestion')} for {count(len(people), 'person', 'people')}"]
    for state, what in ((State.CONFIRMED, "confirmed face"), (State.UNKNOWN, "unknown face")):
        if number := done.plan.count(state):
            parts.append(count(number, what))
    if done.plan.take:
        parts.append(f"{count(len(done.plan.take), 'older one')} taken back")
    if done.plan.is_empty:
        click.echo("digiKam has all that Kith can suggest.")
    else:
        click.echo(f"{', '.join(parts)}{' would be pushed' if dry_run else ' pushed to digiKam'}.")
    _left_out(done)
    _kept(done.backup)
    if done.backup is not None:
        click.echo("`kith digikam push --undo` takes out what you have not touched until then.")


def _left_out(done: Done) -> None:
    if done.plan.refused:
        click.echo(f"{count(done.plan.refused, 'face')} left out that you rejected or removed in digiKam.")
    if done.kiths.unknown:
        click.echo(
            f"{count(done.kiths.unknown, 'photo')} of digiKam's are not known to Kith; `kith scan FOLDER` helps."
        )
    if done.kiths.changed:
        click.echo(
            f"{count(done.kiths.changed, 'photo')} left out that changed since digiKam looked at them: choose "
            "Album > Refresh in digiKam, or Tools > Maintenance > Scan for new items."
        )
    for name in done.impossible:
        click.echo(f"digiKam uses the name {name} for something else; rename that person in Kith: `kith rename`.")


def _kept(backup: Path | None) -> None:
    if backup is not None:
        click.echo(f"The database as it was: {backup}")


def _json(done: Done) -> dict[str, object]:
    from kith_digikam.reading import State

    return {
        "people": done.plan.people(),
        "suggestions": done.plan.count(State.UNCONFIRMED),
        "confirmed": done.plan.count(State.CONFIRMED),
        "unknown": done.plan.count(State.UNKNOWN),
        "taken": len(done.plan.take),
        "kept": done.plan.kept,
        "there": done.plan.there,
        "left_out": done.plan.refused,
        "rejected": done.said,
        "photos_unknown": done.kiths.unknown,
        "photos_changed": done.kiths.changed,
        "backup": None if done.backup is None else str(done.backup),
    }
