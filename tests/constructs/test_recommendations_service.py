from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3

from colorway import python_function
from colorway.on_call import OnCall
from colorway.recommendations_service import RecommendationsService
from recommendations.experiment import Experiment
from recommendations.observation import observe
from recommendations.recommender import Recommendation
from recommendations.request import Request
from recommendations.settings import Settings
from vocabulary.colours import COLOURS, Names
from vocabulary.experiment import SCHEMA
from vocabulary.placements import Placement

NAMES = Names("colorway", "test")
PLACEMENTS = (
    Placement(name="recommended-for-you"),
    Placement(name="similar-items", recipe="aws-similar-items"),
)


class Defined:
    """The service in a stack of its own, and that stack's template."""

    def __init__(self, app: cdk.App, **props: Any) -> None:
        self.stack = cdk.Stack(app, "Test")
        self.service = RecommendationsService(
            self.stack,
            "Recommendations",
            **{
                "names": NAMES,
                "placements": PLACEMENTS,
                "training_bucket": s3.Bucket.from_bucket_name(self.stack, "Training", "the-training-bucket"),
                "live_pointer_name": NAMES.live_pointer,
                "time_budget": cdk.Duration.millis(300),
                "authorization": "api-key",
                "requests_per_second": 20,
                "burst": 40,
                "reserved_concurrency": None,
                "experiment_spread": cdk.Duration.minutes(10),
                "on_call": OnCall(self.stack, "OnCall"),
                "runtime": lambda_.Runtime.PYTHON_3_13,
                "architecture": lambda_.Architecture.ARM_64,
                **props,
            },
        )
        self.template = assertions.Template.from_stack(self.stack)

    def logical_id(self, construct: Any) -> str:
        return str(self.stack.get_logical_id(construct.node.default_child))

    def properties(self, construct: Any) -> dict[str, Any]:
        found: dict[str, Any] = self.template.to_json()["Resources"][self.logical_id(construct)]["Properties"]
        return found


@pytest.fixture
def defined(cdk_app: cdk.App) -> Defined:
    return Defined(cdk_app)


def test_cloudformation_reads_the_live_colour_so_the_template_does_not_hold_it(defined: Defined) -> None:
    variables = defined.properties(defined.service.function)["Environment"]["Variables"]
    parameter = defined.template.to_json()["Parameters"][variables["LIVE_COLOUR"]["Ref"]]
    assert parameter == {
        "Type": "AWS::SSM::Parameter::Value<String>",
        "Default": "/colorway/test/live-colour",
    }
    assert not re.search(r'"(maize|blue)"', json.dumps(variables))


def test_the_function_understands_its_environment(defined: Defined) -> None:
    variables = defined.properties(defined.service.function)["Environment"]["Variables"]
    known = {name: value if isinstance(value, str) else "x" for name, value in variables.items()}
    known["EXPERIMENT"] = "a/e/p"  # CloudFormation puts the ids together
    settings = Settings.from_environ({**known, "LIVE_COLOUR": "blue", "AWS_REGION": "us-east-1"})
    assert tuple(settings.placements.values()) == PLACEMENTS
    assert settings.names == NAMES
    assert settings.time_budget == 0.3
    assert settings.training_bucket == "the-training-bucket"


def test_clients_reach_the_version_that_the_alias_names(defined: Defined) -> None:
    alias = defined.properties(defined.service.alias)
    (version,) = defined.template.find_resources("AWS::Lambda::Version")
    assert alias["Name"] == "live"
    assert alias["FunctionVersion"] == {"Fn::GetAtt": [version, "Version"]}
    alias_id = defined.logical_id(defined.service.alias)
    methods = defined.template.find_resources("AWS::ApiGateway::Method").values()
    for method in methods:
        assert {"Ref": alias_id} in method["Properties"]["Integration"]["Uri"]["Fn::Join"][1]
    permissions = defined.template.find_resources("AWS::Lambda::Permission").values()
    for permission in permissions:
        assert permission["Properties"]["FunctionName"] == {"Ref": alias_id}
    assert len(methods) == len(permissions) == 3


