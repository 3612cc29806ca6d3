"""What takes long: started here, done when its turn comes, looked at through /v1/status and /v1/jobs."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kith import config
from kith.api import asked, reading
from kith.api.wire import WirePath
from kith.errors import BadRequest, ConfigInvalid, KithError, Unexpected
from kith.service import care, packs, stages

if TYPE_CHECKING:
    from kith.api.routes import Api

log = logging.getLogger(__name__)


def rescan(api: Api, given: asked.Rescan) -> dict[str, Any]:
    """Find the faces on some photos anew."""
    where, forget = _paths(given.paths), given.and_my_answers
    return _start(
        api, "rescan", lambda: asdict(stages.rescan(api.app, where, given.mode, api.control.report, forget=forget))
    )


def rebuild(api: Api, given: asked.Folders) -> dict[str, Any]:
    """Take every name in the sidecars of some folders for an answer."""
    return _start(api, "rebuild", lambda: asdict(care.rebuild(api.app, _paths(given.paths), api.control.report)))


def relearn(api: Api, _: asked.Shape) -> dict[str, Any]:
    """Drop every guess, and make all anew from what people confirmed."""
    return _start(api, "relearn", lambda: asdict(care.relearn(api.app, api.control.report)))


def install(api: Api, given: asked.Install) -> dict[str, Any]:
    """Install a model pack and use it."""
    source = None if given.source is None else _paths([given.source])[0]
    return _start(api, "install", lambda: {"pack": packs.get(api.app, given.pack, source, api.control.report)})


def use(api: Api, given: asked.Use) -> dict[str, Any]:
    """Use an installed model pack."""

    def work() -> dict[str, Any]:
        packs.use(api.app, given.pack)
        return {"pack": given.pack}

    return _start(api, "use", work)


def _start(api: Api, kind: str, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Have something done; a defect in it is that job's error and nobody else's."""

    def guarded() -> dict[str, Any]:
        try:
            return work()
        except KithError:
            raise
        except Exception as error:
            log.exception("A %s failed.", kind)
            raise Unexpected(f"Kith stumbled while it did this ({type(error).__name__}); please report it.") from error

    return {"job": api.control.start(kind, guarded)}


def add_folders(api: Api, given: asked.Folders) -> dict[str, Any]:
    """Watch some more folders, from now on and whenever Kith runs."""
    paths = _paths(given.paths)
    api.control.add_roots(paths)
    config.add_folders(api.app.paths.config_file, [path.resolve() for path in paths])
    return {"folders": api.control.status()["roots"]}


def remove_folders(api: Api, given: asked.Folders) -> dict[str, Any]:
    """Watch some folders no longer; what is known of their photos stays."""
    paths = _paths(given.paths)
    api.control.drop_roots(paths)
    config.remove_folders(api.app.paths.config_file, paths)
    return {"folders": api.control.status()["roots"]}


def change_settings(api: Api, given: asked.Settings) -> dict[str, Any]:
    """Change some settings, in effect and in their file."""
    path = api.app.paths.config_file
    try:
        config.change(path, given.settings)
    except ConfigInvalid as error:
        raise BadRequest(error.message) from error
    api.control.configure(config.load(path))
    return reading.settings(api, asked.Shape())


def pause(api: Api, _: asked.Shape) -> dict[str, Any]:
    """Do nothing of one's own accord; answers are still taken."""
    api.control.pause()
    return {"doing": api.control.status()}


def resume(api: Api, _: asked.Shape) -> dict[str, Any]:
    """Go on."""
    api.control.resume()
    return {"doing": api.control.status()}


def _paths(paths: list[WirePath]) -> list[Path]:
    return [Path(os.fsdecode(path.raw)) for path in paths]
