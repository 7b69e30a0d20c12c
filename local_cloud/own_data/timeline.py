"""When the user's events happened, when they shall have happened, and what of them training will see."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import Final

import duckdb

from local_cloud.own_data.tables import one

_DAY: Final = 86_400_000

_MINIMUM: Final = 1000
"""Interactions that Amazon Personalize needs at least (developer guide, "Quotas")."""


def shift(
    connection: duckdb.DuckDBPyConnection,
    now: datetime,
    fit_days: int | None,
    progress: Callable[[str], None],
) -> None:
    """Move all times so that the newest is a minute ago, and with `fit_days` squeeze them into as many."""
    oldest, newest = one(connection, "SELECT min(sent_at), max(received_at) FROM own_events")
    target = int(now.timestamp() * 1000) - 60_000
    factor = 1.0 if fit_days is None else min(1.0, (fit_days - 1) * _DAY / max(1, newest - oldest))
    for table, columns in (("own_events", ("sent_at", "received_at")), ("own_items", ("created_at",))):
        moved = ", ".join(
            f"{each} = CAST({target} - ({newest} - {each}) * CAST({factor!r} AS DOUBLE) AS BIGINT)"
            for each in columns
        )
        connection.execute(f"UPDATE {table} SET {moved}")
    squeezed = "" if factor == 1 else f" and squeezed to {factor:.2%} of their span"
    progress(f"times moved by {(target - newest) / _DAY:,.0f} days{squeezed}")


def describe(
    connection: duckdb.DuckDBPyConnection,
    now: datetime,
    history_days: int,
    event_types: Collection[str],
    shift_dates: str,
    progress: Callable[[str], None],
) -> None:
    """Say what there is, and what of it training will see."""
    users, sessions, items, unique, oldest, newest = one(
        connection,
        "SELECT count(DISTINCT user_id), count(DISTINCT session_id), count(DISTINCT item_id), "
        "count(DISTINCT event_id), min(received_at), max(received_at) FROM own_events",
    )
    types = connection.execute(
        "SELECT event_type, count(*) AS n FROM own_events GROUP BY ALL ORDER BY n DESC, event_type LIMIT 10"
    ).fetchall()
    progress(
        f"{unique:,} different events ({', '.join(f'{kind} {count:,}' for kind, count in types)}) "
        f"of {users:,} users in {sessions:,} sessions on {items:,} items, {_date(oldest)} to {_date(newest)}"
    )
    end = int(now.timestamp() * 1000)
    oldest_used = end - history_days * _DAY
    wanted = ", ".join("'" + kind.replace("'", "''") + "'" for kind in event_types)
    used, older, ahead = one(
        connection,
        f"SELECT count(DISTINCT event_id) FILTER (event_type IN ({wanted}) "
        f"AND received_at BETWEEN {oldest_used} AND {end}), "
        f"count(*) FILTER (received_at < {oldest_used}), count(*) FILTER (received_at > {end}) "
        "FROM own_events",
    )
    progress(f"training reads the last {history_days} days: {used:,} of these events")
    remedy = {"": "SHIFT_DATES=1 moves the newest to now", "1": "SHIFT_DATES=fit squeezes all into that time"}
    advice = remedy.get(shift_dates.replace("0", ""))
    if older:
        progress(f"{older:,} events are older; {advice or 'they stay in the lake'}")
    if ahead:
        progress(f"{ahead:,} events lie in the future and wait for it; are their times UTC?")
    if others := [kind for kind, _ in types if kind not in event_types]:
        progress(
            f"training makes no use of {', '.join(others)}, only of {', '.join(event_types)}; "
            "map one to another by event_type=… in CLICKSTREAM_COLUMNS"
        )
    if used < _MINIMUM:
        progress(f"too few to train, which takes {_MINIMUM:,}")


def _date(milliseconds: int) -> str:
    return f"{datetime.fromtimestamp(milliseconds / 1000, UTC):%Y-%m-%d}"
