"""Laws of the three-way merge, over files, catalogues and edits by other programs made up by hypothesis."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import Phase, assume, event, given, settings
from hypothesis import strategies as st
from lxml import etree

from kith_xmp import names
from kith_xmp.merge import (
    Base,
    Changes,
    Decision,
    Face,
    Kind,
    ListChanges,
    Merged,
    StringChanges,
    Wanted,
    merge,
)
from kith_xmp.packet import parse
from kith_xmp.read import Sidecar, read
from kith_xmp.regions import Frame, Region, displayed, list_entries, overlap, snap, stored
from kith_xmp.schema import REGIONS
from kith_xmp.seed import seed
from kith_xmp.settings import Settings
from kith_xmp.write import write

PEOPLE = ("Marie Curie", "Pierre Curie", "Zoë", "李娜", "O'Neil & Söhne <x>", "AC/DC", "marie curie")
COLUMNS, ROWS = 5, 3

LAW = settings(phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink])

frames = st.builds(Frame, st.integers(300, 9000), st.integers(300, 9000), st.integers(1, 8))
cells = st.integers(0, COLUMNS * ROWS - 1)
people = st.sampled_from(PEOPLE)
choices = st.builds(
    Settings,
    keywords=st.sets(st.sampled_from(["subject", "hierarchicalSubject", "TagsList"])).map(frozenset),
    max_regions=st.sampled_from([1, 3, 9, None]),
    microsoft=st.booleans(),
    unnamed=st.booleans(),
)


def box(cell: int, dx: float = 0.0, size: float = 0.15) -> tuple[float, float, float, float]:
    """A box in a cell of a grid, apart from those of all other cells."""
    return (cell % COLUMNS + 0.5) / COLUMNS + dx, (cell // COLUMNS + 0.5) / ROWS, size, size * 1.2


@st.composite
def catalogues(draw: st.DrawFn, named: bool = False) -> Wanted:
    where = draw(st.lists(cells, unique=True, max_size=8))
    faces = []
    for i, cell in enumerate(where):
        name = draw(people if named else st.none() | people)
        faces.append(Face(name, *box(cell, size=draw(st.sampled_from([0.11, 0.15]))), guess=draw(st.booleans()), id=i))
    return Wanted(tuple(faces), tuple(draw(st.sets(st.sampled_from(["Grandma", "Rex"])))))


@st.composite
def foreign_packets(draw: st.DrawFn, frame: Frame) -> bytes:
    """A sidecar by other programs: regions with and without names, one of a pet, keywords."""
    where = draw(st.lists(cells, unique=True, max_size=11))
    add = tuple(Region(draw(st.none() | people), *box(c)) for c in where)
    lists = [
        StringChanges(name, tuple(draw(st.lists(st.sampled_from(texts), unique=True))))
        for name, texts in (
            ("subject", ["holiday", "Zoë"]),
            ("hierarchicalSubject", ["Places|Paris", "People|Zoë"]),
            ("TagsList", ["Places/Paris"]),
            ("PersonInImage", ["Grandma", "Marie Curie"]),
        )
    ]
    mp = tuple(replace(r, source="MP") for r in add) if draw(st.booleans()) else ()
    changes = Changes(ListChanges(add), ListChanges(mp), tuple(x for x in lists if x.add))
    data = write(seed(None), changes, frame) or seed(None)
    return data.replace(b">Face<", b">Pet<", 1) if draw(st.booleans()) else data


@st.composite
def edited(draw: st.DrawFn, data: bytes, frame: Frame) -> bytes:
    """The sidecar after another program renamed, removed, moved and added faces, and dropped keywords."""
    there = read(data, frame)
    rename, remove, move = [], [], []
    for region in [r for r in there.regions if r.source == "mwg-rs"]:
        what = draw(st.sampled_from(["keep", "keep", "rename", "unname", "remove", "nudge"]))
        if what == "rename":
            rename.append((region.index, draw(people)))
        elif what == "unname" and region.name:
            rename.append((region.index, None))
        elif what == "remove":
            remove.append(region.index)
        elif what == "nudge":
            move.append((region.index, (region.x + 0.02, region.y, region.w, region.h)))
    free = [c for c in range(COLUMNS * ROWS) if not any(overlap(box(c), r.box) > 0 for r in there.regions)]
    add = (
        tuple(
            Region(draw(people), *box(c))
            for c in draw(st.lists(st.sampled_from(free), unique=True, max_size=2))
            if free
        )
        if free
        else ()
    )
    strings = tuple(
        StringChanges(name, (), tuple(dict.fromkeys(draw(st.lists(st.sampled_from(texts))))))
        for name, texts in there.lists.items()
        if texts
    )
    changes = Changes(
        ListChanges(add, tuple(remove), tuple(rename), tuple(move)),
        strings=tuple(s for s in strings if s.remove),
    )
    return write(data, changes, frame) or data


def accept(ours: Wanted, decisions: tuple[Decision, ...], *, heeds: bool = True) -> Wanted:
    """The catalogue after it took over what the merge says others decided, or only the names."""
    if not heeds:
        decisions = tuple(d for d in decisions if d.kind in (Kind.ADDED, Kind.RENAMED))
    faces, who = list(ours.faces), list(ours.people)
    for d in decisions:
        at = next((i for i, f in enumerate(faces) if d.face is not None and f.id == d.face), None)
        if d.kind is Kind.PERSON_ADDED:
            who.append(d.name or "")
        elif d.kind is Kind.PERSON_DISPUTED:
            who = [p for p in who if not names.same(p, d.previous)]
        elif at is None:
            assert d.kind is Kind.ADDED and d.region
            faces.append(Face(d.name, *d.region.box, guess=d.region.guess, id=1000 + len(faces)))
        elif d.kind is Kind.DISPUTED:
            continue
        elif d.kind is Kind.REJECTED:
            faces[at] = replace(faces[at], name=None, guess=False)
        elif d.kind is Kind.MOVED:
            assert d.region
            faces[at] = replace(faces[at], x=d.region.x, y=d.region.y, w=d.region.w, h=d.region.h)
        else:
            guess = d.region is not None and d.region.guess
            faces[at] = replace(faces[at], name=d.name, guess=guess)
    return Wanted(tuple(faces), tuple(who))


def settle(
    base: Base,
    ours: Wanted,
    data: bytes,
    frame: Frame,
    choice: Settings,
    *,
    heeds: bool = True,
    known: frozenset[str] = frozenset(),
) -> tuple[Merged, Wanted, bytes, Sidecar]:
    """Merge, write, and let the catalogue take over the decisions."""
    merged = merge(base, ours, read(data, frame, choice, known), choice)
    after = write(data, merged.changes, frame) or data
    return merged, accept(ours, merged.decisions, heeds=heeds), after, read(after, frame, choice, known)


def entries(data: bytes) -> list[str]:
    regions = parse(data).element(REGIONS)
    found = [] if regions is None else list_entries(regions, "mwg-rs:RegionList")
    return [etree.tostring(e, method="c14n", exclusive=True, with_tail=False).decode() for e in found]


@given(st.data(), frames, choices)
@settings(LAW)
def test_merging_again_changes_nothing(data: st.DataObject, frame: Frame, choice: Settings) -> None:
    file = data.draw(foreign_packets(frame))
    known = data.draw(st.sets(st.sampled_from(["Zoë", "holiday", "Marie Curie"])).map(frozenset))
    first, ours, file, _ = settle(Base(), data.draw(catalogues()), file, frame, choice, known=known)
    file = data.draw(edited(file, frame))
    faces = tuple(
        replace(f, name=data.draw(st.sampled_from([f.name, f.name, *PEOPLE, None])))
        for f in ours.faces
        if not data.draw(st.sampled_from([False, False, False, True]))
    )
    heeds = data.draw(st.booleans())
    ours = Wanted(faces, ours.people)
    second, ours, file, now = settle(first.base, ours, file, frame, choice, heeds=heeds, known=known)
    third = merge(second.base, ours, now, choice)
    event(f"changed: {bool(second.changes)}")
    assert not third.changes
    assert third.decisions == ()
    assert merge(third.base, ours, now, choice) == third


@given(st.data(), frames, choices)
@settings(LAW)
def test_a_foreign_region_is_never_dropped_or_altered(data: st.DataObject, frame: Frame, choice: Settings) -> None:
    file = data.draw(foreign_packets(frame))
    ours = data.draw(catalogues())
    before = entries(file)
    merged, _, after, _ = settle(Base(), ours, file, frame, choice)
    there = read(file, frame, choice)
    unnamed = {r.index for r in there.regions if r.source == "mwg-rs" and r.name is None}
    for i, entry in enumerate(before):
        if i not in unnamed:
            assert entry in entries(after)
    assert not merged.changes.mwg.remove
    assert len(entries(after)) == len(before) + len(merged.changes.mwg.add)


@given(st.data(), frames, choices)
@settings(LAW)
def test_what_only_others_changed_stays_as_they_left_it(data: st.DataObject, frame: Frame, choice: Settings) -> None:
    """merge(b, b, t) = t, but for a person's name and our keywords, which come back once."""
    file = data.draw(foreign_packets(frame))
    ours = data.draw(catalogues(named=True))
    ours = Wanted(tuple(replace(f, guess=True) for f in ours.faces))
    first, ours, file, _ = settle(Base(), ours, file, frame, choice)
    kept = read(file, frame, choice)
    rename = tuple((r.index, data.draw(people)) for r in kept.regions if r.source == "mwg-rs" and r.name)
    assume(rename)
    edit = Changes(ListChanges(rename=tuple(x for x in rename if data.draw(st.booleans()))))
    theirs = write(file, edit, frame) or file
    second = merge(first.base, ours, read(theirs, frame, choice), choice)
    assert not second.changes.mwg


