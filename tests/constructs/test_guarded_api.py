from __future__ import annotations

import re
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_lambda as lambda_

from colorway.guarded_api import GuardedApi

BODY = apigateway.JsonSchema(type=apigateway.JsonSchemaType.OBJECT, required=["session_id"])


def define(app: cdk.App, construct_id: str = "Api", **props: Any) -> tuple[GuardedApi, cdk.Stack]:
    stack = cdk.Stack(app, f"Test{len(app.node.children)}")
    function = lambda_.Function(
        stack,
        "Function",
        code=lambda_.Code.from_inline("pass"),
        handler="index.handle",
        runtime=lambda_.Runtime.PYTHON_3_13,
    )
    api = GuardedApi(
        stack,
        construct_id,
        **{
            "description": "a test",
            "authorization": "api-key",
            "requests_per_second": 20,
            "burst": 40,
            **props,
        },
    )
    api.add("GET", "recommendations/{user_id}", function, query={"placement": True, "num_results": False})
    api.add("POST", "events", function, body=BODY)
    return api, stack


def resources(stack: cdk.Stack, kind: str) -> list[dict[str, Any]]:
    found = assertions.Template.from_stack(stack).find_resources(kind)
    return [resource["Properties"] for resource in found.values()]


def test_every_method_asks_for_a_key_and_checks_the_request(cdk_app: cdk.App) -> None:
    _, stack = define(cdk_app)
    (validator,) = assertions.Template.from_stack(stack).find_resources("AWS::ApiGateway::RequestValidator")
    methods = {each["HttpMethod"]: each for each in resources(stack, "AWS::ApiGateway::Method")}
    assert set(methods) == {"GET", "POST"}
    for method in methods.values():
        assert method["ApiKeyRequired"] is True
        assert method["RequestValidatorId"] == {"Ref": validator}
    assert methods["GET"]["RequestParameters"] == {
        "method.request.querystring.placement": True,
        "method.request.querystring.num_results": False,
    }
    (model,) = resources(stack, "AWS::ApiGateway::Model")
    assert model["Schema"]["required"] == ["session_id"]
    assert set(methods["POST"]["RequestModels"]) == {"application/json"}


def test_by_iam_every_caller_signs_and_there_is_no_key(cdk_app: cdk.App) -> None:
    api, stack = define(cdk_app, authorization="iam")
    for method in resources(stack, "AWS::ApiGateway::Method"):
        assert (method["AuthorizationType"], method["ApiKeyRequired"]) == ("AWS_IAM", False)
    assert api.api_key is None
    assert resources(stack, "AWS::ApiGateway::ApiKey") == []


def test_the_stage_and_each_key_are_throttled(cdk_app: cdk.App) -> None:
    _, stack = define(cdk_app)
    (stage,) = resources(stack, "AWS::ApiGateway::Stage")
    (settings,) = stage["MethodSettings"]
    assert (settings["ThrottlingRateLimit"], settings["ThrottlingBurstLimit"]) == (20, 40)
    (plan,) = resources(stack, "AWS::ApiGateway::UsagePlan")
    assert plan["Throttle"] == {"RateLimit": 20, "BurstLimit": 40}


def test_a_key_of_another_api_opens_this_one_within_a_plan_of_its_own(cdk_app: cdk.App) -> None:
    first, first_stack = define(cdk_app)
    second, stack = define(cdk_app, api_key=first.api_key)
    assert second.api_key is first.api_key
    assert resources(stack, "AWS::ApiGateway::ApiKey") == []
    assert len(resources(stack, "AWS::ApiGateway::UsagePlan")) == 1
    assert len(resources(stack, "AWS::ApiGateway::UsagePlanKey")) == 1
    assert len(resources(first_stack, "AWS::ApiGateway::UsagePlanKey")) == 1


def test_access_logs_say_nothing_of_who_asked(cdk_app: cdk.App) -> None:
    _, stack = define(cdk_app)
    (stage,) = resources(stack, "AWS::ApiGateway::Stage")
    logged = set(re.findall(r"\$context\.([\w.]+)", stage["AccessLogSetting"]["Format"]))
    assert logged == {
        "requestId",
        "httpMethod",
        "resourcePath",  # the route, braces and all; `path` would hold the user id
        "status",
        "responseLatency",
        "integrationLatency",
        "error.responseType",
    }
    (settings,) = stage["MethodSettings"]
    assert (settings["LoggingLevel"], settings["DataTraceEnabled"]) == ("OFF", False)


def test_the_role_that_access_logs_need_is_there_first_and_outlives_the_stack(cdk_app: cdk.App) -> None:
    _, stack = define(cdk_app)
    template = assertions.Template.from_stack(stack)
    ((account, definition),) = template.find_resources("AWS::ApiGateway::Account").items()
    assert definition["DeletionPolicy"] == "Retain"
    (stage,) = template.find_resources("AWS::ApiGateway::Stage").values()
    assert account in stage["DependsOn"]


def test_only_the_api_itself_may_invoke_the_function(cdk_app: cdk.App) -> None:
    api, stack = define(cdk_app)
    permissions = resources(stack, "AWS::Lambda::Permission")
    assert len(permissions) == 2  # one a method, none for the console's test button
    api_id = stack.resolve(api.api.rest_api_id)
    for permission in permissions:
        assert api_id in permission["SourceArn"]["Fn::Join"][1]


