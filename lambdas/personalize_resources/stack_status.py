"""What becomes of a stack, as its custom resources have to know before they delete anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def is_being_deleted(aws: Callable[[str], Any], event: Mapping[str, Any]) -> bool:
    """Whether a request comes because the whole stack goes: CloudFormation sends Delete for a resource that
    leaves the template too.

    :param aws: client of a service by its boto3 name.
    """
    if event["RequestType"] != "Delete":
        return False
    stacks = aws("cloudformation").describe_stacks(StackName=event["StackId"])["Stacks"]
    return bool(stacks[0]["StackStatus"] == "DELETE_IN_PROGRESS")
