"""The end of a deployment: `cdk destroy` leaves nothing in Amazon Personalize, though no template owns it."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from colorway.coordination import Coordination
from colorway.custom_resource_function import CustomResourceFunction
from colorway.nightly_retraining import NightlyRetraining
from colorway.personalize_access import PersonalizeAccess
from vocabulary.colours import Names


class Purge(Construct):
    """Define what happens first when the stack is destroyed, and only then.

    Schedules are deleted and executions stopped; then both colours go, the live
    one too, and what the coordination table and the live pointer say of them.

    :param retraining: what is stopped; it stays until the purge is done.
    :param coordination: what is cleared.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        names: Names,
        retraining: NightlyRetraining,
        coordination: Coordination,
        runtime: lambda_.Runtime,
        architecture: lambda_.Architecture,
    ) -> None:
        super().__init__(scope, construct_id)
        machines = [retraining.state_machine, retraining.clearing]
        schedules = [schedule.schedule_arn for schedule in retraining.schedules]
        purger = CustomResourceFunction(
            self,
            "Purger",
            handler="personalize_resources.purge_handler.handle",
            description="Clears a deployment out of Amazon Personalize when its stack is destroyed",
            runtime=runtime,
            architecture=architecture,
            environment={
                "APP": names.app,
                "ENVIRONMENT": names.environment,
                "PARTITION": cdk.Aws.PARTITION,
                "ACCOUNT": cdk.Aws.ACCOUNT_ID,
                "COORDINATION_TABLE": coordination.table.table_name,
                "STATE_MACHINES": ",".join(machine.state_machine_arn for machine in machines),
                "SCHEDULES": ",".join(schedules),
            },
        )
        function = purger.function
        _allow(function, ["cloudformation:DescribeStacks"], [cdk.Aws.STACK_ID])
        _allow(function, ["scheduler:DeleteSchedule"], schedules)
        for machine in machines:
            machine.grant(function, "states:ListExecutions")
            machine.grant_execution(function, "states:StopExecution")
        coordination.table.grant(function, "dynamodb:Scan", "dynamodb:DeleteItem")
        pointer = coordination.live_pointer.parameter_arn
        _allow(function, ["ssm:GetParameter", "ssm:PutParameter"], [pointer])
        PersonalizeAccess(self, names=names).grant_retire(function)
        purger.define(self, "Resource", resource_type="Custom::Purge", after=[retraining])


def _allow(function: lambda_.Function, actions: list[str], resources: list[str]) -> None:
    function.add_to_role_policy(iam.PolicyStatement(actions=actions, resources=resources))
