"""What must outlive everything else: the lake, the training data, and what the parts agree on."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from constructs import Construct

from colorway.bucket_emptying import BucketEmptying
from colorway.coordination import Coordination
from colorway.data_lake import DataLake
from colorway.on_call import OnCall
from colorway.training_bucket import TrainingBucket
from stacks.environment import Environment


class DataStack(cdk.Stack):
    """Compose the stateful parts."""

    def __init__(
        self, scope: Construct, construct_id: str, *, environment: Environment, **stack_props: Any
    ) -> None:
        super().__init__(scope, construct_id, **stack_props)
        self.lake = DataLake(
            self,
            "Lake",
            database_name=f"{environment.app}_{environment.name}",
            keep_data=environment.keep_data,
            keep_events=(
                None
                if environment.keep_events_days is None
                else cdk.Duration.days(environment.keep_events_days)
            ),
            keep_aside=cdk.Duration.days(environment.keep_aside_days),
            recover=(
                None if environment.recover_days is None else cdk.Duration.days(environment.recover_days)
            ),
        )
        self.training = TrainingBucket(self, "Training", keep_data=environment.keep_data)
        if not environment.keep_data:
            BucketEmptying(
                self,
                "BucketEmptying",
                buckets=[self.lake.bucket, self.training.bucket],
                runtime=environment.runtime,
                architecture=environment.architecture,
            )
        self.coordination = Coordination(self, "Coordination", names=environment.names)
        self.on_call = OnCall(
            self,
            "OnCall",
            email=environment.on_call_email,
            endpoint=environment.on_call_endpoint,
            notices_email=environment.notices_email,
        )

        cdk.CfnOutput(self, "LakeBucketName", value=self.lake.bucket.bucket_name)
        cdk.CfnOutput(self, "TrainingBucketName", value=self.training.bucket.bucket_name)
        cdk.CfnOutput(self, "CoordinationTableName", value=self.coordination.table.table_name)
        cdk.CfnOutput(self, "LivePointerName", value=self.coordination.live_pointer.parameter_name)
        cdk.CfnOutput(self, "OnCallTopicArn", value=self.on_call.pages.topic_arn)
        cdk.CfnOutput(self, "NoticesTopicArn", value=self.on_call.notices.topic_arn)
