"""The three-way merge of a sidecar: pure, no files, no XML.

`base` is what the file and the catalogue agreed on last, `theirs` the file as it is now, `ours` what the catalogue
wants now. Faces are matched by overlap. What changed in the file only is a decision for the catalogue; what changed in
the catalogue only is a change for the file; where both changed, the file wins, because somebody just said so there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import product
from typing import Any, Final

from kith_xmp import keywords, names, people
from kith_xmp.keywords import KeywordList
from kith_xmp.read import Sidecar
from kith_xmp.regions import SAME_BOX, SAME_FACE, Box, Frame, Region, overlap, snap
from kith_xmp.settings import Settings

_MWG: Final = "mwg-rs"
_ROUNDING = 1.5  # stored pixels by which another program's rounding may shift an edge
_BLOCKED: Final = 10  # entries in a list from which on darktable no longer writes the sidecar


@dataclass(frozen=True, slots=True)
class Face:
    """A face as the catalogue has it: centre and size as fractions of the displayed frame, and whose it is.

    `id` is the catalogue's own and comes back in decisions. `guess`: nobody said so yet. `insist`: somebody said so
    again after another program had taken the name away; it is written once more.
    """

    name: str | None
    x: float
    y: float
    w: float
    h: float
    guess: bool = False
    insist: bool = False
    id: int = 0

    @property
    def box(self) -> Box:
        """Centre and size."""
        return self.x, self.y, self.w, self.h


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the catalogue wants a photo's sidecar to say.

    `faces` are all it has in the photo, with a name or without: a name given elsewhere finds its face by its box.
    `people` are without a box; `insisted` are those of them whom somebody named again after a dispute.
    """

    faces: tuple[Face, ...] = ()
    people: tuple[str, ...] = ()
    insisted: tuple[str, ...] = ()


class Owned(StrEnum):
    """How much of a region in the file is Kith's."""

    NOTHING = ""
    NAME = "name"
    REGION = "region"


@dataclass(frozen=True, slots=True)
class Agreed:
    """A named face that was in the file when it was last read or written.

    `retried`: it had gone once and was written again. `mirror`: how much of its MP entry is Kith's.
    `mine`: the box that the catalogue had for it.
    """

    name: str | None
    x: float
    y: float
    w: float
    h: float
    owned: Owned = Owned.NOTHING
    source: str = _MWG
    retried: bool = False
    mirror: Owned = Owned.NOTHING
    mine: Box | None = None

    @property
    def box(self) -> Box:
        """Centre and size."""
        return self.x, self.y, self.w, self.h


@dataclass(frozen=True, slots=True)
class Added:
    """A string that Kith added to a list; `tries` counts how often it was added again."""

    list: str
    text: str
    tries: int = 0


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody whom the file named other than by a region.

    `retried`: they had gone once and were written again. `gone`: they had gone twice and are not written any more.
    """

    name: str
    retried: bool = False
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Base:
    """What the file and the catalogue agreed on last; empty for a file never seen before.

    `gone` are names that others took from faces, and that are not written there again.
    """

    faces: tuple[Agreed, ...] = ()
    strings: tuple[Added, ...] = ()
    people: tuple[Person, ...] = ()
    guesses: tuple[str, ...] = ()
    gone: tuple[Agreed, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """A value that `json` can write; `from_json` reads it."""
        return {
            "faces": [_row(f) for f in self.faces],
            "strings": [[s.list, s.text, s.tries] for s in self.strings],
            "people": [[p.name, p.retried, p.gone] for p in self.people],
            "guesses": list(self.guesses),
            "gone": [_row(f) for f in self.gone],
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Base:
        """The value that `to_json` gave."""
        return cls(
            tuple(_agreed_of(f) for f in data["faces"]),
            tuple(Added(*s) for s in data["strings"]),
            tuple(Person(*p) for p in data["people"]),
            tuple(data["guesses"]),
            tuple(_agreed_of(f) for f in data["gone"]),
        )


def _row(f: Agreed) -> list[Any]:
    return [f.name, *f.box, f.owned.value, f.source, f.retried, f.mirror.value, list(f.mine) if f.mine else None]


def _agreed_of(row: list[Any]) -> Agreed:
    name, x, y, w, h, owned, source, retried, mirror, mine = row
    return Agreed(name, x, y, w, h, Owned(owned), source, retried, Owned(mirror), tuple(mine) if mine else None)


class Kind(StrEnum):
    """What another program decided.

    ADDED: a face, or a name for one of ours that had none. RENAMED: another name than the catalogue's. REJECTED: a
    guess was taken away. DISPUTED: a person's name was taken away twice,
    or a region of ours without a name once. MOVED: the box. PERSON_ADDED and
    PERSON_DISPUTED: somebody without a box.
    """

    ADDED = "added"
    RENAMED = "renamed"
    REJECTED = "rejected"
    DISPUTED = "disputed"
    MOVED = "moved"
    PERSON_ADDED = "person-added"
    PERSON_DISPUTED = "person-disputed"


@dataclass(frozen=True, slots=True)
class Decision:
    """One thing that the file says and the catalogue doesn't know: `name` instead of `previous`, at `region`.

    `face` is the id of the catalogue's face it is about, None for one it doesn't have.
    """

    kind: Kind
    name: str | None
    previous: str | None = None
    face: int | None = None
    region: Region | None = None


@dataclass(frozen=True, slots=True)
class ListChanges:
    """Changes of one schema's region list; entries go by their place in the list that was read."""

    add: tuple[Region, ...] = ()
    remove: tuple[int, ...] = ()
    rename: tuple[tuple[int, str | None], ...] = ()
    move: tuple[tuple[int, Box], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.add or self.remove or self.rename or self.move)


