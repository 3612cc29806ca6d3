"""What others decided in a sidecar becomes a decision; what they lost by accident comes back."""

from __future__ import annotations

from dataclasses import replace

import pytest

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
from kith_xmp.regions import Frame, Region
from kith_xmp.schema import REGIONS
from kith_xmp.seed import seed
from kith_xmp.settings import Settings
from kith_xmp.write import write

FRAME = Frame(4000, 3000, 1)
MARIE = Face("Marie", 0.2, 0.2, 0.1, 0.1, id=1)
PIERRE = Face("Pierre", 0.5, 0.2, 0.1, 0.1, id=2)


def started(*faces: Face, people: tuple[str, ...] = (), data: bytes | None = None) -> tuple[bytes, Base]:
    """A sidecar that Kith wrote these faces into, and its base."""
    start = data or seed(None)
    merged = merge(Base(), Wanted(faces, people), read(start, FRAME))
    return write(start, merged.changes, FRAME) or start, merged.base


def others(data: bytes, mwg: ListChanges | None = None, *strings: StringChanges) -> Sidecar:
    """The sidecar after another program's edits."""
    return read(write(data, Changes(mwg or ListChanges(), strings=strings), FRAME) or data, FRAME)


def told(merged: Merged) -> list[tuple[Kind, str | None, str | None, int | None]]:
    return [(d.kind, d.name, d.previous, d.face) for d in merged.decisions]


def test_a_name_changed_elsewhere_is_a_decision() -> None:
    """Rule 16; our strings follow it in the same write."""
    for face in (MARIE, replace(MARIE, guess=True)):
        data, base = started(face, PIERRE)
        theirs = others(data, ListChanges(rename=((0, "Irène"),)))
        merged = merge(base, Wanted((face, PIERRE)), theirs)
        assert told(merged) == [(Kind.RENAMED, "Irène", "Marie", 1)]
        assert not merged.changes.mwg
        person = next(s for s in merged.changes.strings if s.list == "PersonInImage")
        assert (person.add, person.remove) == (("Irène",), ("Marie",))


def test_a_guess_taken_away_is_rejected_and_never_comes_back() -> None:
    """Rule 16."""
    guess = replace(MARIE, guess=True)
    data, base = started(guess, PIERRE)
    for edit in (ListChanges(remove=(0,)), ListChanges(rename=((0, None),))):
        merged = merge(base, Wanted((guess, PIERRE)), others(data, edit))
        assert told(merged) == [(Kind.REJECTED, None, "Marie", 1)]
        assert not merged.changes.mwg
        assert merged.changes.guesses == ()
        after = write(data, Changes(edit), FRAME) or b""
        after = write(after, merged.changes, FRAME) or b""
        again = merge(merged.base, Wanted((guess, PIERRE)), read(after, FRAME))
        assert not again.changes
        assert again.decisions == ()


def test_a_persons_name_taken_away_comes_back_once_and_is_disputed_then() -> None:
    """Rule 16: the first time another program may have rewritten a file it never read."""
    data, base = started(MARIE, PIERRE)
    first = merge(base, Wanted((MARIE, PIERRE)), others(data, ListChanges(remove=(0,))))
    assert told(first) == []
    assert [r.name for r in first.changes.mwg.add] == ["Marie"]
    data = write(write(data, Changes(ListChanges(remove=(0,))), FRAME) or b"", first.changes, FRAME) or b""
    index = next(r.index for r in read(data, FRAME).regions if r.name == "Marie")
    gone = others(data, ListChanges(remove=(index,)))
    second = merge(first.base, Wanted((MARIE, PIERRE)), gone)
    assert told(second) == [(Kind.DISPUTED, None, "Marie", 1)]
    assert not second.changes.mwg
    assert all("Marie" not in text for s in second.changes.strings for text in s.add)
    third = merge(second.base, Wanted((MARIE, PIERRE)), gone)
    assert told(third) == []
    assert not third.changes
    insisted = merge(third.base, Wanted((replace(MARIE, insist=True), PIERRE)), gone)
    assert [r.name for r in insisted.changes.mwg.add] == ["Marie"]


