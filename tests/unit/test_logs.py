"""What the log promises: names are nobody's business, and the journal gets its priorities."""

from __future__ import annotations

import ast
import io
import logging
import os
import pickle
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

import kith
from kith.catalogue import journal, open_catalogue, people
from kith.errors import BadRequest, NotFound
from kith.logs import Private, set_up

LEVELS = (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL)


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root, own = logging.getLogger(), logging.getLogger("kith")
    before = root.handlers[:], root.level, own.level
    yield
    root.handlers[:], root.level = before[0], before[1]
    own.setLevel(before[2])


def logged(level: int, at: int, message: str, *args: object) -> str:
    stream = io.StringIO()
    set_up(level, stream, {})
    logging.getLogger("kith.somewhere").log(at, message, *args)
    return stream.getvalue()


@pytest.mark.parametrize("at", LEVELS[1:])
@pytest.mark.parametrize("level", LEVELS[:2])
@pytest.mark.parametrize(
    ("message", "args"),
    [
        ("%s is on it", (Private("Anna"),)),
        ("%r is on it", (Private("Anna"),)),
        ("%(who)s is on it", ({"who": Private("Anna")},)),
        ("%s are on it", ([Private("Anna"), (Private("Anna"),)],)),
        (f"{Private('Anna')} {Private('Anna')!r} {Private('Anna'):>9}", ()),
    ],
)
def test_a_name_never_shows_above_debug(at: int, level: int, message: str, args: tuple[object, ...]) -> None:
    told = logged(level, at, message, *args)
    assert "…" in told
    assert "Anna" not in told


def test_a_name_shows_where_kith_is_debugged() -> None:
    assert "Anna is on 7" in logged(logging.DEBUG, logging.DEBUG, "%s is on %d", Private("Anna"), 7)
    assert "Anna" in logged(logging.DEBUG, logging.DEBUG, "%(who)s", {"who": Private("Anna")})
    assert logged(logging.INFO, logging.DEBUG, "%s", Private("Anna")) == ""


def test_a_name_doesnt_show_in_the_trace_of_an_error() -> None:
    stream = io.StringIO()
    set_up(logging.DEBUG, stream, {})
    name = Private("Anna")
    try:
        raise ValueError("unknown", name)
    except ValueError:
        logging.getLogger("kith").exception("failed")
    assert "ValueError" in stream.getvalue()
    assert "Anna" not in stream.getvalue()


def test_a_name_in_an_error_is_for_whoever_asked_and_never_in_the_log(tmp_path: Path) -> None:
    stream = io.StringIO()
    set_up(logging.DEBUG, stream, {})
    log = logging.getLogger("kith")
    name, like_it = "Anna Freud", "Anna Freund"  # a trace shows the lines, not what is in them
    with closing(open_catalogue(tmp_path / "catalogue.db")) as catalogue:
        catalogue.write(people.named, name)
        otto = catalogue.write(people.named, "Otto Dix")
        with pytest.raises(NotFound, match=re.escape("…; did you mean …?")) as unknown:
            catalogue.read(people.called, like_it)
        with pytest.raises(BadRequest, match="another … already") as taken:
            catalogue.write(journal.rename, otto, name, "person", "rename")
    for error in (unknown.value, taken.value):
        assert "Anna" in error.message
        log.warning("%s", error)
        try:
            raise ValueError("something else") from error
        except ValueError:
            log.exception("failed")
    assert "did you mean" in stream.getvalue()
    assert "Anna" not in stream.getvalue()


def test_an_error_from_another_process_is_as_discreet_as_there() -> None:
    error = pickle.loads(pickle.dumps(BadRequest("Ann and Anna are two.", "Ann", "Anna")))
    assert (error.message, str(error)) == ("Ann and Anna are two.", "… and … are two.")


def test_no_log_is_given_what_is_for_whoever_asked() -> None:
    calls = [
        f"{file.name}:{node.lineno}"
        for file in Path(kith.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith(("log.", "logger."))
        if any(isinstance(part, ast.Attribute) and part.attr == "message" for part in ast.walk(node))
    ]
    assert not calls


def test_a_terminal_gets_the_time_and_the_level() -> None:
    assert " WARNING kith.somewhere: hello" in logged(logging.INFO, logging.WARNING, "hello")


PROGRAM = """
import logging, os, sys
if sys.argv[1] == "journal":
    info = os.fstat(2)
    os.environ["JOURNAL_STREAM"] = f"{info.st_dev}:{info.st_ino}"
from kith.logs import set_up
set_up()
log = logging.getLogger("kith")
log.critical("c")
log.error("two\\nlines")
log.warning("w")
log.info("i")
log.debug("d")
logging.getLogger("watchdog").info("no")
"""


def run(where: str, journal: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, where],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"JOURNAL_STREAM": journal},
    )
    return done.stderr.splitlines()


def test_the_journal_gets_a_priority_on_every_line() -> None:
    assert run("journal", "") == ["<2>kith: c", "<3>kith: two", "<3>lines", "<4>kith: w", "<6>kith: i"]


def test_a_pipe_that_is_not_the_journal_gets_none() -> None:
    lines = run("pipe", "1:1")
    assert len(lines) == 5
    assert not any(line.startswith("<") for line in lines)


def test_a_stream_without_a_file_is_no_journal(tmp_path: Path) -> None:
    with open(tmp_path / "closed", "w") as closed:
        pass
    set_up(stream=closed, environment={"JOURNAL_STREAM": "1:1"})
