"""A browser on the inspector's pages: served on this machine, over a deployment that is a stand-in."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
import uvicorn
from starlette.applications import Starlette

from benchmarks import pictures
from inspector.deployment import Run
from inspector.history import History
from inspector.pages import Inspector
from inspector.sandbox import Sandbox
from tests.inspector.deployments import (
    DAY,
    NOW,
    Lake,
    StandInDeployment,
    TrainingBucket,
    a_night,
    event,
    product,
    report,
    site,
)
from vocabulary.placements import Placement

ITEMS: Final = [f"i{number}" for number in range(12)]


def executable() -> str | None:
    """See `benchmarks.pictures`; skips the tests where there is no browser: they were NOT RUN, not passed."""
    path = pictures.executable()
    if path is None and not pictures.BROWSERS.exists():
        pytest.skip("NOT RUN: no browser is here; `make browser` installs one")
    return path


@contextmanager
def running_browser() -> Iterator[Any]:
    """One for all tests of a module, and gone with them: it runs an event loop in this thread."""
    from playwright import sync_api

    path = executable()
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


def cut_off(page: Any) -> list[str]:
    """What of a page is seen only by scrolling it sideways."""
    wider = "each => each.filter(one => one.scrollWidth > one.clientWidth).map(one => one.ariaLabel)"
    found: list[str] = page.locator(".scrolls").evaluate_all(wider)
    return found


def a_deployment() -> StandInDeployment:
    """Something on every page: nights, lists, charts, a run in progress, an alarm that rings."""
    name = "recommended-for-you"
    nights = [a_night(1, "blue", hours=30), a_night(2, "maize", hours=6)]
    running = Run("now", "RUNNING", NOW - timedelta(seconds=40), None, "")
    kept = {"recipe": "aws-user-personalization", "lists": [ITEMS, ITEMS[2:]], "live": [ITEMS, ITEMS]}
    runs = {"20261123T030000": "blue", "20261124T030000": "maize"}
    return StandInDeployment(
        lists={"maize": ITEMS, "blue": ITEMS[::-1], "popular": ITEMS[3:]},
        placements=(Placement(name=name), Placement(name="similar-items", recipe="aws-similar-items")),
        dormant_is_there=True,
        runs_=[running, *(run for run, _ in reversed(nights))],
        states={
            "now": [("plan: begin", NOW), ("train: each placement", NOW)],
            **{run.name: list(states) for run, states in nights},
        },
        data=[(NOW - timedelta(minutes=minutes), 3.0 + minutes % 4) for minutes in range(20, 0, -1)],
        training=TrainingBucket(
            {
                **{f"runs/{run}/report.json": report(run, coverage=0.4, precision_at_10=0.1) for run in runs},
                **{
                    f"runs/{run}/lists/{name}.json": {**kept, "colour": colour}
                    for run, colour in runs.items()
                },
            }
        ),
    )


def a_history(folder: Path) -> History:
    """Of two customers and a visitor, with a catalogue of a dozen products."""
    lake = Lake(folder / "lake")
    lake.put(
        f"events/day={DAY}/a.parquet",
        [
            *(event(f"1-{item}", "u1", item, ago=n * 4000) for n, item in enumerate(ITEMS[:6])),
            *(event(f"2-{item}", "u2", item, kind="purchase") for item in ITEMS[4:]),
            event("3", None, "i1"),
        ],
    )
    lake.put(
        "catalogue/items/day=2026-01-01/a.parquet",
        [product(item, f"Averylongword Runner {item}", category="trail") for item in ITEMS],
    )
    lake.put("catalogue/users/day=2026-01-01/a.parquet", [{"user_id": "u1", "segment": "US"}])
    return History(lake, bucket="lake", folder=folder / "kept")


@contextmanager
def served(deployment: StandInDeployment, folder: Path, **settings: Any) -> Iterator[str]:
    """The inspector at the address that this gives."""
    standing = site(deployment, a_history(folder), **settings)
    sandbox = Sandbox(standing.deployment, "http://127.0.0.1:1")
    with _running(Inspector(site(deployment, standing.history, sandbox=sandbox, **settings)).app()) as url:
        yield url


@contextmanager
def _running(app: Starlette) -> Iterator[str]:
    started = threading.Event()

    class Server(uvicorn.Server):
        async def startup(self, *given: Any, **named: Any) -> None:
            await super().startup(*given, **named)
            started.set()

    server = Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        assert started.wait(10)
        (port,) = {each.getsockname()[1] for running in server.servers for each in running.sockets}
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)