@given(st.data(), frames)
@settings(LAW)
def test_what_is_written_is_read_back(data: st.DataObject, frame: Frame) -> None:
    ours = data.draw(catalogues(named=True))
    merged = merge(Base(), ours, read(seed(None), frame), Settings(max_regions=None, microsoft=True))
    back = read(write(seed(None), merged.changes, frame) or seed(None), frame)
    wrote = sorted((f.name or "", snap(f.box, frame)) for f in ours.faces)
    for (name, wanted), region in zip(wrote, sorted(back.regions, key=lambda r: (r.name, r.box)), strict=True):
        assert region.name == name
        assert max(abs(p - q) for p, q in zip(wanted, region.box, strict=True)) < 1e-8
    assert {names.key(g) for g in back.guesses} == {names.key(f.name) for f in ours.faces if f.guess}
    assert set(ours.people) <= set(back.names)
    assert back.microsoft.size == back.mwg.size == len(ours.faces)


@given(st.data(), frames, choices)
@settings(LAW)
def test_a_base_survives_json(data: st.DataObject, frame: Frame, choice: Settings) -> None:
    merged, *_ = settle(Base(), data.draw(catalogues()), data.draw(foreign_packets(frame)), frame, choice)
    assert Base.from_json(json.loads(json.dumps(merged.base.to_json()))) == merged.base


