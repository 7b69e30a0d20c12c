"""Where the clickstream and a colour meet: its cutoff, and the markers that prove the lake complete."""

from __future__ import annotations

import json
from typing import Any

from vocabulary.colours import Colour
from vocabulary.coordination import TABLE_KEY, OpenColour, open_colour_key
from vocabulary.lake import MARKER_EVENT_TYPE


def open_colour(
    table: Any,
    *,
    colour: Colour,
    run_id: str,
    tracking_id: str,
    dataset_group_arn: str,
    now: int,
    lead: int,
) -> OpenColour:
    """Register the colour as taking events received from `now + lead` (unix milliseconds) on.

    A step that is tried again keeps the cutoff that it set the first time: the
    forwarder may already have acted on it.
    """
    key = open_colour_key(colour)
    existing = table.get_item(Key={TABLE_KEY: key}, ConsistentRead=True).get("Item")
    if existing is not None and existing["tracking_id"] == tracking_id:
        return OpenColour.from_item(existing)
    opened = OpenColour(colour, tracking_id, dataset_group_arn, now + lead, run_id)
    table.put_item(Item=opened.to_item())
    return opened


def close_colour(table: Any, colour: Colour) -> OpenColour | None:
    """Forget the colour, so that no more events are sent to it; answer what was known of it."""
    answer = table.delete_item(Key={TABLE_KEY: open_colour_key(colour)}, ReturnValues="ALL_OLD")
    closed = answer.get("Attributes")
    return None if closed is None else OpenColour.from_item(closed)


def put_markers(kinesis: Any, *, stream: str, run_id: str, now: int) -> list[str]:
    """Put a marker record into every open shard; answer their event ids.

    Once all of them are in the lake, everything that was put before them is.
    """
    markers = []
    for shard in _open_shards(kinesis, stream):
        marker = f"{run_id}-{shard['ShardId']}"
        kinesis.put_record(
            StreamName=stream,
            PartitionKey=marker,
            ExplicitHashKey=shard["HashKeyRange"]["StartingHashKey"],
            Data=json.dumps(_marker(marker, now)).encode(),
        )
        markers.append(marker)
    return markers


def _open_shards(kinesis: Any, stream: str) -> list[dict[str, Any]]:
    request: dict[str, Any] = {"StreamName": stream}
    shards: list[dict[str, Any]] = []
    while True:
        page = kinesis.list_shards(**request)
        shards += page["Shards"]
        if not page.get("NextToken"):
            break
        request = {"NextToken": page["NextToken"]}
    return [shard for shard in shards if "EndingSequenceNumber" not in shard["SequenceNumberRange"]]


def _marker(event_id: str, now: int) -> dict[str, Any]:
    return {
        "event_id": event_id,
        "received_at": now,
        "sent_at": now,
        "session_id": event_id,
        "user_id": None,
        "event_type": MARKER_EVENT_TYPE,
        "item_id": None,
        "value": None,
        "properties": None,
        "impression": None,
        "recommendation_id": None,
    }
