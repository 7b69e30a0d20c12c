from __future__ import annotations

from typing import Any

import pytest

from retraining import plan_handler
from retraining.run_lock import LockHeldError
from tests.lambdas.retraining.fakes import Ssm, Table

ENVIRONMENT = {
    "APP": "colorway",
    "ENVIRONMENT": "dev",
    "PARTITION": "aws",
    "AWS_REGION": "eu-west-1",
    "ACCOUNT": "123456789012",
    "PLACEMENTS": "[]",
    "COORDINATION_TABLE": "t",
    "TRAINING_BUCKET": "b",
    "SERVING_FUNCTION": "f",
    "SERVING_ALIAS": "live",
    "SERVING_STACK": "s",
    "CUTOFF_LEAD_SECONDS": "90",
    "COLLECTOR_TIMEOUT_SECONDS": "10",
    "STREAM": "events",
    "BAKE_ALARMS_MAIZE": "",
    "BAKE_ALARMS_BLUE": "",
    "METRICS_GATE": '{"compared": []}',
    "HEARTBEAT_GATE": "{}",
}


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Table:
    """The coordination table of a deployment whose live colour is maize."""
    table = Table()
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(plan_handler, "_table", lambda _: table)
    monkeypatch.setattr(plan_handler, "_client", {"ssm": Ssm("maize")}.__getitem__)
    monkeypatch.setattr(plan_handler, "_is_running", lambda execution: execution == "a-retraining")
    return table


def clear(colour: str) -> Any:
    return plan_handler.handle(
        {"action": "clear", "execution": "by-hand", "failed": "", "colour": colour}, None
    )


def test_a_dormant_colour_is_torn_down_under_the_run_lock(table: Table) -> None:
    assert clear("blue") == {"outcome": "go", "run": {"colour": "blue"}}
    assert table.items["run-lock"]["holder"] == "by-hand"


def test_the_live_colour_stays(table: Table) -> None:
    assert clear("maize") == {"outcome": "nothing-to-do", "says": "maize is live"}
    assert table.items == {}


def test_nothing_is_torn_down_that_a_retraining_may_be_building(table: Table) -> None:
    table.items["run-lock"] = {"key": "run-lock", "holder": "a-retraining"}
    with pytest.raises(LockHeldError, match="a-retraining is at work"):
        clear("blue")