@dataclass(frozen=True, slots=True)
class StringChanges:
    """Changes of one keyword list."""

    list: str
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Changes:
    """All that is to change in a file; false if nothing is. `guesses` is None where they stay as they are."""

    mwg: ListChanges = field(default_factory=ListChanges)
    microsoft: ListChanges = field(default_factory=ListChanges)
    strings: tuple[StringChanges, ...] = ()
    guesses: tuple[str, ...] | None = None

    def __bool__(self) -> bool:
        return bool(self.mwg or self.microsoft or self.strings or self.guesses is not None)


@dataclass(frozen=True, slots=True)
class Merged:
    """The changes for the file, the decisions for the catalogue, and the base once both are made."""

    changes: Changes
    decisions: tuple[Decision, ...]
    base: Base


@dataclass(frozen=True, slots=True)
class _Outcome:
    """One of our faces after the merge: as the catalogue will hold it, and its entry in the file."""

    face: Face
    was: Agreed | None = None
    now: Region | None = None
    owned: Owned = Owned.REGION
    retried: bool = False
    written: bool = True
    mine: Box | None = None


def merge(
    base: Base, ours: Wanted, theirs: Sidecar, settings: Settings | None = None, *, creating: bool = False
) -> Merged:
    """Merge the catalogue's faces into a sidecar.

    `creating` says that there is no sidecar yet and `theirs` is the seed for one: then nothing counts as taken away,
    and nothing is written unless there is somebody to name whom the seed doesn't name already.
    """
    settings = settings or Settings()
    faces = tuple(_prepared(f, theirs.frame, settings) for f in ours.faces)
    base = _with_guessed_strings(base, theirs, settings)
    theirs = _without_our_doubts(theirs, base)
    faces, decisions = _heard_elsewhere(base, faces, theirs)
    file = () if theirs.mwg.stale else tuple(r for r in theirs.regions if r.source == _MWG and not r.label)
    known = tuple(b for b in base.faces if b.source == _MWG)
    rewritten = creating or _was_rewritten(base, known, file, theirs)
    matched, before = _match(faces, known, file)

    outcomes: list[_Outcome] = []
    for face, was, now in matched:
        outcome, said = _resolve(face, was, now, base, theirs, settings, rewritten=rewritten)
        if outcome and outcome.was is None and outcome.now is None and _is_said_elsewhere(face, theirs):
            outcome = replace(outcome, written=False)
        outcomes += [outcome] if outcome else []
        decisions += said
    withdrawn, found = _unclaimed(before, matched, file, settings)
    decisions += found
    who, said = _people(base, ours, outcomes, theirs, rewritten=rewritten, settings=settings)
    decisions += said
    wanted = _to_be_named(base, outcomes, _alive(who, ours), theirs, settings)
    if creating and not wanted and not any(o.face.name for o in outcomes):
        return Merged(Changes(), tuple(decisions), Base())

    kept, mwg = _layout(outcomes, withdrawn, theirs, settings)
    microsoft, mirrored = _mirror(kept, matched, withdrawn, theirs, settings)
    again = {names.key(p.name) for p in who if p.retried and not p.gone}
    strings, added = _strings(base, wanted, again, theirs, settings, rewritten=rewritten)
    guesses = _guesses(base, outcomes, theirs)
    changes = Changes(mwg, microsoft, strings, guesses if set(guesses) != set(theirs.guesses) else None)
    listed = tuple(n for n in guesses if _in(n, (o.face.name for o in outcomes if o.face.guess)))
    agreed = _agreed(base, kept, mirrored, mwg, microsoft, theirs)
    gone = _gone_after(base, faces, file, decisions)
    return Merged(changes, tuple(decisions), Base(agreed, added, who, listed, gone))


