"""Puts events on the stream: all of them, or the caller learns that it is not so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NotConnected

from clickstream.backoff import Backoff
from clickstream.events import encode

_THROTTLED: Final = (
    "ProvisionedThroughputExceededException",
    "LimitExceededException",
    "KMSThrottlingException",
    "ThrottlingException",
)


class NotStored(Exception):
    """The stream did not take every event in time; those that it took stay there.

    :param throttled: it had too many to take, rather than a failure of its own.
    """

    def __init__(self, *, missing: int, throttled: bool) -> None:
        super().__init__(f"{missing} events not stored: {'throttled' if throttled else 'unavailable'}")
        self.throttled = throttled


def put_all(
    kinesis: Any, stream: str, events: Sequence[dict[str, Any]], *, backoff: Backoff, deadline: float
) -> None:
    """Put up to 500 events (records of `events.read_request`), those of a session into one shard.

    Only what failed is sent again, in its order. A call that ends without an
    answer is sent again whole: repeats have the same event id, and so are one
    event. While the stream throttles, events of one request may change places
    in it; their `sent_at` still says which came first.

    :param deadline: of `backoff`'s clock; no attempt begins later.
    :raises NotStored: when some are still missing then.
    """
    missing = [{"Data": encode(event), "PartitionKey": event["session_id"]} for event in events]
    throttled = False
    for _ in backoff.attempts(deadline):
        try:
            results = kinesis.put_records(StreamName=stream, Records=missing)["Records"]
        except ClientError as error:
            throttled = error.response["Error"]["Code"] in _THROTTLED
            if not throttled and error.response["ResponseMetadata"]["HTTPStatusCode"] < 500:
                raise
            continue
        except (HTTPClientError, NotConnected):  # no connection, or no answer in time
            throttled = False
            continue
        codes = [result.get("ErrorCode") for result in results]
        missing = [record for record, code in zip(missing, codes, strict=True) if code]
        if not missing:
            return
        throttled = any(code in _THROTTLED for code in codes)
    raise NotStored(missing=len(missing), throttled=throttled)
