from __future__ import annotations

import pytest

from inspector.plots import Point, Series, bar_plot, histogram, line_plot, number, ticks_to


@pytest.mark.parametrize("most", [0.003, 0.0712, 0.5, 1, 7, 23, 999, 1_234_567])
def test_ticks_are_few_begin_at_zero_and_reach_the_top(most: float) -> None:
    ticks = ticks_to(most)
    assert ticks[0] == 0
    assert ticks[-1] >= most * 0.999
    assert 4 <= len(ticks) <= 7


def test_a_line_goes_from_left_to_right_and_up_with_its_value() -> None:
    points = [Point(0, 0, "first"), Point(1, 4, "last", "maize")]
    plot = line_plot("Requests", [Series("maize", points)], ends=("then", "now"), unit="a minute")
    assert plot
    first, last = plot.points
    assert (first.x, last.x) == (plot.left, plot.right)
    assert first.y == plot.bottom
    assert last.y == min(y for y, _ in plot.ticks)
    assert plot.says == "Requests: maize at last 4 a minute, from 0 to 4"
    assert plot.rows == [("first", "0"), ("last", "4")]


def test_a_line_is_not_drawn_over_a_time_of_which_nothing_is_known() -> None:
    points = [Point(0, 1), Point(0.1, 1), Point(0.6, 1), Point(0.7, 1)]
    plot = line_plot("Requests", [Series("maize", points)], ends=("then", "now"), gap=0.2)
    assert plot
    ((_, path),) = plot.lines
    assert [each[0] for each in path.replace("L", " L").replace("M", " M").split()] == ["M", "L", "M", "L"]


def test_bars_stand_on_the_axis_and_none_is_higher_than_its_value() -> None:
    plot = bar_plot("Events", [("Monday", 5.0, ""), ("Tuesday", 10.0, "")])
    assert plot
    low, high = plot.bars
    assert low.y + low.height == pytest.approx(plot.bottom)
    assert high.height == pytest.approx(2 * low.height, abs=0.2)
    assert "the highest Tuesday with 10" in plot.says


def test_a_histogram_counts_each_value_once() -> None:
    plot = histogram("Scores", [0.0, 0.1, 0.1, 0.4], unit="", style="maize")
    assert plot
    assert sum(float(value) for _, value in plot.rows) == 4


@pytest.mark.parametrize("most", [0.112, 0.4, 3.0, 87.0])
def test_what_is_written_below_a_histogram_is_round(most: float) -> None:
    plot = histogram("Scores", [0.0, most], unit="", style="maize")
    assert plot
    assert [name for _, name, _ in plot.labels] == [number(tick) for tick in ticks_to(most)[:-1]]


def test_nothing_is_no_plot() -> None:
    assert line_plot("a", [Series("b", [])], ends=("", "")) is None
    assert bar_plot("a", []) is None
    assert histogram("a", [], unit="", style="") is None
