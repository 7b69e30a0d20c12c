"""Generated clickstreams of any size, as the lake would hold them: Parquet by day of arrival.

Streamed: a file of at most a million events at a time, so memory does not grow with the size. What an event
says follows from its number alone, so a size is always the same data. The dirt of real lakes is in it:
repeats, events filed a day late, anonymous sessions that sign in or never do, wrong clocks, unknown items,
event types of no interest, and a few bots.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import duckdb

CUTOFF: Final = datetime(2026, 11, 24, 3, tzinfo=UTC)
DAYS: Final = 90

_FILE: Final = 1_000_000
_GENERATOR: Final = 2
"""Raised when what is generated changes, so that no cached data of before are measured."""


@dataclass(frozen=True)
class Clickstream:
    """A generated lake in a folder: `events/day=…/*.parquet` and `catalogue/items/day=…/*.parquet`."""

    folder: Path
    events: int

    @property
    def size(self) -> int:
        """Bytes of Parquet that hold events."""
        return sum(file.stat().st_size for file in (self.folder / "events").rglob("*.parquet"))


def clickstream(events: int, *, cache: Path, progress: Callable[[str], None]) -> Clickstream:
    """A clickstream of so many events; generated unless the cache has it.

    A fifth as many items per user and users per hundred events as in a shop of that size: users grow
    with the events, items with their square root.
    """
    made = Clickstream(cache / f"clickstream-{events}", events)
    record = made.folder / "made.json"
    wanted = {"events": events, "generator": _GENERATOR}
    if record.exists() and json.loads(record.read_text()) == wanted:
        return made
    record.unlink(missing_ok=True)
    items = max(1000, int(events**0.5 * 10))
    users = max(1000, events // 40)
    with duckdb.connect(config={"threads": 2, "memory_limit": "1GiB"}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET enable_progress_bar = false")
        _write_items(connection, items, made.folder)
        first_day = CUTOFF.date() - timedelta(days=DAYS)
        per_day = -(-events // DAYS)
        for day in range(DAYS):
            folder = made.folder / "events" / f"day={first_day + timedelta(days=day + 1)}"
            folder.mkdir(parents=True, exist_ok=True)
            beyond = min(events, (day + 1) * per_day)
            for number, first in enumerate(range(day * per_day, beyond, _FILE)):
                last = min(first + _FILE, beyond)
                query = _events(first, last, total=events, users=users, items=items)
                connection.execute(f"COPY ({query}) TO '{folder}/{number:04}.parquet' (FORMAT parquet)")
            progress(f"generating {events:,} events: {beyond / events:.0%}")
    record.write_text(json.dumps(wanted))
    return made


def _write_items(connection: duckdb.DuckDBPyConnection, items: int, folder: Path) -> None:
    snapshot = folder / "catalogue" / "items" / f"day={CUTOFF.date()}"
    snapshot.mkdir(parents=True, exist_ok=True)
    connection.execute(
        f"COPY (SELECT 'item-' || i AS item_id, 'Item ' || i AS name, 'brand-' || i % 40 AS brand,"
        f" 'category-' || i % 25 AS category, 5.0 + i % 300 AS price, CAST(NULL AS VARCHAR) AS image,"
        f" CAST(1700000000000 + i * 1000 AS BIGINT) AS created_at FROM range({items}) t(i))"
        f" TO '{snapshot}/0000.parquet' (FORMAT parquet)"
    )


def _events(first: int, last: int, *, total: int, users: int, items: int) -> str:
    """SELECT the events numbered `first` to `last`, the latter not included."""
    begin = int((CUTOFF - timedelta(days=DAYS)).timestamp() * 1000)
    step = DAYS * 86_400_000 / total
    # A session is a run of 6 events on average; its length comes from the number it begins with
    return f"""
    WITH numbered AS (
        SELECT CASE WHEN hash(i) % 200 = 0 AND i > {first} THEN i - 1 ELSE i END AS n  -- delivered again
        FROM range({first}, {last}) t(i)
    ), rolled AS (
        SELECT n, n // 6 AS s, hash(n) AS h, hash(n // 6 + 7) AS sh,
               (hash(n + 13) % 1000000) / 1e6 AS taste, (hash(n // 6 + 29) % 1000000) / 1e6 AS who
        FROM numbered
    ), told AS (
        SELECT *, {begin} + CAST(floor(n * {step!r}) AS BIGINT)
               + CAST(h // 7 % 50 AS BIGINT) AS received_at
        FROM rolled
    )
    SELECT CAST(CAST(md5(CAST(n AS VARCHAR)) AS UUID) AS VARCHAR) AS event_id, received_at,
           CASE WHEN h % 1009 = 0 THEN 1000000000 ELSE received_at - CAST(h // 11 % 4000 AS BIGINT)
           END AS sent_at,
           'session-' || lower(to_hex(sh)) AS session_id,
           CASE WHEN sh % 100 < 75 OR (sh % 100 < 85 AND n % 6 > 2)
                THEN 'user-' || CASE WHEN sh % 211 = 0 THEN sh // 211 % 5  -- bots
                                ELSE CAST(floor({users} * who * who) AS BIGINT) END END AS user_id,
           CASE WHEN h // 3 % 100 < 60 THEN 'view' WHEN h // 3 % 100 < 85 THEN 'click'
                WHEN h // 3 % 100 < 90 THEN 'add-to-cart' WHEN h // 3 % 100 < 93 THEN 'purchase'
                ELSE 'search' END AS event_type,
           CASE WHEN h // 3 % 100 < 93
                THEN 'item-' || CAST(floor({items} * taste * taste * taste * 1.01) AS BIGINT) END AS item_id,
           CASE WHEN h // 3 % 100 BETWEEN 85 AND 92 THEN 5.0 + h // 17 % 300 + (h // 19 % 100) / 100.0
           END AS value,
           CASE WHEN h % 4 = 0 THEN '{{"device":"' || CASE WHEN h % 8 = 0 THEN 'phone' ELSE 'desktop' END
                || '"}}' END AS properties,
           CAST(NULL AS VARCHAR[]) AS impression,
           CASE WHEN h % 10 = 0 THEN 'RID-' || to_hex(sh) END AS recommendation_id
    FROM told"""
