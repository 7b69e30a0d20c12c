"""The contract of `POST /events`, as clients meet it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from clickstream.events import RequestRefused, read_request
from vocabulary.lake import EVENT_COLUMNS

NOW = 1_780_000_000_000
VIEW = {"event_type": "view", "item_id": "i1"}


def read(request: Any) -> list[dict[str, Any]]:
    ids = iter(f"given-{number}" for number in range(1000))
    body = request if isinstance(request, bytes) else json.dumps(request).encode()
    return read_request(body, received_at=NOW, new_id=lambda: next(ids))


def of(*events: Any, **fields: Any) -> dict[str, Any]:
    return {"session_id": "s1", "events": list(events), **fields}


def errors(request: Any) -> list[tuple[int | None, str]]:
    with pytest.raises(RequestRefused) as refused:
        read(request)
    return [(error.index, error.field) for error in refused.value.errors]


def test_a_whole_event_becomes_a_record_with_the_columns_of_the_lake() -> None:
    event = {
        **VIEW,
        "event_id": "mine",
        "sent_at": "2026-05-28T20:26:40.5+00:00",
        "value": 3,
        "properties": {"shelf": "top", "rank": 2, "dropped": None, "é": True},
        "impression": ["i1", "i2"],
        "recommendation_id": "RID-1",
    }
    assert read(of(event, user_id="u1")) == [
        {
            "event_id": "mine",
            "received_at": NOW,
            "sent_at": NOW + 500,
            "session_id": "s1",
            "user_id": "u1",
            "event_type": "view",
            "item_id": "i1",
            "value": 3.0,
            "properties": '{"shelf":"top","rank":2,"é":true}',
            "impression": ["i1", "i2"],
            "recommendation_id": "RID-1",
        }
    ]


def test_a_whole_number_is_one_however_it_is_written() -> None:
    (record,) = read(
        b'{"session_id": "s", "events": [{"event_type": "view", "item_id": "i", "sent_at": 178e10}]}'
    )
    assert record["sent_at"] == NOW and type(record["sent_at"]) is int


def test_what_is_left_out_or_null_is_null_and_gets_an_id_and_a_time() -> None:
    first, second = read(of(VIEW, {**VIEW, "value": None, "sent_at": None}))
    assert list(first) == [column.name for column in EVENT_COLUMNS]
    assert (first["event_id"], second["event_id"]) == ("given-0", "given-1")
    assert first["sent_at"] == second["sent_at"] == NOW
    assert first["user_id"] is first["properties"] is second["value"] is None


def test_a_record_without_properties_left_has_none() -> None:
    assert read(of({**VIEW, "properties": {"a": None}}))[0]["properties"] is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("event_type", ""),
        ("event_type", 7),
        ("event_type", "colorway:marker"),
        ("event_type", "x" * 257),
        ("item_id", None),
        ("item_id", "a\nb"),
        ("item_id", "\ud800"),
        ("event_id", "x" * 129),
        ("event_id", "a b"),
        ("sent_at", NOW // 1000),  # seconds
        ("sent_at", NOW + 5 * 60 * 1000 + 1),
        ("sent_at", "2026-05-28T20:26:40"),  # no time zone
        ("sent_at", "yesterday"),
        ("sent_at", 1.5),
        ("sent_at", True),
        ("value", "3"),
        ("value", True),
        ("value", 1e39),
        ("properties", "{}"),
        ("properties", {"a": "x" * 1024}),
        ("impression", []),
        ("impression", ["i"] * 26),
        ("impression", [""]),
        ("recommendation_id", "r" * 41),
    ],
)
def test_refuses_a_field_that_personalize_or_the_lake_would_not_take(field: str, value: Any) -> None:
    assert errors(of(VIEW, {**VIEW, field: value})) == [(1, field)]


@pytest.mark.parametrize("key", ["userId", "SESSIONID", "eventType", "timestamp", "impression", ""])
def test_refuses_property_keys_that_personalize_reserves(key: str) -> None:
    assert errors(of({**VIEW, "properties": {key: "x"}})) == [(0, f"properties.{key}")]


@pytest.mark.parametrize("value", [{"deep": 1}, ["list"], "\x00"])
def test_refuses_properties_that_are_not_plain(value: Any) -> None:
    assert errors(of({**VIEW, "properties": {"a": value}})) == [(0, "properties.a")]


def test_refuses_numbers_too_large_for_json() -> None:
    body = b'{"session_id": "s", "events": [{"event_type": "view", "item_id": "i", "%s": %s}]}'
    assert errors(body % (b"value", b"1e999")) == [(0, "value")]
    assert errors(body % (b"properties", b'{"a": 1e999}')) == [(0, "properties.a")]
    assert errors(body % (b"value", b"NaN")) == [(None, "body")]


def test_takes_what_is_exactly_at_its_limit() -> None:
    event = {
        "event_type": "t" * 256,
        "item_id": "i" * 256,
        "event_id": "e" * 128,
        "sent_at": NOW + 5 * 60 * 1000,
        "properties": {"a": "x" * (1024 - len('{"a":""}'))},
        "impression": ["i" * 256] * 25,
        "recommendation_id": "r" * 40,
    }
    assert len(read(of(event, user_id="u" * 256))) == 1
    assert len(read(of(*[VIEW] * 100))) == 100


def test_refuses_an_event_larger_than_personalize_takes() -> None:
    # 25 ids of 256 characters, each of which takes 6 bytes in JSON
    assert errors(of({**VIEW, "impression": ["é" * 256] * 25})) == [(0, "event")]


def test_names_everything_that_is_wrong_at_once() -> None:
    request = of(
        VIEW, "no event", {"item": "i1", "event_type": "view"}, {**VIEW, "value": "x"}, user_id=1, extra=1
    )
    assert errors(request) == [
        (None, "extra"),
        (None, "user_id"),
        (1, "event"),
        (2, "item"),
        (2, "item_id"),
        (3, "value"),
    ]


def test_refuses_an_event_id_given_twice() -> None:
    assert errors(of({**VIEW, "event_id": "a"}, {**VIEW, "event_id": "a"})) == [(1, "event_id")]


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (b"{", "body"),
        (b"\xff", "body"),
        (b"[" * 100_000, "body"),
        ([], "body"),
        (of(), "events"),
        (of(*[VIEW] * 101), "events"),
        ({"session_id": "s1"}, "events"),
        ({"session_id": "s1", "events": {}}, "events"),
        ({"events": [VIEW]}, "session_id"),
    ],
)
def test_refuses_a_request_that_is_none(request_: Any, field: str) -> None:
    assert errors(request_) == [(None, field)]


def test_a_refusal_shows_the_value_cut_short_and_what_is_allowed() -> None:
    with pytest.raises(RequestRefused) as refused:
        read(of({**VIEW, "recommendation_id": "r" * 5000}))
    (error,) = refused.value.to_body()["errors"]
    assert error == {
        "index": 0,
        "field": "recommendation_id",
        "value": "r" * 63 + "…",
        "allowed": "a string of 1 to 40 characters without control characters",
    }
