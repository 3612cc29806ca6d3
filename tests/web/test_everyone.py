"""The page for everyone: screen readers, keyboards, phones, dark rooms, and nothing from elsewhere."""

from __future__ import annotations

from importlib.resources import files

import pytest
from at_work import Opened, go, logged_in

AXE = files("axe_playwright_python").joinpath("axe.min.js")  # axe-core
PEOPLE = ("people", "person/p1", "doubts")
VIEWS = ("review", *PEOPLE, "photos", "photo/1", "faces/unknown", "faces/ignored", "activity", "nowhere")
DEVICES = {
    "desktop": {},
    "dark": {"color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
}


@pytest.mark.parametrize("device", DEVICES)
def test_no_view_has_serious_findings_of_axe(shown: Opened, device: str) -> None:
    browser = shown.page.context.browser
    assert browser is not None
    page, told = logged_in(browser, shown.here, **DEVICES[device])
    page.locator("h1").first.wait_for()
    go(page, shown.here, "doubts")
    page.locator(".doubt").wait_for()
    found = []
    for view in VIEWS:
        go(page, shown.here, view)
        page.evaluate(AXE.read_text())
        result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        found += [
            (
                view,
                finding["id"],
                finding["nodes"][0]["html"][:200],
                finding["nodes"][0].get("failureSummary", "")[:300],
            )
            for finding in result["violations"]
            if finding["impact"] in ("serious", "critical")
        ]
    assert not found
    assert not told
    page.context.close()


def test_nothing_is_asked_from_elsewhere_and_every_view_obeys_the_policy(shown: Opened) -> None:
    asked: set[str] = set()
    shown.page.on("request", lambda request: asked.add(request.url))
    for view in VIEWS:
        shown.go(view)
        shown.page.wait_for_timeout(200)
    assert {url.split("/")[2] for url in asked if url.startswith("http")} == {f"127.0.0.1:{shown.here.port}"}


def test_every_view_has_one_heading_that_takes_the_focus(shown: Opened) -> None:
    for view in ("people", "doubts", "photos", "faces/unknown", "activity"):
        shown.go(view)
        assert shown.page.locator("main h1").count() == 1, view
        shown.until(lambda: shown.page.evaluate("document.activeElement.matches('h1')"))


def test_without_a_login_there_is_no_page(shown: Opened) -> None:
    reply = shown.here.http("GET", "/", token=False)
    assert reply.status == 401
    assert shown.here.http("GET", "/web/main.js", token=False).status == 401


def test_only_the_files_of_the_page_are_served(shown: Opened) -> None:
    assert shown.here.http("GET", "/web/main.js").headers["Content-Type"].startswith("text/javascript")
    for name in ("README.md", "..%2f__init__.py", "%2e%2e%2frun.py", "main.py", ".hidden"):
        assert shown.here.http("GET", f"/web/{name}").status == 404, name