# Matching


def _prepared(face: Face, frame: Frame, settings: Settings) -> Face:
    x, y, w, h = snap(face.box, frame)
    return replace(face, name=names.person(face.name, settings.nobody), x=x, y=y, w=w, h=h)


def _with_guessed_strings(base: Base, theirs: Sidecar, settings: Settings) -> Base:
    """In a file not seen before the strings of names that are listed as guesses are Kith's, of before a rebuild."""
    if base != Base():
        return base
    spelled = [(one, keywords.spell(name, one, settings)) for name in theirs.guesses for one in keywords.LISTS]
    there = tuple(Added(one.name, text) for one, text in spelled if text in theirs.lists.get(one.name, ()))
    return replace(base, strings=there)


def _without_our_doubts(theirs: Sidecar, base: Base) -> Sidecar:
    """Names listed as guesses by us are about our regions: one like it elsewhere is somebody's answer."""
    sure = (replace(r, guess=r.guess and not _in(r.name, base.guesses)) for r in theirs.regions)
    return replace(theirs, regions=tuple(sure))


Boxed = Face | Agreed | Region
Match = tuple[Face, Agreed | None, Region | None]


def pairs(a: Sequence[Boxed], b: Sequence[Boxed]) -> dict[int, int]:
    """Which of `a` is which of `b`: equal names that overlap first, then the best overlap, each used once."""
    near = [
        (not names.same(p.name, q.name), -o, i, j)
        for (i, p), (j, q) in product(enumerate(a), enumerate(b))
        if (o := overlap(p.box, q.box)) >= SAME_FACE
    ]
    found: dict[int, int] = {}
    for _, _, i, j in sorted(near):
        if i not in found and j not in found.values():
            found[i] = j
    return found


def _dragged(a: Sequence[Boxed], b: Sequence[Boxed], left: Iterable[int], right: Iterable[int]) -> dict[int, int]:
    """Of what is left over on both sides, the names that each side has exactly once: boxes dragged elsewhere."""

    def once(side: Sequence[Boxed], among: Iterable[int]) -> dict[str, int]:
        keys = [names.key(p.name) for p in side]
        return {keys[i]: i for i in among if keys[i] and keys.count(keys[i]) == 1}

    there = once(b, right)
    return {i: there[name] for name, i in once(a, left).items() if name in there}


def _match(
    faces: Sequence[Face], known: Sequence[Agreed], file: Sequence[Region]
) -> tuple[list[Match], dict[int, Agreed]]:
    """Each of our faces with what it was in the file and is there now; by index in the file what each entry was."""
    was, now = _known_of(faces, known), pairs(known, file)
    through = {i: now[b] for i, b in was.items() if b in now}
    ours, theirs = _rest(faces, through), _rest(file, now.values())
    direct = pairs([faces[i] for i in ours], [file[j] for j in theirs])
    through |= {ours[i]: theirs[j] for i, j in direct.items()}
    now |= _dragged(known, file, _rest(known, now), _rest(file, [*now.values(), *through.values()]))
    still = {i: b for i, b in was.items() if i not in through and names.same(faces[i].name, known[b].name)}
    through |= {i: now[b] for i, b in still.items() if b in now}
    matched = [
        (face, known[was[i]] if i in was else None, file[through[i]] if i in through else None)
        for i, face in enumerate(faces)
    ]
    return matched, {file[j].index: known[b] for b, j in now.items()}


def _known_of(faces: Sequence[Face], known: Sequence[Agreed]) -> dict[int, int]:
    """Which face was which in the file: by the file's box, or by the one that the catalogue had then."""
    found = pairs(faces, known)
    ours, theirs = _rest(faces, found), _rest(known, found.values())
    then = [replace(k, x=k.mine[0], y=k.mine[1], w=k.mine[2], h=k.mine[3]) if k.mine else k for k in known]
    more = pairs([faces[i] for i in ours], [then[j] for j in theirs])
    return found | {ours[i]: theirs[j] for i, j in more.items()}


def _rest(side: Sequence[Boxed], used: Iterable[int]) -> list[int]:
    taken = set(used)
    return [i for i in range(len(side)) if i not in taken]


