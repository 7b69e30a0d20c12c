from __future__ import annotations

import aws_cdk as cdk
import pytest
from aws_cdk import assertions
from aws_cdk import aws_apigateway as apigateway

from stacks.data import DataStack
from stacks.environment import DEV, LOCAL, PROD, Environment
from stacks.events import EventsStack


def define(app: cdk.App, environment: Environment, api_key: apigateway.IApiKey | None = None) -> EventsStack:
    where = cdk.Environment(account="000000000000", region="us-east-1")
    data = DataStack(app, "data", environment=environment, env=where)
    return EventsStack(
        app,
        "events",
        environment=environment,
        lake=data.lake,
        coordination_table=data.coordination.table,
        api_key=api_key,
        on_call=data.on_call,
        env=where,
    )


@pytest.mark.parametrize("environment", [LOCAL, DEV, PROD], ids=lambda environment: str(environment.name))
def test_every_environment_says_where_events_go(cdk_app: cdk.App, environment: Environment) -> None:
    template = assertions.Template.from_stack(define(cdk_app, environment))
    assert {"EventsUrl", "StreamName", "FailureQueueUrl"} <= set(template.find_outputs("*"))
    (mapping,) = template.find_resources("AWS::Lambda::EventSourceMapping").values()
    assert mapping["Properties"]["EventSourceArn"]
    cache = str(environment.forwarder_cache.to_seconds())
    functions = [each["Properties"] for each in template.find_resources("AWS::Lambda::Function").values()]
    variables = [function["Environment"]["Variables"] for function in functions]
    # The redrive looks anew more often than the forwarder does
    assert cache in [
        each["FORWARDER_CACHE_SECONDS"] for each in variables if "FORWARDER_CACHE_SECONDS" in each
    ]


def test_the_key_that_opens_recommendations_opens_events_too(cdk_app: cdk.App) -> None:
    serving = cdk.Stack(cdk_app, "serving", env=cdk.Environment(account="000000000000", region="us-east-1"))
    template = assertions.Template.from_stack(define(cdk_app, LOCAL, apigateway.ApiKey(serving, "Key")))
    template.resource_count_is("AWS::ApiGateway::ApiKey", 0)
    (opened,) = template.find_resources("AWS::ApiGateway::UsagePlanKey").values()
    assert "serving" in str(opened["Properties"]["KeyId"])


def test_an_upgrade_keeps_the_delivery_stream_of_events(cdk_app: cdk.App) -> None:
    template = assertions.Template.from_stack(define(cdk_app, DEV))
    (logical_id,) = template.find_resources("AWS::KinesisFirehose::DeliveryStream")
    assert logical_id == "ClickstreamLakeDeliveryDeliveryStreamBC6177A1", "a replaced one loses what it holds"
