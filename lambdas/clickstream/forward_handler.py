"""Forwards the clickstream to Personalize: a batch of the stream becomes PutEvents calls."""

from __future__ import annotations

import os
import time
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from clickstream.backoff import Backoff
from clickstream.delivery import Delivery, Forwarder
from clickstream.failure_queue import FailureQueue
from clickstream.open_colours import OpenColours
from vocabulary.metrics import emit

_RESERVE_SECONDS = 10
"""Kept of the function's time for the call under way, the failure queue and the answer."""


def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer a Kinesis event with what Lambda is to deliver again, all after it included."""
    records = event["Records"]
    delivery = _forwarder().deliver(
        records, seconds=context.get_remaining_time_in_millis() / 1000 - _RESERVE_SECONDS
    )
    _count(delivery, os.environ["ENVIRONMENT"], time.time() * 1000)
    if delivery.failed_from is None:
        return {"batchItemFailures": []}
    failed = records[delivery.failed_from]["kinesis"]["sequenceNumber"]
    return {"batchItemFailures": [{"itemIdentifier": failed}]}


def _count(delivery: Delivery, environment: str, now: float) -> None:
    for colour, arrivals in delivery.forwarded().items():
        if arrivals:
            lag = now - min(arrival.event["received_at"] for arrival in arrivals)
            emit(
                {"environment": environment, "colour": colour},
                {"EventsForwarded": len(arrivals)},
                {"ForwardLag": lag},
            )
    if delivery.queued:
        emit({"environment": environment}, {"EventsQueued": delivery.queued})


@cache
def _forwarder() -> Forwarder:
    # One attempt a call: `Forwarder` tries again, as long as the batch has time
    once = Config(connect_timeout=1, read_timeout=3, retries={"total_max_attempts": 1})
    prompt = Config(connect_timeout=1, read_timeout=3, retries={"total_max_attempts": 3, "mode": "standard"})
    return Forwarder(
        personalize=boto3.client("personalize-events", config=once),
        colours=OpenColours(
            boto3.resource("dynamodb", config=prompt).Table(os.environ["COORDINATION_TABLE"]),
            cache_seconds=float(os.environ["FORWARDER_CACHE_SECONDS"]),
            now=time.time,
        ),
        queue=FailureQueue(boto3.client("sqs", config=prompt), url=os.environ["FAILURE_QUEUE_URL"]),
        backoff=Backoff(),
        now=time.time,
        patience_seconds=float(os.environ["PATIENCE_SECONDS"]),
    )
