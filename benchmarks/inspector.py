"""The inspector over a large shop: `python -m benchmarks.inspector --customers 1000000 --items 100000`.

Generates a lake, opens the inspector on it over a deployment that answers at once, and measures
how long the lake takes to be looked at, what each page then takes on the server and until a real
browser paints it first, and how much memory the process has used. `make browser` first.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any, Final, cast
from urllib.request import urlopen

import duckdb
import uvicorn

from inspector.deployment import Datum, Deployment, Metric, Run
from inspector.history import History
from inspector.pages import Inspector
from inspector.site import Site
from vocabulary.colours import Colour, Names
from vocabulary.coordination import OpenColour
from vocabulary.placements import Placement

_FILES: Final = 30
_TIMES: Final = 5
_PORT: Final = 4588

_FIRST_PAINT: Final = """() => new Promise((done) => new PerformanceObserver((list) =>
    list.getEntriesByName('first-contentful-paint').forEach((each) => done(each.startTime))
).observe({ type: 'paint', buffered: true }))"""


@dataclass(frozen=True)
class FolderLake:
    """A folder as a bucket: what the inspector's copies use of a client of S3."""

    root: Path

    def get_paginator(self, operation: str) -> FolderLake:
        return self

    def paginate(self, *, Prefix: str, StartAfter: str = "", **_: Any) -> Sequence[Mapping[str, Any]]:  # noqa: N803
        paths = {path.relative_to(self.root).as_posix(): path for path in self.root.rglob("*.parquet")}
        return [
            {
                "Contents": [
                    {"Key": key, "Size": path.stat().st_size, "ETag": "1"}
                    for key, path in sorted(paths.items())
                    if key.startswith(Prefix) and key > StartAfter
                ]
            }
        ]

    def download_file(self, bucket: str, key: str, to: str) -> None:
        shutil.copyfile(self.root / key, to)


class AtOnce:
    """A deployment that answers at once, so that what is measured is the inspector's own."""

    names = Names("colorway", "large")
    placements = (Placement(name="recommended-for-you"),)

    def __init__(self, lake: FolderLake) -> None:
        self.outputs: Mapping[str, str] = {"TrainingBucketName": "training", "LakeBucketName": "lake"}
        self._lake = lake

    def client(self, service: str) -> Any:
        return self._lake

    def live_colour(self) -> Colour:
        return "maize"

    def open_colours(self) -> list[OpenColour]:
        return [OpenColour("maize", "t", "g", 0, "20261124T030000")]

    def recommend(self, *_: Any, count: int, **__: Any) -> list[tuple[str, float]]:
        return [(f"i{number * 997}", 1 / (number + 1)) for number in range(count)]

    def popular(self, placement: Placement) -> list[str]:
        return [f"i{number}" for number in range(100)]

    def runs(self) -> list[Run]:
        return []

    def states_of(self, run: Run) -> list[tuple[str, Any]]:
        return []

    def measured(self, wanted: Sequence[Metric], **_: Any) -> list[list[Datum]]:
        return [[] for _ in wanted]

    def alarms(self) -> list[dict[str, Any]]:
        return []


def generate(lake: Path, *, customers: int, items: int, events: int) -> None:
    """A lake whose busiest products and customers are as much busier as in shops: by a power law."""
    database = duckdb.connect()
    now = int(time.time() * 1000)
    day = f"{datetime.now(UTC):%Y-%m-%d}"
    for number in range(_FILES):
        path = lake / "events" / f"day={day}" / f"{number}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        database.execute(
            f"""
            COPY (
                SELECT 'e{number}-' || n AS event_id, {now} - n AS received_at, {now} - n AS sent_at,
                    's' || n AS session_id, 'u' || floor(pow(random(), 1.3) * {customers})::BIGINT AS user_id,
                    CASE WHEN random() < 0.05 THEN 'purchase' ELSE 'view' END AS event_type,
                    'i' || floor(pow(random(), 3) * {items})::BIGINT AS item_id
                FROM range({events // _FILES}) AS r(n)
            ) TO '{path}'
            """
        )
    path = lake / "catalogue" / "items" / f"day={day}" / "0.parquet"
    path.parent.mkdir(parents=True)
    database.execute(
        f"""
        COPY (
            SELECT 'i' || n AS item_id, 'Product number ' || n AS name, 'Brand ' || n % 300 AS brand,
                'kind ' || n % 40 AS category, (n % 200)::DOUBLE AS price,
                'data:image/svg+xml,' || repeat('%20', 300) AS image, {now} - n * 60000 AS created_at
            FROM range({items}) AS r(n)
        ) TO '{path}'
        """
    )
    path = lake / "catalogue" / "users" / f"day={day}" / "0.parquet"
    path.parent.mkdir(parents=True)
    database.execute(
        f"COPY (SELECT 'u' || n AS user_id, 'S' || n % 9 AS segment FROM range({customers}) AS r(n))"
        f" TO '{path}'"
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.inspector", description=__doc__)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--events", type=int, default=10_000_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="colorway-inspector-") as name:
        lake = FolderLake(Path(name) / "lake")
        generate(lake.root, customers=given.customers, items=given.items, events=given.events)
        before = _peak()
        history = History(lake, bucket="lake", folder=Path(name) / "kept")
        began = time.perf_counter()
        history.refresh()
        print(f"lake looked at: {time.perf_counter() - began:.1f} s; {given.events:,} events")
        site = Site(cast(Deployment, AtOnce(lake)), history)
        server = uvicorn.Server(uvicorn.Config(Inspector(site).app(), port=_PORT, log_level="warning"))
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            while not server.started:
                time.sleep(0.01)
            _measure([customer.user_id for customer in history.search("", _TIMES)])
        finally:
            server.should_exit = True
            thread.join()
        print(f"memory at most: {_peak():,.0f} MB, {before:,.0f} of it before the lake was looked at")
    return 0


def _measure(customers: Sequence[str]) -> None:
    pages = {
        "front": [f"/?customer=u{number}" for number in range(10, 10 + _TIMES)],
        "customer": [f"/customers/{user_id}" for user_id in customers],
        "item": [f"/items/i{number}" for number in range(_TIMES)],
        "what if": [f"/try?touch=i{number}&find=number+{number}" for number in range(_TIMES)],
        "models": ["/models"] * _TIMES,
        "control room": ["/watch?refresh=off"] * _TIMES,
    }
    for name, paths in pages.items():
        took = []
        for path in paths:
            began = time.perf_counter()
            with urlopen(f"http://127.0.0.1:{_PORT}{path}") as answer:
                answer.read()
            took.append(time.perf_counter() - began)
        painted = _painted([f"http://127.0.0.1:{_PORT}{path}" for path in paths])
        print(
            f"{name:<13} server {median(took) * 1000:6.0f} ms, at most {max(took) * 1000:6.0f}; first paint "
            f"{median(painted):6.0f} ms, at most {max(painted):6.0f}"
        )


def _painted(urls: Sequence[str]) -> list[float]:
    """Milliseconds from asking to the first contentful paint."""
    from playwright.sync_api import sync_playwright

    found = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for url in urls:
            page = browser.new_context().new_page()
            page.goto(url)
            found.append(float(page.evaluate(_FIRST_PAINT)))
            page.context.close()
        browser.close()
    return found


def _peak() -> float:
    """The most memory that this process has had, in MB."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1e6 if sys.platform == "darwin" else 1e3)


if __name__ == "__main__":
    sys.exit(main())
