"""Commands that say who somebody is, and take that back."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import click

from kith.cli.base import (
    JSON,
    PHOTO,
    act_line,
    answering,
    app_of_user,
    count,
    main,
    person_called,
    photo_at,
    print_json,
)
from kith.errors import BadRequest
from kith.files import show

WHICH = click.argument("which", nargs=-1, required=True, metavar="GROUP|FACE...")
WHO = click.argument("who", metavar="NAME")
ON = click.argument("photo", type=PHOTO)


@main.command()
@WHICH
@WHO
def name(which: Sequence[str], who: str) -> None:
    """Say who the faces of a group (g12), or some faces (f812 f813), are."""
    with answering() as kith:
        done = kith.post("/v1/faces/name", faces=which, name=who)
        click.echo(f"{count(done['faces'], 'face')} named {done['person']['name']}.")


@main.command()
@WHICH
def confirm(which: Sequence[str]) -> None:
    """Say that the suggestions for faces, or those in a group, are right."""
    _say(which, "confirm", "confirmed")


@main.command()
@WHICH
def reject(which: Sequence[str]) -> None:
    """Say that faces are not who they were taken for. They will not be taken for that person again."""
    _say(which, "reject", "ruled out")


@main.command()
@WHICH
def ignore(which: Sequence[str]) -> None:
    """Say that these are strangers, who need no name."""
    _say(which, "ignore", "put away as strangers")


@main.command("not-a-face")
@WHICH
def not_a_face(which: Sequence[str]) -> None:
    """Say that this is no face at all."""
    _say(which, "not-a-face", "put away as no faces")


def _say(which: Sequence[str], verb: str, outcome: str) -> None:
    with answering() as kith:
        done = kith.post(f"/v1/faces/{verb}", faces=which)
        click.echo(f"{count(done['faces'], 'face')} {outcome}.")


@main.command()
@ON
@click.argument("left", type=float)
@click.argument("top", type=float)
@click.argument("width", type=float)
@click.argument("height", type=float)
@click.argument("who", required=False, metavar="[NAME]")
def draw(photo: Path, left: float, top: float, width: float, height: float, who: str | None) -> None:
    """Say that there is a face on PHOTO that Kith doesn't see, in pixels of the photo as it is shown."""
    with answering() as kith:
        known = photo_at(kith, photo)
        across, down = known["width"], known["height"]
        if not (0 <= left < left + width <= across and 0 <= top < top + height <= down):
            raise BadRequest(f"The box has to lie inside the photo, which is {across} by {down} pixels.")
        middle = {"x": (left + width / 2) / across, "y": (top + height / 2) / down}
        box = middle | {"w": width / across, "h": height / down}
        kith.post(f"/v1/photos/{known['id']}/draw", box=box, name=who)
        click.echo("The box was drawn; the next scan learns the face.")


@main.command()
@ON
@WHO
def tag(photo: Path, who: str) -> None:
    """Say that NAME is on PHOTO without a face that shows it: turned away, hidden, or too small."""
    with answering() as kith:
        kith.post(f"/v1/photos/{photo_at(kith, photo)['id']}/tag", name=who)


@main.command()
@ON
@WHO
def untag(photo: Path, who: str) -> None:
    """Take back that NAME is on PHOTO without a face."""
    with answering() as kith:
        kith.post(f"/v1/photos/{photo_at(kith, photo)['id']}/untag", name=who)


@main.command()
@click.argument("before", metavar="NAME")
@click.argument("after", metavar="NEW-NAME")
def rename(before: str, after: str) -> None:
    """Call a person by another name, in every sidecar."""
    with answering() as kith:
        person = kith.post(f"/v1/people/{person_called(kith, before)}/rename", name=after)["person"]
        click.echo(f"{before} is called {person['name']} now, on {count(person['photos'], 'photo')}.")


@main.command()
@click.argument("gone", metavar="NAME")
@click.argument("kept", metavar="INTO-NAME")
def merge(gone: str, kept: str) -> None:
    """Say that two people are one, who is called INTO-NAME from now on."""
    with answering() as kith:
        person = kith.post(f"/v1/people/{person_called(kith, gone)}/merge", into=person_called(kith, kept))["person"]
        faces, photos = count(person["faces"], "face"), count(person["photos"], "photo")
        click.echo(f"{gone} and {person['name']} are one person now, {person['name']}: {faces} on {photos}.")