def test_a_disputed_name_that_comes_back_by_itself_is_agreed() -> None:
    data, base = started(MARIE, PIERRE)
    empty = others(data, ListChanges(remove=(0,)))
    once = merge(base, Wanted((MARIE, PIERRE)), empty).base
    twice = merge(once, Wanted((MARIE, PIERRE)), empty).base
    assert [g.name for g in twice.gone] == ["Marie"]
    back = merge(twice, Wanted((MARIE, PIERRE)), read(data, FRAME))
    assert not back.changes.mwg
    assert back.decisions == ()
    assert back.base.gone == ()


def test_a_new_spelling_of_a_name_is_written() -> None:
    data, base = started(replace(MARIE, name="marie"))
    merged = merge(base, Wanted((MARIE,)), read(data, FRAME))
    after = write(data, merged.changes, FRAME) or b""
    assert read(after, FRAME).names == ("Marie",)
    assert b"marie" not in after


def test_a_box_that_the_catalogue_leaves_where_it_was_is_not_moved_back() -> None:
    """Rule 16: another program's box stays, whether the catalogue follows it or not."""
    data, base = started(MARIE)
    theirs = others(data, ListChanges(move=((0, (0.25, 0.2, 0.1, 0.1)),)))
    first = merge(base, Wanted((MARIE,)), theirs)
    for face in (MARIE, replace(MARIE, x=0.25)):
        again = merge(first.base, Wanted((face,)), theirs)
        assert not again.changes
        assert again.decisions == ()


@pytest.mark.parametrize("guess", [False, True])
def test_a_file_written_anew_rejects_nothing(guess: bool) -> None:
    """Rule 16: all of ours is gone, by another program's database or a deleted file."""
    faces = (replace(MARIE, guess=guess), replace(PIERRE, guess=guess))
    data, base = started(*faces)
    empty = read(seed(None), FRAME)
    only_regions = others(data, ListChanges(remove=(0, 1)))
    for theirs, creating in ((empty, False), (empty, True), (only_regions, False)):
        merged = merge(base, Wanted(faces), theirs, creating=creating)
        assert told(merged) == []
        assert [r.name for r in merged.changes.mwg.add] == ["Marie", "Pierre"]


def test_a_face_added_elsewhere_is_a_decision_once() -> None:
    """Rule 16."""
    data, base = started(MARIE)
    theirs = others(data, ListChanges((Region("Ève", 0.8, 0.8, 0.1, 0.1), Region(None, 0.8, 0.2, 0.1, 0.1))))
    merged = merge(base, Wanted((MARIE,)), theirs)
    assert told(merged) == [(Kind.ADDED, "Ève", None, None)]
    assert not merged.changes
    assert merge(merged.base, Wanted((MARIE,)), theirs).decisions == ()


def test_a_name_given_elsewhere_reaches_the_face_that_had_none() -> None:
    """Rule 16."""
    nobody = replace(MARIE, name=None)
    theirs = others(seed(None), ListChanges((Region("Marie", 0.21, 0.2, 0.1, 0.1),)))
    merged = merge(Base(), Wanted((nobody,)), theirs)
    assert told(merged) == [(Kind.ADDED, "Marie", None, 1)]
    assert not merged.changes


def test_a_box_moved_elsewhere_is_followed() -> None:
    """Rule 16: a little, far away, and not for another program's rounding."""
    data, base = started(MARIE, PIERRE)
    for box in ((0.23, 0.2, 0.1, 0.1), (0.8, 0.8, 0.1, 0.1)):
        theirs = others(data, ListChanges(move=((0, box),)))
        merged = merge(base, Wanted((MARIE, PIERRE)), theirs)
        assert told(merged) == [(Kind.MOVED, "Marie", "Marie", 1)]
        assert not merged.changes
    rounded = others(data, ListChanges(move=((0, (0.2003, 0.2, 0.1, 0.1)),)))
    assert merge(base, Wanted((MARIE, PIERRE)), rounded).decisions == ()


def test_our_box_moves_in_the_file_when_it_moves_in_the_catalogue() -> None:
    data, base = started(MARIE)
    merged = merge(base, Wanted((replace(MARIE, x=0.23),)), read(data, FRAME))
    assert len(merged.changes.mwg.move) == 1
    assert read(write(data, merged.changes, FRAME) or b"", FRAME).regions[0].x == pytest.approx(0.23)


