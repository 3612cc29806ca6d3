"""Sidecars and photos that a dozen other programs wrote come out of Kith unharmed, and with readable regions."""

from __future__ import annotations

from pathlib import Path

import pytest

from corpus import Checked, check
from required import need


@pytest.fixture(scope="module")
def corpus(shared: Path) -> list[Checked]:
    for program in ("exiftool", "exiv2"):
        need(program)
    found = check(shared / "corpus")
    assert len(found) > 60
    return found


@pytest.fixture(scope="module")
def readable(corpus: list[Checked]) -> list[Checked]:
    return [one for one in corpus if not one.reason]


def names(found: list[Checked]) -> list[str]:
    return [one.name for one in found]


def test_only_a_packet_that_could_reach_outside_is_refused(corpus: list[Checked]) -> None:
    assert [one.reason for one in corpus if one.reason] == ["it has a DOCTYPE"]


def test_with_nothing_to_say_no_file_is_touched(readable: list[Checked]) -> None:
    assert names([one for one in readable if not one.untouched]) == []


def test_every_file_takes_one_more_face(readable: list[Checked]) -> None:
    assert names([one for one in readable if not (one.written and one.region)]) == []


def test_one_more_face_changes_no_statement_of_others(readable: list[Checked]) -> None:
    assert names([one for one in readable if one.differences]) == []


def test_exiftool_and_exiv2_read_our_region_wherever_they_could_read_the_file(readable: list[Checked]) -> None:
    assert names([one for one in readable if one.exiftool is False or one.exiv2 is False]) == []
    for program in ("exiftool", "exiv2"):
        assert len([one for one in readable if getattr(one, program) is None]) <= 2
