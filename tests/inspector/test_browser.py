"""The inspector as people meet it: by keyboard, on a narrow screen, in the dark, while things fail."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from inspector import sources
from inspector.deployment import NotDeployedError
from inspector.masks import Masks
from inspector.sandbox import Sandbox
from tests.inspector.browser import ITEMS, a_deployment, cut_off, running_browser, served
from tests.inspector.deployments import StandInDeployment

pytest.importorskip("playwright.sync_api", reason="NOT RUN: `make browser` installs Playwright")

pytestmark = pytest.mark.browser

PAGES = (
    "/",
    "/customers/u1",
    "/items/i1",
    "/try?touch=i1&touch=i2&find=runner",
    "/models",
    "/watch?refresh=off",
    "/customers/zzz?sent=zzz",
    "/items/zzz",
)

CONTRAST = (Path(__file__).parent / "contrast.js").read_text()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with running_browser() as browser:
        yield browser


@pytest.fixture
def deployment() -> StandInDeployment:
    return a_deployment()


@pytest.fixture
def url(deployment: StandInDeployment, tmp_path: Path) -> Iterator[str]:
    with served(deployment, tmp_path) as url:
        yield url


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    context = browser.new_context()
    context.set_default_timeout(10_000)
    yield context.new_page()
    context.close()


def go_by(link: Any) -> None:
    """Click what leads to another page, and wait until that is there."""
    with link.page.expect_navigation():
        link.click()


def test_a_customer_is_found_by_keyboard_alone(page: Any, url: str) -> None:
    page.goto(url)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.url.endswith("#main")  # past the frame in one step
    page.goto(url)
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "customer":
            break
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    page.keyboard.type("u1")
    page.keyboard.press("Enter")
    page.wait_for_url("**/customers/u1")
    assert outline != "none"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_all_text_can_be_told_from_its_background(browser: Any, url: str, theme: Any) -> None:
    context = browser.new_context(color_scheme=theme)
    page = context.new_page()
    short: dict[str, list[str]] = {}
    for path in PAGES:
        page.goto(url + path)
        found = page.evaluate(CONTRAST)
        assert found["looked"] > 10, path
        short[path] = found["short"]
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    context.close()
    assert short == {path: [] for path in PAGES}
    assert background == {"light": "rgb(255, 254, 251)", "dark": "rgb(21, 23, 28)"}[theme]


def test_a_narrow_window_needs_no_scrolling_sideways(browser: Any, url: str) -> None:
    context = browser.new_context(viewport={"width": 320, "height": 700})
    page = context.new_page()
    too_wide, cut = {}, []
    for path in PAGES:
        page.goto(url + path)
        width = page.evaluate("document.scrollingElement.scrollWidth")
        if width > 320:
            too_wide[path] = width
        cut += cut_off(page)
    context.close()
    assert (too_wide, cut) == ({}, [])


def test_pages_load_nothing_that_fails_and_nothing_is_blocked(page: Any, url: str) -> None:
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("response", lambda got: complaints.append(got.url) if got.status >= 400 else None)
    for path in PAGES:
        page.goto(url + path)
    assert complaints == []


def test_every_control_has_a_name_and_every_picture_its_words(page: Any, url: str) -> None:
    unnamed = """() => [...document.querySelectorAll('input:not([type=hidden]), select, button, svg, img')]
        .filter((each) => !(each.labels?.length || each.textContent.trim() && each.tagName == 'BUTTON'
            || each.getAttribute('aria-label') || each.hasAttribute('alt')))
        .map((each) => each.outerHTML.slice(0, 80))"""
    for path in PAGES:
        page.goto(url + path)
        assert page.evaluate(unnamed) == [], path


def test_chosen_columns_are_in_the_address_and_another_browser_shows_the_same(
    browser: Any, page: Any, url: str
) -> None:
    page.goto(f"{url}/customers/u1")
    page.get_by_role("checkbox", name="blue, dormant").uncheck()
    page.get_by_role("checkbox", name="similar-items").check()
    go_by(page.get_by_role("button", name="Show"))
    assert parse_qs(urlsplit(page.url).query)["column"] == ["live", "popular", "live:similar-items"]
    titles = page.locator(".column h2").all_text_contents()
    context = browser.new_context()
    other = context.new_page()
    other.goto(page.url)
    assert other.locator(".column h2").all_text_contents() == titles
    assert len(titles) == 3
    context.close()


def test_what_moved_what_is_new_and_what_is_gone_is_seen(page: Any, url: str) -> None:
    page.goto(f"{url}/customers/u1?column=live&column=popular")
    popular = page.locator(".column").nth(1)
    assert "100% shared" in popular.inner_text()
    assert "▲3" in popular.inner_text()
    popular.get_by_text("3 gone").click()
    assert popular.get_by_text(f"Runner {ITEMS[0]}", exact=False).first.is_visible()


def test_a_what_if_moves_the_columns_and_taking_it_back_moves_them_back(
    page: Any, url: str, deployment: StandInDeployment
) -> None:
    session = Sandbox(deployment, "").session(["i5"])  # type: ignore[arg-type]
    deployment.lists[f"maize:{session}"] = ITEMS[5:]
    page.goto(f"{url}/try")
    assert page.locator(".column").count() == 1
    page.get_by_placeholder("part of its name").fill("runner i5")
    page.keyboard.press("Enter")
    go_by(page.get_by_role("button", name="Touch Averylongword Runner i5"))
    now = page.locator(".column").nth(1)
    assert "5 gone" in now.inner_text()
    go_by(page.get_by_role("button", name="Without Averylongword Runner i5"))
    assert "Nothing yet" in page.locator(".touched").inner_text()
    assert page.locator(".column").nth(1).locator(".moved.new").count() == 5


def test_the_control_room_shows_the_night_happen_without_being_touched(
    page: Any, url: str, deployment: StandInDeployment
) -> None:
    page.goto(f"{url}/watch")
    assert page.locator(".phases .now").inner_text().startswith("train")
    deployment.states["now"].append(("flip: move the pointer", deployment.states["now"][0][1]))
    page.get_by_text("flip", exact=False).locator("xpath=self::li[@aria-current='step']").wait_for()


def test_a_source_that_is_slow_says_so_and_keeps_no_other_from_being_shown(
    page: Any, url: str, deployment: StandInDeployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on, recommend = threading.Event(), deployment.recommend

    def slow_when_dormant(colour: Any, *given: Any, **named: Any) -> Any:
        if colour == "blue":
            goes_on.wait(10)
        return recommend(colour, *given, **named)

    monkeypatch.setattr(deployment, "recommend", slow_when_dormant)
    monkeypatch.setattr(sources, "_WAITS", 1.5)
    try:
        page.goto(f"{url}/customers/u1")
        assert "reload to ask again" in page.locator(".column").nth(1).inner_text()
        assert page.locator(".column").first.locator("li").count() == len(ITEMS)
    finally:
        goes_on.set()


def test_a_back_end_that_fails_and_one_that_is_empty_say_what_to_do(
    page: Any, url: str, deployment: StandInDeployment
) -> None:
    deployment.trouble = NotDeployedError("colorway-test is not deployed here: run `make demo`")
    for path in ("/watch", "/models", "/try", "/customers/u1"):
        page.goto(url + path)
        assert "run `make demo`" in page.get_by_role("alert").inner_text()
    deployment.trouble = None
    go_by(page.get_by_role("link", name="Try again"))
    assert page.get_by_role("heading", name="u1").is_visible()
    deployment.live, deployment.training.objects = None, {}
    page.goto(f"{url}/models")
    assert "make retrain" in page.locator(".trouble").first.inner_text()
    page.goto(f"{url}/customers/u1")
    assert "the first training has not come through" in page.locator(".column").first.inner_text()


def test_on_a_shared_screen_no_customer_is_named_anywhere(
    browser: Any, deployment: StandInDeployment, tmp_path: Path
) -> None:
    with served(deployment, tmp_path, masks=Masks("secret")) as url:
        context = browser.new_context()
        page = context.new_page()
        page.goto(url)
        go_by(page.locator(".customers a").first)
        assert page.locator(".touches li").count() > 0
        assert "/customers/customer-" in page.url
        assert "u1" not in page.content().replace(url, "")
        go_by(page.get_by_role("link", name="What if").last)
        assert "u1" not in page.content() + page.url
        context.close()
