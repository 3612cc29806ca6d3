"""digiKam's rectangles become boxes where the picture is still the one they were drawn on."""

from __future__ import annotations

import pytest

from kith_digikam.regions import Box, Rect, Size, box, frame, parsed, rect, written

LANDSCAPE, PORTRAIT = Size(3000, 2000), Size(2000, 3000)


def test_a_rectangle_is_read_as_digikam_writes_it() -> None:
    assert parsed('<rect x="85" y="331" width="50" height="34"/>') == Rect(85, 331, 50, 34)
    assert parsed(written(Rect(85, 331, 50, 34))) == Rect(85, 331, 50, 34)


@pytest.mark.parametrize(
    "value",
    [
        '<rect width="50" height="34" y="331" x="85"></rect>',
        '12,autodetectedFace,<rect x="85" y="331" width="50" height="34"/>',
        '<rect x="85" y="331" width="50" height="34"/>,7;12',
    ],
)
def test_a_rectangle_is_found_in_what_digikam_puts_around_it(value: str) -> None:
    assert parsed(value) == Rect(85, 331, 50, 34)


@pytest.mark.parametrize(
    "value",
    ["", "<rect/>", '<rect x="1" y="2" width="3"/>', '<rect x="1" y="2" width="0" height="5"/>', '<rect x="a"/>'],
)
def test_what_is_no_rectangle_is_none(value: str) -> None:
    assert parsed(value) is None


@pytest.mark.parametrize("orientation", range(1, 9))
def test_rectangles_count_in_the_displayed_frame_in_every_orientation(orientation: int) -> None:
    stored = PORTRAIT if orientation >= 5 else LANDSCAPE
    assert frame(stored, orientation, LANDSCAPE) == LANDSCAPE


def test_of_raw_files_digikam_may_note_either_side_first() -> None:
    assert frame(LANDSCAPE, 6, PORTRAIT) == PORTRAIT
    assert frame(PORTRAIT, 6, PORTRAIT) == PORTRAIT


def test_a_picture_that_was_only_made_smaller_keeps_its_faces() -> None:
    assert frame(LANDSCAPE, 1, Size(1500, 1000)) == LANDSCAPE
    assert frame(Size(6048, 4024), 1, Size(6000, 4000)) == Size(6048, 4024)


@pytest.mark.parametrize("shown", [PORTRAIT, Size(2000, 2000), Size(3000, 1800)])
def test_a_picture_that_was_cropped_or_turned_since_does_not(shown: Size) -> None:
    assert frame(LANDSCAPE, 1, shown) is None


def test_where_digikam_noted_no_size_the_picture_itself_tells() -> None:
    assert frame(None, 1, LANDSCAPE) == LANDSCAPE
    assert frame(Size(0, 0), 1, LANDSCAPE) == LANDSCAPE


def test_a_rectangle_is_clipped_to_the_frame_and_dropped_where_most_of_it_lies_outside() -> None:
    assert box(Rect(-10, 0, 100, 100), Size(100, 100)) == Box(0.45, 0.5, 0.9, 1.0)
    assert box(Rect(60, 0, 100, 100), Size(100, 100)) is None
    assert box(Rect(200, 0, 10, 10), Size(100, 100)) is None


def test_a_box_has_at_least_a_pixel() -> None:
    assert rect(Box(1.0, 1.0, 0.0, 0.0), Size(100, 50)) == Rect(99, 49, 1, 1)
