"""CloudFormation's "Stack Status Change" events, which MiniStack records but does not publish.

Format: AWS CloudFormation user guide, "Managing events with CloudFormation and Amazon EventBridge".
"""

from __future__ import annotations

import json
import logging
from typing import Any

from ministack.services import eventbridge
from ministack.services.cloudformation import changesets, handlers, stacks

_STACK = "AWS::CloudFormation::Stack"

_log = logging.getLogger(__name__)


def register() -> None:
    """From now on every change of a stack's status reaches the default event bus."""
    record = stacks._add_event

    def record_and_publish(
        stack_id: str, stack_name: str, logical_id: str, resource_type: str, status: str, reason: str = "",
        *arguments: Any, **named: Any,
    ) -> None:  # fmt: skip
        record(stack_id, stack_name, logical_id, resource_type, status, reason, *arguments, **named)
        if resource_type == _STACK and logical_id == stack_name:
            _publish(stack_id, status, reason)

    for module in (stacks, changesets, handlers):
        module._add_event = record_and_publish


def _publish(stack_id: str, status: str, reason: str) -> None:
    detail = {
        "stack-id": stack_id,
        "status-details": {"status": status, "status-reason": reason},
        "client-request-token": stacks.CLIENT_REQUEST_TOKEN.get(),
    }
    try:
        eventbridge._put_events(
            {
                "Entries": [
                    {
                        "Source": "aws.cloudformation",
                        "DetailType": "CloudFormation Stack Status Change",
                        "Detail": json.dumps(detail),
                        "Resources": [stack_id],
                    }
                ]
            },
            allow_aws_source=True,
        )
    except Exception:
        # On AWS too the delivery is apart from the stack operation and cannot fail it.
        _log.exception("%s of %s was not published", status, stack_id)
