"""Faces -> names. Pure: values in, values out; no database, no files, no pixels."""

from kith.people.doctor import Doubt, doubts
from kith.people.engine import recognise
from kith.people.recogniser import Changes, Recogniser
from kith.people.refit import Correction, Outcome, refit
from kith.people.review import Question, review
from kith.people.settings import PeopleSettings

__all__ = [
    "Changes",
    "Correction",
    "Doubt",
    "Outcome",
    "PeopleSettings",
    "Question",
    "Recogniser",
    "doubts",
    "recognise",
    "refit",
    "review",
]
