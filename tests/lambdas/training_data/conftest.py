"""A lake in memory: Parquet files behind as much of an S3 client as the function uses."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import duckdb
import pytest

from tests.lambdas.training_data.java import home_of_java
from training_data.database import DuckDb, define_table
from training_data.export import Export
from training_data.lake_files import Lake
from training_data.settings import Settings
from vocabulary.lake import EVENT_COLUMNS, ITEM_COLUMNS, ITEMS_FOLDER, USER_COLUMNS, USERS_FOLDER, Column
from vocabulary.placements import Placement

Row = dict[str, Any]

CUTOFF = int(datetime(2026, 11, 24, 3, tzinfo=UTC).timestamp() * 1000)
_FOLDERS = {
    "events": ("events", EVENT_COLUMNS),
    "items": (ITEMS_FOLDER, ITEM_COLUMNS),
    "users": (USERS_FOLDER, USER_COLUMNS),
}


class FakeS3:
    """Objects by bucket and key; lists in pages of two, so that paging is always met.

    `now` is what its clock says, in unix milliseconds.
    """

    def __init__(self) -> None:
        self.now = CUTOFF
        self.objects: dict[tuple[str, str], tuple[bytes, datetime]] = {}
        self.metadata: dict[str, dict[str, str]] = {}
        self.read: list[str] = []

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, ContentType: str = "") -> None:
        self.objects[Bucket, Key] = (Body, datetime.fromtimestamp(self.now / 1000, UTC))

    def upload_file(
        self, filename: str, bucket: str, key: str, ExtraArgs: dict[str, Any] | None = None
    ) -> None:
        self.put_object(Bucket=bucket, Key=key, Body=Path(filename).read_bytes())
        self.metadata[key] = (ExtraArgs or {}).get("Metadata", {})

    def download_file(self, bucket: str, key: str, filename: str) -> None:
        Path(filename).write_bytes(self.objects[bucket, key][0])

    def head_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        return {"Metadata": self.metadata.get(Key, {}), "LastModified": self.objects[Bucket, Key][1]}

    def delete_object(self, *, Bucket: str, Key: str) -> None:
        self.objects.pop((Bucket, Key), None)

    def copy(self, source: dict[str, str], bucket: str, key: str) -> None:
        self.put_object(Bucket=bucket, Key=key, Body=self.objects[source["Bucket"], source["Key"]][0])

    def get_object(self, *, Bucket: str, Key: str, Range: str = "bytes=0-") -> dict[str, Any]:
        self.read.append(Key)
        first = int(Range.removeprefix("bytes=").removesuffix("-"))
        return {"Body": io.BytesIO(self.objects[Bucket, Key][0][first:])}

    def download_fileobj(self, bucket: str, key: str, target: BinaryIO, Config: object) -> None:
        target.write(self.get_object(Bucket=bucket, Key=key)["Body"].read())

    def get_paginator(self, operation: str) -> FakeS3:
        assert operation == "list_objects_v2"
        return self

    def paginate(self, *, Bucket: str, Prefix: str, StartAfter: str = "") -> Iterator[dict[str, Any]]:
        found = [
            {"Key": key, "Size": len(body), "LastModified": written}
            for (bucket, key), (body, written) in sorted(self.objects.items())
            if bucket == Bucket and key.startswith(Prefix) and key > StartAfter
        ]
        yield from ({"Contents": found[start : start + 2]} for start in range(0, len(found), 2))
        yield {"KeyCount": 0}


@dataclass
class Exported:
    """What one export left in the training bucket."""

    answer: dict[str, Any]
    objects: dict[str, bytes]

    def files(self, kind: str) -> dict[str, bytes]:
        """Everything in the folder of a kind, by key."""
        return {key: body for key, body in self.objects.items() if key.startswith(f"runs/run/{kind}/")}

    def text(self, kind: str) -> str:
        return self.objects[f"runs/run/{kind}/{kind}.csv"].decode()

    def rows(self, kind: str = "interactions") -> list[Row]:
        """Read as the developer guide describes the format, by a reader that is not ours."""
        rows = []
        for body in self.files(kind).values():
            text = io.StringIO(body.decode(), newline="")
            header, *lines = csv.reader(text, escapechar="\\", doublequote=False, strict=True)
            rows += [dict(zip(header, line, strict=True)) for line in lines]
        return rows

    @property
    def report(self) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads(self.objects["runs/run/report.json"])
        return loaded

    def dropped(self) -> dict[str, int]:
        """The rules that dropped anything, and how many rows."""
        rules = self.report["interactions"]["dropped"].items()
        return {name: rule["rows"] for name, rule in rules if rule["rows"]}


@dataclass
class LakeInMemory:
    """Writes the lake and runs exports of it."""

    folder: Path
    s3: FakeS3 = field(default_factory=FakeS3)
    settings: Settings = field(
        default_factory=lambda: Settings(
            environment="test",
            lake_bucket="lake",
            training_bucket="training",
            placements=(Placement(name="recommended-for-you"), Placement(name="similar-items")),
            history_days=30,
            event_types=("view", "purchase"),
            minimum_interactions=1000,
        )
    )
    _runs: int = 0

    @property
    def lake(self) -> Lake:
        return Lake(self.s3, "lake")

    def put(self, kind: str, rows: Sequence[Row], *, day: str, without: Sequence[str] = ()) -> str:
        """Write one Parquet file into the partition of a day; answer its key."""
        folder, columns = _FOLDERS[kind]
        path = self.folder / "out.parquet"
        with duckdb.connect() as connection:
            table(connection, rows, columns)
            kept = ", ".join(column.name for column in columns if column.name not in without)
            connection.execute(f"COPY (SELECT {kept} FROM rows) TO '{path}' (FORMAT parquet)")
        key = f"{folder}/day={day}/{len(self.s3.objects):04}.parquet"
        self.s3.put_object(Bucket="lake", Key=key, Body=path.read_bytes())
        return key

    def put_events(self, *events: Row) -> None:
        """One file per day of receipt."""
        by_day: dict[str, list[Row]] = {}
        for event in events:
            day = datetime.fromtimestamp(event["received_at"] / 1000, UTC).date().isoformat()
            by_day.setdefault(day, []).append(event)
        for day, rows in by_day.items():
            self.put("events", rows, day=day)

    def new_folder(self) -> Path:
        self._runs += 1
        folder = self.folder / f"run-{self._runs}"
        folder.mkdir()
        return folder

    def export(self, *, cutoff: int = CUTOFF, **changed: Any) -> Exported:
        settings = replace(self.settings, **changed)
        answer = Export(settings, self.lake, self.s3, self.new_folder()).run("run", cutoff)
        objects = {key: body for (bucket, key), (body, _) in self.s3.objects.items() if bucket == "training"}
        return Exported(answer, objects)

    def export_with_spark(self, spark: Any, *, cutoff: int = CUTOFF, **changed: Any) -> Exported:
        """By a job, which reads and writes files on disk in place of S3."""
        from training_data_job.export import SparkExport

        folder = self.new_folder()
        for (bucket, key), (body, _) in self.s3.objects.items():
            if bucket == "lake":
                path = folder / "lake" / key
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(body)
        settings = replace(self.settings, **changed)
        at = {"lake_at": (folder / "lake").as_uri(), "training_at": (folder / "training").as_uri()}
        answer = SparkExport(settings, self.lake, self.s3, spark, **at).run("run", cutoff)
        objects = {
            key: body
            for (bucket, key), (body, _) in self.s3.objects.items()
            if bucket == "training" and not key.endswith(".csv")
        }
        written = (path for path in (folder / "training").rglob("*") if path.is_file())
        # Hadoop keeps sums of what it writes to a disk
        shown = [path for path in written if path.suffix != ".crc"]
        objects |= {path.relative_to(folder / "training").as_posix(): path.read_bytes() for path in shown}
        return Exported(answer, objects)


def table(connection: duckdb.DuckDBPyConnection, rows: Sequence[Row], columns: Sequence[Column]) -> None:
    """Make the table `rows`, typed like a table of the lake."""
    define_table(DuckDb(connection), "empty", columns, Path("/nowhere"))
    connection.execute("CREATE TABLE rows AS SELECT * FROM empty")
    described = connection.execute("DESCRIBE rows").fetchall()
    lists = ", ".join(f"unnest(CAST(? AS {kind}[]))" for _, kind, *_ in described)
    values = [[row.get(column.name) for row in rows] for column in columns]
    connection.execute(f"INSERT INTO rows SELECT {lists}", values)


@pytest.fixture
def lake(tmp_path: Path) -> LakeInMemory:
    return LakeInMemory(tmp_path)


@pytest.fixture(scope="module")
def lake_of_module(tmp_path_factory: pytest.TempPathFactory) -> LakeInMemory:
    return LakeInMemory(tmp_path_factory.mktemp("lake"))


@pytest.fixture(scope="session")
def cutoff() -> int:
    """24 November 2026, 03:00 UTC, in unix milliseconds."""
    return CUTOFF


@pytest.fixture(scope="session")
def spark() -> Iterator[Any]:
    """Spark as the engine, on a local JVM."""
    pytest.importorskip("pyspark", reason="NOT RUN: `make spark` installs Spark, which this needs")
    from pyspark.sql import SparkSession

    from training_data_job.spark_engine import SETTINGS, Spark

    java = home_of_java()
    if java is None:
        pytest.skip("NOT RUN: no Java 17; `make spark` installs one")
    local = {
        "spark.master": "local[1]",
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
        "spark.ui.enabled": "false",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.ui.showConsoleProgress": "false",
        # Of so few rows, to compile each query takes longer than to run it
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        "spark.sql.shuffle.partitions": "1",
        "spark.sql.adaptive.enabled": "false",
        "spark.log.level": "ERROR",
    }
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("JAVA_HOME", java)
        session = SparkSession.builder.config(map={**SETTINGS, **local}).getOrCreate()
        yield Spark(session)
        session.stop()


@pytest.fixture
def make_table() -> Callable[[duckdb.DuckDBPyConnection, Sequence[Row], Sequence[Column]], None]:
    return table


@pytest.fixture
def event() -> Callable[..., Row]:
    """An event that every rule lets through, but for what is said otherwise."""
    made = 0

    def make(**said: Any) -> Row:
        nonlocal made
        made += 1
        received = said.get("received_at", CUTOFF - 3_600_000)
        return {
            "event_id": f"event-{made}",
            "received_at": received,
            "sent_at": received - 1500,
            "session_id": f"session-{made}",
            "user_id": "ada",
            "event_type": "view",
            "item_id": f"item-{made}",
            "value": None,
            **said,
        }

    return make
