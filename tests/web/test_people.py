"""People on the page: merged, renamed, born, sifted by how sure Kith is, and doubted."""

from __future__ import annotations

from typing import Any

from at_work import Opened


def person(opened: Opened, name: str) -> Any:
    """A person's page, once their faces are there."""
    (known,) = [one for one in opened.ask("/v1/people?hidden=true")["people"] if one["name"] == name]
    opened.go(f"person/{known['id']}")
    opened.page.get_by_role("heading", name=name, exact=True).wait_for()
    opened.page.locator(".wall .tile").first.wait_for()
    return known


def test_merging_two_people_can_be_undone(opened: Opened) -> None:
    questions = opened.ask("/v1/questions")["questions"]
    for question, name in zip(questions, ("Bruno", "Brunno"), strict=False):
        opened.say("/v1/faces/name", faces=question["faces"], name=name)
    before = opened.people()
    opened.go("people")
    opened.page.locator(".cards a", has_text="Brunno").focus()
    opened.page.keyboard.press("m")
    opened.page.keyboard.type("Bruno")
    opened.page.keyboard.press("Enter")
    opened.page.get_by_role("button", name="They are one: Bruno").press("Enter")
    opened.until(lambda: opened.people() == {"Bruno": sum(before.values())})
    opened.until(lambda: "is Bruno now" in opened.said())
    opened.page.keyboard.press("u")
    opened.until(lambda: opened.people() == before)


def test_a_person_is_renamed_hidden_and_split(opened: Opened) -> None:
    (question, *_) = opened.ask("/v1/questions")["questions"]
    opened.say("/v1/faces/name", faces=question["faces"], name="Brno")
    (person,) = opened.ask("/v1/people")["people"]
    opened.go(f"person/{person['id']}")
    opened.page.get_by_role("heading", name="Brno", exact=True).wait_for()
    opened.page.locator(".wall .tile").first.wait_for()
    opened.page.keyboard.press("r")
    opened.page.keyboard.type("Bruno")
    opened.page.keyboard.press("Enter")
    opened.page.get_by_role("heading", name="Bruno", exact=True).wait_for()
    opened.page.keyboard.press("ArrowDown")
    opened.page.keyboard.press("Space")
    opened.page.keyboard.press("Enter")
    opened.page.keyboard.type("Otto")
    opened.page.keyboard.press("Enter")
    opened.until(lambda: opened.people().get("Otto") == 1)
    opened.page.keyboard.press("Escape")
    opened.page.keyboard.press("h")
    opened.until(lambda: list(opened.people()) == ["Otto"])


def test_a_birthday_is_told_and_forgotten(opened: Opened) -> None:
    opened.named("Bruno")
    bruno = person(opened, "Bruno")
    opened.press("b")
    opened.page.get_by_label("Day of birth").fill("1981-04-23")
    opened.press("Enter")
    opened.until(lambda: opened.ask(f"/v1/people/{bruno['id']}")["person"]["born"] == "1981-04-23")
    opened.page.locator(".person-head .about", has_text="born Apr 23, 1981").wait_for()
    opened.press("b")
    opened.page.get_by_role("button", name="Not known").click()
    opened.until(lambda: opened.ask(f"/v1/people/{bruno['id']}")["person"]["born"] is None)


def test_a_chosen_face_shows_its_person(opened: Opened) -> None:
    opened.named("Bruno")
    bruno = person(opened, "Bruno")
    faces = opened.ask(f"/v1/faces/outline?person={bruno['id']}")["faces"]
    chosen = next(f"f{row[0]}" for row in faces if row[3] == "confirmed" and f"f{row[0]}" != bruno["feature"])
    tile = opened.page.locator(f".wall .tile:has(img[src*='/{chosen}/'])")
    tile.hover()
    tile.locator(".check").click()
    opened.page.get_by_role("button", name="Their picture").click()
    opened.until(lambda: opened.ask(f"/v1/people/{bruno['id']}")["person"]["feature"] == chosen)
    opened.page.locator(f".person-head img[src*='/{chosen}/']").wait_for()


