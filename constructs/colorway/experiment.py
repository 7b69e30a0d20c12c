"""The experiment as a configuration that is checked, spread slowly, and taken back by alarm."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_appconfig as appconfig
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from vocabulary.experiment import SCHEMA

_OFF: Final = json.dumps({"enabled": False})


class Experiment(Construct):
    """Define where the experiment is configured, with none running.

    The template holds the first configuration only, which says that there is none. From then on
    whoever runs the experiment deploys versions of it (docs/operations.md): a deployment of the
    stacks leaves them alone.

    :param name: of the application in AppConfig.
    :param spread: how long a changed configuration takes to reach every sandbox, and is watched afterwards.
    :param alarms: taken back is what is being spread when one of them rings; at most 5.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        spread: cdk.Duration,
        alarms: Sequence[cloudwatch.IAlarm],
    ) -> None:
        super().__init__(scope, construct_id)
        application = appconfig.Application(self, "Application", application_name=name)
        environment = appconfig.Environment(
            self,
            "Environment",
            application=application,
            environment_name="live",
            monitors=[appconfig.Monitor.from_cloud_watch_alarm(alarm) for alarm in alarms],
            deletion_protection_check=appconfig.DeletionProtectionCheck.BYPASS,
        )
        # Nothing is there yet that a first configuration could harm, and CloudFormation waits for it
        at_once = appconfig.DeploymentStrategy(
            self,
            "AtOnce",
            rollout_strategy=appconfig.RolloutStrategy.linear(
                growth_factor=100,
                deployment_duration=cdk.Duration.minutes(0),
                final_bake_time=cdk.Duration.minutes(0),
            ),
        )
        configuration = appconfig.HostedConfiguration(
            self,
            "Configuration",
            application=application,
            name="experiment",
            content=appconfig.ConfigurationContent.from_inline_json(_OFF),
            validators=[appconfig.JsonSchemaValidator.from_inline(json.dumps(SCHEMA))],
            deploy_to=[environment],
            deployment_strategy=at_once,
            deletion_protection_check=appconfig.DeletionProtectionCheck.BYPASS,
        )
        for each in configuration.node.find_all():
            if isinstance(each, appconfig.CfnHostedConfigurationVersion):
                # Kept for good, as CDK has it, the version would keep its profile, and with it a first
                # deployment that fails, from going
                each.apply_removal_policy(cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)
        self.strategy = appconfig.DeploymentStrategy(
            self,
            "Gradual",
            description="A tenth of the sandboxes at a time",
            rollout_strategy=appconfig.RolloutStrategy.linear(
                growth_factor=10, deployment_duration=spread, final_bake_time=spread
            ),
        )
        self.identifiers = "/".join(
            (application.application_id, environment.environment_id, configuration.configuration_profile_id)
        )
        """Ids of application, environment and profile."""
        self._application_arn = cdk.Stack.of(self).format_arn(
            service="appconfig", resource="application", resource_name=application.application_id
        )
        profile = configuration.configuration_profile_id
        self._profile_arn = f"{self._application_arn}/configurationprofile/{profile}"
        self._arn = (
            f"{self._application_arn}/environment/{environment.environment_id}/configuration/{profile}"
        )

    def open_past_to(self, function: lambda_.Function) -> None:
        """Let a function read every version that there has been, and tell it where (`EXPERIMENT`)."""
        function.add_environment("EXPERIMENT", self.identifiers)
        self._grant_on_past(function, "appconfig:GetHostedConfigurationVersion")

    def grant_remove_past(self, grantee: iam.IGrantable) -> None:
        """Let `grantee` delete every version that there has been."""
        self._grant_on_past(grantee, "appconfig:DeleteHostedConfigurationVersion")

    def _grant_on_past(self, grantee: iam.IGrantable, action: str) -> None:
        iam.Grant.add_to_principal(
            grantee=grantee,
            actions=["appconfig:ListHostedConfigurationVersions", action],
            resource_arns=[
                self._application_arn,
                self._profile_arn,
                f"{self._profile_arn}/hostedconfigurationversion/*",
            ],
        )

    def open_to(self, function: lambda_.Function) -> None:
        """Let a function read it, and tell it where (variable `EXPERIMENT`)."""
        function.add_environment("EXPERIMENT", self.identifiers)
        function.add_to_role_policy(
            iam.PolicyStatement(
                actions=["appconfig:StartConfigurationSession", "appconfig:GetLatestConfiguration"],
                resources=[self._arn],
            )
        )
