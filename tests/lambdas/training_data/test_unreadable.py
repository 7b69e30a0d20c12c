from __future__ import annotations

from typing import Any

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
