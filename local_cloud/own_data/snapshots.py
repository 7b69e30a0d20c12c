"""A catalogue as a snapshot of the lake takes it: nothing is guessed, and what is wrong is named.

The demo makes the best of a file (`tables.read_items`). What a deployment trains on from now on has to be
right: a price that is no number, or an item that is there twice, is somebody's mistake.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

import duckdb

from local_cloud.own_data.column_mapping import OwnDataError
from local_cloud.own_data.files import SECONDS_BELOW, OwnFile
from local_cloud.own_data.tables import materialise, one
from vocabulary import lake
from vocabulary.table_sql import CONTROL_CHARACTERS

SnapshotKind = Literal["items", "users"]

TABLE: Final = "own_snapshot"

_LONGEST_ID: Final = 256
"""Characters of an id (developer guide, "Items" and "Users" data sets); training leaves longer ones out."""

_SHOWN: Final = 3
_WIDEST: Final = 80

_YEAR: Final = 31_536_000
"""Seconds. What is below is no unix time of an item, but a year, a date such as 20261125, or a 0 for none."""


@dataclass(frozen=True)
class Shape:
    """What a kind of snapshot consists of.

    :param folder: in the lake.
    :param id: the column that tells its rows apart.
    """

    folder: str
    columns: tuple[lake.Column, ...]
    id: str

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)


SHAPES: Final[dict[SnapshotKind, Shape]] = {
    "items": Shape(lake.ITEMS_FOLDER, lake.ITEM_COLUMNS, "item_id"),
    "users": Shape(lake.USERS_FOLDER, lake.USER_COLUMNS, "user_id"),
}


def read_snapshot(
    connection: duckdb.DuckDBPyConnection,
    file: OwnFile,
    kind: SnapshotKind,
    where: str,
    *,
    latest: int,
    progress: Callable[[str], None],
) -> int:
    """Make the temporary table `TABLE` of a file, one row per item or user, and count its rows.

    :param where: a DuckDB condition that rows must meet.
    :param latest: unix milliseconds; an item that is first for sale later is a mistake.
    :raises OwnDataError: naming each field that is wrong, values, and what is allowed.
    """
    shape = SHAPES[kind]
    _refuse(file, list(_wrong_kinds(connection, file, shape)))
    told = {name: file.columns[name] for name in ("price", "created_at") if name in file.columns}
    also = "".join(f", CAST(({theirs}) AS VARCHAR) AS told_{name}" for name, theirs in told.items())
    rows = materialise(connection, "own_told", file, shape.names, where, "WHERE", also=also)
    progress(f"{file.name}: {rows:,} rows; checking them")
    name = "REPLACE (coalesce(name, item_id) AS name)" if kind == "items" else ""
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {TABLE} AS "
        f"SELECT DISTINCT * {name} FROM (SELECT {', '.join(shape.names)} FROM own_told)"
    )
    problems = [*_ids(connection, shape)]
    if "price" in told:
        problems += _prices(connection, shape)
    if "created_at" in told:
        problems += _times(connection, shape, latest)
    _refuse(file, problems)
    connection.execute("DROP TABLE own_told")
    kept = int(one(connection, f"SELECT count(*) FROM {TABLE}")[0])
    again = f", {rows - kept:,} rows word for word like another" if rows > kept else ""
    progress(f"{file.name}: {kept:,} {kind}{again}")
    return kept


def _refuse(file: OwnFile, problems: list[str]) -> None:
    if problems:
        raise OwnDataError(
            f"SOURCE={file.path}: nothing was loaded\n"
            + "".join(f"  {problem}\n" for problem in problems)
            + "  mend the file, map the column otherwise in COLUMNS, or leave rows out by WHERE"
        )


def _wrong_kinds(connection: duckdb.DuckDBPyConnection, file: OwnFile, shape: Shape) -> Iterator[str]:
    """Columns of which no value can be right."""
    for name in file.columns:
        kind = file.kind(connection, name)
        allowed = {
            "price": "a number, or text that is one",
            "created_at": "a timestamp, or unix seconds or milliseconds",
            "category": "text, or a list of texts",
        }.get(name, "text or a number")
        nested = kind.startswith(("STRUCT", "MAP", "UNION")) or kind.endswith("]")
        wrong = (
            nested and not (name == "category" and kind == "VARCHAR[]"),
            kind == "BOOLEAN" and name in (shape.id, "price", "created_at"),
            name == "price" and kind.startswith(("DATE", "TIME")),
        )
        if any(wrong):
            yield f"{name}: is {kind}, allowed: {allowed}"


def _ids(connection: duckdb.DuckDBPyConnection, shape: Shape) -> Iterator[str]:
    beside = [name for name in shape.names if name != shape.id]
    row = "concat_ws(', ', " + ", ".join(f"'{name} ' || {name}" for name in beside) + ")"
    if found := _found(connection, "own_told", row, f"{shape.id} IS NULL"):
        yield f"{shape.id}: missing in {found}; allowed: an id in every row"
    long = f"length({shape.id}) > {_LONGEST_ID}"
    if found := _found(connection, TABLE, shape.id, long):
        yield f"{shape.id}: over {_LONGEST_ID} characters in {found}; allowed: 1 to {_LONGEST_ID}"
    if found := _found(connection, TABLE, shape.id, f"regexp_matches({shape.id}, {CONTROL_CHARACTERS})"):
        yield f"{shape.id}: a line break or another control character in {found}; allowed: none"
    repeated = (
        f"(SELECT {shape.id}, count(*) AS times FROM {TABLE} WHERE {shape.id} IS NOT NULL "
        f"GROUP BY {shape.id} HAVING count(*) > 1)"
    )
    if found := _found(connection, repeated, f"{shape.id} || ' ' || times || ' times'", "true", "id"):
        yield f"{shape.id}: {found} in rows that differ; allowed: once in a snapshot"


def _prices(connection: duckdb.DuckDBPyConnection, shape: Shape) -> Iterator[str]:
    wrong = "coalesce(trim(told_price), '') <> '' AND (price IS NULL OR NOT isfinite(price) OR price < 0)"
    if found := _found(connection, "own_told", _of("told_price", shape), wrong):
        yield f"price: {found}; allowed: a number from 0, with a point and no currency, or nothing"


def _times(connection: duckdb.DuckDBPyConnection, shape: Shape, latest: int) -> Iterator[str]:
    allowed = "allowed: a timestamp such as 2026-11-25 08:00:00, or unix seconds or milliseconds, or nothing"
    told, value = "coalesce(trim(told_created_at), '') <> ''", _of("told_created_at", shape)
    number = "abs(TRY_CAST(told_created_at AS DOUBLE))"
    if found := _found(connection, "own_told", value, f"{told} AND created_at IS NULL"):
        yield f"created_at: no time: {found}; {allowed}"
    if found := _found(connection, "own_told", value, f"{number} < {_YEAR}"):
        yield (
            f"created_at: in 1970 as unix time: {found}; {allowed}"
            " (a 0 that means none: created_at=nullif(…, 0); a year: make_date(…, 1, 1))"
        )
    year = "CAST(floor(1970 + created_at / 31556952000) AS BIGINT)"
    if found := _found(
        connection, "own_told", f"{value} || ', the year ' || {year}", f"created_at > {latest}"
    ):
        yield f"created_at: over a year after the snapshot: {found}; {allowed}"
    seconds = _found(connection, "own_told", value, f"{number} >= {_YEAR} AND {number} < {SECONDS_BELOW}")
    milliseconds = _found(connection, "own_told", value, f"{number} >= {SECONDS_BELOW}")
    if seconds and milliseconds:
        yield f"created_at: seconds in {seconds}, milliseconds in {milliseconds}; allowed: one of the two"


def _of(column: str, shape: Shape) -> str:
    """A value as it was told, and whose it is."""
    return f"'''' || {column} || ''' of ' || coalesce({shape.id}, 'no id')"


def _found(
    connection: duckdb.DuckDBPyConnection, table: str, shown: str, where: str, noun: str = "row"
) -> str:
    """How many rows meet a condition and what the first are, or nothing where none does."""
    count = int(one(connection, f"SELECT count(*) FROM {table} WHERE {where}")[0])
    if not count:
        return ""
    first = connection.execute(
        f"SELECT {shown} AS shown FROM {table} WHERE {where} ORDER BY shown LIMIT {_SHOWN}"
    ).fetchall()
    named = "; ".join(_shorten(text) for (text,) in first)
    more = "; …" if count > _SHOWN else ""
    return f"{count:,} {noun if count == 1 else noun + 's'} ({named}{more})"


def _shorten(text: str) -> str:
    """A value for a message: in one line, and not much of it."""
    line = "".join(sign if sign.isprintable() else "?" for sign in text)
    return line if len(line) <= _WIDEST else f"{line[: _WIDEST - 1]}…"
