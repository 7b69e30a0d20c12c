"""How executions end in the local cloud, and how calls of theirs are made to go wrong."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest

from local_cloud.connection import Connection
from local_cloud.fault_injection import FaultInjection
from local_cloud.faults import Fault


def put(name: str, then: str | None = None, **more: Any) -> dict[str, Any]:
    """A state that puts an SSM parameter."""
    arguments = {"Name": f"/fault/{name}", "Value": "there", "Type": "String", "Overwrite": True}
    where = {"Next": then} if then else {"End": True}
    resource = "arn:aws:states:::aws-sdk:ssm:putParameter"
    return {"Type": "Task", "Resource": resource, "Arguments": arguments, **where, **more}


def parameters(cloud: Connection) -> list[str]:
    """What the states have put."""
    found = cloud.client("ssm").get_parameters_by_path(Path="/fault")["Parameters"]
    return sorted(parameter["Name"].rpartition("/")[2] for parameter in found)


def until_idle(faults: FaultInjection) -> None:
    deadline = time.monotonic() + 30
    while faults.at_work():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def faults(cloud: Connection) -> Iterator[FaultInjection]:
    injection = FaultInjection(cloud)
    injection.set()
    yield injection
    injection.set()


@pytest.fixture
def run(cloud: Connection, request: pytest.FixtureRequest) -> Callable[..., dict[str, Any]]:
    """Run a definition to its end; answers what DescribeExecution says, and the parameters put."""
    states, ssm, iam = cloud.client("stepfunctions"), cloud.client("ssm"), cloud.client("iam")
    name = re.sub(r"[^a-z_]", "-", request.node.name)[:60]
    trust = {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}
    with suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_role(
            RoleName="faults",
            AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
        )

    def run(definition: dict[str, Any]) -> dict[str, Any]:
        for parameter in ssm.get_parameters_by_path(Path="/fault")["Parameters"]:
            ssm.delete_parameter(Name=parameter["Name"])
        machine = states.create_state_machine(
            name=name,
            definition=json.dumps({"QueryLanguage": "JSONata", **definition}),
            roleArn="arn:aws:iam::000000000000:role/faults",
        )["stateMachineArn"]
        execution = states.start_execution(stateMachineArn=machine)["executionArn"]
        deadline = time.monotonic() + 30
        while (described := states.describe_execution(executionArn=execution))["status"] == "RUNNING":
            assert time.monotonic() < deadline
            time.sleep(0.05)
        history = states.get_execution_history(executionArn=execution)["events"]
        states.delete_state_machine(stateMachineArn=machine)
        return {
            **described,
            "put": parameters(cloud),
            "last": history[-1]["type"],
            "ids": [event["id"] for event in history],
            "states": [
                event[f"state{what}EventDetails"]["name"]
                for event in history
                for what in ("Entered", "Exited")
                if f"state{what}EventDetails" in event
            ],
        }

    return run


TWO = {"StartAt": "one", "States": {"one": put("one", "two"), "two": put("two")}}


@pytest.mark.parametrize(("when", "done"), [("before", []), ("after", ["one"])])
def test_an_error_strikes_before_or_after_the_effect(
    faults: FaultInjection, run: Callable[..., dict[str, Any]], when: Any, done: list[str]
) -> None:
    faults.set(Fault(state="one", when=when, error="Ssm.Gone"))
    ended = run(TWO)
    assert (ended["status"], ended["error"], ended["put"]) == ("FAILED", "Ssm.Gone", done)
    assert [call.state for call in faults.struck()] == ["one"]


def test_an_error_that_passes_is_survived_by_a_retry(
    faults: FaultInjection, run: Callable[..., dict[str, Any]]
) -> None:
    faults.set(Fault(error="Ssm.Gone"))
    retry = [{"ErrorEquals": ["Ssm.Gone"], "IntervalSeconds": 1, "MaxAttempts": 1}]
    ended = run({"StartAt": "one", "States": {"one": put("one", Retry=retry)}})
    assert (ended["status"], ended["put"]) == ("SUCCEEDED", ["one"])
    assert [(call.state, call.attempt) for call in faults.seen()] == [("one", 1), ("one", 2)]


@pytest.mark.parametrize(("how", "status"), [("stop", "ABORTED"), ("time-out", "TIMED_OUT")])
def test_an_execution_that_is_ended_begins_nothing_more_and_catches_nothing(
    faults: FaultInjection, run: Callable[..., dict[str, Any]], how: Any, status: str
) -> None:
    faults.set(Fault(state="one", when="after", how=how))
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "two"}]
    retry = [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 3}]
    ended = run(
        {"StartAt": "one", "States": {"one": put("one", "two", Catch=catch, Retry=retry), "two": put("two")}}
    )
    assert (ended["status"], ended["put"]) == (status, ["one"])
    assert ended["last"] in ("ExecutionAborted", "ExecutionTimedOut")


def test_a_call_under_way_has_its_effect_though_its_execution_is_ended(
    faults: FaultInjection, run: Callable[..., dict[str, Any]]
) -> None:
    faults.set(Fault(state="one", when="during", how="stop"))
    assert run(TWO)["status"] == "ABORTED"
    until_idle(faults)
    assert parameters(faults.connection) == ["one"]


def test_a_call_that_is_held_goes_on_when_other_faults_are_set(
    faults: FaultInjection, run: Callable[..., dict[str, Any]]
) -> None:
    faults.set(Fault(state="one", how="hold"))

    def let_go() -> None:
        while not faults.struck():
            time.sleep(0.05)
        assert parameters(faults.connection) == []
        faults.set()

    with ThreadPoolExecutor(1) as beside:
        letting_go = beside.submit(let_go)
        ended = run(TWO)
        letting_go.result()
    assert (ended["status"], ended["put"]) == ("SUCCEEDED", ["one", "two"])


def test_a_machine_ends_at_its_timeout(run: Callable[..., dict[str, Any]]) -> None:
    wait = {"Type": "Wait", "Seconds": 200, "Next": "two"}  # two real seconds in this cloud
    ended = run({"StartAt": "wait", "States": {"wait": wait, "two": put("two")}, "TimeoutSeconds": 1})
    assert ended["status"] == "TIMED_OUT"


def test_where_one_branch_of_a_map_fails_the_others_end_too(
    faults: FaultInjection, run: Callable[..., dict[str, Any]]
) -> None:
    faults.set(Fault(state="bad", error="Ssm.Gone"))
    which = {
        "Type": "Choice",
        "Choices": [{"Condition": "{% $states.input = 'bad' %}", "Next": "bad"}],
        "Default": "wait",
    }
    states = {
        "which": which,
        "bad": put("bad"),
        "wait": {"Type": "Wait", "Seconds": 50, "Next": "good"},
        "good": put("good"),
    }
    each = {
        "Type": "Map",
        "Items": ["good", "bad"],
        "ItemProcessor": {"StartAt": "which", "States": states},
        "End": True,
    }
    ended = run({"StartAt": "each", "States": {"each": each}})
    assert (ended["status"], ended["error"], ended["put"]) == ("FAILED", "Ssm.Gone", [])


def test_a_history_has_the_states_inside_a_map(
    faults: FaultInjection, run: Callable[..., dict[str, Any]]
) -> None:
    each = {
        "Type": "Map",
        "Items": [1, 2, 3],
        "ItemProcessor": {"StartAt": "one", "States": {"one": put("one", "two"), "two": put("two")}},
        "End": True,
    }
    ended = run({"StartAt": "each", "States": {"each": each}})
    assert Counter(ended["states"]) == {"each": 2, "one": 6, "two": 6}  # entered and left
    assert (ended["states"][0], ended["states"][-1]) == ("each", "each")
    assert ended["ids"] == list(range(1, len(ended["ids"]) + 1))