def test_a_renamed_or_withdrawn_name_changes_in_the_file() -> None:
    """Rules 16, 19: only what we wrote goes."""
    data, base = started(MARIE)
    renamed = merge(base, Wanted((replace(MARIE, name="Irène"),)), read(data, FRAME))
    found = read(write(data, renamed.changes, FRAME) or b"", FRAME)
    assert found.names == ("Irène",)
    withdrawn = merge(base, Wanted((replace(MARIE, name=None),)), read(data, FRAME))
    assert read(write(data, withdrawn.changes, FRAME) or b"", FRAME).names == ()


def test_a_guess_never_replaces_another_programs_name_but_a_person_may() -> None:
    """Rule 16: a correction of a name that was read before is an order."""
    theirs = others(seed(None), ListChanges((Region("Marie", 0.2, 0.2, 0.1, 0.1),)))
    seen = merge(Base(), Wanted(), theirs).base
    guess = merge(seen, Wanted((replace(MARIE, name="Irène", guess=True),)), theirs)
    assert not guess.changes
    person = merge(seen, Wanted((replace(MARIE, name="Irène"),)), theirs)
    assert person.changes.mwg.rename == ((0, "Irène"),)


def test_an_unnamed_region_takes_our_name_and_gives_it_back() -> None:
    """Rule 16: an iPhone's face box is named, not doubled; its box and extensions stay."""
    data = write(seed(None), Changes(ListChanges((Region(None, 0.2, 0.2, 0.11, 0.1),))), FRAME) or b""
    named, base = started(MARIE, data=data)
    assert [(r.name, round(r.w, 3)) for r in read(named, FRAME).regions] == [("Marie", 0.11)]
    back = merge(base, Wanted(), read(named, FRAME))
    after = read(write(named, back.changes, FRAME) or b"", FRAME)
    assert [(r.name, round(r.w, 3)) for r in after.regions] == [(None, 0.11)]


def test_what_the_file_said_first_needs_no_writing() -> None:
    """Rule 22: a catalogue that took everything from the file has nothing to add to it."""
    theirs = others(
        seed(None),
        ListChanges((Region("Marie", 0.2, 0.2, 0.1, 0.1),)),
        StringChanges("PersonInImage", ("Grandma",)),
    )
    first = merge(Base(), Wanted(), theirs)
    assert told(first) == [(Kind.ADDED, "Marie", None, None), (Kind.PERSON_ADDED, "Grandma", None, None)]
    second = merge(first.base, Wanted((MARIE,), ("Grandma",)), theirs)
    assert not second.changes
    assert second.decisions == ()


def test_people_without_a_box_are_written_and_disputed_like_faces() -> None:
    """Rules 16, 19."""
    data, base = started(MARIE, people=("Grandma",))
    assert "Grandma" in read(data, FRAME).people
    lists = read(data, FRAME).lists
    drop = tuple(StringChanges(k, (), tuple(t for t in v if "Grandma" in t)) for k, v in lists.items())
    wanted = Wanted((MARIE,), ("Grandma",))
    first = merge(base, wanted, others(data, None, *drop))
    assert told(first) == []
    assert {s.list for s in first.changes.strings} == set(lists)
    again = write(write(data, Changes(strings=drop), FRAME) or b"", first.changes, FRAME) or b""
    second = merge(first.base, wanted, others(again, None, *drop))
    assert told(second) == [(Kind.PERSON_DISPUTED, None, "Grandma", None)]
    assert not second.changes
    third = merge(second.base, wanted, others(again, None, *drop))
    assert not third.changes
    assert third.decisions == ()
    assert merge(third.base, Wanted((MARIE,), ("Grandma",), ("Grandma",)), others(again, None, *drop)).changes


def test_keywords_that_a_program_drops_are_added_again_at_most_once() -> None:
    """Rule 24: darktable rewrites its two lists from its database."""
    data, base = started(MARIE)
    drop = StringChanges("subject", (), ("Marie",)), StringChanges("hierarchicalSubject", (), ("People|Marie",))
    wanted = Wanted((MARIE,))
    first = merge(base, wanted, others(data, None, *drop))
    assert {s.list for s in first.changes.strings} == {"subject", "hierarchicalSubject"}
    data = write(write(data, Changes(strings=drop), FRAME) or b"", first.changes, FRAME) or b""
    second = merge(first.base, wanted, others(data, None, *drop))
    assert not second.changes
    assert not merge(second.base, wanted, others(data, None, *drop)).changes


