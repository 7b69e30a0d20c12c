"""Personalize's three services in MiniStack, beside its own.

MiniStack finds a service by tables: handlers, router patterns, IAM namespaces, the SDK
integrations of Step Functions. All three services sign as `personalize`, so they are one service
there, and `X-Amz-Target` or the path tells their operations apart.
"""

from __future__ import annotations

import asyncio
import contextvars
import json
import os
import threading
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from ministack import app
from ministack.core import iam_actions, iam_evaluator, responses, router
from ministack.services import stepfunctions

from local_cloud.ministack_job_roles import PRINCIPAL, JobRoles
from local_cloud.ministack_metric_store import MiniStackMetrics
from local_cloud.ministack_storage import MiniStackStorage
from local_cloud.personalize import wire
from local_cloud.personalize.authorization import ANY, resource_of
from local_cloud.personalize.control import PREFIX, Control
from local_cloud.personalize.errors import Refused
from local_cloud.personalize.lifecycle import Clock
from local_cloud.personalize.models import SERVICES
from local_cloud.personalize.service import Personalize
from local_cloud.personalize.state import StateFolder

_NAME: Final = "personalize"
_REQUESTS_AT_A_TIME: Final = 8

Response = tuple[int, dict[str, str], bytes]
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]


def register(*, pace: float, state: Path | None = None) -> None:
    """Plug Personalize in, before the first request.

    :param pace: real seconds per asynchronous step; 0 for one step each time a resource is looked at.
    :param state: a folder to go on from and to write to.
    """
    control = Control(clock=Clock(pace))
    host = _Host(control, state)
    app.app = _with_control(app.app, control)
    app.SERVICE_HANDLERS[_NAME] = host.handle
    router.SERVICE_PATTERNS[_NAME] = {
        "target_prefixes": [wire.TARGET_PREFIX],
        "host_patterns": [r"personalize\.", r"personalize-runtime\.", r"personalize-events\."],
        "credential_scope": _NAME,
    }
    iam_actions.SERVICE_TO_IAM_NAMESPACE[_NAME] = _NAME
    iam_actions._BOTOCORE_SERVICE_MAP[_NAME] = list(SERVICES)
    _name_resources()
    stepfunctions._AWS_SDK_SERVICE_MAP[_NAME] = {"target_prefix": wire.TARGET_PREFIX, "protocol": "json"}
    stepfunctions._AWS_SDK_ERROR_PREFIX[_NAME] = "Personalize"


def _name_resources() -> None:
    """MiniStack derives the ARN that a request is authorized on in one function, not from a table."""
    other = iam_actions.extract_resource_arn

    def extract_resource_arn(
        service: str,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        query_params: Mapping[str, Any],
        region: str,
        account_id: str,
    ) -> str:
        if service != _NAME:
            return str(other(service, method, path, headers, body, query_params, region, account_id))
        try:
            operation = wire.address_of(path, headers).operation
        except Refused:
            return ANY
        return resource_of(
            operation,
            _parsed(body),
            lambda resource: f"arn:aws:personalize:{region}:{account_id}:{resource}",
        )

    iam_actions.extract_resource_arn = extract_resource_arn


def _with_control(inner: Asgi, control: Control) -> Asgi:
    """MiniStack's application, with the control API beside it; the server listens on this machine only."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await inner(scope, receive, send)
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        headers = {name.decode().lower(): value.decode() for name, value in scope["headers"]}
        answer = control.answer(method=scope["method"], path=scope["path"], headers=headers, body=body)
        raw = [(name.lower().encode(), value.encode()) for name, value in answer.headers.items()]
        await send({"type": "http.response.start", "status": answer.status, "headers": raw})
        await send({"type": "http.response.body", "body": answer.body})

    return application


class _Host:
    """One Personalize for each account and Region that is used."""

    def __init__(self, control: Control, state: Path | None) -> None:
        self._control = control
        self._state = state
        self._services: dict[tuple[str, str], Personalize] = {}
        self._lock = threading.Lock()
        # Of its own: MiniStack's functions may hold every thread of the loop's default executor
        # while they wait for an answer from here
        self._threads = ThreadPoolExecutor(_REQUESTS_AT_A_TIME, thread_name_prefix=_NAME)

    async def handle(
        self, method: str, path: str, headers: dict[str, str], body: bytes | str, query: dict[str, Any]
    ) -> Response:
        content = body.encode() if isinstance(body, str) else body
        if denied := _pass_role_denial(path, headers, content):
            return denied
        context = contextvars.copy_context()
        answer = await asyncio.get_running_loop().run_in_executor(
            self._threads, lambda: context.run(self._answer, path, headers, content)
        )
        return answer.status, answer.headers, answer.body

    def _answer(self, path: str, headers: dict[str, str], body: bytes) -> wire.Response:
        service = self._service(responses.get_account_id(), responses.get_region())
        return service.answer(path=path, headers=headers, body=body)

    def _service(self, account: str, region: str) -> Personalize:
        """Restored at its first request: what goes on then may read from the cloud that is up by now."""
        with self._lock:
            if (account, region) not in self._services:
                folder = StateFolder(self._state / account / region) if self._state else None
                endpoint = f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}"
                self._services[account, region] = Personalize(
                    account=account,
                    region=region,
                    control=self._control,
                    storage=MiniStackStorage(account=account, region=region, endpoint=endpoint),
                    metrics=MiniStackMetrics(JobRoles(account=account, region=region)),
                    state=folder,
                )
            return self._services[account, region]


def _pass_role_denial(path: str, headers: dict[str, str], body: bytes) -> Response | None:
    """Whoever names a role must be allowed to pass it to Personalize."""
    role_arn = _role_of(_parsed(body))
    if not app.AUTH or not role_arn or not headers.get("x-amz-target", "").startswith(wire.TARGET_PREFIX):
        return None
    denied = iam_evaluator.enforce(
        router.extract_access_key_id(headers),
        "iam:PassRole",
        "iam",
        responses.get_region(),
        resource_arn=str(role_arn),
        service_context={"iam:PassedToService": PRINCIPAL},
    )
    if not isinstance(denied, iam_evaluator.EvalResult):
        return None  # Allowed: whoever is not who they say was refused before
    message = iam_actions.identity_denial_message(
        "iam:PassRole", denied.principal_arn, role_arn, denied.decision == "Deny"
    )
    answer = wire.refusal(None, Refused("AccessDeniedException", message))
    return answer.status, answer.headers, answer.body


def _role_of(request: Mapping[str, Any]) -> Any:
    """The role of a job or dataset group, or that of a metric attribution's output."""
    output = request.get("metricsOutputConfig")
    return request.get("roleArn") or (output.get("roleArn") if isinstance(output, dict) else None)


def _parsed(body: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
