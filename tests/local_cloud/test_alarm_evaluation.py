"""Alarms as the Amazon CloudWatch user guide says: its tables of examples, and what stands around them."""

from __future__ import annotations

from typing import Any

import pytest

from local_cloud.alarm_evaluation import Rule, Sample, State, evaluate, series, statistic

# "How alarm state is evaluated when data is missing": the most recent data point on the right; K: as it is
OF_3_OF_3 = """
0 - X - X | OK     OK     OK     OK
0 - - - - | OK     OK     OK     OK
- - - - - | NODATA K      ALARM  OK
0 X X - X | ALARM  ALARM  ALARM  ALARM
- - X - - | ALARM  K      ALARM  OK
"""
OF_2_OF_3 = """
0 - X - X | ALARM  ALARM  ALARM  ALARM
0 0 X 0 X | ALARM  ALARM  ALARM  ALARM
0 - X - - | OK     OK     ALARM  OK
- - - - 0 | OK     OK     ALARM  OK
- - - X - | ALARM  K      ALARM  OK
"""
TREATMENTS: Any = ("missing", "ignore", "breaching", "notBreaching")
VALUES = {"0": 0.0, "X": 10.0, "-": None}


def examples() -> list[Any]:
    found = []
    for to_alarm, table in ((3, OF_3_OF_3), (2, OF_2_OF_3)):
        for row in table.strip().splitlines():
            points, _, states = row.partition("|")
            for treatment, state in zip(TREATMENTS, states.split(), strict=True):
                name = f"{to_alarm} of 3, {points.strip()}, {treatment}"
                found.append(pytest.param(points.split(), to_alarm, treatment, state, id=name))
    return found


def test_all_forty_examples_are_there() -> None:
    assert len(examples()) == 40


@pytest.mark.parametrize(("points", "to_alarm", "treatment", "state"), examples())
@pytest.mark.parametrize("current", ["OK", "ALARM", "INSUFFICIENT_DATA"])
def test_an_alarm_is_in_the_state_that_the_guide_says(
    points: list[str], to_alarm: int, treatment: Any, state: str, current: State
) -> None:
    rule = Rule(
        comparison="GreaterThanThreshold", threshold=5, periods=3, to_alarm=to_alarm, missing=treatment
    )
    expected = {"K": current, "NODATA": "INSUFFICIENT_DATA"}.get(state, state)
    assert rule.looks_at == 5
    assert evaluate([VALUES[point] for point in points], rule, current) == expected


def test_one_breaching_point_is_no_alarm_yet_when_several_are_asked_for() -> None:
    # "- - - - X": the next data point may be non-breaching ("Avoiding premature transitions")
    rule = Rule(comparison="GreaterThanThreshold", threshold=5, periods=3, to_alarm=3)
    assert evaluate([None, None, None, None, 10], rule, "OK") == "OK"


@pytest.mark.parametrize(
    ("comparison", "at_threshold", "above"),
    [
        ("GreaterThanThreshold", False, True),
        ("GreaterThanOrEqualToThreshold", True, True),
        ("LessThanThreshold", False, False),
        ("LessThanOrEqualToThreshold", True, False),
    ],
)
def test_comparisons_tell_the_threshold_itself_apart(
    comparison: str, at_threshold: bool, above: bool
) -> None:
    rule = Rule(comparison=comparison, threshold=5)
    assert (rule.breaches(5), rule.breaches(6)) == (at_threshold, above)


def test_statistics_are_of_all_values_and_percentiles_lie_between_ranks() -> None:
    samples = [Sample.of(0, value) for value in (1, 2, 3, 4)] + [Sample.of(0, 10, count=6)]
    found = {
        name: statistic(samples, name)
        for name in ("SampleCount", "Sum", "Average", "Minimum", "Maximum", "p50", "p99")
    }
    assert found == {
        "SampleCount": 10, "Sum": 70, "Average": 7, "Minimum": 1, "Maximum": 10, "p50": 10, "p99": 10,
    }  # fmt: skip
    assert statistic(samples[:4], "p50") == 2.5


def test_a_set_of_different_values_has_a_sum_and_no_percentile() -> None:
    samples = [Sample(0, count=3, total=6, low=1, high=3)]
    assert (statistic(samples, "Sum"), statistic(samples, "p99")) == (6, None)


def test_a_period_has_what_was_put_from_its_beginning_up_to_its_end() -> None:
    samples = [Sample.of(time, 1) for time in (59, 60, 119, 120, 180)]
    found = series(samples, name="Sum", period=60, count=3, end=180)
    assert found == [1, 2, 1]
    assert series(samples, name="Sum", period=60, count=2, end=60) == [None, 1]


@pytest.mark.parametrize(
    "wrong", [{"comparison": "LessThanLowerThreshold"}, {"missing": "zero"}, {"to_alarm": 2}]
)
def test_a_rule_that_is_none_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be"):
        Rule(**{"comparison": "GreaterThanThreshold", "threshold": 1, **wrong})
