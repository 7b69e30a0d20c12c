"""From the stream's records to PutEvents calls: what goes together, in which order, to which colour."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from clickstream import strict_json
from vocabulary.lake import MARKER_EVENT_TYPE

MOST_PER_CALL: Final = 10
"""Events in one PutEvents call (botocore service model `personalize-events`)."""

Event = dict[str, Any]
"""A record of the stream: the keys of `vocabulary.lake.EVENT_COLUMNS`."""

_REQUIRED: Final = {
    "event_id": str, "received_at": int, "sent_at": int, "session_id": str, "event_type": str,
}  # fmt: skip

_LATEST: Final = 253_402_300_799_999  # the end of the year 9999


class Malformed(ValueError):
    """A record is not an event; the message says why."""


@dataclass(frozen=True)
class Arrival:
    """An event that came with a batch, and where in it."""

    position: int
    event: Event


def read_record(record: dict[str, Any]) -> Event | None:
    """Read a record (of a Lambda event of Kinesis); None for a marker.

    :raises Malformed: when it is neither.
    """
    try:
        event = strict_json.loads(base64.b64decode(record["kinesis"]["data"]))
    except (ValueError, RecursionError) as error:
        raise Malformed(f"not JSON: {type(error).__name__}") from None
    if not isinstance(event, dict):
        raise Malformed(f"a JSON object is needed, this is a {type(event).__name__}")
    if event.get("event_type") == MARKER_EVENT_TYPE:
        return None
    for name, kind in _REQUIRED.items():
        if type(event.get(name)) is not kind or event[name] == "":
            raise Malformed(f"{name} must be a {kind.__name__}, is a {type(event.get(name)).__name__}")
    # Sessions are told apart by it too; of what else is of the wrong type, PutEvents says so
    if not isinstance(event.get("user_id"), str | None):
        raise Malformed(f"user_id must be a str or null, is a {type(event['user_id']).__name__}")
    for name in ("sent_at", "received_at"):
        if not 0 <= event[name] <= _LATEST:
            raise Malformed(f"{name} must be unix milliseconds from 0 to {_LATEST}, is {event[name]}")
    return event


def calls_of(arrivals: Iterable[Arrival]) -> list[list[Arrival]]:
    """Group by session and user, in order, at most ten to a call; the call of the earliest arrival first."""
    open_calls: dict[tuple[str, str | None], list[Arrival]] = {}
    calls = []
    for arrival in arrivals:
        key = (arrival.event["session_id"], arrival.event.get("user_id"))
        call = open_calls.get(key)
        if call is None or len(call) == MOST_PER_CALL:
            call = open_calls[key] = []
            calls.append(call)
        call.append(arrival)
    return calls


def put_events_request(tracking_id: str, call: Sequence[Arrival]) -> dict[str, Any]:
    """The parameters of PutEvents for events of one session and user."""
    first = call[0].event
    request = {
        "trackingId": tracking_id,
        "sessionId": first["session_id"],
        "eventList": [_personalize_event(arrival.event) for arrival in call],
    }
    if first.get("user_id") is not None:
        request["userId"] = first["user_id"]
    return request


def _personalize_event(event: Event) -> dict[str, Any]:
    """The id stays the event's own: Personalize takes a repeat of it for the same event.

    Each colour has a tracker, and so a dataset, of its own; one id serves both.
    """
    # A client's clock may be ahead of ours. Training data have the earlier of both times, too
    happened_at = min(event["sent_at"], event["received_at"])
    fields = {
        "eventId": event["event_id"],
        "eventType": event["event_type"],
        "sentAt": datetime.fromtimestamp(happened_at / 1000, UTC),
        "itemId": event.get("item_id"),
        "eventValue": event.get("value"),
        "properties": event.get("properties"),
        "impression": event.get("impression"),
        "recommendationId": event.get("recommendation_id"),
    }
    return {name: value for name, value in fields.items() if value is not None}
