"""Reads again what Lambda gave up: its messages say where on the stream the records lie, and no more."""

from __future__ import annotations

import base64
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from clickstream.redriving import NotReadNow, Unreadable
from clickstream.sending import code_of

_MOST_EMPTY_READS: Final = 20

_FOR_GOOD: Final = ("InvalidArgumentException", "ResourceNotFoundException")
"""Errors that another attempt meets too: there is no such place on the stream, or no such shard."""


def read_again(kinesis: Any, stream: str, shard_id: str, first: str, last: str) -> list[dict[str, Any]]:
    """The records of a shard from sequence number `first` to `last`, as Lambda gives them to a function.

    :param kinesis: boto3 client.
    :raises Unreadable: when the stream does not have all of them, or not any more.
    :raises NotReadNow: when it could not be asked.
    """
    records: list[dict[str, Any]] = []
    try:
        position = kinesis.get_shard_iterator(
            StreamName=stream,
            ShardId=shard_id,
            ShardIteratorType="AT_SEQUENCE_NUMBER",
            StartingSequenceNumber=first,
        )["ShardIterator"]
        empty = 0
        while position is not None and empty < _MOST_EMPTY_READS:
            answer = kinesis.get_records(ShardIterator=position, Limit=1000)
            for record in answer["Records"]:
                number = int(record["SequenceNumber"])
                if int(first) <= number <= int(last):
                    records.append(_as_lambda_does(record))
                if number >= int(last):
                    return _all_there(records, first, last)
            empty = 0 if answer["Records"] else empty + 1
            position = answer.get("NextShardIterator")
    except (ClientError, BotoCoreError) as error:
        failure = Unreadable if code_of(error) in _FOR_GOOD else NotReadNow
        raise failure(f"on the stream only, which cannot be read: {code_of(error)}") from None
    return _all_there(records, first, last)


def _all_there(records: list[dict[str, Any]], first: str, last: str) -> list[dict[str, Any]]:
    numbers = [record["kinesis"]["sequenceNumber"] for record in records]
    if not numbers or (numbers[0], numbers[-1]) != (first, last):
        raise Unreadable("not on the stream any more; the lake has it, and the next training reads it there")
    return records


def _as_lambda_does(record: dict[str, Any]) -> dict[str, Any]:
    return {
        "kinesis": {
            "sequenceNumber": record["SequenceNumber"],
            "partitionKey": record["PartitionKey"],
            "data": base64.b64encode(record["Data"]).decode(),
            "approximateArrivalTimestamp": record["ApproximateArrivalTimestamp"].timestamp(),
        }
    }
