"""The data gate put to the report of a run, which keeps what came of it."""

from __future__ import annotations

import json
from typing import Any

from training_data.data_gate import DataGateRefused, check, gate, refusal
from training_data.export import put_json
from training_data.settings import Settings
from vocabulary.lake import report_key
from vocabulary.metrics import emit


def judge(s3: Any, settings: Settings, run_id: str) -> dict[str, Any]:
    """Judge what the run exported.

    :returns: `passed`, true.
    :raises DataGateRefused: naming each check that fails; the report says so too.
    """
    key = report_key(run_id)
    report = json.loads(s3.get_object(Bucket=settings.training_bucket, Key=key)["Body"].read())
    told = report["interactions"]
    checks = check(told, minimum_interactions=settings.minimum_interactions, cutoff=report["cutoff"])
    put_json(s3, settings.training_bucket, key, {**report, "gate": gate(checks)})
    why = refusal(checks, told)
    if why is not None:
        failures = sum(not each.holds for each in checks)
        emit({"environment": settings.environment}, {"GateFailures": failures})
        raise DataGateRefused(why)
    return {"passed": True}
