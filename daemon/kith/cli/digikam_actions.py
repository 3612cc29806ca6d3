"""`kith digikam install`, and what it puts into digiKam's menus: find people, confirm suggestions, open a photo."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kith import paths
from kith.cli.base import PHOTO, absolute, answering, app_of_user, asked, count, running_kith
from kith.cli.digikam import database_at, digikam
from kith.errors import KithError, NotFound
from kith.files import show
from kith.terminal import Terminal

if TYPE_CHECKING:
    from kith_digikam.actions import Photos

FILES = click.argument("files", nargs=-1, required=True, type=PHOTO, metavar="PHOTO...")


@digikam.command()
def install() -> None:
    """Put Kith into digiKam's menus: right-click photos, Open With; and into its Batch Queue Manager."""
    from kith.service import unit
    from kith_digikam import desktop

    for sentence in desktop.install(unit.this_program(), paths.of_user().data):
        click.echo(sentence)
    _settings()


@digikam.command()
def uninstall() -> None:
    """Take Kith out of digiKam's menus. Names, and faces that were pushed, stay."""
    from kith_digikam import desktop

    for sentence in desktop.uninstall(paths.of_user().data):
        click.echo(sentence)


@digikam.command()
def status() -> None:
    """Say what is in digiKam's menus, what was pushed, and which of digiKam's settings to change."""
    from kith.service import unit
    from kith_digikam import desktop

    for sentence in desktop.status(unit.this_program(), paths.of_user().data):
        click.echo(sentence)
    _pushed()
    _settings()


def _pushed() -> None:
    from kith_digikam import pushing
    from kith_digikam.errors import DigikamError

    try:
        path = database_at(None)
        number = pushing.standing(path, paths.of_user().data / "digikam")
    except (KithError, DigikamError) as error:
        click.echo(error.message)
        return
    click.echo(f"{count(number, 'face')} of Kith's wait in {show(path)} for an answer.")


def _settings() -> None:
    from kith_digikam import metadata

    for sentence in metadata.advised():
        click.echo(sentence)


def _outcome(command: Callable[..., str]) -> Callable[..., None]:
    """A command whose sentence, or error, reaches a user who started it from a menu."""

    @wraps(command)
    def told(**words: object) -> None:
        from kith_digikam import telling
        from kith_digikam.errors import DigikamError

        quiet = sys.stderr.isatty()
        try:
            sentence = command(**words)
        except (KithError, DigikamError) as error:
            if not quiet:
                telling.notify(error.message, bad=True)
            raise
        if sentence:
            click.echo(sentence)
        if sentence and not quiet:
            telling.notify(sentence)

    return told


@digikam.command()
@FILES
@click.option("--queue", is_flag=True, help="Let the running Kith do it when it comes to it, and don't wait.")
@_outcome
def find(files: Sequence[Path], queue: bool) -> str:
    """Find the people on some photos anew, and say who is there."""
    from kith_digikam import actions

    if queue:
        if (client := running_kith()) is None:
            raise NotFound("Kith doesn't run; `kith run` or `kith service install` starts it.")
        with client as kith:
            for mode, where in _work(files, actions.look(kith, files)).items():
                kith.post("/v1/rescan", paths=absolute(where), mode=mode)
        return "Kith looks at it when its turn comes."
    with answering() as kith:
        photos = actions.look(kith, files)
    for mode, where in _work(files, photos).items():
        _rescan(where, mode)
    with answering() as kith:
        return actions.found(actions.look(kith, files))


def _work(files: Sequence[Path], photos: Photos) -> dict[str, Sequence[Path]]:
    """What to look at anew, by mode: photos that Kith knows, and the folders of those it doesn't."""
    known = [file for file in files if file not in photos.others]
    folders = sorted({file.absolute().parent for file in photos.others})
    return {mode: where for mode, where in (("again", known), ("new", folders)) if where}


def _rescan(where: Sequence[Path], mode: str) -> None:
    if asked("/v1/rescan", paths=absolute(where), mode=mode) is None:
        from kith.service import stages

        with app_of_user() as app:
            asdict(stages.rescan(app, where, mode, Terminal()))


@digikam.command()
@FILES
@_outcome
def confirm(files: Sequence[Path]) -> str:
    """Say that Kith is right about everybody it suggests on some photos."""
    from kith_digikam import actions

    with answering() as kith:
        return actions.confirm(kith, actions.look(kith, files))


@digikam.command("open")
@FILES
@_outcome
def open_page(files: Sequence[Path]) -> str:
    """Show the first of some photos in the review page of the running Kith."""
    from kith.client import Client
    from kith_digikam import actions

    places = paths.of_user()
    with Client(places.socket) as kith:
        photos: Photos = actions.look(kith, files[:1])
        link = places.page.read_text("ascii") + kith.post("/v1/login-links")["path"] + actions.page(photos)
    if photos.others:
        return actions.found(photos)
    return "" if click.launch(link) == 0 else link
