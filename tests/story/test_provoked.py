"""No alarm of any environment is left unprovoked, whatever its settings define."""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import Any

from stacks.environment import Environment
from tests.all_settings import DEPLOYMENTS
from tests.story import provocations
from tests.story.serving import floor_provocations

PROVOKED = {
    (each.runbook, each.colour) for each in (*provocations.PROVOCATIONS, *floor_provocations.PROVOCATIONS)
}


def test_each_alarm_that_a_setting_can_define_is_provoked(resources: list[dict[str, Any]]) -> None:
    alarms = [each["Properties"] for each in resources if each["Type"] == "AWS::CloudWatch::Alarm"]
    assert {(_heading(alarm), _dimension(alarm, "colour")) for alarm in alarms} == PROVOKED


def test_each_fault_pages_for_an_alarm_that_is_provoked(resources: list[dict[str, Any]]) -> None:
    faults = [each["Properties"] for each in resources if each["Type"] == "AWS::CloudWatch::CompositeAlarm"]
    assert {_heading(fault) for fault in faults} <= {each.page for each in provocations.PROVOCATIONS}


def test_each_optional_setting_is_set_in_one_of_the_deployments_that_are_looked_at() -> None:
    without = [
        each.name
        for each in fields(Environment)
        if each.default in (None, (), "duckdb")
        and each.default is not MISSING
        and all(getattr(deployment, each.name) == each.default for deployment in DEPLOYMENTS)
    ]
    assert without == []


def _heading(alarm: dict[str, Any]) -> str:
    return str(alarm["AlarmDescription"]).rpartition("#")[2]


def _dimension(alarm: dict[str, Any], name: str) -> str | None:
    return next((each["Value"] for each in alarm.get("Dimensions", ()) if each["Name"] == name), None)
