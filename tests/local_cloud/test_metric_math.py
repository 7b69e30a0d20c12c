"""Expressions over metrics."""

from __future__ import annotations

import pytest

from local_cloud.metric_math import calculate


def test_a_period_without_data_has_no_result_unless_it_is_filled() -> None:
    metrics: dict[str, list[float | None]] = {
        "one": [1.0, None, 3.0],
        "other": [None, None, 4.0],
        "none": [None, None, None],
    }
    assert calculate("one + other", metrics) == [None, None, 7]
    assert calculate("FILL(one, 0) + FILL(other, 10)", metrics) == [11, 10, 7]
    assert calculate("FILL(none, 0)", metrics) == [None, None, None]


def test_a_metric_without_data_takes_nothing_away_from_a_sum() -> None:
    metrics: dict[str, list[float | None]] = {"maize": [1.0, None, 2.0], "blue": [None, None, 3.0]}
    assert calculate("FILL(SUM(METRICS()), 0)", metrics) == [1, 0, 5]
    assert calculate("SUM(METRICS())", {**metrics, "blue": [None, None, None]}) == [1, None, 2]


def test_a_division_by_zero_has_no_result() -> None:
    assert calculate("100 * (a - b) / b", {"a": [3.0, 3.0], "b": [2.0, 0.0]}) == [50, None]


@pytest.mark.parametrize(
    "expression", ["ANOMALY_DETECTION_BAND(a)", "missing + 1", "a ** 2", "a if a else a"]
)
def test_what_is_not_known_is_refused_by_name(expression: str) -> None:
    with pytest.raises(ValueError, match="cannot calculate"):
        calculate(expression, {"a": [1.0]})
