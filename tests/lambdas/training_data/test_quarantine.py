"""A file that cannot be read, from the night that meets it to its return: both functions, a real client."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from local_cloud.connection import Connection
from training_data import compaction_handler, handler
from training_data.unreadable import LakeUnreadable
from training_data.window import DAY_MS, day_of
from vocabulary.gates import DataGate
from vocabulary.gates import to_json as gate_to_json
from vocabulary.lake import report_key
from vocabulary.placements import Placement, to_json
from vocabulary.training_rules import TrainingRules
from vocabulary.training_rules import to_json as rules_to_json

LAKE, TRAINING = "quarantine-lake", "quarantine-training"
FILES = 12


class Night:
    """What the functions did of a lake of `FILES` small files of one day, three days ago."""

    def __init__(self, s3: Any, now: int) -> None:
        self.s3 = s3
        self.now = now
        self.day = day_of(now - 3 * DAY_MS).isoformat()

    def export(self) -> dict[str, Any]:
        """Answer the report of an export by the function."""
        handler.handle({"action": "export", "run_id": "r", "cutoff": self.now}, None)
        body = self.s3.get_object(Bucket=TRAINING, Key=report_key("r"))["Body"].read()
        report: dict[str, Any] = json.loads(body)
        return report

    def compact(self) -> dict[str, Any]:
        class Context:
            get_remaining_time_in_millis = staticmethod(lambda: 900_000)

        return compaction_handler.handle({}, Context())

    def keys(self, prefix: str) -> list[str]:
        found = self.s3.list_objects_v2(Bucket=LAKE, Prefix=prefix).get("Contents", ())
        return [each["Key"] for each in found]

    def body(self, key: str) -> bytes:
        read: bytes = self.s3.get_object(Bucket=LAKE, Key=key)["Body"].read()
        return read

    def put(self, key: str, body: bytes) -> None:
        self.s3.put_object(Bucket=LAKE, Key=key, Body=body)


@pytest.fixture
def night(cloud: Connection, lake: Any, event: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    s3 = cloud.client("s3")
    for bucket in (LAKE, TRAINING):
        s3.create_bucket(Bucket=bucket)
    environment = {
        "ENVIRONMENT": "test",
        "LAKE_BUCKET": LAKE,
        "TRAINING_BUCKET": TRAINING,
        "PLACEMENTS": to_json([Placement(name="recommended-for-you")]),
        "HISTORY_DAYS": "30",
        "EVENT_TYPES": "view,purchase",
        "MINIMUM_INTERACTIONS": "10",
        "DATA_GATE": "{}",
        "TRAINING_RULES": rules_to_json(TrainingRules(most_unreadable=0.1)),
        "EXTRA_COLUMNS": "{}",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "3008",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(handler, "_s3", lambda: s3)
    monkeypatch.setattr(compaction_handler, "_s3", lambda: s3)
    made = Night(s3, int(time.time() * 1000))
    for number in range(FILES):
        key = lake.put(
            "events",
            [event(user_id=f"u{n}", received_at=made.now - 3 * DAY_MS - number) for n in range(500)],
            day=made.day,
        )
        made.put(key, lake.s3.objects["lake", key][0])
    yield made
    for bucket in (LAKE, TRAINING):
        for found in s3.list_objects_v2(Bucket=bucket).get("Contents", ()):
            s3.delete_object(Bucket=bucket, Key=found["Key"])
        s3.delete_bucket(Bucket=bucket)


def cut_off(body: bytes) -> bytes:
    return body[: len(body) // 2]


def scratched(body: bytes) -> bytes:
    """Damaged where only those who read all of it see it: the footer is whole."""
    return body[:4] + b"\xff" * 2000 + body[2004:]


@pytest.mark.parametrize("damage", [cut_off, scratched])
def test_it_is_left_out_and_named_then_put_aside_as_it_was_and_comes_back_mended(
    night: Night, damage: Callable[[bytes], bytes]
) -> None:
    key = night.keys("events/")[5]
    whole = night.body(key)
    night.put(key, damage(whole))
    aside = key.replace("events/", "events-unreadable/")

    report = night.export()
    assert report["source"]["unreadable"] == [key]
    assert report["interactions"]["rows_out"] == 500 * (FILES - 1)
    assert handler.handle({"action": "count", "cutoff": night.now}, None)["enough"] is True

    told = night.compact()
    assert told["quarantined"] == [key]
    assert night.keys("events-unreadable/") == [aside]
    assert night.body(aside) == damage(whole)
    [compacted] = night.keys("events/")
    assert told["days"] == {night.day: [FILES, 1]}
    report = night.export()
    assert report["source"]["unreadable"] == []
    assert report["interactions"]["rows_out"] == 500 * (FILES - 1)

    # As docs/operations.md says: under the name that it had
    night.put(key, whole)
    night.s3.delete_object(Bucket=LAKE, Key=aside)
    assert night.keys("events/") == sorted([key, compacted])
    assert night.export()["interactions"]["rows_out"] == 500 * FILES
    assert night.compact() == {"days": {}, "quarantined": []}


def test_the_night_and_the_compaction_each_count_it(
    night: Night, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATA_GATE", gate_to_json(DataGate(hours_since_newest=100)))
    key = night.keys("events/")[5]
    night.put(key, cut_off(night.body(key)))
    night.export()
    handler.handle({"action": "judge", "run_id": "r"}, None)
    night.compact()
    night.export()
    handler.handle({"action": "judge", "run_id": "r"}, None)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "FilesUnreadable" in line]
    assert [line["environment"] for line in lines] == ["test"] * 3
    assert [(line["FilesUnreadable"], line["unreadable"]) for line in lines] == [
        (1, [key]),
        (1, [key]),
        (0, []),
    ]
    assert [line.get("FilesPutAside") for line in lines] == [None, 1, None]


def test_over_the_limit_the_run_is_refused_by_names_and_limit(night: Night) -> None:
    broken = night.keys("events/")[:2]
    for key in broken:
        night.put(key, b"PAR1 and no more")
    with pytest.raises(LakeUnreadable) as refused:
        night.export()
    assert str(refused.value) == (
        f"2 of 12 files of the lake cannot be read, at most 10.0% may: {', '.join(broken)}"
    )
    assert "Contents" not in night.s3.list_objects_v2(Bucket=TRAINING)
    # The day's compaction puts them aside, and the next night is not stopped by them again
    assert night.compact()["quarantined"] == broken
    assert night.export()["interactions"]["rows_out"] == 500 * (FILES - 2)


def test_also_of_a_day_with_too_few_files_to_compact(night: Night) -> None:
    first, *rest = night.keys("events/")
    for key in rest[1:]:
        night.s3.delete_object(Bucket=LAKE, Key=key)
    night.put(first, b"no parquet")
    assert night.compact() == {"days": {}, "quarantined": [first]}
    assert night.keys("events/") == rest[:1]
