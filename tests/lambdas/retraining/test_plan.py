from __future__ import annotations

from datetime import UTC, datetime

import pytest

from retraining.plan import plan
from retraining.projection import open_colour
from retraining.settings import Settings
from tests.lambdas.retraining.fakes import Table
from vocabulary.colours import Colour, Names
from vocabulary.placements import Placement

STARTED = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
SETTINGS = Settings(
    names=Names("colorway", "dev"),
    partition="aws",
    region="eu-west-1",
    account="123456789012",
    placements=(
        Placement(name="row", min_provisioned_tps=3),
        Placement(name="similar", recipe="aws-similar-items"),
    ),
    coordination_table="t",
    training_bucket="b",
    serving_function="f",
    serving_alias="live",
    serving_stack="s",
    cutoff_lead_seconds=90,
    collector_timeout_seconds=10,
    stream="events",
    bake_alarms={},
)


@pytest.mark.parametrize(("live", "rebuilt"), [(None, "maize"), ("maize", "blue"), ("blue", "maize")])
def test_the_colour_that_is_not_live_is_rebuilt(live: Colour | None, rebuilt: str) -> None:
    run = plan(SETTINGS, live, STARTED)
    assert (run["colour"], run["previous"]) == (rebuilt, live or "none")


def test_what_has_metrics_keeps_its_name_and_what_is_of_one_run_carries_its_id() -> None:
    tonight = plan(SETTINGS, "maize", STARTED)
    tomorrow = plan(SETTINGS, "maize", STARTED.replace(day=25))
    assert tonight["placements"]["row"]["campaign_arn"] == tomorrow["placements"]["row"]["campaign_arn"]
    jobs = [run["datasets"]["interactions"]["import_job"] for run in (tonight, tomorrow)]
    assert jobs == [
        "colorway-dev-blue-20261124T030000-interactions",
        "colorway-dev-blue-20261125T030000-interactions",
    ]


def test_each_placement_gets_the_capacity_it_asks_for() -> None:
    run = plan(SETTINGS, None, STARTED)
    assert {name: each["min_provisioned_tps"] for name, each in run["placements"].items()} == {
        "row": 3,
        "similar": 1,
    }


def test_a_repeated_opening_keeps_the_cutoff_that_the_forwarder_may_know() -> None:
    table = Table()

    def opened(tracking_id: str, now: int) -> int:
        return open_colour(
            table, colour="blue", run_id="r", tracking_id=tracking_id, dataset_group_arn="g", now=now, lead=90
        ).cutoff

    assert [opened("t1", 1000), opened("t1", 2000), opened("t2", 3000)] == [1090, 1090, 3090]
