from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_

from colorway.clickstream import Clickstream
from colorway.data_lake import DataLake
from colorway.on_call import OnCall
from vocabulary.colours import Names


def define(app: cdk.App, **props: Any) -> Clickstream:
    stack = cdk.Stack(app, "Test")
    return Clickstream(
        stack,
        "Clickstream",
        **{
            "names": Names("colorway", "test"),
            "lake": DataLake(stack, "Lake", database_name="test", keep_data=False),
            "coordination_table": dynamodb.Table(
                stack,
                "Coordination",
                partition_key=dynamodb.Attribute(name="key", type=dynamodb.AttributeType.STRING),
            ),
            "forwarder_cache": cdk.Duration.seconds(20),
            "collector_timeout": cdk.Duration.seconds(10),
            "authorization": "api-key",
            "requests_per_second": 20,
            "burst": 40,
            "api_key": None,
            "on_call": OnCall(stack, "OnCall"),
            "runtime": lambda_.Runtime.PYTHON_3_13,
            "architecture": lambda_.Architecture.ARM_64,
            **props,
        },
    )


@pytest.fixture
def clickstream(cdk_app: cdk.App) -> Clickstream:
    return define(cdk_app)


def resources(clickstream: Clickstream, kind: str) -> dict[str, dict[str, Any]]:
    found = assertions.Template.from_stack(cdk.Stack.of(clickstream)).find_resources(kind)
    return {name: resource["Properties"] for name, resource in found.items()}


def only(clickstream: Clickstream, kind: str) -> dict[str, Any]:
    (properties,) = resources(clickstream, kind).values()
    return properties


def logical_id(construct: Any) -> str:
    return str(cdk.Stack.of(construct).resolve(construct.node.default_child.logical_id))


def actions_of(clickstream: Clickstream, role: iam.IRole | None) -> set[str]:
    assert role is not None
    granted: set[str] = set()
    for policy in resources(clickstream, "AWS::IAM::Policy").values():
        if {"Ref": logical_id(role)} in policy["Roles"]:
            for statement in policy["PolicyDocument"]["Statement"]:
                action = statement["Action"]
                granted |= {action} if isinstance(action, str) else set(action)
    return granted


def test_the_stream_and_the_failure_queue_are_encrypted(clickstream: Clickstream) -> None:
    stream = only(clickstream, "AWS::Kinesis::Stream")
    assert stream["StreamEncryption"] == {"EncryptionType": "KMS", "KeyId": "alias/aws/kinesis"}
    assert stream["StreamModeDetails"] == {"StreamMode": "ON_DEMAND"}
    queue = only(clickstream, "AWS::SQS::Queue")
    assert (queue["SqsManagedSseEnabled"], queue["MessageRetentionPeriod"]) == (True, 14 * 24 * 3600)


def test_the_stream_takes_as_many_shards_as_it_is_told(cdk_app: cdk.App) -> None:
    stream = only(define(cdk_app, shards=2), "AWS::Kinesis::Stream")
    assert (stream["ShardCount"], stream["StreamModeDetails"]) == (2, {"StreamMode": "PROVISIONED"})


def test_a_shard_has_as_many_batches_on_their_way_as_it_is_told(cdk_app: cdk.App) -> None:
    mapping = only(define(cdk_app, forwarders_per_shard=4), "AWS::Lambda::EventSourceMapping")
    assert mapping["ParallelizationFactor"] == 4


def test_the_forwarder_hands_back_parts_of_batches_and_never_blocks_a_shard(clickstream: Clickstream) -> None:
    mapping = only(clickstream, "AWS::Lambda::EventSourceMapping")
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["BisectBatchOnFunctionError"] is True
    assert 0 < mapping["MaximumRetryAttempts"] <= 1000
    assert mapping["StartingPosition"] == "TRIM_HORIZON"
    assert mapping["MaximumBatchingWindowInSeconds"] <= 1
    queue = {"Fn::GetAtt": [logical_id(clickstream.failure_queue), "Arn"]}
    assert mapping["DestinationConfig"]["OnFailure"]["Destination"] == queue


def test_the_collector_may_put_records_and_nothing_else(clickstream: Clickstream) -> None:
    assert actions_of(clickstream, clickstream.collector.role) == {"kinesis:PutRecords"}


def test_the_forwarder_may_read_the_stream_and_the_cutoffs_and_send_events(clickstream: Clickstream) -> None:
    actions = actions_of(clickstream, clickstream.forwarder.role)
    assert {action for action in actions if not action.startswith("kinesis:")} == {
        "dynamodb:GetItem",
        "personalize:PutEvents",
        "sqs:GetQueueAttributes",
        "sqs:GetQueueUrl",
        "sqs:SendMessage",
    }
    assert not [action for action in actions if action.startswith("kinesis:Put")]


