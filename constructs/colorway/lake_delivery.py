"""From the stream to the lake: every event as Parquet, by day of arrival."""

from __future__ import annotations

from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_logs as logs
from constructs import Construct

from colorway.alarm import Alarm
from colorway.data_lake import DataLake
from colorway.on_call import OnCall
from vocabulary.lake import EVENTS_FOLDER, FAILED_DELIVERY_FOLDER

_DAY: Final = "day=!{timestamp:yyyy-MM-dd}/"
_LOG_STREAM: Final = "delivery"


class LakeDelivery(Construct):
    """Define the delivery of a stream's records to the lake, as rows of `lake.events_table`.

    At least once, a minute or two after they came. What is not JSON, or has
    other types than the table, goes to a folder of its own and is alarmed.
    CDK's construct for it would let the role read and delete the whole lake.

    :param on_call: whom its alarms tell.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stream: kinesis.Stream,
        lake: DataLake,
        on_call: OnCall,
    ) -> None:
        super().__init__(scope, construct_id)
        self._on_call = on_call
        self._errors = logs.LogGroup(
            self,
            "Errors",
            retention=logs.RetentionDays.ONE_MONTH,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        role = self._define_role(stream, lake)
        self.delivery_stream = firehose.CfnDeliveryStream(
            self,
            "DeliveryStream",
            delivery_stream_type="KinesisStreamAsSource",
            kinesis_stream_source_configuration=(
                firehose.CfnDeliveryStream.KinesisStreamSourceConfigurationProperty(
                    kinesis_stream_arn=stream.stream_arn, role_arn=role.role_arn
                )
            ),
            extended_s3_destination_configuration=(
                firehose.CfnDeliveryStream.ExtendedS3DestinationConfigurationProperty(
                    bucket_arn=lake.bucket.bucket_arn,
                    role_arn=role.role_arn,
                    prefix=f"{EVENTS_FOLDER}/{_DAY}",
                    error_output_prefix=f"{FAILED_DELIVERY_FOLDER}/!{{firehose:error-output-type}}/{_DAY}",
                    # 64 MB is the least that conversion allows; the minute comes first, save under load
                    buffering_hints=firehose.CfnDeliveryStream.BufferingHintsProperty(
                        interval_in_seconds=60, size_in_m_bs=64
                    ),
                    # Parquet compresses by itself
                    compression_format="UNCOMPRESSED",
                    cloud_watch_logging_options=firehose.CfnDeliveryStream.CloudWatchLoggingOptionsProperty(
                        enabled=True, log_group_name=self._errors.log_group_name, log_stream_name=_LOG_STREAM
                    ),
                    data_format_conversion_configuration=_parquet_of(lake, role),
                )
            ),
        )
        # Firehose tries the role while it is created
        self.delivery_stream.node.add_dependency(role)
        self.alarms = self._define_alarms()

    def metric(self, name: str, *, statistic: str, period: cdk.Duration) -> cloudwatch.Metric:
        """A metric of Amazon Data Firehose, e.g. `DeliveryToS3.DataFreshness` (seconds)."""
        return cloudwatch.Metric(
            namespace="AWS/Firehose",
            metric_name=name,
            dimensions_map={"DeliveryStreamName": self.delivery_stream.ref},
            statistic=statistic,
            period=period,
        )

    def _define_role(self, stream: kinesis.Stream, lake: DataLake) -> iam.Role:
        role = iam.Role(
            self,
            "Role",
            description="Takes the clickstream to the lake",
            assumed_by=iam.ServicePrincipal(
                "firehose.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID}},
            ),
        )
        # Rights as in the developer guide, "Grant Firehose access to an Amazon S3 destination"
        stream.grant(
            role,
            "kinesis:DescribeStream",
            "kinesis:GetShardIterator",
            "kinesis:GetRecords",
            "kinesis:ListShards",
        )
        folders = [
            lake.bucket.arn_for_objects(f"{folder}/*") for folder in (EVENTS_FOLDER, FAILED_DELIVERY_FOLDER)
        ]
        role.add_to_policy(
            iam.PolicyStatement(actions=["s3:PutObject", "s3:AbortMultipartUpload"], resources=folders)
        )
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"],
                resources=[lake.bucket.bucket_arn],
            )
        )
        stack = cdk.Stack.of(self)
        table = [
            stack.format_arn(service="glue", resource="catalog"),
            stack.format_arn(service="glue", resource="database", resource_name=lake.database.ref),
            stack.format_arn(
                service="glue", resource="table", resource_name=f"{lake.database.ref}/{lake.events_table.ref}"
            ),
        ]
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["glue:GetTable", "glue:GetTableVersion", "glue:GetTableVersions"], resources=table
            )
        )
        self._errors.grant(role, "logs:PutLogEvents")
        return role

    def _define_alarms(self) -> list[cloudwatch.Alarm]:
        five_minutes = cdk.Duration.minutes(5)
        return [
            Alarm(
                self,
                "Stalled",
                metric=self.metric("DeliveryToS3.DataFreshness", statistic="Maximum", period=five_minutes),
                notices="Events do not reach the lake; tonight's training would miss them.",
                because="one is due every minute; 15 outlast a retry of S3, and are long before the night.",
                runbook="lake-delivery-stalled",
                on_call=self._on_call,
                severity="page",
                threshold=cdk.Duration.minutes(15).to_seconds(),
            ),
            Alarm(
                self,
                "Refusing",
                metric=self.metric("FailedConversion.Records", statistic="Sum", period=five_minutes),
                notices="Records that are no events of ours lie aside, and no training sees them.",
                because="any: only records that are no events of ours fail.",
                runbook="lake-delivery-refusing",
                on_call=self._on_call,
                severity="notice",
                threshold=0,
            ),
        ]


def _parquet_of(
    lake: DataLake, role: iam.Role
) -> firehose.CfnDeliveryStream.DataFormatConversionConfigurationProperty:
    """From JSON, by the columns that the events table has at that moment."""
    cfn = firehose.CfnDeliveryStream
    return cfn.DataFormatConversionConfigurationProperty(
        enabled=True,
        input_format_configuration=cfn.InputFormatConfigurationProperty(
            deserializer=cfn.DeserializerProperty(open_x_json_ser_de=cfn.OpenXJsonSerDeProperty())
        ),
        output_format_configuration=cfn.OutputFormatConfigurationProperty(
            serializer=cfn.SerializerProperty(parquet_ser_de=cfn.ParquetSerDeProperty(compression="SNAPPY"))
        ),
        schema_configuration=cfn.SchemaConfigurationProperty(
            catalog_id=cdk.Aws.ACCOUNT_ID,
            region=cdk.Aws.REGION,
            database_name=lake.database.ref,
            table_name=lake.events_table.ref,
            role_arn=role.role_arn,
            version_id="LATEST",
        ),
    )
