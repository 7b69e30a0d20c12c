"""What a run cost: a worked example."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from costs.of_a_run import prices_of_a_run
from retraining import plan_handler
from retraining.run_cost import Used, cost, training_hours, used
from tests.lambdas.personalize_resources.wire import client
from tests.lambdas.retraining.fakes import S3, Table
from tests.lambdas.retraining.test_retiring_by_hand import ENVIRONMENT
from vocabulary.lake import report_key
from vocabulary.placements import Placement

BEGAN = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
PLACEMENTS = (
    Placement(name="row", min_provisioned_tps=2),
    Placement(name="new", recipe="aws-user-personalization-v2"),
)
PRICES = {
    "region": "us-east-1",
    "currency": "USD",
    "as_of": "2026-07-31",
    "stale_after": "2027-01-27",
    "training_hour": 0.24,
    "v2_training_1000_interactions": 0.002,
    "recommendations_1000": 0.0556,
    "v2_recommendations_1000": 0.15,
    "transitions_1000": 0.025,
    "lambda_gb_second": 0.0000133334,
    "lambda_requests_million": 0.20,
    "glue_dpu_hour": 0.44,
    "glue_dpus": 4,
    "memory_mib": {"plan: begin": 256, "export: write the training data": 3072},
}
TODAY = date(2026, 11, 25)
HOURS = {"row": 5.0, "new": 1.0}


def history(*visits: tuple[str, float, float, dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Events of states: name, when it was entered and left (minutes from the beginning), its output."""
    events = [
        (minute, {"stateEnteredEventDetails": {"name": name}})
        if kind == "in"
        else (minute, {"stateExitedEventDetails": {"name": name, "output": json.dumps(output)}})
        for name, begin, end, output in visits
        for kind, minute in (("in", begin), ("out", end))
    ]
    for number, (minute, event) in enumerate(sorted(events, key=lambda each: each[0]), 1):
        yield {"id": number, "timestamp": BEGAN + timedelta(minutes=minute), **event}


def night(previous: str = "blue") -> Used:
    """Two placements train side by side; the campaigns of both colours are up for an hour and a half."""
    run = {"outcome": "go", "run": {"run_id": "20261125T030000", "previous": previous}}
    return used(
        history(
            ("plan: begin", 0, 0.1, run),
            ("export: write the training data", 1, 3, {"interactions": 500_000}),
            ("train: model active?", 5, 6, {}),
            ("train: model active?", 5.5, 8, {}),
            ("train: model active?", 20, 20.1, {}),
            ("train: campaign active?", 30, 30.1, {}),
            ("train: campaign active?", 31, 40, {}),
            ("end: give the lock back", 120, 120, {}),
        )
    )


def test_a_history_says_what_was_used() -> None:
    of = night()
    assert (of.run_id, of.previous, of.transitions) == ("20261125T030000", "blue", 8)
    assert (of.interactions, of.both_hours) == (500_000, 1.5)
    assert of.seconds["train: model active?"] == pytest.approx((1 + 2.5 + 0.1) * 60)


def test_it_is_priced_part_by_part() -> None:
    told = cost(night(), HOURS, PRICES, PLACEMENTS, TODAY)
    gb_seconds_etl, gb_seconds_plan = 120 * 3, 6 * 0.25
    assert told["of"] == {
        "training": pytest.approx(5 * 0.24 + 500 * 0.002),
        "both_colours_up": pytest.approx(1.5 * 3.6 * (2 * 0.0556 + 0.15)),
        "etl": pytest.approx(gb_seconds_etl * 0.0000133334, abs=1e-6),
        "functions": pytest.approx(gb_seconds_plan * 0.0000133334 + 2e-7 * 2, abs=1e-6),
        "transitions": pytest.approx(8 * 0.000025),
    }
    assert told["total"] == pytest.approx(sum(told["of"].values()), abs=1e-4)
    assert (told["currency"], told["prices"], told.get("says")) == ("USD", "us-east-1, 2026-07-31", None)


def test_the_first_run_has_no_second_campaigns_and_a_job_is_paid_by_its_workers() -> None:
    first = cost(night(previous="none"), HOURS, PRICES, PLACEMENTS, TODAY)
    assert first["of"]["both_colours_up"] == 0
    glue = cost(night(), HOURS, {**PRICES, "memory_mib": {"plan: begin": 256}}, PLACEMENTS, TODAY)
    assert glue["of"]["etl"] == pytest.approx(2 / 60 * 4 * 0.44, abs=1e-6)


