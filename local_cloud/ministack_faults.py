"""Makes calls of state machines, and the requests of their functions, go wrong as `faults` says.

Tasks are met where MiniStack's Step Functions invokes them. A request is met at the gateway; whose it is
follows from its access key, which MiniStack derives from the function, and from the tasks under way.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from ministack import app
from ministack.core import iam_actions, router
from ministack.services import stepfunctions, sts

from local_cloud.fault_injection import PATH
from local_cloud.faults import Call, Fault, Faults, When
from local_cloud.ministack_control import serve
from local_cloud.ministack_executions import ended, time_out

_ATTEMPT: Final = re.compile(r"attempt=(\d+)")

_XML: Final = ("s3", "cloudformation", "sns")
"""Namespaces of the services that answer in XML, of those that functions of state machines ask."""

Response = tuple[int, dict[str, str], bytes]


@dataclass(eq=False)
class _Task:
    """A task state under way: its execution, and the requests its function has made in this attempt."""

    execution: dict[str, Any]
    machine: str
    state: str
    attempt: int = 0
    requests: Counter[str] = field(default_factory=Counter)

    def call(self) -> Call:
        return Call(machine=self.machine, state=self.state, attempt=self.attempt)


class _UnderWay:
    """Which tasks have which function at work."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tasks: list[tuple[str, _Task]] = []

    @contextmanager
    def at_work(self, function: str, task: _Task) -> Iterator[None]:
        with self._lock:
            self._tasks.append((function, task))
        try:
            yield
        finally:
            with self._lock:
                self._tasks.remove((function, task))

    def __len__(self) -> int:
        return len(self._tasks)

    def request(self, function: str, operation: str, attempt: int) -> tuple[Call, _Task] | None:
        """A request of the function, as part of a task that it is at work for.

        Of several, as in a Map, it is one that has made the fewest of its kind: so they count alike.
        """
        with self._lock:
            tasks = [task for name, task in self._tasks if name == function]
            if not tasks:
                return None
            task = min(tasks, key=lambda each: each.requests[operation])
            if attempt == 1:
                task.requests[operation] += 1
            call = Call(
                machine=task.machine,
                state=task.state,
                operation=operation,
                nth=max(0, task.requests[operation] - 1),
                attempt=attempt,
            )
            return call, task


def register() -> None:
    """From now on `PUT /_colorway/faults` makes calls go wrong."""
    faults, under_way = Faults(), _UnderWay()
    _meet_tasks(faults, under_way)
    _meet_requests(faults, under_way)
    _serve_control(faults, under_way)


def _meet_tasks(faults: Faults, under_way: _UnderWay) -> None:
    execute, invoke = stepfunctions._execute_task, stepfunctions._invoke_resource
    current: ContextVar[_Task | None] = ContextVar("task", default=None)

    def execute_task(definition: Any, raw_input: Any, execution: dict[str, Any], context: Any) -> Any:
        current.set(_Task(execution, context["StateMachine"]["Name"], context["State"]["Name"]))
        return execute(definition, raw_input, execution, context)

    def invoke_resource(resource: str, input_data: Any) -> Any:
        task = current.get()
        if task is None:
            return invoke(resource, input_data)
        task.attempt += 1
        task.requests.clear()
        call = task.call()
        faults.see(call)
        if fault := faults.take(call, "before"):
            _strike(fault, task, faults)
        if fault := faults.take(call, "during"):
            _end(fault, task)
            with under_way.at_work(_function(resource, input_data), task):
                invoke(resource, input_data)
            raise ended()
        with under_way.at_work(_function(resource, input_data), task):
            result = invoke(resource, input_data)
        if fault := faults.take(call, "after"):
            _strike(fault, task, faults)
        return result

    stepfunctions._execute_task = execute_task
    stepfunctions._invoke_resource = invoke_resource


