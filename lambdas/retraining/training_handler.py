"""Two steps of training that Step Functions cannot do by itself: define a solution, judge a model."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

import boto3

from retraining.filters import create_filters, require_filters
from retraining.metrics_gate import MetricsGateRefused, check, told
from retraining.reports import Reports
from retraining.settings import Settings
from retraining.solutions import define_solution
from vocabulary.colours import colour_of
from vocabulary.gates import failed, verdict
from vocabulary.metrics import emit


def handle(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer `define` (the solution's ARN) and `judge` (the offline metrics, or MetricsGateRefused)."""
    settings = Settings.from_environ(os.environ)
    placement = event["placement"]
    match event["action"]:
        case "define":
            colour = colour_of(event["colour"])
            arn = define_solution(_client("personalize"), settings, colour=colour, placement=placement)
            create_filters(_client("personalize"), settings, colour=colour, placement=placement)
            return {"solution_arn": arn}
        case "judge":
            colour = colour_of(event["colour"])
            require_filters(_client("personalize"), settings, colour=colour, placement=placement)
            reports = Reports(_client("s3"), settings.training_bucket)
            metrics = _client("personalize").get_solution_metrics(
                solutionVersionArn=event["solution_version_arn"]
            )["metrics"]
            return judge(
                settings,
                reports,
                metrics,
                placement_name=placement,
                run_id=event["run_id"],
                training_hours=event.get("training_hours"),
            )
        case action:
            raise ValueError(f"action must be define or judge, got {action!r}")


def judge(
    settings: Settings,
    reports: Reports,
    metrics: dict[str, float],
    *,
    placement_name: str,
    run_id: str,
    training_hours: float | None = None,
) -> dict[str, Any]:
    """Hold the metrics against their limits; the report says what came of it, either way.

    :param training_hours: that Personalize bills for the model; for the report.
    :raises MetricsGateRefused: naming each metric that falls short.
    """
    placement = settings.placement(placement_name)
    live = ((reports.last_good() or {}).get("metrics") or {}).get(placement_name)
    checks = check(metrics, placement=placement, gate=settings.metrics_gate, live=live)
    said = told(metrics, placement=placement, verdict=verdict(checks))
    if training_hours is not None:
        said["training_hours"] = training_hours
    reports.add(run_id, "metrics", placement_name, said)
    if refused := failed(checks):
        emit(
            {"environment": settings.names.environment},
            {"GateFailures": len(refused)},
            properties={
                "gate": "metrics",
                "run_id": run_id,
                "refused": [f"{placement_name}: {each}" for each in refused],
            },
        )
        raise MetricsGateRefused(f"{placement_name}: " + "; ".join(refused))
    return {"metrics": metrics}


@cache
def _client(service: str) -> Any:
    return boto3.client(service)
