from __future__ import annotations

import json
from typing import Any

import pytest

from erasure.lake_rewriting import LakeRewriting, Person
from training_data.compaction import Compactor
from training_data.window import DAY_MS


def goes_live(lake: Any, exported: Any) -> None:
    """The run becomes the one that the next is compared with."""
    body = json.dumps({**exported.report, "run_id": "yesterday"}).encode()
    lake.s3.put_object(Bucket="training", Key="last-good/report.json", Body=body)


def test_without_a_run_before_nothing_is_late(lake: Any, event: Any) -> None:
    lake.put_events(event())
    assert lake.export().report["source"]["late"] is None


def test_events_that_missed_the_last_bulk_are_counted_and_enter_with_this_one(
    lake: Any, event: Any, cutoff: int
) -> None:
    yesterday = cutoff - DAY_MS
    lake.s3.now = yesterday
    in_time = event(event_id="in-time", received_at=yesterday - 2000)
    lake.put("events", [in_time], day="2026-11-22")
    goes_live(lake, lake.export(cutoff=yesterday))
    lake.s3.now = cutoff
    lake.put(
        "events",
        [
            event(event_id="late", received_at=yesterday - 1),
            event(event_id="late", received_at=yesterday - 1),
            in_time,  # delivered again: it was there
            event(event_id="streamed", received_at=yesterday),
            event(event_id="too-old", received_at=cutoff - 40 * DAY_MS),
        ],
        day="2026-11-23",
    )
    exported = lake.export()
    assert exported.report["source"]["late"] == {
        "events": 1,
        "missed_run": "yesterday",
        "missed_cutoff": yesterday,
    }
    assert exported.answer["interactions"] == 3


@pytest.mark.parametrize("compacted", [False, True])
def test_what_an_erasure_wrote_again_is_not_late(lake: Any, event: Any, cutoff: int, compacted: bool) -> None:
    """Of four files of a day, one of them erased from before the last run and again after it."""
    days_ago, last_cutoff = cutoff - 3 * DAY_MS, cutoff - DAY_MS
    lake.s3.now = days_ago
    for number in range(4):
        people = [event(user_id=user, received_at=days_ago - number) for user in ("ada", "bob", "cem")]
        lake.put("events", people, day="2026-11-21")
    erase(lake, "bob", now=last_cutoff - 1000)
    lake.s3.now = last_cutoff
    goes_live(lake, lake.export(cutoff=last_cutoff))
    erase(lake, "cem", now=last_cutoff + 1000)
    if compacted:
        compactor = Compactor(
            lake.lake, lake.s3, new_folder=lake.new_folder, has_time=lambda: True, told=lambda file: None
        )
        assert compactor.run(lake.s3.now + 1000).days == {"2026-11-21": [4, 1]}
    lake.s3.now = cutoff - 5000
    lake.put("events", [event(received_at=last_cutoff - 1)], day="2026-11-23")
    lake.s3.now = cutoff
    exported = lake.export()
    assert exported.answer["interactions"] == 5
    assert exported.report["source"]["late"]["events"] == 1


def erase(lake: Any, user: str, *, now: int) -> None:
    lake.s3.now = now
    rewriting = LakeRewriting(lake.s3, bucket="lake", has_time=lambda: True)
    assert rewriting.remove(["events/day=2026-11-21/"], Person.of(user)).rows == 4
