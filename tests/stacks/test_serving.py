from __future__ import annotations

from dataclasses import replace

import aws_cdk as cdk
from aws_cdk import assertions

from stacks.data import DataStack
from stacks.environment import DEV, Environment
from stacks.serving import ServingStack
from vocabulary.drops import Drop


def serving(app: cdk.App, environment: Environment) -> ServingStack:
    data = DataStack(app, "Data", environment=environment)
    return ServingStack(
        app,
        "Serving",
        environment=environment,
        lake=data.lake,
        training_bucket=data.training.bucket,
        live_pointer_name=environment.names.live_pointer,
        on_call=data.on_call,
    )


def outputs(stack: cdk.Stack) -> set[str]:
    return set(assertions.Template.from_stack(stack).to_json()["Outputs"])


def test_outputs_say_where_it_is_and_which_key_opens_it(cdk_app: cdk.App) -> None:
    stack = serving(cdk_app, replace(DEV, authorization="api-key"))
    assert {"RecommendationsUrl", "ApiKeyId", "ServingFunctionName"} <= outputs(stack)


def test_by_iam_there_is_no_key_to_name(cdk_app: cdk.App) -> None:
    stack = serving(cdk_app, replace(DEV, authorization="iam"))
    assert "ApiKeyId" not in outputs(stack)
    assert {"RecommendationsUrl", "ServingFunctionName"} <= outputs(stack)


def test_the_data_stack_is_deployed_first(cdk_app: cdk.App) -> None:
    stack = serving(cdk_app, DEV)
    assembly = cdk_app.synth()
    assert "Data" in [each.id for each in assembly.get_stack_by_name(stack.stack_name).dependencies]


def test_what_the_environment_allows_is_what_clients_get(cdk_app: cdk.App) -> None:
    environment = replace(
        DEV, requests_per_second=11, burst=22, reserved_concurrency=33, time_budget=cdk.Duration.millis(444)
    )
    template = assertions.Template.from_stack(serving(cdk_app, environment))
    template.has_resource_properties(
        "AWS::ApiGateway::UsagePlan", {"Throttle": {"RateLimit": 11, "BurstLimit": 22}}
    )
    template.has_resource_properties(
        "AWS::Lambda::Function",
        {
            "ReservedConcurrentExecutions": 33,
            "Environment": {"Variables": assertions.Match.object_like({"TIME_BUDGET_MS": "444"})},
        },
    )


def test_drops_are_provided_for_by_a_function_that_may_change_campaigns_and_nothing_else(
    cdk_app: cdk.App,
) -> None:
    drop = Drop(placement="recommended-for-you", starts="FRI 09:00", hours=2, tps=400)
    template = assertions.Template.from_stack(serving(cdk_app, replace(DEV, drops=(drop,))))
    template.has_resource_properties("AWS::Scheduler::Schedule", {"ScheduleExpression": "rate(5 minutes)"})
    (policy,) = (
        each["Properties"]["PolicyDocument"]["Statement"]
        for name, each in template.find_resources("AWS::IAM::Policy").items()
        if name.startswith("CampaignFloorsFunction")
    )
    (statement,) = policy
    assert statement["Action"] == ["personalize:DescribeCampaign", "personalize:UpdateCampaign"]
    assert "campaign/colorway-dev-*" in str(statement["Resource"])
    alarms = template.find_resources("AWS::CloudWatch::Alarm")
    lingering = [each["Properties"] for name, each in alarms.items() if "Lingering" in name]
    assert [each["Dimensions"][-1]["Value"] for each in lingering] == ["recommended-for-you"]
    (unmet,) = (each["Properties"] for name, each in alarms.items() if "NotMet" in name)
    assert unmet["TreatMissingData"] == "breaching"


def test_without_drops_nothing_changes_campaigns(cdk_app: cdk.App) -> None:
    template = assertions.Template.from_stack(serving(cdk_app, DEV))
    assert "UpdateCampaign" not in str(template.to_json())


def test_versions_of_the_experiment_go_before_their_profile_and_with_a_first_deployment_that_fails(
    cdk_app: cdk.App,
) -> None:
    template = assertions.Template.from_stack(serving(cdk_app, DEV))
    (removal,) = template.find_resources("Custom::HostedVersions").values()
    (profile,) = template.find_resources("AWS::AppConfig::ConfigurationProfile")
    ((version, first),) = template.find_resources("AWS::AppConfig::HostedConfigurationVersion").items()
    assert {profile, version} <= set(removal["DependsOn"])
    assert first["DeletionPolicy"] == "RetainExceptOnCreate"
