"""How a custom resource answers CloudFormation: one PUT to the URL that came with the request.

Format and limits: CloudFormation user guide, "Custom resource response objects".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.request import Request, urlopen

LARGEST: Final = 4096
"""Bytes that CloudFormation takes."""

FAILED_CREATE: Final = "failed-create"
"""The physical id of what never came to be: CloudFormation asks for its deletion all the same."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a request.

    :param physical_id: what CloudFormation will call the resource from now on.
    :param attributes: what `Fn::GetAtt` answers.
    :param error: why it failed, or None.
    """

    physical_id: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    error: str | None = None


def body(event: Mapping[str, Any], outcome: Outcome) -> bytes:
    """The response to `event`; an error that is too long loses its end."""
    reason = outcome.error
    while len(answer := _encoded(event, outcome, reason)) > LARGEST and reason:
        # A character takes up to twelve bytes in JSON: this cuts too little at a time, never too much
        reason = reason[: len(reason) - max(1, (len(answer) - LARGEST) // 12)]
    return answer


def _encoded(event: Mapping[str, Any], outcome: Outcome, reason: str | None) -> bytes:
    answer = {
        "Status": "SUCCESS" if outcome.error is None else "FAILED",
        "PhysicalResourceId": outcome.physical_id,
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
    }
    if reason is not None:
        answer["Reason"] = reason
    return json.dumps({**answer, "Data": dict(outcome.attributes)}).encode()


def send(event: Mapping[str, Any], outcome: Outcome, *, put: Callable[..., Any] = urlopen) -> None:
    """PUT the response. The content type is empty, or the signature of the URL would not fit."""
    data = body(event, outcome)
    request = Request(event["ResponseURL"], data=data, method="PUT", headers={"Content-Type": ""})
    with put(request, timeout=30):
        pass
