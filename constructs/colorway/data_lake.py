"""The lake: everything that happened, as Parquet that Athena, DuckDB and Spark read alike."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Sequence

import aws_cdk as cdk
from aws_cdk import aws_glue as glue
from aws_cdk import aws_s3 as s3
from constructs import Construct

from vocabulary import lake

_PARQUET = {
    "input": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    "output": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
    "serde": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
}

# from_unixtime answers a time with its zone, which Hive does not have, and Athena finds a view stale whose
# columns are of other types than it says (trinodb/trino#5688)
_EVENTS_VIEW = """\
SELECT {columns},
       CAST(from_unixtime(received_at / 1000.0) AS timestamp) AS received,
       CAST(from_unixtime(sent_at / 1000.0) AS timestamp) AS sent,
       day
FROM (
  SELECT *, row_number() OVER (PARTITION BY event_id ORDER BY received_at, day) AS occurrence
  FROM {database}.raw_events
  WHERE event_type NOT LIKE '{reserved}%'
)
WHERE occurrence = 1"""

_EXPOSURES_VIEW = """\
SELECT {columns},
       CAST(from_unixtime(exposed_at / 1000.0) AS timestamp) AS exposed,
       day
FROM (
  SELECT *, row_number() OVER (PARTITION BY request_id ORDER BY day) AS occurrence
  FROM {database}.raw_exposures
)
WHERE occurrence = 1"""

_ASIDE = (lake.FAILED_DELIVERY_FOLDER, lake.QUARANTINE_FOLDER, lake.FAILED_EXPOSURES_FOLDER)
"""What lies there is in no form that an erasure could read, so that it has to go by itself."""


class DataLake(Construct):
    """Define the lake bucket and the tables over it.

    `events_table` (`raw_events`) holds what the stream delivered, at least once;
    the view `events` holds each event once and is what people query. So with
    `exposures_table` (`raw_exposures`) and the view `exposures`.

    :param database_name: of the Glue database; letters, digits and '_'.
    :param keep_data: leave the bucket behind when the stack is destroyed.
    :param keep_events: how long events and exposures are kept after they were written, or None for ever.
    :param keep_aside: how long what could not be read or converted is kept, for somebody to mend.
    :param recover: for how long what was overwritten or deleted can be brought back, or None.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        database_name: str,
        keep_data: bool,
        keep_events: cdk.Duration | None = None,
        keep_aside: cdk.Duration = cdk.Duration.days(14),
        recover: cdk.Duration | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        kept = dict.fromkeys(_ASIDE, keep_aside)
        if keep_events:
            kept |= dict.fromkeys((lake.EVENTS_FOLDER, lake.EXPOSURES_FOLDER), keep_events)
        self.bucket = private_bucket(
            self,
            "Bucket",
            keep_data=keep_data,
            recover=recover,
            lifecycle=[s3.LifecycleRule(prefix=f"{each}/", expiration=kept[each]) for each in sorted(kept)],
        )
        self.database = glue.CfnDatabase(
            self,
            "Database",
            catalog_id=cdk.Aws.ACCOUNT_ID,
            database_input=glue.CfnDatabase.DatabaseInputProperty(
                name=database_name, description="Clickstream and catalogue"
            ),
        )
        self.events_table = self._define_table(
            "RawEvents", "raw_events", lake.EVENTS_FOLDER, lake.EVENT_COLUMNS, first_day="2020-01-01"
        )
        self.exposures_table = self._define_table(
            "RawExposures",
            "raw_exposures",
            lake.EXPOSURES_FOLDER,
            lake.EXPOSURE_COLUMNS,
            first_day="2026-01-01",
        )
        self._define_table("Items", "items", lake.ITEMS_FOLDER, lake.ITEM_COLUMNS, first_day="2010-01-01")
        self._define_table("Users", "users", lake.USERS_FOLDER, lake.USER_COLUMNS, first_day="2010-01-01")
        self._define_view(
            "Events",
            "events",
            _EVENTS_VIEW,
            self.events_table,
            [*lake.EVENT_COLUMNS, *_moments("received", "sent")],
            description="Each event once",
        )
        self._define_view(
            "Exposures",
            "exposures",
            _EXPOSURES_VIEW,
            self.exposures_table,
            [*lake.EXPOSURE_COLUMNS, *_moments("exposed")],
            description="What users of the experiment were shown, each request once",
        )

    def _define_table(
        self, construct_id: str, name: str, folder: str, columns: Iterable[lake.Column], *, first_day: str
    ) -> glue.CfnTable:
        location = f"s3://{self.bucket.bucket_name}/{folder}/"
        table = glue.CfnTable(
            self,
            construct_id,
            catalog_id=cdk.Aws.ACCOUNT_ID,
            database_name=self.database.ref,
            table_input=glue.CfnTable.TableInputProperty(
                name=name,
                table_type="EXTERNAL_TABLE",
                # Partitions are computed, not registered: nothing has to run when a new day begins
                parameters={
                    "classification": "parquet",
                    "projection.enabled": "true",
                    "projection.day.type": "date",
                    "projection.day.format": "yyyy-MM-dd",
                    "projection.day.range": f"{first_day},NOW+1DAY",
                    "storage.location.template": f"{location}day=${{day}}/",
                },
                partition_keys=[glue.CfnTable.ColumnProperty(name="day", type="string")],
                storage_descriptor=glue.CfnTable.StorageDescriptorProperty(
                    columns=[_column(column) for column in columns],
                    location=location,
                    input_format=_PARQUET["input"],
                    output_format=_PARQUET["output"],
                    serde_info=glue.CfnTable.SerdeInfoProperty(serialization_library=_PARQUET["serde"]),
                ),
            ),
        )
        table.node.add_dependency(self.database)
        return table

    def _define_view(
        self,
        construct_id: str,
        name: str,
        query: str,
        table: glue.CfnTable,
        columns: Sequence[lake.Column],
        *,
        description: str,
    ) -> None:
        """
        :param query: names `{columns}`, those of `columns` that are the table's, and `{database}`.
        """
        database = str(self.database.database_input.name)  # type: ignore[union-attr]
        told = [(column.name, column.type) for column in columns]
        sql = query.format(
            columns=", ".join(name for name, kind in told if kind != "timestamp"),
            database=database,
            reserved=lake.RESERVED_EVENT_TYPE_PREFIX,
        )
        told.append(("day", "string"))
        # How Athena keeps a view in Glue: its Presto definition, base64, in a comment
        definition = {
            "originalSql": sql,
            "catalog": "awsdatacatalog",
            "schema": database,
            "columns": [{"name": name, "type": _presto_type(kind)} for name, kind in told],
        }
        encoded = base64.b64encode(json.dumps(definition).encode()).decode()
        view = glue.CfnTable(
            self,
            construct_id,
            catalog_id=cdk.Aws.ACCOUNT_ID,
            database_name=self.database.ref,
            table_input=glue.CfnTable.TableInputProperty(
                name=name,
                description=description,
                table_type="VIRTUAL_VIEW",
                parameters={"presto_view": "true", "comment": "Presto View"},
                view_original_text=f"/* Presto View: {encoded} */",
                view_expanded_text="/* Presto View */",
                storage_descriptor=glue.CfnTable.StorageDescriptorProperty(
                    columns=[glue.CfnTable.ColumnProperty(name=name, type=kind) for name, kind in told],
                    serde_info=glue.CfnTable.SerdeInfoProperty(),
                ),
            ),
        )
        view.node.add_dependency(table)


