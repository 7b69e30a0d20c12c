"""Opens the clickstream to a colour and marks the stream; see `projection`."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3

from retraining.projection import close_colour, open_colour, put_markers
from retraining.run_lock import NoLongerAtWork, RunLock
from retraining.settings import Settings
from vocabulary.colours import colour_of


class StillSettling(Exception):
    """A marker put now would prove nothing: events received before the cutoff may still follow it."""


def handle(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer `open` (the cutoff, and when it has settled) and `mark` (the markers put, and since when)."""
    settings = Settings.from_environ(os.environ)
    now = int(time.time() * 1000)
    match event["action"]:
        case "open":
            table, colour = _table(settings.coordination_table), colour_of(event["colour"])
            opened = open_colour(
                table,
                colour=colour,
                run_id=event["run_id"],
                tracking_id=event["tracking_id"],
                dataset_group_arn=event["dataset_group_arn"],
                now=now,
                lead=int(settings.cutoff_lead_seconds * 1000),
            )
            try:
                RunLock(table).require(event["execution"])
            except NoLongerAtWork:  # stopped, and cleared away before the colour was registered
                close_colour(table, colour)
                raise
            # Step Functions waits for whole seconds: go on in the next
            settled = datetime.fromtimestamp(_settled(settings, opened.cutoff) / 1000 + 1, UTC)
            return {"cutoff": opened.cutoff, "settled_at": settled.strftime("%Y-%m-%dT%H:%M:%SZ")}
        case "mark":
            if (ahead := _settled(settings, event["cutoff"]) - now) >= 0:
                raise StillSettling(f"the cutoff {event['cutoff']} has not settled for another {ahead} ms")
            markers = put_markers(_kinesis(), stream=settings.stream, run_id=event["run_id"], now=now)
            return {"markers": markers, "since": now}
        case action:
            raise ValueError(f"action must be open or mark, got {action!r}")


def _settled(settings: Settings, cutoff: int) -> int:
    """When every event received before the cutoff is on the stream, or never will be; unix milliseconds."""
    return cutoff + int(settings.collector_timeout_seconds * 1000)


@cache
def _table(name: str) -> Any:
    return boto3.resource("dynamodb").Table(name)


@cache
def _kinesis() -> Any:
    return boto3.client("kinesis")