def test_refused_requests_are_counted_by_the_name_that_its_metric_has(cdk_app: cdk.App) -> None:
    api, stack = define(cdk_app)
    (counting,) = resources(stack, "AWS::Logs::MetricFilter")
    assert "429" in counting["FilterPattern"]
    (to,) = counting["MetricTransformations"]
    metric = api.metric_throttled()
    assert (to["MetricNamespace"], to["MetricName"]) == (metric.namespace, metric.metric_name)


def test_two_apis_never_share_a_name_and_with_it_their_metrics(cdk_app: cdk.App) -> None:
    names = {
        properties["Name"]
        for _, stack in (define(cdk_app), define(cdk_app))
        for properties in resources(stack, "AWS::ApiGateway::RestApi")
    }
    assert len(names) == 2


def test_a_changed_body_is_deployed(cdk_app: cdk.App) -> None:
    def deployment(app: cdk.App, schema: apigateway.JsonSchema) -> set[str]:
        stack = cdk.Stack(app, "Test")
        api = GuardedApi(
            stack, "Api", description="a test", authorization="iam", requests_per_second=1, burst=1
        )
        function = lambda_.Function.from_function_arn(
            stack, "F", "arn:aws:lambda:us-east-1:111111111111:function:f"
        )
        api.add("POST", "events", function, body=schema)
        return set(assertions.Template.from_stack(stack).find_resources("AWS::ApiGateway::Deployment"))

    other = apigateway.JsonSchema(type=apigateway.JsonSchemaType.OBJECT, required=["events"])
    assert deployment(cdk_app, BODY).isdisjoint(
        deployment(cdk.App(context=cdk_app.node.get_all_context()), other)
    )


def test_fails_for_a_key_that_nothing_would_ask_for(cdk_app: cdk.App) -> None:
    first, _ = define(cdk_app)
    with pytest.raises(ValueError, match="api_key must be None when authorization is iam"):
        define(cdk_app, authorization="iam", api_key=first.api_key)


def test_fails_for_an_authorization_that_does_not_exist(cdk_app: cdk.App) -> None:
    with pytest.raises(ValueError, match="authorization must be api-key or iam, got 'none'"):
        define(cdk_app, authorization="none")


def test_a_page_of_an_allowed_origin_is_told_so_before_it_asks_and_needs_no_key_for_that(
    cdk_app: cdk.App,
) -> None:
    _, stack = define(cdk_app, allowed_origins=["https://shop.example"])
    preflights = [
        each for each in resources(stack, "AWS::ApiGateway::Method") if each["HttpMethod"] == "OPTIONS"
    ]
    assert preflights
    for each in preflights:
        (answer,) = each["Integration"]["IntegrationResponses"]
        told = answer["ResponseParameters"]
        assert told["method.response.header.Access-Control-Allow-Origin"] == "'https://shop.example'"
        assert "x-api-key" in told["method.response.header.Access-Control-Allow-Headers"]
        assert not each.get("ApiKeyRequired")


def test_a_page_may_read_why_it_was_refused(cdk_app: cdk.App) -> None:
    _, stack = define(cdk_app, allowed_origins=["https://shop.example"])
    answers = resources(stack, "AWS::ApiGateway::GatewayResponse")
    assert {each["ResponseType"] for each in answers} == {"DEFAULT_4XX", "DEFAULT_5XX"}
    for each in answers:
        assert each["ResponseParameters"] == {"gatewayresponse.header.access-control-allow-origin": "'*'"}


def test_a_firewall_blocks_whoever_asks_far_too_often_and_known_attacks(cdk_app: cdk.App) -> None:
    api, stack = define(cdk_app, requests_per_address=5000)
    (acl,) = resources(stack, "AWS::WAFv2::WebACL")
    rate, *managed = sorted(acl["Rules"], key=lambda rule: rule["Priority"])
    assert rate["Action"] == {"Block": {}}
    assert rate["Statement"]["RateBasedStatement"]["Limit"] == 5000
    groups = [rule["Statement"]["ManagedRuleGroupStatement"] for rule in managed]
    assert {group["Name"] for group in groups} == {
        "AWSManagedRulesCommonRuleSet",
        "AWSManagedRulesKnownBadInputsRuleSet",
        "AWSManagedRulesAmazonIpReputationList",
    }
    for rule in (acl, *acl["Rules"]):
        assert rule["VisibilityConfig"]["SampledRequestsEnabled"] is False  # they show who asked
    (association,) = resources(stack, "AWS::WAFv2::WebACLAssociation")
    assert stack.resolve(api.api.deployment_stage.stage_arn) == association["ResourceArn"]


def test_without_settings_for_them_there_is_neither_firewall_nor_preflight(cdk_app: cdk.App) -> None:
    _, stack = define(cdk_app)
    assert resources(stack, "AWS::WAFv2::WebACL") == []
    assert resources(stack, "AWS::ApiGateway::GatewayResponse") == []
    assert {each["HttpMethod"] for each in resources(stack, "AWS::ApiGateway::Method")} == {"GET", "POST"}
