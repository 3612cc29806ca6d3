"""What Kith does to the sidecars of other programs: a table over a folder of them.

    corpus_table.py FOLDER

FOLDER  sidecars, and photos with packets inside, in one folder per source

Of each source: the files; those that can be read; those that stay as they are, to the byte, when there is nothing to
say; those that take one more face; the RDF statements that this changed beside ours; and those whose new region
exiftool and exiv2 read. Exceptions follow by name.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from corpus import Checked, check

HEAD = ("source", "files", "readable", "untouched", "written", "changes", "exiftool", "exiv2")


def row(title: str, found: Sequence[Checked]) -> tuple[str, ...]:
    readable = [one for one in found if not one.reason]
    by_exiftool = [one.exiftool for one in readable if one.exiftool is not None]
    by_exiv2 = [one.exiv2 for one in readable if one.exiv2 is not None]
    counts = (
        len(found),
        len(readable),
        sum(one.untouched for one in readable),
        sum(one.written for one in readable),
        sum(one.differences for one in readable),
    )
    return (title, *map(str, counts), *(f"{sum(by)} of {len(by)}" for by in (by_exiftool, by_exiv2)))


def exceptions(one: Checked) -> list[str]:
    """Why a file is missing in a column."""
    if one.reason:
        return [one.reason]
    said = [] if one.untouched else ["changed though there was nothing to say"]
    said += [] if one.written else ["one more face was not written"]
    said += [f"{one.differences} statements changed beside ours"] if one.differences else []
    if one.written and not one.region:
        return [*said, "the picture was cropped since its regions were drawn: names were written, no region"]
    for program, reads in (("exiftool", one.exiftool), ("exiv2", one.exiv2)):
        said += [f"{program} reads nothing of the original either"] if reads is None else []
        said += [f"{program} does not read our region"] if reads is False else []
    return said


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    found = check(Path(sys.argv[1]))
    rows = [HEAD, *(row(folder, list(group)) for folder, group in groupby(found, lambda one: one.folder))]
    rows.append(row("total", found))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for title, *cells in rows:
        print(f"{title:<{widths[0]}}", *(f"{cell:>{width}}" for cell, width in zip(cells, widths[1:], strict=True)))
    print()
    for one in found:
        for sentence in exceptions(one):
            print(f"{one.name}: {sentence}")


if __name__ == "__main__":
    main()
