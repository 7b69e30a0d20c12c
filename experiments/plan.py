"""What was stated before an experiment began: which metric decides, from when, for how long."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from vocabulary.experiment import DEFAULT_DAYS, DEFAULT_PRIMARY, METRICS, Metric

DAY_MS: Final = 86_400_000


@dataclass(frozen=True)
class Plan:
    """The fixed horizon: before its end no effect is shown, after it nothing that comes later counts.

    :param primary: the metric that decides; the others are secondary.
    :param days: how many whole days (UTC) are counted.
    :param starts: the first of them; None for the day of the first exposure.
    """

    primary: Metric = DEFAULT_PRIMARY
    days: int = DEFAULT_DAYS
    starts: date | None = None

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Plan:
        """Read `{primary, days, starts}` of a configuration; what is absent is the default.

        :raises ValueError: when a field is none of what is allowed.
        """
        primary = told.get("primary", DEFAULT_PRIMARY)
        if primary not in METRICS:
            raise ValueError(f"plan.primary must be one of {', '.join(METRICS)}, got {primary!r}")
        days = told.get("days", DEFAULT_DAYS)
        if type(days) is not int or not 1 <= days <= 366:
            raise ValueError(f"plan.days must be 1 to 366, got {days!r}")
        starts = told.get("starts")
        try:
            first = None if starts is None else date.fromisoformat(starts)
        except (TypeError, ValueError):
            raise ValueError(f"plan.starts must be a date like 2026-11-24, got {starts!r}") from None
        return cls(primary, days, first)

    def window(self, first_exposure: int | None, today: date) -> Window:
        """The days that count, once there is an exposure or the plan says when they start.

        :param first_exposure: unix milliseconds.
        """
        first = self.starts
        if first is None:
            exposed = first_exposure is not None
            first = datetime.fromtimestamp((first_exposure or 0) / 1000, UTC).date() if exposed else today
        return Window(first, self.days)

    def __str__(self) -> str:
        since = f"from {self.starts}" if self.starts else "from the first exposure"
        return f"{self.primary}, {self.days} day{'s' if self.days != 1 else ''} {since}"


@dataclass(frozen=True)
class Window:
    """Whole days in UTC, the first and how many."""

    first: date
    days: int

    @property
    def end(self) -> datetime:
        """The moment after the last of its days."""
        return _midnight(self.first + timedelta(days=self.days))

    @property
    def settled(self) -> datetime:
        """When the lake holds all of them: Firehose is minutes behind."""
        return self.end + timedelta(hours=1)

    @property
    def start_ms(self) -> int:
        return int(_midnight(self.first).timestamp() * 1000)

    @property
    def end_ms(self) -> int:
        return self.start_ms + self.days * DAY_MS

    def day(self, index: int) -> date:
        return self.first + timedelta(days=index)


def first_stated(plans: Iterable[tuple[int, Plan]]) -> tuple[Plan, list[str]]:
    """The plan that counts, of those in the versions of a configuration, and what to say about the others.

    The first one stated counts: one that is changed on the way may have been changed for what was seen.

    :param plans: version and plan, oldest first, of the versions that state one.
    """
    stated = list(plans)
    if not stated:
        return Plan(), [f"No plan was stated, so the default is kept to: {Plan()}."]
    version, plan = stated[0]
    changed = [f"version {other} ({each})" for other, each in stated[1:] if each != plan]
    if not changed:
        return plan, []
    return plan, [f"The plan of version {version} counts; it was changed later, in {', '.join(changed)}."]


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