def test_a_version_survives_the_next_deployment_but_not_its_own_when_that_fails(defined: Defined) -> None:
    (version,) = defined.template.find_resources("AWS::Lambda::Version").values()
    assert (version["DeletionPolicy"], version["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")


def test_changed_code_is_a_new_version_and_nothing_else_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cdk_app: cdk.App
) -> None:
    def versions(code: str) -> list[str]:
        for package in ("recommendations", "vocabulary"):
            (tmp_path / package).mkdir(exist_ok=True)
            (tmp_path / package / "__init__.py").write_text("")
        (tmp_path / "recommendations" / "handler.py").write_text(code)
        monkeypatch.setattr(python_function, "LAMBDAS", tmp_path)
        again = Defined(cdk.App(context=cdk_app.node.get_all_context()))
        return list(again.template.find_resources("AWS::Lambda::Version"))

    first = versions("one = 1\n")
    assert versions("one = 1\n") == first
    assert versions("two = 2\n") != first


def test_the_function_may_ask_its_own_campaigns_and_read_popular_items_and_no_more(defined: Defined) -> None:
    role = defined.properties(defined.service.function)["Role"]["Fn::GetAtt"][0]
    policies = defined.template.find_resources("AWS::IAM::Policy")
    (policy,) = (
        each["Properties"] for each in policies.values() if {"Ref": role} in each["Properties"]["Roles"]
    )
    statements = policy["PolicyDocument"]["Statement"]
    granted = {
        (action, json.dumps(resource))
        for statement in statements
        for action in _listed(statement["Action"])
        for resource in _listed(statement["Resource"])
    }
    assert all(statement["Effect"] == "Allow" for statement in statements)
    assert {action for action, _ in granted} == {
        "personalize:GetRecommendations",
        "personalize:GetPersonalizedRanking",
        "s3:GetObject",
        "appconfig:StartConfigurationSession",
        "appconfig:GetLatestConfiguration",
    }
    endings = {
        "personalize": "/colorway-test-*",
        "s3": ":s3:::the-training-bucket/popular/*.json",
        "appconfig": "/configuration/",
    }
    for action, resource in granted:
        assert endings[action.partition(":")[0]] in resource


def test_every_alarm_tells_on_call_and_names_a_heading_of_the_runbook(defined: Defined) -> None:
    notices = {
        "Ref": next(each for each in defined.template.find_resources("AWS::SNS::Topic") if "Notices" in each)
    }
    headings = set()
    for alarm in defined.template.find_resources("AWS::CloudWatch::Alarm").values():
        assert alarm["Properties"]["AlarmActions"] == alarm["Properties"]["OKActions"] == [notices]
        description = alarm["Properties"]["AlarmDescription"]
        headings.add(description.rpartition("docs/runbook.md#")[2])
    assert headings == {
        "recommendations-failing",
        "recommendations-falling-back",
        "recommendations-slow",
        "recommendations-refused",
        "recommendations-starved",
        "experiment-unknown",
        "colour-erring",
        "colour-falling-back",
    }


def test_degraded_recommendations_do_not_page_while_there_are_none(defined: Defined) -> None:
    faults = defined.template.find_resources("AWS::CloudWatch::CompositeAlarm")
    by_heading = {
        each["Properties"]["AlarmDescription"].rpartition("#")[2]: (name, each["Properties"])
        for name, each in faults.items()
    }
    out, _ = by_heading["recommendations-out"]
    _, degraded = by_heading["recommendations-degraded"]
    assert degraded["ActionsSuppressor"] == {"Fn::GetAtt": [out, "Arn"]}
    assert degraded["ActionsSuppressorWaitPeriod"] == 60
    assert degraded["ActionsSuppressorExtensionPeriod"] == 120


