"""The two steps of training that Step Functions cannot do by itself: define a solution, judge a model."""

from __future__ import annotations

import json
import os
from functools import cache
from typing import Any

import boto3

from retraining.metrics_gate import MetricsGateRefused, check, report
from retraining.settings import Settings
from retraining.solutions import define_solution
from vocabulary.colours import colour_of
from vocabulary.lake import run_folder
from vocabulary.metrics import emit


def handle(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer `define` (the solution's ARN) and `judge` (the offline metrics, or MetricsGateRefused)."""
    settings = Settings.from_environ(os.environ)
    placement = event["placement"]
    match event["action"]:
        case "define":
            colour = colour_of(event["colour"])
            arn = define_solution(_client("personalize"), settings, colour=colour, placement=placement)
            return {"solution_arn": arn}
        case "judge":
            return _judge(settings, placement, event["solution_version_arn"], event["run_id"])
        case action:
            raise ValueError(f"action must be define or judge, got {action!r}")


def _judge(settings: Settings, placement: str, version_arn: str, run_id: str) -> dict[str, Any]:
    metrics = _client("personalize").get_solution_metrics(solutionVersionArn=version_arn)["metrics"]
    checks = check(metrics, settings.placement(placement).metric_floors)
    _client("s3").put_object(
        Bucket=settings.training_bucket,
        Key=f"{run_folder(run_id)}/metrics/{placement}.json",
        Body=json.dumps(report(metrics, checks), indent=2).encode(),
        ContentType="application/json",
    )
    refused = [each for each in checks if not each.holds]
    if refused:
        emit({"environment": settings.names.environment}, {"GateFailures": len(refused)})
        raise MetricsGateRefused(f"{placement}: " + "; ".join(map(str, refused)))
    return {"metrics": metrics}


@cache
def _client(service: str) -> Any:
    return boto3.client(service)
