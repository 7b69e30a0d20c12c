"""How every function of Colorway is packaged: its own package, the shared words, and pinned wheels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

LAMBDAS = Path(__file__).resolve().parents[2] / "lambdas"


class PythonFunction(lambda_.Function):
    """Define a Lambda function from packages under `lambdas/`.

    The asset holds the named packages, `vocabulary`, and nothing else, so that an
    edit republishes only the functions it touches. No Docker, no network.

    :param handler: dotted path from `lambdas/`, e.g. `recommendations.handler.handle`.
    :param packages: further packages under `lambdas/` that the handler imports.
    :param layers: libraries that the runtime does not bring, see `WheelLayer`.
    :param environment: environment variables; values may be tokens.
    :param log_retention: how long its log lines are kept.
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
