"""The table of contents: choose an environment, define its stacks, hand each what it needs."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk

from stacks.data import DataStack
from stacks.environment import ENVIRONMENTS, Environment
from stacks.events import EventsStack
from stacks.observability import ObservabilityStack
from stacks.serving import ServingStack
from stacks.training import TrainingStack


def define(app: cdk.App, environment: Environment) -> None:
    """Define every stack of one environment."""
    prefix = environment.names.prefix
    common: dict[str, Any] = {
        "environment": environment,
        "env": cdk.Environment(account=environment.account, region=environment.region),
        "synthesizer": environment.synthesizer,
    }
    data = DataStack(app, f"{prefix}-data", **common)
    serving = ServingStack(
        app,
        f"{prefix}-serving",
        lake=data.lake,
        training_bucket=data.training.bucket,
        live_pointer_name=environment.names.live_pointer,
        on_call=data.on_call,
        **common,
    )
    events = EventsStack(
        app,
        f"{prefix}-events",
        lake=data.lake,
        coordination_table=data.coordination.table,
        api_key=serving.service.guarded_api.api_key,
        worse_than_late=serving.service.faults,
        on_call=data.on_call,
        **common,
    )
    training = TrainingStack(
        app,
        f"{prefix}-training",
        lake=data.lake,
        training=data.training,
        coordination=data.coordination,
        service=serving.service,
        stream=events.clickstream.stream,
        on_call=data.on_call,
        **common,
    )
    ObservabilityStack(
        app,
        f"{prefix}-observability",
        service=serving.service,
        clickstream=events.clickstream,
        retraining=training.retraining,
        **common,
    )


def main() -> None:
    """Synthesise the environment that `-c environment=…` names, LOCAL unless told."""
    app = cdk.App()
    name = app.node.try_get_context("environment") or "local"
    if name not in ENVIRONMENTS:
        raise SystemExit(f"environment must be one of {', '.join(ENVIRONMENTS)}, got {name!r}")
    define(app, ENVIRONMENTS[name])
    app.synth()


if __name__ == "__main__":
    main()
