"""CSV as Amazon Personalize reads it.

UTF-8, an unquoted header, one record a line, an empty field for null; a value
is quoted with '"' where it has to be, and '"' and a backslash in it are escaped
by a backslash (developer guide, "Preparing training data").
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from training_data.database import DuckDb
from training_data.sql import literal

_FORMAT = "FORMAT csv, DELIMITER ',', QUOTE '\"', ESCAPE '\\', NULLSTR ''"


def write_csv(
    engine: DuckDb,
    table: str,
    columns: Sequence[str],
    path: Path,
    *,
    values_in: Mapping[str, str] | None = None,
) -> None:
    """Write the columns of a table, in this order, under a header of their names.

    :param values_in: column to a smaller table that has, in a column of that name, every value of it.
    """
    connection = engine.connection
    named = ", ".join(f"{column} AS {column}" for column in columns)
    select = f"SELECT {named} FROM {table}"
    quoted = _with_backslashes(engine, table, columns, values_in or {})
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


def _with_backslashes(
    engine: DuckDb, table: str, columns: Sequence[str], values_in: Mapping[str, str]
) -> list[str]:
    """Columns of text that have a backslash somewhere."""
    described = engine.rows(f"DESCRIBE {table}")
    texts = [name.upper() for name, kind, *_ in described if kind == "VARCHAR" and name.upper() in columns]
    by_table: dict[str, list[str]] = {}
    for column in texts:
        by_table.setdefault(values_in.get(column, table), []).append(column)
    found: list[str] = []
    for place, names in by_table.items():
        asked = ", ".join(f"bool_or(contains({name}, chr(92)))" for name in names)
        [some] = engine.rows(f"SELECT {asked} FROM {place}")
        found += [name for name, yes in zip(names, some, strict=True) if yes]
    return found
