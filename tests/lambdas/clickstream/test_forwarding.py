"""What goes together in a PutEvents call, and what it says."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import botocore.session
import pytest
from botocore.validate import validate_parameters

from clickstream.forwarding import Arrival, Malformed, calls_of, put_events_request, read_record

EVENT: dict[str, Any] = {
    "event_id": "e1",
    "received_at": 1_780_000_000_500,
    "sent_at": 1_780_000_000_000,
    "session_id": "s1",
    "user_id": "u1",
    "event_type": "view",
    "item_id": "i1",
    "value": 2.5,
    "properties": '{"shelf":"top"}',
    "impression": ["i1", "i2"],
    "recommendation_id": "RID-1",
}
ANONYMOUS = EVENT | dict.fromkeys(["user_id", "value", "properties", "impression", "recommendation_id"])


def record_of(event: Any) -> dict[str, Any]:
    data = event if isinstance(event, bytes) else json.dumps(event).encode()
    return {"kinesis": {"data": base64.b64encode(data).decode()}}


def arrivals(*keys: tuple[str, str | None]) -> list[Arrival]:
    return [
        Arrival(position, {**EVENT, "session_id": session, "user_id": user, "event_id": f"e{position}"})
        for position, (session, user) in enumerate(keys)
    ]


@pytest.mark.parametrize("event", [EVENT, ANONYMOUS])
def test_a_call_is_one_that_personalize_takes(event: dict[str, Any]) -> None:
    shape = (
        botocore.session.get_session()
        .get_service_model("personalize-events")
        .operation_model("PutEvents")
        .input_shape
    )
    validate_parameters(put_events_request("tracker", [Arrival(0, event)]), shape)


def test_everything_an_event_says_goes_where_personalize_wants_it() -> None:
    assert put_events_request("tracker", [Arrival(0, EVENT)]) == {
        "trackingId": "tracker",
        "sessionId": "s1",
        "userId": "u1",
        "eventList": [
            {
                "eventId": "e1",
                "eventType": "view",
                "sentAt": datetime(2026, 5, 28, 20, 26, 40, tzinfo=UTC),
                "itemId": "i1",
                "eventValue": 2.5,
                "properties": '{"shelf":"top"}',
                "impression": ["i1", "i2"],
                "recommendationId": "RID-1",
            }
        ],
    }


def test_a_clients_clock_that_is_ahead_does_not_put_an_event_into_the_future() -> None:
    ahead = {**EVENT, "sent_at": EVENT["received_at"] + 240_000}
    (sent,) = put_events_request("tracker", [Arrival(0, ahead)])["eventList"]
    assert sent["sentAt"] == datetime(2026, 5, 28, 20, 26, 40, 500_000, tzinfo=UTC)


def test_an_anonymous_session_names_no_user() -> None:
    request = put_events_request("tracker", [Arrival(0, ANONYMOUS)])
    assert "userId" not in request
    assert set(request["eventList"][0]) == {"eventId", "eventType", "sentAt", "itemId"}


def test_100_records_of_10_users_make_10_calls() -> None:
    calls = calls_of(arrivals(*[(f"s{number % 10}", f"u{number % 10}") for number in range(100)]))
    assert [len(call) for call in calls] == [10] * 10


def test_calls_hold_one_session_and_user_in_order_and_at_most_ten() -> None:
    calls = calls_of(arrivals(*[("s1", "u1")] * 11, ("s1", None), ("s2", "u1"), ("s1", "u1")))
    assert [[arrival.position for arrival in call] for call in calls] == [
        [*range(10)],
        [10, 13],
        [11],
        [12],
    ]


def test_a_marker_is_no_event() -> None:
    assert read_record(record_of({"event_type": "colorway:marker", "event_id": "m"})) is None


@pytest.mark.parametrize(
    "bad",
    [
        b"not json",
        b"\xff\xfe",
        b"[" * 100_000,
        [],
        {},
        {**EVENT, "session_id": ""},
        {**EVENT, "received_at": "now"},
        {**EVENT, "received_at": True},
        {**EVENT, "sent_at": 1e12},
        {**EVENT, "sent_at": 10**18},
        {**EVENT, "received_at": -1},
        {**EVENT, "user_id": ["u1"]},
        {**EVENT, "user_id": 7},
        {**EVENT, "value": float("nan")},
    ],
)
def test_says_what_is_wrong_with_a_record_that_is_no_event(bad: Any) -> None:
    with pytest.raises(Malformed):
        read_record(record_of(bad))