def _moved(a: Box, b: Box, frame: Frame) -> bool:
    """Whether a box is another, and not only rounded otherwise."""
    if overlap(a, b) >= SAME_BOX:
        return False
    w, h = frame.displayed
    shifts = (abs(a[0] - b[0]) * w, abs(a[1] - b[1]) * h, abs(a[2] - b[2]) * w / 2, abs(a[3] - b[3]) * h / 2)
    return not (w > 0 and h > 0 and max(shifts) <= _ROUNDING)


def _was_rewritten(base: Base, known: Sequence[Agreed], file: Sequence[Region], theirs: Sidecar) -> bool:
    """Whether the file lost everything of ours: then it was written anew, and nothing in that is a decision.

    Two or more regions gone at once are a file written from another program's database; a single one is a rejection
    as long as anything else of ours is still there.
    """
    mine = [b for b in known if b.owned]
    if not mine and not base.strings:
        return False
    if any(overlap(b.box, r.box) >= SAME_FACE or names.same(b.name, r.name) for b, r in product(mine, file)):
        return False
    strings = any(s.text in theirs.lists.get(s.list, ()) for s in base.strings)
    guesses = any(_in(g, theirs.guesses) for g in base.guesses)
    return len(mine) > 1 or not (strings or guesses)


def _in(name: str | None, others: Iterable[str | None]) -> bool:
    return any(names.same(name, o) for o in others)


# One face


def _heard_elsewhere(base: Base, faces: tuple[Face, ...], theirs: Sidecar) -> tuple[tuple[Face, ...], list[Decision]]:
    """Names that only another schema has and that neither the base nor the catalogue knows: our faces take them."""
    found: list[Decision] = []
    ours = list(faces)
    for region in theirs.regions:
        if region.source == _MWG or not region.name:
            continue
        seen: list[Boxed] = [*base.faces, *ours]
        if any(_is_same(s, region) for s in seen):
            continue
        at = pairs([region], ours).get(0)
        if at is None:
            found.append(Decision(Kind.ADDED, region.name, region=region))
            continue
        face = ours[at]
        ours[at] = replace(face, name=region.name, guess=region.guess)
        kind = Kind.RENAMED if face.name else Kind.ADDED
        found.append(Decision(kind, region.name, face.name, face.id, region))
    return tuple(ours), found


def _resolve(
    face: Face,
    was: Agreed | None,
    now: Region | None,
    base: Base,
    theirs: Sidecar,
    settings: Settings,
    *,
    rewritten: bool,
) -> tuple[_Outcome | None, list[Decision]]:
    """What becomes of one of our faces."""
    if not face.insist and (now is None or now.name is None) and _is_gone(face, base):
        face = replace(face, name=None, guess=False)
        if now is None and _is_gone(face, base):
            return None, []
    if theirs.mwg.stale:
        return _Outcome(face, was, None, written=False), []
    mine = face.box
    face, moved = _followed(face, was, now, theirs.frame)
    if now is None or (now.name is None and was is not None and face.name and names.same(was.name, face.name)):
        outcome, said = _gone(face, was, now, settings, rewritten=rewritten)
    elif names.same(face.name, now.name):
        outcome, said = _agreeing(face, was, now)
    elif was is not None and names.same(was.name, now.name) and now.name:
        outcome, said = _ours_changed(face, was, now, settings), []
    else:
        outcome, said = _named_otherwise(face, was, now)
    return (replace(outcome, mine=mine), said + moved) if outcome else (None, said)


def _is_gone(face: Face, base: Base) -> bool:
    """Whether others took this name from this face for good."""
    return any(_is_same(g, face) for g in base.gone)


def _followed(face: Face, was: Agreed | None, now: Region | None, frame: Frame) -> tuple[Face, list[Decision]]:
    """The face where another program moved it to."""
    if was is None or now is None or not _moved(was.box, now.box, frame):
        return face, []
    there = replace(face, x=now.x, y=now.y, w=now.w, h=now.h)
    return there, [Decision(Kind.MOVED, face.name, face.name, face.id, now)]


def _gone(
    face: Face, was: Agreed | None, now: Region | None, settings: Settings, *, rewritten: bool
) -> tuple[_Outcome | None, list[Decision]]:
    """A face that the file doesn't have: new, or taken away by somebody."""
    owned = Owned.REGION if now is None else (was.owned if was and was.owned else Owned.NAME)
    if was is None or rewritten or face.insist or not names.same(was.name, face.name):
        return _Outcome(face, was, now, owned, was is not None and was.retried), []
    kind = Kind.REJECTED if face.guess and face.name else Kind.DISPUTED
    if kind is Kind.REJECTED or was.retried or face.name is None:
        unnamed = _Outcome(replace(face, name=None, guess=False), was, now, owned)
        said = Decision(kind, None, face.name, face.id, now)
        return (unnamed if settings.unnamed and face.name else None), [said]
    return _Outcome(face, was, now, owned, retried=True), []


