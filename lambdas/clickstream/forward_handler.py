"""Forwards the clickstream to Personalize: a batch of the stream becomes PutEvents calls."""

from __future__ import annotations

import os
import time
from functools import cache
from typing import Any, Final

import boto3

from clickstream.backoff import Backoff
from clickstream.connections import PROMPT, events_client, open_colours, pool_of
from clickstream.delivery import Delivery, Forwarder
from clickstream.failure_queue import FailureQueue
from clickstream.sending import Sender
from vocabulary.metrics import emit

_RESERVE_SECONDS: Final = 10
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
    for colour, arrivals in delivery.late().items():
        if arrivals:
            emit({"environment": environment, "colour": colour}, {"EventsLate": len(arrivals)})
    if delivery.queued:
        emit(
            {"environment": environment},
            {"EventsQueued": delivery.queued, "EventsMalformed": delivery.malformed},
        )


@cache
def _forwarder() -> Forwarder:
    colours = open_colours()
    backoff = Backoff()
    return Forwarder(
        sender=Sender(personalize=events_client(), colours=colours, backoff=backoff, pool_of=pool_of),
        colours=colours,
        queue=FailureQueue(boto3.client("sqs", config=PROMPT), url=os.environ["FAILURE_QUEUE_URL"]),
        backoff=backoff,
        now=time.time,
        patience_seconds=float(os.environ["PATIENCE_SECONDS"]),
        settling_seconds=float(os.environ["COLLECTOR_TIMEOUT_SECONDS"]),
    )
