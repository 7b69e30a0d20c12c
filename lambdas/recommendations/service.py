"""An AWS service as this function asks it: signed requests on a connection that is kept."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from recommendations.connection import Answer, Broken, Connection, TimedOut
from recommendations.signing import Signer

_TRUSTED_SECONDS: Final = 5.0
"""An open connection that was idle for longer may be dead without a sign of it: whoever froze the sandbox
does not answer for what a NAT gateway or a load balancer has forgotten since."""


class ServiceError(Exception):
    """The service answered with an error.

    :param code: as the service calls it, e.g. `ThrottlingException`.
    """

    def __init__(self, code: str, status: int, message: str = "") -> None:
        super().__init__(f"{code}: {message}" if message else code)
        self.code, self.status = code, status


class Service(Protocol):
    """What the rest of this package knows of an AWS service."""

    def ask(
        self, method: str, path: str, body: bytes = b"", *, query: str = "", deadline: float
    ) -> Answer: ...


class SignedService:
    """Asks one AWS service; for one request at a time.

    A request is tried a second time, once, when a connection turned out dead or the service
    failed (5xx), and if as much time again as the first try took is left. A
    throttled one is not: that would only add to what the service has too much of.

    :param content_type: of what is sent.
    :param clock: seconds that only grow; deadlines are by it.
    """

    def __init__(
        self,
        connection: Connection,
        signer: Signer,
        *,
        content_type: str = "application/json",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connection, self._signer = connection, signer
        self._headers = {"host": connection.host}
        self._headers_with_body = {**self._headers, "content-type": content_type}
        self._clock = clock

    def ask(self, method: str, path: str, body: bytes = b"", *, query: str = "", deadline: float) -> Answer:
        """The service's answer to a request that may be repeated, if it is one of success.

        :param path: of unreserved characters and `/` only.
        :param query: parameters escaped and in order, without the `?`.
        :param deadline: when it is too late, by the clock.
        :raises ServiceError: when the answer is an error.
        :raises TimedOut: when there is none by the deadline.
        :raises Broken: when there will be none.
        """
        began = self._clock()
        try:
            answer = self._try(method, path, query, body, deadline=deadline)
            if answer.status < 500:
                return _checked(answer)
        except (Broken, TimedOut):
            if not self._fits_again(began, deadline):
                raise
        else:
            if not self._fits_again(began, deadline):
                return _checked(answer)
        return _checked(self._try(method, path, query, body, deadline=deadline))

    def dial(self) -> None:
        """Begin to open the connection, for the first request. Returns at once."""
        self._connection.dial()

    def _try(self, method: str, path: str, query: str, body: bytes, *, deadline: float) -> Answer:
        idle = self._connection.idle_seconds()
        if idle is not None and idle > _TRUSTED_SECONDS:
            # Leave half of the time for a new one
            now = self._clock()
            deadline = now + (deadline - now) / 2
        headers = self._headers_with_body if body else self._headers
        signed = self._signer.sign(method, path, query, headers, body)
        target = f"{path}?{query}" if query else path
        return self._connection.exchange(method, target, signed, body, deadline=deadline)

    def _fits_again(self, began: float, deadline: float) -> bool:
        now = self._clock()
        return now < deadline and now + 0.9 * (now - began) < deadline


def endpoint_of(environ: Mapping[str, str], service: str, host: str) -> str:
    """The URL to ask: the service's own or the common override of the AWS SDKs, else https at the host.

    :param service: as the SDKs' variables spell it, e.g. `PERSONALIZE_RUNTIME`.
    """
    override = environ.get(f"AWS_ENDPOINT_URL_{service}") or environ.get("AWS_ENDPOINT_URL")
    return override or f"https://{host}"


def _checked(answer: Answer) -> Answer:
    if answer.status < 300:
        return answer
    code, message = answer.headers.get("x-amzn-errortype", ""), ""
    try:
        told: Any = json.loads(answer.body)
        code = code or str(told.get("__type") or told.get("code") or told.get("Code") or "")
        message = str(told.get("message") or told.get("Message") or "")
    except (ValueError, AttributeError):
        pass  # S3 answers XML; the status says enough
    code = code.partition(":")[0].rpartition("#")[2]
    raise ServiceError(code or f"Http{answer.status}", answer.status, message)
