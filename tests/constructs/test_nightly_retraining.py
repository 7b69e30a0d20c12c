from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_lambda as lambda_

from colorway.coordination import Coordination
from colorway.nightly_retraining import NightlyRetraining
from colorway.on_call import OnCall
from colorway.polling import Polling
from colorway.retraining_functions import RetrainingFunctions
from colorway.retraining_phases import FLIP_CAN_PASS
from colorway.training_bucket import TrainingBucket
from vocabulary.colours import Names
from vocabulary.gates import HeartbeatGate, MetricsGate
from vocabulary.phases import CLEARING, PHASES, phase_of
from vocabulary.placements import Placement

Template = Mapping[str, Any]

PLACEMENT = "row-of-the-test"
SNAPSHOT = Path(__file__).parent / "snapshots" / "retraining.asl.json"


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
        placements=[Placement(name=PLACEMENT)],
        coordination=Coordination(stack, "Coordination", names=names),
        training_bucket=training.bucket,
        serving=function,
        alias=lambda_.Alias(stack, "Live", alias_name="live", version=function.current_version),
        serving_stack=stack,
        bake_alarms={"maize": [alarm], "blue": [alarm]},
        metrics_gate=MetricsGate(),
        heartbeat_gate=HeartbeatGate(),
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
        pointer_stack=stack,
        nightly_at=(3, 30),
        polling=Polling(),
        canary=cdk.Duration.minutes(5),
        bake=cdk.Duration.minutes(15),
        longest_model=cdk.Duration.hours(8),
        longest=cdk.Duration.hours(12),
        on_call=OnCall(stack, "OnCall"),
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


def test_the_definition_is_the_one_that_was_reviewed(template: Template) -> None:
    retraining, _ = machines(template)
    written = json.dumps(retraining, indent=2) + "\n"
    if os.environ.get("REFRESH_SNAPSHOTS"):
        SNAPSHOT.parent.mkdir(exist_ok=True)
        SNAPSHOT.write_text(written)
    # Read the difference; when it is meant, run this with REFRESH_SNAPSHOTS=1
    assert json.loads(SNAPSHOT.read_text()) == retraining
    assert SNAPSHOT.read_text() == written


def test_a_model_that_trains_too_long_is_stopped_and_the_run_fails_whether_it_could_be_or_not(
    template: Template,
) -> None:
    states = dict(states_of(machines(template)[0]))
    assert states["train: find the version"]["Assign"]["stop_at"] == "{% $millis() + 28800000 %}"
    failed, too_long, not_yet = states["train: model state"]["Choices"]
    assert too_long["Condition"] == "{% $states.input.Status != 'ACTIVE' and $millis() > $stop_at %}"
    assert [each["Next"] for each in (failed, too_long, not_yet)] == [
        "train: model failed",
        "train: stop the model",
        "train: model not yet",
    ]
    stop = states["train: stop the model"]
    assert stop["Resource"].endswith(":personalize:stopSolutionVersionCreation")
    assert stop["Catch"][-1]["ErrorEquals"] == ["States.ALL"]
    assert {stop["Next"], stop["Catch"][-1]["Next"]} == {"train: model took too long"}
    assert states["train: model took too long"]["Error"] == "TrainingTookTooLong"


def test_each_kind_of_thing_is_looked_at_as_often_as_it_takes(template: Template) -> None:
    waits = {name: state["Seconds"] for name, state in states_of(machines(template)[0]) if "Seconds" in state}
    assert waits == {
        "open: clear what is left of the colour, not gone yet": 30,
        "open: dataset group not yet": 15,
        "open: interactions dataset not yet": 10,
        "open: event tracker not yet": 10,
        "export: not yet in the lake": 20,
        "import: dataset not yet": 10,
        "import: job not yet": 60,
        "train: solution not yet": 10,
        "train: model not yet": 120,
        "train: campaign not yet": 60,
        "flip: canary wait": 60,
        "bake: wait": 60,
        "retire: tear the old colour down, not gone yet": 30,
    }


def test_the_canary_is_watched_with_the_pointer_where_it_was_and_the_bake_with_it_moved(
    template: Template,
) -> None:
    states = dict(states_of(machines(template)[0]))
    for phase, looks, expected in (("flip: canary", 5, "previous"), ("bake:", 15, "colour")):
        assert states[f"{phase} begin"]["Assign"] == {"looks": looks}
        payload = states[f"{phase} look at the alarms"]["Arguments"]["Payload"]
        assert payload["expected"] == f"{{% $run.{expected} %}}"
    assert states["flip: send the canary a share"]["Arguments"]["Payload"]["weight"] == 0.1


