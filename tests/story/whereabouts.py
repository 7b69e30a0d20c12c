"""Where events lie: how often each is in the lake, raw and in its view, and in the data of a colour."""

from __future__ import annotations

import base64
import csv
import io
import json
import uuid
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from local_cloud.connection import ACCOUNT, Connection
from tests.story.deployment import until
from tests.story.shoppers import FIRST_SERIAL
from vocabulary.lake import EVENTS_FOLDER, EXPOSURES_FOLDER, FAILED_DELIVERY_FOLDER


@dataclass(frozen=True)
class Row:
    """An event in the lake; `received_at` in unix milliseconds."""

    event_id: str
    serial: int
    received_at: int
    session_id: str
    user_id: str | None


@dataclass(frozen=True)
class InColour:
    """How often a colour has each event, by its serial."""

    bulk: Counter[int]
    streamed: Counter[int]


class LakeRead:
    """The lake's events at one moment, through the view that is deployed.

    :param raw: every row that was delivered, repeats too.
    :param view: what the view `events` shows.
    """

    def __init__(self, connection: Connection, bucket: str, database: str) -> None:
        with TemporaryDirectory() as folder:
            self.files = _download(connection.client("s3"), bucket, f"{EVENTS_FOLDER}/", Path(folder))
            with duckdb.connect() as lake:
                lake.execute(f"CREATE SCHEMA {database}")
                # DuckDB's names for functions of Athena
                lake.execute("CREATE MACRO from_unixtime(seconds) AS to_timestamp(seconds)")
                lake.execute(
                    f"CREATE TABLE {database}.raw_events AS SELECT * FROM"
                    f" read_parquet('{folder}/**/*.parquet', hive_partitioning = true, union_by_name = true)"
                )
                view = _view(connection.client("glue"), database, "events")
                self.raw = _rows(lake, f"{database}.raw_events")
                self.view = _rows(lake, f"({view})")


def _rows(lake: duckdb.DuckDBPyConnection, table: str) -> list[Row]:
    found = lake.execute(
        f"SELECT event_id, CAST(value AS BIGINT), received_at, session_id, user_id FROM {table} AS t"
        f" WHERE value >= {FIRST_SERIAL} AND event_type = 'view'"
    ).fetchall()
    return [Row(*each) for each in found]


def _view(glue: Any, database: str, name: str) -> str:
    """The SQL of a view, as Athena reads it from Glue."""
    text = glue.get_table(DatabaseName=database, Name=name)["Table"]["ViewOriginalText"]
    encoded = text.removeprefix("/* Presto View: ").removesuffix(" */")
    return str(json.loads(base64.b64decode(encoded))["originalSql"])


def exposures(connection: Connection, bucket: str, database: str) -> list[dict[str, Any]]:
    """The lake's exposures, through the view that is deployed: column to value."""
    with TemporaryDirectory() as folder, duckdb.connect() as lake:
        if not _download(connection.client("s3"), bucket, f"{EXPOSURES_FOLDER}/", Path(folder)):
            return []
        lake.execute(f"CREATE SCHEMA {database}")
        lake.execute("CREATE MACRO from_unixtime(seconds) AS to_timestamp(seconds)")
        lake.execute(
            f"CREATE TABLE {database}.raw_exposures AS SELECT * FROM"
            f" read_parquet('{folder}/**/*.parquet', hive_partitioning = true, union_by_name = true)"
        )
        found = lake.execute(_view(connection.client("glue"), database, "exposures"))
        names = [each[0] for each in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def undelivered(connection: Connection, bucket: str) -> list[bytes]:
    """The records that Firehose could not convert."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        _download(connection.client("s3"), bucket, f"{FAILED_DELIVERY_FOLDER}/", folder)
        lines = [
            line for file in folder.rglob("*") if file.is_file() for line in file.read_text().splitlines()
        ]
    return [base64.b64decode(json.loads(line)["rawData"]) for line in lines if line]


def _download(s3: Any, bucket: str, prefix: str, folder: Path) -> int:
    count = 0
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for entry in page.get("Contents", ()):
            target = folder / entry["Key"]
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read())
            count += 1
    return count


class ColourReader:
    """Reads the data of colours as anybody may: by dataset export jobs."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._bucket = f"exports-{uuid.uuid4().hex[:8]}"
        s3, iam = connection.client("s3"), connection.client("iam")
        s3.create_bucket(Bucket=self._bucket)
        resources = [f"arn:aws:s3:::{self._bucket}", f"arn:aws:s3:::{self._bucket}/*"]
        allow = {"Effect": "Allow", "Action": ["s3:PutObject", "s3:ListBucket"], "Resource": resources}
        personalize = {"Service": "personalize.amazonaws.com"}
        s3.put_bucket_policy(Bucket=self._bucket, Policy=_policy({**allow, "Principal": personalize}))
        trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": personalize}
        iam.create_role(RoleName=self._bucket, AssumeRolePolicyDocument=_policy(trust))
        iam.put_role_policy(RoleName=self._bucket, PolicyName="write", PolicyDocument=_policy(allow))

    def read(self, dataset_group_arn: str) -> InColour:
        personalize = self._connection.client("personalize")
        (dataset,) = (
            each["datasetArn"]
            for each in personalize.list_datasets(datasetGroupArn=dataset_group_arn)["datasets"]
            if each["datasetType"].upper() == "INTERACTIONS"
        )
        return InColour(*(self._export(personalize, dataset, mode) for mode in ("BULK", "PUT")))

    def _export(self, personalize: Any, dataset: str, mode: str) -> Counter[int]:
        name = f"{mode.lower()}-{uuid.uuid4().hex[:8]}"
        job = personalize.create_dataset_export_job(
            jobName=name,
            datasetArn=dataset,
            ingestionMode=mode,
            roleArn=f"arn:aws:iam::{ACCOUNT}:role/{self._bucket}",
            jobOutput={"s3DataDestination": {"path": f"s3://{self._bucket}/{name}/"}},
        )["datasetExportJobArn"]

        def ended() -> bool:
            found = personalize.describe_dataset_export_job(datasetExportJobArn=job)["datasetExportJob"]
            assert found["status"] != "CREATE FAILED", found
            return bool(found["status"] == "ACTIVE")

        until(ended, f"the export {name}")
        s3 = self._connection.client("s3")
        serials: Counter[int] = Counter()
        for entry in s3.list_objects_v2(Bucket=self._bucket, Prefix=f"{name}/").get("Contents", ()):
            text = s3.get_object(Bucket=self._bucket, Key=entry["Key"])["Body"].read().decode()
            for record in csv.DictReader(io.StringIO(text), escapechar="\\", doublequote=False):
                value = float(record["EVENT_VALUE"] or 0)
                if value >= FIRST_SERIAL and record["EVENT_TYPE"] == "view":
                    serials[int(value)] += 1
        return serials


def _policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
