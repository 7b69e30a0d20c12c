from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from local_cloud.backfill import Backfilled, Source, backfill
from local_cloud.connection import Connection
from local_cloud.own_data import OwnDataError
from vocabulary.lake import EVENT_COLUMNS


@pytest.fixture
def bucket(cloud: Connection) -> Any:
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="backfill-lake")
    yield "backfill-lake"
    for key in keys_of(cloud):
        s3.delete_object(Bucket="backfill-lake", Key=key)
    s3.delete_bucket(Bucket="backfill-lake")


def keys_of(cloud: Connection) -> list[str]:
    pages = cloud.client("s3").get_paginator("list_objects_v2").paginate(Bucket="backfill-lake")
    return sorted(found["Key"] for page in pages for found in page.get("Contents", ()))


def write(path: Path, rows: list[dict[str, Any]]) -> str:
    lines = path.with_suffix(".jsonl")
    lines.write_text("".join(json.dumps(row) + "\n" for row in rows))
    if path.suffix != ".jsonl":
        duckdb.execute(f"COPY (FROM read_json('{lines}')) TO '{path}'")
    return str(path)


ORDERS = [
    {"CustomerID": f"c{n % 3}", "Sku": f"00{n}", "At": f"2026-10-{20 + n % 3:02} 10:00:{n:02}", "Kind": "buy"}
    for n in range(9)
]
COLUMNS = "user_id=CustomerID,sent_at=At,event_type=Kind"


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".jsonl"])
def test_a_history_of_any_kind_becomes_days_of_the_lake(
    cloud: Connection, bucket: str, tmp_path: Path, suffix: str
) -> None:
    source = Source(path=write(tmp_path / f"orders{suffix}", ORDERS), columns=COLUMNS, where="Sku <> '008'")
    said: list[str] = []
    assert backfill(cloud.client("s3"), bucket, source, progress=said.append) == Backfilled(8, 3, 0)
    assert keys_of(cloud) == [
        f"events/day=2026-10-{day}/backfill-{source.name}.parquet" for day in (20, 21, 22)
    ]
    assert said[:2] == [f"reading orders{suffix}", f"orders{suffix}: 8 rows, 8 of them events"]
    body = cloud.client("s3").get_object(Bucket=bucket, Key=keys_of(cloud)[0])["Body"].read()
    (tmp_path / "day.parquet").write_bytes(body)
    table = duckdb.read_parquet(str(tmp_path / "day.parquet"))
    assert table.columns == [column.name for column in EVENT_COLUMNS]
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.fetchall()]
    assert [row["item_id"] for row in rows] == ["000", "003", "006"]
    assert rows[0]["received_at"] == rows[0]["sent_at"] == 1_792_490_400_000
    assert rows[0]["user_id"] == "c0"


def test_a_load_that_was_cut_off_goes_on_and_a_second_one_changes_nothing(
    cloud: Connection, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Source(path=write(tmp_path / "orders.parquet", ORDERS), columns=COLUMNS)
    s3 = cloud.client("s3")
    put, puts = s3.put_object, []

    def fails_the_second_time(**request: Any) -> Any:
        puts.append(request["Key"])
        if len(puts) == 2:
            raise OSError("the network is gone")
        return put(**request)

    monkeypatch.setattr(s3, "put_object", fails_the_second_time)
    with pytest.raises(OSError, match="the network is gone"):
        backfill(s3, bucket, source, progress=lambda text: None)
    assert len(keys_of(cloud)) == 1
    assert backfill(s3, bucket, source, progress=lambda text: None) == Backfilled(6, 2, 1)
    assert backfill(s3, bucket, source, progress=lambda text: None) == Backfilled(0, 0, 3)


def test_columns_that_cannot_be_told_are_named_with_an_example(
    cloud: Connection, bucket: str, tmp_path: Path
) -> None:
    source = Source(path=write(tmp_path / "orders.jsonl", ORDERS))
    with pytest.raises(OwnDataError, match=r"COLUMNS: orders\.jsonl has no column that is clearly sent_at"):
        backfill(cloud.client("s3"), bucket, source, progress=lambda text: None)
    assert keys_of(cloud) == []


def test_events_of_impossible_days_are_left_out_and_told_of(
    cloud: Connection, bucket: str, tmp_path: Path
) -> None:
    odd = [{**ORDERS[0], "At": at} for at in ("1999-12-31", "2999-01-01")]
    source = Source(path=write(tmp_path / "orders.parquet", [*ORDERS, *odd]), columns=COLUMNS)
    said: list[str] = []
    assert backfill(cloud.client("s3"), bucket, source, progress=said.append) == Backfilled(9, 3, 0)
    assert len(keys_of(cloud)) == 3
    [left_out] = [text for text in said if "left out" in text]
    assert left_out.startswith("orders.parquet: left out 2 received before 2000 or in days to come (")


def test_microseconds_are_refused_with_what_to_write(cloud: Connection, bucket: str, tmp_path: Path) -> None:
    rows = [{**each, "At": 1_792_490_400_000_000 + number} for number, each in enumerate(ORDERS)]
    source = Source(path=write(tmp_path / "orders.parquet", rows), columns=COLUMNS)
    with pytest.raises(OwnDataError, match=r"(?s)no event can be loaded: 9 received .* ms.*sent_at=ts//1000"):
        backfill(cloud.client("s3"), bucket, source, progress=lambda text: None)
    assert keys_of(cloud) == []
