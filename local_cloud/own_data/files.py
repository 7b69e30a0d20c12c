"""The user's own files, of whatever kind, as SQL that gives our columns with our types."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from local_cloud.own_data.column_mapping import OwnDataError, parse, quoted, resolve

_SUFFIXES: Final = {
    ".parquet": "parquet", ".pq": "parquet",
    ".csv": "csv", ".tsv": "csv", ".txt": "csv",
    ".json": "json", ".jsonl": "json", ".ndjson": "json",
}  # fmt: skip

_COMPRESSED: Final = (".gz", ".zst")
SECONDS_BELOW: Final = "1e11"
"""What is less is unix seconds, the rest milliseconds: as seconds it is the year 5138, as milliseconds March
1973."""

_IDS: Final = frozenset({"event_id", "session_id", "user_id", "item_id", "recommendation_id"})
_TIMES: Final = frozenset({"received_at", "sent_at", "created_at"})
_NUMBERS: Final = frozenset({"value", "price"})


@dataclass(frozen=True)
class OwnFile:
    """A readable file (or several, by a pattern with `*`) whose columns are mapped onto ours.

    :param setting: which setting named it, for messages.
    :param source: SQL that reads it, to follow FROM.
    :param theirs: names of its columns.
    :param columns: our column to SQL over theirs; only those that were found.
    """

    setting: str
    path: str
    source: str
    theirs: tuple[str, ...]
    columns: Mapping[str, str]

    @property
    def name(self) -> str:
        return Path(self.path).name

    def select(self, connection: duckdb.DuckDBPyConnection, wanted: Collection[str]) -> str:
        """The select list of these columns of ours, typed; NULL for what the file lacks.

        :raises OwnDataError: when an expression does not work on this file.
        """
        parts = []
        for column in wanted:
            expression = self.columns.get(column)
            typed = "NULL" if expression is None else self._typed(connection, column, expression)
            parts.append(f"{typed} AS {column}")
        return ", ".join(parts)

    def unreadable(self, connection: duckdb.DuckDBPyConnection, column: str) -> str:
        """SQL for what is there, as text, where nothing can be made of it; null elsewhere."""
        expression = self.columns[column]
        ours = self._typed(connection, column, expression)
        return f"CASE WHEN {ours} IS NULL THEN CAST(({expression}) AS VARCHAR) END"

    def kind(self, connection: duckdb.DuckDBPyConnection, column: str) -> str:
        """DuckDB's type of what one of our columns is made of.

        :raises OwnDataError: when the expression does not work on this file.
        """
        expression = self.columns[column]
        try:
            return str(connection.sql(f"SELECT {expression} AS it FROM {self.source} LIMIT 0").types[0])
        except duckdb.Error as error:
            raise OwnDataError(
                f"{self.setting}: {column}={expression} does not work on {self.name}: {_first_line(error)}\n"
                f"  columns found: {', '.join(self.theirs)}"
            ) from None

    def _typed(self, connection: duckdb.DuckDBPyConnection, column: str, expression: str) -> str:
        kind = self.kind(connection, column)
        if column in _TIMES:
            return _milliseconds(f"({expression})", kind)
        if column in _NUMBERS:
            return f"TRY_CAST(({expression}) AS DOUBLE)"
        if column in _IDS:
            return _identifier(f"({expression})", kind)
        if column == "impression":
            return (
                f"({expression})::VARCHAR[]" if kind.endswith("[]") else f"string_split(({expression}), '|')"
            )
        if column == "category" and kind.endswith("[]"):
            return f"nullif(array_to_string(({expression}), '|'), '')"
        if column == "properties" and kind != "VARCHAR":
            return f"CAST(to_json({expression}) AS VARCHAR)"
        return f"nullif(trim(CAST(({expression}) AS VARCHAR)), '')"


def open_file(
    connection: duckdb.DuckDBPyConnection,
    path: str,
    *,
    setting: str,
    mapping: str,
    mapping_setting: str,
    ours: Collection[str],
) -> OwnFile:
    """Look at a file and settle which of its columns are which of ours.

    :param path: Parquet, CSV or JSON lines, by its suffix; also compressed by gzip or zstd.
    :param setting: the setting that named the file.
    :param mapping: see column_mapping.
    :param mapping_setting: the setting that holds the mapping.
    :param ours: the columns of ours that it may have.
    :raises OwnDataError: for a file that is not there, of no known kind or unreadable, and a wrong mapping.
    """
    kind = _kind(path, setting)
    if "*" not in path and not Path(path).exists():
        raise OwnDataError(f"{setting}={path}: there is no such file")
    try:
        found = connection.sql(f"SELECT * FROM {_source(path, kind)} LIMIT 0")
    except duckdb.Error as error:
        raise OwnDataError(f"{setting}={path}: cannot be read as {kind}: {_first_line(error)}") from None
    theirs = tuple(found.columns)
    columns = resolve(parse(mapping, allowed=ours, setting=mapping_setting), ours=ours, theirs=theirs)
    ids = {columns.get(each) for each in _IDS}
    types = {
        # an id such as 00017 is text, though it looks like a number
        name: "VARCHAR" if quoted(name) in ids else str(type_)
        for name, type_ in zip(theirs, found.types, strict=True)
    }
    source = _source(path, kind, types=types if kind == "csv" else None)
    return OwnFile(mapping_setting, path, source, theirs, columns)


def _kind(path: str, setting: str) -> str:
    name = path.lower()
    for ending in _COMPRESSED:
        name = name.removesuffix(ending)
    kind = _SUFFIXES.get(Path(name).suffix)
    if kind is None:
        raise OwnDataError(
            f"{setting}={path}: what kind of file is it? Known endings: {', '.join(_SUFFIXES)}, "
            f"the last two kinds also with {' or '.join(_COMPRESSED)} behind"
        )
    return kind


def _source(path: str, kind: str, *, types: Mapping[str, str] | None = None) -> str:
    """SQL that reads a file; a CSV is searched whole for its columns' types unless they are known."""
    if kind == "parquet":
        return f"read_parquet({_literal(path)})"
    if kind == "json":
        return f"read_json({_literal(path)})"
    if types is None:
        return f"read_csv({_literal(path)}, sample_size = -1)"
    known = ", ".join(f"{_literal(name)}: {_literal(type_)}" for name, type_ in types.items())
    return f"read_csv({_literal(path)}, types = {{{known}}})"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _identifier(expression: str, kind: str) -> str:
    """As text; a whole number kept as a float, which pandas makes of a column with gaps, without its `.0`."""
    if kind in ("DOUBLE", "FLOAT"):
        return (
            f"CASE WHEN {expression} = floor({expression}) "
            f"THEN CAST(CAST({expression} AS BIGINT) AS VARCHAR) "
            f"ELSE CAST({expression} AS VARCHAR) END"
        )
    return f"nullif(trim(CAST({expression} AS VARCHAR)), '')"


def _milliseconds(expression: str, kind: str) -> str:
    """Unix milliseconds of a timestamp, of unix seconds or milliseconds, or of either as text."""
    if re.match("TIMESTAMP|DATE", kind):
        return f"epoch_ms(CAST({expression} AS TIMESTAMPTZ))"
    number = f"TRY_CAST({expression} AS DOUBLE)"
    scaled = f"CASE WHEN abs({number}) < {SECONDS_BELOW} THEN {number} * 1000 ELSE {number} END"
    unix = f"TRY_CAST(round({scaled}) AS BIGINT)"
    return f"coalesce({unix}, epoch_ms(TRY_CAST({expression} AS TIMESTAMPTZ)))" if kind == "VARCHAR" else unix


def _first_line(error: Exception) -> str:
    if "not utf-8" in str(error):
        return (
            "it is not encoded in UTF-8; iconv -f LATIN1 -t UTF-8 makes it so of what old spreadsheets write"
        )
    return str(error).splitlines()[0]
