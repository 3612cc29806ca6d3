"""What Kith believes after any number of small steps is what it would believe had everything come at once."""

from __future__ import annotations

import random
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from kith import config
from kith.catalogue import Catalogue, faces, journal, open_catalogue, people, photos, work
from kith.paths import Paths
from kith.service.app import App
from kith.service.recognition import Beliefs
from kith.types import Answer, Box, Calibration, FaceId
from laws import tried
from made import PACK, SAME, analysis, face, vector

MANIFEST: Any = SimpleNamespace(
    id=PACK, version="1", beliefs=Calibration({"1e-3": 0.5, "1e-4": 0.6, "1e-5": 0.7}, {}, {})
)
PLACES = (Box(0.25, 0.5, 0.2, 0.3), Box(0.75, 0.5, 0.2, 0.3))
NAMES = ("Anna", "Ben")


def add_photo(catalogue: Catalogue, chance: random.Random, number: int) -> None:
    path = f"/{number:03}.jpg".encode()
    state = photos.FileState(path, 1, 1, path)
    catalogue.write(photos.record, [state], lambda _: True)
    photo = catalogue.read(photos.by_path, path)
    assert photo is not None
    on_it = chance.sample(range(4), 2)
    found = [face(box, vector(100 * number + who, near=vector(who))) for box, who in zip(PLACES, on_it, strict=True)]
    catalogue.write(faces.store, photo, analysis(*found, captured_at=number * 100.0), SAME)


def answer(catalogue: Catalogue, chance: random.Random) -> None:
    ids = [FaceId(row[0]) for row in catalogue.read(lambda db: db.execute("SELECT id FROM faces").fetchall())]
    if not ids:
        return
    one = chance.choice(ids)
    kind = chance.choice(["name", "name", "name", "reject", "ignore", "none", "merge", "undo", "again"])
    if kind == "name":
        catalogue.write(journal.name, [one], chance.choice(NAMES), "person")
    elif kind == "reject":
        person = catalogue.write(people.named, chance.choice(NAMES))
        catalogue.write(journal.answer, [(one, person)], Answer.REJECTED, "person")
    elif kind in ("ignore", "none"):
        answered = Answer.IGNORED if kind == "ignore" else Answer.NOT_A_FACE
        catalogue.write(journal.answer, [(one, None)], answered, "person")
    elif kind == "merge":
        gone, kept = (catalogue.write(people.named, name) for name in NAMES)
        catalogue.write(journal.merge, gone, kept, "person", "")
    elif kind == "undo":
        live = [act for act in catalogue.read(journal.history, 100) if act.live and act.undoes is None]
        if live:
            catalogue.write(journal.undo, live[0].id, "person")
    else:
        path = catalogue.read(faces.get, one).path
        catalogue.write(work.look_again, [path], clear=True)


def believed(catalogue: Catalogue) -> object:
    """Groups as sets of faces, and suggestions."""
    now = catalogue.read(faces.recognition)
    groups: dict[int, set[int]] = {}
    for one, group in now.groups.items():
        groups.setdefault(group, set()).add(one)
    return sorted(map(sorted, groups.values())), sorted(
        (one, guess.person, round(guess.probability_group, 3), guess.auto) for one, guess in now.suggestions.items()
    )


@given(st.integers(0, 2**32), st.lists(st.sampled_from(["photo", "photo", "answer", "believe"]), max_size=30))
@tried(25, suppress_health_check=[HealthCheck.too_slow])
def test_small_steps_lead_where_one_large_step_leads(seed: int, steps: list[str]) -> None:
    chance, number = random.Random(seed), count()
    with TemporaryDirectory() as folder:
        home = Path(folder)
        places = Paths.below(home)
        catalogue = open_catalogue(home / "catalogue.db")
        app = App(places, config.load(), catalogue)
        beliefs = Beliefs(app)
        for step in steps:
            if step == "photo":
                add_photo(catalogue, chance, next(number))
            elif step == "answer":
                answer(catalogue, chance)
            else:
                beliefs.update(MANIFEST)
        beliefs.update(MANIFEST)
        assert catalogue.read(faces.changed)[1] == frozenset()
        by_steps = believed(catalogue)
        Beliefs(app).update(MANIFEST)
        assert believed(catalogue) == by_steps
        catalogue.close()
