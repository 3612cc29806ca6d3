"""The `kith` command. It only reads words, calls the service and shows what comes back."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from difflib import unified_diff
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import click

from kith import config, paths
from kith.client import Client
from kith.errors import BadRequest, KithError, NotFound, Unexpected
from kith.files import show
from kith.service.app import App, opened, running
from kith.service.reports import in_words
from kith.terminal import Standing, Terminal

if TYPE_CHECKING:
    from kith.sidecars import Finding

PHOTO = click.Path(path_type=Path)
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON for other programs.")


class Commands(click.Group):
    """Commands in the order of their use; errors that Kith knows become a sentence on stderr and an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KithError as error:
            click.echo(f"kith: {error.message}", err=True)
            ctx.exit(error.exit_code)
        except KeyboardInterrupt:
            click.echo("\nStopped. Everything that was finished is kept; the same command goes on from here.", err=True)
            ctx.exit(130)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="kith")
def main() -> None:
    """Find the people in your photos and write their names beside them, on this machine alone."""


@contextmanager
def _kith(*, readonly: bool = False) -> Iterator[App]:
    places = paths.of_user()
    with opened(places, config.load(places.config_file), readonly=readonly) as app:
        yield app


# -- running ------------------------------------------------------------------------------------------------------


@main.command()
@click.argument("folders", nargs=-1, type=PHOTO, metavar="[FOLDER...]")
@click.option("--port", type=click.IntRange(0, 65535), help="Where the review page answers; 0: any that is free.")
@click.option("--debug", is_flag=True, help="Log more, with the names of people.")
def run(folders: Sequence[Path], port: int | None, debug: bool) -> None:
    """Watch FOLDER and the folders in the settings, and keep names and sidecars in step, until stopped."""
    import logging

    from kith import logs
    from kith.run import run as run_until_stopped

    logs.set_up(logging.DEBUG if debug else logging.INFO)
    failed = run_until_stopped(paths.of_user(), folders, Standing(), port=port)
    if isinstance(failed, KithError):
        raise failed
    if failed is not None:
        raise Unexpected("Kith stopped because of a defect; the lines above say where. Please report them.")


@main.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[OPTIONS] METHOD PATH [JSON]")
@click.pass_context
def call(ctx: click.Context, words: Sequence[str]) -> None:
    """Ask the running Kith something over its API: kith call GET /v1/status"""
    from kith.call import main as ask  # `kith call` itself comes here only through other ways of starting

    ctx.exit(ask(words))


@main.command("review")
@click.option("--print", "only_print", is_flag=True, help="Print the link and open nothing.")
def review_page(only_print: bool) -> None:
    """Open the review page of the running Kith in the browser."""
    places = paths.of_user()
    with Client(places.socket) as kith:
        link = places.page.read_text("ascii") + kith.post("/v1/login-links")["path"]
    if only_print or click.launch(link) != 0:
        click.echo(link)


@main.command()
def pause() -> None:
    """Let the running Kith do nothing by itself until `kith resume`; answers are still taken."""
    with Client(paths.of_user().socket) as kith:
        kith.post("/v1/pause")


@main.command()
def resume() -> None:
    """Let the running Kith go on."""
    with Client(paths.of_user().socket) as kith:
        kith.post("/v1/resume")


@main.group("service")
def user_service() -> None:
    """Kith as a systemd service of yours: from each login on, in the background."""


@user_service.command("install")
@click.argument("folders", nargs=-1, type=PHOTO, metavar="[FOLDER...]")
def install_service(folders: Sequence[Path]) -> None:
    """Start Kith now and at each login. FOLDER is added to the settings; without any they must be there already."""
    from kith.service import unit

    places = paths.of_user()
    if folders:
        config.add_folders(places.config_file, [folder.resolve() for folder in folders])
    if not config.load(places.config_file).service.folders:
        raise BadRequest("Say which folders of photos to watch: `kith service install FOLDER`.")
    for sentence in unit.install(unit.this_program()):
        click.echo(sentence)


@user_service.command("uninstall")
def uninstall_service() -> None:
    """Stop the service and remove it. Names, settings and the catalogue stay."""
    from kith.service import unit

    for sentence in unit.uninstall():
        click.echo(sentence)


@user_service.command("status")
def service_status() -> None:
    """Say whether the service is installed and runs."""
    from kith.service import unit

    for sentence in unit.status():
        click.echo(sentence)


