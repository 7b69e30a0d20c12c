"""Reads again what Lambda gave up: its messages say where on the stream the records lie, and no more."""

from __future__ import annotations

import base64
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from clickstream.redriving import Unreadable
from clickstream.sending import code_of

_MOST_EMPTY_READS = 20


def read_again(kinesis: Any, stream: str, shard_id: str, first: str, last: str) -> list[dict[str, Any]]:
    """The records of a shard from sequence number `first` to `last`, as Lambda gives them to a function.

    :param kinesis: boto3 client.
    :raises Unreadable: when the stream does not have all of them, or not any more.
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
        raise Unreadable(f"on the stream only, which cannot be read: {code_of(error)}") from None
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
