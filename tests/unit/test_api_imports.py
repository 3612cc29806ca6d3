"""What other programs say of people comes over the API as answers of theirs, with or without a Kith that runs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kith.api.inside import Inside
from kith.errors import BadRequest
from served import Served, running, served

FAMILY = [(0, 1), (0,), (1, 0)]
LEFT = {"x": 0.25, "y": 0.45, "w": 0.2, "h": 0.3}


@pytest.fixture
def kith(tmp_path: Path) -> Iterator[Served]:
    with running(tmp_path, FAMILY, pixels=False) as control, served(control) as here:
        yield here


def photo(kith: Served, number: int, **told: Any) -> dict[str, Any]:
    path = kith.control.app.paths.data.parent / "photos" / f"{number:05}.jpg"
    return {"path": os.fsencode(path), **told}


def named(name: str) -> dict[str, Any]:
    return {"state": "confirmed", "box": LEFT, "name": name}


def test_an_import_is_answered_with_its_entry_and_what_it_said(kith: Served) -> None:
    said = [photo(kith, 0, faces=[named("Anna")]), photo(kith, 9, faces=[named("Anna")])]
    taken = kith.client.post("/v1/import", source="digikam", photos=said)
    assert {kind: n for kind, n in taken["counts"].items() if n} == {"confirmed": 1, "unknown": 1}
    (act,) = kith.client.get("/v1/history")["acts"]
    assert (act["id"], act["source"], act["words"]) == (taken["act"], "digikam", "import from digikam")
    assert kith.client.get("/v1/faces/f1")["face"]["person"]["name"] == "Anna"
    assert kith.client.get("/v1/import", source="digikam")["photos"] == [said[0]["path"].decode()]


def test_recognition_follows_once_the_last_part_has_come(kith: Served) -> None:
    first = kith.client.post("/v1/import", source="digikam", photos=[photo(kith, 0, people=["Anna"])], more=True)
    assert kith.control.woken == 0
    last = kith.client.post("/v1/import", source="digikam", photos=[photo(kith, 1, people=["Anna"])], act=first["act"])
    assert last["act"] == first["act"]
    assert kith.control.woken == 1
    assert kith.client.post("/v1/undo")["undone"]["id"] == first["act"]


@pytest.mark.parametrize("source", ["person", "sidecar", "", "Two words", "x" * 40])
def test_nobody_imports_in_the_name_of_a_person_or_a_sidecar(kith: Served, source: str) -> None:
    with pytest.raises(BadRequest):
        kith.client.post("/v1/import", source=source, photos=[photo(kith, 0)])


@pytest.mark.parametrize(
    "face",
    [
        {"state": "confirmed", "box": LEFT},
        {"state": "unknown", "box": LEFT, "name": "Anna"},
        {"state": "suggested", "box": LEFT, "name": "Anna"},
        {"state": "confirmed", "name": "Anna"},
        {"state": "confirmed", "box": LEFT | {"w": 0}, "name": "Anna"},
        {"state": "confirmed", "box": LEFT, "name": " "},
        {"state": "confirmed", "box": LEFT, "name": "x" * 201},
    ],
)
def test_a_part_that_makes_no_sense_is_refused_whole(kith: Served, face: dict[str, Any]) -> None:
    with pytest.raises(BadRequest):
        kith.client.post(
            "/v1/import", source="digikam", photos=[photo(kith, 1, faces=[named("Ben")]), photo(kith, 0, faces=[face])]
        )
    assert kith.client.get("/v1/history")["acts"] == []


def test_paths_that_are_no_text_are_looked_up_as_they_are(kith: Served) -> None:
    taken = kith.client.post("/v1/import", source="digikam", photos=[{"path": b"/gone/\xff.jpg", "people": ["Anna"]}])
    assert taken["counts"]["unknown"] == 1


def test_without_a_running_kith_the_same_is_said(kith: Served) -> None:
    inside = Inside(kith.control.app)
    taken = inside.post("/v1/import", source="digikam", photos=[photo(kith, 0, faces=[named("Anna")])])
    assert taken["counts"]["confirmed"] == 1
    assert inside.get("/v1/import", source="digikam") == kith.client.get("/v1/import", source="digikam")
    kith.control.believe()
    assert inside.get("/v1/doubts", now="true")["doubts"] == []


def test_jobs_are_done_at_once_where_no_kith_runs(kith: Served) -> None:
    inside = Inside(kith.control.app)
    with pytest.raises(BadRequest):
        inside.job("/v1/rescan", lambda: None, paths=[b"/nowhere at all"], mode="sideways")
