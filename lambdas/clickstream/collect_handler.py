"""Collects the clickstream: `POST /events`, see `events` for the contract."""

from __future__ import annotations

import os
import time
import uuid
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from clickstream.backoff import Backoff
from clickstream.collecting import collect
from clickstream.stream import put_all
from vocabulary.cors import leave_to_read
from vocabulary.metrics import emit

_BACKOFF = Backoff()


def handle(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer an API Gateway proxy event."""
    received_at = int(time.time() * 1000)
    deadline = _BACKOFF.clock() + int(os.environ["PUT_BUDGET_MS"]) / 1000

    def put(events: list[dict[str, Any]]) -> None:
        put_all(_kinesis(), os.environ["STREAM"], events, backoff=_BACKOFF, deadline=deadline)

    answer = collect(event, received_at=received_at, new_id=lambda: str(uuid.uuid4()), put=put)
    emit(
        {"environment": os.environ["ENVIRONMENT"]},
        {"EventsAccepted": answer.accepted, "EventsRejected": answer.rejected},
    )
    return answer.to_response(leave_to_read(event, os.environ.get("ALLOWED_ORIGINS", "").split()))


@cache
def _kinesis() -> Any:
    # One attempt a call: `put_all` tries again, and only what failed
    return boto3.client(
        "kinesis", config=Config(connect_timeout=1, read_timeout=4, retries={"total_max_attempts": 1})
    )
