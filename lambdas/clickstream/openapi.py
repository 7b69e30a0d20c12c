"""`POST /events` in OpenAPI 3.1, made from the fields that the collector reads requests by.

    python -m clickstream.openapi > docs/openapi-events.json

A test holds docs/openapi-events.json to it, and another the deployed API to what it says. The
function never imports this.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from clickstream.events import LARGEST_EVENT, MOST_EVENTS
from clickstream.fields import EVENT_FIELDS, REQUEST_FIELDS, Field
from vocabulary import openapi
from vocabulary.openapi import Schema, exactly


def document() -> dict[str, Any]:
    """The whole document."""
    ids: Schema = {"event_ids": {"type": "array", "items": {"type": "string"}}}
    message: Schema = {"message": {"type": "string"}}
    again = {
        "Retry-After": {"description": "Seconds", "schema": {"type": "string"}},
    }
    operation = {
        "operationId": "putEvents",
        "summary": "Tell what a visitor did: events of one session",
        "description": "Either every event is stored, or nothing is and the answer names all that is wrong. "
        f"An event has at most {LARGEST_EVENT} bytes as JSON in ASCII, and each `event_id` comes once in a "
        "request. After 429 or 503 send the request again, each event with its `event_id`: it counts once.",
        "requestBody": openapi.body(_request()),
        "responses": {
            "202": openapi.response("Stored; the ids, in the order of the events", "Stored"),
            "400": openapi.response("Nothing is stored: everything that is wrong", "Refusal"),
            "413": openapi.response("The request is too large", "Message"),
            "415": openapi.response("The request's type is not application/json", "Message"),
            **openapi.of_the_gateway(),
            "429": {
                **openapi.response("Too many events or requests: not everything is stored", "Unstored"),
                "headers": again,
            },
            "503": {**openapi.response("Not everything is stored", "Unstored"), "headers": again},
        },
    }
    return openapi.document(
        title="Colorway: events",
        description="The clickstream, from which recommendations follow within seconds.",
        paths={"/events": {"post": operation}},
        schemas={
            "Stored": exactly(ids),
            "Unstored": exactly({**message, **ids}, required=["message"]),
            "Refusal": _refusal(),
        },
    )


def _request() -> Schema:
    request = _object(REQUEST_FIELDS)
    events: Schema = {
        "type": "array",
        "items": _object(EVENT_FIELDS),
        "minItems": 1,
        "maxItems": MOST_EVENTS,
    }
    return {
        **request,
        "required": [*request["required"], "events"],
        "properties": {**request["properties"], "events": events},
    }


def _object(fields: Mapping[str, Field]) -> Schema:
    """A null is an absent field."""
    properties = {
        name: field.schema if field.required else {"anyOf": [field.schema, {"type": "null"}]}
        for name, field in fields.items()
    }
    required = [name for name, field in fields.items() if field.required]
    return {**exactly(properties, required=required), "additionalProperties": False}


def _refusal() -> Schema:
    text: Schema = {"type": "string"}
    return openapi.refusal(
        {
            "index": {"type": ["integer", "null"], "description": "Of the event; null is the request"},
            "field": text,
            "value": {"type": ["string", "null"]},
            "allowed": text,
        }
    )


if __name__ == "__main__":
    sys.stdout.write(openapi.text(document()))
