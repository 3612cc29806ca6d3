"""Laws of digiKam's rectangles and Kith's boxes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kith_digikam.regions import Box, Rect, Size, box, frame, overlap, parsed, rect, written

SIDES = st.integers(1, 12_000)
SIZES = st.builds(Size, SIDES, SIDES)


@st.composite
def inside(draw: st.DrawFn) -> tuple[Rect, Size]:
    """A rectangle inside a frame."""
    size = draw(SIZES)
    width, height = draw(st.integers(1, size.width)), draw(st.integers(1, size.height))
    left, top = draw(st.integers(0, size.width - width)), draw(st.integers(0, size.height - height))
    return Rect(left, top, width, height), size


RECTS = st.builds(Rect, *[st.integers(-20_000, 20_000)] * 2, *[st.integers(1, 20_000)] * 2)


@given(inside())
def test_a_rectangle_survives_the_way_to_kith_and_back(each: tuple[Rect, Size]) -> None:
    region, size = each
    placed = box(region, size)
    assert placed is not None
    assert rect(placed, size) == region


@given(RECTS, SIZES)
def test_a_box_lies_inside_the_unit_square(region: Rect, size: Size) -> None:
    placed = box(region, size)
    if placed is not None:
        assert placed.w > 0
        assert placed.h > 0
        for middle, side in ((placed.x, placed.w), (placed.y, placed.h)):
            assert middle - side / 2 >= -1e-9
            assert middle + side / 2 <= 1 + 1e-9


@given(st.builds(Box, *[st.floats(-1, 2)] * 2, *[st.floats(0, 2)] * 2), SIZES)
def test_a_rectangle_has_whole_pixels_inside_the_frame(place: Box, size: Size) -> None:
    left, top, width, height = rect(place, size)
    assert min(left, top) >= 0
    assert min(width, height) >= 1
    assert left + width <= size.width
    assert top + height <= size.height


@given(RECTS)
def test_what_is_written_is_read(region: Rect) -> None:
    assert parsed(written(region)) == region


@given(st.text())
def test_any_text_is_read_without_harm(text: str) -> None:
    parsed(text)
    parsed(f"<rect {text}/>")


@given(SIZES, st.integers(1, 8), st.integers(1, 8))
def test_a_picture_as_it_was_keeps_its_frame_in_any_orientation(stored: Size, orientation: int, scale: int) -> None:
    shown = stored.turned if orientation >= 5 else stored
    found = frame(stored, orientation, Size(shown.width * scale, shown.height * scale))
    assert found is not None
    assert found in (shown, shown.turned)
    assert abs(found.width / found.height - shown.width / shown.height) <= 0.021 * shown.width / shown.height


@given(inside(), inside())
def test_overlap_is_a_share_and_the_same_both_ways(one: tuple[Rect, Size], other: tuple[Rect, Size]) -> None:
    a, b = box(*one), box(*other)
    assert a is not None
    assert b is not None
    assert 0 <= overlap(a, b) <= 1 + 1e-9
    assert abs(overlap(a, b) - overlap(b, a)) < 1e-9
    assert abs(overlap(a, a) - 1) < 1e-6
