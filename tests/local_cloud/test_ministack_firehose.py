"""Delivery streams to S3: what arrives, in how many objects, and how long whoever put it waits."""

from __future__ import annotations

import base64
import json
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest

from local_cloud.connection import Connection

COLUMNS = [("id", "string"), ("at", "bigint"), ("value", "double"), ("shown", "array<string>")]


class Lake:
    """A Kinesis stream that Firehose delivers to a bucket, as Parquet of a Glue table."""

    def __init__(self, cloud: Connection, folder: Path, cleanup: ExitStack) -> None:
        self.kinesis, self.s3 = cloud.client("kinesis"), cloud.client("s3")
        self.firehose, glue = cloud.client("firehose"), cloud.client("glue")
        self.folder = folder
        self.name, self.elsewhere = f"lake-{uuid.uuid4()}", f"elsewhere-{uuid.uuid4()}"
        self.s3.create_bucket(Bucket=self.name)
        glue.create_database(DatabaseInput={"Name": self.name})
        cleanup.callback(glue.delete_database, Name=self.name)
        columns = [{"Name": name, "Type": kind} for name, kind in COLUMNS]
        glue.create_table(
            DatabaseName=self.name, TableInput={"Name": "events", "StorageDescriptor": {"Columns": columns}}
        )
        self.kinesis.create_stream(StreamName=self.name, ShardCount=1)
        cleanup.callback(self.kinesis.delete_stream, StreamName=self.name)
        stream = self.kinesis.describe_stream_summary(StreamName=self.name)["StreamDescriptionSummary"]
        role = cloud.client("iam").create_role(
            RoleName=self.name,
            AssumeRolePolicyDocument=json.dumps(
                {
                    "Statement": {
                        "Effect": "Allow",
                        "Principal": {"Service": "firehose.amazonaws.com"},
                        "Action": "sts:AssumeRole",
                    }
                }
            ),
        )["Role"]["Arn"]
        self._source = {"KinesisStreamARN": stream["StreamARN"], "RoleARN": role}
        self.firehose.create_delivery_stream(
            DeliveryStreamName=self.name,
            DeliveryStreamType="KinesisStreamAsSource",
            KinesisStreamSourceConfiguration=self._source,
            ExtendedS3DestinationConfiguration={
                "BucketARN": f"arn:aws:s3:::{self.name}",
                "RoleARN": role,
                "Prefix": "events/day=!{timestamp:yyyy-MM-dd}/",
                "ErrorOutputPrefix": "failed/!{firehose:error-output-type}/day=!{timestamp:yyyy-MM-dd}/",
                "DataFormatConversionConfiguration": {
                    "Enabled": True,
                    "InputFormatConfiguration": {"Deserializer": {"OpenXJsonSerDe": {}}},
                    "OutputFormatConfiguration": {"Serializer": {"ParquetSerDe": {}}},
                    "SchemaConfiguration": {
                        "DatabaseName": self.name, "TableName": "events", "RoleARN": role,
                    },
                },
            },
        )  # fmt: skip
        cleanup.callback(self.firehose.delete_delivery_stream, DeliveryStreamName=self.name)

    @contextmanager
    def delivered_elsewhere(self, *, from_stream: bool = True) -> Iterator[Callable[[], bytes]]:
        """A second delivery stream, to a bucket of its own and as it is; answers how to read that."""
        self.s3.create_bucket(Bucket=self.elsewhere)
        source = {
            "DeliveryStreamType": "KinesisStreamAsSource", "KinesisStreamSourceConfiguration": self._source,
        } if from_stream else {}  # fmt: skip
        self.firehose.create_delivery_stream(
            DeliveryStreamName=self.elsewhere,
            ExtendedS3DestinationConfiguration={
                "BucketARN": f"arn:aws:s3:::{self.elsewhere}", "RoleARN": self._source["RoleARN"],
            },
            **source,
        )  # fmt: skip
        yield lambda: b"".join(
            self.content(key, bucket=self.elsewhere) for key in self.objects("", bucket=self.elsewhere)
        )
        self.firehose.delete_delivery_stream(DeliveryStreamName=self.elsewhere)

    def put(self, records: list[bytes]) -> None:
        entries = [{"Data": each, "PartitionKey": "p"} for each in records]
        assert self.kinesis.put_records(StreamName=self.name, Records=entries)["FailedRecordCount"] == 0

    def objects(self, folder: str, *, bucket: str = "") -> list[str]:
        """Keys, oldest first."""
        listed = self.s3.list_objects_v2(Bucket=bucket or self.name, Prefix=folder)
        contents = sorted(listed.get("Contents", ()), key=lambda each: each["LastModified"])
        return [each["Key"] for each in contents]

    def content(self, key: str, *, bucket: str = "") -> bytes:
        content: bytes = self.s3.get_object(Bucket=bucket or self.name, Key=key)["Body"].read()
        return content

    def rows(self) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = []
        for key in self.objects("events/"):
            path = self.folder / key.rpartition("/")[2]
            path.write_bytes(self.content(key))
            with duckdb.connect() as database:
                rows += database.execute("SELECT * FROM read_parquet(?)", [str(path)]).fetchall()
        return sorted(rows)


