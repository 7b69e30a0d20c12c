from __future__ import annotations

import json
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions
from aws_cdk import aws_logs as logs

from colorway.data_lake import DataLake
from colorway.exposures_delivery import PATTERN, ExposuresDelivery
from colorway.on_call import OnCall
from local_cloud.embedded_metrics import field_filter


class Defined:
    """The delivery in a stack of its own, with the lake, and that stack's template."""

    def __init__(self, app: cdk.App) -> None:
        self.stack = cdk.Stack(app, "Test")
        self.lake = DataLake(
            self.stack,
            "Lake",
            database_name="lake",
            keep_data=False,
            keep_events=cdk.Duration.days(90),
        )
        self.log_group = logs.LogGroup(self.stack, "ServingLogs")
        ExposuresDelivery(
            self.stack,
            "Exposures",
            log_group=self.log_group,
            lake=self.lake,
            on_call=OnCall(self.stack, "OnCall"),
        )
        self.template = assertions.Template.from_stack(self.stack)

    def only(self, kind: str) -> dict[str, Any]:
        (found,) = self.template.find_resources(kind).values()
        properties: dict[str, Any] = found["Properties"]
        return properties

    def statements(self, role: str) -> list[dict[str, Any]]:
        return [
            statement
            for policy in self.template.find_resources("AWS::IAM::Policy").values()
            if {"Ref": role} in policy["Properties"]["Roles"]
            for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        ]


@pytest.fixture
def defined(cdk_app: cdk.App) -> Defined:
    return Defined(cdk_app)


def test_only_lines_of_those_who_are_measured_leave_the_log() -> None:
    matches = field_filter(PATTERN)
    assert matches('{"_aws":{},"unit_id":"0123456789abcdef","variant":"treatment"}')
    assert not matches('{"_aws":{},"variant":"exempt"}')
    assert not matches("START RequestId: unit_id")


def test_the_filter_leads_to_the_delivery_stream_with_a_role_that_may_do_nothing_else(
    defined: Defined,
) -> None:
    subscription = defined.only("AWS::Logs::SubscriptionFilter")
    (stream,) = defined.template.find_resources("AWS::KinesisFirehose::DeliveryStream")
    group = defined.stack.get_logical_id(defined.log_group.node.default_child)  # type: ignore[arg-type]
    assert subscription["LogGroupName"] == {"Ref": group}
    assert subscription["DestinationArn"] == {"Fn::GetAtt": [stream, "Arn"]}
    (statement,) = defined.statements(subscription["RoleArn"]["Fn::GetAtt"][0])
    assert statement["Action"] == ["firehose:PutRecord", "firehose:PutRecordBatch"]
    assert statement["Resource"] == {"Fn::GetAtt": [stream, "Arn"]}


def test_what_arrives_is_unpacked_and_becomes_rows_of_the_exposures(defined: Defined) -> None:
    stream = defined.only("AWS::KinesisFirehose::DeliveryStream")
    assert stream["DeliveryStreamType"] == "DirectPut"
    assert stream["DeliveryStreamEncryptionConfigurationInput"] == {"KeyType": "AWS_OWNED_CMK"}
    to = stream["ExtendedS3DestinationConfiguration"]
    assert to["Prefix"] == "exposures/day=!{timestamp:yyyy-MM-dd}/"
    assert to["ErrorOutputPrefix"].startswith("exposures-undelivered/!{firehose:error-output-type}/")
    processing = to["ProcessingConfiguration"]
    assert processing["Enabled"] is True
    assert [each["Type"] for each in processing["Processors"]] == ["Decompression", "CloudWatchLogProcessing"]
    tables = defined.template.find_resources("AWS::Glue::Table")
    schema = to["DataFormatConversionConfiguration"]["SchemaConfiguration"]
    assert tables[schema["TableName"]["Ref"]]["Properties"]["TableInput"]["Name"] == "raw_exposures"


def test_the_delivery_may_write_exposures_and_neither_events_nor_read_nor_delete(defined: Defined) -> None:
    to = defined.only("AWS::KinesisFirehose::DeliveryStream")["ExtendedS3DestinationConfiguration"]
    statements = defined.statements(to["RoleARN"]["Fn::GetAtt"][0])
    (objects,) = (each for each in statements if "s3:PutObject" in each["Action"])
    assert sorted(objects["Action"]) == ["s3:AbortMultipartUpload", "s3:PutObject"]
    folders = {resource["Fn::Join"][1][-1] for resource in objects["Resource"]}
    assert folders == {"/exposures/*", "/exposures-undelivered/*"}
    assert not any("s3:Delete" in json.dumps(each) or "GetObject" in json.dumps(each) for each in statements)


def test_exposures_are_kept_as_long_as_events(defined: Defined) -> None:
    rules = defined.only("AWS::S3::Bucket")["LifecycleConfiguration"]["Rules"]
    kept = {rule["Prefix"]: rule["ExpirationInDays"] for rule in rules}
    assert kept["exposures/"] == kept["events/"] == 90
    assert kept["exposures-undelivered/"] == 14