def test_regions_of_another_shape_are_left_alone() -> None:
    """Rules 6, 16: only names are written beside them, and nothing counts as taken away."""
    data, base = started(MARIE)
    cropped = Frame(4000, 2000, 1)
    merged = merge(base, Wanted((MARIE, PIERRE)), read(data, cropped))
    assert merged.decisions == ()
    assert not merged.changes.mwg
    assert "Pierre" in {text for s in merged.changes.strings for text in s.add}
    assert merged.base.faces == base.faces


def test_a_guess_of_another_kith_is_no_answer() -> None:
    """Rule 27: a rebuilt catalogue takes it as a guess, and a person's name here goes before it."""
    data, _ = started(replace(MARIE, guess=True))
    rebuilt = merge(Base(), Wanted(), read(data, FRAME))
    (decision,) = rebuilt.decisions
    assert decision == Decision(Kind.ADDED, "Marie", None, None, decision.region)
    assert decision.region is not None
    assert decision.region.guess
    answered = merge(Base(), Wanted((replace(MARIE, name="Irène"),)), read(data, FRAME))
    assert answered.changes.mwg.rename == ((0, "Irène"),)
    assert answered.decisions == ()
    corrected = read(write(data, answered.changes, FRAME) or b"", FRAME)
    assert "Marie" not in {text for texts in corrected.lists.values() for text in texts}
    unnamed = Wanted((replace(MARIE, name=None),))
    heard = merge(Base(), unnamed, read(data, FRAME))
    assert not heard.changes
    unsure = merge(heard.base, unnamed, read(data, FRAME))
    assert read(write(data, unsure.changes, FRAME) or b"", FRAME).names == ()


def test_a_face_that_only_mp_names_is_taken_over_without_writing() -> None:
    """Rules 9, 22."""
    mp = Changes(microsoft=ListChanges((Region("Marie", 0.2, 0.2, 0.1, 0.1, source="MP"),)))
    theirs = read(write(seed(None), mp, FRAME) or b"", FRAME)
    first = merge(Base(), Wanted((replace(MARIE, name=None),)), theirs)
    assert told(first) == [(Kind.ADDED, "Marie", None, 1)]
    assert not first.changes
    second = merge(first.base, Wanted((MARIE,)), theirs)
    assert not second.changes
    assert second.decisions == ()


def test_an_empty_region_list_is_kept() -> None:
    """Rule 10: without it the embedded regions would come back."""
    data, base = started(MARIE)
    last = merge(base, Wanted(), read(data, FRAME), Settings())
    after = write(data, last.changes, FRAME) or b""
    assert parse(after).has(REGIONS)
    assert read(after, FRAME).regions == ()


def test_a_keyword_that_only_our_strings_made_a_person_is_nobody_once_they_go() -> None:
    """Rules 11, 22: somebody's bare keyword Marie is no name, unless Marie is known."""
    keyword = write(seed(None), Changes(strings=(StringChanges("subject", ("Marie",)),)), FRAME)
    data, base = started(MARIE, data=keyword)
    renamed = others(data, ListChanges(rename=((0, "Irène"),)))
    irene = Wanted((replace(MARIE, name="Irène"),))
    assert merge(base, irene, renamed).decisions == ()
    known = replace(renamed, known=("Marie",))
    assert told(merge(base, irene, known)) == [(Kind.PERSON_ADDED, "Marie", None, None)]


def test_of_two_spellings_of_a_name_the_one_that_is_there_stays() -> None:
    """Rule 22."""
    loud = Face("MARIE", 0.8, 0.2, 0.1, 0.1, id=3)
    data, base = started(MARIE, loud)
    assert not merge(base, Wanted((loud, MARIE)), read(data, FRAME)).changes
    spelled = merge(base, Wanted((loud, replace(MARIE, name="MARIE"))), read(data, FRAME)).changes
    assert ("PersonInImage", ("MARIE",), ("Marie",)) in [(s.list, s.add, s.remove) for s in spelled.strings]