def test_markers_may_be_put_by_whom_they_are_granted_to(clickstream: Clickstream) -> None:
    role = iam.Role(
        cdk.Stack.of(clickstream), "Marker", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com")
    )
    clickstream.grant_put_markers(role)
    assert actions_of(clickstream, role) == {"kinesis:ListShards", "kinesis:PutRecord"}


def test_the_collector_gives_up_on_the_stream_before_lambda_gives_up_on_it(cdk_app: cdk.App) -> None:
    clickstream = define(cdk_app, collector_timeout=cdk.Duration.seconds(8))
    collector = resources(clickstream, "AWS::Lambda::Function")[logical_id(clickstream.collector)]
    assert collector["Timeout"] == 8
    budget = int(collector["Environment"]["Variables"]["PUT_BUDGET_MS"])
    # Its clients wait 1 s for a connection and 4 s for an answer
    assert 0 < budget <= 8000 - 5000


def test_refuses_a_collector_timeout_that_no_put_fits_into(cdk_app: cdk.App) -> None:
    with pytest.raises(ValueError, match="collector_timeout must be more than 6 seconds, got 5 seconds"):
        define(cdk_app, collector_timeout=cdk.Duration.seconds(5))


def test_the_lake_gets_parquet_by_day_with_the_columns_of_its_table(clickstream: Clickstream) -> None:
    delivery = only(clickstream, "AWS::KinesisFirehose::DeliveryStream")
    assert delivery["DeliveryStreamType"] == "KinesisStreamAsSource"
    to = delivery["ExtendedS3DestinationConfiguration"]
    assert to["Prefix"] == "events/day=!{timestamp:yyyy-MM-dd}/"
    assert to["ErrorOutputPrefix"].startswith("events-undelivered/!{firehose:error-output-type}/")
    # What Firehose refuses together with conversion: less than 64 MB, or compression of its own
    assert to["BufferingHints"]["SizeInMBs"] >= 64
    assert to["CompressionFormat"] == "UNCOMPRESSED"
    conversion = to["DataFormatConversionConfiguration"]
    tables = resources(clickstream, "AWS::Glue::Table")
    assert tables[conversion["SchemaConfiguration"]["TableName"]["Ref"]]["TableInput"]["Name"] == "raw_events"
    assert list(conversion["OutputFormatConfiguration"]["Serializer"]) == ["ParquetSerDe"]


def test_the_delivery_may_write_where_events_go_and_neither_read_nor_delete(clickstream: Clickstream) -> None:
    delivery = only(clickstream, "AWS::KinesisFirehose::DeliveryStream")
    role = delivery["ExtendedS3DestinationConfiguration"]["RoleARN"]["Fn::GetAtt"][0]
    (policy,) = (
        each for each in resources(clickstream, "AWS::IAM::Policy").values() if {"Ref": role} in each["Roles"]
    )
    objects = [
        statement
        for statement in policy["PolicyDocument"]["Statement"]
        if "s3:PutObject" in statement["Action"]
    ]
    assert [sorted(statement["Action"]) for statement in objects] == [
        ["s3:AbortMultipartUpload", "s3:PutObject"]
    ]
    folders = {resource["Fn::Join"][1][-1] for resource in objects[0]["Resource"]}
    assert folders == {"/events/*", "/events-undelivered/*"}
    assert "DeleteObject" not in str(policy)


def test_every_alarm_names_its_runbook_heading_and_pages(clickstream: Clickstream) -> None:
    alarms = resources(clickstream, "AWS::CloudWatch::Alarm").values()
    headings = {alarm["AlarmDescription"].rpartition("docs/runbook.md#")[2] for alarm in alarms}
    assert headings == {
        "events-failing",
        "events-throttled",
        "events-behind",
        "events-undelivered",
        "events-limited",
        "lake-delivery-stalled",
        "lake-delivery-refusing",
    }
    assert all(alarm["AlarmActions"] for alarm in alarms)


def test_late_events_page_for_themselves_only_where_nothing_worse_is_on(cdk_app: cdk.App) -> None:
    elsewhere = cloudwatch.Alarm.from_alarm_arn(
        cdk.Stack(cdk_app, "Elsewhere"),
        "Degraded",
        "arn:aws:cloudwatch:us-east-1:000000000000:alarm:degraded",
    )
    faults = resources(define(cdk_app, worse_than_late=[elsewhere]), "AWS::CloudWatch::CompositeAlarm")
    (late,) = (
        each
        for each in faults.values()
        if each["AlarmDescription"].endswith("#events-late") and "AlarmActions" in each
    )
    worse = faults[late["ActionsSuppressor"]["Fn::GetAtt"][0]]
    assert "AlarmActions" not in worse
    (refused,) = (
        name for name, each in faults.items() if each["AlarmDescription"].endswith("#events-refused")
    )
    assert "alarm:degraded" in str(worse["AlarmRule"])
    assert refused in str(worse["AlarmRule"])
    assert "ActionsSuppressor" not in faults[refused], "events are lost meanwhile"
