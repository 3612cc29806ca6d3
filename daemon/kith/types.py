"""The values that pass between Kith's parts. All are frozen: a stage takes values and returns new ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NewType

import numpy as np
from numpy.typing import NDArray

PhotoId = NewType("PhotoId", int)
FaceId = NewType("FaceId", int)
PersonId = NewType("PersonId", int)
GroupId = NewType("GroupId", int)
Part = tuple[int, int]  # a division, and which part of it

Floats = NDArray[np.float32]
Image = NDArray[np.uint8]


class FaceState(StrEnum):
    """How much is known of a face, from least to most; the last three are a person's answers."""

    UNKNOWN = "unknown"
    GROUPED = "grouped"
    SUGGESTED = "suggested"
    AUTO = "auto"
    CONFIRMED = "confirmed"
    IGNORED = "ignored"
    NOT_A_FACE = "not-a-face"


@dataclass(frozen=True, slots=True)
class Box:
    """A face region: centre (x, y) and size (w, h) as fractions of the displayed frame, 0..1."""

    x: float
    y: float
    w: float
    h: float


@dataclass(frozen=True, slots=True, eq=False)
class Crop:
    """A face cut out with generous surroundings: a JPEG, and the five landmarks in its pixels, shape (5, 2)."""

    jpeg: bytes
    landmarks: Floats


@dataclass(frozen=True, slots=True, eq=False)
class FoundFace:
    """One face as vision found it in one photo.

    `landmarks` are five points (eyes, nose tip, mouth corners, image left first) as fractions of the displayed
    frame, shape (5, 2). `embedding` has unit length, shape (D,). From the crop another model can embed the face again
    without the photo. `score` is the detector's, `quality` Kith's own, both 0..1.
    """

    box: Box
    landmarks: Floats
    score: float
    quality: float
    embedding: Floats
    crop: Crop


