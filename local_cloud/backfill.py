"""A history from elsewhere into the lake of any environment: `make backfill SOURCE=export.parquet`.

Of events; the catalogue's snapshots are loaded by local_cloud/snapshot_backfill.

The same files and column mappings as the demo's own data take (local_cloud/own_data). Each day becomes one
file of the lake, named after the source, so that a second load replaces the first and touches nothing that
the stream delivered. What is there already is skipped: a load that was cut off goes on where it ended.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import duckdb

from local_cloud.own_data.column_mapping import OwnDataError
from local_cloud.own_data.files import OwnFile, open_file
from local_cloud.own_data.reading import require
from local_cloud.own_data.tables import READ_COLUMNS, one, read_events
from vocabulary import lake
from vocabulary.table_sql import typed

_MEMORY: Final = "2GiB"
_DAY_MS: Final = 86_400_000
_EPOCH: Final = date(1970, 1, 1)
_EARLIEST: Final = date(2000, 1, 1)
"""What was received before is a wrong clock, or a number that is no time."""
_AHEAD: Final = timedelta(days=1)
"""Clocks of servers go wrong by less."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """What is loaded.

    :param path: Parquet, CSV or JSON lines, also compressed; `*` matches several files.
    :param columns: our columns to theirs, see `local_cloud.own_data.column_mapping`.
    :param where: a DuckDB condition that rows must meet.
    """

    path: str
    columns: str = ""
    where: str = ""

    @property
    def name(self) -> str:
        """Tells this source from others, also of the same path with another mapping."""
        return hashlib.sha256(json.dumps(asdict(self)).encode()).hexdigest()[:12]

    def open(self, connection: duckdb.DuckDBPyConnection, ours: Collection[str]) -> OwnFile:
        """Look at the file and settle which of its columns are which of ours.

        :raises OwnDataError: when it cannot be read; the message says what to write instead.
        """
        return open_file(
            connection,
            self.path,
            setting="SOURCE",
            mapping=self.columns,
            mapping_setting="COLUMNS",
            ours=ours,
        )


@dataclass(frozen=True)
class Backfilled:
    """How many events of how many days were loaded now, and how many days were there already."""

    events: int
    days: int
    there: int


def backfill(s3: Any, bucket: str, source: Source, *, progress: Callable[[str], None]) -> Backfilled:
    """Load a source into the lake.

    :param s3: a boto3 S3 client that may list and put below `events/` of the bucket.
    :param progress: told in words what was found, and what is being done.
    :raises OwnDataError: when it cannot be read; the message says what to write instead.
    """
    with (
        tempfile.TemporaryDirectory(prefix="colorway-backfill-") as name,
        large_database(Path(name)) as connection,
    ):
        file = source.open(connection, READ_COLUMNS)
        require(file, ("item_id", "sent_at", "event_type"), identity=True)
        progress(f"reading {file.name}")
        read_events(connection, file, source.where, progress, where_setting="WHERE")
        _leave_out_impossible(connection, file, progress)
        days = connection.execute(
            f"SELECT received_at // {_DAY_MS}, count(*) FROM own_events GROUP BY 1 ORDER BY 1"
        ).fetchall()
        done = _etags(s3, bucket, source)
        loaded = there = events = 0
        for number, count in days:
            day, start = _EPOCH + timedelta(days=number), number * _DAY_MS
            key = f"{lake.EVENTS_FOLDER}/day={day}/backfill-{source.name}.parquet"
            path = Path(name) / "day.parquet"
            connection.execute(
                f"COPY (SELECT {typed(lake.EVENT_COLUMNS)} FROM own_events"
                f" WHERE received_at >= {start} AND received_at < {start + _DAY_MS}"
                # An order of its own, so that the same day is the same file
                f" ORDER BY received_at, event_id, session_id) TO '{path}' (FORMAT parquet, COMPRESSION zstd)"
            )
            body = path.read_bytes()
            if done.get(key) == hashlib.md5(body, usedforsecurity=False).hexdigest():
                there += 1
            else:
                s3.put_object(Bucket=bucket, Key=key, Body=body)
                loaded, events = loaded + 1, events + count
            progress(f"{day}: {loaded + there} of {len(days)} days, {events:,} events loaded")
        first, last = (_EPOCH + timedelta(days=days[at][0]) for at in (0, -1))
        progress(f"{events:,} events of {loaded} days loaded, {there} days were there ({first} to {last})")
        return Backfilled(events, loaded, there)


def _leave_out_impossible(
    connection: duckdb.DuckDBPyConnection, file: OwnFile, progress: Callable[[str], None]
) -> None:
    """Leave out what no shop can have received; it would lie in days that nobody ever reads.

    :raises OwnDataError: when it is all of them: then the numbers mean something else.
    """
    earliest = (_EARLIEST - _EPOCH).days * _DAY_MS
    latest = int((datetime.now(UTC) + _AHEAD).timestamp() * 1000)
    impossible = f"received_at NOT BETWEEN {earliest} AND {latest}"
    found, example, all_of_them = one(
        connection,
        f"SELECT count(*), any_value(received_at), count(*) = (SELECT count(*) FROM own_events)"
        f" FROM own_events WHERE {impossible}",
    )
    if not found:
        return
    why = f"{found:,} received before {_EARLIEST.year} or in days to come ({example} ms, say)"
    if all_of_them:
        raise OwnDataError(
            f"{file.path}: no event can be loaded: {why}\n"
            "  allowed for sent_at and received_at: timestamps, or unix seconds or milliseconds;"
            f' of microseconds, {file.setting}="sent_at=ts//1000"'
        )
    connection.execute(f"DELETE FROM own_events WHERE {impossible}")
    progress(f"{file.name}: left out {why}")


@contextmanager
def large_database(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in an existing folder, which takes more than memory holds."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "temp_directory": str(folder / "spill"),
        "memory_limit": _MEMORY,
        "autoinstall_known_extensions": "false",
    }
    with duckdb.connect(str(folder / "backfill.duckdb"), config=config) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection


def _etags(s3: Any, bucket: str, source: Source) -> dict[str, str]:
    """What an earlier load of this source has left: key to MD5, which is the ETag of what was put whole."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{lake.EVENTS_FOLDER}/")
    return {
        found["Key"]: found["ETag"].strip('"')
        for page in pages
        for found in page.get("Contents", ())
        if found["Key"].endswith(f"/backfill-{source.name}.parquet")
    }
