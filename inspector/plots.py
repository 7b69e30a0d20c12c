"""Plots as plain SVG: where every line, point, bar and tick of a plot lies; a template draws them.

Coordinates are those of the picture, which is as wide as its column on the page.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

WIDTH: Final = 340
HEIGHT: Final = 180
_LEFT: Final = 44
_RIGHT: Final = 12
_TOP: Final = 12
_BOTTOM: Final = 30


@dataclass(frozen=True)
class Point:
    """A value at a place, 0 to 1 along the axis.

    :param label: said when it is pointed at.
    :param style: a class of the style sheet, `maize` or `refused` say.
    """

    at: float
    value: float
    label: str = ""
    style: str = ""


@dataclass(frozen=True)
class Series:
    """A named line; without `line`, its points alone."""

    name: str
    points: Sequence[Point]
    style: str = ""
    line: bool = True


@dataclass(frozen=True)
class Mark:
    """Something drawn: `x`, `y` of its centre or corner; `width`, `height` of a bar."""

    x: float
    y: float
    style: str
    label: str
    width: float = 0
    height: float = 0


@dataclass(frozen=True)
class Plot:
    """A plot ready to be drawn.

    :param says: what it shows, for those who do not see it.
    :param rows: its figures as a table: label and value in words.
    """

    title: str
    unit: str
    says: str
    ticks: Sequence[tuple[float, str]]
    labels: Sequence[tuple[float, str, str]]
    """Along the lower axis: x, the words, and how they are anchored."""
    lines: Sequence[tuple[str, str]] = ()
    """Style and SVG path."""
    points: Sequence[Mark] = ()
    bars: Sequence[Mark] = ()
    legend: Sequence[tuple[str, str]] = ()
    """Style and name."""
    rows: Sequence[tuple[str, str]] = field(default=())
    left: float = _LEFT
    right: float = WIDTH - _RIGHT
    bottom: float = HEIGHT - _BOTTOM
    width: int = WIDTH
    height: int = HEIGHT


def line_plot(
    title: str,
    series: Sequence[Series],
    *,
    ends: tuple[str, str],
    unit: str = "",
    most: float | None = None,
    gap: float = math.inf,
) -> Plot | None:
    """Lines over time; None where there is no point at all.

    :param ends: what stands at the left and the right end of the axis.
    :param most: the top of the scale; the greatest value unless told.
    :param gap: points further apart than this share of the axis are not joined: nothing is known in between.
    """
    values = [point.value for each in series for point in each.points]
    if not values:
        return None
    ticks = ticks_to(most if most is not None else max(values))
    top = ticks[-1]
    shown = [each for each in series if each.points]
    return Plot(
        title,
        unit,
        f"{title}: " + "; ".join(f"{each.name} {_said(each.points, unit)}" for each in shown),
        [(_y(tick, top), number(tick)) for tick in ticks],
        [(_LEFT, ends[0], "start"), (WIDTH - _RIGHT, ends[1], "end")],
        lines=[
            (each.style, _path(each.points, top, gap)) for each in shown if each.line and len(each.points) > 1
        ],
        points=[
            Mark(_x(point.at), _y(point.value, top), point.style or each.style, point.label)
            for each in shown
            for point in each.points
            if point.label
        ],
        legend=[(each.style, each.name) for each in shown] if len(series) > 1 else [],
        rows=[
            (point.label or each.name, number(point.value))
            for each in shown
            for point in each.points
            if point.label
        ],
    )


def bar_plot(
    title: str, bars: Sequence[tuple[str, float, str]], *, unit: str = "", every: int = 1
) -> Plot | None:
    """Bars side by side, each with its name, value and style; None where there is none.

    :param every: only each so many-th name is written, where they are many.
    """
    if not bars:
        return None
    ticks = ticks_to(max(value for _, value, _ in bars))
    top, step = ticks[-1], (WIDTH - _LEFT - _RIGHT) / len(bars)
    wide = step * (0.92 if len(bars) > 8 else 0.6)
    marks, labels = [], []
    for place, (name, value, style) in enumerate(bars):
        x = _LEFT + step * place + (step - wide) / 2
        y = _y(value, top)
        label = f"{name}: {number(value)} {unit}".rstrip()
        marks.append(Mark(round(x, 1), y, style, label, round(wide, 1), round(HEIGHT - _BOTTOM - y, 1)))
        if place % every == 0:
            labels.append((round(x + wide / 2, 1), name, "middle"))
    highest = max(bars, key=lambda bar: bar[1])
    return Plot(
        title,
        unit,
        f"{title}: {len(bars)} bars, the highest {highest[0]} with {number(highest[1])} {unit}".rstrip(),
        [(_y(tick, top), number(tick)) for tick in ticks],
        labels,
        bars=marks,
        rows=[(name, number(value)) for name, value, _ in bars],
    )


def histogram(title: str, values: Sequence[float], *, unit: str, style: str, bins: int = 20) -> Plot | None:
    """How values are spread over about `bins` ranges of equal width from 0 on, as a count of each.

    Ranges are parts of round steps, so that what is written below them is round.
    """
    if not values:
        return None
    steps = ticks_to(max(values))
    top, in_a_step = steps[-1], max(round(bins / (len(steps) - 1)), 1)
    bins = in_a_step * (len(steps) - 1)
    counts = [0] * bins
    for value in values:
        counts[min(int(value / top * bins), bins - 1)] += 1
    bars = [(number(top * place / bins), float(count), style) for place, count in enumerate(counts)]
    return bar_plot(title, bars, unit=unit, every=in_a_step)


def ticks_to(most: float) -> list[float]:
    """Round steps from 0 to at least `most`, four to six of them."""
    if most <= 0:
        return [0.0, 1.0]
    step = round_step(most / 4)
    return [step * place for place in range(math.ceil(most / step * 0.999) + 1)]


def round_step(least: float) -> float:
    """The smallest round figure that is no less, but for what rounding leaves; more than 0."""
    size = 10.0 ** math.floor(math.log10(least))
    return next(size * each for each in (1, 2, 2.5, 5, 10) if size * each >= least * 0.999)


def number(value: float) -> str:
    """A figure with as many digits as say something."""
    if value == int(value) and abs(value) >= 1:
        return f"{value:,.0f}"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value else "0"


def _said(points: Sequence[Point], unit: str) -> str:
    low, high = min(point.value for point in points), max(point.value for point in points)
    last = f"{number(points[-1].value)} {unit}".rstrip()
    return f"at last {last}, from {number(low)} to {number(high)}"


def _path(points: Sequence[Point], top: float, gap: float) -> str:
    joined = [False, *(after.at - before.at <= gap for before, after in pairwise(points))]
    return "".join(
        f"{'L' if join else 'M'}{_x(point.at):g},{_y(point.value, top):g}"
        for point, join in zip(points, joined, strict=True)
    )


def _x(at: float) -> float:
    return round(_LEFT + at * (WIDTH - _LEFT - _RIGHT), 1)


def _y(value: float, top: float) -> float:
    return round(_TOP + (1 - value / top) * (HEIGHT - _TOP - _BOTTOM), 1)
