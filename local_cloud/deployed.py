"""What is deployed: the outputs of the stacks, and why a stack failed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from local_cloud.aws_account import AwsAccount
from local_cloud.connection import Connection, LocalCloudError

Cloud = Connection | AwsAccount

_TOOLKIT = "CDKToolkit"


@dataclass(frozen=True)
class FailedResource:
    """A resource that kept its stack from being deployed, and CloudFormation's words for why."""

    stack: str
    logical_id: str
    type: str
    reason: str

    def __str__(self) -> str:
        return f"{self.stack}: {self.logical_id} ({self.type}): {self.reason}"


def outputs(connection: Cloud) -> dict[str, dict[str, str]]:
    """The outputs of every stack of the deployment: stack name to output name to value."""
    pages = connection.client("cloudformation").get_paginator("describe_stacks").paginate()
    return outputs_of(
        stack
        for page in pages
        for stack in page["Stacks"]
        if stack["StackName"].startswith(connection.stack_prefix)
    )


def outputs_of(stacks: Any) -> dict[str, dict[str, str]]:
    """Read `Stacks` of CloudFormation's DescribeStacks."""
    return {
        stack["StackName"]: {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])}
        for stack in stacks
        if stack["StackName"] != _TOOLKIT and stack["StackStatus"] != "DELETE_COMPLETE"
    }


def output(connection: Cloud, name: str) -> str:
    """The output of that name, of whichever stack has it.

    :raises LocalCloudError: when nothing has.
    """
    deployed = outputs(connection)
    for values in deployed.values():
        if name in values:
            return values[name]
    raise no_output(connection, name, deployed)


def no_output(connection: Cloud, name: str, deployed: Iterable[str]) -> LocalCloudError:
    """What to do where no stack has an output.

    :param deployed: names of the stacks that there are.
    """
    stacks = ", ".join(sorted(deployed)) or "none"
    if isinstance(connection, AwsAccount):
        region = connection.client("cloudformation").meta.region_name
        return LocalCloudError(
            f"no stack {connection.stack_prefix}… in {region} has an output {name}; there: {stacks}. Deploy "
            "it, docs/operations.md, 'Day 0', or name what is deployed by ENV and AWS_REGION"
        )
    return LocalCloudError(
        f"no stack has an output {name}; deployed: {stacks}: run `make demo` and wait until it has deployed, "
        "or `npx cdk deploy --all`"
    )


def settings_with(connection: Connection, name: str) -> dict[str, str]:
    """The environment of the deployed function that has this variable.

    :raises LocalCloudError: when none has.
    """
    for page in connection.client("lambda").get_paginator("list_functions").paginate():
        for function in page["Functions"]:
            variables: dict[str, str] = function.get("Environment", {}).get("Variables", {})
            if name in variables:
                return variables
    raise LocalCloudError(f"no deployed function has a setting {name}")


def failures(connection: Connection, stack: str) -> list[FailedResource]:
    """Which resources of a stack failed in its last operation, oldest first."""
    cloudformation = connection.client("cloudformation")
    try:
        pages = cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack)
        events = [event for page in pages for event in page["StackEvents"]]
    except cloudformation.exceptions.ClientError:
        return []  # it has not come into being
    return failures_of(events)


def failures_of(events: list[dict[str, Any]]) -> list[FailedResource]:
    """Read `StackEvents` of CloudFormation's DescribeStackEvents, newest first.

    What was cancelled because something else failed is left out; a failure that is
    no resource's is the stack's own.
    """
    resources, of_the_stack = [], []
    for event in events:
        is_stack = event["LogicalResourceId"] == event["StackName"]
        status = event["ResourceStatus"]
        if is_stack and status in _BEGINNINGS:
            break
        reason = event.get("ResourceStatusReason", "")
        failed = FailedResource(event["StackName"], event["LogicalResourceId"], event["ResourceType"], reason)
        if is_stack and reason:
            of_the_stack.append(failed)
        elif not is_stack and status.endswith("_FAILED") and "cancelled" not in reason.lower():
            resources.append(failed)
    return (resources or of_the_stack)[::-1]


_BEGINNINGS = ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "REVIEW_IN_PROGRESS")
