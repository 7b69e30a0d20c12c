"""A drop that is known beforehand, in the local cloud: deployed, raised, carried over, taken back."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.story.serving.app import ENVIRONMENT
from tests.story.serving.served import Served

pytestmark = pytest.mark.story

DROP, _ = ENVIRONMENT.drops
ROW, SIMILAR, RANKED = ENVIRONMENT.placements


def bring_about(served: Served, name: str) -> list[dict[str, Any]]:
    answer = served.cloud.client("lambda").invoke(FunctionName=name)
    told = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, told
    floors: list[dict[str, Any]] = told["floors"]
    return floors


def until(served: Served, name: str, due: int, within: float = 60) -> list[dict[str, Any]]:
    """As its schedule does, again and again until all is as it should be."""
    deadline = time.monotonic() + within
    while True:
        floors = bring_about(served, name)
        (row,) = (each for each in floors if each["placement"] == ROW.name)
        assert row["due"] == due
        if row["state"] == "there":
            return floors
        assert row["state"] in ("asked for", "on its way"), floors
        assert time.monotonic() < deadline, floors
        time.sleep(0.1)


def test_a_campaign_provides_for_a_drop_while_it_lasts_and_answers_all_the_while(served: Served) -> None:
    cloud = served.cloud
    functions, personalize = cloud.client("lambda"), cloud.client("personalize")
    (function,) = (
        each
        for page in functions.get_paginator("list_functions").paginate()
        for each in page["Functions"]
        if "CampaignFloors" in each["FunctionName"]
    )
    name, variables = function["FunctionName"], function["Environment"]["Variables"]

    def provided() -> dict[str, int]:
        return {
            each["name"].removeprefix(f"{ENVIRONMENT.names.prefix}-maize-"): personalize.describe_campaign(
                campaignArn=each["campaignArn"]
            )["campaign"]["minProvisionedTPS"]
            for each in personalize.list_campaigns()["campaigns"]
        }

    until(served, name, DROP.tps)
    assert provided() == {ROW.name: DROP.tps, SIMILAR.name: 1, RANKED.name: 1}
    status, _, body = served.ask(f"/similar/i3?placement={SIMILAR.name}")
    assert (status, body["source"]) == (200, "personalize")

    functions.update_function_configuration(
        FunctionName=name,
        Environment={
            "Variables": {**variables, "DROPS": variables["DROPS"].replace("00:00", "2020-01-01T00:00")}
        },
    )
    functions.get_waiter("function_updated_v2").wait(FunctionName=name)
    until(served, name, ROW.min_provisioned_tps)
    assert set(provided().values()) == {1}


def test_its_schedule_is_there_and_calls_it(served: Served) -> None:
    schedules = served.cloud.client("scheduler")
    targets = [
        schedules.get_schedule(Name=each["Name"], GroupName=each["GroupName"])
        for each in schedules.list_schedules()["Schedules"]
    ]
    assert [each["ScheduleExpression"] for each in targets if "CampaignFloors" in each["Target"]["Arn"]] == [
        "rate(5 minutes)"
    ]