@dataclass(frozen=True, slots=True, eq=False)
class Analysis:
    """What one pack sees in one photo.

    `width` and `height` are the stored pixels (before `orientation`, EXIF 1..8, is applied). `captured_at` is the
    camera's wall-clock time in seconds since 1970, as if it were UTC; None where the photo doesn't say.
    `seconds` tells where the time went, by step.
    """

    pack: str
    width: int
    height: int
    orientation: int
    captured_at: float | None
    faces: tuple[FoundFace, ...]
    seconds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Calibration:
    """How the similarities of one embedder are to be believed; ships in the pack's `pack.toml`.

    `cosine_fmr` gives the cosine at false match rates "1e-3", "1e-4" and "1e-5". `classifier` and `group` are the
    weights of two logistic models by feature name, "bias" included. `measured` is False where the numbers are not
    from a measurement: then nothing is named automatically. `cohort` (K, D) are directions about which many people's
    faces lie: near to them, being alike proves less (cohort normalisation: Auckenthaler et al. 2000).
    """

    cosine_fmr: Mapping[str, float]
    classifier: Mapping[str, float]
    group: Mapping[str, float]
    measured: bool = True
    cohort: Floats = field(default_factory=lambda: np.zeros((0, 0), np.float32), repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Evidence:
    """One face as recognition sees it; its embedding is the row of the same position in the gallery.

    `order` is a canonical key (photo content, box): results must not depend on ids or on the order of arrival.
    `person` is who a person said it is. `rejected` are people it was said not to be. `ignored` faces are strangers:
    never suggested, but they still hold their group together. Faces in different `parts` of one division were said to
    be different people, whoever they are.
    """

    id: FaceId
    photo: PhotoId
    order: bytes
    captured_at: float | None
    quality: float
    person: PersonId | None = None
    rejected: frozenset[PersonId] = frozenset()
    ignored: bool = False
    parts: frozenset[Part] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class Gallery:
    """All faces that take part in recognition. `vectors`: shape (N, D), float32, rows of unit length.

    `born` are birth dates, in seconds since 1970 as `captured_at` is. `apart` are pairs of people of whom somebody said
    that they are two, the lower id first.
    """

    faces: tuple[Evidence, ...]
    vectors: Floats
    born: Mapping[PersonId, float] = field(default_factory=dict)
    apart: frozenset[tuple[PersonId, PersonId]] = frozenset()


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Who a face may be, how sure each way of looking is (calibrated, 0..1), and the faces that made it so."""

    person: PersonId
    probability_classifier: float
    probability_group: float
    auto: bool
    because: tuple[FaceId, ...]


@dataclass(frozen=True, slots=True)
class Recognition:
    """What the set of faces and answers says: a group for every face that belongs to one, and suggestions."""

    groups: Mapping[FaceId, GroupId]
    suggestions: Mapping[FaceId, Suggestion]


@dataclass(frozen=True, slots=True)
class Photo:
    """A picture file as the catalogue knows it.

    `width` and `height` are stored pixels, None until analysed. `said` is the stamp of the sidecar that was seen beside
    it, which tells it apart from earlier and later ones; it is empty where there was none.
    """

    id: PhotoId
    path: bytes
    content_key: bytes
    content_rev: int
    tags_rev: int
    width: int | None
    height: int | None
    orientation: int | None
    said: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """A person and how often they were confirmed: faces, and photos they are on.

    `born` is the day of birth (ISO 8601). `hidden` people are not shown unless asked for. `feature` is the face that
    shows them best: the one a person chose, or else the best there is.
    """

    id: PersonId
    name: str
    faces: int = 0
    photos: int = 0
    born: str | None = None
    hidden: bool = False
    feature: FaceId | None = None


@dataclass(frozen=True, slots=True)
class Face:
    """A face as the catalogue knows it: where, how good, what was said of it and what Kith believes."""

    id: FaceId
    photo: PhotoId
    path: bytes
    box: Box
    score: float
    quality: float
    state: FaceState
    person: Person | None
    suggestion: Suggestion | None
    group: GroupId | None
    dispute: Dispute | None = None


@dataclass(frozen=True, slots=True)
class Presence:
    """Somebody who is on a photo without a face that shows it."""

    person: Person
    dispute: Dispute | None = None


PERSON, SIDECAR = "person", "sidecar"  # who gave an answer: a person to Kith itself, or another program in a sidecar


class Answer(StrEnum):
    """What can be said: of a face, of a photo, of a person. DISPUTED is another program taking a name away again."""

    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    IGNORED = "ignored"
    NOT_A_FACE = "not-a-face"
    PART = "part"
    DRAWN = "drawn"
    MOVED = "moved"
    DISPUTED = "disputed"
    RESTORED = "restored"
    FORGOTTEN = "forgotten"
    PRESENT = "present"
    ABSENT = "absent"
    RENAMED = "renamed"
    MERGED = "merged"
    APART = "apart"
    BORN = "born"
    HIDDEN = "hidden"
    SHOWN = "shown"
    FEATURED = "featured"


class Dispute(StrEnum):
    """What became of a name that another program took away twice: nobody said yet, or a person insists on it."""

    OPEN = "open"
    INSISTED = "insisted"


@dataclass(frozen=True, slots=True)
class Decision:
    """One answer, as it is kept for ever: to a face by photo content and box, to a photo by content, to a person.

    `other` is whom a person was merged into, or said not to be. `to` is where a face was moved. `text` is what a
    person was renamed to, or the day of their birth (ISO 8601, empty for one that isn't known after all). `part` says
    which of different people a face is.
    """

    kind: Answer
    content: bytes | None = None
    box: Box | None = None
    person: PersonId | None = None
    other: PersonId | None = None
    to: Box | None = None
    text: str | None = None
    part: Part | None = None


@dataclass(frozen=True, slots=True)
class Act:
    """Something that was said at once, in words, and how many answers that were; `undoes` names the act it takes back.

    `live` is False while it is taken back itself. `source` is who said it: a person, a sidecar, or a program.
    """

    id: int
    at: float
    source: str
    words: str
    undoes: int | None
    live: bool
    answers: int


@dataclass(frozen=True, slots=True)
class Trouble:
    """What went wrong with which file: a code for programs, a sentence for people."""

    path: bytes
    stage: str
    code: str
    message: str
    attempts: int


@dataclass(frozen=True, slots=True)
class Status:
    """How much there is of everything, and which model pack is in use."""

    photos: int
    analysed: int
    pending: int
    faces: int
    people: int
    groups: int
    disputes: int
    trouble: int
    pack: str | None


@dataclass(frozen=True, slots=True)
class Written:
    """What Kith last wrote beside a photo (`base`, JSON; `digest` of the whole file), and what it meant to write."""

    base: str | None
    digest: bytes | None
    intended: str | None
    intended_digest: bytes | None


@dataclass(frozen=True, slots=True)
class Said:
    """One answer that another program gives in a sidecar.

    `face` is the catalogue's face it is about, None for one that only the file has, in `box`, and for people without
    a face, who have no `box` either. A moved face is where `box` is.
    """

    kind: Answer
    name: str
    face: FaceId | None = None
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class Original:
    """A sidecar as it was before Kith first wrote it (`data`; None: there was none), and what Kith wrote there since.

    `ours` are the digests by which what Kith left there is known. `mixed`: another program has changed it in between.
    """

    path: bytes
    data: bytes | None
    ours: frozenset[bytes]
    mixed: bool


@dataclass(frozen=True, slots=True)
class Change:
    """What Kith is about to do to a sidecar: the bytes there (None: no file) and the digests of them and of the new."""

    path: bytes
    before: bytes | None
    was: bytes | None
    becomes: bytes


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened.

    Kinds: "photo" (found, moved, changed, gone or back), "analysed", "names" (who is on it changed), "sidecar"
    (written), "person", "answer". `path` is the photo's now.
    """

    id: int
    at: float
    kind: str
    photo: PhotoId | None
    path: bytes | None
    person: PersonId | None
    act: int | None
