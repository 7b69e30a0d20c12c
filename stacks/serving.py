"""What clients ask for recommendations."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
from constructs import Construct

from colorway.alarm import rollback_alarms
from colorway.campaign_floors import CampaignFloors
from colorway.data_lake import DataLake
from colorway.exposures_delivery import ExposuresDelivery
from colorway.hosted_versions import HostedVersions
from colorway.on_call import OnCall
from colorway.recommendations_service import RecommendationsService
from stacks.environment import Environment


class ServingStack(cdk.Stack):
    """Compose the recommendations service, and what takes the experiment's exposures to the lake.

    :param live_pointer_name: of the parameter that says which colour is live. A name, because
        CloudFormation reads it before it deploys anything of this stack; it has to be there first.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        lake: DataLake,
        training_bucket: s3.IBucket,
        live_pointer_name: str,
        on_call: OnCall,
        **stack_props: Any,
    ) -> None:
        super().__init__(scope, construct_id, **stack_props)
        self.service = RecommendationsService(
            self,
            "Recommendations",
            names=environment.names,
            placements=environment.placements,
            training_bucket=training_bucket,
            live_pointer_name=live_pointer_name,
            time_budget=environment.time_budget,
            authorization=environment.authorization,
            requests_per_second=environment.requests_per_second,
            burst=environment.burst,
            reserved_concurrency=environment.reserved_concurrency,
            provisioned_concurrency=environment.provisioned_concurrency,
            allowed_origins=environment.allowed_origins,
            requests_per_address=environment.requests_per_address,
            experiment_spread=environment.experiment_spread,
            on_call=on_call,
            runtime=environment.runtime,
            architecture=environment.architecture,
        )
        HostedVersions(
            self,
            "HostedVersions",
            experiment=self.service.experiment,
            runtime=environment.runtime,
            architecture=environment.architecture,
        )
        self.exposures = ExposuresDelivery(
            self, "Exposures", log_group=self.service.function.log_group, lake=lake, on_call=on_call
        )

        if environment.drops:
            CampaignFloors(
                self,
                "CampaignFloors",
                names=environment.names,
                placements=environment.placements,
                drops=environment.drops,
                on_call=on_call,
                runtime=environment.runtime,
                architecture=environment.architecture,
            )

        cdk.CfnOutput(self, "RecommendationsUrl", value=self.service.guarded_api.url)
        if self.service.guarded_api.api_key is not None:
            cdk.CfnOutput(self, "ApiKeyId", value=self.service.guarded_api.api_key.key_id)
        cdk.CfnOutput(self, "RollbackAlarms", value=rollback_alarms(self.service.faults))
        cdk.CfnOutput(self, "ServingFunctionName", value=self.service.function.function_name)
        cdk.CfnOutput(self, "Experiment", value=self.service.experiment.identifiers)
        cdk.CfnOutput(
            self, "ExperimentStrategy", value=self.service.experiment.strategy.deployment_strategy_id
        )
