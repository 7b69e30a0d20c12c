"""Functions that are fed from a Kinesis stream, and what becomes of records they fail on."""

from __future__ import annotations

import io
import json
import sys
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from local_cloud.connection import Connection

# Notes what it is given, then fails on what the file `bad` names: as a whole, or as REPORTS says
FUNCTION = """
import base64, json, os, pathlib

def handle(event, context):
    folder = pathlib.Path(os.environ["FOLDER"])
    records = [record["kinesis"] for record in event["Records"]]
    names = [base64.b64decode(record["data"]).decode() for record in records]
    with (folder / "seen").open("a") as seen:
        seen.write(json.dumps(names) + "\\n")
    bad = (folder / "bad").read_text().split()
    failed = [record["sequenceNumber"] for record, name in zip(records, names) if name in bad]
    if failed and not os.environ["REPORTS"]:
        raise ValueError("bad records")
    return {"batchItemFailures": [{"itemIdentifier": number} for number in failed]}
"""


def until(holds: Callable[[], bool], *, within: float = 30) -> None:
    deadline = time.monotonic() + within
    while not holds():
        assert time.monotonic() < deadline, f"not within {within:.0f} s"
        time.sleep(0.02)


class Mapped:
    """A stream of one shard, mapped to a function.

    :param may_send: the function's role may send to the queue for discarded records.
    """

    def __init__(
        self, cloud: Connection, folder: Path, cleanup: ExitStack, *, reports: bool, may_send: bool
    ) -> None:
        self.kinesis, self.sqs = cloud.client("kinesis"), cloud.client("sqs")
        self.lambda_, self.iam = cloud.client("lambda"), cloud.client("iam")
        self.name = f"mapped-{uuid.uuid4()}"
        self.folder = folder
        self.fails_on("")
        (folder / "seen").touch()

        self.kinesis.create_stream(StreamName=self.name, ShardCount=1)
        cleanup.callback(self.kinesis.delete_stream, StreamName=self.name)
        self.stream_arn = self.kinesis.describe_stream_summary(StreamName=self.name)[
            "StreamDescriptionSummary"
        ]["StreamARN"]
        self.queue = self.sqs.create_queue(QueueName=self.name)["QueueUrl"]
        cleanup.callback(self.sqs.delete_queue, QueueUrl=self.queue)
        self.queue_arn = self.sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=["QueueArn"])[
            "Attributes"
        ]["QueueArn"]
        role = self._role(cleanup, may_send=may_send)
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as archive:
            archive.writestr("function.py", FUNCTION)
        self.lambda_.create_function(
            FunctionName=self.name,
            Runtime=f"python{sys.version_info.major}.{sys.version_info.minor}",
            Role=role,
            Handler="function.handle",
            Code={"ZipFile": code.getvalue()},
            Environment={"Variables": {"FOLDER": str(folder), "REPORTS": "yes" if reports else ""}},
        )
        cleanup.callback(self.lambda_.delete_function, FunctionName=self.name)
        self._cleanup = cleanup

    def _role(self, cleanup: ExitStack, *, may_send: bool) -> str:
        trust = {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
        arn: str = self.iam.create_role(
            RoleName=self.name, AssumeRolePolicyDocument=json.dumps({"Statement": [trust]})
        )["Role"]["Arn"]
        cleanup.callback(self.iam.delete_role, RoleName=self.name)
        rights = {
            "Effect": "Allow",
            "Action": "sqs:SendMessage" if may_send else "sqs:ReceiveMessage",
            "Resource": self.queue_arn,
        }
        self.iam.put_role_policy(
            RoleName=self.name, PolicyName="rights", PolicyDocument=json.dumps({"Statement": [rights]})
        )
        cleanup.callback(self.iam.delete_role_policy, RoleName=self.name, PolicyName="rights")
        return arn

    def map(self, **settings: Any) -> None:
        mapping = self.lambda_.create_event_source_mapping(
            EventSourceArn=self.stream_arn,
            FunctionName=self.name,
            **{"StartingPosition": "TRIM_HORIZON", "BatchSize": 100, **settings},
        )
        self._cleanup.callback(self.lambda_.delete_event_source_mapping, UUID=mapping["UUID"])

    def to_queue(self) -> dict[str, Any]:
        return {"OnFailure": {"Destination": self.queue_arn}}

    def put(self, names: Sequence[str]) -> list[dict[str, Any]]:
        records = [{"Data": name.encode(), "PartitionKey": name} for name in names]
        answer: list[dict[str, Any]] = self.kinesis.put_records(StreamName=self.name, Records=records)[
            "Records"
        ]
        return answer

    def fails_on(self, names: str) -> None:
        (self.folder / "bad").write_text(" ".join(names))

    def seen(self) -> list[str]:
        """The batches that the function was given."""
        return ["".join(json.loads(line)) for line in (self.folder / "seen").read_text().splitlines()]

    def discarded(self) -> list[dict[str, Any]]:
        messages = self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages", ())
        return [json.loads(message["Body"]) for message in messages]


Define = Callable[..., Mapped]


@pytest.fixture
def define(cloud: Connection, tmp_path: Path) -> Iterator[Define]:
    with ExitStack() as cleanup:
        yield lambda *, reports=False, may_send=True: Mapped(
            cloud, tmp_path, cleanup, reports=reports, may_send=may_send
        )


def test_what_a_function_reports_comes_again_with_all_after_it_and_nothing_before(define: Define) -> None:
    mapped = define(reports=True)
    mapped.fails_on("c")
    mapped.put("abcd")
    mapped.map(FunctionResponseTypes=["ReportBatchItemFailures"])
    until(lambda: len(mapped.seen()) > 3)
    mapped.put("e")
    mapped.fails_on("")
    until(lambda: mapped.seen()[-1].endswith("e"))
    first, *again, last = mapped.seen()
    assert (first, set(again), last) == ("abcd", {"cd"}, "e")


def test_retries_are_neither_many_nor_far_apart(define: Define) -> None:
    mapped = define()
    mapped.fails_on("a")
    mapped.put("a")
    mapped.map(MaximumRetryAttempts=4, DestinationConfig=mapped.to_queue())
    until(lambda: len(mapped.seen()) > 0)
    began = time.monotonic()
    mapped.put("b")
    until(lambda: mapped.seen()[-1] == "b")
    assert mapped.seen() == ["a"] * 5 + ["b"]
    assert 1 < time.monotonic() - began < 15


def test_the_bad_record_is_found_and_told_of_and_those_after_it_go_on(define: Define) -> None:
    mapped = define()
    mapped.fails_on("c")
    put = mapped.put("abcd")
    mapped.map(BisectBatchOnFunctionError=True, MaximumRetryAttempts=1, DestinationConfig=mapped.to_queue())
    until(lambda: mapped.seen()[-1:] == ["d"])
    assert mapped.seen() == ["abcd", "ab", "cd", "c", "c", "d"]
    (message,) = mapped.discarded()
    batch = message["KinesisBatchInfo"]
    assert message["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert (batch["batchSize"], batch["streamArn"]) == (1, mapped.stream_arn)
    assert batch["startSequenceNumber"] == batch["endSequenceNumber"] == put[2]["SequenceNumber"]
    # As the message says, the record itself is still to be had from the stream
    iterator = mapped.kinesis.get_shard_iterator(
        StreamName=mapped.name,
        ShardId=batch["shardId"],
        ShardIteratorType="AT_SEQUENCE_NUMBER",
        StartingSequenceNumber=batch["startSequenceNumber"],
    )["ShardIterator"]
    assert mapped.kinesis.get_records(ShardIterator=iterator)["Records"][0]["Data"] == b"c"


def test_a_role_that_may_not_send_leaves_the_queue_empty_and_the_shard_moving(define: Define) -> None:
    mapped = define(may_send=False)
    mapped.fails_on("a")
    mapped.put("a")
    mapped.map(MaximumRetryAttempts=0, DestinationConfig=mapped.to_queue())
    until(lambda: mapped.seen() == ["a"])
    mapped.put("b")
    until(lambda: mapped.seen() == ["a", "b"])
    assert mapped.discarded() == []


def test_latest_begins_where_the_stream_ended_when_the_mapping_was_made(define: Define) -> None:
    mapped = define()
    mapped.put("a")
    mapped.map(StartingPosition="LATEST")
    mapped.put("b")
    until(lambda: len(mapped.seen()) > 0)
    assert mapped.seen() == ["b"]


def test_after_a_split_children_are_read_from_their_beginning_once_the_parent_is_done(define: Define) -> None:
    mapped = define()
    mapped.map(StartingPosition="LATEST")
    mapped.fails_on("a")
    mapped.put("a")
    until(lambda: len(mapped.seen()) > 0)
    mapped.put("b")
    mapped.kinesis.split_shard(
        StreamName=mapped.name, ShardToSplit="shardId-000000000000", NewStartingHashKey=str(2**127)
    )
    children = {each["ShardId"] for each in mapped.put("cdefghi")}
    assert len(children) == 2
    failed = len(mapped.seen())
    until(lambda: len(mapped.seen()) > failed)
    mapped.fails_on("")
    until(lambda: set("bcdefghi") <= set("".join(mapped.seen())))
    assert "".join(dict.fromkeys("".join(mapped.seen()))).startswith("ab")
    assert sorted("".join(mapped.seen()).replace("a", "")) == list("bcdefghi")


def test_a_batch_waits_for_its_window_unless_it_is_full(define: Define) -> None:
    mapped = define()
    mapped.map(MaximumBatchingWindowInSeconds=3, BatchSize=3)
    mapped.put("abcde")
    until(lambda: mapped.seen() == ["abc"])
    mapped.put("f")
    until(lambda: mapped.seen() == ["abc", "def"])
    began = time.monotonic()
    mapped.put("g")
    until(lambda: mapped.seen() == ["abc", "def", "g"])
    assert time.monotonic() - began > 2.9
