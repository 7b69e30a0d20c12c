"""From an API Gateway request to its answer: `POST /events`."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from clickstream.events import LARGEST_EVENT, MOST_EVENTS, RequestRefused, read_request
from clickstream.stream import NotStored

LARGEST_BODY: Final = 1_048_576
"""Bytes: what `MOST_EVENTS` events of `LARGEST_EVENT` take, and a little."""
assert MOST_EVENTS * LARGEST_EVENT < LARGEST_BODY

_RETRY_AFTER: Final = "1"
_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True)
class Answer:
    """What the client gets, and how many events were accepted or refused by it."""

    status: int
    body: dict[str, Any]
    accepted: int = 0
    rejected: int = 0

    def to_response(self, headers: Mapping[str, str] = _NOTHING) -> dict[str, Any]:
        """As an API Gateway proxy integration answers.

        :param headers: to send besides its own.
        """
        headers = {"Content-Type": "application/json", "Cache-Control": "no-store", **headers}
        if self.status in (429, 503):
            headers["Retry-After"] = _RETRY_AFTER
        return {"statusCode": self.status, "headers": headers, "body": json.dumps(self.body)}


def collect(
    request: dict[str, Any],
    *,
    received_at: int,
    new_id: Callable[[], str],
    put: Callable[[list[dict[str, Any]]], None],
) -> Answer:
    """Answer a request (API Gateway proxy event, REST API).

    429 and 503 carry the events' ids too: some may be stored, so a client that
    sends them again with these ids has each of them once.

    :param received_at: unix milliseconds.
    :param put: stores every record or raises NotStored.
    """
    kind = _header(request, "content-type")
    if kind.partition(";")[0].strip().lower() != "application/json":
        return Answer(
            415, {"message": f"Content-Type must be application/json, got {kind[:64]!r}"}, rejected=1
        )
    body = _body(request)
    if len(body) > LARGEST_BODY:
        message = f"the body has {len(body)} bytes, allowed: at most {LARGEST_BODY}"
        return Answer(413, {"message": message}, rejected=1)
    try:
        events = read_request(body, received_at=received_at, new_id=new_id)
    except RequestRefused as refused:
        return Answer(400, refused.to_body(), rejected=refused.events)
    ids = [event["event_id"] for event in events]
    try:
        put(events)
    except NotStored as missing:
        message = "not everything is stored: send the request again, each event with its event_id"
        return Answer(429 if missing.throttled else 503, {"message": message, "event_ids": ids})
    return Answer(202, {"event_ids": ids}, accepted=len(ids))


def _header(request: dict[str, Any], name: str) -> str:
    headers = request.get("headers") or {}
    return next((value for key, value in headers.items() if key.lower() == name), "")


def _body(request: dict[str, Any]) -> bytes:
    body = request.get("body") or ""
    return base64.b64decode(body) if request.get("isBase64Encoded") else body.encode(errors="surrogatepass")
