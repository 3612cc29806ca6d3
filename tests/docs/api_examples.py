"""The examples in daemon/API.md: reads them, asks a real Kith, and compares or writes the answers.

api_examples.py        writes the answers of a Kith with made photos below the examples
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from kith.catalogue import journal, listing, people, trouble  # noqa: E402
from kith.errors import PhotoUnreadable  # noqa: E402
from kith.types import SIDECAR, Answer, Decision, FaceId  # noqa: E402
from served import Served, running, served  # noqa: E402

DOCUMENT = ROOT / "daemon" / "API.md"
FAMILY = [(0, 1), (0,), (1, 0), (0, 1), (0,), (1, 2), (2,), (2,)]  # of these the examples tell
OTHERS = [(5, 6), (5, 6), (5, 6), (5, 6), (5,)]  # these are known already
HOME = "/home/anna"
SHOWN = 2  # entries of a list that an example shows
EXAMPLE = re.compile(r"```http\n(GET|POST) (\S+)\n(.*?)```\n(?:\n```json\n(.*?)```\n)?", re.DOTALL)


@dataclass(frozen=True)
class Example:
    method: str
    path: str
    body: str
    answer: Any


def examples(text: str) -> Iterator[Example]:
    for method, path, body, answer in EXAMPLE.findall(text):
        yield Example(method, path, body.strip(), json.loads(answer) if answer else None)


def ask(kith: Served, example: Example) -> Any:
    """What Kith answers, with the folders of the examples."""
    home = str(kith.control.app.paths.data.parent)
    body = example.body.replace(HOME, home).encode() or None
    headers = {"Content-Type": "application/json"} if body else {}
    reply = kith.http(example.method, example.path, body, headers)
    kith.control.believe()
    return json.loads(reply.body.decode().replace(home, HOME))


def library(home: Path) -> Any:
    """A Kith to ask, with something of everything."""
    return running(home, [*FAMILY, *OTHERS], pixels=False)


def prepare(kith: Served) -> None:
    """What no example brings about: people who are mixed up, names that are disputed, a file that made trouble."""
    catalogue, client = kith.control.app.catalogue, kith.client
    first = len(FAMILY) + 1
    anna, ben = [], []
    for number in range(first, first + len(OTHERS)):
        found = [face["id"] for face in client.get("/v1/faces", photo=number)["faces"]]
        anna.append(found[0])
        ben += found[1:]
    client.post("/v1/faces/name", faces=[*anna[:3], ben[3]], name="Anna")
    client.post("/v1/faces/name", faces=anna[3:], name="Annie")
    client.post("/v1/faces/name", faces=ben[:3], name="Ben")
    client.post(f"/v1/photos/{first}/tag", name="Otto")
    content = catalogue.read(listing.photo, first).content_key
    anna_is, otto = (catalogue.read(people.called, name).id for name in ("Anna", "Otto"))
    face = FaceId(int(anna[0][1:]))
    catalogue.write(journal.answer, [(face, anna_is)], Answer.DISPUTED, SIDECAR)
    catalogue.write(journal.say, [Decision(Answer.DISPUTED, content, person=otto)], SIDECAR, "")
    error = PhotoUnreadable("/home/anna/photos/broken.jpg can't be read: it is empty.")
    path = os.fsencode(kith.control.app.paths.data.parent / "photos" / "broken.jpg")
    catalogue.write(trouble.note, path, "analyse", error)
    kith.control.believe()


def shortened(value: Any) -> Any:
    match value:
        case dict():
            return {key: shortened(one) for key, one in value.items()}
        case list():
            return [shortened(one) for one in value[:SHOWN]]
        case float():
            return round(value, 4)
    return value


def main() -> None:
    text = DOCUMENT.read_text()
    with tempfile.TemporaryDirectory() as home, library(Path(home)) as control, served(control) as kith:
        prepare(kith)

        def written(match: re.Match[str]) -> str:
            asked = Example(match[1], match[2], match[3].strip(), None)
            answer = json.dumps(shortened(ask(kith, asked)), ensure_ascii=False)
            return f"```http\n{match[1]} {match[2]}\n{match[3]}```\n\n```json\n{answer}\n```\n"

        DOCUMENT.write_text(EXAMPLE.sub(written, text))


if __name__ == "__main__":
    main()
