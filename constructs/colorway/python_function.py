"""How every function of Colorway is packaged: its own package, the shared words, and pinned wheels."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

LAMBDAS = Path(__file__).resolve().parents[2] / "lambdas"

_MOST_VARIABLES: Final = 4096
"""Bytes that Lambda allows all environment variables of a function, written as one JSON object."""

_RANDOM: Final = 13
"""Characters that CloudFormation puts after a stack's name and a logical id to name a resource, and a `-`."""

_ARN: Final = 60
"""Characters of an ARN before the name: of a service, a Region and an account."""


class PythonFunction(lambda_.Function):
    """Define a Lambda function from packages under `lambdas/`.

    The asset holds the named packages, `vocabulary`, and nothing else, so that an
    edit republishes only the functions it touches. No Docker, no network.

    :param handler: dotted path from `lambdas/`, e.g. `recommendations.handler.handle`.
    :param packages: further packages under `lambdas/` that the handler imports.
    :param layers: libraries that the runtime does not bring, see `WheelLayer`.
    :param environment: environment variables; values may be tokens.
    :param log_retention: how long its log lines are kept.
    :raises ValueError: for variables that Lambda would refuse in the middle of a deployment, or for a package
        that is not there.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        handler: str,
        runtime: lambda_.Runtime,
        architecture: lambda_.Architecture,
        description: str,
        packages: Sequence[str] = (),
        layers: Sequence[lambda_.ILayerVersion] = (),
        environment: Mapping[str, str] | None = None,
        timeout: cdk.Duration = cdk.Duration.seconds(30),
        memory_mib: int = 256,
        ephemeral_storage: cdk.Size | None = None,
        reserved_concurrency: int | None = None,
        log_retention: logs.RetentionDays = logs.RetentionDays.ONE_MONTH,
    ) -> None:
        included = sorted({handler.partition(".")[0], "vocabulary", *packages})
        for package in included:
            if not (LAMBDAS / package / "__init__.py").is_file():
                raise ValueError(f"packages must be packages under lambdas/, got {package!r}")
        _require_room(environment or {}, cdk.Stack.of(scope), f"{scope.node.path}/{construct_id}")
        super().__init__(
            scope,
            construct_id,
            code=lambda_.Code.from_asset(
                str(LAMBDAS),
                exclude=["/*", *(f"!/{package}/" for package in included), "__pycache__"],
                ignore_mode=cdk.IgnoreMode.GIT,
            ),
            layers=list(layers),
            handler=handler,
            runtime=runtime,
            architecture=architecture,
            description=description,
            environment=dict(environment or {}),
            timeout=timeout,
            memory_size=memory_mib,
            ephemeral_storage_size=ephemeral_storage,
            reserved_concurrent_executions=reserved_concurrency,
            log_group=logs.LogGroup(
                scope,
                f"{construct_id}Logs",
                retention=log_retention,
                removal_policy=cdk.RemovalPolicy.DESTROY,
            ),
        )


def _require_room(environment: Mapping[str, str], stack: cdk.Stack, function: str) -> None:
    variables = {
        name: _estimated(stack.resolve(value), stack.stack_name) for name, value in environment.items()
    }
    took = _bytes(variables)
    if took > _MOST_VARIABLES:
        largest = sorted(variables, key=lambda name: -_bytes(variables[name]))[:3]
        told = ", ".join(f"{name} of {_bytes(variables[name])}" for name in largest)
        raise ValueError(
            f"environment of {function} takes {took} bytes, allowed: {_MOST_VARIABLES} as JSON; "
            f"the largest: {told}"
        )


def _bytes(value: object) -> int:
    return len(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())


def _estimated(value: Any, stack: str) -> str:
    """A value, each token in it about as long as what CloudFormation is going to put there."""
    match value:
        case {"Ref": "AWS::AccountId"}:
            return "-" * 12
        case {"Ref": str(name)} if name.startswith("AWS::"):
            return "-" * 14  # ap-southeast-1 is the longest Region
        case {"Ref": str(logical_id)}:
            return "-" * (len(stack) + len(logical_id) + _RANDOM + 1)
        case {"Fn::GetAtt": [str(logical_id), _]}:
            return "-" * (_ARN + len(stack) + len(logical_id) + _RANDOM + 1)
        case {"Fn::Join": [str(between), [*parts]]}:
            return between.join(_estimated(part, stack) for part in parts)
        case dict():
            return "".join(_estimated(each, stack) for each in value.values())
        case list():
            return "".join(_estimated(each, stack) for each in value)
        case _:
            return str(value)
