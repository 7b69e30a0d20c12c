"""Where the forwarder puts what it cannot deliver: whole, with the reason, for a person to mend and redrive.

The stream's own failure destination is the same queue, for when the function
itself fails; its messages tell where in the stream the records lie, and no more.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from vocabulary.coordination import OpenColour

_LARGEST_DATA: Final = 160_000
"""Characters of a record's data. Our events have a tenth of it; more would not fit a message of SQS."""

TRUNCATED: Final = "truncated"
"""Key of a queued record that lacks a part of its data."""


@dataclass(frozen=True)
class Undelivered:
    """A record that stays undelivered.

    :param position: of the record in its batch.
    :param colour: that it did not reach; None when it reached none.
    """

    position: int
    reason: str
    colour: OpenColour | None = None


class FailureQueue:
    """Takes records that could not be delivered.

    A message is `{reason, colour, tracking_id, record}`; `record` is the Kinesis
    record as Lambda was given it, its data in base64.

    :param sqs: boto3 client.
    """

    def __init__(self, sqs: Any, *, url: str) -> None:
        self._sqs = sqs
        self._url = url

    def put(self, undelivered: Undelivered, record: dict[str, Any]) -> None:
        """Queue a record of a Lambda event; errors of SQS pass through."""
        reason, colour, data = undelivered.reason, undelivered.colour, record["kinesis"]["data"]
        if len(data) > _LARGEST_DATA:
            cut = {**record["kinesis"], "data": data[:_LARGEST_DATA]}
            record = {**record, "kinesis": cut, TRUNCATED: True}
            reason += f" (only the first {_LARGEST_DATA} of {len(data)} characters of data are here)"
        message = {
            "reason": reason,
            "colour": colour and colour.colour,
            "tracking_id": colour and colour.tracking_id,
            "record": record,
        }
        self._sqs.send_message(QueueUrl=self._url, MessageBody=json.dumps(message))
