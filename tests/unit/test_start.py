"""What a command loads before it does anything: quick to start, and nothing that it doesn't use."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from desk import Desk, kith_in_python

# each takes a while to load, or memory for as long as the process lives
PIXELS = {"PIL", "cv2", "onnx", "onnxruntime", "pillow_heif", "pyexiv2", "rawpy"}
PEOPLE = {"numkong", "scipy", "usearch"}
SERVER = {"aiohttp", "watchdog"}
HEAVY = PIXELS | PEOPLE | SERVER | {"lxml", "polib", "tomlkit", "tqdm"}


def loaded(statement: str, **environment: str) -> set[str]:
    """The packages that are loaded after a statement in a new Python."""
    program = f"import sys\n{statement}\nprint(*{{name.split('.')[0] for name in sys.modules}}, file=sys.stderr)"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stderr.splitlines()[-1].split())


def test_help_loads_nothing_but_the_words() -> None:
    assert loaded(kith_in_python("--help")) & (HEAVY | {"numpy", "sqlite_utils"}) == set()


@pytest.mark.parametrize("words", [("status",), ("groups",), ("people",), ("history",), ("trouble",)])
def test_a_command_that_shows_something_loads_no_models_and_no_recognition(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    desk = Desk(tmp_path)
    desk.kith("models", "list")  # makes an empty catalogue
    assert loaded(kith_in_python(*words), **desk.environment) & HEAVY == set()


def test_the_running_kith_loads_no_pixels_before_it_needs_them() -> None:
    assert loaded("import kith.run, kith.api.app, kith.service.daemon") & PIXELS == set()


def test_the_neighbour_index_and_the_models_can_be_loaded_in_either_order() -> None:
    """USearch's library loaded first ends the process at onnxruntime's import."""
    index = (
        "import numpy; from kith.people.index import Neighbours; from kith.people import PeopleSettings\n"
        "held = Neighbours(64, 0.5, 0.9, PeopleSettings(exact_up_to=0)); held.grow(4)\n"
        "held.add(numpy.array([0]), numpy.eye(1, 64, dtype=numpy.float32)); held.learn(held.unknown())\n"
        "assert held.proposes()"
    )
    model = "from kith.vision import session"
    assert loaded(f"{index}\n{model}") >= {"usearch", "onnxruntime"}
    assert loaded(f"{model}\n{index}") >= {"usearch", "onnxruntime"}