def test_a_drop_that_falls_into_the_night_is_paid_for_twice() -> None:
    """Both colours are up from 03:30 to 05:00; the drop, lead and all, lasts from 04:30 to 08:30."""
    drop = {"placement": "row", "starts": "05:00", "hours": 3.5, "tps": 100, "lead_minutes": 30}
    told = cost(night(), HOURS, {**PRICES, "drops": [drop]}, PLACEMENTS, TODAY)
    seconds = {"row": 1 * 3600 * 2 + 0.5 * 3600 * 100, "new": 1.5 * 3600}
    assert told["of"]["both_colours_up"] == pytest.approx(
        seconds["row"] / 1000 * 0.0556 + seconds["new"] / 1000 * 0.15
    )


def test_a_run_that_was_cut_off_counts_what_came_to_an_end() -> None:
    events = list(
        history(("plan: begin", 0, 1, {"run": {"run_id": "r"}}), ("train: model active?", 5, 6, {}))
    )
    of = used(events[:-1])
    assert (of.run_id, of.transitions, dict(of.visits)) == ("r", 2, {"plan: begin": 1})
    assert used([]) == Used()


def test_only_models_that_were_judged_are_known_to_be_billed() -> None:
    judged = {"row": {"metrics": {}, "training_hours": 2.5}, "new": {"metrics": {}}}
    assert training_hours({"metrics": judged}) == {"row": 2.5}
    assert training_hours(None) == {}


def test_old_prices_are_told_and_missing_ones_leave_what_was_used() -> None:
    assert "2026-07-31" in cost(night(), HOURS, PRICES, PLACEMENTS, date(2027, 1, 28))["says"]
    without = cost(night(), HOURS, None, PLACEMENTS, TODAY)
    assert (without["total"], without["used"]["transitions"]) == (None, 8)
    assert "no prices" in without["says"]


def test_the_deployed_prices_are_those_of_the_price_file() -> None:
    baked = prices_of_a_run("us-east-1", "arm64")
    assert baked is not None
    assert baked == {name: value for name, value in PRICES.items() if name not in ("glue_dpus", "memory_mib")}
    dearer = prices_of_a_run("us-east-1", "x86_64")
    assert dearer == {**baked, "lambda_gb_second": 0.0000166667}
    assert prices_of_a_run("eu-north-9", "arm64") is None
    assert prices_of_a_run(None, "arm64") is None


class Concluded:
    """A run that ends, with its history, and a report where it got as far."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, report: dict[str, Any] | None) -> None:
        events = list(history(("plan: begin", 0, 1, {"run": {"run_id": "tonight", "previous": "none"}})))
        self.s3 = S3({} if report is None else {report_key("tonight"): json.dumps(report)})

        def answer(operation: str, given: dict[str, Any]) -> dict[str, Any]:
            assert (operation, given["executionArn"]) == ("GetExecutionHistory", "arn:aws:states:a-run")
            assert given["maxResults"] == 1000, "a minute is all that the function has"
            return {"events": events}

        for name, value in ENVIRONMENT.items():
            monkeypatch.setenv(name, value)
        clients = {"stepfunctions": client("stepfunctions", answer), "s3": self.s3}
        monkeypatch.setattr(plan_handler, "_client", clients.__getitem__)
        monkeypatch.setattr(plan_handler, "_table", lambda _: Table())

    @property
    def report(self) -> dict[str, Any]:
        read: dict[str, Any] = json.loads(
            self.s3.get_object(Bucket="b", Key=report_key("tonight"))["Body"].read()
        )
        return read


def end(**event: Any) -> dict[str, Any]:
    return plan_handler.handle({"action": "end", "execution": "arn:aws:states:a-run", **event}, None)


def test_a_run_that_went_through_tells_report_dashboard_and_whoever_reads_its_output(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    judged = {"row": {"metrics": {}, "training_hours": 2.0}}
    run = Concluded(monkeypatch, {"run_id": "tonight", "metrics": judged})
    told = end(started=0, colour="maize", prices=PRICES)["cost"]
    assert run.report == {"run_id": "tonight", "metrics": judged, "cost": told}
    assert told["used"]["training_hours"] == {"row": 2.0}
    line = json.loads(capsys.readouterr().out)
    assert line["run"] | {"minutes": 0} == {
        "outcome": "done",
        "colour": "maize",
        "run_id": "tonight",
        "cost": told["total"],
        "minutes": 0,
    }


def test_the_clearing_tells_it_of_a_run_that_failed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Concluded(monkeypatch, None)
    told = plan_handler.handle(
        {
            "action": "end",
            "execution": "a-clearing",
            "failed": "arn:aws:states:a-run",
            "prices": PRICES,
        },
        None,
    )["cost"]
    line = json.loads(capsys.readouterr().out)
    assert line == {"run": {"outcome": "failed", "run_id": "tonight", "cost": told["total"]}}


def test_no_run_fails_because_its_cost_cannot_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    Concluded(monkeypatch, {"run_id": "tonight", "metrics": {"row": {"training_hours": "many"}}})
    told = end(started=0, colour="maize", prices=PRICES)["cost"]
    assert told["total"] is None
    assert "many" in told["says"]
    assert end() == {}
