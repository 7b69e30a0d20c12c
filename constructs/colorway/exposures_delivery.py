"""From the serving function's log to the lake: who of the experiment was shown what."""

from __future__ import annotations

from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_logs as logs
from constructs import Construct

from colorway.alarm import Alarm
from colorway.data_lake import DataLake
from colorway.on_call import OnCall
from colorway.parquet_delivery import ParquetDelivery
from vocabulary.lake import EXPOSURES_FOLDER, FAILED_EXPOSURES_FOLDER

PATTERN: Final = '{ $.unit_id = "*" }'
"""Lines of requests that are part of the experiment; a line without the field does not match."""

_PROCESSORS: Final = (
    firehose.CfnDeliveryStream.ProcessorProperty(
        type="Decompression",
        parameters=[
            firehose.CfnDeliveryStream.ProcessorParameterProperty(
                parameter_name="CompressionFormat", parameter_value="GZIP"
            )
        ],
    ),
    firehose.CfnDeliveryStream.ProcessorProperty(
        type="CloudWatchLogProcessing",
        parameters=[
            firehose.CfnDeliveryStream.ProcessorParameterProperty(
                parameter_name="DataMessageExtraction", parameter_value="true"
            )
        ],
    ),
)
"""CloudWatch Logs sends several lines to a record, with their circumstances, as gzip (CloudWatch Logs user
guide, "Subscription filters with Firehose"); these leave the lines (Firehose developer guide, "Extract
message after decompression of CloudWatch Logs")."""


class ExposuresDelivery(Construct):
    """Define the delivery of exposures from the serving function's log to `lake.exposures_table`.

    The function writes a line per request as it is, and knows nothing of this: what fails here
    costs no request anything. At least once; the view `exposures` has each once.

    :param log_group: of the serving function.
    :param on_call: whom its alarms tell.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        log_group: logs.ILogGroup,
        lake: DataLake,
        on_call: OnCall,
    ) -> None:
        super().__init__(scope, construct_id)
        self._on_call = on_call
        self.delivery = ParquetDelivery(
            self,
            "Delivery",
            lake=lake,
            table=lake.exposures_table,
            folder=EXPOSURES_FOLDER,
            undelivered_folder=FAILED_EXPOSURES_FOLDER,
            processors=_PROCESSORS,
        )
        role = self._define_role()
        self.filter = logs.CfnSubscriptionFilter(
            self,
            "Filter",
            log_group_name=log_group.log_group_name,
            filter_pattern=PATTERN,
            destination_arn=self.delivery.delivery_stream.attr_arn,
            role_arn=role.role_arn,
        )
        # CloudWatch Logs tries the role while the filter is created
        self.filter.node.add_dependency(role)
        self.alarms = self._define_alarms(log_group)

    def _define_role(self) -> iam.Role:
        """As the CloudWatch Logs user guide has it, under "Subscription filters with Firehose"."""
        logs_here = cdk.Stack.of(self).format_arn(
            service="logs", resource="*", arn_format=cdk.ArnFormat.NO_RESOURCE_NAME
        )
        role = iam.Role(
            self,
            "Role",
            description="Hands exposures from the log to their delivery stream",
            assumed_by=iam.ServicePrincipal(
                "logs.amazonaws.com", conditions={"StringLike": {"aws:SourceArn": logs_here}}
            ),
        )
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["firehose:PutRecord", "firehose:PutRecordBatch"],
                resources=[self.delivery.delivery_stream.attr_arn],
            )
        )
        return role

    def _define_alarms(self, log_group: logs.ILogGroup) -> list[cloudwatch.Alarm]:
        not_handed_over = cloudwatch.Metric(
            namespace="AWS/Logs",
            metric_name="DeliveryErrors",
            dimensions_map={
                "LogGroupName": log_group.log_group_name,
                "DestinationType": "Firehose",
                "FilterName": self.filter.ref,
            },
            statistic="Sum",
            period=cdk.Duration.minutes(5),
        )
        return [
            Alarm(
                self,
                "Unsent",
                metric=not_handed_over,
                notices="The experiment's report misses what users were shown.",
                because="any: what CloudWatch Logs could not hand over it does not try again.",
                runbook="exposures-unsent",
                on_call=self._on_call,
                severity="notice",
                threshold=0,
            ),
            Alarm(
                self,
                "Stalled",
                metric=self.delivery.metric_age(),
                notices="The experiment's report does not see what users are shown.",
                because="one is due every minute; 15 outlast a retry of S3, and Firehose keeps them a day.",
                runbook="exposures-stalled",
                on_call=self._on_call,
                severity="notice",
                threshold=cdk.Duration.minutes(15).to_seconds(),
            ),
            Alarm(
                self,
                "Refusing",
                metric=self.delivery.metric_refused(),
                notices="Exposures lie aside, and the experiment's report misses them.",
                because="any: the function and the table agree on every field.",
                runbook="exposures-refusing",
                on_call=self._on_call,
                severity="notice",
                threshold=0,
            ),
        ]
