"""CSV as Amazon Personalize reads it.

UTF-8, an unquoted header, one record a line, an empty field for null; a value
is quoted with '"' where it has to be, and '"' and a backslash in it are escaped
by a backslash (developer guide, "Preparing training data").
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import duckdb

from training_data.database import literal

_FORMAT = "FORMAT csv, DELIMITER ',', QUOTE '\"', ESCAPE '\\', NULLSTR ''"


def write_csv(connection: duckdb.DuckDBPyConnection, table: str, columns: Sequence[str], path: Path) -> None:
    """Write the columns of a table, in this order, under a header of their names."""
    select = f"SELECT {', '.join(columns)} FROM {table}"
    quoted = _with_backslashes(connection, table, columns)
    if not quoted:
        connection.execute(f"COPY ({select}) TO {literal(str(path))} ({_FORMAT}, HEADER true)")
        return
    # DuckDB quotes for ',' and '"' but not for a backslash alone, and where told to quote, the header too
    rows = path.with_suffix(".rows")
    options = f"{_FORMAT}, HEADER false, FORCE_QUOTE ({', '.join(quoted)})"
    connection.execute(f"COPY ({select}) TO {literal(str(rows))} ({options})")
    with path.open("wb") as whole, rows.open("rb") as opened:
        whole.write((",".join(columns) + "\n").encode())
        shutil.copyfileobj(opened, whole, 2**20)
    rows.unlink()


def _with_backslashes(connection: duckdb.DuckDBPyConnection, table: str, columns: Sequence[str]) -> list[str]:
    found = ", ".join(f"bool_or(contains(CAST({column} AS VARCHAR), '\\'))" for column in columns)
    row = connection.execute(f"SELECT {found} FROM {table}").fetchone() or ()
    return [column for column, backslashes in zip(columns, row, strict=True) if backslashes]
