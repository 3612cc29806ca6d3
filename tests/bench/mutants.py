"""How many small mistakes in the code the fast tests notice.

    mutants.py [--sample 60] [--seed 1] [--jobs 1] [--package NAME]...

--sample   in how many places of each package something is changed, one at a time
--seed     which places these are, and what is changed there; the same for the same code
--jobs     how many mutants are tried at once, each in a copy of the project of its own
--package  catalogue, people or kith_xmp; all three without it

Everything happens in copies below build/mutants. cosmic-ray knows where code can be changed and how: another operator,
another number, a condition turned round, a loop left out. A mutant is killed if a test fails, and has timed out if the
tests take much longer than they do without it; those that survive are listed, each with what was changed. What no test
can promise is left alone: annotations, how dataclasses are made, and `strict=True` of zip. Tests that are slow, measure
time or need data beside the project are not asked.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import hashlib
import os
import queue
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from cosmic_ray import plugins
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from tqdm import tqdm

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / "build" / "mutants"
SOURCES = ("daemon", "xmp", "plugins/digikam_bridge")
COPIED = ("daemon", "xmp", "plugins", "systemd", "tests", "pyproject.toml", "README.md")
MEMORY = 8 << 30  # bytes; a loop that never ends may collect more and more
PATIENCE = 3  # times what the tests take without a mutant, after which they hang
UNIT, LAWS = "tests/unit/test_", "tests/property/test_"


@dataclass(frozen=True, slots=True)
class Package:
    """Code in `folder`, and the tests that promise something of it, the quickest first."""

    folder: str
    tests: tuple[str, ...]


PACKAGES = {
    "catalogue": Package(
        "daemon/kith/catalogue",
        (
            *(f"{UNIT}{what}.py" for what in ("catalogue", "journal", "imports", "events", "beliefs")),
            *(f"{UNIT}api_{what}.py" for what in ("answers", "reading", "imports")),
            *(f"{LAWS}{what}_laws.py" for what in ("journal", "import", "belief")),
        ),
    ),
    "people": Package(
        "daemon/kith/people", (f"{UNIT}people_*.py", f"{UNIT}beliefs.py", f"{LAWS}people_*.py", f"{LAWS}belief_laws.py")
    ),
    "kith_xmp": Package("xmp/kith_xmp", (f"{UNIT}xmp_*.py", f"{LAWS}xmp_*.py")),
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a file can be changed: `first` to `last`, each a line and a column."""

    file: str
    first: tuple[int, int]
    last: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change: the `occurrence`th thing in its file that the operator can change."""

    place: Place
    operator: str
    occurrence: int


@dataclass(frozen=True, slots=True)
class Verdict:
    mutant: Mutant
    outcome: str  # "killed", "timed out" or "survived"
    diff: list[str]


# -- which mutants ------------------------------------------------------------------------------------------------


def chosen(folder: str, count: int, seed: int) -> list[Mutant]:
    """One mutant in each of `count` places, by lot; a change elsewhere in the code leaves most of them as they are."""
    drawn: list[tuple[str, Mutant]] = []
    for path in sorted((ROOT / folder).rglob("*.py")):
        code = path.read_text("utf-8")
        lines, unpromised = code.splitlines(), list(_unpromised(code))
        for mutant in _possible(str(path.relative_to(ROOT)), code):
            place = mutant.place
            line, column = lines[place.first[0] - 1], place.first[1]
            if line.startswith("*, ", column):
                continue  # no multiplication: arguments behind it have names
            if any(first <= place.first and place.last <= last for first, last in unpromised):
                continue
            what = (seed, place.file, line, column, mutant.operator, mutant.occurrence)
            drawn.append((hashlib.sha256(repr(what).encode()).hexdigest(), mutant))
    found: dict[Place, Mutant] = {}
    for _, mutant in sorted(drawn, key=lambda each: each[0]):
        if len(found) < count and mutant.place not in found and mutated(mutant, ROOT):
            found[mutant.place] = mutant
    return sorted(found.values(), key=lambda mutant: (mutant.place.file, mutant.place.first))


def mutated(mutant: Mutant, folder: Path) -> str | None:
    """A mutant's file, of the project in `folder`, as the mutant has it; None where that is no Python."""
    before = (folder / mutant.place.file).read_text("utf-8")
    try:
        after = mutate_code(before, plugins.get_operator(mutant.operator)(), mutant.occurrence)
        ast.parse(after or "")  # a star in front of arguments is taken for a multiplication
    except (SyntaxError, AttributeError):  # and `except a.B` can't be replaced
        return None
    return after


def _possible(file: str, code: str) -> Iterator[Mutant]:
    """All mutants of a file."""
    nodes = list(ast_nodes(get_ast(code)))
    for name in sorted(plugins.operator_names()):
        make = plugins.get_operator(name)
        if make.arguments():
            continue
        positions = [(where[0], where[1]) for node in nodes for where in make().mutation_positions(node)]
        for occurrence, (first, last) in enumerate(positions):
            yield Mutant(Place(file, first, last), name, occurrence)


def _unpromised(code: str) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """From where to where a change is no mistake that anybody can see."""
    for node in ast.walk(ast.parse(code)):
        match node:
            case ast.arg(annotation=ast.expr() as found) | ast.AnnAssign(annotation=found):
                yield _extent(found)
            case ast.FunctionDef(returns=ast.expr() as found):
                yield _extent(found)
            case ast.ClassDef(decorator_list=[first, *_]):
                yield (first.lineno, 0), (node.lineno, 0)
            case ast.Call(func=ast.Name("zip")):
                yield from map(_extent, node.keywords)


