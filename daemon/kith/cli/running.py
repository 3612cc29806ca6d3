"""Commands that start Kith, ask it, and put it where other programs find it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from kith import paths
from kith.cli.base import PHOTO, main
from kith.errors import BadRequest, KithError, Unexpected
from kith.terminal import Standing


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
    from kith.client import Client

    places = paths.of_user()
    with Client(places.socket) as kith:
        link = places.page.read_text("ascii") + kith.post("/v1/login-links")["path"]
    if only_print or click.launch(link) != 0:
        click.echo(link)


@main.command()
def pause() -> None:
    """Let the running Kith do nothing by itself until `kith resume`; answers are still taken."""
    from kith.client import Client

    with Client(paths.of_user().socket) as kith:
        kith.post("/v1/pause")


@main.command()
def resume() -> None:
    """Let the running Kith go on."""
    from kith.client import Client

    with Client(paths.of_user().socket) as kith:
        kith.post("/v1/resume")


@main.group("service")
def user_service() -> None:
    """Kith as a systemd service of yours: from each login on, in the background."""


@user_service.command("install")
@click.argument("folders", nargs=-1, type=PHOTO, metavar="[FOLDER...]")
def install_service(folders: Sequence[Path]) -> None:
    """Start Kith now and at each login. FOLDER is added to the settings; without any they must be there already."""
    from kith import config
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
