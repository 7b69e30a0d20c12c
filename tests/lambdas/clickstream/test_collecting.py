"""From a request to its answer, whatever the stream does."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
    SSLError,
)

from clickstream.backoff import Backoff
from clickstream.collecting import LARGEST_BODY, collect
from clickstream.stream import put_all

THROTTLED = "ProvisionedThroughputExceededException"


class FakeKinesis:
    """Takes records, apart from what its script says.

    :param script: per call, what goes wrong: an exception, or (after it was taken all the same)
        `lost answer`, or the positions refused and with which code.
    """

    def __init__(self, *script: Any) -> None:
        self.script = list(script)
        self.records: list[dict[str, Any]] = []
        self.calls = 0

    def put_records(self, *, StreamName: str, Records: list[dict[str, Any]]) -> dict[str, Any]:
        self.calls += 1
        step = self.script.pop(0) if self.script else {}
        if isinstance(step, Exception):
            raise step
        refused: dict[int, str] = {} if step == "lost answer" else step
        self.records += [record for number, record in enumerate(Records) if number not in refused]
        if step == "lost answer":
            raise ReadTimeoutError(endpoint_url="kinesis")
        results = [
            {"ErrorCode": refused[number]} if number in refused else {"SequenceNumber": "1"}
            for number in range(len(Records))
        ]
        return {"FailedRecordCount": len(refused), "Records": results}

    @property
    def ids(self) -> list[str]:
        return [json.loads(record["Data"])["event_id"] for record in self.records]


def client_error(code: str, status: int) -> ClientError:
    return ClientError(
        {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "PutRecords"
    )


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def post(kinesis: FakeKinesis, *, events: int = 3, **overrides: Any) -> dict[str, Any]:
    clock = Clock()
    ids: Iterator[str] = iter(f"id-{number}" for number in range(events))
    sent = [{"event_type": "view", "item_id": "i"}] * events
    request = {
        "headers": {"content-type": "application/json; charset=utf-8"},
        "body": json.dumps({"session_id": "s1", "events": sent}),
        **overrides,
    }
    answer = collect(
        request,
        received_at=1_780_000_000_000,
        new_id=lambda: next(ids),
        put=lambda records: put_all(
            kinesis,
            "stream",
            records,
            backoff=Backoff(clock, clock.sleep, lambda low, high: high),
            deadline=2.0,
        ),
    )
    response = answer.to_response()
    return {**response, "body": json.loads(response["body"]), "answer": answer}


def test_answers_202_with_the_ids_in_order_when_the_stream_has_all() -> None:
    kinesis = FakeKinesis()
    response = post(kinesis)
    assert response["statusCode"] == 202
    assert response["body"] == {"event_ids": ["id-0", "id-1", "id-2"]} == {"event_ids": kinesis.ids}
    assert {record["PartitionKey"] for record in kinesis.records} == {"s1"}
    assert (response["answer"].accepted, response["answer"].rejected) == (3, 0)


def test_sends_again_only_what_the_stream_refused() -> None:
    kinesis = FakeKinesis({0: THROTTLED, 2: "InternalFailure"}, {1: THROTTLED})
    assert post(kinesis)["statusCode"] == 202
    assert kinesis.ids == ["id-1", "id-0", "id-2"]


def test_a_lost_answer_repeats_events_under_the_same_ids() -> None:
    kinesis = FakeKinesis("lost answer")
    assert post(kinesis)["statusCode"] == 202
    assert sorted(set(kinesis.ids)) == ["id-0", "id-1", "id-2"]


@pytest.mark.parametrize(
    ("trouble", "status"),
    [
        ({0: THROTTLED}, 429),
        (client_error(THROTTLED, 400), 429),
        (client_error("InternalFailure", 500), 503),
        (ReadTimeoutError(endpoint_url="kinesis"), 503),
        (ConnectTimeoutError(endpoint_url="kinesis"), 503),
        (EndpointConnectionError(endpoint_url="kinesis"), 503),
        (ConnectionClosedError(endpoint_url="kinesis"), 503),
        (SSLError(endpoint_url="kinesis", error="eof"), 503),
    ],
)
def test_tells_the_client_when_to_come_back_and_with_which_ids(trouble: Any, status: int) -> None:
    kinesis = FakeKinesis(*[trouble] * 1000)
    response = post(kinesis, events=2)
    assert (response["statusCode"], response["headers"]["Retry-After"]) == (status, "1")
    assert response["body"]["event_ids"] == ["id-0", "id-1"]
    assert response["answer"].accepted == 0
    assert 3 < kinesis.calls < 20  # backing off


def test_a_mistake_of_ours_is_not_passed_off_as_a_busy_stream() -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        post(FakeKinesis(client_error("AccessDeniedException", 400)))


def test_stores_nothing_of_a_request_with_one_bad_event() -> None:
    kinesis = FakeKinesis()
    events = [{"event_type": "view", "item_id": "i"}, {"event_type": "view"}]
    response = post(kinesis, body=json.dumps({"session_id": "s1", "events": events}))
    assert response["statusCode"] == 400
    assert [(error["index"], error["field"]) for error in response["body"]["errors"]] == [(1, "item_id")]
    assert response["answer"].rejected == 2
    assert kinesis.calls == 0


@pytest.mark.parametrize(
    "headers", [None, {}, {"Content-Type": "text/plain"}, {"Content-Type": "application/xml"}]
)
def test_answers_415_to_what_is_not_json(headers: Any) -> None:
    assert post(FakeKinesis(), headers=headers)["statusCode"] == 415


def test_answers_413_by_bytes_not_characters() -> None:
    kinesis = FakeKinesis()
    assert post(kinesis, body=json.dumps("é" * (LARGEST_BODY // 2), ensure_ascii=False))["statusCode"] == 413
    assert post(kinesis, body=" " * LARGEST_BODY)["statusCode"] == 400


def test_reads_a_body_that_api_gateway_encoded() -> None:
    body = base64.b64encode(
        b'{"session_id": "s1", "events": [{"event_type": "view", "item_id": "i"}]}'
    ).decode()
    assert post(FakeKinesis(), body=body, isBase64Encoded=True)["statusCode"] == 202
