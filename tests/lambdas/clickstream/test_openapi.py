"""docs/openapi-events.json is what the collector reads events by."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from clickstream.fields import EVENT_FIELDS, REQUEST_FIELDS, NotAllowed
from clickstream.openapi import document
from vocabulary import openapi

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "openapi-events.json"


def request() -> dict[str, Any]:
    operation = document()["paths"]["/events"]["post"]
    schema: dict[str, Any] = operation["requestBody"]["content"]["application/json"]["schema"]
    return schema


def test_the_document_is_current() -> None:
    assert DOCUMENT.read_text() == openapi.text(document()), (
        "python -m clickstream.openapi > docs/openapi-events.json"
    )


def test_every_field_is_in_it_and_what_is_required_is_said_to_be() -> None:
    event = request()["properties"]["events"]["items"]
    assert set(event["properties"]) == set(EVENT_FIELDS)
    assert set(event["required"]) == {"event_type", "item_id"}
    assert set(request()["properties"]) == set(REQUEST_FIELDS)
    assert set(request()["required"]) == {"session_id", "events"}


@pytest.mark.parametrize("key", ["userId", "USERID", "timestamp", "eventType", "shelf", "userIds", "\x07"])
def test_the_documents_rule_for_keys_of_properties_is_the_collectors(key: str) -> None:
    rule = EVENT_FIELDS["properties"].schema["propertyNames"]
    allowed = bool(re.search(rule["pattern"], key)) and not re.search(rule["not"]["pattern"], key)
    try:
        EVENT_FIELDS["properties"].read({key: 1})
    except NotAllowed:
        assert not allowed
    else:
        assert allowed
