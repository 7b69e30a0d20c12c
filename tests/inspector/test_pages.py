from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from inspector.deployment import Deployment, NotDeployedError, Run
from inspector.history import History
from inspector.pages import Inspector
from tests.inspector.deployments import DAY, NOW, Lake, StandInDeployment, event, product
from vocabulary.placements import Placement


class Site:
    """The inspector's pages, asked as a browser would."""

    def __init__(self, deployment: StandInDeployment, folder: Path, **settings: Any) -> None:
        lake = Lake(folder / "lake")
        lake.put(f"events/day={DAY}/a.parquet", [event("1", "u1", "a"), event("2", "<b>/é?", "b")])
        lake.put(
            "catalogue/items/day=2026-01-01/a.parquet", [product("a", "Tempo"), product("b", "Stride & Co")]
        )
        history = History(lake, bucket="lake", folder=folder / "kept")
        self._app = Inspector(cast(Deployment, deployment), history, **settings).app()

    def get(self, path: str, query: str = "") -> tuple[int, str]:
        return asyncio.run(self._get(path, query))

    async def _get(self, path: str, query: str) -> tuple[int, str]:
        scope = {
            "type": "http",
            "method": "GET",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(b"host", b"here")],
            "server": ("here", 80),
            "scheme": "http",
            "root_path": "",
        }
        status, parts = 0, []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request"}

        async def send(message: Any) -> None:
            nonlocal status
            status = message.get("status", status)
            parts.append(message.get("body", b""))

        await self._app(scope, receive, send)
        return status, b"".join(parts).decode()


def test_a_customer_is_shown_beside_what_each_source_recommends(tmp_path: Path) -> None:
    lists = {"maize": ["a", "b"], "popular": ["b", "a"]}
    status, page = Site(StandInDeployment(lists=lists), tmp_path).get("/customers/u1")
    assert status == 200
    for part in ("Touched, newest first", "maize, live", "blue, dormant", "popular", "Tempo", "▲1", "▼1"):
        assert part in page
    assert "not there: it is made at night" in page


def test_names_of_products_and_customers_are_text_not_markup(tmp_path: Path) -> None:
    status, page = Site(StandInDeployment(lists={"maize": ["b"]}), tmp_path).get("/customers/<b>/é?")
    assert status == 200
    assert "<h1>&lt;b&gt;/é?</h1>" in page
    assert "Stride &amp; Co" in page


def test_a_masked_page_names_no_customer(tmp_path: Path) -> None:
    site = Site(StandInDeployment(lists={"maize": ["a"]}), tmp_path, masked=True)
    _, page = site.get("/customers/u1")
    assert "<h1>customer " in page
    assert "<h1>u1" not in page


def test_a_placement_that_needs_an_item_says_so_of_who_touched_nothing(tmp_path: Path) -> None:
    similar = Placement(name="similar-items", recipe="aws-similar-items")
    site = Site(StandInDeployment(placements=(similar,), lists={"maize": ["a"]}), tmp_path)
    _, page = site.get("/customers/nobody")
    assert "nothing that it could be similar to" in page


def test_a_search_that_finds_nobody_says_how_to_search(tmp_path: Path) -> None:
    status, page = Site(StandInDeployment(), tmp_path).get("/", "customer=zzz")
    assert status == 200
    assert "from its beginning" in page


def test_anybody_leads_to_a_customer_or_stays_where_nobody_has_a_history(tmp_path: Path) -> None:
    status, _ = Site(StandInDeployment(), tmp_path).get("/", "random=1")
    assert status == 200


def test_the_control_room_shows_the_run_in_progress_phase_by_phase(tmp_path: Path) -> None:
    running = Run("r", "RUNNING", NOW - timedelta(seconds=5), None, "")
    states = [("plan: begin", NOW), ("open: event tracker active?", NOW), ("import: each dataset", NOW)]
    _, page = Site(StandInDeployment(runs_=[running], states=states), tmp_path).get("/watch")
    assert '<li class="done" >export</li>' in page
    assert '<li class="now" aria-current="step">import</li>' in page
    assert '<li class="tocome" >train</li>' in page
    assert "Customers wait." in page


@pytest.mark.parametrize("trouble", [NotDeployedError("run `make demo`")])
def test_a_back_end_that_fails_is_told_with_what_to_do(tmp_path: Path, trouble: Exception) -> None:
    status, page = Site(StandInDeployment(trouble=trouble), tmp_path).get("/watch")
    assert status == 503
    assert "run `make demo`" in page


def test_an_item_has_its_own_page(tmp_path: Path) -> None:
    _, page = Site(StandInDeployment(), tmp_path).get("/items/b")
    assert "Stride &amp; Co" in page
    assert "add one with the recipe aws-similar-items" in page
