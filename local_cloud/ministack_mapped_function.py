"""A function as Lambda's poller of a Kinesis shard sees it: run it, move on, tell of what is given up."""

from __future__ import annotations

import json
import logging
import os
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import boto3
from ministack.core import arn, lambda_runtime, responses
from ministack.services import kinesis, lambda_svc

from local_cloud.kinesis_batches import Policy, Record, Stopped
from local_cloud.ministack_metrics import record_iterator_age

_LOG: Final = logging.getLogger(__name__)


def stream_of(mapping: Mapping[str, Any]) -> dict[str, Any] | None:
    """MiniStack's record of the stream that a mapping reads; None when it reads none of this account."""
    try:
        spec = arn.parse_arn(mapping.get("EventSourceArn", ""))
    except arn.ArnParseError:
        return None
    name = lambda_svc._kinesis_stream_name_from_arn_spec(spec)
    stream: dict[str, Any] | None = kinesis._streams.get(name) if name else None
    return stream if stream and stream["StreamARN"] == mapping["EventSourceArn"] else None


class MappedFunction:
    """The consumer of a shard; to be used in the account and Region of its mapping.

    :param move_past: takes the sequence number up to which everything is over.
    """

    def __init__(self, mapping: dict[str, Any], shard_id: str, move_past: Callable[[str], None]) -> None:
        self._mapping, self._shard_id, self._move_past = mapping, shard_id, move_past
        self._stream = stream_of(mapping)

    def policy(self) -> Policy:
        mapping, stream = self._mapping, self._stream
        is_mapped = mapping.get("Enabled", True) and lambda_svc._esms.get(mapping["UUID"]) is mapping
        if not is_mapped or stream is None or stream_of(mapping) is not stream:
            raise Stopped
        return Policy.of(mapping, retention=stream["RetentionPeriodHours"] * 3600)

    def invoke(self, records: list[Record]) -> Mapping[str, Any]:
        function = self._function()
        if function is None:
            return {"throttle": True}
        events = [self._event(record, function["config"]["Role"]) for record in records]
        events = lambda_svc._apply_filter_criteria(events, self._mapping)
        record_iterator_age(self._mapping["FunctionName"], records[-1]["ApproximateArrivalTimestamp"])
        result: dict[str, Any] = lambda_svc._execute_function(function, {"Records": events}) if events else {}
        if result.get("error"):
            self._mapping["LastProcessingResult"] = "PROBLEM: Function call failed"
            _LOG.warning(
                "%s failed on %d records of %s: %s\n%s",
                self._mapping["FunctionArn"],
                len(events),
                self._shard_id,
                result.get("body"),
                result.get("log", ""),
            )
        else:
            self._mapping["LastProcessingResult"] = "OK"
        return result

    def move_past(self, record: Record) -> None:
        self._move_past(record["SequenceNumber"])

    def discard(self, records: list[Record], *, invocations: int) -> None:
        """Say so to the mapping's destination for failures, with the rights of the function's role."""
        target = ((self._mapping.get("DestinationConfig") or {}).get("OnFailure") or {}).get("Destination")
        function = self._function()
        _LOG.warning("%s gives up %d records", self._mapping["FunctionArn"], len(records))
        if not target or function is None:
            return
        message = json.dumps(self._report(records, invocations, function["config"]))
        try:
            _send(message, target, function["config"])
        except Exception:
            # AWS tries no longer either: it counts a DestinationDeliveryFailure
            _LOG.exception("%s cannot tell %s of discarded records", self._mapping["FunctionArn"], target)

    def _function(self) -> dict[str, Any] | None:
        """MiniStack's record of the version that is mapped."""
        name, qualifier = self._mapping["FunctionName"], self._mapping.get("Qualifier")
        record: dict[str, Any] | None = lambda_svc._get_func_record_for_qualifier(name, qualifier)[0]
        return record

    def _event(self, record: Record, role: str) -> dict[str, Any]:
        number = record["SequenceNumber"]
        return {
            "kinesis": {
                "kinesisSchemaVersion": "1.0",
                "partitionKey": record["PartitionKey"],
                "sequenceNumber": number,
                "data": kinesis._ensure_base64(record["Data"]),
                "approximateArrivalTimestamp": record["ApproximateArrivalTimestamp"],
            },
            "eventSource": "aws:kinesis",
            "eventVersion": "1.0",
            "eventID": f"{self._shard_id}:{number}",
            "eventName": "aws:kinesis:record",
            "invokeIdentityArn": role,
            "awsRegion": responses.get_region(),
            "eventSourceARN": self._mapping["EventSourceArn"],
        }

    def _report(self, records: list[Record], invocations: int, config: Mapping[str, Any]) -> dict[str, Any]:
        first, last = records[0], records[-1]
        return {
            "requestContext": {
                "requestId": str(uuid.uuid4()),
                "functionArn": self._mapping["FunctionArn"],
                # The only one that is documented, for records that became too old too
                "condition": "RetryAttemptsExhausted",
                "approximateInvokeCount": invocations,
            },
            "responseContext": {
                "statusCode": 200,
                "executedVersion": config.get("Version", "$LATEST"),
                "functionError": "Unhandled",
            },
            "version": "1.0",
            "timestamp": _iso(time.time()),
            "KinesisBatchInfo": {
                "shardId": self._shard_id,
                "startSequenceNumber": first["SequenceNumber"],
                "endSequenceNumber": last["SequenceNumber"],
                "approximateArrivalOfFirstRecord": _iso(first["ApproximateArrivalTimestamp"]),
                "approximateArrivalOfLastRecord": _iso(last["ApproximateArrivalTimestamp"]),
                "batchSize": len(records),
                "streamArn": self._mapping["EventSourceArn"],
            },
        }


def _send(message: str, target: str, config: Mapping[str, Any]) -> None:
    spec = arn.parse_arn(target)
    endpoint = f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}"
    credentials = {
        name.lower(): value for name, value in lambda_runtime.execution_credentials(config).items()
    }
    client = boto3.session.Session(region_name=spec.region, **credentials).client(
        spec.service, endpoint_url=endpoint
    )
    if spec.service == "sqs":
        client.send_message(QueueUrl=f"{endpoint}/{spec.account_id}/{spec.resource}", MessageBody=message)
    else:
        client.publish(TopicArn=target, Message=message)


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
