"""Operations on metric attributions: which events of which items count as an effect of recommendations.

API reference, "CreateMetricAttribution"; developer guide, "Measuring impact of recommendations".
Its metrics go to CloudWatch (`attribution_metrics`), and to S3 on imports that ask for it
(`attribution_reports`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from local_cloud.personalize.errors import Refused, already_exists, in_use, invalid, limit_exceeded
from local_cloud.personalize.lifecycle import Failed
from local_cloud.personalize.region import AccessRefused, Job, Region
from local_cloud.personalize.schemas import NUMERIC
from local_cloud.personalize.store import Resource
from local_cloud.personalize.transfers import check_location, check_role

MOST_METRICS: Final = 10

_EXPRESSION: Final = re.compile(
    r"SAMPLECOUNT\(\)|SUM\((Interactions|Items)\.([A-Za-z_][A-Za-z0-9_]*)\)", re.IGNORECASE
)
_NO_ACCESS: Final = "Insufficient privileges for publishing metrics in Amazon CloudWatch."
_CHANGES: Final = ("addMetrics", "removeMetrics", "metricsOutputConfig")

Request = Mapping[str, Any]
Metrics = Sequence[Mapping[str, str]]


def create_metric_attribution(region: Region, request: Request) -> dict[str, Any]:
    """One per dataset group."""
    store, group = region.store, request["datasetGroupArn"]
    store.active("DatasetGroup", group)
    interactions = region.dataset(group, "INTERACTIONS")
    if interactions is None or "EVENT_TYPE" not in interactions.schema.columns:
        raise invalid(f"{group} has no Interactions dataset with EVENT_TYPE, by which events are counted")
    _check_output(region, request["metricsOutputConfig"])
    if not request["metrics"]:
        raise invalid("metrics must have at least one entry")
    _check(region, group, request["metrics"])
    arn = region.arn(f"metric-attribution/{request['name']}")
    if store.peek(arn) is not None:
        raise already_exists(arn)
    if store.all("MetricAttribution", datasetGroupArn=group):
        raise limit_exceeded(f"{group} already has a metric attribution")
    members = {**request, "metricAttributionArn": arn}
    region.create("MetricAttribution", arn, members, job=creation_job)
    return {"metricAttributionArn": arn}


def creation_job(region: Region, resource: Resource) -> Job:
    """Developer guide, "Giving Amazon Personalize access to CloudWatch": it tries whether the role may."""
    role = resource.members["metricsOutputConfig"]["roleArn"]

    def work() -> None:
        try:
            region.metrics.put([], role_arn=role, attribution_arn=resource.arn)
        except AccessRefused:
            raise Failed(_NO_ACCESS) from None

    return Job(work=work)


def _check_output(region: Region, output: Request) -> None:
    check_role(region, output["roleArn"])
    if "s3DataDestination" in output:
        check_location(output["s3DataDestination"]["path"])


def _check(region: Region, group: str, metrics: Metrics) -> None:
    names = [metric["metricName"] for metric in metrics]
    if twice := [name for name in names if names.count(name) > 1]:
        raise invalid(f"Metric names must differ, got {twice[0]} twice")
    if len(metrics) > MOST_METRICS:
        raise limit_exceeded(f"A metric attribution has at most {MOST_METRICS} metrics, got {len(metrics)}")
    for metric in metrics:
        match = _EXPRESSION.fullmatch(metric["expression"])
        if match is None:
            raise invalid(
                f"expression must be SAMPLECOUNT() or SUM(dataset.COLUMN), got {metric['expression']}"
            )
        if match[1]:
            dataset = region.dataset(group, "ITEMS" if match[1].lower() == "items" else "INTERACTIONS")
            kinds = {field.name: field.kind for field in dataset.schema.fields} if dataset else {}
            if kinds.get(match[2]) not in NUMERIC:
                raise invalid(f"There is no numeric column {match[1]}.{match[2]} to sum")


def update_metric_attribution(region: Region, request: Request) -> dict[str, Any]:
    if "metricAttributionArn" not in request:
        raise invalid("metricAttributionArn is required")
    resource = region.store.active("MetricAttribution", request["metricAttributionArn"])
    if resource.progress is not None:
        raise in_use(f"{resource.arn} has an update in progress")
    if not any(name in request for name in _CHANGES):
        raise invalid(f"One of {', '.join(_CHANGES)} must be given")
    removed, added = request.get("removeMetrics", []), request.get("addMetrics", [])
    before = {metric["metricName"] for metric in resource.members["metrics"]}
    if missing := [name for name in removed if name not in before]:
        raise invalid(f"{resource.arn} has no metric {missing[0]}")
    kept = [metric for metric in resource.members["metrics"] if metric["metricName"] not in removed]
    names = {metric["metricName"] for metric in kept}
    for metric in added:
        if metric["metricName"] in names:
            said = f"{resource.arn} has a metric {metric['metricName']} already"
            raise Refused("ResourceAlreadyExistsException", said)
    metrics = [*kept, *added]
    _check(region, resource.members["datasetGroupArn"], metrics)
    new: dict[str, Any] = {"metrics": metrics}
    if "metricsOutputConfig" in request:
        _check_output(region, request["metricsOutputConfig"])
        new["metricsOutputConfig"] = request["metricsOutputConfig"]
    region.update(resource, new, member="latestUpdate", job=update_job(region, resource, new))
    return {"metricAttributionArn": resource.arn}


def update_job(region: Region, resource: Resource, new: Request) -> Job:
    """What an update changes once it is ACTIVE."""

    def finish(_: Any) -> None:
        for name in ("metrics", "metricsOutputConfig"):
            if name in new:
                resource.members[name] = new[name]
        resource.members["lastUpdatedDateTime"] = region.clock.stamp()

    return Job(finish=finish)


def delete_metric_attribution(region: Region, request: Request) -> dict[str, Any]:
    resource = region.store.get("MetricAttribution", request["metricAttributionArn"])
    if resource.progress is not None:
        raise in_use(f"{resource.arn} has status {resource.status}, or an update in progress")
    region.delete(resource)
    return {}
