"""`kith run`: everything that runs is made here, started in order, and stopped in reverse."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

from aiohttp import web

from kith import config, scan, sidecars
from kith.api.app import API, make
from kith.api.auth import kept_token
from kith.api.serve import Doors, serve
from kith.catalogue import settings
from kith.errors import BadRequest, ConfigInvalid, KithError
from kith.files import show
from kith.paths import Paths
from kith.service.app import App, opened
from kith.service.daemon import Daemon
from kith.service.neighbour import OthersLoad, Watchman
from kith.service.unit import notify, watchdog_seconds
from kith.watch import Hint, Options, Watcher, mount_of

log = logging.getLogger(__name__)

HOMES = "homes"  # at which mount each root lay: a disk that isn't there is not an empty folder
WATCH_SECONDS = 5.0  # between looks whether to pause, and whether all is alive


def run(
    paths: Paths, folders: Sequence[Path], say: Callable[[str], None], *, port: int | None = None
) -> BaseException | None:
    """Run until told to stop (SIGTERM, SIGINT); gives what stopped Kith by itself, if anything did.

    `say` gets sentences for whoever started it. Raises what `opened` raises, and BadRequest without any folder.
    """
    with opened(paths, config.load(paths.config_file)) as app:
        roots = _roots(app, folders)
        daemon = Daemon(app, roots)
        with _watching(daemon, roots):
            asyncio.run(_serving(daemon, app.config.service.port if port is None else port, say))
        return daemon.failed()


def _roots(app: App, folders: Sequence[Path]) -> list[Path]:
    """The folders to watch: those given and those in the settings. One that isn't there now is watched for."""
    found = [*folders, *(Path(folder).expanduser() for folder in app.config.service.folders)]
    roots = list(dict.fromkeys(folder.resolve() for folder in found))
    if not roots:
        raise BadRequest(
            f"Say which folders of photos to watch: `kith run FOLDER`, or folders = [...] in "
            f"{show(app.paths.config_file)} under [service]."
        )
    for folder in folders:
        if not folder.is_dir():
            raise BadRequest(f"{show(folder)} is not a folder. If it is on a disk, plug that in and try again.")
    return roots


# -- watching -----------------------------------------------------------------------------------------------------


@contextmanager
def _watching(daemon: Daemon, roots: Sequence[Path]) -> Iterator[None]:
    """The daemon at work, with the folders watched."""
    app = daemon.app
    watcher = Watcher(
        roots,
        lambda hints: daemon.hint(_as_paths(hints)),
        on_offline=lambda root: daemon.online(_path(root), False),
        on_online=lambda root: daemon.online(_path(root), True),
        on_trouble=lambda _, error: log.warning("%s", error.message),
        homes=_homes(app),
        options=Options(hidden=app.config.photos.hidden, even=sidecars.READ_ONLY, rules=scan.RULES),
    )
    daemon.begin()
    try:
        with watcher:
            _keep_homes(app, roots)
            yield
    finally:
        daemon.end()


def _as_paths(hints: frozenset[Hint]) -> list[tuple[Path, bool]]:
    return [(_path(hint.folder), hint.deep) for hint in hints]


def _path(name: bytes) -> Path:
    return Path(os.fsdecode(name))


def _homes(app: App) -> dict[bytes, bytes]:
    kept = json.loads(app.catalogue.read(settings.get, HOMES) or "{}")
    return {os.fsencode(root): os.fsencode(point) for root, point in kept.items()}


def _keep_homes(app: App, roots: Sequence[Path]) -> None:
    names = [os.fsencode(root) for root in roots if root.is_dir()]
    known = {name: mount_of(name).point for name in names} | _homes(app)
    kept = {os.fsdecode(root): os.fsdecode(point) for root, point in known.items()}
    app.catalogue.write(settings.put, HOMES, json.dumps(kept))


# -- serving ------------------------------------------------------------------------------------------------------


async def _serving(daemon: Daemon, port: int, say: Callable[[str], None]) -> None:
    """Answer at the doors, keep systemd informed and be a good neighbour, until a signal or the daemon's own end."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, _reload, daemon)
    places = daemon.app.paths
    application = make(daemon, token=kept_token(places.token))
    async with serve(application, places.socket, port=port) as doors:
        _tell_where(application, doors, say)
        notify("READY=1")
        async with _neighbour(daemon):
            await _until(stop, daemon)
        notify("STOPPING=1")


def _tell_where(application: web.Application, doors: Doors, say: Callable[[str], None]) -> None:
    link = application[API].door.link()
    say(f"The review page, good for one minute: http://127.0.0.1:{doors.port}{link}")
    say("Later: `kith review` opens it. Ctrl-C stops Kith; what is done stays done.")


async def _until(stop: asyncio.Event, daemon: Daemon) -> None:
    every = min(watchdog_seconds() or WATCH_SECONDS, WATCH_SECONDS)
    while daemon.is_alive:
        notify(f"WATCHDOG=1\nSTATUS={_in_words(daemon)}")
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), every)
            return


def _in_words(daemon: Daemon) -> str:
    now = daemon.status()
    stage = now["stage"]
    if stage is None:
        return f"Kith is {now['state']}."
    of = f" of {stage['total']}" if stage["total"] else ""
    return f"{stage['title']}: {stage['done']}{of}."


@asynccontextmanager
async def _neighbour(daemon: Daemon) -> AsyncIterator[None]:
    """Pause for what the user needs the machine for, and go on when that is over."""

    async def watch() -> None:
        wanted = daemon.app.config.neighbour
        own = OthersLoad(own=lambda: daemon.app.workers if daemon.status()["state"] == "busy" else 0)
        watchman = Watchman(wanted.pause_on_battery, wanted.max_load, own)
        held: set[str] = set()
        while True:
            reasons = set(watchman.reasons())
            for reason in reasons - held:
                daemon.pause(reason)
            for reason in held - reasons:
                daemon.resume(reason)
            held = reasons
            await asyncio.sleep(WATCH_SECONDS)

    task = asyncio.create_task(watch())
    try:
        yield
    finally:
        task.cancel()


def _reload(daemon: Daemon) -> None:
    try:
        daemon.configure(config.load(daemon.app.paths.config_file))
    except ConfigInvalid as error:
        log.error("The settings stay as they were. %s", error.message)
    except KithError as error:
        log.error("%s", error.message)
    else:
        log.info("The settings were read again.")
