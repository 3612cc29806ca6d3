"""Faces -> names. Pure: values in, values out; no database, no files, no pixels."""

from kith.people.doctor import Doubt, doubts
from kith.people.engine import recognise
from kith.people.review import Question, review
from kith.people.settings import PeopleSettings

__all__ = ["Doubt", "PeopleSettings", "Question", "doubts", "recognise", "review"]