def _extent(node: ast.expr | ast.keyword) -> tuple[tuple[int, int], tuple[int, int]]:
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    return (node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)


# -- trying them --------------------------------------------------------------------------------------------------


def copied(number: int) -> Path:
    """A copy of the project, to be changed."""
    copy = WORK / f"copy{number}"
    shutil.rmtree(copy, ignore_errors=True)
    copy.mkdir(parents=True)
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        else:
            shutil.copy(source, copy / name)
    return copy


def tested(copy: Path, tests: Sequence[str], seconds: float | None) -> str:
    """Run tests in a copy: "survived", "killed" or "timed out", and what they say in `copy`/tests.log."""
    files = [str(path) for name in tests for path in sorted(copy.glob(name))]
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--hypothesis-profile=mutants"]
    command += ["-o", "tmp_path_retention_policy=none", "-m", "not slow", "-k", "not bounded_time", *files]
    paths = os.pathsep.join(str(copy / source) for source in SOURCES)
    told = {"PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0", "CI": ""}
    with (copy / "tests.log").open("wb") as log:
        running = subprocess.Popen(
            command,
            cwd=copy,
            env=os.environ | told,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            resource.prlimit(running.pid, resource.RLIMIT_AS, (MEMORY, MEMORY))
            return "killed" if running.wait(seconds) else "survived"
        except subprocess.TimeoutExpired:
            return "timed out"
        finally:
            _end(running)


def _end(running: subprocess.Popen[bytes]) -> None:
    """End a process with everything it started, if anything of that is left."""
    with suppress(ProcessLookupError):
        os.killpg(running.pid, signal.SIGKILL)
    running.wait()


def limit(copy: Path, package: Package) -> float:
    """How long the tests may take. Ends here if they fail without a mutant, or don't look at the code in the copy."""
    began = time.monotonic()
    if tested(copy, package.tests, None) != "survived":
        sys.exit(f"The tests of {package.folder} fail without a mutant:\n{(copy / 'tests.log').read_text()}")
    seconds = time.monotonic() - began
    with changed(copy / package.folder / "__init__.py", "raise SystemError\n"):
        if tested(copy, package.tests, None) != "killed":
            sys.exit(f"The tests of {package.folder} don't look at {copy}.")
    return 10 + PATIENCE * seconds


@contextmanager
def changed(path: Path, code: str) -> Iterator[None]:
    """A file with other code in it, until the block ends."""
    before = path.read_text("utf-8")
    path.write_text(code, "utf-8")
    try:
        yield
    finally:
        path.write_text(before, "utf-8")


def tried(mutant: Mutant, copy: Path, package: Package, seconds: float) -> Verdict:
    """Let the tests judge one mutant."""
    path = copy / mutant.place.file
    before, after = path.read_text("utf-8"), mutated(mutant, copy)
    assert after is not None
    with changed(path, after):
        outcome = tested(copy, package.tests, seconds)
    lines = [*difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")][2:]
    return Verdict(mutant, outcome, [line for line in lines if not line.startswith("@@")])


def judged(package: Package, mutants: Sequence[Mutant], jobs: int) -> list[Verdict]:
    """Try all mutants of a package, `jobs` of them at once."""
    copies: queue.SimpleQueue[Path] = queue.SimpleQueue()
    for number in range(jobs):
        copies.put(copied(number))
    first = copies.get()
    seconds = limit(first, package)
    copies.put(first)

    def one(mutant: Mutant) -> Verdict:
        copy = copies.get()
        try:
            return tried(mutant, copy, package, seconds)
        finally:
            copies.put(copy)

    verdicts = []
    with ThreadPoolExecutor(jobs) as threads:
        for verdict in tqdm(threads.map(one, mutants), package.folder, len(mutants), leave=False):
            verdicts.append(verdict)
            if verdict.outcome == "survived":
                place = verdict.mutant.place
                tqdm.write("\n".join((f"{place.file}:{place.first[0]}", *verdict.diff, "")), sys.stdout)
                sys.stdout.flush()
    return verdicts


# -- what became of them ------------------------------------------------------------------------------------------


def table(verdicts: dict[str, list[Verdict]]) -> str:
    """The figures of each package. Mutants that hang the tests are noticed too."""
    lines = [f"{'package':12}{'tried':>8}{'killed':>8}{'timed out':>11}{'survived':>10}{'share killed':>14}"]
    for name, found in verdicts.items():
        killed, late, survived = (_count(found, outcome) for outcome in ("killed", "timed out", "survived"))
        share = (killed + late) / max(len(found), 1)
        lines.append(f"{name:12}{len(found):8}{killed:8}{late:11}{survived:10}{share:14.0%}")
    return "\n".join(lines)


def _count(verdicts: Sequence[Verdict], outcome: str) -> int:
    return sum(verdict.outcome == outcome for verdict in verdicts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--package", action="append", choices=PACKAGES)
    asked = parser.parse_args()
    verdicts = {}
    for name in asked.package or PACKAGES:
        package = PACKAGES[name]
        verdicts[name] = judged(package, chosen(package.folder, asked.sample, asked.seed), asked.jobs)
    print(table(verdicts))
    shutil.rmtree(WORK)


if __name__ == "__main__":
    main()
