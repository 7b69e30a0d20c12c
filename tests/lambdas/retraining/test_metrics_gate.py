from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from retraining.metrics_gate import MetricsGateRefused, check
from retraining.reports import Reports
from retraining.training_handler import judge
from tests.lambdas.retraining.fakes import S3
from tests.lambdas.retraining.test_plan import SETTINGS
from vocabulary.gates import MetricsGate, failed
from vocabulary.placements import Placement

GATE = MetricsGate(compared=("coverage", "mean_reciprocal_rank_at_25"), allowed_drop=0.5)
LIVE = {"recipe": "aws-sims", "metrics": {"coverage": 0.4, "mean_reciprocal_rank_at_25": 0.015}}
SIMS = Placement(name="row", recipe="aws-sims")


def falling_short(
    metrics: dict[str, float], *, floors: dict[str, float] | None = None, **changed: Any
) -> list[str]:
    placement = replace(SIMS, metric_floors=floors or {})
    return failed(check(metrics, placement=placement, gate=GATE, live=changed.get("live", LIVE)))


def test_a_model_at_floor_and_allowed_drop_passes() -> None:
    assert (
        falling_short({"coverage": 0.2, "mean_reciprocal_rank_at_25": 0.005}, floors={"coverage": 0.2}) == []
    )


def test_what_falls_short_is_named_with_figure_and_limit() -> None:
    assert falling_short({"coverage": 0.1}, floors={"coverage": 0.15, "precision_at_5": 0.1}) == [
        "coverage is 0.1, at least 0.15 is needed",
        "precision_at_5 is not known, at least 0.1 is needed",
        "coverage beside the live model's 0.4000 is 0.1, at least 0.2 is needed",
        "mean_reciprocal_rank_at_25 beside the live model's 0.0150 is not known, at least 0.005 is needed",
    ]


def test_a_difference_of_a_hundredth_is_none() -> None:
    live = {"recipe": "aws-sims", "metrics": {"coverage": 0.01}}
    assert falling_short({"coverage": 0.0}, live=live) == []


@pytest.mark.parametrize(
    "live", [None, {**LIVE, "recipe": "aws-similar-items"}], ids=["none", "other recipe"]
)
def test_there_is_nothing_to_compare_with(live: Any) -> None:
    assert falling_short({"coverage": 0.0}, live=live) == []


def bucket() -> tuple[S3, Reports]:
    s3 = S3({"runs/tonight/report.json": json.dumps({"run_id": "tonight", "gate": {"passed": True}})})
    return s3, Reports(s3, "b")


def test_a_refusal_is_told_in_the_report_in_a_metric_and_in_the_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    s3, reports = bucket()
    s3.objects["last-good/report.json"] = json.dumps({"metrics": {"row": LIVE}}).encode()
    settings = replace(SETTINGS, placements=(SIMS,), metrics_gate=GATE)
    worse = {"coverage": 0.1, "mean_reciprocal_rank_at_25": 0.015}
    with pytest.raises(MetricsGateRefused, match=r"^row: coverage .* is 0.1, at least 0.2 is needed$"):
        judge(settings, reports, worse, placement_name="row", run_id="tonight")
    told = s3.read_json("runs/tonight/report.json")
    assert told["gate"] == {"passed": True}
    assert (told["metrics"]["row"]["passed"], told["metrics"]["row"]["metrics"]) == (False, worse)
    line = json.loads(capsys.readouterr().out)
    assert (line["GateFailures"], line["gate"], line["run_id"]) == (1, "metrics", "tonight")


def test_placements_that_are_judged_at_the_same_time_are_all_in_the_report() -> None:
    s3, reports = bucket()
    s3.before_write = [lambda: reports.add("tonight", "metrics", "other", {"passed": True})]
    judge(SETTINGS, reports, {"coverage": 0.5}, placement_name="row", run_id="tonight")
    assert set(s3.read_json("runs/tonight/report.json")["metrics"]) == {"row", "other"}
