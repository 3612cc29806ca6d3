"""What may stand in a request, as frozen shapes; fields that a shape doesn't have are refused."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from kith.api.wire import WirePath
from kith.types import Box, FaceState

MOST_PATHS = 1000
MOST_FACES = 10_000

Rev = Annotated[int, Meta(ge=0, le=2**53)]
Number = Annotated[int, Meta(ge=0, le=2**53)]
Id = Annotated[str, Meta(max_length=20)]
Name = Annotated[str, Meta(max_length=1000)]  # of which the catalogue takes 200, with a better sentence
Fraction = Annotated[float, Meta(ge=0, le=1)]
Paths = Annotated[list[WirePath], Meta(min_length=1, max_length=MOST_PATHS)]


class Shape(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of all shapes; by itself the one of requests that have nothing to say."""


class Page(Shape, frozen=True, kw_only=True):
    limit: Annotated[int, Meta(ge=1, le=500)] = 100
    cursor: Annotated[str, Meta(max_length=200)] = ""


class Doubted(Page, frozen=True, kw_only=True):
    now: bool = False


class FewAtOnce(Page, frozen=True, kw_only=True):
    limit: Annotated[int, Meta(ge=1, le=100)] = 10


class FacesWanted(Page, frozen=True, kw_only=True):
    ids: Annotated[str, Meta(max_length=8000)] = ""
    person: Id = ""
    state: FaceState | None = None
    group: Id = ""
    photo: Number | None = None
    order: Literal["id", "oldest", "newest", "surest"] = "id"


class Outlined(Shape, frozen=True, kw_only=True):
    person: Id = ""
    state: FaceState | None = None
    group: Id = ""


class Called(Shape, frozen=True, kw_only=True):
    name: Name


class PeopleWanted(Page, frozen=True, kw_only=True):
    hidden: bool = False


class Size(Shape, frozen=True, kw_only=True):
    size: Annotated[int, Meta(ge=16, le=4096)] = 1600


class CropWanted(Shape, frozen=True, kw_only=True):
    size: Annotated[int, Meta(ge=16, le=512)] = 160
    form: Literal["jpeg", "webp"] = "jpeg"


class Following(Shape, frozen=True, kw_only=True):
    since: Number | None = None
    wait: Annotated[float, Meta(ge=0, le=60)] = 0.0
    limit: Annotated[int, Meta(ge=1, le=1000)] = 200
    client: Annotated[str, Meta(max_length=100)] = ""


class Client(Shape, frozen=True, kw_only=True):
    client: Annotated[str, Meta(min_length=1, max_length=100)]


class Lookup(Shape, frozen=True, kw_only=True):
    paths: Paths


# -- answers ------------------------------------------------------------------------------------------------------


class Seen(Shape, frozen=True, kw_only=True):
    """A face, or a photo, as whoever answers saw it; the answer is refused where `rev` has moved since."""

    id: Id
    rev: Rev | None = None


class Area(Shape, frozen=True, kw_only=True):
    """A box: centre and size in fractions of the displayed photo."""

    x: Fraction
    y: Fraction
    w: Annotated[float, Meta(gt=0, le=1)]
    h: Annotated[float, Meta(gt=0, le=1)]

    def box(self) -> Box:
        return Box(self.x, self.y, self.w, self.h)


class One(Shape, frozen=True, kw_only=True):
    rev: Rev | None = None


class NameOne(One, frozen=True, kw_only=True):
    name: Name


class AboutOne(One, frozen=True, kw_only=True):
    person: Id | None = None


class PlaceOne(One, frozen=True, kw_only=True):
    box: Area


class DrawOne(PlaceOne, frozen=True, kw_only=True):
    name: Name | None = None


Faces = Annotated[list[Seen | str], Meta(min_length=1, max_length=MOST_FACES)]


class Many(Shape, frozen=True, kw_only=True):
    faces: Faces


class Divide(Shape, frozen=True, kw_only=True):
    parts: tuple[Faces, Faces]


class NameMany(Many, frozen=True, kw_only=True):
    name: Name


class AboutMany(Many, frozen=True, kw_only=True):
    person: Id | None = None


class SeenPhoto(Shape, frozen=True, kw_only=True):
    id: Number
    rev: Rev | None = None


class TagMany(Shape, frozen=True, kw_only=True):
    photos: Annotated[list[SeenPhoto | Number], Meta(min_length=1, max_length=MOST_FACES)]
    name: Name


class AbsentMany(Shape, frozen=True, kw_only=True):
    photos: Annotated[list[SeenPhoto | Number], Meta(min_length=1, max_length=MOST_FACES)]
    person: str


class Rename(Shape, frozen=True, kw_only=True):
    name: Name


class Into(Shape, frozen=True, kw_only=True):
    into: Id


class Other(Shape, frozen=True, kw_only=True):
    other: Id


class Born(Shape, frozen=True, kw_only=True):
    day: Annotated[str, Meta(max_length=20)]


class Undo(Shape, frozen=True, kw_only=True):
    act: Number | None = None


# -- other programs -----------------------------------------------------------------------------------------------

Program = Annotated[str, Meta(pattern=r"\A(?!(person|sidecar)\Z)[a-z][a-z0-9-]{1,30}\Z")]


class ToldFace(Shape, frozen=True, kw_only=True):
    """A face as another program has it."""

    state: Literal["confirmed", "unknown", "ignored"]
    box: Area
    name: Name | None = None
    refused: Annotated[list[Name], Meta(max_length=100)] = []

    def __post_init__(self) -> None:
        if (self.name is not None) != (self.state == "confirmed"):
            raise ValueError("a face that is confirmed has a name, and no other has")


class ToldPhoto(Shape, frozen=True, kw_only=True):
    """All that another program says of the people on a photo."""

    path: WirePath
    faces: Annotated[list[ToldFace], Meta(max_length=1000)] = []
    people: Annotated[list[Name], Meta(max_length=1000)] = []


class Import(Shape, frozen=True, kw_only=True):
    source: Program
    photos: Annotated[list[ToldPhoto], Meta(min_length=1, max_length=MOST_PATHS)]
    words: Annotated[str, Meta(max_length=200)] = ""
    act: Number | None = None
    more: bool = False


class Source(Shape, frozen=True, kw_only=True):
    source: Program


# -- work ---------------------------------------------------------------------------------------------------------


class Rescan(Shape, frozen=True, kw_only=True):
    paths: Paths
    mode: Literal["new", "again", "unconfirmed", "found", "deleted"] = "again"
    and_my_answers: bool = False


class Folders(Shape, frozen=True, kw_only=True):
    paths: Paths


class Settings(Shape, frozen=True, kw_only=True):
    settings: dict[str, dict[str, Any]]


class Install(Shape, frozen=True, kw_only=True):
    pack: Annotated[str, Meta(pattern=r"\A[a-z0-9][a-z0-9._-]{0,60}\Z")] = "auto"
    source: WirePath | None = None


class Use(Shape, frozen=True, kw_only=True):
    pack: Annotated[str, Meta(pattern=r"\A[a-z0-9][a-z0-9._-]{0,60}\Z")]
