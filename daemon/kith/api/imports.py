"""What another program's own database says of photos, taken for answers."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from kith.api import asked
from kith.catalogue import imports, people

if TYPE_CHECKING:
    from kith.api.routes import Api


def take(api: Api, given: asked.Import) -> dict[str, Any]:
    """Take what a program says of some photos for answers; what it said before and says still is no news."""
    said = [_word(photo) for photo in given.photos]
    words = given.words or f"import from {given.source}"
    taken = api.app.catalogue.write(imports.take, given.source, words, said, given.act)
    if not given.more:
        api.control.wake()
    return {"act": taken.act, "counts": {kind: taken.counts.get(kind, 0) for kind in imports.COUNTED}}


def remembered(api: Api, wanted: asked.Source) -> dict[str, Any]:
    """The photos of which a program said something when it was last heard."""
    return {"photos": [os.fsdecode(path) for path in api.app.catalogue.read(imports.remembered, wanted.source)]}


def _word(told: asked.ToldPhoto) -> imports.Word:
    faces = (
        imports.Face(
            face.state,
            face.box.box(),
            None if face.name is None else people.clean(face.name),
            tuple(sorted({people.clean(name) for name in face.refused})),
        )
        for face in told.faces
    )
    return imports.Word(told.path.raw, tuple(faces), tuple(sorted({people.clean(name) for name in told.people})))