def test_whatever_moves_traffic_outlasts_a_deploy_of_the_serving_stack(template: Template) -> None:
    moving = {
        name: state
        for machine in machines(template)
        for name, state in states_of(machine)
        if state.get("Arguments", {}).get("Payload", {}).get("action")
        in ("prove", "share", "move", "watch", "reconcile")
    }
    assert len(moving) == 7
    for name, state in moving.items():
        (retry,) = (each for each in state["Retry"] if "ServingStackBusy" in each["ErrorEquals"])
        assert set(FLIP_CAN_PASS) <= set(retry["ErrorEquals"]), name
        pauses = [
            min(retry["IntervalSeconds"] * retry["BackoffRate"] ** attempt, retry["MaxDelaySeconds"])
            for attempt in range(retry["MaxAttempts"])
        ]
        assert retry.get("JitterStrategy", "NONE") == "NONE"  # of which nothing is certain to be waited
        assert 30 * 60 <= sum(pauses) <= 60 * 60
        assert max(pauses) <= 60  # while a flip is taken back, customers have what an alarm rang for


def test_a_function_that_hangs_is_asked_again_unless_it_is_the_long_one(template: Template) -> None:
    asked = {
        name: [retry["MaxAttempts"] for retry in state["Retry"] if "Sandbox.Timedout" in retry["ErrorEquals"]]
        for machine in machines(template)
        for name, state in states_of(machine)
        if str(state.get("Resource", "")).endswith("lambda:invoke")
    }
    long = {name for name, attempts in asked.items() if not attempts}
    assert long == {
        "plan: count what there is",
        "export: is the lake complete?",
        "export: write the training data",
        "export: data gate",
    }
    assert all(asked[name] == [2] for name in asked.keys() - long)


def test_no_placement_is_named_so_that_another_is_one_entry_of_the_environment(template: Template) -> None:
    retraining, _ = machines(template)
    assert PLACEMENT not in json.dumps(retraining)
    assert dict(states_of(retraining))["train: each placement"].get("MaxConcurrency", 0) == 0


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


def test_a_failed_night_pages_and_a_failed_hourly_attempt_is_a_notice(template: Template) -> None:
    told = {}
    for rule in of_type(template, "AWS::Events::Rule").values():
        for target in rule["Properties"]["Targets"]:
            if "#retraining-failed" in str(target):
                topic = template["Resources"][target["Arn"]["Ref"]]["Properties"]["DisplayName"]
                told[topic] = rule["Properties"]["EventPattern"]["detail"]["input"]
    hourly = {"wildcard": '*"first_only":*true*'}
    assert told == {"Pages of Colorway": [{"anything-but": hourly}], "Notices of Colorway": [hourly]}


def test_whatever_fails_is_cleared_away(template: Template) -> None:
    (rule,) = (
        each["Properties"]
        for each in of_type(template, "AWS::Events::Rule").values()
        if "Clearing" in str(each["Properties"]["Targets"][0]["Arn"])
    )
    assert set(rule["EventPattern"]["detail"]) == {"stateMachineArn", "status"}


def test_before_anything_is_moved_or_torn_down_it_is_known_not_to_be_the_way_back(template: Template) -> None:
    _, clearing = machines(template)
    states = clearing["States"]
    decide = states["clear: anything to do?"]
    assert states[decide["Default"]]["Arguments"]["Payload"]["action"] == "spare"
    assert "Catch" not in states[decide["Default"]]
    (by_hand,) = (each for each in decide["Choices"] if "Input.colour" in each["Condition"])
    # On-call may want just that colour gone
    assert by_hand["Next"] == states[decide["Default"]]["Next"] == "clear: bring alias and pointer together"
    assert states[by_hand["Next"]]["Next"] == "clear: tear the colour down"


def test_only_rules_of_our_own_may_page(template: Template) -> None:
    for policy in of_type(template, "AWS::SNS::TopicPolicy").values():
        allowed = [
            each for each in policy["Properties"]["PolicyDocument"]["Statement"] if each["Effect"] == "Allow"
        ]
        assert [each["Principal"] for each in allowed] == [{"Service": "cloudwatch.amazonaws.com"}]
    for rule in of_type(template, "AWS::Events::Rule").values():
        for target in rule["Properties"]["Targets"]:
            assert "RoleArn" in target or "Flip" in str(target["Arn"])


def test_logs_of_machines_take_no_room_in_the_accounts_policy_of_deliveries(template: Template) -> None:
    groups = of_type(template, "AWS::Logs::LogGroup")
    machines = of_type(template, "AWS::StepFunctions::StateMachine").values()
    names = set()
    for machine in machines:
        (destination,) = machine["Properties"]["LoggingConfiguration"]["Destinations"]
        logical_id, _ = destination["CloudWatchLogsLogGroup"]["LogGroupArn"]["Fn::GetAtt"]
        names.add(groups[logical_id]["Properties"]["LogGroupName"])
    assert len(names) == len(machines) == 2
    assert all(name.startswith("/aws/vendedlogs/states/") for name in names)
