from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from local_cloud.__main__ import main
from local_cloud.backfill import Source
from local_cloud.connection import Connection
from local_cloud.own_data import OwnDataError
from local_cloud.snapshot_backfill import Snapshot, backfill_snapshot, day_of_snapshot
from training_data.lake_files import Lake
from vocabulary.lake import ITEM_COLUMNS, USER_COLUMNS

BUCKET = "snapshot-backfill-lake"
DAY = date(2026, 11, 25)

Load = Callable[..., Snapshot]


@pytest.fixture
def s3(cloud: Connection) -> Any:
    client = cloud.client("s3")
    client.create_bucket(Bucket=BUCKET)
    yield client
    for key in keys_of(client):
        client.delete_object(Bucket=BUCKET, Key=key)
    client.delete_bucket(Bucket=BUCKET)


def keys_of(s3: Any) -> list[str]:
    return [found["Key"] for found in s3.list_objects_v2(Bucket=BUCKET).get("Contents", ())]


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def load(s3: Any, tmp_path: Path, said: list[str]) -> Load:
    """Write rows to a file, and load it as the snapshot of a day."""

    def run(
        *rows: dict[str, Any], kind: Any = "items", day: date = DAY, suffix: str = ".jsonl", **mapping: str
    ) -> Snapshot:
        path = tmp_path / f"export{suffix}"
        lines = tmp_path / "export.jsonl"
        lines.write_text("".join(json.dumps(row) + "\n" for row in rows))
        if suffix != ".jsonl":
            duckdb.execute(f"COPY (FROM read_json('{lines}')) TO '{path}'")
        return backfill_snapshot(
            s3, BUCKET, Source(path=str(path), **mapping), kind, day, progress=said.append
        )

    return run


def table(s3: Any, key: str, tmp_path: Path) -> duckdb.DuckDBPyRelation:
    path = tmp_path / "read.parquet"
    path.write_bytes(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())
    return duckdb.read_parquet(str(path), hive_partitioning=False)


PRODUCTS = [
    {"Sku": "002", "Title": "Lantern", "Cost": 2.5, "Kind": "garden|light", "Released": 1_700_000_000},
    {"Sku": "001", "Title": None, "Cost": None, "Kind": None, "Released": None},
    {"Sku": "003", "Title": "Off", "Cost": 1.0, "Kind": "old", "Released": 1_600_000_000},
]
MAPPING = {"columns": "price=Cost,category=Kind,created_at=Released", "where": "Sku <> '003'"}


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".jsonl"])
def test_a_catalogue_of_any_kind_becomes_the_snapshot_of_a_day(
    s3: Any, load: Load, said: list[str], tmp_path: Path, suffix: str
) -> None:
    assert load(*PRODUCTS, suffix=suffix, **MAPPING) == Snapshot(2, True, "2026-11-25")
    assert keys_of(s3) == ["catalogue/items/day=2026-11-25/backfill.parquet"]
    found = table(s3, keys_of(s3)[0], tmp_path)
    assert found.columns == [column.name for column in ITEM_COLUMNS]
    assert found.project("item_id, name, price, category, created_at").fetchall() == [
        ("001", "001", None, None, None),
        ("002", "Lantern", 2.5, "garden|light", 1_700_000_000_000),
    ]
    assert said[0] == f"export{suffix}: 2 rows; checking them"
    assert said[-1] == "2 items loaded as the snapshot of 2026-11-25, which is the newest and counts"


def test_users_are_loaded_likewise_and_rows_alike_are_one(s3: Any, load: Load, tmp_path: Path) -> None:
    rows = [{"CustomerID": 7.0, "segment": "DE"}, {"CustomerID": 8.0, "segment": None}]
    assert load(*rows, *rows, kind="users", suffix=".parquet").rows == 2
    found = table(s3, "catalogue/users/day=2026-11-25/backfill.parquet", tmp_path)
    assert found.columns == [column.name for column in USER_COLUMNS]
    assert found.fetchall() == [("7", "DE"), ("8", None)]


