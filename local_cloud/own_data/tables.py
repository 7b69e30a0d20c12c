"""Temporary tables of the user's data in the lake's columns: own_events, own_items, own_users."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, Final

import duckdb

from local_cloud.own_data.column_mapping import OwnDataError
from local_cloud.own_data.files import OwnFile
from vocabulary import lake

ITEM_COLUMNS: Final = tuple(column.name for column in lake.ITEM_COLUMNS)
READ_COLUMNS: Final = (*(column.name for column in lake.EVENT_COLUMNS), "segment")
"""Of the clickstream; `segment` becomes an attribute of the user."""

_UNREADABLE: Final = {
    "sent_at": "a date of another form is read by sent_at=strptime(THEIRS, '%m/%d/%Y %H:%M')",
    "value": "a number with a comma is read by value=replace(THEIRS, ',', '.')",
}

_SESSION_PAUSE: Final = 30 * 60_000
"""Milliseconds without an event after which a new session starts, where sessions are not told."""


def read_events(
    connection: duckdb.DuckDBPyConnection,
    file: OwnFile,
    where: str,
    progress: Callable[[str], None],
    *,
    where_setting: str = "CLICKSTREAM_WHERE",
) -> None:
    told = [name for name in _UNREADABLE if name in file.columns]
    also = "".join(f", {file.unreadable(connection, name)} AS told_{name}" for name in told)
    rows = materialise(connection, "own_rows", file, READ_COLUMNS, where, where_setting, also=also)
    identified = "(user_id IS NOT NULL OR session_id IS NOT NULL)"
    complete = f"{identified} AND item_id IS NOT NULL AND sent_at IS NOT NULL AND event_type IS NOT NULL"
    pause = f"sent_at - lag(sent_at) OVER (PARTITION BY user_id ORDER BY sent_at) <= {_SESSION_PAUSE}"
    session = (
        "coalesce(session_id, user_id || ':' || max(CASE WHEN starts THEN sent_at END) "
        "OVER (PARTITION BY user_id ORDER BY sent_at ROWS UNBOUNDED PRECEDING))"
    )
    parts = ("user_id", "session_id", "item_id", "event_type", "sent_at", "value", "properties")
    key = ", ".join(f"coalesce(CAST({part} AS VARCHAR), '')" for part in parts)
    helpers = ", ".join(("starts", *(f"told_{name}" for name in told)))
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE own_events AS "
        f"SELECT * REPLACE (coalesce(event_id, md5(concat_ws(chr(31), {key}))) AS event_id) FROM ("
        f"SELECT * EXCLUDE ({helpers}) REPLACE ({session} AS session_id, "
        f"coalesce(received_at, sent_at) AS received_at) FROM ("
        f"SELECT *, ({pause}) IS NOT TRUE AS starts FROM own_rows WHERE {complete}))"
    )
    kept = one(connection, "SELECT count(*) FROM own_events")[0]
    lacking = one(
        connection,
        f"SELECT count(*) FILTER (NOT {identified}), count(*) FILTER (item_id IS NULL), "
        "count(*) FILTER (sent_at IS NULL), count(*) FILTER (event_type IS NULL) FROM own_rows",
    )
    unreadable = [_unreadable(connection, name) for name in told]
    connection.execute("DROP TABLE own_rows")
    reasons = ("user_id or session_id", "item_id", "a time that can be read", "event_type")
    why = ", ".join(
        f"{count:,} without {reason}" for count, reason in zip(lacking, reasons, strict=True) if count
    )
    examples = "".join(f"\n  {each}" for each in unreadable if each)
    if not kept:
        raise OwnDataError(f"{file.path}: none of {rows:,} rows is a complete event: {why}{examples}")
    progress(f"{file.name}: {rows:,} rows, {kept:,} of them events" + (f" ({why})" if why else "") + examples)


def _unreadable(connection: duckdb.DuckDBPyConnection, column: str) -> str | None:
    """What to write where a column holds something, and nothing can be made of it."""
    count, example = one(
        connection,
        f"SELECT count(*), min(told_{column}) FROM own_rows WHERE trim(told_{column}) <> ''",
    )
    if not count:
        return None
    return f"{column} is left empty in {count:,} rows ({example!r}, say): {_UNREADABLE[column]}"


def read_items(connection: duckdb.DuckDBPyConnection, file: OwnFile, where: str) -> None:
    """One row per item: where a file has several, the usual words, the middle price, the first date."""
    materialise(connection, "own_item_rows", file, ITEM_COLUMNS, where, "CATALOGUE_WHERE")
    usual = ", ".join(f"mode({each} ORDER BY {each}) AS {each}" for each in ("brand", "category"))
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE own_items AS SELECT item_id, "
        f"coalesce(mode(name ORDER BY name), item_id) AS name, {usual}, median(price) AS price, "
        f"mode(image ORDER BY image) AS image, min(created_at) AS created_at "
        f"FROM own_item_rows WHERE item_id IS NOT NULL GROUP BY item_id"
    )
    connection.execute("DROP TABLE own_item_rows")


def materialise(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    file: OwnFile,
    columns: Collection[str],
    where: str,
    where_setting: str,
    *,
    also: str = "",
) -> int:
    """Make a table of what a file holds, and count its rows.

    :param also: more of a select list, over the file's columns.
    """
    select = file.select(connection, columns) + also
    if where:
        try:
            connection.sql(f"SELECT 1 FROM {file.source} WHERE ({where}) LIMIT 0")
        except duckdb.Error as error:
            raise OwnDataError(f"{where_setting}: {where!r} does not work: {error}") from None
    condition = f" WHERE ({where})" if where else ""
    try:
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT {select} FROM {file.source}{condition}"
        )
    except duckdb.Error as error:
        raise OwnDataError(f"{file.path}: cannot be read: {error}") from None
    rows = int(one(connection, f"SELECT count(*) FROM {table}")[0])
    if not rows:
        raise OwnDataError(
            f"{file.path}: no rows" + (f" that meet {where_setting}={where!r}" if where else "")
        )
    return rows


def compare(connection: duckdb.DuckDBPyConnection, progress: Callable[[str], None]) -> None:
    """Refuse a catalogue of other items than the clickstream's; say when it lacks some."""
    total, lacking = one(
        connection,
        "SELECT count(*), count(*) FILTER (item_id NOT IN (SELECT item_id FROM own_items)) FROM own_events",
    )
    if lacking == total:
        touched = one(connection, "SELECT min(item_id) FROM own_events")[0]
        listed = one(connection, "SELECT min(item_id) FROM own_items")[0]
        raise OwnDataError(
            "CATALOGUE: it has none of the items in CLICKSTREAM; are both item_id the same kind of id? "
            f"The clickstream has {touched!r}, the catalogue {listed!r}"
        )
    if lacking:
        progress(f"{lacking:,} events touch items that the catalogue lacks; training leaves them out")


def derive_items(connection: duckdb.DuckDBPyConnection) -> None:
    """A catalogue of nothing but the ids in the clickstream."""
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE own_items AS SELECT item_id, item_id AS name, NULL AS brand, "
        "NULL AS category, NULL AS price, NULL AS image, NULL AS created_at FROM own_events GROUP BY item_id"
    )


def derive_users(connection: duckdb.DuckDBPyConnection) -> None:
    """Everyone in the clickstream, with the segment told most often."""
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE own_users AS SELECT user_id, mode(segment ORDER BY segment) AS segment "
        "FROM own_events WHERE user_id IS NOT NULL GROUP BY user_id"
    )


def one(connection: duckdb.DuckDBPyConnection, sql: str) -> tuple[Any, ...]:
    """The one row of a query."""
    row: tuple[Any, ...] = connection.execute(sql).fetchall()[0]
    return row
