"""`kith run`: everything that runs is made here, started in order, and stopped in reverse."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Protocol

from kith import config, scan, sidecars
from kith.api.app import API, make
from kith.api.auth import kept_token
from kith.api.serve import serve
from kith.catalogue import settings
from kith.errors import BadRequest, ConfigInvalid, KithError
from kith.files import show
from kith.paths import Paths
from kith.service.app import App, opened
from kith.service.daemon import Daemon
from kith.service.neighbour import OthersLoad, Watchman
from kith.service.reports import in_words
from kith.service.unit import notify, watchdog_seconds
from kith.watch import Hint, Options, Watcher, mount_of

log = logging.getLogger(__name__)

HOMES = "homes"  # at which mount each root lay: a disk that isn't there is not an empty folder
SHOW_SECONDS = 0.5
WATCH_SECONDS = 5.0  # between looks whether to pause, and whether all is alive


class Voice(Protocol):
    """Whoever started Kith and may look on."""

    def say(self, line: str) -> None:
        """A sentence."""

    def doing(self, line: str) -> None:
        """What is going on now, in place of what was before."""


def run(paths: Paths, folders: Sequence[Path], voice: Voice, *, port: int | None = None) -> BaseException | None:
    """Run until told to stop (SIGTERM, SIGINT); gives what stopped Kith by itself, if anything did.

    Raises what `opened` raises, and BadRequest for what is no folder.
    """
    with opened(paths, config.load(paths.config_file)) as app:
        roots = _roots(app, folders)
        daemon = Daemon(app, roots)
        with _watching(daemon, roots):
            asyncio.run(_serving(daemon, app.config.service.port if port is None else port, voice))
        return daemon.failed()


def _roots(app: App, folders: Sequence[Path]) -> list[Path]:
    """The folders to watch: those given and those in the settings. One that isn't there now is watched for."""
    found = [*folders, *(Path(folder).expanduser() for folder in app.config.service.folders)]
    roots = list(dict.fromkeys(folder.resolve() for folder in found))
    for folder in folders:
        if not folder.is_dir():
            raise BadRequest(f"{show(folder)} is not a folder. If it is on a disk, plug that in and try again.")
    return roots


# -- watching -----------------------------------------------------------------------------------------------------


@contextmanager
def _watching(daemon: Daemon, roots: Sequence[Path]) -> Iterator[None]:
    """The daemon at work, with its folders watched, those too that it is given later."""
    with ExitStack() as stack:
        watchers: dict[Path, Watcher] = {}

        def watch(more: Sequence[Path]) -> None:
            for root in more:
                watchers[root] = _watcher(daemon, root)
                watchers[root].start()
            _keep_homes(daemon.app, more)

        def unwatch(some: Sequence[Path]) -> None:
            for root in some:
                watchers.pop(root).stop()

        daemon.watch, daemon.unwatch = watch, unwatch
        daemon.begin()
        stack.callback(daemon.end)
        stack.callback(lambda: unwatch(tuple(watchers)))
        watch(roots)
        yield


def _watcher(daemon: Daemon, root: Path) -> Watcher:
    photos = daemon.app.config.photos
    return Watcher(
        [root],
        lambda hints: daemon.hint(_as_paths(hints)),
        on_offline=lambda root: daemon.online(_path(root), False),
        on_online=lambda root: daemon.online(_path(root), True),
        on_trouble=lambda _, error: log.warning("%s", error),
        homes=_homes(daemon.app),
        options=Options(hidden=photos.hidden, even=sidecars.READ_ONLY, rules=scan.RULES),
    )


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


async def _serving(daemon: Daemon, port: int, voice: Voice) -> None:
    """Answer at the doors, keep systemd informed and be a good neighbour, until a signal or the daemon's own end."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, _reload, daemon)
    places = daemon.app.paths
    application = make(daemon, token=kept_token(places.token))
    async with serve(application, places.socket, port=port) as doors:
        page = f"http://127.0.0.1:{doors.port}"
        places.page.write_text(page)
        voice.say(f"The review page, good for one minute: {page}{application[API].door.link()}")
        voice.say("Later: `kith review` opens it. Ctrl-C stops Kith; what is done stays done.")
        notify("READY=1")
        async with _neighbour(daemon):
            await _until(stop, daemon, voice)
        notify("STOPPING=1")


async def _until(stop: asyncio.Event, daemon: Daemon, voice: Voice) -> None:
    heartbeat = min(watchdog_seconds() or WATCH_SECONDS, WATCH_SECONDS)
    due = 0.0
    while daemon.is_alive:
        line = in_words(daemon.status())
        voice.doing(line)
        if time.monotonic() >= due:
            notify(f"WATCHDOG=1\nSTATUS={line}")
            due = time.monotonic() + heartbeat
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), SHOW_SECONDS)
            return


@asynccontextmanager
async def _neighbour(daemon: Daemon) -> AsyncIterator[None]:
    """Pause for what the user needs the machine for, go on when that is over; and read settings that were changed."""

    async def watch() -> None:
        wanted = daemon.app.config.neighbour
        own = OthersLoad(own=lambda: daemon.app.workers if daemon.status()["state"] == "busy" else 0)
        watchman = Watchman(wanted.pause_on_battery, wanted.max_load, own)
        held: set[str] = set()
        settings_as_read = _stamp(daemon)
        while True:
            if _stamp(daemon) != settings_as_read:
                settings_as_read = _stamp(daemon)
                _reload(daemon)
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


def _stamp(daemon: Daemon) -> tuple[int, int] | None:
    """What tells the settings file from an earlier or later one; None where there is none."""
    with suppress(OSError):
        info = daemon.app.paths.config_file.stat()
        return info.st_mtime_ns, info.st_size
    return None


def _reload(daemon: Daemon) -> None:
    try:
        daemon.configure(config.load(daemon.app.paths.config_file))
    except ConfigInvalid as error:
        log.error("The settings stay as they were. %s", error)
    except KithError as error:
        log.error("%s", error)
    else:
        log.info("The settings were read again.")
