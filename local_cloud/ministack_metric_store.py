"""Where MiniStack keeps the values of metrics."""

from __future__ import annotations

import time

from ministack.services import cloudwatch

from local_cloud.embedded_metrics import Datum


def record(datum: Datum) -> None:
    """Keep a value where MiniStack keeps what PutMetricData brings, in the current account and Region."""
    dimensions = dict(datum.dimensions)
    key = (datum.namespace, datum.name, cloudwatch._dims_key(dimensions))
    cloudwatch._metric_bucket(key).append(
        {
            "Timestamp": time.time() if datum.time is None else datum.time,
            "Value": datum.value,
            "Unit": datum.unit,
            "Dimensions": dimensions,
        }
    )
