"""Log lines that a subscription filter matches arrive in S3 as rows, by way of Firehose."""

from __future__ import annotations

import base64
import gzip
import json
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import duckdb
import pytest

from local_cloud.connection import ACCOUNT, REGION, Connection

COLUMNS = [("unit_id", "string"), ("items", "int"), ("failures", "array<string>")]


class Subscribed:
    """A log group whose lines with a `unit_id` become Parquet in a bucket."""

    def __init__(self, cloud: Connection, folder: Path, cleanup: ExitStack) -> None:
        self.cloud, self.folder, self.name = cloud, folder, f"exposures-{uuid.uuid4()}"
        self.logs, self.s3, self.iam = cloud.client("logs"), cloud.client("s3"), cloud.client("iam")
        firehose, glue = cloud.client("firehose"), cloud.client("glue")
        self.s3.create_bucket(Bucket=self.name)
        glue.create_database(DatabaseInput={"Name": self.name})
        cleanup.callback(glue.delete_database, Name=self.name)
        columns = [{"Name": name, "Type": kind} for name, kind in COLUMNS]
        glue.create_table(
            DatabaseName=self.name, TableInput={"Name": "rows", "StorageDescriptor": {"Columns": columns}}
        )
        trust = {"Statement": {"Effect": "Allow", "Principal": {"Service": "logs.amazonaws.com"},
                               "Action": "sts:AssumeRole"}}  # fmt: skip
        role = self.iam.create_role(RoleName=self.name, AssumeRolePolicyDocument=json.dumps(trust))
        role_arn = role["Role"]["Arn"]
        self.allow("firehose:PutRecordBatch")
        firehose.create_delivery_stream(
            DeliveryStreamName=self.name,
            ExtendedS3DestinationConfiguration={
                "BucketARN": f"arn:aws:s3:::{self.name}",
                "RoleARN": role_arn,
                "Prefix": "rows/day=!{timestamp:yyyy-MM-dd}/",
                "ErrorOutputPrefix": "failed/!{firehose:error-output-type}/",
                "ProcessingConfiguration": {
                    "Enabled": True,
                    "Processors": [{"Type": "Decompression"}, {"Type": "CloudWatchLogProcessing"}],
                },
                "DataFormatConversionConfiguration": {
                    "Enabled": True,
                    "InputFormatConfiguration": {"Deserializer": {"OpenXJsonSerDe": {}}},
                    "OutputFormatConfiguration": {"Serializer": {"ParquetSerDe": {}}},
                    "SchemaConfiguration": {
                        "DatabaseName": self.name, "TableName": "rows", "RoleARN": role_arn,
                    },
                },
            },
        )  # fmt: skip
        cleanup.callback(firehose.delete_delivery_stream, DeliveryStreamName=self.name)
        self.logs.create_log_group(logGroupName=self.name)
        cleanup.callback(self.logs.delete_log_group, logGroupName=self.name)
        self.logs.create_log_stream(logGroupName=self.name, logStreamName="s")
        self.logs.put_subscription_filter(
            logGroupName=self.name,
            filterName="with-a-unit",
            filterPattern='{ $.unit_id = "*" }',
            destinationArn=f"arn:aws:firehose:{REGION}:{ACCOUNT}:deliverystream/{self.name}",
            roleArn=role_arn,
        )

    def allow(self, action: str) -> None:
        """The filter's role may do this with any delivery stream, and nothing else."""
        policy = {"Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]}
        self.iam.put_role_policy(RoleName=self.name, PolicyName="p", PolicyDocument=json.dumps(policy))

    def say(self, *lines: str) -> None:
        events = [{"timestamp": int(time.time() * 1000), "message": line} for line in lines]
        self.logs.put_log_events(logGroupName=self.name, logStreamName="s", logEvents=events)

    def keys(self, folder: str) -> list[str]:
        listed = self.s3.list_objects_v2(Bucket=self.name, Prefix=folder)
        return [each["Key"] for each in listed.get("Contents", ())]

    def rows(self) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = []
        for key in self.keys("rows/day=20"):
            path = self.folder / key.rpartition("/")[2]
            path.write_bytes(self.s3.get_object(Bucket=self.name, Key=key)["Body"].read())
            with duckdb.connect() as database:
                rows += database.execute("SELECT * FROM read_parquet(?)", [str(path)]).fetchall()
        return sorted(rows)

    def lost(self) -> float:
        found = self.cloud.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/Logs",
            MetricName="DeliveryErrors",
            Dimensions=[
                {"Name": "LogGroupName", "Value": self.name},
                {"Name": "DestinationType", "Value": "Firehose"},
                {"Name": "FilterName", "Value": "with-a-unit"},
            ],
            StartTime=time.time() - 600,
            EndTime=time.time() + 600,
            Period=3600,
            Statistics=["Sum"],
        )
        return float(sum(point["Sum"] for point in found["Datapoints"]))


@pytest.fixture
def subscribed(cloud: Connection, tmp_path: Path) -> Iterator[Subscribed]:
    with ExitStack() as cleanup:
        yield Subscribed(cloud, tmp_path, cleanup)


def until(holds: Callable[[], bool], *, within: float = 30) -> None:
    deadline = time.monotonic() + within
    while not holds():
        assert time.monotonic() < deadline, f"not within {within:.0f} s"
        time.sleep(0.02)


def line(unit: str, **fields: Any) -> str:
    return json.dumps({"_aws": {"Timestamp": 1}, "unit_id": unit, "Fallbacks": 0, **fields})


def test_lines_with_the_field_become_rows_and_others_do_not(subscribed: Subscribed) -> None:
    subscribed.say(
        "START RequestId: 1", line("a", items=3, failures=["TimedOut"]), json.dumps({"items": 1}), line("b")
    )
    subscribed.say(line("c", failures=[]))
    until(lambda: len(subscribed.rows()) >= 3)
    assert subscribed.rows() == [("a", 3, ["TimedOut"]), ("b", None, None), ("c", None, [])]
    assert len(subscribed.keys("")) == len(subscribed.keys("rows/"))


def test_what_does_not_fit_the_table_goes_to_the_error_folder(subscribed: Subscribed) -> None:
    subscribed.say(line("a", items="many"))
    until(lambda: subscribed.keys("failed/") != [])
    (key,) = subscribed.keys("failed/")
    assert key.startswith("failed/format-conversion-failed/")
    told = json.loads(subscribed.s3.get_object(Bucket=subscribed.name, Key=key)["Body"].read())
    # As it came, so that it can be put again
    record = gzip.decompress(base64.b64decode(told["rawData"]))
    assert [event["message"] for event in json.loads(record)["logEvents"]] == [line("a", items="many")]


def test_a_record_that_is_not_of_logs_goes_to_the_error_folder(subscribed: Subscribed) -> None:
    subscribed.cloud.client("firehose").put_record(
        DeliveryStreamName=subscribed.name, Record={"Data": b"no gzip"}
    )
    until(lambda: subscribed.keys("failed/") != [])
    assert [key.split("/")[1] for key in subscribed.keys("failed/")] == ["decompression-failed"]


def test_without_the_right_lines_are_lost_and_counted(subscribed: Subscribed) -> None:
    subscribed.allow("firehose:DescribeDeliveryStream")
    subscribed.say(line("a"), line("b"))
    until(lambda: subscribed.lost() == 2)
    assert subscribed.keys("") == []
