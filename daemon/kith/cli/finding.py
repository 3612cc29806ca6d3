"""Commands that find faces and show what is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from kith.cli.base import (
    JSON,
    PHOTO,
    absolute,
    act_line,
    app_of_user,
    asked,
    count,
    doubt_of,
    main,
    place_of,
    print_json,
    who_is,
)
from kith.files import show
from kith.terminal import Terminal


@main.command()
@click.argument("folders", nargs=-1, required=True, type=PHOTO, metavar="FOLDER...")
@JSON
def scan(folders: Sequence[Path], as_json: bool) -> None:
    """Find the faces on all photos in FOLDER and write the names that are known beside them.

    What was done before isn't done again. Ctrl-C stops; the same command goes on.
    """
    from kith.service import views

    summary = asked("/v1/rescan", paths=absolute(folders), mode="new")
    if summary is None:
        from kith.service import stages

        with app_of_user() as app:
            summary = asdict(stages.run(app, folders, Terminal()))
    if as_json:
        print_json(summary)
        return
    with app_of_user(readonly=True) as app:
        _say_summary(summary, views.status(app), len(views.groups(app)))


def _say_summary(summary: dict[str, Any], status: dict[str, Any], waiting: int) -> None:
    click.echo(
        f"{count(summary['photos'], 'photo')} looked at: {summary['analysed']} analysed, "
        f"{count(summary['written'], 'sidecar')} written. "
        f"Kith knows {count(status['faces'], 'face')} and {count(status['people'], 'person', 'people')}."
    )
    if summary["troubled"]:
        click.echo(f"{count(summary['troubled'], 'file')} made trouble; `kith trouble` says which and why.")
    if waiting:
        click.echo(
            f"{count(waiting, 'group')} of similar faces {'waits' if waiting == 1 else 'wait'} for a name:\n"
            "  kith groups            lists them, the most frequent first\n"
            "  kith show g1           shows the faces of a group\n"
            '  kith name g1 "Anna"    says who it is and writes the name beside every photo'
        )
    elif summary["photos"]:
        click.echo("Nobody waits for a name.")


@main.command()
@JSON
def groups(as_json: bool) -> None:
    """List the groups of similar faces that wait for a name, the most frequent first."""
    from kith.service import views

    with app_of_user(readonly=True) as app:
        found = views.groups(app)
    if as_json:
        print_json(found)
    for group in [] if as_json else found:
        guess = f"  {group['suggestion']['name']}?" if group["suggestion"] else ""
        sample = ", ".join(show(Path(face["photo"]).name) for face in group["faces"][:3])
        more = ", …" if group["size"] > 3 else ""
        click.echo(f"{group['id']:>6}  {count(group['size'], 'face'):>9}{guess}  {sample}{more}")
    if not found and not as_json:
        click.echo("Nobody waits for a name.")


@main.command()
@click.argument("photo", type=PHOTO)
@JSON
def faces(photo: Path, as_json: bool) -> None:
    """List the faces on PHOTO from left to right: who they are, or may be."""
    from kith.service import views

    with app_of_user(readonly=True) as app:
        found = views.on_photo(app, photo)
    if as_json:
        print_json(found)
        return
    for face in found["faces"]:
        click.echo(f"{face['id']:>7}  {place_of(face['box'])}  {who_is(face)}")
    for person in found["present"]:
        click.echo(f"{'':>7}  {'without a face':<22}  {person['name']}{doubt_of(person)}")
    if not any(found.values()):
        click.echo("No faces were found on this photo.")


@main.command()
@click.argument("face", metavar="FACE")
@JSON
def explain(face: str, as_json: bool) -> None:
    """Say why a face is taken for somebody, and what was ever said about it."""
    from kith.service import views

    with app_of_user(readonly=True) as app:
        found = views.explain(app, face)
    if as_json:
        print_json(found)
        return
    click.echo(f"{found['id']} on {show(found['photo'])}: {who_is(found)}")
    guess = found["suggestion"]
    if guess:
        click.echo(
            f"By its group it is {guess['person']['name']} with {guess['probability_group']:.1%}, "
            f"by itself with {guess['probability_classifier']:.1%}, because of:"
        )
    for other in found["because"]:
        click.echo(f"{other['id']:>7}  {who_is(other)} on {show(other['photo'])}")
    if found["not"]:
        click.echo(f"It was said not to be {', '.join(found['not'])}.")
    for act in found["said"]:
        click.echo(act_line(act))


@main.command()
@click.option("-n", "--number", default=20, show_default=True, help="How many.")
@JSON
def questions(number: int, as_json: bool) -> None:
    """List what is worth asking, the answer that settles most faces first.

    "is this" is answered by `kith confirm` or `kith reject` with the faces, "who is this" by `kith name`.
    """
    from kith.service import views

    with app_of_user(readonly=True) as app:
        found = views.questions(app)[:number]
    if as_json:
        print_json(found)
        return
    for question in found:
        asked = f"is this {question['person']['name']}?" if question["person"] else "who is this?"
        ids = " ".join(question["faces"][:6]) + (" …" if len(question["faces"]) > 6 else "")
        click.echo(f"{count(len(question['faces']), 'face'):>9}  {asked}  {question['group'] or ids}")
    if not found:
        click.echo("There is nothing to ask.")


@main.command()
@click.option("-n", "--number", default=20, show_default=True, help="How many.")
@JSON
def doubts(number: int, as_json: bool) -> None:
    """List answers that look wrong, the most doubtful first.

    `kith name` corrects one, or keeps it where it gives the same name again; `kith undo` takes that back.
    """
    from kith.service import views

    with app_of_user(readonly=True) as app:
        found = views.doubts(app)[:number]
    if as_json:
        print_json(found)
        return
    for doubt in found:
        why = (
            f"looks like {doubt['nearer']['name']}"
            if doubt["nearer"]
            else f"is unlike the other {doubt['person']['name']}"
        )
        click.echo(f"{doubt['face']:>7}  {doubt['person']['name']}  {why} ({doubt['because'][0]})")
    if not found:
        click.echo("No answer looks wrong.")


@main.command()
@JSON
def merges(as_json: bool) -> None:
    """List who may be one person. `kith merge` says that two are one, `kith apart` that they are two."""
    from kith.service import views

    with app_of_user(readonly=True) as app:
        found = views.twins(app)
    if as_json:
        print_json(found)
        return
    for pair in found:
        first, second = (party["name"] or party["id"] for party in (pair["first"], pair["second"]))
        faces = " and ".join(pair["because"][0]) if pair["because"] else ""
        click.echo(f"{pair['probability']:>5.0%}  {first} and {second}  {faces}")
    if not found:
        click.echo("Nobody looks like somebody else.")


@main.command()
@click.option("--hidden", is_flag=True, help="Those who are hidden, too.")
@JSON
def people(hidden: bool, as_json: bool) -> None:
    """List everybody who has a name, most photographed first."""
    from kith.service import views

    with app_of_user(readonly=True) as app:
        found = [person for person in views.everybody(app) if hidden or not person["hidden"]]
    if as_json:
        print_json(found)
        return
    for person in found:
        faces, photos = count(person["faces"], "face"), count(person["photos"], "photo")
        click.echo(f"{person['name']}  {faces} on {photos}")
    if not found:
        click.echo('Nobody has a name yet. `kith groups` lists who waits for one; `kith name g1 "Anna"` gives it.')


@main.command("show")
@click.argument("which", nargs=-1, required=True, metavar="GROUP|FACE...")
@click.option("-o", "--output", type=PHOTO, help="Write the picture here and don't open it.")
def show_faces(which: Sequence[str], output: Path | None) -> None:
    """Show the faces of a group, or some faces, as a picture."""
    from kith.service import commands

    with app_of_user(readonly=True) as app:
        picture = commands.contact_sheet(app, which)
        target = output or app.paths.cache / f"{which[0]}.png"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(picture)
    click.echo(show(target))
    if output is None and click.launch(str(target)) != 0:
        click.echo("Open this file to see the faces.", err=True)
