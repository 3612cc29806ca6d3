"""Faces -> names. Pure: values in, values out; no database, no files, no pixels."""

from kith.people.engine import recognise
from kith.people.review import Question, review
from kith.people.settings import PeopleSettings

__all__ = ["PeopleSettings", "Question", "recognise", "review"]
