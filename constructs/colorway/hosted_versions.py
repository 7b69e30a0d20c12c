"""The end of an experiment: `cdk destroy` deletes its configurations, since CloudFormation does not."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from colorway.custom_resource_function import CustomResourceFunction
from colorway.experiment import Experiment


class HostedVersions(Construct):
    """Define that versions of an experiment's configuration go when the stack is destroyed, and only then.

    Whoever ran an experiment made versions that no template knows of, and AppConfig refuses to delete a
    profile that has any (aws/aws-cdk#26804).
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        experiment: Experiment,
        runtime: lambda_.Runtime,
        architecture: lambda_.Architecture,
    ) -> None:
        super().__init__(scope, construct_id)
        remover = CustomResourceFunction(
            self,
            "Remover",
            handler="personalize_resources.hosted_versions_handler.handle",
            description="Deletes an experiment's configurations when its stack is destroyed",
            environment={"EXPERIMENT": experiment.identifiers},
            runtime=runtime,
            architecture=architecture,
        )
        remover.function.add_to_role_policy(
            iam.PolicyStatement(actions=["cloudformation:DescribeStacks"], resources=[cdk.Aws.STACK_ID])
        )
        experiment.grant_remove_past(remover.function)
        remover.define(self, "Resource", resource_type="Custom::HostedVersions", after=[experiment])
