from __future__ import annotations

import json
from typing import Any

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
