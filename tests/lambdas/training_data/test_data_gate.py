from __future__ import annotations

import json
from typing import Any

import pytest

from training_data.data_gate import DataGateRefused, check
from training_data.judgement import judge
from vocabulary.gates import DataGate, failed

CUTOFF = 1_795_489_200_999
GOOD: dict[str, Any] = {
    "rows_in": 1100,
    "rows_out": 1000,
    "users": 25,
    "users_with_two_or_more": 25,
    "items": 2,
    "oldest": 946_684_800,
    "newest": 1_795_489_200,
    "event_types": {"view": 900, "purchase": 100},
    "dropped": {
        "marker": {"rows": 60},
        "repeat": {"rows": 40},
        "implausible-time": {"rows": 10},
        "unknown-item": {"rows": 500},
        "anonymous": {"rows": 0},
    },
}
GATE = DataGate(least_shares={"purchase": 0.1})


def failing(
    figures: dict[str, Any], last_good: dict[str, Any] | None = None, gate: DataGate = GATE
) -> list[str]:
    return failed(check(figures, gate=gate, minimum_interactions=1000, cutoff=CUTOFF, last_good=last_good))


def test_data_at_every_limit_pass() -> None:
    then = {
        "rows_out": 2000,
        "users": 5,
        "items": 4,
        "event_types": {"view": 60, "purchase": 40},
    }
    assert failing(GOOD, last_good=then) == []


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"rows_out": 999}, "interactions is 999, at least 1000 is needed"),
        (
            {"users_with_two_or_more": 24},
            "users with two interactions or more is 24, at least 25 is needed",
        ),
        (
            {"users": 2501},
            "users with two interactions or more is 25, at least 26 is needed",
        ),
        ({"users": 24}, "users is 24, at least 25 is needed"),
        ({"items": 1}, "items is 1, at least 2 is needed"),
        # milliseconds would be read as a date in the far future, and days as one in 1970
        ({"newest": CUTOFF}, f"newest timestamp is {CUTOFF}, at most 1795489200 is allowed"),
        ({"oldest": 20_000}, "oldest timestamp is 20000, at least 946684800 is needed"),
        (
            {"newest": 1_795_489_200 - 90_000},
            "hours since the newest interaction is 25.0, at most 24 is allowed",
        ),
        (
            {"event_types": {"view": 901, "purchase": 99}},
            "share of purchase is 0.099, at least 0.1 is needed",
        ),
        (
            {"dropped": {**GOOD["dropped"], "implausible-time": {"rows": 11}}},
            "share of events dropped as implausible-time is 0.011, at most 0.01 is allowed",
        ),
        (
            {"dropped": {**GOOD["dropped"], "unknown-item": {"rows": 501}}},
            "share of events dropped as unknown-item is 0.501, at most 0.5 is allowed",
        ),
    ],
)
def test_data_beyond_a_limit_are_refused_by_figure_and_limit(changed: dict[str, Any], message: str) -> None:
    assert failing({**GOOD, **changed}) == [message]


@pytest.mark.parametrize(
    ("then", "message"),
    [
        ({"rows_out": 2001}, "interactions, of the last good run's is 0.4998, at least 0.5 is needed"),
        ({"rows_out": 199}, "interactions, of the last good run's is 5.0251, at most 5 is allowed"),
        ({"users": 51}, "users, of the last good run's is 0.4902, at least 0.5 is needed"),
        ({"items": 5}, "items, of the last good run's is 0.4, at least 0.5 is needed"),
        (
            {"event_types": {"view": 58, "purchase": 42}},
            "share of event types moved since the last good run is 0.32, at most 0.3 is allowed",
        ),
    ],
)
def test_data_that_drifted_from_the_last_good_run_are_refused(then: dict[str, Any], message: str) -> None:
    assert failing(GOOD, last_good={**GOOD, **then}) == [message]


def test_every_limit_is_a_setting() -> None:
    worse = {**GOOD, "newest": 1_795_489_200 - 90_000}
    assert failing(worse, gate=DataGate(hours_since_newest=26)) == []


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"regulars": 24}, "regulars is 24, allowed: at least 25"),
        ({"most_dropped": {"anonymous": 2}}, r"most_dropped\[anonymous\] is 2, allowed: 0 to 1"),
    ],
)
def test_a_limit_that_makes_no_sense_is_refused(setting: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DataGate(**setting)


def test_a_refusal_says_everything_that_fails_and_where_the_events_went(
    lake: Any, event: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    lake.put_events(*(event(user_id=None) for _ in range(7)), *(event(item_id="one") for _ in range(2)))
    lake.export()
    with pytest.raises(DataGateRefused) as refused:
        judge(lake.s3, lake.settings, "run")
    assert str(refused.value) == (
        "interactions is 1, at least 1000 is needed; "
        "users with two interactions or more is 0, at least 25 is needed; items is 1, at least 2 is needed; "
        "users is 1, at least 25 is needed (of 9 events read, dropped: anonymous 7, duplicate 1)"
    )
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (told["GateFailures"], told["gate"], len(told["refused"])) == (4, "data", 4)
    report = report_of(lake, "run")
    assert report["gate"]["passed"] is False
    assert report["gate"]["checks"][0] == {
        "name": "interactions",
        "figure": 1,
        "bound": "at least",
        "limit": 1000,
        "holds": False,
    }
    assert report["interactions"]["rows_in"] == 9


def report_of(lake: Any, run_id: str) -> Any:
    return json.loads(lake.s3.get_object(Bucket="training", Key=f"runs/{run_id}/report.json")["Body"].read())


def plenty(event: Any, **said: Any) -> list[Any]:
    return [event(user_id=f"user-{number % 50}", **said) for number in range(1000)]


def test_what_passes_is_told_in_the_report_too(lake: Any, event: Any) -> None:
    lake.put_events(*plenty(event))
    lake.export()
    assert judge(lake.s3, lake.settings, "run") == {"passed": True}
    report = report_of(lake, "run")
    assert (report["gate"]["passed"], report["gate"]["compared_with"]) == (True, None)
    assert [each["figure"] for each in report["gate"]["checks"][:3]] == [1000, 50, 1000]


def keep_as_last_good(lake: Any, **changed: Any) -> None:
    body = json.dumps({**report_of(lake, "run"), **changed}).encode()
    lake.s3.put_object(Bucket="training", Key="last-good/report.json", Body=body)


def test_a_run_is_compared_with_the_last_good_one(lake: Any, event: Any) -> None:
    lake.put_events(*plenty(event))
    lake.export()
    judge(lake.s3, lake.settings, "run")
    keep_as_last_good(lake, run_id="yesterday")
    lake.put_events(*plenty(event, event_type="purchase"))
    lake.export()
    with pytest.raises(
        DataGateRefused, match=r"event types moved since the last good run is 0.5, at most 0.3"
    ):
        judge(lake.s3, lake.settings, "run")
    assert report_of(lake, "run")["gate"]["compared_with"] == "yesterday"


def test_a_run_of_other_settings_is_no_measure(lake: Any, event: Any) -> None:
    lake.put_events(*plenty(event))
    lake.export()
    judge(lake.s3, lake.settings, "run")
    keep_as_last_good(lake, trained_on={"history_days": 9, "event_types": ["view"]})
    lake.put_events(*plenty(event, event_type="purchase"))
    lake.export()
    assert judge(lake.s3, lake.settings, "run") == {"passed": True}
