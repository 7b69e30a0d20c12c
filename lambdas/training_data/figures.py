"""What one transformation did, in figures: counted from its tables, told in the run's report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import duckdb

from training_data.interactions import DUPLICATE, DUPLICATE_REASON, INTERACTION_VIEWS, Selection

_EXAMPLES: Final = 3


_KEPT_AS_TABLES: Final = ("repeated_hashes", "repeated_interactions")
"""Small, and asked for more than once."""


def transform(connection: duckdb.DuckDBPyConnection, selection: Selection) -> None:
    """Make the table `judged_events` (a row per raw event) and `interactions` (a row per line of the CSV).

    Once it is done, `raw_events` is not read any more.
    """
    _define(connection, selection.views)
    connection.execute("CREATE OR REPLACE TABLE judged_events AS SELECT * FROM judged")
    _define(connection, INTERACTION_VIEWS)


def _define(connection: duckdb.DuckDBPyConnection, views: Mapping[str, str]) -> None:
    for name, query in views.items():
        kind = "TABLE" if name in _KEPT_AS_TABLES else "VIEW"
        connection.execute(f"CREATE OR REPLACE {kind} {name} AS {query}")


def figures(connection: duckdb.DuckDBPyConnection, selection: Selection) -> dict[str, Any]:
    """The report's part on interactions.

    `rows_in` is `rows_out` plus the rows of everything in `dropped`. `changed`
    counts interactions that went in otherwise than they were sent. Times are
    unix seconds, and null without interactions. Examples name no user.
    """
    dropped = _dropped(connection, selection)
    out, taken, users, items, oldest, newest = _row(
        connection,
        "SELECT count(*), coalesce(sum(occurrences), 0), count(DISTINCT USER_ID), count(DISTINCT ITEM_ID),"
        " min(TIMESTAMP), max(TIMESTAMP) FROM interactions",
    )
    dropped[DUPLICATE] = {
        "rows": int(taken) - out,
        "reason": DUPLICATE_REASON,
        "examples": _records(
            connection,
            "SELECT ITEM_ID AS item_id, EVENT_TYPE AS event_type, TIMESTAMP AS timestamp, occurrences"
            f" FROM interactions WHERE occurrences > 1 LIMIT {_EXAMPLES}",
        ),
    }
    (regulars,) = _row(
        connection,
        "SELECT count(*) FROM (SELECT USER_ID FROM interactions GROUP BY USER_ID HAVING count(*) > 1)",
    )
    from_session, ahead_of_time, not_a_float = _row(
        connection,
        "SELECT count(*) FILTER (from_session), count(*) FILTER (ahead_of_time),"
        " count(*) FILTER (not_a_float) FROM judged_events WHERE dropped IS NULL",
    )
    types = connection.execute(
        "SELECT EVENT_TYPE, count(*) FROM interactions GROUP BY ALL ORDER BY count(*) DESC, EVENT_TYPE"
    )
    return {
        "rows_in": out + sum(rule["rows"] for rule in dropped.values()),
        "rows_out": out,
        "dropped": dropped,
        "changed": {
            "user-from-session": from_session,
            "time-ahead-of-receipt": ahead_of_time,
            "value-not-a-float": not_a_float,
        },
        "users": users,
        "users_with_two_or_more": regulars,
        "items": items,
        "oldest": oldest,
        "newest": newest,
        "event_types": dict(types.fetchall()),
    }


def _dropped(connection: duckdb.DuckDBPyConnection, selection: Selection) -> dict[str, Any]:
    counts = dict(
        connection.execute(
            "SELECT dropped, count(*) FROM judged_events WHERE dropped IS NOT NULL GROUP BY ALL"
        ).fetchall()
    )
    return {
        rule.name: {
            "rows": counts.get(rule.name, 0),
            "reason": rule.reason,
            "examples": _records(
                connection,
                "SELECT dropped_event_id AS event_id, item_id, event_type, dropped_received_at AS received_at"
                f" FROM judged_events WHERE dropped = '{rule.name}' LIMIT {_EXAMPLES}",
            )
            if counts.get(rule.name)
            else [],
        }
        for rule in selection.rules
    }


def _row(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    row = connection.execute(query).fetchone()
    assert row is not None  # an aggregate without groups is one row
    return tuple(row)


def _records(connection: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    result = connection.execute(query)
    names = [column[0] for column in result.description or ()]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
