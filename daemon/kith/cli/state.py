"""Commands about the state of things, and its care."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from difflib import unified_diff
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kith import paths
from kith.cli.base import JSON, PHOTO, absolute, app_of_user, asked, count, doing, main, print_json
from kith.files import show
from kith.terminal import Terminal

if TYPE_CHECKING:
    from kith.service.app import App
    from kith.sidecars import Finding


@main.command()
@JSON
def status(as_json: bool) -> None:
    """Say how much there is of everything, and what is left to do."""
    from kith.service import views

    with app_of_user(readonly=True) as app:
        now = views.status(app)
        places, why = app.paths, views.why_nobody(app)
    if as_json:
        print_json(now)
        return
    click.echo(f"Now        {doing(places.socket)}")
    click.echo(f"Photos     {now['photos']}, {now['analysed']} analysed, {now['pending']} to do")
    click.echo(f"Faces      {now['faces']}, {count(now['groups'], 'group')} unnamed")
    click.echo(f"People     {now['people']}")
    if now["disputes"]:
        click.echo(f"Disputed   {count(now['disputes'], 'name')}; `kith disputes` lists them")
    click.echo(f"Trouble    {now['trouble'] or 'none'}")
    click.echo(f"Model      {now['pack'] or 'none: run `kith models install auto`'}")
    if why:
        click.echo(f"           {why}")
    click.echo(f"Settings   {show(places.config_file)}")
    click.echo(f"Catalogue  {show(places.catalogue)}")


@main.command()
@JSON
def trouble(as_json: bool) -> None:
    """List the files that Kith could not work with, and why."""
    from kith.service import views

    with app_of_user(readonly=True) as app:
        found = views.troubles(app)
    if as_json:
        print_json(found)
        return
    for entry in found:
        click.echo(f"{entry['code']}: {entry['message']}")
    if not found:
        click.echo("No trouble.")


@main.command()
@click.argument("folders", nargs=-1, required=True, type=PHOTO, metavar="FOLDER...")
@click.option("--fix", is_flag=True, help="Show what can be mended safely, and mend it when you agree.")
@click.option("--yes", is_flag=True, help="With --fix, don't ask.")
def doctor(folders: Sequence[Path], fix: bool, yes: bool) -> None:
    """Look for sidecars in FOLDER that other programs can't write or read, or that contradict each other.

    Nothing is changed without --fix. What --fix changes, `kith undo --sidecars` puts back.
    """
    from kith.service import care, views

    with app_of_user() as app:
        found = list(care.examine(folders, [person["name"] for person in views.everybody(app)]))
        for finding in found:
            click.echo(finding.sentence)
        mendable = [finding for finding in found if finding.mended is not None]
        if not found:
            click.echo("All sidecars are well.")
        elif not fix and mendable:
            click.echo(f"{count(len(mendable), 'sidecar')} of these can be mended: `kith doctor --fix` shows how.")
        elif fix and mendable:
            _mend(app, mendable, ask=not yes)
        elif fix:
            click.echo("None of this can be mended without you.")


def _mend(app: App, findings: Sequence[Finding], *, ask: bool) -> None:
    from kith.service import care

    for finding in findings:
        click.echo()
        for line in _difference(finding):
            click.secho(line, fg={"-": "red", "+": "green"}.get(line[:1]))
    if ask and not click.confirm(f"\nChange {count(len(findings), 'sidecar')} like this?"):
        click.echo("Nothing was changed.")
        return
    left = care.mend(app, findings)
    for sentence in left:
        click.echo(sentence, err=True)
    click.echo(f"{count(len(findings) - len(left), 'sidecar')} mended. `kith undo --sidecars` puts them back.")


def _difference(finding: Finding) -> Iterator[str]:
    """The lines that a finding would change, as `diff -u` shows them."""
    if finding.change is None or finding.mended is None:
        return
    name = show(finding.change.path)
    before, after = (_lines(data or b"") for data in (finding.change.before, finding.mended))
    yield from unified_diff(before, after, name, name, n=1, lineterm="")


def _lines(data: bytes) -> list[str]:
    return data.decode("utf-8", "replace").splitlines()


MODES = {
    "new": "what is new or has changed, like `kith scan`",
    "again": "all photos again; what is found besides is added",
    "unconfirmed": "all again, after forgetting the faces that nobody answered",
    "found": "all again, after forgetting everything that was found; answers are kept",
    "deleted": "bring back what was said to be no face",
}


@main.command()
@click.argument("where", nargs=-1, required=True, type=PHOTO, metavar="FOLDER|PHOTO...")
@click.option(
    "--mode",
    type=click.Choice(list(MODES)),
    default="again",
    show_default=True,
    help="; ".join(f"{mode}: {what}" for mode, what in MODES.items()),
)
@click.option(
    "--and-my-answers", is_flag=True, help="With --mode found, forget every answer too; `kith undo` brings them back."
)
def rescan(where: Sequence[Path], mode: str, and_my_answers: bool) -> None:
    """Find the faces on some photos anew."""
    summary = asked("/v1/rescan", paths=absolute(where), mode=mode, and_my_answers=and_my_answers)
    if summary is None:
        from kith.service import stages

        with app_of_user() as app:
            summary = asdict(stages.rescan(app, where, mode, Terminal(), forget=and_my_answers))
    click.echo(f"{count(summary['analysed'], 'photo')} analysed, {count(summary['written'], 'sidecar')} written.")


@main.command()
@click.argument("folders", nargs=-1, type=PHOTO, metavar="[FOLDER...]")
@click.option("--from-sidecars", is_flag=True, help="Take the names from the sidecars in FOLDER.")
def rebuild(folders: Sequence[Path], from_sidecars: bool) -> None:
    """Learn everything anew from your answers alone: every guess is dropped and made again.

    With --from-sidecars, bring back what a lost or damaged catalogue knew: every name in the sidecars in FOLDER becomes
    an answer again. Names that Kith had only guessed stay guesses. A damaged catalogue is moved aside, not removed.
    """
    from kith.service import care, views

    if not from_sidecars:
        done = asked("/v1/relearn")
        if done is None:
            with app_of_user() as app:
                done = asdict(care.relearn(app, Terminal()))
        click.echo(
            f"Learnt anew from {count(done['answers'], 'answer')}: {count(done['guesses'], 'face')} taken for "
            f"somebody, {done['changed']:,} of them differently than before. "
            f"{count(done['written'], 'sidecar')} written."
        )
        return
    if not folders:
        raise click.UsageError("Say which folders the sidecars are in.")
    from kith.service.app import set_damaged_aside

    aside = set_damaged_aside(paths.of_user())
    if aside:
        click.echo(f"The catalogue was damaged; it is kept as {show(aside)}.")
    with app_of_user() as app:
        care.rebuild(app, folders, Terminal())
        known = views.everybody(app)
    faces = sum(person["faces"] for person in known)
    click.echo(f"Kith knows {count(len(known), 'person', 'people')} again, on {count(faces, 'face')}.")


@main.group()
def models() -> None:
    """The models that find and tell faces: list, install, use."""


@models.command("list")
@JSON
def list_models(as_json: bool) -> None:
    """List the model packs there are."""
    from kith.service import packs

    with app_of_user() as app:
        found = packs.listed(app)
    if as_json:
        print_json(found)
        return
    for pack in found:
        state = (
            "in use"
            if pack["in_use"]
            else "next"
            if pack["next"]
            else "installed"
            if pack["installed"]
            else "available"
        )
        click.echo(f"{pack['id']:<12} {state:<10} {pack['description']} ({pack['licence']})")


@models.command("install")
@click.argument("pack", default="auto")
@click.option("--from", "source", type=PHOTO, help="Take the files from this folder or archive, without a network.")
def install_models(pack: str, source: Path | None) -> None:
    """Install PACK and use it. "auto" takes the first that can be had."""
    done = asked("/v1/models/install", pack=pack, source=os.fsencode(source.absolute()) if source else None)
    if done is None:
        from kith.service import packs

        with app_of_user() as app:
            done = {"pack": packs.get(app, pack, source, Terminal())}
    click.echo(f"Model pack {done['pack']} is installed and in use as soon as it knows all faces.")


@models.command("use")
@click.argument("pack")
def use_models(pack: str) -> None:
    """Use an installed PACK from now on. Every name stays."""
    if asked("/v1/models/use", pack=pack) is None:
        from kith.service import packs

        with app_of_user() as app:
            packs.use(app, pack)
    click.echo(f"The next scan looks at all known faces with {pack}; then it is in use. Names stay.")
