from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local_cloud.connection import Connection, LocalCloudError
from local_cloud.restore import restore
from tests.story.deployment import until

KEPT, LOST, REWRITTEN, LATER = (f"events/day=2026-11-24/{name}" for name in ("kept", "lost", "new", "later"))
SHOWN = "exposures/day=2026-11-24/lost"


@pytest.fixture
def bucket(cloud: Connection) -> str:
    s3, name = cloud.client("s3"), f"lake-{uuid.uuid4().hex[:8]}"
    s3.create_bucket(Bucket=name)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


def a_second_later() -> datetime:
    """A moment after all that was written: S3 tells times by whole seconds."""
    moment = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)
    until(lambda: datetime.now(UTC) >= moment + timedelta(seconds=1), "the second is over")
    return moment


def contents(s3: Any, bucket: str) -> dict[str, bytes]:
    found = s3.list_objects_v2(Bucket=bucket).get("Contents", ())
    return {each["Key"]: s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read() for each in found}


def test_what_was_deleted_and_overwritten_comes_back_and_what_came_later_stays(
    cloud: Connection, bucket: str
) -> None:
    s3 = cloud.client("s3")
    put: Callable[..., Any] = lambda key, body: s3.put_object(Bucket=bucket, Key=key, Body=body)  # noqa: E731
    for key in (KEPT, LOST, REWRITTEN, SHOWN):
        put(key, b"before")
    put("elsewhere/x", b"before")
    at = a_second_later()
    s3.delete_object(Bucket=bucket, Key=LOST)
    s3.delete_object(Bucket=bucket, Key=SHOWN)
    s3.delete_object(Bucket=bucket, Key="elsewhere/x")
    put(REWRITTEN, b"after")
    put(LATER, b"after")

    changed = contents(s3, bucket)
    said = restore(s3, bucket, at, apply=False)
    assert said[0].startswith("3 files")
    assert (f"  {LOST} (deleted)" in said, f"  {REWRITTEN} (overwritten)" in said) == (True, True)
    assert contents(s3, bucket) == changed

    assert "brought back" in restore(s3, bucket, at, apply=True)[0]
    assert contents(s3, bucket) == {
        KEPT: b"before",
        LOST: b"before",
        REWRITTEN: b"before",
        LATER: b"after",
        SHOWN: b"before",
    }
    assert restore(s3, bucket, at, apply=True)[0].startswith("0 files")


def test_without_versions_it_says_which_setting_brings_them(cloud: Connection) -> None:
    s3, name = cloud.client("s3"), f"lake-{uuid.uuid4().hex[:8]}"
    s3.create_bucket(Bucket=name)
    with pytest.raises(LocalCloudError, match="recover_days"):
        restore(s3, name, datetime.now(UTC), apply=True)
    with pytest.raises(LocalCloudError, match="a moment that has been"):
        restore(s3, name, datetime.now(UTC) + timedelta(hours=1), apply=True)
