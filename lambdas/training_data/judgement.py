"""The data gate put to the report of a run, which keeps what came of it."""

from __future__ import annotations

import json
from typing import Any, Final

from training_data.data_gate import DataGateRefused, check, refusal
from training_data.reports import put_json
from training_data.settings import Settings
from vocabulary.gates import failed, verdict
from vocabulary.lake import LAST_GOOD_REPORT_KEY, report_key
from vocabulary.metrics import emit

_NAMED: Final = 20
"""Of the files that could not be read, so many are named in the log; all are in the report."""


def judge(s3: Any, settings: Settings, run_id: str) -> dict[str, Any]:
    """Judge what the run exported.

    :returns: `passed`, true.
    :raises DataGateRefused: naming each check that fails; the report says so too.
    """
    key = report_key(run_id)
    report = _read(s3, settings.training_bucket, key)
    _tell_of_unreadable(settings, report)
    told = report["interactions"]
    trained_on = {"history_days": settings.history_days, "event_types": sorted(settings.event_types)}
    last_good = _last_good(s3, settings.training_bucket, trained_on)
    checks = check(
        told,
        gate=settings.data_gate,
        minimum_interactions=settings.minimum_interactions,
        cutoff=report["cutoff"],
        last_good=last_good["interactions"] if last_good else None,
    )
    judged = {**verdict(checks), "compared_with": last_good["run_id"] if last_good else None}
    put_json(s3, settings.training_bucket, key, {**report, "trained_on": trained_on, "gate": judged})
    why = refusal(checks, told)
    if why is not None:
        refused = failed(checks)
        emit(
            {"environment": settings.environment},
            {"GateFailures": len(refused)},
            properties={"gate": "data", "run_id": run_id, "refused": refused},
        )
        raise DataGateRefused(why)
    return {"passed": True}


def _tell_of_unreadable(settings: Settings, report: dict[str, Any]) -> None:
    """Here, since whichever engine made the report, this reads it; also that there were none."""
    parts = [report["source"], *(report[kind] for kind in ("items", "users") if report[kind])]
    unreadable = [key for part in parts for key in part["unreadable"]]
    emit(
        {"environment": settings.environment},
        {"FilesUnreadable": len(unreadable)},
        properties={"run_id": report["run_id"], "unreadable": unreadable[:_NAMED]},
    )


def _last_good(s3: Any, bucket: str, trained_on: dict[str, Any]) -> dict[str, Any] | None:
    """The report of the last good run, or None: there is none, or its settings make it no measure."""
    # Asked for by a list: without the right to list everything, S3 calls a missing object a forbidden one
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=LAST_GOOD_REPORT_KEY)
    if not any(page.get("Contents") for page in pages):
        return None
    report = _read(s3, bucket, LAST_GOOD_REPORT_KEY)
    return report if report.get("trained_on") == trained_on else None


def _read(s3: Any, bucket: str, key: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    return read
