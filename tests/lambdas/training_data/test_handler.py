"""Through the handler and a real client, against the local cloud's S3."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from local_cloud.connection import Connection
from training_data import handler
from training_data.data_gate import DataGateRefused
from vocabulary.placements import Placement, to_json


@pytest.fixture
def function(cloud: Connection, lake: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The handler, in an environment like its Lambda's; the lake is written straight to the cloud."""
    s3 = cloud.client("s3")
    for bucket in ("training-data-lake", "training-data-training"):
        s3.create_bucket(Bucket=bucket)
    environment = {
        "ENVIRONMENT": "test",
        "LAKE_BUCKET": "training-data-lake",
        "TRAINING_BUCKET": "training-data-training",
        "PLACEMENTS": to_json([Placement(name="recommended-for-you")]),
        "HISTORY_DAYS": "30",
        "EVENT_TYPES": "view,purchase",
        "MINIMUM_INTERACTIONS": "1000",
        "DATA_GATE": "{}",
        "TRAINING_RULES": "{}",
        "EXTRA_COLUMNS": "{}",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "3008",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(handler, "_s3", lambda: s3)
    yield lambda event: handler.handle(event, None)
    for bucket in ("training-data-lake", "training-data-training"):
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            for found in page.get("Contents", ()):
                s3.delete_object(Bucket=bucket, Key=found["Key"])
        s3.delete_bucket(Bucket=bucket)


def test_a_run_counts_waits_exports_and_is_judged(
    cloud: Connection, function: Any, lake: Any, event: Any, cutoff: int
) -> None:
    now = int(time.time() * 1000)
    lake.put_events(
        *(event(user_id=f"user-{n % 40}", received_at=cutoff - n * 600_000 - 1) for n in range(1200)),
        event(event_id="marker", event_type="colorway:marker", received_at=now),
    )
    s3 = cloud.client("s3")
    for (_, key), (body, _) in lake.s3.objects.items():
        s3.put_object(Bucket="training-data-lake", Key=key, Body=body)

    assert function({"action": "count", "cutoff": cutoff}) == {
        "interactions": 1200,
        "minimum": 1000,
        "enough": True,
    }
    arrived = function({"action": "arrived", "markers": ["marker", "lost"], "since": now})
    assert arrived == {"arrived": False, "missing": ["lost"]}
    exported = function({"action": "export", "run_id": "r", "cutoff": cutoff})
    assert exported == {"interactions": 1200, "users": 40, "items": 1200, "datasets": ["interactions"]}
    body = s3.get_object(Bucket="training-data-training", Key="runs/r/interactions/interactions.csv")["Body"]
    assert len(body.read().splitlines()) == 1201
    assert function({"action": "judge", "run_id": "r"}) == {"passed": True}


def test_a_run_without_data_is_refused_by_name(function: Any, cutoff: int) -> None:
    assert function({"action": "count", "cutoff": None})["enough"] is False
    function({"action": "export", "run_id": "r", "cutoff": cutoff})
    with pytest.raises(DataGateRefused, match="interactions is 0, at least 1000 is needed"):
        function({"action": "judge", "run_id": "r"})


def test_an_action_that_is_none_is_named(function: Any) -> None:
    with pytest.raises(
        ValueError, match="action must be count, arrived, export, exported or judge, got 'dance'"
    ):
        function({"action": "dance"})


def test_nothing_is_left_on_disk(function: Any, cutoff: int, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    function({"action": "export", "run_id": "r", "cutoff": cutoff})
    assert list(tmp_path.glob("training-data-*")) == []