def test_bake_alarms_watch_their_own_colour_and_no_other(defined: Defined) -> None:
    assert set(defined.service.bake_alarms) == set(COLOURS)
    for colour, alarms in defined.service.bake_alarms.items():
        watched = [defined.properties(alarm) for alarm in alarms]
        assert {each["MetricName"] for each in watched} == {"PersonalizeErrors", "Fallbacks"}
        for each in watched:
            assert {"Name": "colour", "Value": colour} in each["Dimensions"]
            assert {"Name": "environment", "Value": "test"} in each["Dimensions"]


def test_alarms_watch_metrics_that_the_function_emits(
    defined: Defined, capsys: pytest.CaptureFixture[str]
) -> None:
    observe(
        Request("ann", PLACEMENTS[0]),
        Recommendation(items=[], source="popular"),
        environment="test",
        live_colour="maize",
        request_id=None,
        took_ms=1.0,
    )
    (emitted,) = json.loads(capsys.readouterr().out)["_aws"]["CloudWatchMetrics"]
    names = {each["Name"] for each in emitted["Metrics"]}
    sets = {frozenset(each) for each in emitted["Dimensions"]}
    own = [
        alarm["Properties"]
        for alarm in defined.template.find_resources("AWS::CloudWatch::Alarm").values()
        if alarm["Properties"].get("Namespace") == "Colorway"
        and not alarm["Properties"]["MetricName"].startswith("Throttled ")
    ]
    assert own
    for alarm in own:
        assert alarm["MetricName"] in names
        assert frozenset(each["Name"] for each in alarm["Dimensions"]) in sets


def test_reserved_concurrency_is_the_functions(cdk_app: cdk.App) -> None:
    defined = Defined(cdk_app, reserved_concurrency=7)
    assert defined.properties(defined.service.function)["ReservedConcurrentExecutions"] == 7


def test_sandboxes_are_kept_ready_behind_the_alias_only_where_asked_for(cdk_app: cdk.App) -> None:
    app = cdk.App(context=cdk_app.node.get_all_context())
    assert "ProvisionedConcurrencyConfig" not in (plain := Defined(cdk_app)).properties(plain.service.alias)
    ready = Defined(app, provisioned_concurrency=3)
    assert ready.properties(ready.service.alias)["ProvisionedConcurrencyConfig"] == {
        "ProvisionedConcurrentExecutions": 3
    }


def test_the_experiment_is_checked_spread_slowly_and_watched(defined: Defined) -> None:
    (profile,) = defined.template.find_resources("AWS::AppConfig::ConfigurationProfile").values()
    (validator,) = profile["Properties"]["Validators"]
    assert (validator["Type"], json.loads(validator["Content"])) == ("JSON_SCHEMA", SCHEMA)
    (first,) = defined.template.find_resources("AWS::AppConfig::HostedConfigurationVersion").values()
    assert Experiment.read(first["Properties"]["Content"]) is None
    strategies = defined.template.find_resources("AWS::AppConfig::DeploymentStrategy").values()
    spread = {each["Properties"]["DeploymentDurationInMinutes"]: each["Properties"] for each in strategies}
    assert (spread[10]["GrowthFactor"], spread[10]["FinalBakeTimeInMinutes"]) == (10, 10)
    assert spread[0]["FinalBakeTimeInMinutes"] == 0
    (environment,) = defined.template.find_resources("AWS::AppConfig::Environment").values()
    watched = {each["AlarmArn"]["Fn::GetAtt"][0] for each in environment["Properties"]["Monitors"]}
    alarms = defined.template.find_resources("AWS::CloudWatch::Alarm")
    pages = {alarms[each]["Properties"]["AlarmDescription"].rpartition("#")[2] for each in watched}
    assert pages == {
        "recommendations-failing",
        "recommendations-falling-back",
        "recommendations-slow",
        "experiment-unknown",
    }


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
