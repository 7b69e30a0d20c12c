"""The fields of `POST /events`, each with what it allows.

Lengths, counts and forbidden keys are those of Amazon Personalize's PutEvents
(botocore service model `personalize-events`; developer guide, "Recording
events"), enforced at the door so that none is found out later.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from vocabulary.lake import RESERVED_EVENT_TYPE_PREFIX

_EARLIEST: Final = 946_684_800_000  # 2000-01-01; less is seconds that were passed for milliseconds
_LARGEST_VALUE: Final = 3.4028234663852886e38  # EVENT_VALUE is a float of 32 bits
_MOST_SHOWN: Final = 25
_LONGEST_PROPERTIES: Final = 1024
_FORBIDDEN_PROPERTIES: Final = {
    "userid", "sessionid", "eventtype", "timestamp", "recommendationid", "impression",
}  # fmt: skip
_UNFIT: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_EVENT_ID: Final = re.compile(r"[A-Za-z0-9._:\-]{1,128}")


class NotAllowed(ValueError):
    """A value is not allowed; the message says what is.

    :param field: which part of the field is meant, when not all of it.
    """

    def __init__(self, allowed: str, field: str | None = None) -> None:
        super().__init__(allowed)
        self.field = field


@dataclass(frozen=True)
class Field:
    """A field of a request.

    :param read: from what JSON gave to what the stream's record holds; raises NotAllowed.
    :param schema: what `read` takes, as JSON Schema, for the OpenAPI document (`openapi`).
    """

    read: Callable[[Any], Any]
    schema: dict[str, Any]
    required: bool = False


def _text(longest: int) -> Callable[[Any], str]:
    allowed = f"a string of 1 to {longest} characters without control characters"

    def read(value: Any) -> str:
        if not isinstance(value, str) or not 1 <= len(value) <= longest or _UNFIT.search(value):
            raise NotAllowed(allowed)
        return value

    return read


_id = _text(256)


def _event_id(value: Any) -> str:
    if not isinstance(value, str) or not _EVENT_ID.fullmatch(value):
        raise NotAllowed("1 to 128 letters, digits, '.', '_', ':' and '-'")
    return value


def _event_type(value: Any) -> str:
    if isinstance(value, str) and value.startswith(RESERVED_EVENT_TYPE_PREFIX):
        raise NotAllowed(f"a type that does not begin with {RESERVED_EVENT_TYPE_PREFIX!r}")
    return _id(value)


def _moment(value: Any) -> int:
    """Unix milliseconds, of an integer of them or of ISO 8601 text with a time zone."""
    moment = value
    if isinstance(value, str):
        try:
            moment = (datetime.fromisoformat(value) - datetime.fromtimestamp(0, UTC)) // timedelta(
                milliseconds=1
            )
        except (ValueError, TypeError, OverflowError):  # TypeError: a time without a zone
            moment = None
    if isinstance(moment, float) and moment.is_integer():  # to JSON, 1.0 is as whole as 1
        moment = int(moment)
    if not isinstance(moment, int) or isinstance(moment, bool) or moment < _EARLIEST:
        raise NotAllowed("unix milliseconds or ISO 8601 with a time zone, 2000 or later")
    return moment


def _value(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > _LARGEST_VALUE:
        raise NotAllowed("a number that fits 32 bits")
    return float(value)


def _is_number(value: Any) -> bool:
    """JSON numbers too large for a float are infinite here; booleans are integers."""
    return isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))


def _properties(value: Any) -> str | None:
    """A JSON object as text, without the keys whose value is null; None when nothing is left."""
    if not isinstance(value, dict):
        raise NotAllowed("a JSON object")
    kept = {}
    for key, part in value.items():
        where = f"properties.{key}"
        if not key or key.lower() in _FORBIDDEN_PROPERTIES or _UNFIT.search(key):
            raise NotAllowed("another key: Personalize reserves userId, sessionId, eventType, timestamp, "
                             "recommendationId and impression", where)  # fmt: skip
        if part is None:
            continue
        text_or_number = _UNFIT.search(part) is None if isinstance(part, str) else _is_number(part)
        if not text_or_number:
            raise NotAllowed("a string without control characters, a number or a boolean", where)
        kept[key] = part
    text = json.dumps(kept, separators=(",", ":"), ensure_ascii=False)
    if len(text) > _LONGEST_PROPERTIES:
        raise NotAllowed(f"at most {_LONGEST_PROPERTIES} characters as JSON, this is {len(text)}")
    return text if kept else None


def _impression(value: Any) -> list[str]:
    if not isinstance(value, list) or not 1 <= len(value) <= _MOST_SHOWN:
        raise NotAllowed(f"a list of 1 to {_MOST_SHOWN} item ids")
    return [_id(item) for item in value]


_FIT: Final = r"^[^\u0000-\u001f\u007f-\u009f]*$"
_ID_SCHEMA: Final = {"type": "string", "minLength": 1, "maxLength": 256, "pattern": _FIT}
_RESERVED: Final = "|".join(
    "".join(f"[{letter}{letter.upper()}]" for letter in name) for name in sorted(_FORBIDDEN_PROPERTIES)
)

REQUEST_FIELDS: Final = {
    "session_id": Field(_id, _ID_SCHEMA, required=True),
    "user_id": Field(_id, _ID_SCHEMA),
    "events": Field(lambda value: value, {"type": "array"}),
}

EVENT_FIELDS: Final = {
    "event_type": Field(
        _event_type, {**_ID_SCHEMA, "not": {"pattern": f"^{RESERVED_EVENT_TYPE_PREFIX}"}}, required=True
    ),
    "item_id": Field(_id, _ID_SCHEMA, required=True),
    "event_id": Field(_event_id, {"type": "string", "pattern": "^[A-Za-z0-9._:-]{1,128}$"}),
    "sent_at": Field(
        _moment,
        {
            "description": "Unix milliseconds, or text with a time zone; at most 5 minutes from now",
            "anyOf": [
                {"type": "integer", "minimum": _EARLIEST},
                {"type": "string", "format": "date-time"},
            ],
        },
    ),
    "value": Field(_value, {"type": "number", "minimum": -_LARGEST_VALUE, "maximum": _LARGEST_VALUE}),
    "properties": Field(
        _properties,
        {
            "description": f"At most {_LONGEST_PROPERTIES} characters as JSON",
            "type": "object",
            "propertyNames": {"minLength": 1, "pattern": _FIT, "not": {"pattern": f"^({_RESERVED})$"}},
            "additionalProperties": {"type": ["string", "number", "boolean", "null"], "pattern": _FIT},
        },
    ),
    "impression": Field(
        _impression, {"type": "array", "items": _ID_SCHEMA, "minItems": 1, "maxItems": _MOST_SHOWN}
    ),
    "recommendation_id": Field(
        _text(40), {"type": "string", "minLength": 1, "maxLength": 40, "pattern": _FIT}
    ),
}
