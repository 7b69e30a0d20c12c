"""DuckDB within a function's limits, and the lake's tables in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb

from training_data.sql import DUCKDB, Dialect
from vocabulary.lake import Column
from vocabulary.table_sql import rows_of

_SHARE_OF_MEMORY: Final = 0.6
"""What DuckDB may buffer; Python, boto3 and what DuckDB does not count take the rest."""


@dataclass(frozen=True)
class DuckDb:
    """The engine that a function runs.

    :param compressed: keep tables on disk, compressed, rather than as they are in memory, from where they
        spill to disk at their full size: a third slower, for what memory does not hold.
    """

    connection: duckdb.DuckDBPyConnection
    compressed: bool = False

    @property
    def dialect(self) -> Dialect:
        return DUCKDB

    def define(self, name: str, query: str, *, keep: bool = False) -> None:
        kind = ("TABLE" if self.compressed else "TEMP TABLE") if keep else "TEMP VIEW"
        self.connection.execute(f"CREATE OR REPLACE {kind} {name} AS {query}")

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(query).fetchall()


@contextmanager
def database(folder: Path, *, memory_mib: int | None = None, compressed: bool = False) -> Iterator[DuckDb]:
    """Open a database in an existing folder, which also takes what does not fit into memory.

    :param memory_mib: of the function, or None for DuckDB's own default (80 % of the machine).
    """
    config: dict[str, str | bool | int | float | list[str]] = {
        "temp_directory": str(folder / "spill"),
        "home_directory": str(folder),
        "preserve_insertion_order": "false",  # order costs memory, and training data has none
        "autoinstall_known_extensions": "false",  # what it needs is built in; never reach for the network
    }
    if memory_mib is not None:
        config["memory_limit"] = f"{int(memory_mib * _SHARE_OF_MEMORY)}MiB"
    with duckdb.connect(str(folder / "training.duckdb"), config=config) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET enable_progress_bar = false")
        yield DuckDb(connection, compressed)


def define_table(
    engine: DuckDb, name: str, columns: Sequence[Column], folder: Path, only: Sequence[Path] | None = None
) -> None:
    """Define a view over the Parquet files of a folder, with exactly these columns and types.

    A column that some or all files lack is null there, one that is not asked for is not read.

    :param only: of these files in the folder; of all where not given.
    """
    files = [*only] if only is not None else [folder / "*.parquet"] if any(folder.glob("*.parquet")) else []
    engine.define(name, rows_of(columns, [str(file) for file in files]))