def _agreeing(face: Face, was: Agreed | None, now: Region) -> tuple[_Outcome, list[Decision]]:
    """A face that the file names as we do. A guess in the file is Kith's own writing."""
    owned = was.owned if was else (Owned.REGION if now.guess else Owned.NOTHING)
    return _Outcome(face, was, now, owned, was is not None and was.retried), []


def _named_otherwise(face: Face, was: Agreed | None, now: Region) -> tuple[_Outcome | None, list[Decision]]:
    """A face that somebody named in the file, or that has no name there yet. A guess there is Kith's own writing."""
    owned = was.owned if was else Owned.REGION if now.guess else Owned.NOTHING
    retried = was is not None and was.retried
    if now.name is None:
        return _Outcome(face, was, now, owned or Owned.NAME, retried), []
    if now.guess and face.name and not face.guess:
        return _Outcome(face, was, now, Owned.REGION, retried), []
    accepted = replace(face, name=now.name, guess=now.guess)
    kind = Kind.RENAMED if face.name else Kind.ADDED
    said = Decision(kind, now.name, face.name, face.id, now)
    return _Outcome(accepted, was, now, owned, retried), [said]


def _ours_changed(face: Face, was: Agreed, now: Region, settings: Settings) -> _Outcome | None:
    """A face whose name changed in the catalogue only; a guess never replaces another program's name."""
    kept_unnamed = settings.unnamed and was.owned is Owned.REGION
    if (face.guess and not was.owned) or (face.name is None and not kept_unnamed):
        return None
    return _Outcome(face, was, now, was.owned or Owned.NAME, was.retried)


# The rest of the file


def _unclaimed(
    before: dict[int, Agreed], matched: Sequence[Match], file: Sequence[Region], settings: Settings
) -> tuple[list[tuple[Agreed, Region]], list[Decision]]:
    """Entries of ours that the catalogue no longer wants, and named faces that it doesn't know."""
    claimed = {now.index for _, _, now in matched if now is not None}
    withdrawn = [(was, now) for face, was, now in matched if was and now and _given_up(face, was, now, settings)]
    found: list[Decision] = []
    for region in file:
        was = before.get(region.index)
        if region.index in claimed:
            continue
        if was is not None and names.same(was.name, region.name):
            withdrawn += [(was, region)] if was.owned else []
        elif region.name:
            found.append(Decision(Kind.ADDED, region.name, was.name if was else None, None, region))
    return withdrawn, found


def _given_up(face: Face, was: Agreed, now: Region, settings: Settings) -> bool:
    """Whether the catalogue took back a name of ours that the file still has."""
    if face.name is not None or was.name is None or not was.owned or not names.same(was.name, now.name):
        return False
    return not (settings.unnamed and was.owned is Owned.REGION)


def _is_said_elsewhere(face: Face, theirs: Sidecar) -> bool:
    """Whether another schema's region says the same of a face: then it needs no second one."""
    others = (r for r in theirs.regions if r.source != _MWG)
    return any(_is_same(r, face) for r in others)


def _people(
    base: Base, ours: Wanted, outcomes: Sequence[_Outcome], theirs: Sidecar, *, rewritten: bool, settings: Settings
) -> tuple[tuple[Person, ...], list[Decision]]:
    """People without a box: those to be written, and what the file says about them that we don't know."""
    decisions: list[Decision] = []
    before = {names.key(p.name): p for p in base.people}
    kept: list[Person] = []
    wanted = names.unique(n for p in ours.people if (n := names.person(p, settings.nobody)))
    boxed = [o.face.name for o in outcomes]
    for name in wanted:
        was = before.get(names.key(name))
        if was is None or _in(name, theirs.names) or _in(name, boxed) or _in(name, ours.insisted):
            kept.append(Person(name, was is not None and was.retried))
        elif was.gone or rewritten:
            kept.append(was)
        elif was.retried:
            kept.append(replace(was, gone=True))
            decisions.append(Decision(Kind.PERSON_DISPUTED, None, name))
        else:
            kept.append(Person(name, retried=True))
    ours_already = {names.key(n) for n in wanted}
    known = before.keys() | {names.key(f.name) for f in ours.faces}
    alone = {names.key(n) for n in theirs.people}
    for name in _listed_by_others(base, theirs, settings):
        key = names.key(name)
        if key in ours_already:
            continue
        if key in alone and key not in known:
            decisions.append(Decision(Kind.PERSON_ADDED, name))
        kept.append(before.get(key, Person(name)))
    return tuple(kept), decisions


