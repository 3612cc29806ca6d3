"""What the commands share: their group, who is asked, and how things are put into words."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import click

from kith import paths
from kith.errors import KithError, NotFound
from kith.files import show
from kith.service.reports import in_words
from kith.terminal import Standing, Terminal

if TYPE_CHECKING:
    from kith.client import Client
    from kith.service.app import App

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
def app_of_user(*, readonly: bool = False) -> Iterator[App]:
    """Kith's parts, with the user's own folders and settings."""
    from kith import config
    from kith.service.app import opened

    places = paths.of_user()
    with opened(places, config.load(places.config_file), readonly=readonly) as app:
        yield app


def running_kith(timeout: float = 60.0) -> Client | None:
    """A connection to the Kith that runs; None where none does."""
    from kith.client import Client
    from kith.service.app import running

    places = paths.of_user()
    return Client(places.socket, timeout) if running(places.lock) and places.socket.exists() else None


def asked(path: str, **body: Any) -> dict[str, Any] | None:
    """What came of something that the running Kith was asked to do; None where none runs."""
    if (client := running_kith()) is None:
        return None
    line = Standing()
    with client as kith:
        result = kith.job(path, lambda: line.doing(in_words(kith.get("/v1/status")["doing"])), **body)
    line.doing("")
    return result


def absolute(places: Sequence[Path]) -> list[bytes]:
    return [os.fsencode(place.absolute()) for place in places]


class Answering(Protocol):
    """A running Kith, or this process in its place."""

    def get(self, path: str, **query: Any) -> dict[str, Any]: ...
    def post(self, path: str, **body: Any) -> dict[str, Any]: ...


@contextmanager
def answering() -> Iterator[Answering]:
    """Whoever takes answers: the Kith that runs, which follows them up by itself, or else this process."""
    from kith.api.inside import Inside
    from kith.service import stages

    if (client := running_kith()) is not None:
        with client as kith:
            yield kith
        return
    with app_of_user() as app:
        yield Inside(app)
        written = stages.follow(app, Terminal())
    if written:
        click.echo(f"{count(written, 'sidecar')} written.")


def photo_at(kith: Answering, path: Path) -> dict[str, Any]:
    """What Kith knows of the photo at a path. Raises NotFound."""
    found: dict[str, Any] = kith.post("/v1/photos/lookup", paths=[os.fsencode(path.absolute())])["photos"][0]
    if found["id"] is None:
        raise NotFound(f"{show(path)} is not among the photos that Kith has analysed; run `kith scan` on its folder.")
    return found


def person_called(kith: Answering, called: str) -> str:
    """The id of the person called so. Raises NotFound, and says who nearly is."""
    return str(kith.get("/v1/people/called", name=called)["person"]["id"])


def doing(socket: Path) -> str:
    """What the running Kith is doing."""
    from kith.client import Client

    try:
        with Client(socket, timeout=2.0) as kith:
            return in_words(kith.get("/v1/status")["doing"])
    except KithError:
        return "Kith doesn't run; `kith run FOLDER` starts it."


def print_json(value: Any) -> None:
    # file names may hold bytes that are no text, which JSON can only carry escaped
    click.echo(json.dumps(value, ensure_ascii=True))


def count(number: int, one: str, many: str | None = None) -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def place_of(box: dict[str, float]) -> str:
    return f"{box['x']:4.0%} across, {box['y']:4.0%} down"


def who_is(face: dict[str, Any]) -> str:
    if face["person"]:
        return f"{face['person']['name']}{doubt_of(face)}"
    if face["suggestion"]:
        sure = f"{face['suggestion']['probability_group']:.0%} sure"
        named = "named by Kith" if face["state"] == "auto" else "perhaps"
        return f"{face['suggestion']['person']['name']} ({named}, {sure})"
    return f"{face['state']}{' ' + face['group'] if face['group'] else ''}"


def act_line(act: dict[str, Any]) -> str:
    when = datetime.fromtimestamp(act["at"]).strftime("%Y-%m-%d %H:%M")
    taken_back = "" if act["live"] else "  (taken back)"
    return f"{act['id']:>7}  {when}  {act['words'] or act['source']}{taken_back}"


def doubt_of(entry: dict[str, Any]) -> str:
    return " (taken away by another program, twice)" if entry["dispute"] == "open" else ""
