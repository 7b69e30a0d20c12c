"""AWS for the clickstream's functions, without a network: boto3 does all its work but for the socket.

Every client of the default session is answered where a request would be sent.
"""

from __future__ import annotations

import io
import json
import os
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

import boto3
import botocore.session
from botocore.awsrequest import AWSPreparedRequest, AWSResponse

ENVIRONMENT: Final = {
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    "AWS_EC2_METADATA_DISABLED": "true",
    "ENVIRONMENT": "benchmark",
    "STREAM": "stream",
    "PUT_BUDGET_MS": "4000",
    "COORDINATION_TABLE": "coordination",
    "FORWARDER_CACHE_SECONDS": "20",
    "FAILURE_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/000000000000/failures",
    "PATIENCE_SECONDS": "300",
    "COLLECTOR_TIMEOUT_SECONDS": "10",
}


class StubbedAws:
    """Answers for Kinesis, DynamoDB and Personalize.

    :param colours: how many are open; both take everything.
    :param on_records: is given the data of each record that is put on the stream, base64 as Lambda has it.
    :ivar calls: by operation.
    :ivar events: that PutEvents took.
    """

    def __init__(self, *, colours: int, on_records: Callable[[list[str]], None] = lambda _: None) -> None:
        self._colours = ["maize", "blue"][:colours]
        self._on_records = on_records
        self.calls: Counter[str] = Counter()
        self.events = 0

    def install(self) -> None:
        """From now on clients of boto3's default session get their answers here."""
        os.environ.update(ENVIRONMENT)
        session = botocore.session.get_session()
        session.register("before-send", self._answer)
        boto3.setup_default_session(botocore_session=session)

    def _answer(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        target = request.headers.get("X-Amz-Target", b"")
        operation = (target.decode() if isinstance(target, bytes) else target).rpartition(".")[
            2
        ] or "PutEvents"
        self.calls[operation] += 1
        body = json.loads(request.body or b"{}")
        answer = {"PutRecords": self._put_records, "GetItem": self._get_item, "PutEvents": self._put_events}[
            operation
        ](body)
        content = json.dumps(answer).encode()
        raw = _Raw(content)
        return AWSResponse(request.url, 200, {"content-length": str(len(content))}, raw)

    def _put_records(self, body: dict[str, Any]) -> dict[str, Any]:
        self._on_records([record["Data"] for record in body["Records"]])
        return {
            "FailedRecordCount": 0,
            "Records": [{"SequenceNumber": "1", "ShardId": "shard-0"} for _ in body["Records"]],
        }

    def _get_item(self, body: dict[str, Any]) -> dict[str, Any]:
        colour = body["Key"]["key"]["S"].partition("#")[2]
        if colour not in self._colours:
            return {}
        texts = {
            "key": f"open-colour#{colour}",
            "colour": colour,
            "tracking_id": f"tracker-{colour}",
            "dataset_group_arn": "arn",
            "run_id": "run",
        }
        return {"Item": {**{name: {"S": text} for name, text in texts.items()}, "cutoff": {"N": "0"}}}

    def _put_events(self, body: dict[str, Any]) -> dict[str, Any]:
        self.events += len(body["eventList"])
        return {}


class _Raw(io.BytesIO):
    """What botocore reads a body from."""

    def stream(self, **_: Any) -> Any:
        content = self.read()
        while content:
            yield content
            content = self.read()