def test_faces_are_sifted_by_how_sure_kith_is_and_sorted_by_date(opened: Opened) -> None:
    opened.named("Bruno", most=3)
    (bruno,) = opened.ask("/v1/people")["people"]

    def guesses() -> list[Any]:
        rows = opened.ask(f"/v1/faces/outline?person={bruno['id']}")["faces"]
        return [row for row in rows if row[3] in ("suggested", "auto")]

    opened.until(lambda: len(guesses()) > 1)
    person(opened, "Bruno")
    probably = opened.page.get_by_role("button", name="Probably", exact=False).first
    probably.click()
    opened.until(lambda: opened.page.locator(".wall .tile").count() == len(guesses()))
    for by, column in (("probability", 5), ("alone", 6)):
        opened.page.get_by_label("How sure, by what").select_option(by)
        middle = sorted(row[column] for row in guesses())[len(guesses()) // 2]
        least = min(99, int(100 * middle))
        opened.page.get_by_label("How sure, at least").fill(str(least))
        wanted = sum(row[column] >= least / 100 for row in guesses())
        opened.until(lambda wanted=wanted: opened.page.locator(".wall .tile").count() == wanted)
    opened.page.get_by_role("button", name="Sure", exact=False).first.click()
    shown = [tile.get_attribute("aria-label") for tile in opened.page.locator(".wall .tile").all()]
    opened.page.get_by_label("Order").select_option("newest")
    opened.until(
        lambda: [t.get_attribute("aria-label") for t in opened.page.locator(".wall .tile").all()] == shown[::-1]
    )


def test_an_answer_that_looks_wrong_is_doubted_and_corrected(opened: Opened) -> None:
    _, clara = opened.named("Bruno", "Clara")
    opened.say("/v1/faces/name", faces=clara[:1], name="Bruno")
    opened.until(lambda: clara[0] in [doubt["face"] for doubt in opened.ask("/v1/doubts")["doubts"]])
    person(opened, "Bruno")
    doubt = opened.page.locator(".doubt", has=opened.page.locator(f"img[src*='/{clara[0]}/']"))
    doubt.get_by_role("button", name="It’s Clara").click()
    opened.until(lambda: opened.face(clara[0])["person"]["name"] == "Clara")
    doubt.wait_for(state="detached")


def test_whoever_is_on_a_doubt_stays_there_when_another_is_answered_elsewhere(opened: Opened) -> None:
    _, clara = opened.named("Bruno", "Clara")
    opened.say("/v1/faces/name", faces=clara[:2], name="Bruno")
    opened.until(lambda: set(clara[:2]) <= {doubt["face"] for doubt in opened.ask("/v1/doubts")["doubts"]})
    person(opened, "Bruno")
    gone, stays = (opened.page.locator(f".doubt:has(> a[href*='{face}'])") for face in clara[:2])
    button = stays.get_by_role("button", name="It is Bruno")
    button.focus()
    opened.say("/v1/faces/name", faces=clara[:1], name="Clara")
    gone.wait_for(state="detached")
    assert button.evaluate("button => button === document.activeElement")
    opened.press("Enter")
    stays.wait_for(state="detached")
    opened.until(lambda: clara[1] not in [doubt["face"] for doubt in opened.ask("/v1/doubts")["doubts"]])
    assert opened.face(clara[1])["person"]["name"] == "Bruno"


def test_two_who_may_be_one_person_are_merged_or_told_apart(opened: Opened) -> None:
    (faces,) = opened.named("Bruno", most=4)
    opened.say("/v1/faces/name", faces=faces[2:], name="Brunno")

    def is_proposed() -> bool:
        pairs = opened.ask("/v1/merges")["merges"]
        return {"Bruno", "Brunno"} in [{pair["first"]["name"], pair["second"]["name"]} for pair in pairs]

    opened.until(is_proposed)
    opened.go("people")
    links = [opened.page.get_by_role("link", name=name, exact=True) for name in ("Bruno", "Brunno")]
    twin = opened.page.locator(".twin").filter(has=links[0]).filter(has=links[1])
    twin.get_by_role("button", name="Two people").click()
    opened.until(lambda: not is_proposed())
    opened.until(lambda: "are two" in opened.said())
    opened.press("u")
    twin.get_by_role("button", name="One person").click()
    opened.until(lambda: len(opened.people()) == 1)