def _alive(who: Sequence[Person], ours: Wanted) -> list[str]:
    """The people without a box whom the catalogue wants and nobody disputes."""
    return [p.name for p in who if not p.gone and _in(p.name, ours.people)]


def _listed_by_others(base: Base, theirs: Sidecar, settings: Settings) -> list[str]:
    """The people whom the file names by anything but regions and strings of ours."""
    by_others = {names.key(n) for n in people.named(_without_ours(theirs.lists, base), theirs.known, settings)}
    by_anyone = {names.key(n) for n in people.named(theirs.lists, theirs.known, settings)}
    return [n for n in theirs.listed if names.key(n) in by_others or names.key(n) not in by_anyone]


def _without_ours(lists: Mapping[str, tuple[str, ...]], base: Base) -> dict[str, tuple[str, ...]]:
    """The keyword lists without the strings that Kith added."""
    ours = {(s.list, s.text) for s in base.strings}
    return {k: tuple(t for t in texts if (k, t) not in ours) for k, texts in lists.items()}


def _our_names(base: Base, settings: Settings) -> tuple[str, ...]:
    """The people in the strings that Kith added."""
    lists = ((keywords.BY_NAME[s.list], s.text) for s in base.strings)
    return names.unique(keywords.person_of(t, one, settings) or t for one, t in lists)


def _to_be_named(
    base: Base, outcomes: Sequence[_Outcome], who: Sequence[str], theirs: Sidecar, settings: Settings
) -> tuple[str, ...]:
    """Whom our strings name: all but those whom the file named by itself. Of two spellings, the one that is there."""
    ours = _our_names(base, settings)
    said = [o.face.name for o in outcomes if o.face.name and o.owned and o.written]
    more = [*(o.face.name for o in outcomes if o.face.name and not o.written), *who]
    found = [*said, *(n for n in more if not _in(n, theirs.names) or _in(n, ours))]
    return names.unique(sorted(found, key=lambda name: name not in ours))


# The region lists


def _layout(
    outcomes: Sequence[_Outcome], withdrawn: Sequence[tuple[Agreed, Region]], theirs: Sidecar, settings: Settings
) -> tuple[list[_Outcome], ListChanges]:
    """Which faces get an entry, and the changes of mwg-rs:RegionList that this takes."""
    dropped = [now.index for was, now in withdrawn if was.owned is Owned.REGION]
    unnamed = [now.index for was, now in withdrawn if was.owned is Owned.NAME]
    open_ = [o for o in outcomes if o.written and (o.face.name or o.now or settings.unnamed)]
    mine = [o for o in open_ if o.now is None or o.owned is Owned.REGION]
    foreign = theirs.mwg.size - len(dropped) - sum(1 for o in mine if o.now)
    fitting = _largest(mine, _room(foreign, settings))
    kept = [o for o in open_ if o not in mine or o in fitting]
    dropped += [o.now.index for o in mine if o.now and o not in fitting]
    rename: list[tuple[int, str | None]] = [(i, None) for i in unnamed]
    rename += [(o.now.index, o.face.name) for o in kept if o.now and _to_rename(o)]
    move = [(o.now.index, o.face.box) for o in kept if o.now and _to_move(o, theirs.frame)]
    add = tuple(Region(o.face.name, *o.face.box, guess=o.face.guess) for o in kept if o.now is None)
    return kept, ListChanges(add, tuple(sorted(dropped)), tuple(rename), tuple(move))


def _room(foreign: int, settings: Settings) -> int | None:
    """How many entries of ours a list may have beside the foreign ones; None for any number."""
    if settings.max_regions is None or foreign >= _BLOCKED:
        return None
    return max(0, settings.max_regions - foreign)


def _largest(outcomes: Sequence[_Outcome], room: int | None) -> list[_Outcome]:
    """Those that fit: named first, then those that are there already, then the largest."""
    ranked = sorted(outcomes, key=lambda o: (o.face.name is None, o.now is None, -o.face.w * o.face.h, o.face.box))
    return ranked[:room]


def _to_rename(outcome: _Outcome) -> bool:
    """Whether the file has another name, or our old spelling of it."""
    was, now, name = outcome.was, outcome.now, outcome.face.name
    if now is None or now.name == name:
        return False
    ours = was is not None and outcome.owned and was.name == now.name
    return bool(ours) or not names.same(now.name, name)


