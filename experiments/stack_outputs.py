"""What the stacks of a deployment say of it."""

from __future__ import annotations

from typing import Any


def outputs_of(cloudformation: Any, prefix: str) -> dict[str, str]:
    """The outputs of all stacks of an environment, by name; none where it is not deployed.

    :param prefix: of the stacks' names: app and environment.
    """
    pages = cloudformation.get_paginator("describe_stacks").paginate()
    return {
        output["OutputKey"]: output["OutputValue"]
        for page in pages
        for stack in page["Stacks"]
        if stack["StackName"].startswith(f"{prefix}-")
        for output in stack.get("Outputs", ())
    }
