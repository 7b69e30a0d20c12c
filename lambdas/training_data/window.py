"""Which events a model is trained on, by the time they were received."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

DAY_MS: Final = 86_400_000


@dataclass(frozen=True)
class Window:
    """Events with `start <= received_at < cutoff`, both in unix milliseconds."""

    start: int
    cutoff: int

    @classmethod
    def before(cls, cutoff: int, *, days: int) -> Window:
        """The `days` times 24 hours before the cutoff."""
        return cls(cutoff - days * DAY_MS, cutoff)

    @property
    def first_day(self) -> date:
        """The first partition to read.

        The day before the window's first: Firehose files a record under the
        arrival of the oldest one delivered with it, and an event whose first
        occurrence was received before the window is not in it.
        """
        return day_of(self.start) - timedelta(days=1)

    @property
    def last_day(self) -> date:
        """The last partition to read: the day after the cutoff, for records arrive after their receipt."""
        return day_of(self.cutoff) + timedelta(days=1)


def day_of(moment: int) -> date:
    """The day, in UTC, of a moment in unix milliseconds."""
    return datetime.fromtimestamp(moment / 1000, UTC).date()
