"""`make redrive`: says what it does, goes on while there is more, and stops when nothing moves."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from local_cloud.progress import Progress
from local_cloud.redrive import RedriveError, redrive


class FakeCloud:
    """A deployment whose redrive function answers these reports, one after the other."""

    stack_prefix = ""

    def __init__(self, *reports: dict[str, Any]) -> None:
        self.reports = list(reports)
        self.asked: list[dict[str, Any]] = []

    def client(self, service: str, **_: Any) -> Any:
        return self

    def get_paginator(self, operation: str) -> FakeCloud:
        assert operation == "describe_stacks"
        return self

    def paginate(self) -> list[dict[str, Any]]:
        output = {"OutputKey": "RedriveFunctionName", "OutputValue": "redrive"}
        return [{"Stacks": [{"StackName": "s", "StackStatus": "CREATE_COMPLETE", "Outputs": [output]}]}]

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:
        assert FunctionName == "redrive"
        self.asked.append(json.loads(Payload))
        answer = self.reports.pop(0)
        failed = {"FunctionError": "Unhandled"} if "errorType" in answer else {}
        return {"Payload": io.BytesIO(json.dumps(answer).encode()), **failed}


def report(**counts: Any) -> dict[str, Any]:
    nothing = dict.fromkeys(("placed", "not_needed", "put_off", "hopeless", "discarded"), 0)
    return {**nothing, "reasons": {}, "more": False, **counts}


def run(cloud: Any, **options: bool) -> tuple[dict[str, int], str]:
    out = io.StringIO()
    counts = redrive(cloud, Progress(out), **{"apply": True, **options})
    return counts, out.getvalue()


def test_a_look_moves_nothing_and_says_how_to_go_on() -> None:
    cloud = FakeCloud(report(placed=3, hopeless=1, reasons={"hopeless: no event: not JSON": 1}))
    _, said = run(cloud, apply=False)
    assert [asked["dry_run"] for asked in cloud.asked] == [True]
    assert "3  to be placed" in said
    assert "1 hopeless: no event: not JSON" in said
    assert "APPLY=1" in said


def test_it_goes_on_while_there_is_more_and_adds_up() -> None:
    cloud = FakeCloud(report(placed=100, more=True), report(placed=20, not_needed=5))
    counts, said = run(cloud)
    assert (counts["placed"], counts["not_needed"]) == (120, 5)
    assert "120  placed" in said


def test_it_stops_when_what_is_left_does_not_move() -> None:
    cloud = FakeCloud(report(put_off=100, more=True))
    _, said = run(cloud)
    assert "run it again" in said


def test_an_empty_queue_is_said_to_be_empty() -> None:
    assert "The failure queue is empty" in run(FakeCloud(report()))[1]


def test_a_function_that_fails_is_quoted() -> None:
    with pytest.raises(RedriveError, match="ClientError: denied"):
        run(FakeCloud({"errorType": "ClientError", "errorMessage": "denied"}))
