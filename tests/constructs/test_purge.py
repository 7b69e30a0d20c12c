from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_lambda as lambda_
from botocore.exceptions import ClientError

from colorway.coordination import Coordination
from colorway.first_training import FirstTraining
from colorway.nightly_retraining import NightlyRetraining
from colorway.on_call import OnCall
from colorway.polling import Polling
from colorway.purge import Purge
from colorway.retraining_functions import RetrainingFunctions
from colorway.training_bucket import TrainingBucket
from personalize_resources.continuation import Memory
from personalize_resources.responses import Outcome
from tests.lambdas.personalize_resources.cloudformation import CloudFormation
from vocabulary.colours import Names
from vocabulary.gates import HeartbeatGate, MetricsGate
from vocabulary.placements import Placement

NAMES = Names("shop", "test")


@pytest.fixture
def template(cdk_app: cdk.App) -> dict[str, Any]:
    stack = cdk.Stack(cdk_app, "Stack", env=cdk.Environment(account="111122223333", region="us-east-1"))
    platform: dict[str, Any] = {
        "runtime": lambda_.Runtime.PYTHON_3_13,
        "architecture": lambda_.Architecture.ARM_64,
    }
    some = lambda_.Function(
        stack, "F", code=lambda_.Code.from_inline("-"), handler="x.y", runtime=lambda_.Runtime.PYTHON_3_13
    )
    errors = cloudwatch.Metric(namespace="N", metric_name="M")
    alarm = cloudwatch.Alarm(stack, "A", metric=errors, threshold=1, evaluation_periods=1)
    coordination = Coordination(stack, "Coordination", names=NAMES)
    training = TrainingBucket(stack, "Training", keep_data=False)
    functions = RetrainingFunctions(
        stack,
        "Functions",
        names=NAMES,
        placements=[Placement(name="row")],
        coordination=coordination,
        training_bucket=training.bucket,
        serving=some,
        alias=lambda_.Alias(stack, "Live", alias_name="live", version=some.current_version),
        serving_stack=stack,
        bake_alarms={"maize": [alarm], "blue": [alarm]},
        metrics_gate=MetricsGate(),
        heartbeat_gate=HeartbeatGate(),
        stream=kinesis.Stream(stack, "Stream"),
        cutoff_lead=cdk.Duration.seconds(90),
        collector_timeout=cdk.Duration.seconds(10),
        **platform,
    )
    retraining = NightlyRetraining(
        stack,
        "Retraining",
        names=NAMES,
        functions=functions,
        training_data=some,
        training=training,
        schemas={"interactions": "i", "items": "t", "users": "u"},
        serving_stack=stack,
        pointer_stack=stack,
        nightly_at=(3, 0),
        polling=Polling(),
        canary=None,
        longest_model=cdk.Duration.hours(8),
        bake=cdk.Duration.minutes(15),
        longest=cdk.Duration.hours(12),
        on_call=OnCall(stack, "OnCall"),
    )
    purge = Purge(stack, "Purge", names=NAMES, retraining=retraining, coordination=coordination, **platform)
    FirstTraining(stack, "FirstTraining", state_machine=retraining.state_machine, after=[purge], **platform)
    return dict(assertions.Template.from_stack(stack).to_json())


def the(template: dict[str, Any], resource_type: str) -> tuple[str, dict[str, Any]]:
    resources: dict[str, dict[str, Any]] = template["Resources"]
    return next(item for item in resources.items() if item[1]["Type"] == resource_type)


def ids(template: dict[str, Any], resource_type: str) -> set[str]:
    return {name for name, each in template["Resources"].items() if each["Type"] == resource_type}


def actions_of(statement: dict[str, Any]) -> list[str]:
    actions = statement["Action"]
    return [actions] if isinstance(actions, str) else actions


