"""A delivery stream that writes JSON documents into the lake, as rows of one of its tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_logs as logs
from constructs import Construct

from colorway.data_lake import DataLake

_DAY: Final = "day=!{timestamp:yyyy-MM-dd}/"
_LOG_STREAM: Final = "delivery"
_PERIOD: Final = cdk.Duration.minutes(5)


class ParquetDelivery(Construct):
    """Define a delivery stream to a folder of the lake: Parquet by the columns of a table, by day of arrival.

    At least once, a minute or two after it came. What does not fit the table goes to a folder of its
    own. CDK's construct for it would let the role read and delete the whole lake.

    :param table: of the lake; its columns are those that it has at the moment of delivery.
    :param folder: of the table, and `undelivered_folder` for what does not fit.
    :param stream: whose records it takes, or None when others put records to it.
    :param processors: what happens to a record before it is converted.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        lake: DataLake,
        table: glue.CfnTable,
        folder: str,
        undelivered_folder: str,
        stream: kinesis.Stream | None = None,
        processors: Sequence[firehose.CfnDeliveryStream.ProcessorProperty] = (),
    ) -> None:
        super().__init__(scope, construct_id)
        self._errors = logs.LogGroup(
            self,
            "Errors",
            retention=logs.RetentionDays.ONE_MONTH,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        role = self._define_role(lake, table, (folder, undelivered_folder))
        cfn = firehose.CfnDeliveryStream
        source = encryption = None
        if stream is None:
            encryption = cfn.DeliveryStreamEncryptionConfigurationInputProperty(key_type="AWS_OWNED_CMK")
        else:
            source = cfn.KinesisStreamSourceConfigurationProperty(
                kinesis_stream_arn=stream.stream_arn, role_arn=role.role_arn
            )
            stream.grant(
                role,
                "kinesis:DescribeStream",
                "kinesis:GetShardIterator",
                "kinesis:GetRecords",
                "kinesis:ListShards",
            )
        self.delivery_stream = cfn(
            self,
            "DeliveryStream",
            delivery_stream_type="DirectPut" if stream is None else "KinesisStreamAsSource",
            kinesis_stream_source_configuration=source,
            delivery_stream_encryption_configuration_input=encryption,
            extended_s3_destination_configuration=cfn.ExtendedS3DestinationConfigurationProperty(
                bucket_arn=lake.bucket.bucket_arn,
                role_arn=role.role_arn,
                prefix=f"{folder}/{_DAY}",
                error_output_prefix=f"{undelivered_folder}/!{{firehose:error-output-type}}/{_DAY}",
                # 64 MB is the least that conversion allows; the minute comes first, save under load
                buffering_hints=cfn.BufferingHintsProperty(interval_in_seconds=60, size_in_m_bs=64),
                # Parquet compresses by itself
                compression_format="UNCOMPRESSED",
                cloud_watch_logging_options=cfn.CloudWatchLoggingOptionsProperty(
                    enabled=True, log_group_name=self._errors.log_group_name, log_stream_name=_LOG_STREAM
                ),
                processing_configuration=(
                    cfn.ProcessingConfigurationProperty(enabled=True, processors=list(processors))
                    if processors
                    else None
                ),
                data_format_conversion_configuration=_parquet_of(lake, table, role),
            ),
        )
        # Firehose tries the role while it is created
        self.delivery_stream.node.add_dependency(role)

    def metric_age(self) -> cloudwatch.Metric:
        """How old the oldest record is that is not in the lake yet, in seconds."""
        return self._metric("DeliveryToS3.DataFreshness", statistic="Maximum")

    def metric_refused(self) -> cloudwatch.Metric:
        """How many records did not fit the table."""
        return self._metric("FailedConversion.Records", statistic="Sum")

    def _metric(self, name: str, *, statistic: str) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace="AWS/Firehose",
            metric_name=name,
            dimensions_map={"DeliveryStreamName": self.delivery_stream.ref},
            statistic=statistic,
            period=_PERIOD,
        )

    def _define_role(self, lake: DataLake, table: glue.CfnTable, folders: Sequence[str]) -> iam.Role:
        role = iam.Role(
            self,
            "Role",
            description=f"Writes {folders[0]} into the lake",
            assumed_by=iam.ServicePrincipal(
                "firehose.amazonaws.com",
                # What Firehose is known to send; of aws:SourceAccount its guide does not say so
                conditions={"StringEquals": {"sts:ExternalId": cdk.Aws.ACCOUNT_ID}},
            ),
        )
        # Rights as in the developer guide, "Grant Firehose access to an Amazon S3 destination"
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["s3:PutObject", "s3:AbortMultipartUpload"],
                resources=[lake.bucket.arn_for_objects(f"{folder}/*") for folder in folders],
            )
        )
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"],
                resources=[lake.bucket.bucket_arn],
            )
        )
        stack = cdk.Stack.of(self)
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["glue:GetTable", "glue:GetTableVersion", "glue:GetTableVersions"],
                resources=[
                    stack.format_arn(service="glue", resource="catalog"),
                    stack.format_arn(service="glue", resource="database", resource_name=lake.database.ref),
                    stack.format_arn(
                        service="glue", resource="table", resource_name=f"{lake.database.ref}/{table.ref}"
                    ),
                ],
            )
        )
        self._errors.grant(role, "logs:PutLogEvents")
        return role


def _parquet_of(
    lake: DataLake, table: glue.CfnTable, role: iam.Role
) -> firehose.CfnDeliveryStream.DataFormatConversionConfigurationProperty:
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
            table_name=table.ref,
            role_arn=role.role_arn,
            version_id="LATEST",
        ),
    )