@main.command()
@click.argument("one", metavar="WHO")
@click.argument("other", metavar="WHO")
def apart(one: str, other: str) -> None:
    """Say that two people who look alike are two; `kith merges` doesn't propose them again.

    Each is a name, a group (g12) or a face (f812). Two groups stay two, whoever they are.
    """
    ids = [who for who in (one, other) if re.fullmatch(r"[fg]\d+", who)]
    named = [who for who in (one, other) if who not in ids]
    with answering() as kith:
        match named, ids:
            case [who], [face]:
                kith.post("/v1/faces/reject", faces=[face], person=person_called(kith, who))
            case [], _:
                kith.post("/v1/faces/apart", parts=[[one], [other]])
            case _:
                kith.post(f"/v1/people/{person_called(kith, one)}/apart", other=person_called(kith, other))


@main.command()
@WHO
@click.argument("day", metavar="YYYY-MM-DD", default="")
def born(who: str, day: str) -> None:
    """Say when somebody was born; nobody is found on photos from before. Without a day, say that it isn't known."""
    with answering() as kith:
        person = kith.post(f"/v1/people/{person_called(kith, who)}/born", day=day)["person"]
        click.echo(
            f"{person['name']} was born on {day}." if day else f"When {person['name']} was born isn't known now."
        )


@main.command()
@WHO
def hide(who: str) -> None:
    """Leave somebody out of lists; their names stay where they are."""
    with answering() as kith:
        kith.post(f"/v1/people/{person_called(kith, who)}/hide")


@main.command()
@WHO
def unhide(who: str) -> None:
    """Show somebody in lists again."""
    with answering() as kith:
        kith.post(f"/v1/people/{person_called(kith, who)}/unhide")


@main.command()
@click.argument("face", metavar="FACE")
def feature(face: str) -> None:
    """Let a face show the person it is, where one face stands for all."""
    with answering() as kith:
        kith.post(f"/v1/faces/{face}/feature")


@main.command()
@click.argument("entry", type=int, required=False)
@click.option("--sidecars", is_flag=True, help="Put every sidecar back as it was before Kith instead.")
def undo(entry: int | None, sidecars: bool) -> None:
    """Take back the last answer, or ENTRY of the history, and what followed from it in the sidecars.

    Undoing an undo brings the answer back. With --sidecars every sidecar gets the bytes it had before Kith and those
    that Kith made are removed; where another program has written too, only Kith's names go. Names stay in Kith.
    """
    if sidecars:
        _put_back()
        return
    with answering() as kith:
        act = kith.post("/v1/undo", act=entry)["undone"]
        click.echo(f"Taken back: {act['words'] or act['source']}.")


def _put_back() -> None:
    from kith.service import care

    with app_of_user() as app:
        done = care.put_back(app)
        settings = app.paths.config_file
    for sentence in done.left:
        click.echo(sentence, err=True)
    click.echo(
        f"{count(done.restored, 'sidecar')} restored, {done.removed:,} removed, "
        f"{done.cleared:,} without Kith's names but with what other programs wrote, {len(done.left):,} left alone."
    )
    click.echo(f"The next scan writes names again, unless {show(settings)} says write = false under [sidecars].")


@main.command()
@click.option("-n", "--number", default=20, show_default=True, help="How many entries.")
@JSON
def history(number: int, as_json: bool) -> None:
    """List what was said, the newest first; `kith undo ENTRY` takes it back."""
    from kith.service import views

    with app_of_user(readonly=True) as app:
        found = views.history(app, number)
    if as_json:
        print_json(found)
        return
    for act in found:
        click.echo(act_line(act))
    if not found:
        click.echo("Nothing was said yet.")


@main.command()
@JSON
def disputes(as_json: bool) -> None:
    """List the names that another program took away twice. `kith confirm` keeps one, `kith reject` lets it go."""
    from kith.service import views

    with app_of_user(readonly=True) as app:
        found = views.disputes(app)
    if as_json:
        print_json(found)
        return
    for face in found["faces"]:
        click.echo(f"{face['id']:>7}  {face['person']['name']} on {show(face['photo'])}")
    for person in found["present"]:
        click.echo(
            f"{'no face':>7}  {person['name']} on {show(person['photo'])} (`kith tag` keeps, `kith untag` drops)"
        )
    if not any(found.values()):
        click.echo("No name is disputed.")
