"""Redrives the failure queue; `make redrive` invokes it."""

from __future__ import annotations

import os
import time
from functools import cache, partial
from typing import Any, Final

import boto3
from botocore.config import Config

from clickstream.backoff import Backoff
from clickstream.connections import events_client, open_colours, pool_of
from clickstream.redriving import Redrive
from clickstream.sending import Sender
from clickstream.stream_reading import read_again

_RESERVE_SECONDS: Final = 30
"""Kept of the function's time for what is under way."""


def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer `{seconds, dry_run?, discard?}` with `redriving.Report`."""
    most = context.get_remaining_time_in_millis() / 1000 - _RESERVE_SECONDS
    report = _redrive().run(
        seconds=min(float(event["seconds"]), most),
        dry_run=bool(event.get("dry_run")),
        discard=bool(event.get("discard")),
    )
    return report.to_json()


@cache
def _redrive() -> Redrive:
    patient = Config(retries={"total_max_attempts": 5, "mode": "standard"})
    colours = open_colours()
    return Redrive(
        sqs=boto3.client("sqs", config=patient),
        url=os.environ["FAILURE_QUEUE_URL"],
        stream=partial(read_again, boto3.client("kinesis", config=patient), os.environ["STREAM"]),
        sender=Sender(personalize=events_client(), colours=colours, backoff=Backoff(), pool_of=pool_of),
        colours=colours,
        clock=time.monotonic,
    )
