"""Faces -> names. Pure: values in, values out; no database, no files, no pixels."""

from kith.people.doctor import Doubt, doubts
from kith.people.engine import recognise
from kith.people.halves import halves
from kith.people.held_out import outcomes
from kith.people.likely import with_likely
from kith.people.merges import Merge, Party, merges, propose_above
from kith.people.not_faces import Boxes, likely_none
from kith.people.recogniser import Changes, Recogniser
from kith.people.refit import Correction, Outcome, refit
from kith.people.review import Likely, Question, review
from kith.people.settings import PeopleSettings

__all__ = [
    "Boxes",
    "Changes",
    "Correction",
    "Doubt",
    "Likely",
    "Merge",
    "Outcome",
    "Party",
    "PeopleSettings",
    "Question",
    "Recogniser",
    "doubts",
    "halves",
    "likely_none",
    "merges",
    "outcomes",
    "propose_above",
    "recognise",
    "refit",
    "review",
    "with_likely",
]
