from __future__ import annotations

import json
from typing import Any

import pytest

from training_data.data_gate import DataGateRefused, check
from training_data.judgement import judge

GOOD = {
    "rows_in": 1100,
    "rows_out": 1000,
    "users_with_two_or_more": 25,
    "items": 2,
    "newest": 1_795_489_200,
    "dropped": {"implausible-time": {"rows": 10}, "unknown-item": {"rows": 90}},
}
CUTOFF = 1_795_489_200_999


def failing(figures: dict[str, Any]) -> list[str]:
    return [str(each) for each in check(figures, minimum_interactions=1000, cutoff=CUTOFF) if not each.holds]


def test_data_at_every_limit_pass() -> None:
    assert failing(GOOD) == []


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"rows_out": 999}, "interactions is 999, at least 1000 is needed"),
        (
            {"users_with_two_or_more": 24},
            "users with two interactions or more is 24, at least 25 is needed",
        ),
        ({"items": 1}, "items is 1, at least 2 is needed"),
        # milliseconds would be read as a date in the far future
        ({"newest": CUTOFF}, f"newest timestamp is {CUTOFF}, at most 1795489200 is allowed"),
        (
            {"dropped": {"implausible-time": {"rows": 11}}},
            "share of events from before the year 2000 is 0.0109, at most 0.01 is allowed",
        ),
    ],
)
def test_data_beyond_a_limit_are_refused_by_figure_and_limit(changed: dict[str, Any], message: str) -> None:
    assert failing({**GOOD, **changed}) == [message]


def test_a_refusal_says_everything_that_fails_and_where_the_events_went(
    lake: Any, event: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    lake.put_events(*(event(user_id=None) for _ in range(7)), *(event(item_id="one") for _ in range(2)))
    lake.export()
    with pytest.raises(DataGateRefused) as refused:
        judge(lake.s3, lake.settings, "run")
    assert str(refused.value) == (
        "interactions is 1, at least 1000 is needed; "
        "users with two interactions or more is 0, at least 25 is needed; items is 1, at least 2 is needed "
        "(of 9 events read, dropped: anonymous 7, duplicate 1)"
    )
    assert json.loads(capsys.readouterr().out)["GateFailures"] == 3
    report = json.loads(lake.s3.get_object(Bucket="training", Key="runs/run/report.json")["Body"].read())
    assert report["gate"]["passed"] is False
    assert report["gate"]["checks"][0] == {
        "name": "interactions",
        "figure": 1,
        "bound": "at least",
        "limit": 1000,
        "holds": False,
    }
    assert report["interactions"]["rows_in"] == 9


def test_what_passes_is_told_in_the_report_too(lake: Any, event: Any) -> None:
    lake.put_events(*(event(user_id=f"user-{number % 50}") for number in range(1000)))
    lake.export()
    assert judge(lake.s3, lake.settings, "run") == {"passed": True}
    report = json.loads(lake.s3.get_object(Bucket="training", Key="runs/run/report.json")["Body"].read())
    assert report["gate"]["passed"] is True
    assert [each["figure"] for each in report["gate"]["checks"][:3]] == [1000, 50, 1000]
