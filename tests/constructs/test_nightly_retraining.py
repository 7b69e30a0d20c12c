from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns

from colorway.coordination import Coordination
from colorway.nightly_retraining import NightlyRetraining
from colorway.retraining_functions import RetrainingFunctions
from colorway.training_bucket import TrainingBucket
from vocabulary.colours import Names
from vocabulary.phases import CLEARING, PHASES, phase_of
from vocabulary.placements import Placement

Template = Mapping[str, Any]


@pytest.fixture
def template(cdk_app: cdk.App) -> Template:
    stack = cdk.Stack(cdk_app, "Stack")
    names = Names("colorway", "test")
    platform: dict[str, Any] = {
        "runtime": lambda_.Runtime.PYTHON_3_13,
        "architecture": lambda_.Architecture.ARM_64,
    }
    function = lambda_.Function(
        stack, "F", code=lambda_.Code.from_inline("-"), handler="x.y", runtime=lambda_.Runtime.PYTHON_3_13
    )
    alarm = cloudwatch.Alarm(
        stack,
        "A",
        metric=cloudwatch.Metric(namespace="N", metric_name="M"),
        threshold=1,
        evaluation_periods=1,
    )
    training = TrainingBucket(stack, "Bucket", keep_data=False)
    functions = RetrainingFunctions(
        stack,
        "Functions",
        names=names,
        placements=[Placement(name="row")],
        coordination=Coordination(stack, "Coordination", names=names),
        training_bucket=training.bucket,
        serving=function,
        alias=lambda_.Alias(stack, "Live", alias_name="live", version=function.current_version),
        serving_stack=stack,
        bake_alarms={"maize": [alarm], "blue": [alarm]},
        stream=kinesis.Stream(stack, "Stream"),
        cutoff_lead=cdk.Duration.seconds(90),
        collector_timeout=cdk.Duration.seconds(10),
        **platform,
    )
    NightlyRetraining(
        stack,
        "Retraining",
        names=names,
        functions=functions,
        training_data=function,
        training=training,
        schemas={"interactions": "i", "items": "t", "users": "u"},
        serving_stack=stack,
        nightly_at=(3, 30),
        poll=cdk.Duration.seconds(30),
        bake=cdk.Duration.minutes(15),
        longest=cdk.Duration.hours(12),
        on_call=sns.Topic(stack, "OnCall"),
    )
    return assertions.Template.from_stack(stack).to_json()


def of_type(template: Template, kind: str) -> dict[str, Any]:
    return {name: each for name, each in template["Resources"].items() if each["Type"] == kind}


def definition_of(machine: Template) -> Any:
    parts = machine["Properties"]["DefinitionString"]["Fn::Join"][1]
    return json.loads("".join(part if isinstance(part, str) else "token" for part in parts))


def machines(template: Template) -> list[Any]:
    found = of_type(template, "AWS::StepFunctions::StateMachine").values()
    return sorted(map(definition_of, found), key=lambda machine: -len(machine["States"]))


def states_of(machine: Any) -> Iterator[tuple[str, Any]]:
    for name, state in machine["States"].items():
        yield name, state
        if "ItemProcessor" in state:
            yield from states_of(state["ItemProcessor"])


def test_every_state_says_which_phase_it_belongs_to(template: Template) -> None:
    retraining, clearing = machines(template)
    assert {phase_of(name) for name, _ in states_of(retraining)} == set(PHASES)
    assert {phase_of(name) for name, _ in states_of(clearing)} == {CLEARING}


def test_the_phases_follow_each_other_in_their_order(template: Template) -> None:
    retraining, _ = machines(template)
    for name, state in states_of(retraining):
        following = [state.get("Next"), state.get("Default")]
        following += [choice["Next"] for choice in state.get("Choices", [])]
        for each in filter(None, following):
            here, there = phase_of(name), phase_of(each)
            assert here is not None and there is not None
            assert PHASES.index(there) - PHASES.index(here) in (0, 1), f"{name} -> {each}"


def test_every_choice_has_a_way_on(template: Template) -> None:
    for machine in machines(template):
        undecided = [n for n, s in states_of(machine) if s["Type"] == "Choice" and "Default" not in s]
        assert undecided == []


def test_a_create_that_was_tried_before_goes_on(template: Template) -> None:
    retraining, _ = machines(template)
    creates = {
        name: state
        for name, state in states_of(retraining)
        if ":personalize:create" in str(state.get("Resource", ""))
    }
    assert len(creates) == 7
    for name, state in creates.items():
        caught = [error for catch in state.get("Catch", ()) for error in catch["ErrorEquals"]]
        assert caught == ["Personalize.ResourceAlreadyExistsException"], name
        assert state["Catch"][0]["Next"] == state["Next"], name


def test_the_role_may_do_what_the_definition_does_and_nothing_else_in_personalize(template: Template) -> None:
    retraining, _ = machines(template)
    used = {
        "personalize:" + state["Resource"].rpartition(":")[2].lower()
        for _, state in states_of(retraining)
        if ":aws-sdk:personalize:" in str(state.get("Resource", ""))
    }
    role = next(
        machine["Properties"]["RoleArn"]["Fn::GetAtt"][0]
        for machine in of_type(template, "AWS::StepFunctions::StateMachine").values()
        if definition_of(machine) == retraining
    )
    allowed = {
        action.lower()
        for policy in of_type(template, "AWS::IAM::Policy").values()
        if {"Ref": role} in policy["Properties"]["Roles"]
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
        if action.lower().startswith("personalize:")
    }
    assert used == allowed


def test_the_import_role_is_passed_to_personalize_only(template: Template) -> None:
    statements = [
        statement
        for policy in of_type(template, "AWS::IAM::Policy").values()
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if statement["Action"] == "iam:PassRole"
    ]
    assert [statement["Condition"] for statement in statements] == [
        {"StringEquals": {"iam:PassedToService": "personalize.amazonaws.com"}}
    ]


def test_it_starts_at_night_and_until_the_first_training_every_hour(template: Template) -> None:
    schedules = [each["Properties"] for each in of_type(template, "AWS::Scheduler::Schedule").values()]
    starts = {each["ScheduleExpression"]: json.loads(each["Target"]["Input"]) for each in schedules}
    assert starts == {
        "cron(30 3 * * ? *)": {"first_only": False},
        "rate(1 hour)": {"first_only": True},
    }
