"""What a run tells of itself, as JSON in the training bucket."""

from __future__ import annotations

import json
from typing import Any

from training_data.settings import Settings
from vocabulary.lake import LAST_GOOD_REPORT_KEY, exported_key


def put_json(s3: Any, bucket: str, key: str, body: dict[str, Any]) -> None:
    s3.put_object(
        Bucket=bucket, Key=key, Body=json.dumps(body, indent=2).encode(), ContentType="application/json"
    )


def last_good_report(s3: Any, bucket: str) -> dict[str, Any] | None:
    """The report of the run that went live last and stayed, or None."""
    # Asked for by a list: without the right to list everything, S3 calls a missing object a forbidden one
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=LAST_GOOD_REPORT_KEY)
    if not any(page.get("Contents") for page in pages):
        return None
    report: dict[str, Any] = json.loads(s3.get_object(Bucket=bucket, Key=LAST_GOOD_REPORT_KEY)["Body"].read())
    return report


def exported(s3: Any, settings: Settings, run_id: str) -> dict[str, Any]:
    """What an export by Glue answers, which a job can only write down; as `Export.run` answers."""
    body = s3.get_object(Bucket=settings.training_bucket, Key=exported_key(run_id))["Body"].read()
    answer: dict[str, Any] = json.loads(body)
    return answer
