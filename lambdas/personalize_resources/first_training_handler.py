"""Starts the first training as soon as a deployment is complete, so that nobody has to."""

from __future__ import annotations

import json
import os
from functools import cache
from typing import Any, Final

import boto3

from personalize_resources.continuation import Continuation, Memory
from personalize_resources.responses import Outcome

PHYSICAL_ID: Final = "first-training"


def handle(event: dict[str, Any], context: Any) -> None:
    """One request of the custom resource `Custom::FirstTraining`: starts on Create, and does not wait."""

    def step(memory: Memory) -> Outcome:
        memory["physical_id"] = PHYSICAL_ID
        if event["RequestType"] == "Create":
            start(_states(), os.environ["STATE_MACHINE"], event["RequestId"])
        return Outcome(physical_id=PHYSICAL_ID)

    Continuation.of(context, lambda_client=None).answer(
        event, step, remaining=context.get_remaining_time_in_millis
    )


def start(states: Any, state_machine: str, request_id: str) -> None:
    """Start the one execution of this request, however often the request is delivered."""
    try:
        states.start_execution(
            stateMachineArn=state_machine,
            name=f"first-{request_id}",
            input=json.dumps({"first_only": True}),
        )
    except states.exceptions.ExecutionAlreadyExists:
        return


@cache
def _states() -> Any:
    return boto3.client("stepfunctions")