def test_days_are_kept_as_history_and_the_newest_counts_in_whatever_order_they_come(
    s3: Any, load: Load, said: list[str]
) -> None:
    load({"item_id": "new"})
    assert load({"item_id": "old"}, day=date(2026, 11, 1)) == Snapshot(1, True, "2026-11-25")
    assert said[-1] == "1 items loaded as the snapshot of 2026-11-01, but that of 2026-11-25 counts"
    assert len(keys_of(s3)) == 2
    day, [file] = Lake(s3, BUCKET).snapshots("catalogue/items")[0]
    assert (day, file.key) == ("2026-11-25", "catalogue/items/day=2026-11-25/backfill.parquet")


def test_a_load_that_was_cut_off_has_left_nothing_and_a_second_one_changes_nothing(
    s3: Any, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    load({"item_id": "a"}, day=date(2026, 11, 24))

    def gone(**_: Any) -> None:
        raise OSError("the network is gone")

    with monkeypatch.context() as patch:
        patch.setattr(s3, "put_object", gone)
        with pytest.raises(OSError, match="the network is gone"):
            load({"item_id": "b"})
    assert Lake(s3, BUCKET).snapshots("catalogue/items")[0][0] == "2026-11-24"
    assert load({"item_id": "b"}).loaded
    assert not load({"item_id": "b"}).loaded


def test_a_second_load_of_a_day_takes_the_place_of_the_first(s3: Any, load: Load, tmp_path: Path) -> None:
    load({"item_id": "a", "price": 1})
    load({"item_id": "a", "price": 2}, {"item_id": "b", "price": 3}, suffix=".csv")
    [key] = keys_of(s3)
    assert table(s3, key, tmp_path).project("item_id, price").fetchall() == [("a", 2.0), ("b", 3.0)]


def test_a_day_that_something_else_wrote_is_not_mixed_with(s3: Any, load: Load) -> None:
    s3.put_object(Bucket=BUCKET, Key="catalogue/items/day=2026-11-25/part-0.parquet", Body=b"x")
    s3.put_object(Bucket=BUCKET, Key="catalogue/items/day=2026-11-24/_SUCCESS", Body=b"x")
    with pytest.raises(OwnDataError, match=r"DAY=2026-11-25: catalogue/items/day=2026-11-25/ holds part-0"):
        load({"item_id": "a"})
    assert load({"item_id": "a"}, day=date(2026, 11, 24)).newest == "2026-11-25"


WRONG: list[tuple[str, list[dict[str, Any]], str]] = [
    (
        "no id",
        [{"item_id": None, "name": "Lamp"}],
        r"item_id: missing in 1 row \(name Lamp\); allowed: an id",
    ),
    ("a long id", [{"item_id": "x" * 257}], r"item_id: over 256 characters in 1 row \(x+…\); allowed: 1 to"),
    ("a line break", [{"item_id": "a\nb"}], r"item_id: a line break .* in 1 row \(a\?b\); allowed: none"),
    (
        "an id twice",
        [{"item_id": "a", "price": 1}, {"item_id": "a", "price": 2}],
        r"item_id: 1 id \(a 2 times\) in rows that differ; allowed: once in a snapshot",
    ),
    ("an object", [{"item_id": {"sku": 1}}], r"item_id: is STRUCT\(sku BIGINT\), allowed: text or a number"),
    (
        "a comma",
        [{"item_id": "a", "price": "2,50"}],
        r"price: 1 row \('2,50' of a\); allowed: a number from 0",
    ),
    ("below 0", [{"item_id": "a", "price": -1}], r"price: 1 row \('-1' of a\); allowed: a number from 0"),
    (
        "infinite",
        [{"item_id": "a", "price": "inf"}],
        r"price: 1 row \('inf' of a\); allowed: a number from 0",
    ),
    ("yes or no", [{"item_id": "a", "price": True}], r"price: is BOOLEAN, allowed: a number"),
    (
        "a word",
        [{"item_id": "a", "created_at": "new"}],
        r"created_at: no time: 1 row \('new' of a\); allowed",
    ),
    ("a 0", [{"item_id": "a", "created_at": 0}], r"created_at: in 1970 as unix time: 1 row \('0' of a\)"),
    (
        "digits",
        [{"item_id": "a", "created_at": 20261125}],
        r"created_at: in 1970 .*'20261125' of a\); allowed",
    ),
    (
        "microseconds",
        [{"item_id": "a", "created_at": 1_700_000_000_000_000}],
        r"created_at: over a year after the snapshot: 1 row \('1700000000000000' of a, the year 55840\)",
    ),
    (
        "seconds and milliseconds",
        [{"item_id": "a", "created_at": 1_700_000_000}, {"item_id": "b", "created_at": 1_700_000_000_000}],
        r"seconds in 1 row \('1700000000' of a\), milliseconds in 1 row \('1700000000000' of b\); allowed",
    ),
]


@pytest.mark.parametrize(("rows", "message"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG])
def test_what_is_wrong_is_named_with_its_value_and_what_is_allowed(
    s3: Any, load: Load, rows: list[dict[str, Any]], message: str
) -> None:
    with pytest.raises(OwnDataError, match=message):
        load(*rows)
    assert keys_of(s3) == []


def test_all_that_is_wrong_is_told_at_once_and_only_the_first_of_many(load: Load) -> None:
    rows = [{"item_id": f"i{n}", "price": "free", "created_at": "soon"} for n in range(1000)]
    with pytest.raises(OwnDataError) as error:
        load(*rows)
    told = str(error.value)
    assert "price: 1,000 rows ('free' of i0; 'free' of i1; 'free' of i10; …)" in told
    assert "created_at: no time: 1,000 rows" in told
    assert len(told) < 800


def test_a_time_of_any_spelling_is_read(s3: Any, load: Load, tmp_path: Path) -> None:
    days = ["2023-11-14", "2023-11-14 22:13:20", "2023-11-14T23:13:20+01:00", "1700000000"]
    load(*({"item_id": f"i{n}", "created_at": told} for n, told in enumerate(days)))
    found = table(s3, keys_of(s3)[0], tmp_path).project("created_at").fetchall()
    assert found == [(1_699_920_000_000,), *[(1_700_000_000_000,)] * 3]


def test_a_list_of_categories_is_joined(s3: Any, load: Load, tmp_path: Path) -> None:
    load({"item_id": "a", "category": ["garden", "light"]}, {"item_id": "b", "category": []})
    found = table(s3, keys_of(s3)[0], tmp_path).project("category").fetchall()
    assert found == [("garden|light",), (None,)]


def test_a_column_that_cannot_be_told_is_named_with_an_example(load: Load) -> None:
    with pytest.raises(OwnDataError, match=r"has no column that is clearly item_id\n  columns found: number"):
        load({"number": 1})


def test_a_day_is_a_day_up_to_today() -> None:
    assert day_of_snapshot("", today=DAY) == DAY
    assert day_of_snapshot("2026-11-01", today=DAY) == date(2026, 11, 1)
    with pytest.raises(OwnDataError, match="DAY is 'yesterday', allowed: a day such as 2026-11-25"):
        day_of_snapshot("yesterday", today=DAY)
    with pytest.raises(OwnDataError, match="DAY is 2026-11-26, allowed: up to today"):
        day_of_snapshot("2026-11-26", today=DAY)


def test_events_have_no_day(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backfill", "orders.csv", "--day", "2026-11-25"]) == 1
    assert "DAY is '2026-11-25', of events: allowed with KIND=items and KIND=users" in capsys.readouterr().err


def test_the_command_loads_todays_snapshot_and_says_what_is_wrong_in_a_line(
    s3: Any,
    cloud: Connection,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("local_cloud.__main__.connect", lambda state: cloud)
    monkeypatch.setattr("local_cloud.deployed.output", lambda cloud, name: {"LakeBucketName": BUCKET}[name])
    source = tmp_path / "products.csv"
    source.write_text("StockCode,price\n00017,2.5\n00018,3\n")
    command = ["backfill", str(source), "--kind", "items", "--columns", "item_id=StockCode"]
    assert main(command) == 0
    assert "2 items loaded as the snapshot of" in capsys.readouterr().out
    [(day, [file])] = Lake(s3, BUCKET).snapshots("catalogue/items")
    assert table(s3, file.key, tmp_path).project("item_id, price").fetchall() == [
        ("00017", 2.5),
        ("00018", 3.0),
    ]
    source.write_text("StockCode,price\n00017,EUR 2\n")
    assert main([*command, "--day", day]) == 1
    assert "error: SOURCE=" in (error := capsys.readouterr().err)
    assert "price: 1 row ('EUR 2' of 00017)" in error
    assert table(s3, file.key, tmp_path).count("*").fetchall() == [(2,)]
