"""What state an alarm is in, by its data: as the Amazon CloudWatch user guide says, and no I/O.

Sections "Using Amazon CloudWatch alarms" (evaluation, M of N), "Configuring how CloudWatch alarms treat
missing data" and "Avoiding premature transitions to alarm state".
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

State = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]
Missing = Literal["missing", "ignore", "breaching", "notBreaching"]

_MORE_THAN_NEEDED: Final = 2
"""The guide's example looks at 5 data points where 3 are evaluated; how many in general it does not say."""

_COMPARISONS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}


@dataclass(frozen=True)
class Sample:
    """What was put at one moment: a value, seen `count` times, or a set of values by its statistics.

    :param time: unix seconds.
    """

    time: float
    count: float
    total: float
    low: float
    high: float

    @classmethod
    def of(cls, time: float, value: float, count: float = 1) -> Sample:
        return cls(time, count, value * count, value, value)


@dataclass(frozen=True, kw_only=True)
class Rule:
    """When an alarm is on.

    :param periods: N, how many data points are evaluated.
    :param to_alarm: M, how many of them must breach.
    :raises ValueError: for what CloudWatch does not know either.
    """

    comparison: str
    threshold: float
    periods: int = 1
    to_alarm: int = 1
    missing: Missing = "missing"

    def __post_init__(self) -> None:
        if self.comparison not in _COMPARISONS:
            raise ValueError(f"comparison must be one of {', '.join(_COMPARISONS)}, got {self.comparison!r}")
        if self.missing not in get_args(Missing):
            raise ValueError(f"missing must be one of {', '.join(get_args(Missing))}, got {self.missing!r}")
        if not 1 <= self.to_alarm <= self.periods:
            raise ValueError(f"to_alarm must be 1 to {self.periods}, got {self.to_alarm}")

    @property
    def looks_at(self) -> int:
        """How many of the latest periods are looked at: more than are evaluated, as some may have no data."""
        return self.periods + _MORE_THAN_NEEDED

    def breaches(self, value: float) -> bool:
        return _COMPARISONS[self.comparison](value, self.threshold)


def evaluate(data: Sequence[float | None], rule: Rule, current: State) -> State:
    """The state by the data points of `rule.looks_at` periods, the oldest first; None where one has no data.

    >>> evaluate([None, None, 7, None, None], Rule(comparison="GreaterThanThreshold", threshold=5), "OK")
    'ALARM'
    """
    breaching = [None if value is None else rule.breaches(value) for value in reversed(data)]
    there = [each for each in breaching if each is not None]
    if len(there) >= rule.periods:
        return _by_count(sum(there[: rule.periods]), rule)
    if sum(there) >= rule.to_alarm:
        return "ALARM"
    match rule.missing:
        case "breaching":
            return _by_count(sum(there) + rule.periods - len(there), rule)
        case "notBreaching":
            return "OK"
    if not all(there):  # one that does not breach
        return "OK"
    if rule.missing == "ignore":
        return current
    if not there:
        return "INSUFFICIENT_DATA"
    oldest = max(age for age, breach in enumerate(breaching) if breach)
    # One that is younger may be the first of a series; the guide says only that it is no alarm yet
    return "ALARM" if oldest + 1 >= rule.to_alarm else current


def statistic(samples: Iterable[Sample], name: str) -> float | None:
    """`Sum`, `Average`, `Minimum`, `Maximum`, `SampleCount` or a percentile like `p99`; None without data.

    :raises ValueError: for another statistic.
    """
    given = [sample for sample in samples if sample.count > 0]
    if not given:
        return None
    match name:
        case "SampleCount":
            return sum(sample.count for sample in given)
        case "Sum":
            return sum(sample.total for sample in given)
        case "Average":
            return sum(sample.total for sample in given) / sum(sample.count for sample in given)
        case "Minimum":
            return min(sample.low for sample in given)
        case "Maximum":
            return max(sample.high for sample in given)
    if not name.startswith("p"):
        raise ValueError(
            f"statistic must be Sum, Average, Minimum, Maximum, SampleCount or p99, got {name!r}"
        )
    return _percentile(given, float(name[1:]))


def series(
    samples: Sequence[Sample], *, name: str, period: float, count: int, end: float
) -> list[float | None]:
    """A statistic of each of the `count` periods up to `end`, the oldest first.

    :param period: seconds.
    :param end: unix seconds; what was put then or later does not count yet.
    """
    begin = end - period * count
    of_period: list[list[Sample]] = [[] for _ in range(count)]
    for sample in samples:
        if begin <= sample.time < end:
            of_period[min(count - 1, int((sample.time - begin) / period))].append(sample)
    return [statistic(each, name) for each in of_period]


def _by_count(breaching: int, rule: Rule) -> State:
    return "ALARM" if breaching >= rule.to_alarm else "OK"


def _percentile(samples: Sequence[Sample], percent: float) -> float | None:
    """Between the two nearest ranks. None where sets of different values are among the samples."""
    if any(sample.low != sample.high for sample in samples):
        return None
    ordered = sorted(samples, key=lambda sample: sample.low)
    rank = percent / 100 * (sum(sample.count for sample in ordered) - 1)
    below, above = _at(ordered, int(rank)), _at(ordered, int(rank) + 1)
    return below + (above - below) * (rank - int(rank))


def _at(ordered: Sequence[Sample], rank: int) -> float:
    seen = 0.0
    for sample in ordered:
        seen += sample.count
        if rank < seen:
            return sample.low
    return ordered[-1].low