def statements_of(template: dict[str, Any], function: str) -> list[dict[str, Any]]:
    role = template["Resources"][function]["Properties"]["Role"]["Fn::GetAtt"][0]
    return [
        statement
        for each in template["Resources"].values()
        if each["Type"] == "AWS::IAM::Policy" and {"Ref": role} in each["Properties"]["Roles"]
        for statement in each["Properties"]["PolicyDocument"]["Statement"]
    ]


def test_a_destroy_purges_before_anything_that_trains_is_deleted(template: dict[str, Any]) -> None:
    _, purge = the(template, "Custom::Purge")
    function = purge["Properties"]["ServiceToken"]["Fn::GetAtt"][0]
    role = template["Resources"][function]["Properties"]["Role"]["Fn::GetAtt"][0]

    outlive = set(purge["DependsOn"])
    assert outlive >= ids(template, "AWS::StepFunctions::StateMachine")
    assert outlive >= ids(template, "AWS::Scheduler::Schedule")
    assert {function, role} <= outlive
    assert len([each for each in outlive if each in ids(template, "AWS::IAM::Policy")]) >= 2


def test_the_purge_knows_all_that_starts_or_is_a_training(template: dict[str, Any]) -> None:
    _, purge = the(template, "Custom::Purge")
    function = template["Resources"][purge["Properties"]["ServiceToken"]["Fn::GetAtt"][0]]
    variables = function["Properties"]["Environment"]["Variables"]

    for machine in ids(template, "AWS::StepFunctions::StateMachine"):
        assert {"Ref": machine} in variables["STATE_MACHINES"]["Fn::Join"][1]
    for schedule in ids(template, "AWS::Scheduler::Schedule"):
        assert {"Fn::GetAtt": [schedule, "Arn"]} in variables["SCHEDULES"]["Fn::Join"][1]


def test_the_purge_may_do_what_it_does_and_no_more(template: dict[str, Any]) -> None:
    _, purge = the(template, "Custom::Purge")
    statements = statements_of(template, purge["Properties"]["ServiceToken"]["Fn::GetAtt"][0])
    allowed = {action for statement in statements for action in actions_of(statement)}

    assert {action for action in allowed if not action.startswith("personalize:")} == {
        "cloudformation:DescribeStacks",
        "dynamodb:DeleteItem",
        "dynamodb:Scan",
        "lambda:InvokeFunction",
        "scheduler:DeleteSchedule",
        "ssm:GetParameter",
        "ssm:PutParameter",
        "states:ListExecutions",
        "states:StopExecution",
    }
    wide = [each["Action"] for each in statements if each["Resource"] == "*"]
    assert all(action.startswith("personalize:List") for actions in wide for action in actions)


def test_the_first_training_starts_when_all_it_needs_is_there(template: dict[str, Any]) -> None:
    _, first = the(template, "Custom::FirstTraining")
    machine = first["DependsOn"]

    assert the(template, "Custom::Purge")[0] in machine
    statements = statements_of(template, first["Properties"]["ServiceToken"]["Fn::GetAtt"][0])
    assert [each["Action"] for each in statements] == ["states:StartExecution"]


def test_the_first_training_starts_though_the_right_to_start_it_takes_a_while_to_be_known(
    template: dict[str, Any],
) -> None:
    _, first = the(template, "Custom::FirstTraining")
    starter = template["Resources"][first["Properties"]["ServiceToken"]["Fn::GetAtt"][0]]
    denied = ClientError({"Error": {"Code": "AccessDeniedException"}}, "StartExecution")
    attempts: Iterator[Outcome | ClientError] = iter([*[denied] * 7, Outcome(physical_id="first-training")])

    def start(event: dict[str, Any], memory: Memory) -> Outcome:
        if isinstance(outcome := next(attempts), ClientError):
            raise outcome
        return outcome

    deployment = CloudFormation(start, tick=lambda: None, lives=starter["Properties"]["Timeout"])
    assert deployment.request("Create", "Custom::FirstTraining", {}).error is None
    assert deployment.invocations == 1  # it may not invoke itself
