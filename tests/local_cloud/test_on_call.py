from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from local_cloud import on_call
from local_cloud.deployed import Cloud
from local_cloud.on_call import RefusedError

PREFIX = "colorway-dev-"


class Account:
    """A deployment on AWS beside another environment's, with as much of it as the commands ask for."""

    stack_prefix = PREFIX

    def __init__(self) -> None:
        self.invoked: list[tuple[str, dict[str, Any]]] = []
        self.answers: dict[str, Any] = {
            "flip": {"from": "blue", "to": "maize", "moved": False},
            "retire": {"gone": False, "waiting_for": []},
        }
        self.started: list[dict[str, Any]] = []
        self.lock: dict[str, str] = {}
        self.executions = {"over": {"status": "SUCCEEDED", "output": "{}"}, "now": {"status": "RUNNING"}}

    def client(self, service: str, **options: Any) -> Any:
        return getattr(self, service)()

    def table(self, name: str) -> Any:
        assert name == "dev-table"
        return SimpleNamespace(get_item=lambda **_: {"Item": self.lock} if self.lock else {})

    def cloudformation(self) -> Any:
        def stack(environment: str) -> dict[str, Any]:
            outputs = {
                "CoordinationTableName": f"{environment}-table",
                "FlipFunctionName": f"{environment}-flip",
                "RetireFunctionName": f"{environment}-retire",
                "ClearingArn": f"{environment}-clearing",
                "LivePointerName": f"{environment}-pointer",
            }
            return {
                "StackName": f"colorway-{environment}-all",
                "StackStatus": "CREATE_COMPLETE",
                "Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()],
            }

        pages = [{"Stacks": [stack("prod")]}, {"Stacks": [stack("dev")]}]
        return SimpleNamespace(get_paginator=lambda _: SimpleNamespace(paginate=lambda: pages))

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:
        environment, _, function = FunctionName.partition("-")
        self.invoked.append((FunctionName, json.loads(Payload)))
        assert environment == "dev"
        answer = self.answers[function]
        failed = {"FunctionError": "Unhandled"} if "errorType" in answer else {}
        return {"Payload": io.BytesIO(json.dumps(answer).encode()), **failed}

    def __getattr__(self, name: str) -> Any:
        services: dict[str, dict[str, Any]] = {
            "lambda": {"invoke": self.invoke},
            "ssm": {"get_parameter": self._pointer},
            "stepfunctions": {
                "describe_execution": lambda executionArn: self.executions[executionArn],
                "start_execution": self._start,
            },
            "personalize": {
                "list_dataset_groups": lambda: {
                    "datasetGroups": [
                        {"name": f"colorway-{each}", "datasetGroupArn": each, "status": "ACTIVE"}
                        for each in ("dev-blue", "dev-maize", "prod-maize")
                    ]
                },
                "list_solutions": lambda datasetGroupArn: {
                    "solutions": [{"solutionArn": datasetGroupArn}] if "maize" in datasetGroupArn else []
                },
                "list_campaigns": lambda solutionArn: {
                    "campaigns": [{"name": f"colorway-{solutionArn}-recommended-for-you"}]
                },
                "list_datasets": lambda datasetGroupArn: {"datasets": []},
            },
        }
        return lambda: SimpleNamespace(**services[name])

    def _pointer(self, *, Name: str) -> Any:
        assert Name == "dev-pointer"
        return {"Parameter": {"Value": "blue", "LastModifiedDate": datetime(2026, 11, 24, tzinfo=UTC)}}

    def _start(self, *, stateMachineArn: str, input: str) -> dict[str, str]:
        assert stateMachineArn == "dev-clearing"
        self.started.append(json.loads(input))
        return {"executionArn": "over"}


def cloud(account: Account) -> Cloud:
    return cast("Cloud", account)


def test_a_rollback_only_asks_until_it_is_applied() -> None:
    account = Account()
    assert "APPLY=1" in on_call.roll_back(cloud(account), apply=False)[-1]
    on_call.roll_back(cloud(account), apply=True)
    assert [event for _, event in account.invoked] == [
        {"action": "roll-back", "apply": False},
        {"action": "roll-back", "apply": True},
    ]


def test_what_a_guard_says_is_what_on_call_reads() -> None:
    account = Account()
    account.answers["retire"] = {"errorType": "ColourInUse", "errorMessage": "maize is in use"}
    with pytest.raises(RefusedError, match=r"^ColourInUse: maize is in use$"):
        on_call.retire(cloud(account), "maize", apply=True)
    assert account.started == []


def test_a_retirement_only_says_what_would_go_until_it_is_applied() -> None:
    account = Account()
    told = on_call.retire(cloud(account), "maize", apply=False)
    assert [line for line in told if "dataset group" in line] == [
        "  dataset group colorway-dev-maize ACTIVE: 0 datasets, 1 solutions, campaigns recommended-for-you"
    ]
    assert account.started == []
    assert on_call.retire(cloud(account), "maize", apply=True) == ["  maize is gone."]
    assert account.started == [{"colour": "maize"}]


def test_nothing_is_torn_down_beside_a_retraining_but_a_stale_lock_is_no_hindrance() -> None:
    account = Account()
    account.lock = {"holder": "now"}
    with pytest.raises(RefusedError, match="now is at work"):
        on_call.retire(cloud(account), "maize", apply=True)
    account.lock = {"holder": "over"}
    assert on_call.retire(cloud(account), "maize", apply=True) == ["  maize is gone."]
