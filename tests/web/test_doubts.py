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
    """All there are, as soon as pages are told of them."""

    def told(now: str) -> list[Any]:
        return list(opened.ask(f"/v1/doubts?limit=500&now={now}")["doubts"])

    opened.until(lambda: told("false") == told("true"))
    return told("true")


def asked(opened: Opened) -> str | None:
    """The face that is in doubt on the page, at one moment."""
    found = opened.page.evaluate("document.querySelector('.doubt > a')?.href.split('face=')[1] ?? null")
    return found if found is None else str(found)


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
    opened.until(lambda: opened.page.locator(".doubt figure img").count())
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
    done = opened.page.get_by_role("heading", name="No answer looks wrong")

    def all_answered() -> bool:  # an answer may let another look wrong
        if (face := asked(opened)) is not None:
            opened.press("y")
            opened.until(lambda: asked(opened) != face)
        return bool(done.count()) and not doubts(opened)

    opened.until(all_answered)
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


# -- keys ---------------------------------------------------------------------------------------------------------

PRESS = "document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'n', code: 'KeyN', bubbles: true}))"


def acts(opened: Opened) -> int:
    """How often something was said."""
    return len(opened.ask("/v1/history?limit=500")["acts"])


def test_doubts_are_answered_while_the_faces_beside_them_are_on_their_way(opened: Opened, wrong: list[str]) -> None:
    opened.page.route("**/v1/faces/outline*", lambda route: None)  # they never come
    found = [doubt["face"] for doubt in doubts(opened)]
    look(opened)
    for face in found[1:]:
        opened.press("s")
        assert asked(opened) == face
    opened.press("n")
    opened.until(lambda: opened.face(found[-1])["state"] != "confirmed")
    opened.page.unroute_all(behavior="ignoreErrors")


def test_what_was_answered_is_not_to_be_seen_while_the_next_is_on_its_way(opened: Opened, wrong: list[str]) -> None:
    first, second, *_ = doubts(opened)
    told = opened.ask("/v1/doubts?limit=500&now=true")
    only = told | {"doubts": told["doubts"][:1], "cursor": None}
    opened.page.route("**/v1/doubts?*", lambda route: route.fulfill(json=only))
    look(opened)
    before = acts(opened)
    with opened.held("**/v1/doubts?*") as held:
        opened.press("y")
        assert asked(opened) is None
        opened.press("n")
        opened.until(lambda: acts(opened) == before + 1 and held)
    opened.until(lambda: asked(opened) == second["face"])
    opened.press("y")
    opened.until(lambda: acts(opened) == before + 2)
    assert all(opened.face(one["face"])["person"] == one["person"] for one in (first, second))


def test_a_key_that_is_held_down_answers_once(opened: Opened, wrong: list[str]) -> None:
    _, second, *_ = doubts(opened)
    look(opened)
    for _ in range(4):
        opened.page.keyboard.down("y")
    assert asked(opened) == second["face"]
    opened.page.keyboard.up("y")


def test_a_double_click_answers_once(opened: Opened, wrong: list[str]) -> None:
    _, second, third, *_ = doubts(opened)
    look(opened)
    opened.page.locator(".doubt .actions button").first.dblclick()
    assert asked(opened) == second["face"]
    opened.page.wait_for_timeout(600)  # longer than the two clicks of a double one may be apart
    opened.page.locator(".doubt .actions button").first.click()
    assert asked(opened) == third["face"]


def test_a_key_pressed_before_a_doubt_was_to_be_seen_does_not_answer_it(opened: Opened, wrong: list[str]) -> None:
    _, second, *_ = doubts(opened)
    look(opened)
    opened.page.evaluate("""async () => {
        const key = new KeyboardEvent("keydown", { key: "n", code: "KeyN", bubbles: true, cancelable: true });
        await new Promise((resolve) => setTimeout(resolve, 50));
        document.querySelector(".doubt .actions button").click();
        document.activeElement.dispatchEvent(key);  // heard late
    }""")
    assert asked(opened) == second["face"]


def test_a_key_meant_for_a_doubt_that_another_program_answers_does_not_answer_the_next(
    opened: Opened, wrong: list[str]
) -> None:
    first = look(opened)
    before = acts(opened)
    opened.page.evaluate(
        f"""face => new MutationObserver((_, seen) => {{
        if (document.querySelector(".doubt > a")?.href.endsWith(face)) return;
        seen.disconnect();
        {PRESS};
    }}).observe(document.getElementById("main"), {{ subtree: true, childList: true }})""",
        first["face"],
    )
    opened.say("/v1/faces/name", faces=[first["face"]], name=first["nearer"]["name"])
    opened.until(lambda: asked(opened) not in (None, first["face"]))
    second = asked(opened)
    opened.press("w")
    opened.page.locator(".reasons > *").first.wait_for()
    assert (asked(opened), acts(opened)) == (second, before + 1)


def test_what_was_answered_here_counts_no_more_even_before_kith_has_thought_about_it(
    opened: Opened, wrong: list[str]
) -> None:
    told = opened.ask("/v1/doubts?limit=500&now=true")
    opened.page.route("**/v1/doubts?*", lambda route: route.fulfill(json=told))
    first = look(opened)
    opened.press("y")
    opened.until(lambda: asked(opened) != first["face"])
    opened.go("people")
    opened.page.get_by_text(f"{told['total'] - 1} answers look wrong").wait_for()
    opened.page.unroute_all(behavior="wait")
