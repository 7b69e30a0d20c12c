"""A steady load of events at the boundary of the clickstream's functions: does it hold, and is memory flat?

    python -m benchmarks.event_load --rate 2000 --seconds 600

Requests of 20 events go to the collector's handler; what it puts on the stream goes to the forwarder's in
batches of up to 100, with both colours open. Both run here, in one process, one after the other; boto3
does all its work but for the socket (benchmarks/stubbed_aws.py). What a real gateway and network bear is
another question.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import random
import resource
import sys
import time
from collections import deque
from typing import Any, Final

from benchmarks.stubbed_aws import StubbedAws

_PER_REQUEST: Final = 20
_BATCH: Final = 100
_WARM_UP: Final = 0.2
"""Share of the time after which memory is to grow no more."""


class _Context:
    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 60_000


def run(*, rate: float, seconds: float) -> dict[str, Any]:
    """Drive the load.

    :param rate: events per second.
    :return: `{events, delivered, seconds, cpu_seconds, busy, longest_behind, memory_mib, growth_mib}`:
        `delivered` counts both colours, `busy` is the share of the time that work took, `longest_behind` the
        most seconds that the load was behind its schedule, memory the most that was resident, and its growth
        since the warm-up.
    """
    stream: deque[str] = deque()
    aws = StubbedAws(colours=2, on_records=stream.extend)
    aws.install()
    from clickstream.collect_handler import handle as collect
    from clickstream.forward_handler import handle as forward

    draw = random.Random(1)
    cpu, began = time.process_time(), time.monotonic()
    sent = sequence = 0
    busy = behind = 0.0
    settled: float | None = None
    while (elapsed := time.monotonic() - began) < seconds:
        due = sent / rate
        if due > elapsed:
            time.sleep(due - elapsed)
            continue
        behind = max(behind, elapsed - due)
        started = time.monotonic()
        with contextlib.redirect_stdout(io.StringIO()):
            answer = collect(_request(draw), None)
            assert answer["statusCode"] == 202, answer
            sent += _PER_REQUEST
            while len(stream) >= _BATCH:
                records = [_record(stream.popleft(), sequence + number) for number in range(_BATCH)]
                sequence += _BATCH
                handed_back = forward({"Records": records}, _Context())
                assert handed_back == {"batchItemFailures": []}, handed_back
        busy += time.monotonic() - started
        if settled is None and elapsed > seconds * _WARM_UP:
            settled = _memory_mib()
    took = time.monotonic() - began
    memory = _memory_mib()
    return {
        "events": sent,
        "delivered": aws.events,
        "seconds": round(took, 1),
        "cpu_seconds": round(time.process_time() - cpu, 1),
        "busy": round(busy / took, 3),
        "longest_behind": round(behind, 3),
        "memory_mib": round(memory, 1),
        "growth_mib": round(memory - (settled or memory), 1),
    }


def _request(draw: random.Random) -> dict[str, Any]:
    visitor = draw.randrange(100_000)
    events = [
        {
            "event_type": "view",
            "item_id": f"item-{draw.randrange(20_000):05}",
            "value": draw.randrange(300),
            "properties": {"shelf": "top", "position": draw.randrange(20)},
        }
        for _ in range(_PER_REQUEST)
    ]
    body = {"session_id": f"session-{visitor}", "user_id": f"user-{visitor}", "events": events}
    return {"headers": {"content-type": "application/json"}, "body": json.dumps(body)}


def _record(data: str, number: int) -> dict[str, Any]:
    return {
        "kinesis": {
            "sequenceNumber": str(number),
            "data": data,
            "approximateArrivalTimestamp": time.time(),
        }
    }


def _memory_mib() -> float:
    """The most that was resident so far."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def main() -> None:
    """Print the report as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rate", type=float, default=2000, help="events per second (default %(default)s)")
    parser.add_argument("--seconds", type=float, default=600, help="(default %(default)s)")
    parsed = parser.parse_args()
    print(json.dumps(run(rate=parsed.rate, seconds=parsed.seconds)))


if __name__ == "__main__":
    main()
