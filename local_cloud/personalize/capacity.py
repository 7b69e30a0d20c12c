"""What a campaign can take: its provisioned transactions per second, and more after a while.

Developer guide, "Minimum provisioned transactions per second and auto-scaling": a campaign starts with
`minProvisionedTPS`; where traffic goes beyond, capacity follows it up, never below that minimum, "but
there's a short time delay while the capacity is increased", of minutes, in which requests are throttled.
Quotas, "Amazon Personalize endpoints and quotas": 500 a second per campaign, 2,500 for all of them,
PutEvents 1,000 a second per dataset group, PutItems and PutUsers 10 a second per dataset.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from local_cloud.personalize.errors import Refused

MOST_PER_CAMPAIGN: Final = 500
MOST_OF_ACCOUNT: Final = 2500
MOST_EVENTS: Final = 1000
MOST_RECORDS: Final = 10

SCALES_WITHIN: Final = 300.0
"""Seconds of demand beyond the capacity until it follows: observed 5 to 10 minutes."""


@dataclass
class _Meter:
    """Requests of one second after the other.

    :param capacity: a second, as grown by now.
    :param asked: in this second, also what was refused; `served` without.
    :param over_since: the moment since when demand has not been within the capacity.
    :param peak: the highest demand in a second since then.
    """

    capacity: float
    second: float = 0.0
    asked: int = 0
    served: int = 0
    over_since: float | None = None
    peak: int = 0


class Capacity:
    """Of everything that one account calls in one Region. Thread-safe.

    :param now: Unix seconds.
    :param lasts: how long here takes what takes so many seconds on AWS.
    """

    def __init__(self, *, now: Callable[[], float], lasts: Callable[[float], float]) -> None:
        self._now = now
        self._lasts = lasts
        self._meters: dict[str, _Meter] = {}
        self._lock = threading.Lock()

    def take(self, what: str, *, least: float, most: float) -> None:
        """One request.

        :param what: that has a capacity of its own: an ARN, say.
        :param least: requests a second that it can always take.
        :param most: that it can grow to.
        :raises Refused: ThrottlingException.
        """
        with self._lock:
            now = self._now()
            meter = self._meters.setdefault(what, _Meter(capacity=least))
            if now >= meter.second + 1 or now < meter.second:
                self._next_second(meter, now, least=least, most=most)
            meter.asked += 1
            if meter.asked > meter.capacity:
                meter.over_since = now if meter.over_since is None else meter.over_since
                meter.peak = max(meter.peak, meter.asked)
            if meter.served + 1 > max(meter.capacity, 1):
                raise Refused("ThrottlingException", "Rate exceeded")
            meter.served += 1

    def _next_second(self, meter: _Meter, now: float, *, least: float, most: float) -> None:
        idle = now >= meter.second + 2
        if idle or meter.asked <= meter.capacity:
            meter.over_since, meter.peak = None, 0
        elif meter.over_since is not None and now >= meter.over_since + self._lasts(SCALES_WITHIN):
            meter.capacity = min(most, float(meter.peak))
            meter.over_since, meter.peak = None, 0
        if idle and now >= meter.second + self._lasts(SCALES_WITHIN):
            meter.capacity = least
        meter.capacity = min(most, max(least, meter.capacity))
        meter.second, meter.asked, meter.served = now, 0, 0