def _to_move(outcome: _Outcome, frame: Frame) -> bool:
    """Whether our box changed and the file's is still what we wrote."""
    was, now = outcome.was, outcome.now
    if was is None or now is None or outcome.owned is not Owned.REGION or _moved(was.box, now.box, frame):
        return False
    return _moved(outcome.face.box, was.mine or was.box, frame) and _moved(outcome.face.box, now.box, frame)


def _mirror(
    kept: Sequence[_Outcome],
    matched: Sequence[Match],
    withdrawn: Sequence[tuple[Agreed, Region]],
    theirs: Sidecar,
    settings: Settings,
) -> tuple[ListChanges, dict[int, Owned]]:
    """The changes that keep MP regions in step, and by place in `kept` how much of the MP entry is then ours."""
    if theirs.mwg.stale:
        return ListChanges(), {}
    twins = _twins(kept, theirs.microsoft.regions)
    owned: dict[int, Owned] = {}
    rename: list[tuple[int, str | None]] = []
    move: list[tuple[int, Box]] = []
    for i, twin in twins.items():
        o = kept[i]
        owned[i] = o.was.mirror if o.was else Owned.NOTHING
        if not names.same(twin.name, o.face.name):
            rename.append((twin.index, o.face.name))
            owned[i] = owned[i] or Owned.NAME
        box = _box_after(o, theirs.frame)
        ours = owned[i] is Owned.REGION or _to_move(o, theirs.frame)
        move += [(twin.index, box)] if ours and _moved(twin.box, box, theirs.frame) else []
    remove, unnamed = _mirrors_gone(twins, kept, matched, withdrawn, theirs)
    add = _mirrors_new(twins, kept, theirs, settings, theirs.microsoft.size - len(remove))
    owned |= dict.fromkeys(add, Owned.REGION)
    entries = tuple(Region(kept[i].face.name, *kept[i].face.box, source="MP") for i in add)
    return ListChanges(entries, remove, (*rename, *((i, None) for i in unnamed)), tuple(move)), owned


def _twins(kept: Sequence[_Outcome], entries: Sequence[Region]) -> dict[int, Region]:
    """The MP entries of those faces whose other entry is ours, by their place in `kept`."""
    found: dict[int, Region] = {}
    for i, o in enumerate(kept):
        if o.owned is Owned.NOTHING:
            continue
        at = o.now.box if o.now else o.was.box if o.was else o.face.box
        free = [e for e in entries if e not in found.values() and overlap(e.box, at) >= SAME_FACE]
        if free:
            found[i] = free[0]
    return found


