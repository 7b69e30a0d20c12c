"""The first training, which starts by itself when a deployment is complete."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct, IDependable

from colorway.python_function import PythonFunction


class FirstTraining(Construct):
    """Define the start, once, of a training that does nothing when a colour is live.

    Nobody waits for it: a deployment does not take as long as a training.

    :param state_machine: what is started, with the input `{"first_only": true}`.
    :param after: what the training needs, or what must be able to stop it when the deployment fails.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        state_machine: sfn.IStateMachine,
        runtime: lambda_.Runtime,
        architecture: lambda_.Architecture,
        after: Sequence[IDependable] = (),
    ) -> None:
        super().__init__(scope, construct_id)
        starter = PythonFunction(
            self,
            "Starter",
            handler="personalize_resources.first_training_handler.handle",
            description="Starts the first training when a deployment is complete",
            # For half a minute the right to start may not be known yet, and it may not invoke itself again
            timeout=cdk.Duration.minutes(2),
            environment={"STATE_MACHINE": state_machine.state_machine_arn},
            runtime=runtime,
            architecture=architecture,
        )
        state_machine.grant_start_execution(starter)
        resource = cdk.CustomResource(
            self,
            "Resource",
            service_token=starter.function_arn,
            resource_type="Custom::FirstTraining",
            service_timeout=cdk.Duration.minutes(5),
        )
        resource.node.add_dependency(starter, state_machine, *after)
