"""Settings: `default.toml` under the user's `kith.toml`, as frozen structs; all mistakes are told at once."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct
from pathspec import GitIgnoreSpec

from kith.errors import ConfigInvalid

if TYPE_CHECKING:
    from tomlkit import TOMLDocument

Fraction = Annotated[float, Meta(ge=0, le=1)]
Positive = Annotated[float, Meta(gt=0)]
Substitute = Annotated[str, Meta(pattern=r"\A[^|/\x00-\x1f]+\Z")]


class Photos(Struct, frozen=True, forbid_unknown_fields=True):
    ignore: tuple[str, ...]
    hidden: bool
    max_megapixels: Positive
    max_megabytes: Positive

    def __post_init__(self) -> None:
        GitIgnoreSpec.from_lines(self.ignore)  # ValueError for what is no pattern


class AnalysisSettings(Struct, frozen=True, forbid_unknown_fields=True):
    workers: Annotated[int, Meta(ge=0, le=256)]
    patience: Positive


class Detection(Struct, frozen=True, forbid_unknown_fields=True):
    min_score: Fraction
    min_size: Annotated[int, Meta(ge=1)]
    turned: bool


class People(Struct, frozen=True, forbid_unknown_fields=True):
    min_faces: Annotated[int, Meta(ge=1)]
    strictness: Annotated[float, Meta(ge=-1, le=1)]
    auto: Literal["off", "strict", "wide"]


class Sidecars(Struct, frozen=True, forbid_unknown_fields=True):
    write: bool
    root: Annotated[str, Meta(min_length=1)]
    subject: bool
    hierarchical: bool
    tagslist: bool
    max_regions: Annotated[int, Meta(ge=0)]
    microsoft: bool
    unnamed: bool
    short_names: bool
    pipe: Substitute
    slash: Substitute
    nobody: tuple[str, ...]
    quiet_seconds: Annotated[float, Meta(ge=0)]


class Neighbour(Struct, frozen=True, forbid_unknown_fields=True):
    pause_on_battery: bool
    max_load: Annotated[float, Meta(ge=0)]


class ServiceSettings(Struct, frozen=True, forbid_unknown_fields=True):
    folders: tuple[str, ...]
    port: Annotated[int, Meta(ge=0, le=65535)]


class Config(Struct, frozen=True, forbid_unknown_fields=True):
    service: ServiceSettings
    photos: Photos
    analysis: AnalysisSettings
    detection: Detection
    people: People
    sidecars: Sidecars
    neighbour: Neighbour


def load(path: Path | None = None) -> Config:
    """The defaults, overridden by the TOML file at `path` where it exists. Raises ConfigInvalid."""
    values = tomllib.loads(files("kith").joinpath("default.toml").read_text("utf-8"))
    if path is not None and path.exists():
        try:
            changes = tomllib.loads(path.read_text("utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigInvalid(f"{path} is not valid TOML: {error}.") from error
        problems = list(_merge(values, changes))
        if problems:
            raise ConfigInvalid("\n".join([f"{path} has settings that can't be used:", *problems]))
    return msgspec.convert(values, Config)


def change(path: Path, changes: Mapping[str, Mapping[str, Any]]) -> None:
    """Change some settings, {section: {key: value}}, leaving the rest of the file as it is. Raises ConfigInvalid."""
    problems = _merge(msgspec.to_builtins(load(path)), changes)
    if problems:
        raise ConfigInvalid("\n".join(["These settings can't be used:", *problems]))
    document = _document(path)
    for section, values in changes.items():
        for key, value in values.items():
            document.setdefault(section, {})[key] = value
    _write(path, document)


def add_folders(path: Path, folders: Sequence[Path]) -> None:
    """Add folders to watch to the settings, leaving everything else in the file as it is. Raises ConfigInvalid."""
    known = {_place(folder) for folder in load(path).service.folders}
    missing = [str(folder) for folder in folders if _place(folder) not in known]
    if missing:
        document = _document(path)
        document.setdefault("service", {}).setdefault("folders", []).extend(missing)
        _write(path, document)


def remove_folders(path: Path, folders: Sequence[Path]) -> None:
    """Take folders to watch out of the settings, leaving the rest of the file as it is. Raises ConfigInvalid."""
    gone = {_place(folder) for folder in folders}
    listed = load(path).service.folders
    left = [folder for folder in listed if _place(folder) not in gone]
    if len(left) < len(listed):
        document = _document(path)
        written = document["service"]["folders"]
        for number in reversed(range(len(listed))):
            if listed[number] not in left:
                del written[number]
        _write(path, document)


def _place(folder: str | Path) -> Path:
    """Where a folder is, however it is written."""
    return Path(folder).expanduser().resolve()


def _document(path: Path) -> TOMLDocument:
    """A settings file, to be changed in place: comments and order stay."""
    import tomlkit

    return tomlkit.parse(path.read_text("utf-8") if path.exists() else "")


def _write(path: Path, document: TOMLDocument) -> None:
    import tomlkit

    path = path.resolve()  # settings that are kept elsewhere, and linked to, stay there
    path.parent.mkdir(parents=True, exist_ok=True)
    temp = path.with_name(f"{path.name}.tmp")
    temp.write_text(tomlkit.dumps(document), "utf-8")
    temp.replace(path)


def _merge(values: dict[str, Any], changes: Mapping[str, Any]) -> list[str]:
    """Put `changes` into `values`; what doesn't fit is told, one line each."""
    sections = {field.name: field.type for field in msgspec.structs.fields(Config)}
    problems = []
    for section, settings in changes.items():
        if section not in sections or not isinstance(settings, dict):
            problems.append(f"  [{section}]: no such section{_meant(section, sections)}")
            continue
        types = {field.name: field.type for field in msgspec.structs.fields(sections[section])}
        for key, value in settings.items():
            if key not in types:
                problems.append(f"  [{section}] {key}: no such setting{_meant(key, types)}")
                continue
            try:
                values[section][key] = msgspec.convert(value, types[key])
            except msgspec.ValidationError as error:
                problems.append(f"  [{section}] {key} = {value!r}: {error}")
        try:
            msgspec.convert(values[section], sections[section])
        except msgspec.ValidationError as error:
            problems.append(f"  [{section}]: {error}")
    return problems


def _meant(word: str, known: dict[str, Any]) -> str:
    close = get_close_matches(word, known, 1)
    return f"; did you mean {close[0]}?" if close else ""