def _mirrors_gone(
    twins: dict[int, Region],
    kept: Sequence[_Outcome],
    matched: Sequence[Match],
    withdrawn: Sequence[tuple[Agreed, Region]],
    theirs: Sidecar,
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The MP entries to remove, and those to take our name from: their faces have no other entry any more."""
    alive = {id(o.was) for o in kept if o.was is not None}
    gone = [was for _, was, _ in matched if was is not None and id(was) not in alive]
    gone += [was for was, _ in withdrawn]
    left = [e for e in theirs.microsoft.regions if e not in twins.values()]

    def mine(entry: Region, owned: Owned) -> bool:
        faces = [g for g in gone if g.mirror is owned and names.same(entry.name, g.name)]
        return any(overlap(entry.box, g.box) >= SAME_FACE for g in faces)

    remove = tuple(e.index for e in left if mine(e, Owned.REGION))
    return remove, tuple(e.index for e in left if mine(e, Owned.NAME))


def _mirrors_new(
    twins: dict[int, Region], kept: Sequence[_Outcome], theirs: Sidecar, settings: Settings, size: int
) -> list[int]:
    """The places in `kept` of those that get an MP entry: where there are MP regions already, or by choice."""
    if not (theirs.microsoft.present or settings.microsoft):
        return []
    return [i for i, o in enumerate(kept) if o.owned is Owned.REGION and i not in twins][: _room(size, settings)]


def _box_after(outcome: _Outcome, frame: Frame) -> Box:
    """The box that a face has in the file after the changes."""
    if outcome.now is None or _to_move(outcome, frame):
        return outcome.face.box
    return outcome.now.box


# Strings


def _strings(
    base: Base, wanted: Sequence[str], again: set[str], theirs: Sidecar, settings: Settings, *, rewritten: bool
) -> tuple[tuple[StringChanges, ...], tuple[Added, ...]]:
    """The changes of the keyword lists, and which strings in them are then ours."""
    changes: list[StringChanges] = []
    ours: list[Added] = []
    for one in keywords.LISTS:
        change, added = _one_list(one, base, wanted, again, theirs, settings, rewritten=rewritten)
        changes += [change] if change.add or change.remove else []
        ours += added
    return tuple(changes), tuple(ours)


def _one_list(
    one: KeywordList,
    base: Base,
    wanted: Sequence[str],
    again: set[str],
    theirs: Sidecar,
    settings: Settings,
    *,
    rewritten: bool,
) -> tuple[StringChanges, list[Added]]:
    """One list: strings of ours that are no longer wanted go, missing ones come, at most twice."""
    present = theirs.lists.get(one.name)
    on = one.name == keywords.PERSON_IN_IMAGE or one.name in settings.keywords or (one.mirror and present is not None)
    mine = {s.text: s for s in base.strings if s.list == one.name}
    spelled = {keywords.spell(n, one, settings): n for n in wanted} if on else {}
    stays = [t for t in present or () if t in spelled or t not in mine]
    have = {names.key(t) for t in stays}
    leaves = {names.key(p) for t in stays if (p := keywords.person_of(t, one, settings))}
    add: list[str] = []
    ours: list[Added] = []
    for text, name in spelled.items():
        was = mine.get(text)
        if names.key(text) in have or names.key(name) in leaves:
            ours += [was] if was else []
        elif was is None or rewritten or was.tries == 0 or names.key(name) in again:
            add.append(text)
            ours.append(Added(one.name, text, 0 if was is None else was.tries + (not rewritten)))
        else:
            ours.append(was)
    remove = tuple(t for t in mine if t not in spelled and t in (present or ()))
    if add and not present and one.separator and not one.mirror:
        carried = keywords.carried_over(one, _without_ours(theirs.lists, base))
        add = [*carried, *(a for a in add if not _in(a, carried))]
    return StringChanges(one.name, tuple(add), remove), ours


def _guesses(base: Base, outcomes: Sequence[_Outcome], theirs: Sidecar) -> tuple[str, ...]:
    """The names to be listed as guesses: ours, and those of the file that we know nothing about."""
    ours = [o.face.name for o in outcomes if o.face.guess and o.face.name]
    answered = [o.face.name for o in outcomes if not o.face.guess]
    foreign = [g for g in theirs.guesses if not _in(g, base.guesses) and not _in(g, answered)]
    return tuple(sorted(names.unique([*ours, *foreign])))


# The new base


def _agreed(
    base: Base,
    kept: Sequence[_Outcome],
    mirrored: dict[int, Owned],
    mwg: ListChanges,
    microsoft: ListChanges,
    theirs: Sidecar,
) -> tuple[Agreed, ...]:
    """The faces that the file has after the changes: ours, and the named ones of others."""
    if theirs.mwg.stale:
        return base.faces
    agreed = []
    for i, o in enumerate(kept):
        if o.face.name or o.owned:
            box = _box_after(o, theirs.frame)
            mirror = mirrored.get(i, Owned.NOTHING)
            agreed.append(Agreed(o.face.name, *box, o.owned, _MWG, o.retried, mirror, o.mine))
    done = {o.now.index for o in kept if o.now} | {*mwg.remove, *(i for i, _ in mwg.rename)}
    foreign = [r for r in theirs.regions if r.source == _MWG and r.index not in done]
    foreign += [after for r in theirs.others if (after := _after(r, microsoft))]
    return (*agreed, *(Agreed(r.name, *r.box, source=r.source) for r in foreign if r.name))


def _after(region: Region, microsoft: ListChanges) -> Region | None:
    """A region of another schema after the changes of MP regions; None if it is removed."""
    if region.source != "MP":
        return region
    if region.index in microsoft.remove:
        return None
    x, y, w, h = dict(microsoft.move).get(region.index, region.box)
    return replace(region, name=dict(microsoft.rename).get(region.index, region.name), x=x, y=y, w=w, h=h)


def _gone_after(
    base: Base, faces: Sequence[Face], file: Sequence[Region], decisions: Sequence[Decision]
) -> tuple[Agreed, ...]:
    """The names that others took away: those of before that neither came back nor are insisted on, and new ones."""
    back: list[Boxed] = [*file, *(f for f in faces if f.insist)]
    still = [g for g in base.gone if not any(_is_same(g, b) for b in back)]
    by_id = {f.id: f for f in faces}
    new = [d for d in decisions if d.kind in (Kind.REJECTED, Kind.DISPUTED) and d.face is not None]
    return (*still, *(Agreed(d.previous, *by_id[d.face].box) for d in new if d.face is not None))


def _is_same(a: Boxed, b: Boxed) -> bool:
    return names.same(a.name, b.name) and overlap(a.box, b.box) >= SAME_FACE
