"""What becomes of a stack, as its custom resources have to know before they delete anything."""

from __future__ import annotations

from typing import Any


def is_being_deleted(cloudformation: Any, stack: str) -> bool:
    """Whether the whole stack goes, rather than one resource of it: CloudFormation sends Delete for both.

    :param cloudformation: a boto3 client.
    :param stack: the stack's ARN, as a request has it.
    """
    stacks = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    return bool(stacks[0]["StackStatus"] == "DELETE_IN_PROGRESS")
