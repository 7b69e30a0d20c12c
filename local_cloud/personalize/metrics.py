"""Where metrics go: Amazon CloudWatch, or a log that stands for it where there is none."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from local_cloud.embedded_metrics import Datum

NAMESPACE: Final = "AWS/Personalize"

_MINUTE: Final = 60
_MOST_POINTS: Final = 24 * 60
_MOST_SERIES: Final = 10_000


class Metrics(Protocol):
    """Amazon CloudWatch for one account in one Region."""

    def put(
        self, data: Sequence[Datum], *, role_arn: str | None = None, attribution_arn: str | None = None
    ) -> None:
        """
        :param role_arn: that puts them; None for what the service tells of itself, as AWS's services do.
        :param attribution_arn: of the metric attribution that has the role.
        :raises AccessRefused: unless the role trusts Personalize and may `cloudwatch:PutMetricData`; also
            where there are no data.
        """


@dataclass
class _Series:
    """One metric.

    :param points: by the minute in unix seconds: count, sum, minimum and maximum.
    """

    unit: str
    points: dict[int, tuple[int, float, float, float]] = field(default_factory=dict)

    def add(self, moment: float, value: float) -> None:
        minute = int(moment) // _MINUTE * _MINUTE
        count, total, low, high = self.points.get(minute, (0, 0.0, value, value))
        self.points[minute] = count + 1, total + value, min(low, value), max(high, value)
        if len(self.points) > _MOST_POINTS:
            del self.points[min(self.points)]


class MetricLog:
    """The metrics of all Regions, by the minute, of the last 1,440 minutes that have any; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._series: dict[tuple[str, str, str, tuple[tuple[str, str], ...]], _Series] = {}

    def add(self, region: str, data: Iterable[Datum]) -> None:
        now = time.time()
        with self._lock:
            for datum in data:
                key = (region, datum.namespace, datum.name, tuple(sorted(datum.dimensions.items())))
                if key not in self._series:
                    if len(self._series) >= _MOST_SERIES:
                        del self._series[next(iter(self._series))]
                    self._series[key] = _Series(datum.unit)
                self._series[key].add(now if datum.time is None else datum.time, datum.value)

    def to_json(self) -> list[dict[str, Any]]:
        """`{region, namespace, name, dimensions, unit, points: [{time, count, sum, minimum, maximum}]}`."""
        with self._lock:
            return [
                {
                    "region": region,
                    "namespace": namespace,
                    "name": name,
                    "dimensions": dict(dimensions),
                    "unit": series.unit,
                    "points": [
                        {"time": minute, "count": count, "sum": total, "minimum": low, "maximum": high}
                        for minute, (count, total, low, high) in sorted(series.points.items())
                    ],
                }
                for (region, namespace, name, dimensions), series in self._series.items()
            ]


@dataclass(frozen=True)
class LoggedMetrics:
    """What one Region puts into a log; no role is asked whether it may."""

    log: MetricLog
    region: str

    def put(
        self, data: Sequence[Datum], *, role_arn: str | None = None, attribution_arn: str | None = None
    ) -> None:
        self.log.add(self.region, data)
