from __future__ import annotations

from typing import Any

from training_data.arrival import missing_markers


def missing(lake: Any, markers: list[str], *, since: int, now: int) -> list[str]:
    return missing_markers(lake.lake, markers, since=since, now=now, folder=lake.new_folder())


def test_markers_are_missing_until_each_is_in_the_lake(lake: Any, event: Any, cutoff: int) -> None:
    lake.s3.now = since = cutoff + 1000
    marker = {"event_type": "colorway:marker", "user_id": None, "item_id": None, "received_at": since}
    assert missing(lake, ["m0", "m1"], since=since, now=since) == ["m0", "m1"]
    lake.put_events(event(event_id="m1", **marker), event(event_id="m0"))  # m0: a client's event of that id
    assert missing(lake, ["m0", "m1"], since=since, now=since + 5000) == ["m0"]
    lake.put_events(event(event_id="m0", **marker))
    assert missing(lake, ["m0", "m1"], since=since, now=since + 9000) == []


def test_a_marker_that_arrives_past_midnight_is_found(lake: Any, event: Any) -> None:
    since = 1_795_564_799_000  # 2026-11-24T23:59:59Z
    marker = event(event_id="m", event_type="colorway:marker", received_at=since)
    lake.s3.now = since + 4000
    lake.put("events", [marker], day="2026-11-25")
    assert missing(lake, ["m"], since=since, now=since + 5000) == []


def test_files_from_before_the_markers_are_not_read(lake: Any, event: Any, cutoff: int) -> None:
    lake.put_events(event())
    since = lake.s3.now + 6 * 60_000
    assert missing(lake, ["m"], since=since, now=since) == ["m"]
    assert lake.s3.read == []
