"""Looking after sidecars: what was there before Kith, what is wrong with them, and what a lost catalogue knew."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kith import sidecars
from kith.catalogue import photos
from kith.catalogue import sidecars as written
from kith.errors import KithError, SidecarChanged
from kith.scan import FileSeen, walk
from kith.service import packs, recognition, stages
from kith.service.app import App
from kith.service.reports import Report
from kith.types import Original
from kith.vision import is_photo


@dataclass(frozen=True, slots=True)
class PutBack:
    """How many sidecars are as before Kith, or without its names because others changed them too, and why the rest
    is not."""

    restored: int
    removed: int
    cleared: int
    left: tuple[str, ...]


def put_back(app: App) -> PutBack:
    """Give every sidecar the bytes it had before Kith first wrote it, and remove those that Kith made.

    Where another program has changed one since, Kith's names are taken out of it and the rest stays.
    """
    counts: Counter[str] = Counter()
    left = []
    for original in app.catalogue.read(written.kept):
        try:
            counts[_put_back(app, original)] += 1
        except KithError as error:
            left.append(error.message)
            continue
        app.catalogue.write(written.put_back, original.path)
    return PutBack(counts["restored"], counts["removed"], counts["cleared"], tuple(left))


def _put_back(app: App, original: Original) -> str:
    try:
        sidecars.restore(original)
        return "removed" if original.data is None else "restored"
    except SidecarChanged:
        path = sidecars.photo_of(original.path)
        photo = app.catalogue.read(photos.by_path, path) if path else None
        if photo is None:
            raise
    prepared = sidecars.without_names(stages.sidecar_task(app, photo))
    if prepared.data is not None:
        app.catalogue.write(written.intend, photo.id, prepared.base, prepared.change)
        sidecars.replace(prepared)
    return "cleared"


def rebuild(app: App, roots: Sequence[Path], report: Report) -> stages.Summary:
    """Take every name that the sidecars in some folders hold for an answer, as if they were read for the first time.

    What Kith itself guessed in them stays a guess.
    """
    packs.adopt(app)
    for root in roots:
        app.catalogue.write(written.forget, os.fsencode(root.resolve()))
    return stages.run(app, roots, report)


@dataclass(frozen=True, slots=True)
class Relearnt:
    """How many confirmed answers taught, how many guesses came of it, how many are not what they were before."""

    answers: int
    guesses: int
    changed: int
    written: int


def relearn(app: App, report: Report) -> Relearnt:
    """Drop every guess, and make all anew from what people confirmed: embeddings that are missing, how far the model's
    probabilities are to be believed here, groups, suggestions, sidecars.

    What was guessed before stands until all of it is done. Stopping anywhere loses nothing but time.
    """
    stages.embed(app, packs.load(app), report)
    pack = packs.manifest(app)
    before = recognition.scene(app, pack)
    with report.stage("Learning from answers", 2) as step:
        recognition.learn(app, pack)
        step()
        recognition.Beliefs(app).update(pack, afresh=True)
        step()
    after = recognition.scene(app, pack).recognition.suggestions
    was = {face: guess.person for face, guess in before.recognition.suggestions.items()}
    now = {face: guess.person for face, guess in after.items()}
    changed = sum(was.get(face) != now.get(face) for face in was.keys() | now.keys())
    answers = sum(face.person is not None for face in before.gallery.faces)
    return Relearnt(answers, len(now), changed, stages.write(app, report))


def examine(folders: Sequence[Path], known: Sequence[str] = ()) -> Iterator[sidecars.Finding]:
    """What is wrong with the sidecars in some folders. Nothing is changed.

    `known` are names as Kith has them, which is how they should be spelled; others as most sidecars do.
    """
    families = [family for folder in folders for family in _families(folder)]
    spelling = _spelling(families, known)
    for family in families:
        for path in sorted(family):
            if sidecars.is_sidecar(path):
                yield from sidecars.findings(path, family, spelling)
            else:
                yield from sidecars.rivals(path, family)


def mend(app: App, findings: Sequence[sidecars.Finding]) -> list[str]:
    """Replace sidecars by what mends them, keeping the originals; gives why some could not be."""
    left = []
    for finding in findings:
        try:
            if finding.change is not None:
                app.catalogue.write(written.keep, finding.change)
            sidecars.mend(finding)
        except KithError as error:
            left.append(error.message)
    return left


def _families(folder: Path) -> list[set[bytes]]:
    found = [entry.path for entry in walk(folder, _is_of_interest) if isinstance(entry, FileSeen)]
    return list(sidecars.families(found))


def _spelling(families: Sequence[set[bytes]], known: Sequence[str]) -> Mapping[str, str]:
    """For the key of each name that is spelled in several ways, the spelling that Kith or else most sidecars have."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for path in (path for family in families for path in family if sidecars.is_sidecar(path)):
        for name in sidecars.spellings(path):
            counts[sidecars.name_key(name)][name] += 1
    most = {key: min(found, key=lambda name: (-found[name], name)) for key, found in counts.items()}
    return most | {sidecars.name_key(name): name for name in known}


def _is_of_interest(name: bytes) -> bool:
    return is_photo(name) or sidecars.is_sidecar(name)
