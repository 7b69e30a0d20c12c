"""What on-call does by hand: go back to the other colour, and tear one down. Either only says, until told to.

The guards are those of the retraining itself: its own functions and state machine do the work.
"""

from __future__ import annotations

import json
import time
from typing import Any, Final

from local_cloud import deployed
from local_cloud.connection import LocalCloudError
from local_cloud.deployed import Cloud
from local_cloud.retraining_progress import failure_of, history
from local_cloud.status import in_personalize, live
from vocabulary.coordination import RUN_LOCK, TABLE_KEY

_LOOK_EVERY: Final = 0.5


class RefusedError(LocalCloudError):
    """A guard refuses; the message is its own."""


def roll_back(cloud: Cloud, *, apply: bool) -> list[str]:
    """Send the traffic to the other colour, if that answers for every placement; answer lines to read.

    :param apply: do it, rather than say whether it could be done.
    :raises RefusedError: when it could not; nothing has moved then.
    """
    before = live(cloud)
    told = _invoke(cloud, "FlipFunctionName", {"action": "roll-back", "apply": apply})
    if not apply:
        return [
            f"  live is {before}; {told['to']} is there and answers for every placement.",
            f"  Nothing was moved. To go back to {told['to']}: APPLY=1",
        ]
    return [
        f"  live was {before}, and is {live(cloud)}.",
        f"  A retraining with {told['from']} on trial notices and ends, and {told['from']} is cleared away.",
    ]


def retire(cloud: Cloud, colour: str, *, apply: bool) -> list[str]:
    """Tear a colour down under the run lock, and wait until it is gone; answer lines to read.

    :param apply: do it, rather than say what would go.
    :raises RefusedError: when the colour is in use or a retraining runs; nothing has gone then.
    """
    _invoke(cloud, "RetireFunctionName", {"colour": colour, "only_ask": True})
    _require_no_run(cloud)
    there = [f"  {line}" for line in in_personalize(cloud) if f"-{colour} " in line]
    if not there:
        return [f"  {colour} does not exist."]
    if not apply:
        return ["  would go:", *there, "  Nothing was touched. To tear it down: APPLY=1"]
    states = cloud.client("stepfunctions")
    execution = states.start_execution(
        stateMachineArn=deployed.output(cloud, "ClearingArn"), input=json.dumps({"colour": colour})
    )["executionArn"]
    while (run := states.describe_execution(executionArn=execution))["status"] == "RUNNING":
        time.sleep(_LOOK_EVERY)
    if run["status"] != "SUCCEEDED":
        raise RefusedError(f"{run['status']} in {failure_of(history(states, execution))}")
    output = json.loads(run.get("output") or "{}")
    if output.get("outcome") == "nothing-to-do":
        raise RefusedError(str(output["says"]))
    return [f"  {colour} is gone."]


def _require_no_run(cloud: Cloud) -> None:
    table = cloud.table(deployed.output(cloud, "CoordinationTableName"))
    item = table.get_item(Key={TABLE_KEY: RUN_LOCK}, ConsistentRead=True).get("Item")
    if item is None:
        return
    holder = str(item["holder"])
    if cloud.client("stepfunctions").describe_execution(executionArn=holder)["status"] == "RUNNING":
        raise RefusedError(
            f"{holder} is at work, and clears up after itself when it is stopped: "
            f"aws stepfunctions stop-execution --execution-arn {holder}"
        )


def _invoke(cloud: Cloud, output: str, event: dict[str, Any]) -> dict[str, Any]:
    reply = cloud.client("lambda").invoke(
        FunctionName=deployed.output(cloud, output), Payload=json.dumps(event).encode()
    )
    answer: dict[str, Any] = json.loads(reply["Payload"].read())
    if "FunctionError" in reply:
        raise RefusedError(f"{answer.get('errorType')}: {answer.get('errorMessage')}")
    return answer
