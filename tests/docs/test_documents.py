"""Whatever a user can type or see stands in the documents."""

from __future__ import annotations

import json
import re
import tomllib
from importlib.resources import files
from pathlib import Path

import click
import msgspec
from packaging.requirements import Requirement

from kith import config, errors
from kith.cli import main

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
CONFIG = (ROOT / "daemon" / "CONFIG.md").read_text()
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT, BUILD = PYPROJECT["project"], PYPROJECT["build-system"]["requires"]


def commands(group: click.Group, before: str = "kith") -> list[str]:
    found = []
    for name, command in group.commands.items():
        path = f"{before} {name}"
        found += commands(command, path) if isinstance(command, click.Group) else [path]
    return found


def test_every_command_is_in_the_readme() -> None:
    missing = [command for command in commands(main) if command not in README]
    assert missing == []


def test_every_command_in_the_readme_exists() -> None:
    groups = [name for name, command in main.commands.items() if isinstance(command, click.Group)]
    written = set(re.findall(rf"`kith ((?:(?:{'|'.join(groups)}) )?[a-z-]+)", README)) - set(groups)
    assert {f"kith {words}" for words in written} - set(commands(main)) == set()


def test_every_setting_is_documented_with_its_default() -> None:
    defaults = tomllib.loads(files("kith").joinpath("default.toml").read_text("utf-8"))
    rows = {tuple(cell.strip() for cell in line.split("|")[1:4]) for line in CONFIG.splitlines() if line.count("|") > 4}
    for section in msgspec.structs.fields(config.Config):
        for setting in msgspec.structs.fields(section.type):
            value = defaults[section.name][setting.name]
            assert (section.name, setting.name, shown(value)) in rows


def shown(value: object) -> str:
    """A default as CONFIG.md has it."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return json.dumps(value, ensure_ascii=False)
        case float():
            return f"{value:g}"
        case list():
            return "see [default.toml](kith/default.toml)"
    return str(value)


def test_every_error_code_is_told_apart_and_documented() -> None:
    known = [e for e in vars(errors).values() if isinstance(e, type) and issubclass(e, errors.KithError)]
    codes = [error.code for error in known]
    assert len(codes) == len(set(codes))
    troubles = (ROOT / "daemon" / "TROUBLE.md").read_text()
    assert [code for code in codes if code != "error" and f"`{code}`" not in troubles] == []


def names(requirements: list[str]) -> set[str]:
    return {Requirement(line).name for line in requirements}


def pinned(path: str) -> set[str]:
    """What a lock file pins, each with a hash at least."""
    entries = re.findall(r"^([\w.-]+)==[^\n]*\\\n    --hash=sha256:", (ROOT / path).read_text(), re.MULTILINE)
    return set(entries)


def test_every_dependency_has_its_reason() -> None:
    rows = re.findall(r"^\| ([\w, -]+) \|", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE)
    given = {name for row in rows for name in row.split(", ")}
    assert names(PROJECT["dependencies"]) - given == set()


def test_every_dependency_is_pinned_with_its_hash() -> None:
    extras = PROJECT["optional-dependencies"]
    assert names(extras["build"]) == names(BUILD)
    running = names(PROJECT["dependencies"]) | names(extras["build"])
    assert running - pinned("requirements.txt") == set()
    assert (running | names(extras["dev"])) - pinned("tests/requirements.txt") == set()
    assert pinned("requirements.txt") <= pinned("tests/requirements.txt")
