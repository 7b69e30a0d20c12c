"""Where MiniStack's authorization would decide otherwise than AWS's, seen with Colorway's policies.

* It derives the action of a call of Lambda from the last part of a path it knows, so that GetAlias and
  UpdateAlias need `lambda:ListAliases`. Botocore's service model tells every operation apart.
* It takes DescribeAlarms for a call of everything, where AWS looks at the alarms that are named; here
  the first of them counts.
* It has actions of its own for SQS's batches, where AWS asks for the action of one message.
* Its one endpoint has no TLS, so that a bucket policy which denies whatever comes without (CDK's
  `enforce_ssl`) denies everything. What never leaves the machine counts as secure.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any, Final

from ministack import app
from ministack.core import iam_actions, iam_evaluator

_ACTIONS: Final = {"Invoke": "InvokeFunction", "InvokeWithResponseStream": "InvokeFunction"}
"""Operations whose action has another name (Service Authorization Reference, "AWS Lambda")."""

_BATCHES: Final = {
    f"AmazonSQS.{action}Batch": action
    for action in ("SendMessage", "DeleteMessage", "ChangeMessageVisibility")
}
"""Targets whose action is that of one message (Service Authorization Reference, "Amazon SQS")."""


def register() -> None:
    """From now on a call needs the permissions that it needs on AWS."""
    iam_actions._BOTOCORE_SERVICE_MAP["lambda"] = ["lambda"]
    iam_actions._lambda_action = lambda_action
    _look_at_named_alarms()
    _take_batches_for_messages()
    # Also where no request is pinned: services that act by themselves
    iam_evaluator._request_origin = ContextVar("secure_origin", default=("127.0.0.1", True))
    app.pin_request_origin = _pin_secure_origin


def lambda_action(method: str, path: str) -> str | None:
    """The action of a request to Lambda, without its namespace; None for what is no operation."""
    operation = iam_actions._match_rest_action("lambda", method, path, {})
    return None if operation is None else _ACTIONS.get(operation, str(operation))


def _look_at_named_alarms() -> None:
    other = iam_actions.extract_resource_arn

    def extract_resource_arn(
        service: str,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        query_params: Mapping[str, Any],
        region: str,
        account_id: str,
    ) -> str:
        names = None
        if service == "monitoring" and headers.get("x-amz-target", "").endswith(".DescribeAlarms"):
            names = json.loads(body or b"{}").get("AlarmNames")
        if names:
            return f"arn:aws:cloudwatch:{region}:{account_id}:alarm:{names[0]}"
        return str(other(service, method, path, headers, body, query_params, region, account_id))

    iam_actions.extract_resource_arn = extract_resource_arn


def _take_batches_for_messages() -> None:
    other = iam_actions._action_from_target

    def action_from_target(headers: dict[str, str]) -> str | None:
        action: str | None = _BATCHES.get(headers.get("x-amz-target", "")) or other(headers)
        return action

    iam_actions._action_from_target = action_from_target


def _pin_secure_origin(source_ip: str, secure_transport: bool) -> None:
    iam_evaluator.pin_request_origin(source_ip, True)
