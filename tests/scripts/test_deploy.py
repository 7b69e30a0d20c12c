"""What a deployment is taken back for."""

from __future__ import annotations

from typing import Any

import pytest

from tests.scripts.test_diff import script

deploy = script("deploy")


def stack(name: str, alarms: str = "") -> dict[str, Any]:
    outputs = [{"OutputKey": "RollbackAlarms", "OutputValue": alarms}] if alarms else []
    return {"StackName": name, "Outputs": [{"OutputKey": "Url", "OutputValue": "x"}, *outputs]}


def test_the_faults_of_the_environments_own_stacks_take_a_deployment_back() -> None:
    stacks = [
        stack("colorway-dev-serving", "b,a"),
        stack("colorway-dev-data"),
        stack("colorway-prod-events", "c"),
    ]
    alarms = deploy.rollback_alarms(stacks, "colorway-dev-")
    assert alarms == ["a", "b"]
    said = deploy.command("dev", alarms, 5)
    at = said.index("--rollback-trigger-alarm-arns")
    assert said[at:] == ["--rollback-trigger-alarm-arns", "a", "b", "--monitoring-time-minutes", "5"]


def test_a_first_deployment_has_no_alarms() -> None:
    assert deploy.rollback_alarms([], "colorway-dev-") == []
    assert "--rollback-trigger-alarm-arns" not in deploy.command("dev", [], 5)


def test_more_than_cloudformation_takes_are_refused() -> None:
    with pytest.raises(ValueError, match="name 6 alarms, allowed: 5"):
        deploy.rollback_alarms([stack("colorway-dev-serving", "a,b,c,d,e,f")], "colorway-dev-")
