"""Drops that are known beforehand, and what campaigns provide for them; travels as JSON in an environment."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

_DAYS: Final = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
_STARTS: Final = re.compile(rf"(?:({'|'.join(_DAYS)}) )?([01]\d|2[0-3]):([0-5]\d)")
_A_MONDAY: Final = datetime(2026, 1, 5, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Drop:
    """A drop, or another rush that comes when it is expected.

    :param placement: whose campaigns provide more.
    :param starts: when customers come, in UTC: `2026-12-04T09:00` once, `FRI 09:00` every week, or
        `09:00` every day.
    :param hours: how long they stay.
    :param tps: requests a second that the campaigns provide, and are paid for, meanwhile.
    :param lead_minutes: how long before it begins that is asked for. Above its floor a campaign scales in 5
        to 10 minutes, and an update takes some minutes too.
    """

    placement: str
    starts: str
    hours: float
    tps: int
    lead_minutes: int = 30

    def __post_init__(self) -> None:
        _, every = _times(self.starts)
        lasting = self.lasting
        if not timedelta(0) < lasting <= (every or timedelta(days=31)) or self.hours <= 0:
            most = "31 days" if every is None else "the time until it starts again"
            raise ValueError(
                f"hours must be more than 0 and, with lead_minutes, at most {most}, got {self!r}"
            )
        if self.lead_minutes < 0:
            raise ValueError(f"lead_minutes must be at least 0, got {self.lead_minutes}")

    def in_force(self, at: datetime) -> bool:
        """Whether campaigns have to provide for it at that moment, which has a time zone."""
        begin, every = _times(self.starts)
        since = at - (begin - timedelta(minutes=self.lead_minutes))
        if every is not None:
            since %= every
        return timedelta(0) <= since < self.lasting

    @property
    def lasting(self) -> timedelta:
        """How long more is provided, lead and all."""
        return timedelta(hours=self.hours, minutes=self.lead_minutes)

    def hours_in(self, hours: float) -> float:
        """For how many of that many hours more is provided, in a span that has it; once, if it comes once."""
        _, every = _times(self.starts)
        times = 1.0 if every is None else timedelta(hours=hours) / every
        return times * (self.lasting / timedelta(hours=1))


def floor_at(at: datetime, placement: str, configured: int, drops: Iterable[Drop]) -> int:
    """The minProvisionedTPS that is due: never less than what is configured."""
    return max(
        [configured, *(drop.tps for drop in drops if drop.placement == placement and drop.in_force(at))]
    )


def mean_floor(
    since: datetime, until: datetime, placement: str, configured: int, drops: Iterable[Drop]
) -> float:
    """What `floor_at` says on average from one moment to a later one, by looks 5 minutes apart or closer."""
    drops = tuple(drops)
    looks = max(1, math.ceil((until - since) / timedelta(minutes=5)))
    every = (until - since) / looks
    moments = (since + every * (look + 0.5) for look in range(looks))
    return sum(floor_at(moment, placement, configured, drops) for moment in moments) / looks


def to_json(drops: Iterable[Drop]) -> str:
    return json.dumps([asdict(drop) for drop in drops], separators=(",", ":"), sort_keys=True)


def from_json(text: str) -> tuple[Drop, ...]:
    return tuple(Drop(**each) for each in json.loads(text))


def _times(starts: str) -> tuple[datetime, timedelta | None]:
    """One time that it starts, and how long until the next."""
    if found := _STARTS.fullmatch(starts):
        day, hour, minute = found.groups()
        clock = timedelta(hours=int(hour), minutes=int(minute))
        if day is None:
            return _A_MONDAY + clock, timedelta(days=1)
        return _A_MONDAY + timedelta(days=_DAYS.index(day)) + clock, timedelta(weeks=1)
    try:
        once = datetime.strptime(starts, "%Y-%m-%dT%H:%M").replace(tzinfo=UTC)
    except ValueError:
        raise ValueError(
            f"starts must be like 2026-12-04T09:00, FRI 09:00 or 09:00 (UTC), got {starts!r}"
        ) from None
    return once, None
