"""A retraining as its execution history tells it: phase by phase, with what went wrong."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from local_cloud.connection import Connection, LocalCloudError
from local_cloud.progress import Progress
from vocabulary.colours import NO_COLOUR
from vocabulary.phases import phase_of

_LOOK_EVERY: Final = 0.25


class RetrainingFailedError(LocalCloudError):
    """The retraining ended otherwise than SUCCEEDED; the message says where and why."""


@dataclass(frozen=True)
class Phase:
    """A phase that a run has entered.

    :param doing: the state it entered last, without the phase's name.
    :param seconds: from its first event to its last so far.
    """

    name: str
    doing: str
    began: datetime
    ended: datetime

    @property
    def seconds(self) -> float:
        return (self.ended - self.began).total_seconds()


@dataclass(frozen=True)
class Failure:
    """What ended a run: the state it happened in, the error's name and its message."""

    state: str
    error: str
    message: str

    def __str__(self) -> str:
        return (
            f"{self.state}: {self.error}: {self.message}" if self.message else f"{self.state}: {self.error}"
        )


def phases_of(events: Iterable[Mapping[str, Any]]) -> list[Phase]:
    """The phases in the order a run entered them, from `events` of GetExecutionHistory, oldest first.

    A phase lasts until the next is entered; the states in between that belong to none are its own.
    """
    phases: list[Phase] = []
    for event in events:
        at = event["timestamp"]
        state = _entered(event)
        name = phase_of(state) if state else None
        if phases:
            phases[-1] = _until(phases[-1], at)
        if state and name:
            doing = state.partition(": ")[2]
            if phases and phases[-1].name == name:
                phases[-1] = Phase(name, doing, phases[-1].began, at)
            else:
                phases.append(Phase(name, doing, at, at))
    return phases


def failure_of(events: Iterable[Mapping[str, Any]]) -> Failure | None:
    """What ended a run, or None for one that goes on or went well.

    A state that failed and what then ended the run tell of the same error; the state is the former's.
    """
    state, failed, ended = "", None, None
    for event in events:
        state = _entered(event) or state
        if (details := _failure_details(event)) is None:
            continue
        failure = Failure(state, details.get("error", event["type"]), _message(details.get("cause", "")))
        if event["type"].startswith("Execution"):
            ended = failure
        else:
            failed = failure
    if ended is None:
        return None
    says_the_same = failed is not None and (failed.error == ended.error or not ended.message)
    return failed if says_the_same else ended


def is_first(events: Iterable[Mapping[str, Any]]) -> bool:
    """Whether there was no live colour before this run, as its plan tells."""
    for event in events:
        output = event.get("stateExitedEventDetails", {}).get("output") or "{}"
        if isinstance(planned := json.loads(output), dict) and "run" in planned:
            return bool(planned["run"]["previous"] == NO_COLOUR)
    return False


def _failure_details(event: Mapping[str, Any]) -> Mapping[str, str] | None:
    """The `error` and `cause` of a failure event; every kind of event has them under a name of its own."""
    if not event["type"].endswith(("Failed", "TimedOut", "Aborted")):
        return None
    for name, details in event.items():
        if name.endswith("EventDetails"):
            found: Mapping[str, str] = details
            return found
    return {}


def _entered(event: Mapping[str, Any]) -> str | None:
    name = event.get("stateEnteredEventDetails", {}).get("name")
    return None if name is None else str(name)


def _until(phase: Phase, at: datetime) -> Phase:
    return Phase(phase.name, phase.doing, phase.began, at)


def _message(cause: str) -> str:
    """A Lambda's failure is JSON with the message inside."""
    try:
        parsed = json.loads(cause)
    except ValueError:
        return cause
    return str(parsed["errorMessage"]) if isinstance(parsed, dict) and "errorMessage" in parsed else cause


def start(connection: Connection, state_machine: str) -> str:
    """Start a retraining whatever is live; answer the ARN of its execution."""
    started = connection.client("stepfunctions").start_execution(
        stateMachineArn=state_machine, input=json.dumps({"first_only": False})
    )
    return str(started["executionArn"])


def running(connection: Connection, state_machine: str) -> str | None:
    """The ARN of an execution that runs, if one does."""
    executions = connection.client("stepfunctions").list_executions(
        stateMachineArn=state_machine, statusFilter="RUNNING"
    )["executions"]
    return str(executions[0]["executionArn"]) if executions else None


def await_idle(connection: Connection, state_machine: str, *, within: float = 60) -> None:
    """Wait until no retraining runs.

    :param within: seconds after which it is given up on.
    :raises LocalCloudError: when one still runs then.
    """
    deadline = time.monotonic() + within
    while execution := running(connection, state_machine):
        if time.monotonic() > deadline:
            raise LocalCloudError(f"{execution} still runs after {within:.0f} s")
        time.sleep(_LOOK_EVERY)


def follow(
    connection: Connection, execution: str, progress: Progress, *, within: float = 900
) -> dict[str, Any]:
    """Show a run phase by phase until it ends; answer its output.

    :param within: seconds after which it is given up on.
    :raises RetrainingFailedError: unless it succeeds in that time.
    """
    states = connection.client("stepfunctions")
    deadline = time.monotonic() + within
    shown = 0
    with progress.step("retrain") as step:
        while True:
            run = states.describe_execution(executionArn=execution)  # first: the history is then as far
            events = history(states, execution)
            phases, failure = phases_of(events), failure_of(events)
            running = run["status"] == "RUNNING"
            finished = phases[:-1] if running else phases
            for phase in finished[shown:]:
                step.line(_describe(phase, failure, first=is_first(events)), phase.seconds)
            shown = len(finished)
            if not running:
                break
            if phases:
                step.says(f"{phases[-1].name:<7} {phases[-1].doing}")
            if time.monotonic() > deadline:
                raise RetrainingFailedError(f"the retraining still runs after {within:.0f} s: {execution}")
            time.sleep(_LOOK_EVERY)
        if run["status"] != "SUCCEEDED":
            raise RetrainingFailedError(f"the retraining {run['status']} in {failure}")
    output: dict[str, Any] = json.loads(run.get("output") or "{}")
    return output


def history(states: Any, execution: str) -> list[dict[str, Any]]:
    """Every event of an execution, oldest first.

    :param states: a boto3 client of Step Functions.
    """
    pages = states.get_paginator("get_execution_history").paginate(
        executionArn=execution, PaginationConfig={"PageSize": 1000}
    )
    return [event for page in pages for event in page["events"]]


def _describe(phase: Phase, failure: Failure | None, *, first: bool) -> str:
    failed = failure is not None and phase_of(failure.state) == phase.name
    what = {**_WHAT, **(_WHAT_OF_THE_FIRST if first else {})}
    return f"{phase.name:<7} {'FAILED' if failed else what[phase.name]}"


_WHAT: Final = {
    "plan": "choose a colour to rebuild; refuse a second run",
    "open": "dataset group, datasets, tracker with its cutoff",
    "export": "lake and catalogue to training data; data gate",
    "import": "training data into Personalize",
    "train": "a model for each placement; metrics gate",
    "prove": "a campaign for each placement; its heartbeat",
    "flip": "live traffic to the new colour",
    "bake": "new colour under alarms, the old one still there",
    "retire": "the old colour torn down",
    "end": "the lock given back",
    "clear": "the dormant colour torn down",
}

_WHAT_OF_THE_FIRST: Final = {
    "bake": "new colour under alarms",
    "retire": "none: there was no colour before",
}
