"""A catalogue from elsewhere into the lake: `make backfill KIND=items SOURCE=products.csv DAY=2026-11-25`.

A snapshot is one object, put when all of it has been read and found right: S3 shows it whole or not at all,
and until then whatever counted goes on counting. A load that was cut off has left nothing; run it again.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final

from local_cloud.backfill import Source, large_database
from local_cloud.own_data.column_mapping import OwnDataError
from local_cloud.own_data.reading import require
from local_cloud.own_data.snapshots import SHAPES, TABLE, SnapshotKind, read_snapshot
from vocabulary.table_sql import typed

_FILE: Final = "backfill.parquet"
"""One name whatever the source: a second load of a day takes the place of the first in one step."""

_AHEAD: Final = timedelta(days=366)
"""How long after its snapshot an item may be first for sale: catalogues announce."""


@dataclass(frozen=True)
class Snapshot:
    """What came of a load.

    :param rows: in the snapshot.
    :param loaded: false when the very same was there already.
    :param newest: the newest day that has a snapshot now, `YYYY-MM-DD`: the one that counts.
    """

    rows: int
    loaded: bool
    newest: str


def day_of_snapshot(text: str, *, today: date) -> date:
    """The day that DAY names, or today.

    :raises OwnDataError: for what is no day, and for one to come.
    """
    try:
        day = date.fromisoformat(text) if text else today
    except ValueError:
        raise OwnDataError(f"DAY is {text!r}, allowed: a day such as {today}, or nothing for today") from None
    if day > today:
        # It would hide the snapshots of all days until then
        raise OwnDataError(f"DAY is {day}, allowed: up to today, {today} UTC; the newest snapshot counts")
    return day


def backfill_snapshot(
    s3: Any, bucket: str, source: Source, kind: SnapshotKind, day: date, *, progress: Callable[[str], None]
) -> Snapshot:
    """Load a source as the snapshot of a day.

    :param s3: a boto3 S3 client that may list and put below the catalogue's folder of the bucket.
    :param progress: told in words what was found, and what is being done.
    :raises OwnDataError: when the source cannot be read or is wrong, or the day holds what something else
        wrote; the message says what is allowed. Then nothing has changed.
    """
    shape = SHAPES[kind]
    key = f"{shape.folder}/day={day}/{_FILE}"
    there = _etags(s3, bucket, f"{shape.folder}/day=")
    _require_alone(key, there, bucket)
    with (
        tempfile.TemporaryDirectory(prefix="colorway-backfill-") as name,
        large_database(Path(name)) as connection,
    ):
        file = source.open(connection, shape.names)
        require(file, (shape.id,), identity=False)
        end_of_day = datetime.combine(day, time.max, UTC)
        latest = int((end_of_day + _AHEAD).timestamp() * 1000)
        rows = read_snapshot(connection, file, kind, source.where, latest=latest, progress=progress)
        path = Path(name) / _FILE
        connection.execute(
            # In an order of its own, so that the same snapshot is the same file
            f"COPY (SELECT {typed(shape.columns)} FROM {TABLE} ORDER BY {shape.id}) "
            f"TO '{path}' (FORMAT parquet, COMPRESSION zstd)"
        )
        with path.open("rb") as body:
            digest = hashlib.file_digest(body, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
            loaded = there.get(key) != digest
            if loaded:
                progress(f"{key}: {path.stat().st_size / 1e6:,.1f} MB on their way")
                body.seek(0)
                # One request, not parts: then the ETag is the MD5, by which the next load knows it
                s3.put_object(Bucket=bucket, Key=key, Body=body)
    newest = max(_day(each) for each in {*there, key})
    counts = "which is the newest and counts" if newest == str(day) else f"but that of {newest} counts"
    progress(f"{rows:,} {kind} {'loaded' if loaded else 'were there'} as the snapshot of {day}, {counts}")
    return Snapshot(rows, loaded, newest)


def _require_alone(key: str, there: dict[str, str], bucket: str) -> None:
    """All files of a day are its snapshot: beside another's, ours would be mixed into it."""
    folder = key.rpartition("/")[0]
    others = sorted(
        each.rpartition("/")[2] for each in there if each.startswith(f"{folder}/") and each != key
    )
    if others:
        named = ", ".join(others[:3]) + (f" and {len(others) - 3} more" if len(others) > 3 else "")
        raise OwnDataError(
            f"DAY={_day(key)}: {folder}/ holds {named}, which something else wrote, and all files of a day"
            f" are one snapshot. Allowed: a day that has none, or after\n"
            f"  aws s3 rm --recursive s3://{bucket}/{folder}/"
        )


def _day(key: str) -> str:
    return key.rpartition("/")[0].rpartition("day=")[2]


def _etags(s3: Any, bucket: str, prefix: str) -> dict[str, str]:
    """What is there, as every reader takes it: key to ETag."""
    return {
        found["Key"]: found["ETag"].strip('"')
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        for found in page.get("Contents", ())
        if found["Size"] > 0 and found["Key"].rpartition("/")[2][:1] not in ("_", ".")
    }
