"""The function as Lambda runs it, where nothing of AWS answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from recommendations import handler
from tests.lambdas.recommendations.fakes import PLACEMENTS
from vocabulary.placements import to_json

CONTEXT = SimpleNamespace(aws_request_id="r-1")


@pytest.fixture(autouse=True)
def aws_is_away(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    environ = {
        "APP": "colorway",
        "ENVIRONMENT": "test",
        "PARTITION": "aws",
        "ACCOUNT": "123456789012",
        "LIVE_COLOUR": "maize",
        "PLACEMENTS": to_json(PLACEMENTS),
        "TRAINING_BUCKET": "training",
        "TIME_BUDGET_MS": "2000",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",  # nobody listens there
    }
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    handler._service.cache_clear()
    yield
    handler._service.cache_clear()


def test_a_request_is_answered_all_the_same() -> None:
    event = {
        "httpMethod": "GET",
        "resource": "/recommendations/{user_id}",
        "pathParameters": {"user_id": "ann"},
        "queryStringParameters": {"placement": "recommended-for-you"},
    }
    response = handler.handle(event, CONTEXT)
    body = json.loads(response["body"])
    assert (response["statusCode"], body["source"], body["items"]) == (200, "popular", [])


def test_a_heartbeat_says_so() -> None:
    event = {"heartbeat": {"placement": "recommended-for-you", "user_ids": ["ann"]}}
    (answer,) = handler.handle(event, CONTEXT)["answers"]
    assert (answer["source"], answer["colour"]) == ("error", "maize")
    assert "ConnectionRefusedError" in answer["error"]


def test_clients_are_made_once_not_for_every_request() -> None:
    assert handler._service() is handler._service()
