"""Reports of a metric attribution in Amazon S3: a file for each import of interactions that asks for one.

Developer guide, "Publishing metric attribution reports to Amazon S3".
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from local_cloud.personalize.attribution_results import Attribution, Result
from local_cloud.personalize.region import Region
from local_cloud.personalize.store import Resource
from local_cloud.personalize.transfers import write_for

_HEADER: Final = (
    "METRIC_NAME",
    "EVENT_TYPE",
    "VALUE",
    "MATH_FUNCTION",
    "EVENT_ATTRIBUTION_SOURCE",
    "TIMESTAMP",
)


def publish(region: Region, job: Resource, attribution: Attribution, results: Sequence[Result]) -> None:
    """Write a report, if the import asks for one and the attribution says where to.

    :raises Failed: with the `failureReason` of a job whose attribution may not write there.
    """
    output = attribution.resource.members["metricsOutputConfig"]
    folder = output.get("s3DataDestination", {}).get("path")
    if not job.members.get("publishAttributionMetricsToS3") or folder is None:
        return
    at = datetime.fromtimestamp(region.clock.now(), UTC)
    name = f"AggregatedAttributionMetrics - {job.members['importMode']} - {at:%Y-%m-%dT%H-%M-%SZ}.csv"
    location = f"{folder.rstrip('/')}/{name}"
    write_for(region, job, location, report(results).encode(), role_arn=output["roleArn"])


def report(results: Sequence[Result]) -> str:
    """CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_HEADER)
    for each in results:
        writer.writerow((each.metric, each.event_type, each.value, each.function, each.source, each.window))
    return text.getvalue()
