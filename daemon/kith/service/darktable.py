"""The darktable plugin: putting it where darktable looks, taking it away, and saying what is there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

from kith.errors import NotFound, PermissionDenied
from kith.files import show

MARK = "-- put here by Kith; `kith darktable uninstall` removes this line"
LINE = f'require "kith/kith" {MARK}'
COMMAND = "kith-command"  # a file beside the plugin that says where the `kith` command is
FLATPAK = "org.darktable.Darktable"


@dataclass(frozen=True, slots=True)
class Place:
    """A darktable of this user: its configuration, and whether it runs in Flatpak's sandbox."""

    config: Path
    flatpak: bool = False

    @property
    def plugin(self) -> Path:
        return self.config / "lua" / "kith"

    @property
    def luarc(self) -> Path:
        return self.config / "luarc"

    @property
    def is_there(self) -> bool:
        return self.config.is_dir()


def places(environment: Mapping[str, str] = os.environ) -> list[Place]:
    """Where a darktable of this user may keep its configuration: an ordinary one first, then Flatpak's."""
    home = Path(environment.get("HOME") or Path.home())
    base = environment.get("XDG_CONFIG_HOME", "")
    config = Path(base) if base.startswith("/") else home / ".config"
    return [Place(config / "darktable"), Place(home / ".var" / "app" / FLATPAK / "config" / "darktable", flatpak=True)]


def shipped() -> Path:
    """The folder with the plugin that came with this Kith."""
    packaged = Path(str(files("kith").joinpath("darktable")))
    if packaged.is_dir():
        return packaged
    return Path(__file__).resolve().parents[3] / "plugins" / "darktable_lua" / "kith"  # an editable installation


def fill(folder: Path) -> None:
    """Make a folder with the plugin as it is shipped; of its translations only the form that gettext reads."""
    shutil.copytree(shipped(), folder, ignore=shutil.ignore_patterns("*.po"))


def install(program: Path, environment: Mapping[str, str] = os.environ) -> list[str]:
    """Put the plugin into every darktable of this user; gives what was done, in sentences.

    `program` is the `kith` command that the plugin may run. Raises NotFound where there is no darktable,
    PermissionDenied where its folder can't be written.
    """
    found = _found(environment)
    if not found:
        raise NotFound("There is no darktable of yours; start darktable once, so that it makes its folders.")
    told = []
    for place in found:
        try:
            _put(place, program)
        except OSError as error:
            raise PermissionDenied(
                f"{show(Path(error.filename or place.config))} can't be written: {error.strerror}."
            ) from error
        told += [f"The plugin is in {show(place.plugin)}.", *_from_sandbox(place)]
    return [*told, "darktable shows it when it is started the next time: people, on the right of the lighttable."]


def uninstall(environment: Mapping[str, str] = os.environ) -> list[str]:
    """Take the plugin out of every darktable of this user; gives what was done, in sentences. Tags stay."""
    told = []
    for place in _found(environment):
        if not place.plugin.is_dir() and not _is_required(place):
            continue
        try:
            _write_luarc(place, _without_line(_luarc(place)))
            shutil.rmtree(place.plugin, ignore_errors=True)
            (place.config / "kith-names.msgpack").unlink(missing_ok=True)
        except OSError as error:
            raise PermissionDenied(f"{show(place.luarc)} can't be written: {error.strerror}.") from error
        told.append(f"The plugin is removed from {show(place.config)}. The tags of your photos stay.")
    return told or ["The plugin is in no darktable of yours."]


def status(environment: Mapping[str, str] = os.environ) -> list[str]:
    """Which darktable has the plugin, and whether it is as it should be, in sentences."""
    found = _found(environment)
    if not found:
        return ["There is no darktable of yours."]
    return [sentence for place in found for sentence in _told(place)]


def _found(environment: Mapping[str, str]) -> list[Place]:
    return [place for place in places(environment) if place.is_there]


def _told(place: Place) -> list[str]:
    where = show(place.config)
    if not place.plugin.is_dir():
        return [f"The plugin is not in {where}; `kith darktable install` puts it there."]
    if not _is_current(place):
        return [f"The plugin in {where} is not the one of this Kith; `kith darktable install` renews it."]
    if not _is_required(place):
        return [
            f"The plugin is in {where}, but its luarc doesn't start it; `kith darktable install` mends that, "
            "or start it from script_manager."
        ]
    curl = [] if shutil.which("curl") else ["There is no curl; the plugin uses `kith call` instead, which is slower."]
    return [f"The plugin is in {where}.", *curl, *_from_sandbox(place)]


def _from_sandbox(place: Place) -> list[str]:
    """How Flatpak's darktable gets to Kith."""
    if not place.flatpak:
        return []
    return ["This darktable is Flatpak's, which keeps it away from Kith's socket: it asks at Kith's port instead."]


# -- the plugin's folder ------------------------------------------------------------------------------------------


def _put(place: Place, program: Path) -> None:
    """The plugin in its place, renewed as a whole: an older file that is not in it any more goes."""
    fresh, old = place.plugin.with_name(".kith.new"), place.plugin.with_name(".kith.old")
    place.plugin.parent.mkdir(parents=True, exist_ok=True)
    for rest in (fresh, old):
        shutil.rmtree(rest, ignore_errors=True)
    fill(fresh)
    (fresh / COMMAND).write_text(f"{program}\n", "utf-8")
    if place.plugin.exists():
        place.plugin.rename(old)
    fresh.rename(place.plugin)
    shutil.rmtree(old, ignore_errors=True)
    text = _luarc(place)
    if LINE not in text:
        _write_luarc(place, _with_line(text))


def _is_current(place: Place) -> bool:
    with TemporaryDirectory() as scratch:
        fresh = Path(scratch) / "kith"
        fill(fresh)
        return _contents(place.plugin) == _contents(fresh)


def _contents(plugin: Path) -> dict[Path, bytes]:
    found = {path.relative_to(plugin): path.read_bytes() for path in plugin.rglob("*") if path.is_file()}
    return {name: data for name, data in found.items() if name != Path(COMMAND)}


# -- darktable's luarc --------------------------------------------------------------------------------------------


def _luarc(place: Place) -> str:
    try:
        return place.luarc.read_bytes().decode("utf-8", "surrogateescape")
    except FileNotFoundError:
        return ""


def _write_luarc(place: Place, text: str) -> None:
    """Replace luarc as a whole; a link stays one, and an empty one goes where only Kith's line was in it."""
    if text == _luarc(place):
        return
    target = place.luarc.resolve()
    if not text:
        target.unlink(missing_ok=True)
        return
    temp = target.with_name(f".{target.name}.kith")
    temp.write_bytes(text.encode("utf-8", "surrogateescape"))
    if target.exists():
        shutil.copymode(target, temp)
    temp.replace(target)


def _with_line(text: str) -> str:
    """luarc with Kith's line; as open at its end as before, so that removing it gives the same bytes again."""
    return f"{text}\n{LINE}" if text and not text.endswith("\n") else f"{text}{LINE}\n"


def _without_line(text: str) -> str:
    return text.removesuffix(f"\n{LINE}") if text.endswith(LINE) else text.replace(f"{LINE}\n", "")


def _is_required(place: Place) -> bool:
    return any(
        'require "kith/kith"' in line and not line.lstrip().startswith("--") for line in _luarc(place).split("\n")
    )