def private_bucket(
    scope: Construct,
    construct_id: str,
    *,
    keep_data: bool,
    lifecycle: list[s3.LifecycleRule] | None = None,
    recover: cdk.Duration | None = None,
) -> s3.Bucket:
    """A bucket as all of Colorway's are: encrypted, TLS only, nothing public.

    :param recover: keep earlier versions for so long, or None for no versions.
    """
    rules = list(lifecycle or [])
    if recover is not None:
        rules.append(
            s3.LifecycleRule(noncurrent_version_expiration=recover, expired_object_delete_marker=True)
        )
    return s3.Bucket(
        scope,
        construct_id,
        encryption=s3.BucketEncryption.S3_MANAGED,
        enforce_ssl=True,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        lifecycle_rules=rules,
        versioned=recover is not None,
        removal_policy=cdk.RemovalPolicy.RETAIN if keep_data else cdk.RemovalPolicy.DESTROY,
    )


def _column(column: lake.Column) -> glue.CfnTable.ColumnProperty:
    return glue.CfnTable.ColumnProperty(name=column.name, type=column.type, comment=column.comment)


def _moments(*names: str) -> list[lake.Column]:
    """Readable times that a view adds."""
    return [lake.Column(name, "timestamp", "UTC") for name in names]


def _presto_type(hive: str) -> str:
    return {"string": "varchar", "int": "integer", "array<string>": "array(varchar)"}.get(hive, hive)
