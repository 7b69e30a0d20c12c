"""Loading a history into the lake as Parquet files, the way Firehose would have left it there.

History does not go through the stream: it would be slow, and would reach the
forwarder, which is for what happens now.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb

from vocabulary import lake
from vocabulary.table_sql import typed

_PREFIX: Final = "loaded"
"""How loaded files are called; DuckDB numbers them from 0 in each day, so that loading again replaces."""

_UPLOADS_AT_ONCE: Final = 8


@dataclass(frozen=True)
class History:
    """DuckDB relations with the columns of vocabulary.lake's EVENT_COLUMNS, ITEM_COLUMNS and USER_COLUMNS."""

    events: duckdb.DuckDBPyRelation
    items: duckdb.DuckDBPyRelation
    users: duckdb.DuckDBPyRelation


@dataclass(frozen=True)
class Loaded:
    """How many rows were loaded, and over how many days the events spread."""

    events: int
    items: int
    users: int
    days: int


def connect() -> duckdb.DuckDBPyConnection:
    """A DuckDB database in memory that thinks in UTC and downloads nothing."""
    connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def load(
    s3: Any,
    *,
    bucket: str,
    history: History,
    progress: Callable[[str], None],
) -> Loaded:
    """Write events by the day they arrived, and items and users as a snapshot of the last of these days.

    What an earlier load left is replaced; what the stream delivered is not touched.

    :param s3: a boto3 S3 client.
    :param bucket: name of the lake bucket.
    :param progress: told in words what is being done.
    :raises ValueError: when there are no events.
    """
    with tempfile.TemporaryDirectory(prefix="colorway-load-") as folder:
        root = Path(folder)
        if not (event_count := _rows(history.events)):
            raise ValueError("no events to load")
        _write_events(history.events, root / lake.EVENTS_FOLDER)
        days = sorted(day.name for day in (root / lake.EVENTS_FOLDER).iterdir())
        loaded = Loaded(
            events=event_count,
            items=_write_snapshot(history.items, lake.ITEM_COLUMNS, root / lake.ITEMS_FOLDER / days[-1]),
            users=_write_snapshot(history.users, lake.USER_COLUMNS, root / lake.USERS_FOLDER / days[-1]),
            days=len(days),
        )
        files = {
            path.relative_to(root).as_posix(): path for path in sorted(root.rglob(f"{_PREFIX}*.parquet"))
        }
        size = sum(path.stat().st_size for path in files.values())
        progress(
            f"{loaded.events:,} events of {loaded.days:,} days, {loaded.items:,} items, "
            f"{loaded.users:,} users: {size / 1e6:.1f} MB"
        )
        with ThreadPoolExecutor(_UPLOADS_AT_ONCE) as pool:
            list(
                pool.map(
                    lambda key: s3.put_object(Bucket=bucket, Key=key, Body=files[key].read_bytes()), files
                )
            )
    if removed := _remove_others(s3, bucket, keep=files.keys()):
        progress(f"removed {removed:,} files that an earlier load of other days had left")
    return loaded


def _write_events(events: duckdb.DuckDBPyRelation, folder: Path) -> None:
    """A folder per day, in it the day's events in order of arrival."""
    by_day = events.project(typed(lake.EVENT_COLUMNS)).project(
        "*, strftime(make_timestamp(received_at * 1000), '%Y-%m-%d') AS day"
    )
    by_day.order("received_at, event_id").write_parquet(
        str(folder), compression="zstd", partition_by=["day"], filename_pattern=_PREFIX
    )


def _write_snapshot(table: duckdb.DuckDBPyRelation, columns: Sequence[lake.Column], folder: Path) -> int:
    folder.mkdir(parents=True)
    rows = table.project(typed(columns)).order(columns[0].name)
    rows.write_parquet(str(folder / f"{_PREFIX}0.parquet"), compression="zstd")
    return _rows(table)


def _rows(table: duckdb.DuckDBPyRelation) -> int:
    return int(table.aggregate("count(*)").fetchall()[0][0])


def _remove_others(s3: Any, bucket: str, *, keep: Iterable[str]) -> int:
    """Delete loaded files of other days, which an earlier load of other data left."""
    kept = set(keep)
    stale: list[str] = []
    for folder in (lake.EVENTS_FOLDER, lake.ITEMS_FOLDER, lake.USERS_FOLDER):
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{folder}/day="):
            stale += [
                entry["Key"]
                for entry in page.get("Contents", [])
                if entry["Key"].rpartition("/")[2].startswith(_PREFIX) and entry["Key"] not in kept
            ]
    for batch in _batches(stale, 1000):
        s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in batch], "Quiet": True})
    return len(stale)


def _batches(keys: Sequence[str], size: int) -> Iterable[Sequence[str]]:
    return (keys[at : at + size] for at in range(0, len(keys), size))
