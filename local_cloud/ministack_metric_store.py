"""Where MiniStack keeps the values of metrics."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Final

from ministack.core.responses import request_scope
from ministack.services import cloudwatch

from local_cloud.embedded_metrics import Datum
from local_cloud.ministack_job_roles import JobRoles
from local_cloud.personalize.metrics import NAMESPACE

_TOGETHER: Final = 0.1
"""Seconds; less than the shortest minute by which alarms are evaluated (`ministack_alarms`)."""


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


class MiniStackMetrics:
    """What Personalize puts, of itself or with a role.

    Values that come together are kept as one statistic set, so that a load of hours fits in memory: AWS's
    own metrics of Personalize have no percentiles either (developer guide, "CloudWatch metrics for Amazon
    Personalize").
    """

    def __init__(self, roles: JobRoles) -> None:
        self._roles = roles
        self._lock = threading.Lock()

    def put(
        self, data: Sequence[Datum], *, role_arn: str | None = None, attribution_arn: str | None = None
    ) -> None:
        """
        :raises AccessRefused: unless the role trusts Personalize and allows `cloudwatch:PutMetricData`.
        """
        if role_arn is not None:
            self._roles.check_trust(role_arn, job_arn=attribution_arn or "")
            about = {"cloudwatch:namespace": NAMESPACE}
            self._roles.check_allowed(role_arn, "cloudwatch:PutMetricData", about)
        with self._lock, request_scope(self._roles.account, self._roles.region):
            for datum in data:
                _record_together(datum)


def _record_together(datum: Datum) -> None:
    dimensions = dict(datum.dimensions)
    moment = time.time() if datum.time is None else datum.time
    points = cloudwatch._metric_bucket((datum.namespace, datum.name, cloudwatch._dims_key(dimensions)))
    value = datum.value
    last = points[-1] if points else {}
    together = "_stat" in last and 0 <= moment - last["Timestamp"] < _TOGETHER
    known = last["_stat"] if together else {"SampleCount": 0, "Sum": 0, "Minimum": value, "Maximum": value}
    statistics = {
        "SampleCount": known["SampleCount"] + 1,
        "Sum": known["Sum"] + value,
        "Minimum": min(known["Minimum"], value),
        "Maximum": max(known["Maximum"], value),
    }
    point = {
        "Timestamp": last["Timestamp"] if together else moment,
        "Value": statistics["Sum"] / statistics["SampleCount"],
        "Unit": datum.unit,
        "Dimensions": dimensions,
        "_stat": statistics,
    }
    if together:
        points[-1] = point
    else:
        points.append(point)
