"""Measure how well a model pack and Kith recognise the people of a folder-per-person data set.

    python -m evaluation FACES PACK [--out build/eval] [--only matching order ...]

Writes OUT/<pack>/report.md and its plots. Embeddings are made once and kept in OUT/<pack>.npz.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from evaluation.answers import answers
from evaluation.goals import goals
from evaluation.grouping import grouping
from evaluation.matching import matching
from evaluation.order import order
from evaluation.poisoning import poisoning
from evaluation.reliability import reliability
from evaluation.setup import Setup
from evaluation.verification import verification

SECTIONS = (verification, grouping, matching, reliability, answers, order, poisoning)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("faces", type=Path)
    parser.add_argument("pack", type=Path)
    parser.add_argument("--out", type=Path, default=Path("build/eval"))
    parser.add_argument("--only", nargs="+", choices=[s.__name__ for s in SECTIONS])
    options = parser.parse_args()
    setup = Setup.of(options.faces, options.pack, options.out)
    folder = options.out / setup.pack.id
    folder.mkdir(parents=True, exist_ok=True)
    parts, found = [], {}
    for measure in SECTIONS:
        if options.only is None or measure.__name__ in options.only:
            started = time.perf_counter()
            section = measure(setup)
            found |= section.found
            parts.append(section.write(folder))
            print(f"{section.title}: {time.perf_counter() - started:.0f} s", flush=True)
    reached = goals(setup.pack.id, found).write(folder)
    report = folder / "report.md"
    report.write_text("\n".join([_head(setup), reached, *parts]), "utf-8")
    print(f"{reached}\n{report}")


def _head(setup: Setup) -> str:
    pack, data = setup.pack, setup.data
    halves = " and ".join(f"{len(half.of):,} ({len(half.regulars())})" for half in (setup.first, setup.second))
    measured = (
        "" if setup.calibration.measured else " The pack's calibration is not measured: nothing is named by itself."
    )
    return (
        f"# Recognition with pack {pack.id}, version {pack.version}\n\n{pack.description}.{measured}\n\n"
        f"{len(data.labels):,} pictures; {halves} people (of them with five pictures or more) in the two halves. "
        "Thresholds and weights are chosen on the first half, figures are of the second, or of both where it is said.\n"
    )


if __name__ == "__main__":
    main()
