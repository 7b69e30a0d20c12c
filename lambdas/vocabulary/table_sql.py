"""The lake's tables in DuckDB's SQL."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from vocabulary.lake import Column

TYPES: Final = {
    "string": "VARCHAR",
    "bigint": "BIGINT",
    "int": "INTEGER",
    "double": "DOUBLE",
    "array<string>": "VARCHAR[]",
}
"""DuckDB's types by Hive's."""

CONTROL_CHARACTERS: Final = r"'[\x00-\x1F\x7F-\x{9F}\x{2028}\x{2029}]'"
"""A pattern, as a literal: also what ends a line for some readers only (U+0085, U+2028, U+2029).

Spark reads it so with `spark.sql.parser.escapedStringLiterals`.
"""


def typed(columns: Iterable[Column]) -> str:
    """The select list that gives each column the type that its Glue table declares."""
    return ", ".join(f"CAST({column.name} AS {TYPES[column.type]}) AS {column.name}" for column in columns)


def rows_of(columns: Sequence[Column], files: Sequence[str]) -> str:
    """A query for the rows of Parquet files, with exactly these columns and types.

    A column that some or all files lack is null there, one that is not asked for is not read.

    :param files: paths or patterns, each of which finds some; none for no rows.
    """
    nulls = ", ".join(f"CAST(NULL AS {TYPES[column.type]}) AS {column.name}" for column in columns)
    rows = f"SELECT {nulls} WHERE false"
    if files:
        listed = ", ".join("'" + file.replace("'", "''") + "'" for file in files)
        rows += f" UNION ALL BY NAME SELECT * FROM read_parquet([{listed}], union_by_name = true)"
    # Files may hold another type, e.g. numbers for ids: theirs and ours meet, then become ours
    return f"SELECT {typed(columns)} FROM ({rows})"