@pytest.fixture
def lake(cloud: Connection, tmp_path: Path) -> Iterator[Lake]:
    with ExitStack() as cleanup:
        yield Lake(cloud, tmp_path, cleanup)


def until(holds: Callable[[], bool], *, within: float = 30) -> None:
    deadline = time.monotonic() + within
    while not holds():
        assert time.monotonic() < deadline, f"not within {within:.0f} s"
        time.sleep(0.02)


def record(number: int, **fields: Any) -> bytes:
    return json.dumps({"id": f"{number:04}", "at": 1_700_000_000_000 + number, **fields}).encode()


def test_a_request_is_answered_before_its_records_are_parquet_and_they_share_few_objects(lake: Lake) -> None:
    began = time.monotonic()
    for hundred in range(0, 1000, 100):
        lake.put([record(number) for number in range(hundred, hundred + 100)])
    answered = time.monotonic() - began
    until(lambda: len(lake.rows()) >= 1000)
    assert [row[0] for row in lake.rows()] == [f"{number:04}" for number in range(1000)]
    assert answered < 5  # MiniStack alone takes more than 20 seconds
    assert len(lake.objects("events/")) <= 10
    assert len(lake.objects("")) == len(lake.objects("events/"))


def test_lists_and_nulls_come_back_as_they_were_put(lake: Lake) -> None:
    lake.put([record(1, shown=["a", "b"], value=2.5), record(2, shown=[], value=3), record(3, shown=None)])
    until(lambda: len(lake.rows()) == 3)
    at = 1_700_000_000_000
    assert lake.rows() == [
        ("0001", at + 1, 2.5, ["a", "b"]),
        ("0002", at + 2, 3.0, []),
        ("0003", at + 3, None, None),
    ]


def test_what_does_not_fit_the_table_goes_to_the_error_folder_and_the_rest_to_its_own(lake: Lake) -> None:
    bad = [b"{", b"[1]", b"", record(5, value="much"), b'{"id":', b'"x"}']
    lake.put([record(1), *bad, record(2), record(3)])
    until(lambda: len(lake.rows()) == 3 and len(lake.objects("failed/")) > 0)
    assert [row[0] for row in lake.rows()] == ["0001", "0002", "0003"]
    (key,) = lake.objects("failed/")
    assert key.startswith("failed/format-conversion-failed/day=20")
    failures = [json.loads(line) for line in lake.content(key).splitlines()]
    assert sorted(base64.b64decode(each["rawData"]) for each in failures) == sorted(bad)
    assert {each["dataCatalogTable"]["tableName"] for each in failures} == {"events"}


def test_what_was_put_while_the_bucket_was_away_arrives_when_it_is_back(lake: Lake) -> None:
    lake.s3.delete_bucket(Bucket=lake.name)
    with lake.delivered_elsewhere() as elsewhere:
        lake.put([record(1)])
        until(lambda: elsewhere() == record(1))
        lake.put([record(2)])
        # By then the first has been tried here for long
        until(lambda: elsewhere() == record(1) + record(2))
    lake.s3.create_bucket(Bucket=lake.name)
    until(lambda: len(lake.rows()) == 2)
    assert [row[0] for row in lake.rows()] == ["0001", "0002"]


def test_records_put_to_firehose_itself_are_joined_as_they_are(lake: Lake) -> None:
    with lake.delivered_elsewhere(from_stream=False) as elsewhere:
        answer = lake.firehose.put_record_batch(
            DeliveryStreamName=lake.elsewhere,
            Records=[{"Data": f"{number}\n".encode()} for number in range(3)],
        )
        assert answer["FailedPutCount"] == 0
        lake.firehose.put_record(DeliveryStreamName=lake.elsewhere, Record={"Data": b"3\n"})
        until(lambda: elsewhere() == b"0\n1\n2\n3\n")
