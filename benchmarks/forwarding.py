"""What the forwarder costs per event, beside bare boto3 loops.

    python -m benchmarks.forwarding

Lambda events of 100 records go through the forwarder's handler and, taking
turns with it, through two bare loops written for the purpose: one PutEvents
call per record, as public projects of this kind do it, and the forwarder's own
calls without anything around them. boto3 does all its work but for the socket
(benchmarks/stubbed_aws.py). CPU is the process's own; medians over rounds.
"""

from __future__ import annotations

import base64
import contextlib
import io
import json
import platform
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from statistics import median
from typing import Any, Final

from benchmarks.stubbed_aws import StubbedAws

_BATCH: Final = 100
_ROUNDS: Final = 31


def _records(users: int) -> list[dict[str, Any]]:
    now = int(time.time() * 1000)
    events = [
        {
            "event_id": f"7c1a5c2e-0000-4000-8000-{number:012}",
            "received_at": now,
            "sent_at": now - 300,
            "session_id": f"session-{number % users}",
            "user_id": f"user-{number % users}",
            "event_type": "view",
            "item_id": f"item-{number % 17:05}",
            "value": 149.0,
            "properties": '{"shelf":"top","position":3}',
            "impression": [f"item-{shown:05}" for shown in range(8)],
            "recommendation_id": None,
        }
        for number in range(_BATCH)
    ]
    return [
        {
            "kinesis": {
                "sequenceNumber": str(number),
                "data": base64.b64encode(json.dumps(event).encode()).decode(),
                "approximateArrivalTimestamp": now / 1000,
            }
        }
        for number, event in enumerate(events)
    ]


class _Context:
    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 60_000


def _forwarder() -> Callable[[Sequence[dict[str, Any]]], None]:
    from clickstream.forward_handler import handle

    def run(records: Sequence[dict[str, Any]]) -> None:
        with contextlib.redirect_stdout(io.StringIO()):
            answer = handle({"Records": records}, _Context())
        assert answer == {"batchItemFailures": []}, answer

    return run


def _bare(colours: Sequence[str], *, each: bool) -> Callable[[Sequence[dict[str, Any]]], None]:
    """:param each: a call per record, rather than those that the forwarder makes."""
    import boto3

    client = boto3.client("personalize-events")

    def run(records: Sequence[dict[str, Any]]) -> None:
        groups: dict[tuple[str, str | int], list[dict[str, Any]]] = {}
        for number, record in enumerate(records):
            event = json.loads(base64.b64decode(record["kinesis"]["data"]))
            groups.setdefault((event["session_id"], number if each else event["user_id"]), []).append(event)
        for colour in colours:
            for (session, _), events in groups.items():
                client.put_events(
                    trackingId=f"tracker-{colour}",
                    sessionId=session,
                    userId=events[0]["user_id"],
                    eventList=[
                        {
                            "eventId": event["event_id"],
                            "eventType": event["event_type"],
                            "sentAt": datetime.fromtimestamp(event["sent_at"] / 1000, UTC),
                            "itemId": event["item_id"],
                            "eventValue": event["value"],
                            "properties": event["properties"],
                            "impression": event["impression"],
                        }
                        for event in events
                    ],
                )

    return run


def main() -> None:
    """Print a table."""
    print(f"{platform.machine()}, Python {platform.python_version()}; CPU microseconds per event")
    titles = f"{'colours':>7} {'users':>6} {'calls':>6} {'forwarder':>10} {'its calls, bare':>16}"
    print(f"{titles} {'one by one':>11}")
    for colours in (1, 2):
        aws = StubbedAws(colours=colours)
        aws.install()
        _forget_clients()
        names = ["maize", "blue"][:colours]
        ways = [_forwarder(), _bare(names, each=False), _bare(names, each=True)]
        for users in (10, 100):
            records = _records(users)
            for way in ways:
                way(records)  # clients and threads come into being
            before = aws.calls["PutEvents"]
            ways[0](records)
            calls = aws.calls["PutEvents"] - before
            took: list[list[float]] = [[], [], []]
            for _ in range(_ROUNDS):
                for way, times in zip(ways, took, strict=True):
                    began = time.process_time()
                    way(records)
                    times.append((time.process_time() - began) / _BATCH * 1e6)
            ours, bare, each = map(median, took)
            print(f"{colours:>7} {users:>6} {calls:>6} {ours:>10.0f} {bare:>16.0f} {each:>11.0f}")


def _forget_clients() -> None:
    from clickstream import forward_handler

    forward_handler._forwarder.cache_clear()


if __name__ == "__main__":
    main()