@given(
    st.tuples(st.floats(0.05, 0.95), st.floats(0.05, 0.95), st.floats(0.01, 0.09), st.floats(0.01, 0.09)),
    st.integers(1, 8),
)
def test_stored_and_displayed_undo_each_other(b: tuple[float, float, float, float], turn: int) -> None:
    for there, back in ((stored, displayed), (displayed, stored)):
        assert max(abs(p - q) for p, q in zip(back(there(b, turn), turn), b, strict=True)) < 1e-12


@given(st.data(), frames)
def test_snapping_keeps_a_box_in_the_frame_on_whole_pixels(data: st.DataObject, frame: Frame) -> None:
    f = st.floats(-0.2, 1.2)
    b = data.draw(st.tuples(f, f, st.floats(0, 1.5), st.floats(0, 1.5)))
    x, y, w, h = stored(snap(b, frame), frame.turn)
    edges = [(x - w / 2) * frame.width, (x + w / 2) * frame.width]
    edges += [(y - h / 2) * frame.height, (y + h / 2) * frame.height]
    assert all(abs(e - round(e)) < 1e-6 for e in edges)
    assert 0 <= round(edges[0]) < round(edges[1]) <= frame.width
    assert 0 <= round(edges[2]) < round(edges[3]) <= frame.height
    assert snap(snap(b, frame), frame) == snap(b, frame)


@given(st.text(st.characters(codec="utf-8"), max_size=30))
@settings(LAW)
def test_any_name_comes_back(name: str) -> None:
    frame = Frame(4000, 3000, 6)
    ours = Wanted((Face(name, *box(3), id=1),))
    theirs = read(seed(None), frame)
    merged = merge(Base(), ours, theirs, creating=True)
    written = write(seed(None), merged.changes, frame)
    wanted = names.person(name, Settings().nobody)
    if wanted is None:
        assert written is None
    else:
        assert written is not None
        assert [r.name for r in read(written, frame).regions] == [wanted]
