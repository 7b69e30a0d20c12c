from __future__ import annotations

import json
from typing import Any

from personalize_resources.first_training_handler import start
from tests.lambdas.personalize_resources.wire import Refusal, client

MACHINE = "arn:aws:states:us-east-1:111122223333:stateMachine:retraining"


def test_a_request_delivered_twice_starts_one_training() -> None:
    started: dict[str, Any] = {}

    def answer(operation: str, given: dict[str, Any]) -> dict[str, Any]:
        assert operation == "StartExecution"
        if given["name"] in started:
            raise Refusal("ExecutionAlreadyExists")
        started[given["name"]] = json.loads(given["input"])
        return {"executionArn": "arn"}

    states = client("stepfunctions", answer)

    start(states, MACHINE, "9f4b")
    start(states, MACHINE, "9f4b")

    assert started == {"first-9f4b": {"first_only": True}}
