"""The one entry: all faces and answers in, groups and suggestions out."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from kith.people.grouping import Cuts, group_faces, join_suggested, number_groups, shown, unite_people
from kith.people.matching import match_faces
from kith.people.settings import PeopleSettings
from kith.types import Calibration, FaceId, Gallery, GroupId, Recognition


def recognise(
    gallery: Gallery,
    calibration: Calibration,
    previous: Mapping[FaceId, GroupId],
    settings: PeopleSettings | None = None,
    *,
    next_group: int = 1,
) -> Recognition:
    """Groups and suggestions for all faces of `gallery`: a pure function of the set of faces and answers.

    `previous` are the groups of an earlier recognition, whose ids are kept where most members stay together; new
    groups get ids from `next_group` or above those of `previous`, whichever is higher. Only groups worth showing are
    in the result (see README.md). Raises ValueError where vectors and faces don't fit together.
    """
    settings = settings or PeopleSettings()
    if gallery.vectors.ndim != 2 or len(gallery.vectors) != len(gallery.faces):
        raise ValueError(f"{len(gallery.faces)} faces can't have vectors of shape {gallery.vectors.shape}.")
    if not gallery.faces:
        return Recognition({}, {})
    order = canonical_order(gallery)
    faces = [gallery.faces[i] for i in order]
    vectors = np.ascontiguousarray(gallery.vectors[order], np.float32)
    clusters = group_faces(faces, vectors, calibration, settings)
    suggestions = match_faces(faces, vectors, clusters, calibration, settings)
    sure = {row: s.person for row, s in suggestions.items() if s.probability_group >= settings.join_above}
    united = join_suggested(faces, unite_people(faces, clusters), sure)
    kept = shown(united, faces, vectors, Cuts.of(calibration, settings.strictness), settings)
    ids = [f.id for f in faces]
    return Recognition(
        groups=number_groups(ids, united, kept, previous, next_group),
        suggestions={ids[row]: suggestion for row, suggestion in suggestions.items()},
    )


def canonical_order(gallery: Gallery) -> list[int]:
    """Positions of the faces by content, not by id; copies of one photo are told apart by what was said of them."""
    faces = gallery.faces
    return sorted(
        range(len(faces)),
        key=lambda i: (faces[i].order, faces[i].captured_at or 0.0, faces[i].person is None, faces[i].id),
    )
