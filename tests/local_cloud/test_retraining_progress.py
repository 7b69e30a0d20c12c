from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local_cloud import demo, deployed
from local_cloud.connection import Connection
from local_cloud.progress import Progress
from local_cloud.retraining_progress import (
    RetrainingFailedError,
    failure_of,
    follow,
    is_first,
    phases_of,
)

MIDNIGHT = datetime(2026, 11, 24, tzinfo=UTC)


def event(second: float, kind: str, **details: Any) -> dict[str, Any]:
    return {"timestamp": MIDNIGHT + timedelta(seconds=second), "type": kind, **details}


def entered(second: float, state: str) -> dict[str, Any]:
    return event(second, "TaskStateEntered", stateEnteredEventDetails={"name": state})


FAILED_RUN = [
    event(0, "ExecutionStarted"),
    entered(0, "plan: begin"),
    event(1, "TaskSucceeded"),
    entered(1, "open: create the dataset group"),
    entered(2, "open: dataset group"),
    entered(7, "export: judge the data"),
    event(
        9,
        "TaskFailed",
        taskFailedEventDetails={
            "error": "DataGateRefused",
            "cause": json.dumps(
                {"errorMessage": "interactions: 12 of at least 1000", "errorType": "DataGateRefused"}
            ),
        },
    ),
    event(9, "ExecutionFailed", executionFailedEventDetails={"error": "DataGateRefused", "cause": ""}),
]


def test_a_phase_lasts_until_the_next_is_entered() -> None:
    phases = phases_of(FAILED_RUN)
    assert [(phase.name, phase.doing, phase.seconds) for phase in phases] == [
        ("plan", "begin", 1),
        ("open", "dataset group", 6),
        ("export", "judge the data", 2),
    ]


def test_a_failure_is_told_with_its_state_and_in_the_functions_own_words() -> None:
    assert str(failure_of(FAILED_RUN)) == (
        "export: judge the data: DataGateRefused: interactions: 12 of at least 1000"
    )


def test_an_error_that_the_run_got_past_is_no_failure() -> None:
    recovered = [
        entered(0, "open: create the dataset group"),
        event(
            1, "TaskFailed", taskFailedEventDetails={"error": "Personalize.ResourceAlreadyExistsException"}
        ),
        entered(1, "open: dataset group"),
    ]
    assert failure_of(recovered) is None
    stopped = [*recovered, event(5, "ExecutionAborted", executionAbortedEventDetails={"cause": "by hand"})]
    assert str(failure_of(stopped)) == "open: dataset group: ExecutionAborted: by hand"


def test_shows_each_phase_of_a_run_once_and_answers_its_output(cloud: Connection) -> None:
    execution = _start(cloud, "goes-well", {"Type": "Pass", "Output": {"outcome": "done"}, "End": True})
    out = io.StringIO()
    assert follow(cloud, execution, Progress(out)) == {"outcome": "done"}
    shown = [line.split()[0] for line in out.getvalue().replace("retrain", "").splitlines()]
    assert shown == ["plan", "open", "end"]


def test_a_first_run_does_not_speak_of_an_old_colour(cloud: Connection) -> None:
    out = {previous: io.StringIO() for previous in ("none", "blue")}
    for previous, said in out.items():
        last = {"Type": "Pass", "Output": {"outcome": "done"}, "End": True}
        follow(cloud, _start(cloud, f"after-{previous}", last, previous=previous), Progress(said))
    assert "old" not in out["none"].getvalue()
    assert "retire  none: there was no colour before" in out["none"].getvalue()
    assert "retire  the old colour torn down" in out["blue"].getvalue()
    assert not is_first(FAILED_RUN)  # nothing is known of what its plan said


@pytest.mark.parametrize(("outcome", "runs"), [("done", 1), ("waiting", 2)])
def test_the_deployments_own_run_is_the_first_where_it_trains(
    cloud: Connection, monkeypatch: pytest.MonkeyPatch, outcome: str, runs: int
) -> None:
    """A late one finds the data; another after it would be one too many, and the wait for it in silence."""
    asked = "$exists($states.context.Execution.Input.first_only)"
    told = {"outcome": f"{{% {asked} ? 'done' : '{outcome}' %}}"}
    execution = _start(cloud, f"first-{outcome}", {"Type": "Pass", "Output": told, "End": True})
    states = cloud.client("stepfunctions")
    machine = states.describe_execution(executionArn=execution)["stateMachineArn"]
    monkeypatch.setattr(deployed, "output", lambda *_: machine)
    out = io.StringIO()
    demo.train_first(cloud, Progress(out))
    assert len(states.list_executions(stateMachineArn=machine)["executions"]) == runs
    assert out.getvalue().count("retrain") == runs


def test_says_where_and_why_a_run_failed(cloud: Connection) -> None:
    execution = _start(cloud, "fails", {"Type": "Fail", "Error": "MetricsGateRefused", "Cause": "too little"})
    out = io.StringIO()
    with pytest.raises(RetrainingFailedError, match="FAILED in end: last: MetricsGateRefused: too little"):
        follow(cloud, execution, Progress(out))
    assert "end     FAILED" in out.getvalue()


def _start(cloud: Connection, name: str, last: dict[str, Any], *, previous: str = "") -> str:
    """Run a machine of a few phases that ends in the state `last`.

    :param previous: the live colour that its plan finds; then it bakes and retires too.
    """
    planned = {"Output": {"run": {"previous": previous}}} if previous else {}
    definition = {
        "QueryLanguage": "JSONata",
        "StartAt": "plan: begin",
        "States": {
            "plan: begin": {"Type": "Pass", **planned, "Next": "open: wait"},
            "open: wait": {"Type": "Wait", "Seconds": 60, "Next": "open: again"},
            "open: again": {"Type": "Pass", "Next": "bake: begin" if previous else "end: last"},
            **({"bake: begin": {"Type": "Pass", "Next": "retire: tear down"}} if previous else {}),
            **({"retire: tear down": {"Type": "Pass", "Next": "end: last"}} if previous else {}),
            "end: last": last,
        },
    }
    trust = {"Service": "states.amazonaws.com"}
    role = cloud.client("iam").create_role(
        RoleName=f"runs-{name}",
        AssumeRolePolicyDocument=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Principal": trust, "Action": "sts:AssumeRole"}],
            }
        ),
    )["Role"]["Arn"]
    states = cloud.client("stepfunctions")
    machine = states.create_state_machine(name=name, definition=json.dumps(definition), roleArn=role)
    return str(states.start_execution(stateMachineArn=machine["stateMachineArn"])["executionArn"])
