"""A shop's traffic with a known effect, as the Parquet files that the lake would hold."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from recommendations.experiment import Experiment
from vocabulary.lake import EVENT_COLUMNS, EXPOSURE_COLUMNS

FIRST = date(2026, 11, 2)
FIRST_MS = int(datetime(2026, 11, 2, tzinfo=UTC).timestamp() * 1000)
DAY_MS = 86_400_000
HOUR_MS = 3_600_000


@dataclass
class Lake:
    """A folder laid out as the lake is; rows are put by the day on which they arrive."""

    folder: Path
    experiment: Experiment

    def expose(self, user_id: str, at: int, request_id: str, **other: Any) -> dict[str, Any]:
        """A row of exposures, as serving would log it."""
        variant, unit_id, experiment = self.experiment.assign(user_id)
        treated = variant == "treatment"
        return {
            "exposed_at": FIRST_MS + at,
            "request_id": request_id,
            "experiment": experiment,
            "unit_id": unit_id,
            "variant": variant,
            "placement": "recommended-for-you",
            "colour": "maize",
            "answered_by": "maize" if treated else None,
            "source": "personalize" if treated else "control",
            "recommendation_id": None,
            "items": 12,
            "failures": [],
            "took_ms": 60.0 if treated else 5.0,
            **other,
        }

    def put(self, folder: str, rows: list[dict[str, Any]], columns: Any, at: str) -> None:
        """Write each day's rows into a file of their own."""
        types = {"string": "VARCHAR", "bigint": "BIGINT", "int": "INTEGER", "double": "DOUBLE"}
        days: dict[str, list[dict[str, Any]]] = {}
        for row in rows:
            days.setdefault(str(FIRST + timedelta(days=(row[at] - FIRST_MS) // DAY_MS)), []).append(row)
        for day, of_day in days.items():
            path = (
                self.folder / folder / f"day={day}" / f"{len(list(self.folder.rglob('*.parquet')))}.parquet"
            )
            path.parent.mkdir(parents=True, exist_ok=True)
            chosen = ", ".join(
                f"unnest(?::{types.get(each.type, 'VARCHAR[]' if each.type[0] == 'a' else each.type)}[]) AS "
                f'"{each.name}"'
                for each in columns
            )
            values = [[row.get(each.name) for row in of_day] for each in columns]
            duckdb.connect().execute(f"COPY (SELECT {chosen}) TO '{path}'", values)

    def put_exposures(self, rows: list[dict[str, Any]]) -> None:
        self.put("exposures", rows, EXPOSURE_COLUMNS, "exposed_at")

    def put_events(self, rows: list[dict[str, Any]]) -> None:
        self.put("events", rows, EVENT_COLUMNS, "received_at")

    def put_users(self, segments: dict[str, str], day: date = FIRST) -> None:
        path = self.folder / f"catalogue/users/day={day}/a.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        duckdb.connect().execute(
            f"COPY (SELECT unnest(?::VARCHAR[]) AS user_id, unnest(?::VARCHAR[]) AS segment) TO '{path}'",
            [list(segments), list(segments.values())],
        )


def event(
    event_id: str, user_id: str | None, kind: str, at: int, value: float | None = None
) -> dict[str, Any]:
    return {
        "event_id": event_id,
        "received_at": FIRST_MS + at,
        "sent_at": FIRST_MS + at,
        "session_id": f"session of {user_id}",
        "user_id": user_id,
        "event_type": kind,
        "item_id": "i1",
        "value": value,
    }


def traffic(lake: Lake, *, users: int, days: int, seed: int, conversion: float, lift: float) -> None:
    """Users who come on days of their own, are exposed again and again, and buy by their variant's chance.

    Everything is delivered twice now and then, and everybody bought once before they were exposed.
    """
    draw = np.random.default_rng(seed)
    exposures, events = [], []
    for number in range(users):
        user_id = f"u{number}"
        variant = lake.experiment.assign(user_id).variant
        if variant == "exempt":
            continue
        first = int(draw.integers(0, (days - 1) * DAY_MS))
        often = 1 + int(draw.geometric(0.4))
        ats = [first, *(first + int(draw.integers(1, 20 * HOUR_MS)) for _ in range(often - 1))]
        for place, at in enumerate(ats):
            row = lake.expose(user_id, at, f"r{number}-{place}")
            exposures += [row] * (2 if draw.random() < 0.1 else 1)
        events.append(event(f"before{number}", user_id, "purchase", max(0, first - 1), 1000.0))
        if draw.random() < conversion * (1 + lift * (variant == "treatment")):
            bought = event(
                f"buy{number}", user_id, "purchase", first + HOUR_MS, float(draw.lognormal(3.5, 0.5))
            )
            events += [bought] * (2 if draw.random() < 0.1 else 1)
        for place in range(int(draw.poisson(0.3 * often))):
            events.append(event(f"c{number}-{place}", user_id, "click", first + 1 + place))
    lake.put_exposures(exposures)
    lake.put_events(events)
    lake.put_users({f"u{number}": "abc"[number % 3] for number in range(users)})
