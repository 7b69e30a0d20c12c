"""The contract of `POST /events`: a request becomes records of the stream, or is refused whole.

A request is `{session_id, user_id?, events: [{event_type, item_id, event_id?,
sent_at?, value?, properties?, impression?, recommendation_id?}]}`. A null is an
absent field. `sent_at` is unix milliseconds, or ISO 8601 with a time zone.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Final

from clickstream import strict_json
from clickstream.fields import EVENT_FIELDS, REQUEST_FIELDS, Field, NotAllowed

MOST_EVENTS: Final = 100
LARGEST_EVENT: Final = 10_240
"""Bytes of one event as JSON in ASCII (Personalize quota: 10 KB an event)."""
FURTHEST_AHEAD: Final = 5 * 60 * 1000
"""Milliseconds that a client's clock may be ahead of ours."""

_LONGEST_SHOWN: Final = 64


@dataclass(frozen=True)
class FieldError:
    """One thing wrong with a request.

    :param index: of the event, or None when the request itself is wrong.
    :param value: what was sent, cut short.
    """

    index: int | None
    field: str
    value: str | None
    allowed: str


class RequestRefused(Exception):
    """The request breaks the contract; nothing of it may be stored."""

    def __init__(self, errors: list[FieldError], events: int = 1) -> None:
        super().__init__(f"{len(errors)} errors in {events} events")
        self.errors = errors
        self.events = events

    def to_body(self) -> dict[str, Any]:
        return {
            "message": "nothing was stored: mend every error listed and send the request again",
            "errors": [asdict(error) for error in self.errors],
        }


def read_request(body: bytes, *, received_at: int, new_id: Callable[[], str]) -> list[dict[str, Any]]:
    """Read a request into records: objects with the keys of `vocabulary.lake.EVENT_COLUMNS`.

    :param received_at: unix milliseconds.
    :param new_id: makes an event id for each event that comes without one.
    :raises RequestRefused: naming everything that is wrong.
    """
    try:
        request = strict_json.loads(body.decode())
    except (ValueError, RecursionError):
        raise RequestRefused([_error(None, "body", body.decode(errors="replace"), "JSON in UTF-8")]) from None
    if not isinstance(request, dict):
        raise RequestRefused([_error(None, "body", request, "a JSON object")])

    errors: list[FieldError] = []
    shared = _read_fields(request, REQUEST_FIELDS, None, errors)
    sent = shared.get("events")
    if not isinstance(sent, list) or not 1 <= len(sent) <= MOST_EVENTS:
        shown = f"{len(sent)} events" if isinstance(sent, list) else sent
        errors.append(_error(None, "events", shown, f"a list of 1 to {MOST_EVENTS} events"))
        raise RequestRefused(errors, len(sent) if isinstance(sent, list) else 1)

    records = []
    ids: set[str] = set()
    for index, event in enumerate(sent):
        if not isinstance(event, dict):
            errors.append(_error(index, "event", event, "a JSON object"))
            continue
        fields = _read_fields(event, EVENT_FIELDS, index, errors)
        record = _record(shared, fields, received_at, new_id)
        errors += [FieldError(index, *problem) for problem in _problems(record, ids)]
        ids.add(record["event_id"])
        records.append(record)
    if errors:
        raise RequestRefused(errors, len(sent))
    return records


def _problems(record: dict[str, Any], ids: set[str]) -> list[tuple[str, str | None, str]]:
    """What no field shows alone."""
    problems = []
    if record["sent_at"] > record["received_at"] + FURTHEST_AHEAD:
        latest = record["received_at"] + FURTHEST_AHEAD
        problems.append(("sent_at", _short(record["sent_at"]), f"at most {latest}, 5 minutes from now"))
    if record["event_id"] in ids:
        problems.append(("event_id", _short(record["event_id"]), "each id once in a request"))
    if (size := len(encode(record))) > LARGEST_EVENT:
        problems.append(("event", f"{size} bytes", f"at most {LARGEST_EVENT} bytes as JSON in ASCII"))
    return problems


def encode(record: dict[str, Any]) -> bytes:
    """As it lies on the stream: JSON in ASCII."""
    return json.dumps(record, separators=(",", ":")).encode()


def _record(
    shared: dict[str, Any], fields: dict[str, Any], received_at: int, new_id: Callable[[], str]
) -> dict[str, Any]:
    return {
        "event_id": fields.get("event_id") or new_id(),
        "received_at": received_at,
        "sent_at": fields.get("sent_at", received_at),
        "session_id": shared.get("session_id"),
        "user_id": shared.get("user_id"),
        "event_type": fields.get("event_type"),
        "item_id": fields.get("item_id"),
        "value": fields.get("value"),
        "properties": fields.get("properties"),
        "impression": fields.get("impression"),
        "recommendation_id": fields.get("recommendation_id"),
    }


def _read_fields(
    sent: dict[str, Any], fields: dict[str, Field], index: int | None, errors: list[FieldError]
) -> dict[str, Any]:
    """The good fields; the bad ones go to `errors`."""
    if unknown := sorted(set(sent) - set(fields)):
        errors.append(_error(index, unknown[0], sent[unknown[0]], f"no fields but {', '.join(fields)}"))
    read = {}
    for name, field in fields.items():
        value = sent.get(name)
        if value is None:
            if field.required:
                errors.append(FieldError(index, name, None, "required"))
            continue
        try:
            read[name] = field.read(value)
        except NotAllowed as wrong:
            errors.append(_error(index, wrong.field or name, value, str(wrong)))
    return read


def _error(index: int | None, field: str, value: Any, allowed: str) -> FieldError:
    return FieldError(index, _cut(field), _short(value), allowed)


def _short(value: Any) -> str | None:
    match value:
        case None:
            return None
        case str():
            return _cut(value)
        case list() | dict():
            return f"{'a list' if isinstance(value, list) else 'an object'} of {len(value)}"
        case _:
            return _cut(json.dumps(value))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"
