"""`kith digikam import` and `rebuild`: what digiKam knows of people, as answers."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kith import paths
from kith.cli.base import JSON, app_of_user, count, print_json, running_kith
from kith.cli.digikam import DATABASE, database_at, digikam
from kith.errors import BadRequest, NotFound
from kith.files import show
from kith.service.reports import in_words
from kith.terminal import Standing, Terminal

if TYPE_CHECKING:
    from kith_digikam.asking import Asking, Working
    from kith_digikam.importing import Plan, Told
    from kith_digikam.reading import Library
    from kith_digikam.rebuilding import Change, Doubt

PATIENCE = 600.0  # seconds that a running Kith may take for one answer
SHOWN = 20  # doubts

ROOT = click.option(
    "--root",
    "moved",
    multiple=True,
    metavar="OLD=NEW",
    help="Where an album folder is now that was moved; OLD is its name or path.",
)


@digikam.command("import")
@DATABASE
@ROOT
@click.option("--dry-run", is_flag=True, help="Only show what digiKam has; nothing is changed.")
@click.option("--scan", is_flag=True, help="Find the faces on the photos in digiKam's albums first.")
@JSON
def import_faces(database: Path | None, moved: Sequence[str], dry_run: bool, scan: bool, as_json: bool) -> None:
    """Take over the people whom digiKam knows: its confirmed faces become answers, with their regions.

    digiKam's database is only read, and digiKam may run meanwhile. The next import takes over what changed there since.
    `kith undo` takes an import back.
    """
    from kith_digikam import importing

    place = database_at(database)
    library, roots = _library(place, moved, ask=not as_json)
    if dry_run:
        with _looking() as kiths:
            planned = importing.plan(kiths, library, roots, Terminal())
        if as_json:
            print_json(_plain(place, library, planned, None))
            return
        _show_plan(place, library, planned)
        click.echo("Nothing was changed. Without --dry-run the confirmed faces become answers in Kith.")
        return
    with _working(follow=True) as kith:
        if scan:
            _scan(kith, roots)
        planned = importing.plan(kith, library, roots, Terminal())
        if not as_json:
            _show_plan(place, library, planned)
        told = importing.tell(kith, planned, Terminal())
    print_json(_plain(place, library, planned, told)) if as_json else _show_told(told)


@digikam.command("rebuild")
@DATABASE
@ROOT
@JSON
def rebuild_from(database: Path | None, moved: Sequence[str], as_json: bool) -> None:
    """Take digiKam's confirmed faces for right and all else for noise, and recognise everybody anew.

    Finds the faces in digiKam's albums, imports, drops every guess and makes all anew from confirmed faces alone; then
    tells what changed for whom, and which confirmed faces are likely wrong. Ctrl-C stops; the same command goes on.
    """
    from kith_digikam import importing, rebuilding

    place = database_at(database)
    library, roots = _library(place, moved, ask=not as_json)
    with _working() as kith:
        _scan(kith, roots)
        planned = importing.plan(kith, library, roots, Terminal())
        if not as_json:
            _show_plan(place, library, planned)
        told = importing.tell(kith, planned, Terminal())
        if any(told.counts.get(kind) for kind in ("drawn", "moved", "forgotten")):
            _scan(kith, roots)
        learnt = kith.job("/v1/relearn", _shown(kith))
        changed = rebuilding.changes(kith, planned, Terminal())
        doubtful = rebuilding.doubts(kith)
    if as_json:
        changes = {name: asdict(change) | {"open": change.open} for name, change in changed.items()}
        doubts = [asdict(doubt) for doubt in doubtful]
        print_json(_plain(place, library, planned, told) | {"learnt": learnt, "changes": changes, "doubts": doubts})
        return
    _show_told(told)
    click.echo(
        f"Learnt anew from {count(learnt['answers'], 'answer')}: {count(learnt['guesses'], 'face')} taken for "
        f"somebody, {learnt['changed']:,} of them differently than before. "
        f"{count(learnt['written'], 'sidecar')} written."
    )
    _show_changes(changed)
    _show_doubts(doubtful)


# -- whom is told -------------------------------------------------------------------------------------------------


@contextmanager
def _working(*, follow: bool = False) -> Iterator[Working]:
    """The Kith that runs, or else this process; with `follow` it then does what follows from answers."""
    from kith.api.inside import Inside

    if (client := running_kith(PATIENCE)) is not None:
        with client as kith:
            yield kith
        return
    from kith.service import packs, stages

    with app_of_user() as app:
        yield Inside(app, Terminal())
        if follow and packs.in_use(app) is not None:
            stages.run(app, [], Terminal())


@contextmanager
def _looking() -> Iterator[Asking | None]:
    """The same, only to look; None where Kith knows nothing yet."""
    from kith.api.inside import Inside

    if (client := running_kith(PATIENCE)) is not None:
        with client as kith:
            yield kith
    elif not paths.of_user().catalogue.exists():
        yield None
    else:
        with app_of_user(readonly=True) as app:
            yield Inside(app)


def _scan(kith: Working, roots: Mapping[int, Path]) -> None:
    if roots:
        kith.job("/v1/rescan", _shown(kith), paths=[os.fsencode(path) for path in roots.values()], mode="new")


def _shown(kith: Working) -> Any:
    line = Standing()
    return lambda: line.doing(in_words(kith.get("/v1/status")["doing"]))


# -- where it is --------------------------------------------------------------------------------------------------


def _library(database: Path, moved: Sequence[str], *, ask: bool) -> tuple[Library, Mapping[int, Path]]:
    """What digiKam has, and where its albums are; the user is asked for those that aren't there."""
    from kith_digikam import albums, pushing, reading
    from kith_digikam import database as file

    library = pushing.with_refused(reading.read(database), database, paths.of_user().data / "digikam")
    if file.users(database):
        click.echo("digiKam is running: what it has not saved yet comes with the next import.", err=True)
    pairs = [move.rpartition("=") for move in moved]
    if not all(old and new for old, _, new in pairs):
        raise BadRequest("Say where a moved album folder is as --root OLD=NEW.")
    roots = albums.moved(library.roots, {old: Path(new) for old, _, new in pairs})
    used = {picture.root for picture in library.pictures}
    found = {root.id: root.path or (_asked(root) if ask and root.id in used else None) for root in roots}
    for root in roots:
        if root.id in used and found[root.id] is None:
            click.echo(
                f"{root.label} isn't there ({root.told}); its photos are left out. "
                f'If it was moved: --root "{root.label}=NEW FOLDER".',
                err=True,
            )
    here = {number: path for number, path in found.items() if path is not None}
    if used and not here:
        raise NotFound("None of digiKam's album folders is there. If they are on a disk, plug that in and try again.")
    return library, here