@main.group("darktable")
def plugin() -> None:
    """The darktable plugin: who is on the selected photos, and names as tags."""


@plugin.command("install")
def install_plugin() -> None:
    """Put the plugin where every darktable of yours finds it, and say what was done."""
    from kith.service import darktable, unit

    for sentence in darktable.install(unit.this_program()):
        click.echo(sentence)


@plugin.command("uninstall")
def uninstall_plugin() -> None:
    """Take the plugin away. Tags that it attached stay."""
    from kith.service import darktable

    for sentence in darktable.uninstall():
        click.echo(sentence)


@plugin.command("status")
def plugin_status() -> None:
    """Say where the plugin is."""
    from kith.service import darktable

    for sentence in darktable.status():
        click.echo(sentence)


# -- finding ------------------------------------------------------------------------------------------------------


@main.command()
@click.argument("folders", nargs=-1, required=True, type=PHOTO, metavar="FOLDER...")
@JSON
def scan(folders: Sequence[Path], as_json: bool) -> None:
    """Find the faces on all photos in FOLDER and write the names that are known beside them.

    What was done before isn't done again. Ctrl-C stops; the same command goes on.
    """
    from kith.service import views

    summary = _asked("/v1/rescan", paths=_absolute(folders), mode="new")
    if summary is None:
        from kith.service import stages

        with _kith() as app:
            summary = asdict(stages.run(app, folders, Terminal()))
    if as_json:
        _print_json(summary)
        return
    with _kith(readonly=True) as app:
        _say_summary(summary, views.status(app), len(views.groups(app)))


def _asked(path: str, **body: Any) -> dict[str, Any] | None:
    """What came of something that the running Kith was asked to do; None where none runs."""
    places = paths.of_user()
    if not (running(places.lock) and places.socket.exists()):
        return None
    line = Standing()
    with Client(places.socket) as kith:
        result = kith.job(path, lambda: line.doing(in_words(kith.get("/v1/status")["doing"])), **body)
    line.doing("")
    return result


def _absolute(places: Sequence[Path]) -> list[bytes]:
    return [os.fsencode(place.absolute()) for place in places]


