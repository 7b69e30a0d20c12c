"""The experiment page in a browser: each of its states, on a narrow screen and in the dark."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from experiments.configured import NoExperiment
from inspector import experiment
from tests.inspector.browser import a_deployment, cut_off, running_browser, served
from tests.inspector.test_experiment import WINDOW, judged

pytest.importorskip("playwright.sync_api", reason="NOT RUN: `make browser` installs Playwright")

pytestmark = pytest.mark.browser

CONTRAST = (Path(__file__).parent / "contrast.js").read_text()
UNNAMED = """() => [...document.querySelectorAll('svg, img, meter, [tabindex]')]
    .filter((each) => !each.getAttribute('aria-label')).map((each) => each.outerHTML.slice(0, 80))"""

STATES = {
    "over": judged((9000, 1200), (9000, 900)),
    "running": judged((9000, 1200), (9000, 900), now=WINDOW.end - timedelta(days=3)),
    "does not fit": judged((9000, 1200), (8000, 900)),
    "too little": judged((30, 4), (30, 2)),
    "none": NoExperiment("no experiment is configured"),
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with running_browser() as browser:
        yield browser


@pytest.mark.parametrize("state", STATES)
def test_every_state_can_be_read_wide_and_narrow_in_light_and_dark(
    browser: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    def make(*_: Any, **__: Any) -> Any:
        told = STATES[state]
        if isinstance(told, Exception):
            raise told
        return told

    monkeypatch.setattr(experiment, "of_deployment", make)
    deployment = a_deployment()
    deployment.outputs = {**deployment.outputs, "Experiment": "a/e/p", "LakeBucketName": "lake"}
    with served(deployment, tmp_path, copies=tmp_path) as url:
        for theme, width in (("light", 1300), ("dark", 320)):
            context = browser.new_context(color_scheme=theme, viewport={"width": width, "height": 900})
            page = context.new_page()
            complaints: list[str] = []
            page.on(
                "console", lambda said, to=complaints: to.append(said.text) if said.type == "error" else None
            )
            assert page.goto(f"{url}/experiment").status == 200
            found = page.evaluate(CONTRAST)
            assert found["looked"] > 10
            assert found["short"] == []
            assert page.evaluate("document.scrollingElement.scrollWidth") <= width
            assert cut_off(page) == []
            assert page.evaluate(UNNAMED) == []
            assert complaints == []
            context.close()
