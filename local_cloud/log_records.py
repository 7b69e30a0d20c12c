"""Log events as CloudWatch Logs hands them to Firehose, and as Firehose's processors unpack them.

Amazon CloudWatch Logs user guide, "Subscription filters with Firehose"; Amazon Data Firehose developer
guide, "Decompress CloudWatch Logs" and "Extract message after decompression of CloudWatch Logs".
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any


class Unpackable(ValueError):
    """A record that is none of CloudWatch Logs; the message says why."""


def packed(
    events: Sequence[Mapping[str, Any]], *, owner: str, group: str, stream: str, filter_name: str
) -> bytes:
    """One record of several log events `{id, timestamp, message}` of a log stream."""
    return gzip.compress(
        json.dumps(
            {
                "messageType": "DATA_MESSAGE",
                "owner": owner,
                "logGroup": group,
                "logStream": stream,
                "subscriptionFilters": [filter_name],
                "logEvents": list(events),
            }
        ).encode()
    )


def decompressed(data: bytes) -> bytes:
    """
    :raises Unpackable: when it is not gzip.
    """
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise Unpackable(f"not gzip: {error}") from error


def messages(data: bytes) -> bytes | None:
    """The messages of a record, one to a line; None for one that only tries whether somebody is there.

    :raises Unpackable: when it is no record of CloudWatch Logs.
    """
    try:
        record = json.loads(data)
        if record["messageType"] == "CONTROL_MESSAGE":
            return None
        return "".join(f"{line}\n" for line in _lines(record["logEvents"])).encode()
    except (ValueError, TypeError, KeyError) as error:
        raise Unpackable(f"no record of CloudWatch Logs: {error}") from error


def _lines(events: Iterable[Mapping[str, Any]]) -> list[str]:
    return [str(event["message"]).rstrip("\n") for event in events]
