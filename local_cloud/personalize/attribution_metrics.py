"""Metrics of a metric attribution in Amazon CloudWatch: of streamed events, and of incremental imports.

Developer guide, "Viewing graphs of metric data in CloudWatch". The metric has the name that the attribution
gives it. The guide names neither namespace nor dimensions, and says that data are aggregated over 15 minutes.
Here a value is put at once, at the begin of its quarter of an hour: the sum of a period of 15 minutes is the
result.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import Final

from local_cloud.embedded_metrics import Datum
from local_cloud.personalize.attribution_results import WINDOW, Attribution, Result
from local_cloud.personalize.datasets import Dataset
from local_cloud.personalize.metrics import NAMESPACE
from local_cloud.personalize.region import AccessRefused, Region
from local_cloud.personalize.streamed import Event
from local_cloud.personalize.table import Table

_OLDEST: Final = 14 * 24 * 3600
"""Seconds: "records must be less than 14 days old"."""

_AHEAD: Final = 2 * 3600
"""Amazon CloudWatch API reference, `MetricDatum`: no more than two hours in the future."""

_COLUMNS: Final = ("RECOMMENDATION_ID", "EVENT_ATTRIBUTION_SOURCE")

_log = logging.getLogger(__name__)


def tell_of_events(region: Region, group_arn: str, dataset: Dataset, events: Sequence[Event]) -> None:
    """
    :param events: that were streamed just now, without those whose id was seen before.
    """
    attribution = Attribution.of_group(region, group_arn) if events else None
    if attribution is not None:
        names = tuple(dict.fromkeys((*dataset.schema.columns, *_COLUMNS)))
        records = [dataset.record_of(event) for event in events]
        table = Table.of(names, [tuple(record.get(name) for name in names) for record in records])
        tell(region, attribution, attribution.results(table))


def tell(region: Region, attribution: Attribution, results: Iterable[Result]) -> None:
    """Put what CloudWatch takes of them; a role that may not is logged, since nobody waits for an answer."""
    now, members = region.clock.now(), attribution.resource.members
    data = [
        Datum(
            NAMESPACE,
            result.metric,
            {"DatasetGroupArn": members["datasetGroupArn"], "EVENT_ATTRIBUTION_SOURCE": result.source},
            result.value,
            "Count" if result.function == "samplecount" else "None",
            result.window,
        )
        for result in results
        if now - _OLDEST < result.window + WINDOW and result.window <= now + _AHEAD
    ]
    if not data:
        return
    role, arn = members["metricsOutputConfig"]["roleArn"], attribution.resource.arn
    try:
        region.metrics.put(data, role_arn=role, attribution_arn=arn)
    except AccessRefused as error:
        _log.warning("%s cannot put its metrics: %s", arn, error)