def _say_summary(summary: dict[str, Any], status: dict[str, Any], waiting: int) -> None:
    click.echo(
        f"{_count(summary['photos'], 'photo')} looked at: {summary['analysed']} analysed, "
        f"{_count(summary['written'], 'sidecar')} written. "
        f"Kith knows {_count(status['faces'], 'face')} and {_count(status['people'], 'person', 'people')}."
    )
    if summary["troubled"]:
        click.echo(f"{_count(summary['troubled'], 'file')} made trouble; `kith trouble` says which and why.")
    if waiting:
        click.echo(
            f"{_count(waiting, 'group')} of similar faces {'waits' if waiting == 1 else 'wait'} for a name:\n"
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

    with _kith(readonly=True) as app:
        found = views.groups(app)
    if as_json:
        _print_json(found)
    for group in [] if as_json else found:
        guess = f"  {group['suggestion']['name']}?" if group["suggestion"] else ""
        sample = ", ".join(show(Path(face["photo"]).name) for face in group["faces"][:3])
        more = ", …" if group["size"] > 3 else ""
        click.echo(f"{group['id']:>6}  {_count(group['size'], 'face'):>9}{guess}  {sample}{more}")
    if not found and not as_json:
        click.echo("Nobody waits for a name.")


@main.command()
@click.argument("photo", type=PHOTO)
@JSON
def faces(photo: Path, as_json: bool) -> None:
    """List the faces on PHOTO from left to right: who they are, or may be."""
    from kith.service import views

    with _kith(readonly=True) as app:
        found = views.on_photo(app, photo)
    if as_json:
        _print_json(found)
        return
    for face in found["faces"]:
        click.echo(f"{face['id']:>7}  {_where(face['box'])}  {_who(face)}")
    for person in found["present"]:
        click.echo(f"{'':>7}  {'without a face':<22}  {person['name']}{_doubt(person)}")
    if not any(found.values()):
        click.echo("No faces were found on this photo.")


@main.command()
@click.argument("face", metavar="FACE")
@JSON
def explain(face: str, as_json: bool) -> None:
    """Say why a face is taken for somebody, and what was ever said about it."""
    from kith.service import views

    with _kith(readonly=True) as app:
        found = views.explain(app, face)
    if as_json:
        _print_json(found)
        return
    click.echo(f"{found['id']} on {show(found['photo'])}: {_who(found)}")
    guess = found["suggestion"]
    if guess:
        click.echo(
            f"By its group it is {guess['person']['name']} with {guess['probability_group']:.1%}, "
            f"by itself with {guess['probability_classifier']:.1%}, because of:"
        )
    for other in found["because"]:
        click.echo(f"{other['id']:>7}  {_who(other)} on {show(other['photo'])}")
    if found["not"]:
        click.echo(f"It was said not to be {', '.join(found['not'])}.")
    for act in found["said"]:
        click.echo(_act(act))


@main.command()
@click.option("-n", "--number", default=20, show_default=True, help="How many.")
@JSON
def questions(number: int, as_json: bool) -> None:
    """List what is worth asking, the answer that settles most faces first.

    "is this" is answered by `kith confirm` or `kith reject` with the faces, "who is this" by `kith name`.
    """
    from kith.service import views

    with _kith(readonly=True) as app:
        found = views.questions(app)[:number]
    if as_json:
        _print_json(found)
        return
    for question in found:
        asked = f"is this {question['person']['name']}?" if question["person"] else "who is this?"
        ids = " ".join(question["faces"][:6]) + (" …" if len(question["faces"]) > 6 else "")
        click.echo(f"{_count(len(question['faces']), 'face'):>9}  {asked}  {question['group'] or ids}")
    if not found:
        click.echo("There is nothing to ask.")


@main.command()
@click.option("-n", "--number", default=20, show_default=True, help="How many.")
@JSON
def doubts(number: int, as_json: bool) -> None:
    """List answers that look wrong, the most doubtful first. `kith name` corrects one, `kith undo` takes it back."""
    from kith.service import views

    with _kith(readonly=True) as app:
        found = views.doubts(app)[:number]
    if as_json:
        _print_json(found)
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

    with _kith(readonly=True) as app:
        found = views.twins(app)
    if as_json:
        _print_json(found)
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

    with _kith(readonly=True) as app:
        found = [person for person in views.everybody(app) if hidden or not person["hidden"]]
    if as_json:
        _print_json(found)
        return
    for person in found:
        faces, photos = _count(person["faces"], "face"), _count(person["photos"], "photo")
        click.echo(f"{person['name']}  {faces} on {photos}")
    if not found:
        click.echo('Nobody has a name yet. `kith groups` lists who waits for one; `kith name g1 "Anna"` gives it.')


@main.command("show")
@click.argument("which", nargs=-1, required=True, metavar="GROUP|FACE...")
@click.option("-o", "--output", type=PHOTO, help="Write the picture here and don't open it.")
def show_faces(which: Sequence[str], output: Path | None) -> None:
    """Show the faces of a group, or some faces, as a picture."""
    from kith.service import commands

    with _kith(readonly=True) as app:
        picture = commands.contact_sheet(app, which)
        target = output or app.paths.cache / f"{which[0]}.png"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(picture)
    click.echo(show(target))
    for name in ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR"):
        os.environ.pop(name, None)  # OpenCV sets them for itself, but viewers built on Qt would inherit them
    if output is None and click.launch(str(target)) != 0:
        click.echo("Open this file to see the faces.", err=True)


# -- answering ----------------------------------------------------------------------------------------------------

WHICH = click.argument("which", nargs=-1, required=True, metavar="GROUP|FACE...")
WHO = click.argument("who", metavar="NAME")
ON = click.argument("photo", type=PHOTO)


@main.command()
@WHICH
@WHO
def name(which: Sequence[str], who: str) -> None:
    """Say who the faces of a group (g12), or some faces (f812 f813), are."""
    with _answering() as kith:
        done = kith.post("/v1/faces/name", faces=which, name=who)
        click.echo(f"{_count(done['faces'], 'face')} named {done['person']['name']}.")


@main.command()
@WHICH
def confirm(which: Sequence[str]) -> None:
    """Say that the suggestions for faces, or those in a group, are right."""
    with _answering() as kith:
        done = kith.post("/v1/faces/confirm", faces=which)
        click.echo(f"{_count(done['faces'], 'face')} confirmed.")


@main.command()
@WHICH
def reject(which: Sequence[str]) -> None:
    """Say that faces are not who they were taken for. They will not be taken for that person again."""
    with _answering() as kith:
        done = kith.post("/v1/faces/reject", faces=which)
        click.echo(f"{_count(done['faces'], 'face')} ruled out.")


@main.command()
@WHICH
def ignore(which: Sequence[str]) -> None:
    """Say that these are strangers, who need no name."""
    with _answering() as kith:
        done = kith.post("/v1/faces/ignore", faces=which)
        click.echo(f"{_count(done['faces'], 'face')} put away as strangers.")


@main.command("not-a-face")
@WHICH
def not_a_face(which: Sequence[str]) -> None:
    """Say that this is no face at all."""
    with _answering() as kith:
        done = kith.post("/v1/faces/not-a-face", faces=which)
        click.echo(f"{_count(done['faces'], 'face')} put away as no faces.")


@main.command()
@ON
@click.argument("left", type=float)
@click.argument("top", type=float)
@click.argument("width", type=float)
@click.argument("height", type=float)
@click.argument("who", required=False, metavar="[NAME]")
def draw(photo: Path, left: float, top: float, width: float, height: float, who: str | None) -> None:
    """Say that there is a face on PHOTO that Kith doesn't see, in pixels of the photo as it is shown."""
    with _answering() as kith:
        known = _photo(kith, photo)
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
    with _answering() as kith:
        kith.post(f"/v1/photos/{_photo(kith, photo)['id']}/tag", name=who)


@main.command()
@ON
@WHO
def untag(photo: Path, who: str) -> None:
    """Take back that NAME is on PHOTO without a face."""
    with _answering() as kith:
        kith.post(f"/v1/photos/{_photo(kith, photo)['id']}/untag", name=who)


@main.command()
@click.argument("before", metavar="NAME")
@click.argument("after", metavar="NEW-NAME")
def rename(before: str, after: str) -> None:
    """Call a person by another name, in every sidecar."""
    with _answering() as kith:
        person = kith.post(f"/v1/people/{_person(kith, before)}/rename", name=after)["person"]
        click.echo(f"{before} is called {person['name']} now, on {_count(person['photos'], 'photo')}.")


@main.command()
@click.argument("gone", metavar="NAME")
@click.argument("kept", metavar="INTO-NAME")
def merge(gone: str, kept: str) -> None:
    """Say that two people are one, who is called INTO-NAME from now on."""
    with _answering() as kith:
        person = kith.post(f"/v1/people/{_person(kith, gone)}/merge", into=_person(kith, kept))["person"]
        faces, photos = _count(person["faces"], "face"), _count(person["photos"], "photo")
        click.echo(f"{gone} and {person['name']} are one person now, {person['name']}: {faces} on {photos}.")


@main.command()
@click.argument("one", metavar="NAME")
@click.argument("other", metavar="NAME")
def apart(one: str, other: str) -> None:
    """Say that two people who look alike are two; `kith merges` doesn't propose them again."""
    with _answering() as kith:
        kith.post(f"/v1/people/{_person(kith, one)}/apart", other=_person(kith, other))


@main.command()
@WHO
@click.argument("day", metavar="YYYY-MM-DD", default="")
def born(who: str, day: str) -> None:
    """Say when somebody was born; nobody is found on photos from before. Without a day, say that it isn't known."""
    with _answering() as kith:
        kith.post(f"/v1/people/{_person(kith, who)}/born", day=day)


@main.command()
@WHO
def hide(who: str) -> None:
    """Leave somebody out of lists; their names stay where they are."""
    with _answering() as kith:
        kith.post(f"/v1/people/{_person(kith, who)}/hide")


@main.command()
@WHO
def unhide(who: str) -> None:
    """Show somebody in lists again."""
    with _answering() as kith:
        kith.post(f"/v1/people/{_person(kith, who)}/unhide")


@main.command()
@click.argument("face", metavar="FACE")
def feature(face: str) -> None:
    """Let a face show the person it is, where one face stands for all."""
    with _answering() as kith:
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
    with _answering() as kith:
        act = kith.post("/v1/undo", act=entry)["undone"]
        click.echo(f"Taken back: {act['words'] or act['source']}.")


def _put_back() -> None:
    from kith.service import care

    with _kith() as app:
        done = care.put_back(app)
        settings = app.paths.config_file
    for sentence in done.left:
        click.echo(sentence, err=True)
    click.echo(
        f"{_count(done.restored, 'sidecar')} restored, {done.removed:,} removed, "
        f"{done.cleared:,} without Kith's names but with what other programs wrote, {len(done.left):,} left alone."
    )
    click.echo(f"The next scan writes names again, unless {show(settings)} says write = false under [sidecars].")


class Answering(Protocol):
    """A running Kith, or this process in its place."""

    def get(self, path: str, **query: Any) -> dict[str, Any]: ...
    def post(self, path: str, **body: Any) -> dict[str, Any]: ...


@contextmanager
def _answering() -> Iterator[Answering]:
    """Whoever takes answers: the Kith that runs, which follows them up by itself, or else this process."""
    from kith.api.inside import Inside
    from kith.service import stages

    places = paths.of_user()
    if running(places.lock) and places.socket.exists():
        with Client(places.socket) as kith:
            yield kith
        return
    with _kith() as app:
        yield Inside(app)
        written = stages.follow(app, Terminal())
    if written:
        click.echo(f"{_count(written, 'sidecar')} written.")


def _photo(kith: Answering, path: Path) -> dict[str, Any]:
    """What Kith knows of the photo at a path. Raises NotFound."""
    found: dict[str, Any] = kith.post("/v1/photos/lookup", paths=[os.fsencode(path.absolute())])["photos"][0]
    if found["id"] is None:
        raise NotFound(f"{show(path)} is not among the photos that Kith has analysed; run `kith scan` on its folder.")
    return found


def _person(kith: Answering, called: str) -> str:
    """The id of the person called so. Raises NotFound, and says who nearly is."""
    return str(kith.get("/v1/people/called", name=called)["person"]["id"])


@main.command()
@click.option("-n", "--number", default=20, show_default=True, help="How many entries.")
@JSON
def history(number: int, as_json: bool) -> None:
    """List what was said, the newest first; `kith undo ENTRY` takes it back."""
    from kith.service import views

    with _kith(readonly=True) as app:
        found = views.history(app, number)
    if as_json:
        _print_json(found)
        return
    for act in found:
        click.echo(_act(act))
    if not found:
        click.echo("Nothing was said yet.")


@main.command()
@JSON
def disputes(as_json: bool) -> None:
    """List the names that another program took away twice. `kith confirm` keeps one, `kith reject` lets it go."""
    from kith.service import views

    with _kith(readonly=True) as app:
        found = views.disputes(app)
    if as_json:
        _print_json(found)
        return
    for face in found["faces"]:
        click.echo(f"{face['id']:>7}  {face['person']['name']} on {show(face['photo'])}")
    for person in found["present"]:
        click.echo(
            f"{'no face':>7}  {person['name']} on {show(person['photo'])} (`kith tag` keeps, `kith untag` drops)"
        )
    if not any(found.values()):
        click.echo("No name is disputed.")


# -- state --------------------------------------------------------------------------------------------------------


@main.command()
@JSON
def status(as_json: bool) -> None:
    """Say how much there is of everything, and what is left to do."""
    from kith.service import views

    with _kith(readonly=True) as app:
        now = views.status(app)
        places = app.paths
    if as_json:
        _print_json(now)
        return
    click.echo(f"Now        {_doing(places.socket)}")
    click.echo(f"Photos     {now['photos']}, {now['analysed']} analysed, {now['pending']} to do")
    click.echo(f"Faces      {now['faces']}, {_count(now['groups'], 'group')} unnamed")
    click.echo(f"People     {now['people']}")
    if now["disputes"]:
        click.echo(f"Disputed   {_count(now['disputes'], 'name')}; `kith disputes` lists them")
    click.echo(f"Trouble    {now['trouble'] or 'none'}")
    click.echo(f"Model      {now['pack'] or 'none: run `kith models install auto`'}")
    click.echo(f"Settings   {show(places.config_file)}")
    click.echo(f"Catalogue  {show(places.catalogue)}")


@main.command()
@JSON
def trouble(as_json: bool) -> None:
    """List the files that Kith could not work with, and why."""
    from kith.service import views

    with _kith(readonly=True) as app:
        found = views.troubles(app)
    if as_json:
        _print_json(found)
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

    with _kith() as app:
        found = list(care.examine(folders, [person["name"] for person in views.everybody(app)]))
        for finding in found:
            click.echo(finding.sentence)
        mendable = [finding for finding in found if finding.mended is not None]
        if not found:
            click.echo("All sidecars are well.")
        elif not fix and mendable:
            click.echo(f"{_count(len(mendable), 'sidecar')} of these can be mended: `kith doctor --fix` shows how.")
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
    if ask and not click.confirm(f"\nChange {_count(len(findings), 'sidecar')} like this?"):
        click.echo("Nothing was changed.")
        return
    left = care.mend(app, findings)
    for sentence in left:
        click.echo(sentence, err=True)
    click.echo(f"{_count(len(findings) - len(left), 'sidecar')} mended. `kith undo --sidecars` puts them back.")


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
    summary = _asked("/v1/rescan", paths=_absolute(where), mode=mode, and_my_answers=and_my_answers)
    if summary is None:
        from kith.service import stages

        with _kith() as app:
            summary = asdict(stages.rescan(app, where, mode, Terminal(), forget=and_my_answers))
    click.echo(f"{_count(summary['analysed'], 'photo')} analysed, {_count(summary['written'], 'sidecar')} written.")


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
        done = _asked("/v1/relearn")
        if done is None:
            with _kith() as app:
                done = asdict(care.relearn(app, Terminal()))
        click.echo(
            f"Learnt anew from {_count(done['answers'], 'answer')}: {_count(done['guesses'], 'face')} taken for "
            f"somebody, {done['changed']:,} of them differently than before. "
            f"{_count(done['written'], 'sidecar')} written."
        )
        return
    if not folders:
        raise click.UsageError("Say which folders the sidecars are in.")
    from kith.service.app import set_damaged_aside

    aside = set_damaged_aside(paths.of_user())
    if aside:
        click.echo(f"The catalogue was damaged; it is kept as {show(aside)}.")
    with _kith() as app:
        care.rebuild(app, folders, Terminal())
        known = views.everybody(app)
    faces = sum(person["faces"] for person in known)
    click.echo(f"Kith knows {_count(len(known), 'person', 'people')} again, on {_count(faces, 'face')}.")


@main.group()
def models() -> None:
    """The models that find and tell faces: list, install, use."""


@models.command("list")
@JSON
def list_models(as_json: bool) -> None:
    """List the model packs there are."""
    from kith.service import packs

    with _kith() as app:
        found = packs.listed(app)
    if as_json:
        _print_json(found)
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
    done = _asked("/v1/models/install", pack=pack, source=os.fsencode(source.absolute()) if source else None)
    if done is None:
        from kith.service import packs

        with _kith() as app:
            done = {"pack": packs.get(app, pack, source, Terminal())}
    click.echo(f"Model pack {done['pack']} is installed and in use as soon as it knows all faces.")


@models.command("use")
@click.argument("pack")
def use_models(pack: str) -> None:
    """Use an installed PACK from now on. Every name stays."""
    if _asked("/v1/models/use", pack=pack) is None:
        from kith.service import packs

        with _kith() as app:
            packs.use(app, pack)
    click.echo(f"The next scan looks at all known faces with {pack}; then it is in use. Names stay.")


def _doing(socket: Path) -> str:
    """What the running Kith is doing."""
    try:
        with Client(socket, timeout=2.0) as kith:
            return in_words(kith.get("/v1/status")["doing"])
    except KithError:
        return "Kith doesn't run; `kith run FOLDER` starts it."


# -- words --------------------------------------------------------------------------------------------------------


def _print_json(value: Any) -> None:
    # file names may hold bytes that are no text, which JSON can only carry escaped
    click.echo(json.dumps(value, ensure_ascii=True))


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _where(box: dict[str, float]) -> str:
    return f"{box['x']:4.0%} across, {box['y']:4.0%} down"


def _who(face: dict[str, Any]) -> str:
    if face["person"]:
        return f"{face['person']['name']}{_doubt(face)}"
    if face["suggestion"]:
        sure = f"{face['suggestion']['probability_group']:.0%} sure"
        named = "named by Kith" if face["state"] == "auto" else "perhaps"
        return f"{face['suggestion']['person']['name']} ({named}, {sure})"
    return f"{face['state']}{' ' + face['group'] if face['group'] else ''}"


def _act(act: dict[str, Any]) -> str:
    when = datetime.fromtimestamp(act["at"]).strftime("%Y-%m-%d %H:%M")
    taken_back = "" if act["live"] else "  (taken back)"
    return f"{act['id']:>7}  {when}  {act['words'] or act['source']}{taken_back}"


def _doubt(entry: dict[str, Any]) -> str:
    return " (taken away by another program, twice)" if entry["dispute"] == "open" else ""
