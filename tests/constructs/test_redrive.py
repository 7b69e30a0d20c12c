from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs

from colorway.redrive import Redrive
from vocabulary.colours import Names


@pytest.fixture
def template(cdk_app: cdk.App) -> assertions.Template:
    stack = cdk.Stack(cdk_app, "Test")
    key = dynamodb.Attribute(name="key", type=dynamodb.AttributeType.STRING)
    Redrive(
        stack,
        "Redrive",
        names=Names("colorway", "test"),
        failure_queue=sqs.Queue(stack, "Queue"),
        stream=kinesis.Stream(stack, "Stream"),
        coordination_table=dynamodb.Table(stack, "Table", partition_key=key),
        runtime=lambda_.Runtime.PYTHON_3_13,
        architecture=lambda_.Architecture.ARM_64,
    )
    return assertions.Template.from_stack(stack)


def test_the_redrive_may_empty_the_queue_read_stream_and_cutoffs_and_send_events(
    template: assertions.Template,
) -> None:
    granted: set[str] = set()
    for policy in template.find_resources("AWS::IAM::Policy").values():
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            action: Any = statement["Action"]
            granted |= {action} if isinstance(action, str) else set(action)
    assert granted == {
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:ChangeMessageVisibility",
        "kinesis:GetShardIterator",
        "kinesis:GetRecords",
        "dynamodb:GetItem",
        "personalize:PutEvents",
    }


def test_a_redrive_ends_before_others_see_what_it_holds(template: assertions.Template) -> None:
    from clickstream.redriving import _HIDDEN_SECONDS

    (function,) = template.find_resources("AWS::Lambda::Function").values()
    assert function["Properties"]["Timeout"] < _HIDDEN_SECONDS