def _asked(root: Any) -> Path | None:
    """Where the user says a moved album folder is; None where nobody can be asked, or it is to be left out."""
    if not sys.stdin.isatty():
        return None
    click.echo(f"digiKam has photos in {root.label}, which isn't where it was: {root.told}", err=True)
    while True:
        answer = click.prompt("Where is it now? (Enter leaves it out)", default="", show_default=False, err=True)
        if not answer or Path(answer).expanduser().is_dir():
            return Path(answer).expanduser() if answer else None
        click.echo(f"{answer} is not a folder.", err=True)


# -- in words -----------------------------------------------------------------------------------------------------


def _show_plan(database: Path, library: Library, planned: Plan) -> None:
    from kith_digikam.reading import State

    rows = [
        (name, *map(_number, (of.confirmed, of.unconfirmed, of.tagged, of.photos, of.known, of.unplaced)))
        for name, of in planned.people.items()
    ]
    heads = ("person", "confirmed", "unconfirmed", "without a face", "photos", "in Kith", "no place")
    _table(heads, rows)
    open_ = f"{count(library.faces(State.UNKNOWN), 'face')} unknown, {library.faces(State.IGNORED):,} ignored"
    click.echo(f"{show(database)}: {count(len(library.names), 'person', 'people')}, {open_}.")
    for sentence in _cautions(library, planned):
        click.echo(sentence)


