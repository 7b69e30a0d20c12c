"""Reports of a metric attribution: what happened to what was recommended, in quarters of an hour.

Developer guide, "Publishing metric attribution reports to Amazon S3": a file for each import of interactions
that asks for one.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from local_cloud.personalize.region import Region
from local_cloud.personalize.store import Resource
from local_cloud.personalize.table import Coded, Column, Table
from local_cloud.personalize.touches import Touches
from local_cloud.personalize.transfers import write_for

UNDEFINED: Final = "SOURCE_NAME_UNDEFINED"
"""Of an interaction that does not say which recommendation it goes back to."""

_HEADER: Final = (
    "METRIC_NAME",
    "EVENT_TYPE",
    "VALUE",
    "MATH_FUNCTION",
    "EVENT_ATTRIBUTION_SOURCE",
    "TIMESTAMP",
)
_WINDOW: Final = 15 * 60  # seconds

Records = Mapping[str, Mapping[str, Any]]


def publisher(region: Region, job: Resource) -> Callable[[Table], None]:
    """What an import does with the rows that it has read: nothing, unless they are interactions and it is to
    publish metrics.
    """
    dataset = region.store.get("Dataset", job.members["datasetArn"])
    group = dataset.members["datasetGroupArn"]
    found = region.store.all("MetricAttribution", datasetGroupArn=group)
    output = found[0].members["metricsOutputConfig"] if found and found[0].is_active else {}
    folder = output.get("s3DataDestination", {}).get("path")
    is_asked_for = job.members.get("publishAttributionMetricsToS3") and folder is not None
    if not is_asked_for or dataset.members["datasetType"] != "INTERACTIONS":
        return lambda table: None
    described = region.dataset(group, "ITEMS")
    items = described.records() if described else {}
    metrics = list(found[0].members["metrics"])
    campaigns = {campaign_mark(c.arn): c.arn for c in region.store.all("Campaign", datasetGroupArn=group)}
    at = datetime.fromtimestamp(region.clock.now(), UTC)
    name = f"AggregatedAttributionMetrics - {job.members['importMode']} - {at:%Y-%m-%dT%H-%M-%SZ}.csv"

    def publish(table: Table) -> None:
        content = report(table, metrics, items=items, campaigns=campaigns).encode()
        write_for(region, job, f"{folder.rstrip('/')}/{name}", content, role_arn=output["roleArn"])

    return publish


def campaign_mark(campaign_arn: str) -> str:
    """What a recommendation id ends in that comes from this campaign."""
    return f"CID-{hashlib.sha256(campaign_arn.encode()).hexdigest()[:6]}"


def report(
    table: Table, metrics: Sequence[Mapping[str, str]], *, items: Records, campaigns: Mapping[str, str]
) -> str:
    """CSV, by metric, source and time.

    :param table: of interactions, with all their columns.
    :param metrics: `metricName`, `eventType` and `expression`.
    :param campaigns: by their marks.
    """
    touches = Touches.of_dataset(table)
    windows = touches.timestamps // _WINDOW * _WINDOW
    sources = _sources(table, campaigns)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_HEADER)
    for metric in metrics:
        wanted = metric["eventType"].lower()
        is_meant = np.array(
            [(kind or "").lower() == wanted for kind in touches.event_types.values], dtype=bool
        )
        rows = np.flatnonzero(is_meant[touches.event_types.codes])
        values = _values(metric["expression"], table, touches, items)[rows]
        keys = np.stack([sources.codes[rows].astype(np.int64), windows[rows]])
        groups, members = np.unique(keys, axis=1, return_inverse=True)
        sums = np.bincount(members.ravel(), weights=values, minlength=groups.shape[1])
        function = metric["expression"].partition("(")[0].lower()
        for (source, window), value in zip(groups.T.tolist(), sums.tolist(), strict=True):
            source_name = sources.values[source]
            writer.writerow((metric["metricName"], metric["eventType"], value, function, source_name, window))
    return text.getvalue()


def _sources(table: Table, campaigns: Mapping[str, str]) -> Coded:
    """EVENT_ATTRIBUTION_SOURCE is worth more than RECOMMENDATION_ID."""
    named, recommended = (_listed(table, name) for name in ("EVENT_ATTRIBUTION_SOURCE", "RECOMMENDATION_ID"))
    return Coded.of(
        name or campaigns.get((recommendation or "")[-10:], UNDEFINED)
        for name, recommendation in zip(named, recommended, strict=True)
    )


def _listed(table: Table, name: str) -> list[Any]:
    column = table.columns.get(name)
    return [None] * len(table) if column is None else column.listed()


def _values(expression: str, table: Table, touches: Touches, items: Records) -> NDArray[np.float64]:
    """Per interaction, what it adds."""
    _, _, inside = expression.rstrip(")").partition("(")
    if not inside:
        return np.ones(len(table))
    dataset, _, column = inside.partition(".")
    if dataset.lower() == "items":
        worth = [_number(items.get(item_id, {}).get(column)) for item_id in touches.items.values]
        return np.array(worth, dtype=np.float64)[touches.items.codes]
    return _numbers(table.columns[column])


def _numbers(column: Column) -> NDArray[np.float64]:
    return np.array([_number(value) for value in column.listed()], dtype=np.float64)


def _number(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) else 0.0
