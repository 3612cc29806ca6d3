"""The rules of the sidecar library's README are held by tests that name them."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
README = TESTS.parent / "xmp" / "README.md"


def test_every_rule_has_a_test_that_names_it() -> None:
    rules = {int(n) for n in re.findall(r"^(\d+)\. ", README.read_text(), re.MULTILINE)}
    said = "\n".join(p.read_text() for p in TESTS.glob("*/test_xmp_*.py"))
    named = {int(n) for line in re.findall(r'"""Rules? ([\d, ]+)', said) for n in re.findall(r"\d+", line)}
    assert rules == set(range(1, 28))
    assert named == rules
