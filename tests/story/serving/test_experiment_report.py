"""The experiment's report on a deployment: requests and events through the APIs, read in the lake."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import pytest

from experiments.configured import configured
from experiments.lake_files import LakeFiles
from experiments.reading import Found, read
from experiments.report import Report
from experiments.reporting import of_deployment
from recommendations.experiment import Experiment
from tests.story.deployment import until
from tests.story.serving.served import SALT, SHARES, Served

pytestmark = pytest.mark.story

EXPERIMENT = Experiment(SALT, SHARES["control"], SHARES["treatment"])
USERS = [f"visitor{n}" for n in range(40)]
MEASURED = [user for user in USERS if EXPERIMENT.assign(user).variant != "exempt"]
TREATED = next(user for user in USERS if EXPERIMENT.assign(user).variant == "treatment")


def test_what_users_do_after_they_were_shown_something_counts_for_their_variant(
    served: Served, tmp_path: Path
) -> None:
    for user in USERS:
        status, _, _ = served.ask(f"/recommendations/{user}?placement=recommended-for-you")
        assert status == 200
    bought = [
        {"event_type": "click", "item_id": "i1"},
        {"event_type": "purchase", "item_id": "i1", "value": 120.5},
    ]
    told = {"session_id": "the session", "user_id": TREATED, "events": bought}
    status, _, _ = served.ask("/events", method="POST", body=json.dumps(told).encode(), url=served.events_url)
    assert status == 202

    def look() -> Report:
        return of_deployment(
            served.cloud.client,
            identifiers=served.outputs["Experiment"],
            bucket=served.lake_bucket,
            folder=tmp_path,
            now=datetime.now(UTC),
        )

    def found(report: Report) -> Found:
        window = report.window
        files = LakeFiles.below(tmp_path, window.first, window.day(window.days))
        experiment = configured(served.cloud.client("appconfig"), served.outputs["Experiment"]).experiment
        return read(files, experiment, window)

    def arrived() -> bool:
        report = look()
        totals = found(report).totals.get("treatment")
        return (
            sum(report.users.values()) >= len(MEASURED) and totals is not None and totals["conversion"].y >= 1
        )

    until(arrived, "the lake has what visitors were shown and what one of them bought")
    report = look()
    assert "Nothing yet" in report.conclusion
    assert not report.sample.broken
    assert report.results == []
    totals = found(report).totals
    assert totals["treatment"]["revenue_per_user"].y == 120.5
    assert totals["treatment"]["click_through"].active == 1
    assert totals["control"]["conversion"].y == 0
    kept = json.dumps(asdict(report), default=str)
    assert TREATED not in kept
    assert EXPERIMENT.assign(TREATED).unit_id not in kept
