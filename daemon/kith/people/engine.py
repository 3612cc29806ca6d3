"""The one entry: all faces and answers in, groups and suggestions out."""

from __future__ import annotations

from collections.abc import Mapping

from kith.people.recogniser import Recogniser
from kith.people.refit import Correction
from kith.people.settings import PeopleSettings
from kith.types import Calibration, FaceId, Gallery, GroupId, Recognition


def recognise(
    gallery: Gallery,
    calibration: Calibration,
    previous: Mapping[FaceId, GroupId],
    settings: PeopleSettings | None = None,
    *,
    next_group: int = 1,
    correction: Correction | None = None,
) -> Recognition:
    """Groups and suggestions for all faces of `gallery`: a pure function of the set of faces and answers.

    `previous` are the groups of an earlier recognition, whose ids are kept where most members stay together; new
    groups get ids from `next_group` or above those of `previous`, whichever is higher. `correction` is what the user's
    own answers taught of the pack's probabilities. Only groups worth showing are in the result (see README.md). Raises
    ValueError where vectors and faces don't fit together. `Recogniser` gives the same, step by step.
    """
    recogniser = Recogniser(calibration, settings, previous=previous, next_group=next_group, correction=correction)
    return recogniser.recognise(gallery)
