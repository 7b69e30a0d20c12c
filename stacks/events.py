"""What happens on the site, and where it goes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from colorway.alarm import rollback_alarms
from colorway.clickstream import Clickstream
from colorway.data_lake import DataLake
from colorway.on_call import OnCall
from colorway.redrive import Redrive
from stacks.environment import Environment


class EventsStack(cdk.Stack):
    """Compose the clickstream.

    :param worse_than_late: faults of recommendations, which page for late events too.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        lake: DataLake,
        coordination_table: dynamodb.ITable,
        api_key: apigateway.IApiKey | None,
        on_call: OnCall,
        worse_than_late: Sequence[cloudwatch.IAlarm] = (),
        **stack_props: Any,
    ) -> None:
        super().__init__(scope, construct_id, **stack_props)
        self.clickstream = Clickstream(
            self,
            "Clickstream",
            names=environment.names,
            lake=lake,
            coordination_table=coordination_table,
            forwarder_cache=environment.forwarder_cache,
            collector_timeout=environment.collector_timeout,
            authorization=environment.authorization,
            requests_per_second=environment.requests_per_second,
            burst=environment.burst,
            api_key=api_key,
            allowed_origins=environment.allowed_origins,
            on_call=on_call,
            worse_than_late=worse_than_late,
            runtime=environment.runtime,
            architecture=environment.architecture,
            shards=environment.stream_shards,
            forwarders_per_shard=environment.forwarders_per_shard,
        )

        redrive = Redrive(
            self,
            "Redrive",
            names=environment.names,
            failure_queue=self.clickstream.failure_queue,
            stream=self.clickstream.stream,
            coordination_table=coordination_table,
            runtime=environment.runtime,
            architecture=environment.architecture,
        )

        cdk.CfnOutput(self, "EventsUrl", value=self.clickstream.guarded_api.url)
        cdk.CfnOutput(self, "RollbackAlarms", value=rollback_alarms(self.clickstream.faults))
        cdk.CfnOutput(self, "StreamName", value=self.clickstream.stream.stream_name)
        cdk.CfnOutput(self, "FailureQueueUrl", value=self.clickstream.failure_queue.queue_url)
        cdk.CfnOutput(self, "RedriveFunctionName", value=redrive.function.function_name)
