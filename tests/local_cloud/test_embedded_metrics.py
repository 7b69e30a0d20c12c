"""Metrics in log lines."""

from __future__ import annotations

import io

import pytest

from local_cloud.embedded_metrics import Datum, data_of, field_filter
from vocabulary.metrics import emit


def test_a_line_of_ours_is_a_value_for_each_metric_and_set_of_dimensions() -> None:
    line = io.StringIO()
    emit(
        {"environment": "dev", "colour": "blue"},
        {"Recommendations": 1},
        {"PersonalizeLatency": [12.5, 14]},
        dimension_sets=(("environment",), ("environment", "colour")),
        properties={"source": "popular"},
        stream=line,
        now=1_790_000_000.25,
    )
    found = list(data_of(line.getvalue()))
    alone, with_colour = {"environment": "dev"}, {"environment": "dev", "colour": "blue"}
    at = 1_790_000_000.25
    assert found == [
        Datum("Colorway", name, dimensions, value, unit, at)
        for dimensions in (alone, with_colour)
        for name, value, unit in (
            ("Recommendations", 1, "Count"),
            ("PersonalizeLatency", 12.5, "Milliseconds"),
            ("PersonalizeLatency", 14, "Milliseconds"),
        )
    ]


@pytest.mark.parametrize(
    "line",
    [
        "START RequestId: 1",
        '{"_aws": {"Timestamp": 1, "CloudWatchMetrics": [',
        '{"_aws": {"Timestamp": 1}, "Faults": 1}',
        '{"_aws": {"Timestamp": 1, "CloudWatchMetrics": [{"Namespace": "N", "Dimensions": [["missing"]], '
        '"Metrics": [{"Name": "Faults"}]}]}, "Faults": 1}',
    ],
)
def test_any_other_line_is_none(line: str) -> None:
    assert list(data_of(line)) == []


def test_a_filter_means_lines_by_a_field() -> None:
    is_server_error = field_filter("{ $.status = 5* }")
    assert [is_server_error(f'{{"status": "{code}"}}') for code in (200, 500, 503)] == [False, True, True]
    assert field_filter('{ $.a.b != "x" }')('{"a": {"b": "y"}}')
    with pytest.raises(ValueError, match=r"filter pattern must be.*field"):
        field_filter("ERROR -debug")
