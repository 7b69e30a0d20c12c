from __future__ import annotations

from typing import Any

import duckdb
import pytest

from training_data.unreadable import LakeUnreadable
from vocabulary.training_rules import TrainingRules

HALF = TrainingRules(most_unreadable=0.5)


def put_broken(lake: Any, body: bytes, name: str = "broken") -> str:
    key = f"events/day=2026-11-23/{name}.parquet"
    lake.s3.put_object(Bucket="lake", Key=key, Body=body)
    return key


@pytest.mark.parametrize("body", [b"PAR1", b"not parquet at all", b"PAR1" + b"\x00" * 64 + b"PAR1"])
def test_a_file_that_cannot_be_read_is_left_out_and_named(lake: Any, event: Any, body: bytes) -> None:
    lake.put_events(event())
    key = put_broken(lake, body)
    exported = lake.export(rules=HALF)
    assert exported.answer["interactions"] == 1
    assert exported.report["source"]["unreadable"] == [key]


def test_a_file_damaged_in_the_middle_is_found_while_it_is_read(lake: Any, event: Any) -> None:
    lake.put_events(*(event(user_id=f"u{n}", received_at=1_795_000_000_000) for n in range(2000)))
    [(body, _)] = [found for (bucket, _), found in lake.s3.objects.items() if bucket == "lake"]
    key = put_broken(lake, body[:4] + b"\xff" * 3000 + body[3004:])
    exported = lake.export(rules=HALF)
    assert exported.answer["interactions"] == 2000
    assert exported.report["source"]["unreadable"] == [key]


def test_more_of_them_than_the_limit_stop_the_run_by_name(lake: Any, event: Any) -> None:
    lake.put_events(event())
    key = put_broken(lake, b"x")
    with pytest.raises(
        LakeUnreadable, match=f"1 of 2 files of the lake cannot be read, at most 1.0% may: {key}"
    ):
        lake.export()


@pytest.mark.parametrize(
    ("column", "expression"), [("sent_at", "TIMESTAMP '2026-11-20'"), ("value", "'much'"), ("user_id", "5.0")]
)
def test_a_file_with_a_column_of_a_type_that_is_none_of_the_lakes_is_left_out(
    lake: Any, event: Any, column: str, expression: str
) -> None:
    lake.put_events(event())
    file = lake.folder / "typed.parquet"
    duckdb.execute(f"COPY (SELECT 'e' AS event_id, {expression} AS {column}) TO '{file}'")
    key = put_broken(lake, file.read_bytes())
    exported = lake.export(rules=HALF)
    assert exported.answer["interactions"] == 1
    assert exported.report["source"]["unreadable"] == [key]


def put_items(lake: Any, day: str, *items: str) -> str:
    key: str = lake.put("items", [{"item_id": item} for item in items], day=day)
    return key


def cut_off(lake: Any, key: str) -> None:
    lake.s3.put_object(Bucket="lake", Key=key, Body=lake.s3.objects["lake", key][0][:-20])


def test_a_part_of_a_catalogue_is_none_and_the_snapshot_before_it_counts(lake: Any, event: Any) -> None:
    lake.put_events(event(item_id="a"), event(item_id="b"))
    put_items(lake, "2026-11-22", "a", "b")
    put_items(lake, "2026-11-23", "a")
    broken = put_items(lake, "2026-11-23", "b")
    cut_off(lake, broken)
    exported = lake.export()
    assert exported.report["items"]["snapshot"] == "2026-11-22"
    assert exported.report["items"]["unreadable"] == [broken]
    assert sorted(str(row["ITEM_ID"]) for row in exported.rows("items")) == ["a", "b"]
    assert exported.answer["interactions"] == 2


def test_snapshots_of_long_ago_do_not_stand_in(lake: Any, event: Any) -> None:
    lake.put_events(event(item_id="a"))
    put_items(lake, "2026-10-01", "a")
    broken = [put_items(lake, f"2026-11-{day}", "a") for day in (21, 22, 23)]
    for key in broken:
        cut_off(lake, key)
    with pytest.raises(LakeUnreadable) as refused:
        lake.export()
    assert str(refused.value) == (
        "none of the catalogue's newest 3 snapshots (at most 3 are tried) can be read whole: "
        + ", ".join(reversed(broken))
    )
