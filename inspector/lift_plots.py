"""Plots of the experiment: how a lift's interval narrows over the days, and the intervals side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from experiments.comparing import Comparison
from inspector.plots import round_step

_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 14, 14, 30


@dataclass(frozen=True)
class Interval:
    """A lift with its interval, under a name.

    :param stands: `up` or `down` where an effect is concluded, else `open`.
    """

    name: str
    lift: float
    low: float
    high: float
    stands: str = "open"

    @classmethod
    def of(cls, name: str, comparison: Comparison | None, *, concluded: bool = False) -> Interval | None:
        """None where nothing could be compared.

        :param concluded: whether its p-value, as adjusted, lets one conclude that there is an effect.
        """
        if comparison is None or comparison.lift is None:
            return None
        stands = ("up" if comparison.lift > 0 else "down") if concluded else "open"
        return cls(name, comparison.lift, comparison.lift_low or 0.0, comparison.lift_high or 0.0, stands)

    @property
    def says(self) -> str:
        return f"{self.lift:+.1%} ({self.low:+.1%} to {self.high:+.1%})"


@dataclass(frozen=True)
class OverDays:
    """The line of the lift, day by day, in the band of its intervals, ready to be drawn.

    :param zero: where no effect lies.
    :param ticks: place and words along the upright axis; `labels` along the lower one.
    :param points: x, y and interval.
    """

    says: str
    band: str
    line: str
    zero: float
    ticks: Sequence[tuple[float, str]]
    labels: Sequence[tuple[float, str, str]]
    points: Sequence[tuple[float, float, Interval]]
    width: int = 640
    height: int = 250
    left: int = _LEFT


def over_days(intervals: Sequence[Interval], *, days: int) -> OverDays | None:
    """Draw the days that have an interval, the last of them at the right edge; None where there is none.

    :param intervals: by day, the last day's last.
    :param days: how many days there are in all; the first ones may have too little to tell.
    """
    if not intervals:
        return None
    # The first days' intervals may be so wide that they would hide all that follows: these are cut off
    settled = intervals[2:] or intervals
    top = 1.15 * max(0.01, *(each.high for each in settled))
    floor = 1.15 * min(-0.01, *(each.low for each in settled))
    # No effect is seen to lie between: never at an edge
    top, floor = max(top, -floor / 5), min(floor, -top / 5)
    wide, high = OverDays.width - _LEFT - _RIGHT, OverDays.height - _TOP - _BOTTOM
    before = days - len(intervals)

    def x(place: int) -> float:
        return round(_LEFT + wide * (place + before) / max(days - 1, 1), 1)

    def y(value: float) -> float:
        return round(_TOP + high * (top - max(floor, min(top, value))) / (top - floor), 1)

    upper = [f"{x(place):g},{y(each.high):g}" for place, each in enumerate(intervals)]
    lower = [f"{x(place):g},{y(each.low):g}" for place, each in enumerate(intervals)]
    first, last = intervals[0], intervals[-1]
    labels = [(x(0), first.name, "start"), (x(len(intervals) - 1), last.name, "end")]
    return OverDays(
        says=f"Lift at each day's end with its 95% interval, at last {last.says}",
        band="M" + "L".join([*upper, *reversed(lower)]) + "Z",
        line="M" + "L".join(f"{x(place):g},{y(each.lift):g}" for place, each in enumerate(intervals)),
        zero=y(0),
        ticks=[(y(tick), f"{100 * tick:+.3g}%" if tick else "0%") for tick in _ticks(floor, top)],
        labels=labels if len(intervals) > 1 else [(x(0), last.name, "end" if before else "start")],
        points=[(x(place), y(each.lift), each) for place, each in enumerate(intervals)],
    )


@dataclass(frozen=True)
class Row:
    """One interval of several on a common scale: where it begins, ends and has its middle, 0 to 100."""

    interval: Interval
    low: float
    lift: float
    high: float


def side_by_side(intervals: Sequence[Interval]) -> list[Row]:
    """Intervals on one scale, in the middle of which no effect lies."""
    if not intervals:
        return []
    reach = max(max(abs(each.low), abs(each.high)) for each in intervals) or 0.1
    # One that is very wide would press the others into a point
    reach = min(reach, 4 * sorted(each.high - each.low for each in intervals)[len(intervals) // 2])

    def place(value: float) -> float:
        return round(50 + 48 * max(-1.0, min(1.0, value / reach)), 2)

    return [Row(each, place(each.low), place(each.lift), place(each.high)) for each in intervals]


def _ticks(floor: float, top: float) -> list[float]:
    """Round steps between, through 0."""
    step = round_step((top - floor) / 5)
    return [step * number for number in range(math.ceil(floor / step), math.floor(top / step) + 1)]
