"""How executions end, where MiniStack's Step Functions would let them go on.

* StopExecution marks an execution, but the branches of a Map, and the attempts of a Retry, go on; and
  when one of these fails, the execution is FAILED after all, with a second status event.
* TimeoutSeconds of a state machine is not looked at. Here it counts real seconds, whatever shortens waits.
* A Map whose branch has failed lets its other branches go on to their end.

On AWS nothing begins after the end; what a function has begun goes on by itself, here as there.

Nor does a history have the states inside a Map, which on AWS are states like others: here too.
"""

from __future__ import annotations

import json
import threading
from contextvars import ContextVar
from typing import Any, Final

from ministack.core import responses
from ministack.services import stepfunctions

Execution = dict[str, Any]

RUNNING: Final = "RUNNING"

_ends: Final = threading.RLock()


_ENDED: Final = "Ended"


def ended() -> Exception:
    """Nothing more begins in this execution, or in this branch of it; no Retry or Catch matches that."""
    error: Exception = stepfunctions._ExecutionError(_ENDED, "the execution, or the Map, has ended")
    return error


class _Branches:
    """The branches of a Map, until one fails."""

    failure: Exception | None = None


class _Branch(dict[str, Any]):
    """The states of a branch, which its runner looks up as it enters them: each look is in the history.

    Without input and output, which nobody here reads of them.
    """

    def __init__(self, states: dict[str, Any], execution: Execution) -> None:
        super().__init__(states)
        self._execution = execution
        self._inside: str | None = None

    def get(self, name: str, default: Any = None) -> Any:
        self.leave()
        if state := super().get(name, default):
            self._inside = name
            self._add("Entered", name)
        return state

    def leave(self) -> None:
        """The state that was entered last came to its end."""
        if self._inside is not None:
            self._add("Exited", self._inside)
            self._inside = None

    def _add(self, what: str, name: str) -> None:
        details = {f"state{what}EventDetails": {"name": name}}
        stepfunctions._add_event(self._execution, f"{self[name]['Type']}State{what}", details)


_branches: Final[ContextVar[_Branches | None]] = ContextVar("branches", default=None)


def register() -> None:
    """From now on an execution that has ended has ended."""
    task, invoke, run = (
        stepfunctions._execute_task,
        stepfunctions._invoke_resource,
        stepfunctions._run_execution,
    )
    fail, stop, add = stepfunctions._fail_execution, stepfunctions._stop_execution, stepfunctions._add_event
    items, branch = stepfunctions._run_map_items, stepfunctions._run_sub_machine
    matches = stepfunctions._error_matches
    current: ContextVar[Execution | None] = ContextVar("execution", default=None)

    def execute_task(definition: Any, raw_input: Any, execution: Execution, context: Any) -> Any:
        current.set(execution)
        return task(definition, raw_input, execution, context)

    def invoke_resource(resource: str, input_data: Any) -> Any:
        execution, branches = current.get(), _branches.get()
        if (execution and execution["status"] != RUNNING) or (branches and branches.failure):
            raise ended()
        return invoke(resource, input_data)

    def run_execution(arn: str) -> None:
        timer = _timer(arn)
        try:
            run(arn)
        finally:
            if timer:
                timer.cancel()

    def fail_execution(execution: Execution, error: str, cause: str) -> None:
        with _ends:
            if execution["status"] == RUNNING:
                fail(execution, error, cause)

    def stop_execution(data: dict[str, Any]) -> Any:
        with _ends:
            return stop(data)

    def add_event(execution: Execution, event_type: str, details: Any = None) -> Any:
        with _ends:  # ids are numbers in a row, and branches add theirs side by side
            if execution["events"] and execution["events"][-1]["type"] in _ENDINGS:
                return {}
            return add(execution, event_type, details)

    def run_map_items(*arguments: Any) -> Any:
        branches = _Branches()
        outer = _branches.set(branches)  # and so for each branch, whose context is a copy
        try:
            return items(*arguments)
        except Exception:
            if branches.failure:
                raise branches.failure from None  # rather than the end of a branch that it stopped
            raise
        finally:
            _branches.reset(outer)

    def run_sub_machine(
        states: dict[str, Any], start_at: str, input_data: Any, execution: Execution, context: Any
    ) -> Any:
        noted = _Branch(states, execution)
        try:
            result = branch(noted, start_at, input_data, execution, context)
            noted.leave()
            return result
        except Exception as error:
            branches = _branches.get()
            if branches and not branches.failure and getattr(error, "error", None) != _ENDED:
                branches.failure = error
            raise

    def error_matches(names: Any, error: str) -> bool:
        return error != _ENDED and bool(matches(names, error))

    stepfunctions._error_matches = error_matches
    stepfunctions._execute_task = execute_task
    stepfunctions._invoke_resource = invoke_resource
    stepfunctions._run_execution = run_execution
    stepfunctions._fail_execution = fail_execution
    stepfunctions._stop_execution = stop_execution
    stepfunctions._add_event = add_event
    stepfunctions._run_map_items = run_map_items
    stepfunctions._run_sub_machine = run_sub_machine


def time_out(execution: Execution) -> None:
    """End an execution as its TimeoutSeconds would."""
    with _ends:
        if execution["status"] != RUNNING:
            return
        execution.update(status="TIMED_OUT", stopDate=stepfunctions.now_iso(), error="States.Timeout")
        stepfunctions._add_event(
            execution, "ExecutionTimedOut", {"executionTimedOutEventDetails": {"error": "States.Timeout"}}
        )
        stepfunctions._emit_execution_status_event(execution)


def _timer(arn: str) -> threading.Timer | None:
    execution = stepfunctions._executions.get(arn)
    machine = stepfunctions._state_machines.get(execution["stateMachineArn"]) if execution else None
    seconds = json.loads(machine["definition"]).get("TimeoutSeconds") if machine else None
    if execution is None or seconds is None:
        return None
    account, region = responses.get_account_id(), responses.get_region()

    def end() -> None:
        with responses.request_scope(account, region):
            time_out(execution)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    return timer


_ENDINGS: Final = frozenset(
    {"ExecutionSucceeded", "ExecutionFailed", "ExecutionAborted", "ExecutionTimedOut"}
)
