"""The tables that the inspector asks, made of the lake's files; only what is new is read again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from vocabulary.lake import EVENTS_FOLDER, ITEMS_FOLDER, RESERVED_EVENT_TYPE_PREFIX, USERS_FOLDER

Execute = Callable[..., Any]
"""`execute(query, parameters)` of a DuckDB cursor."""


def create(execute: Execute) -> None:
    """Every table, empty."""
    for statement in _EMPTY:
        execute(statement)


def add_events(execute: Execute, paths: Sequence[str]) -> None:
    """Add the events of more files, each once however often it is there."""
    execute(_NEW_EVENTS, [list(paths)])
    execute("INSERT INTO events SELECT * FROM new_events")
    execute(_CUSTOMERS)
    execute(_POPULARITY)
    execute("DROP TABLE new_events")


def replace_catalogue(execute: Execute, keys: Sequence[str], path: Callable[[str], str]) -> None:
    """Take the catalogue from these files, and from no other."""
    for table, folder in (("items", ITEMS_FOLDER), ("users", USERS_FOLDER)):
        paths = [path(key) for key in keys if key.startswith(f"{folder}/")]
        if paths:
            execute(f"CREATE OR REPLACE TABLE {table} AS FROM read_parquet(?, union_by_name = true)", [paths])


def is_events(key: str) -> bool:
    return key.startswith(f"{EVENTS_FOLDER}/")


_EMPTY: Final = (
    """
    CREATE OR REPLACE TABLE events (
        event_id VARCHAR, received_at BIGINT, sent_at BIGINT, session_id VARCHAR, user_id VARCHAR,
        event_type VARCHAR, item_id VARCHAR
    )
    """,
    "CREATE OR REPLACE TABLE customers"
    " (user_id VARCHAR, events BIGINT, first BIGINT, last BIGINT, anonymous BOOLEAN)",
    "CREATE OR REPLACE TABLE popularity (item_id VARCHAR, events BIGINT)",
    """
    CREATE OR REPLACE TABLE items (
        item_id VARCHAR, name VARCHAR, brand VARCHAR, category VARCHAR, price DOUBLE, image VARCHAR,
        created_at BIGINT
    )
    """,
    "CREATE OR REPLACE TABLE users (user_id VARCHAR, segment VARCHAR)",
)

_NEW_EVENTS: Final = f"""
CREATE OR REPLACE TEMP TABLE new_events AS
SELECT event_id, received_at, sent_at, session_id, user_id, event_type, item_id
FROM read_parquet(?, union_by_name = true) AS read
WHERE NOT starts_with(event_type, '{RESERVED_EVENT_TYPE_PREFIX}')
    AND NOT EXISTS (FROM events WHERE events.event_id = read.event_id)
QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY received_at) = 1
"""

_CUSTOMERS: Final = """
CREATE OR REPLACE TABLE customers AS
SELECT user_id, sum(events)::BIGINT AS events, min(first) AS first, max(last) AS last,
    bool_and(anonymous) AS anonymous
FROM (
    FROM customers
    UNION ALL
    SELECT coalesce(user_id, session_id), count(*), min(received_at), max(received_at),
        bool_and(user_id IS NULL)
    FROM new_events GROUP BY 1
) GROUP BY 1
"""

_POPULARITY: Final = """
CREATE OR REPLACE TABLE popularity AS
SELECT item_id, sum(events)::BIGINT AS events
FROM (
    FROM popularity UNION ALL SELECT item_id, count(*) FROM new_events WHERE item_id IS NOT NULL GROUP BY 1
) GROUP BY 1
"""