def _cautions(library: Library, planned: Plan) -> Iterator[str]:
    unplaced = sum(of.unplaced for of in planned.people.values())
    if planned.unknown:
        yield (
            f"{count(planned.unknown, 'photo')} of these {_are(planned.unknown)} not in Kith yet: `kith scan` their "
            "folders first, or add --scan."
        )
    if planned.waiting:
        yield f"{count(planned.waiting, 'photo')} {_are(planned.waiting)} not analysed yet; import again after that."
    if planned.away:
        yield f"{count(planned.away, 'photo')} {_are(planned.away)} in album folders that aren't there."
    if unplaced:
        yield (
            f"{count(unplaced, 'face')} {'has' if unplaced == 1 else 'have'} no place any more, since the photo was "
            "cropped or turned: those people are there without a face."
        )
    if planned.unnamed:
        yield f"{count(planned.unnamed, 'face')} left out: their names are empty or longer than 200 characters."
    if library.unread:
        yield f"{count(library.unread, 'face')} left out: their regions can't be read."
    if library.several:
        yield f"digiKam has several people called {', '.join(library.several)}; in Kith those are one person each."


def _show_told(told: Told) -> None:
    parts = [
        count(told.counts[kind], *words)
        for kind, *words in (
            ("confirmed", "face named", "faces named"),
            ("drawn", "of them found by digiKam alone", "of them found by digiKam alone"),
            ("present", "person without a face", "people without a face"),
            ("ignored", "face ignored", "faces ignored"),
            ("rejected", "name taken away", "names taken away"),
            ("absent", "person taken off a photo", "people taken off photos"),
            ("moved", "box moved", "boxes moved"),
        )
        if told.counts.get(kind)
    ]
    click.echo(f"{', '.join(parts)}." if parts else "digiKam has nothing to say that Kith doesn't know.")
    if told.counts.get("disputed"):
        click.echo(f"{count(told.counts['disputed'], 'answer')} of yours digiKam contradicts: `kith disputes`.")
    if told.counts.get("kept"):
        click.echo(f"{count(told.counts['kept'], 'answer')} of yours stayed though digiKam says otherwise.")
    if parts and told.act is not None:
        click.echo(f"`kith undo {told.act}` takes all of it back.")


def _show_changes(changed: Mapping[str, Change]) -> None:
    click.echo()
    rows = [
        (name, *map(_number, (of.answers, of.guessed, of.same, of.another, of.open, of.suggests, of.names)))
        for name, of in changed.items()
    ]
    heads = (
        "person",
        "answers",
        "digiKam guessed",
        "Kith too",
        "somebody else",
        "nobody",
        "Kith suggests",
        "and names",
    )
    _table(heads, rows)


def _show_doubts(doubtful: Sequence[Doubt]) -> None:
    if not doubtful:
        click.echo("No confirmed face looks wrong.")
        return
    click.echo(f"\n{count(len(doubtful), 'confirmed face')} that may be wrong, the most doubtful first:")
    for doubt in doubtful[:SHOWN]:
        instead = f"looks like {doubt.nearer}" if doubt.nearer else "looks like nobody else of that name"
        photo = doubt.photo if isinstance(doubt.photo, bytes) else os.fsencode(doubt.photo)
        click.echo(f"{doubt.face:>8}  {doubt.name}: {instead}  {show(photo)}")
    more = len(doubtful) - SHOWN
    if more > 0:
        click.echo(f"And {more:,} more.")
    click.echo("`kith doubts` lists them; under People, `kith review` shows their faces.")


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    if not rows:
        return
    widths = [max(len(row[i]) for row in (heads, *rows)) for i in range(len(heads))]
    for row in (heads, *rows):
        cells = (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
        click.echo("  ".join((row[0].ljust(widths[0]), *cells)))


def _number(value: int) -> str:
    return f"{value:,}" if value else "–"


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


def _plain(database: Path, library: Library, planned: Plan, told: Told | None) -> dict[str, Any]:
    from kith_digikam.reading import State

    return {
        "database": show(database),
        "version": library.version,
        "people": {name: asdict(figures) for name, figures in planned.people.items()},
        "faces": {state.value: library.faces(state) for state in State},
        "photos": {
            "all": len(library.pictures),
            "known": len(planned.pictures),
            "unknown": planned.unknown,
            "waiting": planned.waiting,
            "away": planned.away,
        },
        "several": list(library.several),
        "act": told.act if told else None,
        "counts": dict(told.counts) if told else {},
    }
