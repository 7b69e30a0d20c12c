from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from local_cloud.lake_loading import History, connect, load
from vocabulary import lake

HIVE = {"VARCHAR": "string", "BIGINT": "bigint", "DOUBLE": "double", "VARCHAR[]": "array<string>"}


class FakeS3:
    """As much of S3 as loading uses, in memory."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> None:
        assert Bucket == "lake"
        self.objects[Key] = Body

    def get_paginator(self, operation: str) -> FakeS3:
        assert operation == "list_objects_v2"
        return self

    def paginate(self, *, Bucket: str, Prefix: str) -> Iterator[dict[str, Any]]:
        assert Bucket == "lake"
        for key in sorted(self.objects):  # pages of one, the first without contents
            yield {"Contents": [{"Key": key}]} if key.startswith(Prefix) else {}

    def delete_objects(self, *, Bucket: str, Delete: dict[str, Any]) -> None:
        assert Bucket == "lake"
        for entry in Delete["Objects"]:
            del self.objects[entry["Key"]]


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def history(*events: tuple[str, str]) -> History:
    """Events given by id and arrival; sent a minute before. One item, one user."""
    connection = connect()
    values = ", ".join(f"('{event_id}', {at(received)})" for event_id, received in events) or "('', 0)"
    table = connection.sql(
        "SELECT event_id, received_at, received_at - 60000 AS sent_at, 's1' AS session_id, 'u1' AS user_id, "
        "'view' AS event_type, 'i1' AS item_id, 1 AS value, NULL AS properties, ['i1', 'i2'] AS impression, "
        "NULL AS recommendation_id "
        f"FROM (VALUES {values}) AS given(event_id, received_at) WHERE event_id <> ''"
    )
    items = connection.sql(
        "SELECT 'i1' AS item_id, 'One' AS name, NULL AS brand, NULL AS category, 5 AS price, NULL AS image, "
        "NULL AS created_at"
    )
    return History(events=table, items=items, users=connection.sql("SELECT 'u1' AS user_id, NULL AS segment"))


def put(s3: FakeS3, given: History) -> list[str]:
    """Load, and return what was said."""
    said: list[str] = []
    load(s3, bucket="lake", history=given, progress=said.append)
    return said


def read(s3: FakeS3, key: str, folder: Path) -> duckdb.DuckDBPyRelation:
    (folder / "file.parquet").write_bytes(s3.objects[key])
    return connect().read_parquet(str(folder / "file.parquet"), hive_partitioning=False)


TWO_DAYS = (("late", "2026-11-02T00:00:00"), ("b", "2026-11-01T23:59:59.999"), ("a", "2026-11-01T08:00:00"))


def test_events_lie_in_the_folder_of_the_day_they_arrived_in_order(tmp_path: Path) -> None:
    s3 = FakeS3()
    said = put(s3, history(*TWO_DAYS))
    assert sorted(s3.objects) == [
        "catalogue/items/day=2026-11-02/loaded0.parquet",
        "catalogue/users/day=2026-11-02/loaded0.parquet",
        "events/day=2026-11-01/loaded0.parquet",
        "events/day=2026-11-02/loaded0.parquet",
    ]
    first = read(s3, "events/day=2026-11-01/loaded0.parquet", tmp_path)
    assert first.project("event_id, impression").fetchall() == [("a", ["i1", "i2"]), ("b", ["i1", "i2"])]
    assert said[0].startswith("3 events of 2 days, 1 items, 1 users: 0.0 MB")


@pytest.mark.parametrize(
    ("key", "columns"),
    [
        ("events/day=2026-11-01/loaded0.parquet", lake.EVENT_COLUMNS),
        ("catalogue/items/day=2026-11-02/loaded0.parquet", lake.ITEM_COLUMNS),
        ("catalogue/users/day=2026-11-02/loaded0.parquet", lake.USER_COLUMNS),
    ],
)
def test_columns_have_the_types_of_their_glue_table(
    key: str, columns: tuple[lake.Column, ...], tmp_path: Path
) -> None:
    s3 = FakeS3()
    put(s3, history(*TWO_DAYS))
    table = read(s3, key, tmp_path)
    found = [(name, HIVE[str(kind)]) for name, kind in zip(table.columns, table.types, strict=True)]
    assert found == [(column.name, column.type) for column in columns]


def test_loading_twice_changes_nothing() -> None:
    s3 = FakeS3()
    put(s3, history(*TWO_DAYS))
    before = dict(s3.objects)
    said = put(s3, history(*TWO_DAYS))
    assert s3.objects == before
    assert len(said) == 1


def test_loading_other_days_replaces_the_earlier_load_and_leaves_what_the_stream_delivered() -> None:
    s3 = FakeS3()
    put(s3, history(*TWO_DAYS))
    s3.objects["events/day=2026-11-01/firehose-1.parquet"] = b""
    said = put(s3, history(("c", "2026-11-05T12:00:00")))
    assert sorted(s3.objects) == [
        "catalogue/items/day=2026-11-05/loaded0.parquet",
        "catalogue/users/day=2026-11-05/loaded0.parquet",
        "events/day=2026-11-01/firehose-1.parquet",
        "events/day=2026-11-05/loaded0.parquet",
    ]
    assert said[1:] == ["removed 4 files that an earlier load of other days had left"]


def test_no_events_are_an_error_and_remove_nothing() -> None:
    s3 = FakeS3()
    put(s3, history(*TWO_DAYS))
    with pytest.raises(ValueError, match="no events to load"):
        put(s3, history())
    assert len(s3.objects) == 4
