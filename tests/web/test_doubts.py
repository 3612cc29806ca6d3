"""Answers that look wrong, of all people: shown on one view, answered there by keyboard, and taken back."""

from __future__ import annotations

from typing import Any

import pytest
from at_work import Opened, logged_in


@pytest.fixture
def wrong(opened: Opened) -> list[str]:
    """Two faces of Clara that are called Bruno, and one of Bruno that is called Clara."""
    bruno, clara = opened.named("Bruno", "Clara")
    opened.say("/v1/faces/name", faces=clara[:2], name="Bruno")
    opened.say("/v1/faces/name", faces=bruno[:1], name="Clara")
    faces = [*clara[:2], *bruno[:1]]
    opened.until(lambda: set(faces) <= {doubt["face"] for doubt in doubts(opened)})
    return faces


def doubts(opened: Opened) -> list[Any]:
    found: list[Any] = opened.ask("/v1/doubts?limit=500&now=true")["doubts"]
    return found


def asked(opened: Opened) -> str | None:
    """The face that is in doubt on the page."""
    link = opened.page.locator(".doubt > a")
    href = link.get_attribute("href") if link.count() else None
    return href and href.partition("face=")[2]


def look(opened: Opened) -> Any:
    """Go to the doubts; gives the first."""
    first = doubts(opened)[0]
    opened.go("doubts")
    opened.until(lambda: asked(opened) == first["face"])
    return first


def test_the_people_lead_to_all_doubts_and_back(opened: Opened, wrong: list[str]) -> None:
    found = doubts(opened)
    opened.go("people")
    opened.page.get_by_text(f"{len(found)} answers look wrong").wait_for()
    opened.press("d")
    opened.until(lambda: asked(opened) == found[0]["face"])
    opened.page.reload()
    opened.until(lambda: asked(opened) == found[0]["face"])
    opened.page.go_back()
    opened.page.get_by_role("link", name="Look at them").wait_for()


def test_a_doubted_face_stands_beside_those_it_should_look_like_and_those_it_does(
    opened: Opened, wrong: list[str]
) -> None:
    first = look(opened)
    assert opened.question() == f"Is this {first['person']['name']}?"
    shown = opened.page.locator(".doubt figure").all()
    assert [one.locator("figcaption").inner_text() for one in shown] == [
        first[who]["name"] for who in ("person", "nearer")
    ]
    for figure, who in zip(shown, ("person", "nearer"), strict=True):
        ids = [str(image.get_attribute("src")).split("/")[3] for image in figure.locator("img").all()]
        assert ids
        assert first["face"] not in ids
        assert all(opened.face(face)["person"] == first[who] for face in ids)


def test_every_doubt_comes_once_the_most_doubtful_first_whatever_the_pages(opened: Opened, wrong: list[str]) -> None:
    opened.page.route("**/v1/doubts?limit=20*", lambda route: route.continue_(url=route.request.url.replace("20", "1")))
    found = [doubt["face"] for doubt in doubts(opened)]
    look(opened)
    came = []
    for _ in found:
        came.append(asked(opened))
        opened.press("s")
        opened.until(lambda: asked(opened) != came[-1])
    assert came == found
    opened.page.get_by_role("button", name="Look at them now").click()
    opened.until(lambda: asked(opened) == found[0])
    opened.page.unroute_all(behavior="wait")


def test_a_doubt_is_answered_with_a_digit_and_the_next_takes_its_place(opened: Opened, wrong: list[str]) -> None:
    first, second, *_ = doubts(opened)
    look(opened)
    place = opened.page.locator(".doubt .actions").bounding_box()
    opened.press("1")
    opened.until(lambda: asked(opened) == second["face"])
    assert opened.page.locator(".doubt .actions").bounding_box() == place
    opened.until(lambda: opened.face(first["face"])["person"] == first["nearer"])
    opened.press("u")
    opened.until(lambda: asked(opened) == first["face"])
    assert opened.face(first["face"])["person"] == first["person"]


def test_an_answer_that_is_kept_is_not_doubted_again_unless_that_is_taken_back(
    opened: Opened, wrong: list[str]
) -> None:
    first = look(opened)
    opened.press("y")
    opened.until(lambda: asked(opened) != first["face"])
    opened.until(lambda: first["face"] not in [doubt["face"] for doubt in doubts(opened)])
    assert opened.face(first["face"])["person"] == first["person"]
    opened.page.reload()
    opened.until(lambda: asked(opened) not in (None, first["face"]))
    opened.go("activity")
    opened.press("u")
    opened.until(lambda: first["face"] in [doubt["face"] for doubt in doubts(opened)])
    opened.go("doubts")
    opened.until(lambda: asked(opened) == first["face"])


def test_somebody_else_is_typed_or_left_open(opened: Opened, wrong: list[str]) -> None:
    first = look(opened)
    opened.press("/")
    opened.type("Otto")
    opened.until(lambda: opened.people().get("Otto") == 1)
    opened.until(lambda: asked(opened) not in (None, first["face"]))
    second = asked(opened)
    opened.press("n")
    opened.until(lambda: opened.face(str(second))["state"] != "confirmed")


def test_when_all_are_answered_it_says_so(opened: Opened, wrong: list[str]) -> None:
    look(opened)
    while (face := asked(opened)) is not None:
        opened.press("y")
        opened.until(lambda face=face: asked(opened) != face)
    opened.page.get_by_role("heading", name="No answer looks wrong").wait_for()
    opened.until(lambda: not doubts(opened))
    opened.go("people")
    opened.page.locator(".cards a").first.wait_for()
    assert not opened.page.get_by_text("wrong").is_visible()


def test_a_doubt_that_another_program_answers_goes_away(opened: Opened, wrong: list[str]) -> None:
    first = look(opened)
    opened.say("/v1/faces/name", faces=[first["face"]], name=first["nearer"]["name"])
    opened.until(lambda: asked(opened) != first["face"])


def test_a_phone_shows_a_doubt_without_sticking_out(opened: Opened, wrong: list[str]) -> None:
    browser = opened.page.context.browser
    assert browser is not None
    page, told = logged_in(browser, opened.here, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page.goto(page.url.split("#")[0] + "#/doubts")
    keep = page.get_by_role("button", name="It is ")
    keep.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing may stick out"
    before = len(doubts(opened))
    keep.tap()
    opened.until(lambda: len(doubts(opened)) < before)
    assert not told
    page.context.close()