def _meet_requests(faults: Faults, under_way: _UnderWay) -> None:
    dispatch = app._dispatch_service_request

    async def dispatch_request(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any], request_id: str
    ) -> Any:
        function = _caller(headers, query)
        attempt = _ATTEMPT.search(headers.get("amz-sdk-request", ""))
        operation = _operation(method, path, headers, body, query) if function else None
        met = (
            under_way.request(function, operation, int(attempt[1]) if attempt else 1)
            if function and operation
            else None
        )
        if met is None:
            return await dispatch(method, path, headers, body, query, request_id)
        call, task = met
        faults.see(call)
        if refusal := await _meet(faults, call, "before", task):
            return refusal
        if fault := faults.take(call, "during"):
            await asyncio.to_thread(_end, fault, task)
        response = await dispatch(method, path, headers, body, query, request_id)
        return await _meet(faults, call, "after", task) or response

    app._dispatch_service_request = dispatch_request


def _serve_control(faults: Faults, under_way: _UnderWay) -> None:
    def change(told: Any) -> None:
        faults.set([Fault.from_json(each) for each in told["faults"]])

    def tell() -> dict[str, Any]:
        return {
            "seen": [asdict(call) for call in faults.seen()],
            "struck": [asdict(call) for call in faults.struck()],
            "at_work": len(under_way),
        }

    serve(PATH, change=change, tell=tell)


def _strike(fault: Fault, task: _Task, faults: Faults) -> None:
    if fault.how == "hold":
        faults.hold()
        return
    _end(fault, task)
    if fault.how == "error":
        raise stepfunctions._ExecutionError(fault.error, f"injected {fault.when} its effect")
    raise ended()


async def _meet(faults: Faults, call: Call, when: When, task: _Task) -> Response | None:
    """The answer to a request that goes wrong now, if it does."""
    if (fault := faults.take(call, when)) is None:
        return None
    if fault.how == "hold":
        await asyncio.to_thread(faults.hold)
        return None
    await asyncio.to_thread(_end, fault, task)
    return _refusal(fault, call.operation)


def _refusal(fault: Fault, operation: str) -> Response:
    """What a service that is in trouble answers: for a moment, or for good."""
    if not fault.lasting:
        # Botocore reads a page of HTML the same in every protocol
        return 503, {"Content-Type": "text/html"}, b"<html>injected</html>"
    says = f"injected {fault.when} its effect"
    if operation.partition(":")[0] in _XML:
        error = f"<Error><Code>Injected</Code><Message>{says}</Message></Error>"
        body = error if operation.startswith("s3:") else f"<ErrorResponse>{error}</ErrorResponse>"
        return 400, {"Content-Type": "text/xml"}, body.encode()
    headers = {"Content-Type": "application/json", "x-amzn-errortype": "Injected"}
    return 400, headers, json.dumps({"message": says}).encode()


def _end(fault: Fault, task: _Task) -> None:
    if fault.how == "stop":
        stepfunctions._stop_execution(
            {
                "executionArn": task.execution["executionArn"],
                "error": "Injected",
                "cause": "stopped by a fault",
            }
        )
    elif fault.how == "time-out":
        time_out(task.execution)


def _function(resource: str, input_data: Any) -> str:
    """Name of the function that a task invokes, or nothing."""
    if "lambda:invoke" not in resource:
        return ""
    return str(input_data["FunctionName"]).split(":function:")[-1].split(":")[0]


def _caller(headers: dict[str, str], query: dict[str, Any]) -> str | None:
    """Name of the function that sends a request, which is the name of its role's session."""
    session = sts._sessions.get(router.extract_access_key_id(headers, query))
    return str(session["Arn"]).rpartition("/")[2] if session else None


def _operation(
    method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
) -> str | None:
    parameters = app._routing_params(method, path, headers, body, query)
    service = router.detect_service(method, path, headers, parameters)
    return iam_actions.extract_iam_action(service, method, path, headers, body, parameters)  # type: ignore[no-any-return]
