"""daemon/API.md is the contract: every call, field and code of the API stands in it, and its examples are true."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
from api_examples import DOCUMENT, ask, examples, library, prepare

from kith import errors
from kith.api.routes import ROUTES
from kith.api.wire import BY_RETRY, STATUS
from kith.errors import KithError, NotRunning
from served import served

TEXT = DOCUMENT.read_text()
SECTIONS = dict(re.findall(r"^### `([A-Z]+ \S+)`\n(.*?)(?=^##|\Z)", TEXT, re.DOTALL | re.MULTILINE))
NO_JSON = {"/v1/photos/{photo}/picture", "/v1/faces/{face}/crop", "/login", "/", "/web/{file}"}


def test_every_call_has_its_section_and_every_section_its_call() -> None:
    assert {f"{route.method} {route.path}" for route in ROUTES} == set(SECTIONS)


def test_every_field_that_a_call_takes_is_explained_there_or_in_its_chapter() -> None:
    for route in ROUTES:
        section = SECTIONS[f"{route.method} {route.path}"]
        for field in msgspec.structs.fields(route.shape):
            told = f"`{field.name}`" in section or f'"{field.name}":' in section
            assert told, f"{route.method} {route.path} says nothing of {field.name}"


def test_every_call_that_answers_in_values_has_an_example() -> None:
    for route in ROUTES:
        if route.path not in NO_JSON:
            section = SECTIONS[f"{route.method} {route.path}"]
            (example,) = examples(section)
            pattern = re.sub(r"\\{\w+\\}", r"[^/]+", re.escape(route.path))
            assert re.fullmatch(pattern, example.path.partition("?")[0])
            assert example.method == route.method
            assert example.answer["ok"] is True


def test_every_example_is_what_kith_answers(tmp_path: Path) -> None:
    with library(tmp_path) as control, served(control) as kith:
        prepare(kith)
        for example in examples(TEXT):
            assert differences(example.answer, ask(kith, example), f"{example.method} {example.path}") == []


def differences(told: Any, real: Any, where: str) -> list[str]:
    """Where two answers don't have one shape: fields, and kinds of values. What may be null is either."""
    if told is None or real is None:
        return []
    if isinstance(told, dict) and isinstance(real, dict):
        odd = [f"{where}: {key}" for key in told.keys() ^ real.keys()]
        return odd + [
            d for key in told.keys() & real.keys() for d in differences(told[key], real[key], f"{where}.{key}")
        ]
    if isinstance(told, list) and isinstance(real, list):
        if bool(told) != bool(real):
            return [f"{where}: {'more' if real else 'fewer'} entries than told"]
        return [d for one, other in zip(told, real, strict=False) for d in differences(one, other, f"{where}[]")]
    kinds = {
        float if isinstance(value, int | float) and not isinstance(value, bool) else type(value)
        for value in (told, real)
    }
    return [] if len(kinds) == 1 else [f"{where}: {told!r} is told, {real!r} came"]


def test_a_difference_is_seen() -> None:
    assert differences({"a": 1}, {"a": 2.5}, "") == []
    for told, real in (
        ({"a": 1}, {}),
        ({}, {"a": 1}),
        ({"a": 1}, {"a": "1"}),
        ([], [1]),
        ([{"a": 1}], [{"b": 1}]),
        (True, 1),
    ):
        assert differences(told, real, "") != []


def test_every_code_stands_there_with_its_status() -> None:
    told = dict(re.findall(r"^\| `([a-z-]+)` \| (\d+|–) \|", TEXT, re.MULTILINE))
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, KithError)]
    real = {kind.code: str(STATUS.get(kind, BY_RETRY[kind.retry]).value) for kind in kinds if kind is not KithError}
    assert told == real | {NotRunning.code: "–"}
