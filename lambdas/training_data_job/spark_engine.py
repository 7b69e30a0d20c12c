"""Spark as the engine, and the lake's tables in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from pyspark.sql import SparkSession
from pyspark.sql.types import ArrayType, DataType, DoubleType, LongType, StringType, StructField, StructType

from training_data.sql import SPARK, Dialect
from vocabulary.lake import Column

SETTINGS: Final = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.parser.escapedStringLiterals": "true",  # patterns are written as DuckDB reads them
    "spark.sql.caseSensitive": "false",
    "spark.sql.ansi.enabled": "false",
    # What cannot be read is left out, counted, and judged by the rule about it
    "spark.sql.files.ignoreCorruptFiles": "true",
    # A folder that Personalize imports may hold CSV files and nothing else
    "spark.hadoop.mapreduce.fileoutputcommitter.marksuccessfuljobs": "false",
}
"""What the definition relies on."""

_TYPES: Final[dict[str, DataType]] = {
    "string": StringType(),
    "bigint": LongType(),
    "double": DoubleType(),
    "array<string>": ArrayType(StringType()),
}


@dataclass(frozen=True)
class Spark:
    """The engine that a Glue job runs."""

    session: SparkSession

    @property
    def dialect(self) -> Dialect:
        return SPARK

    def define(self, name: str, query: str, *, keep: bool = False) -> None:
        frame = self.session.sql(query)
        if keep:
            # Rather than cached: every query over it would be planned down to the lake, view within view
            frame = frame.localCheckpoint(eager=True)
        frame.createOrReplaceTempView(name)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self.session.sql(query).collect()]


def define_table(engine: Spark, name: str, columns: Sequence[Column], folders: Sequence[str]) -> None:
    """Define a view over the Parquet files of folders, with exactly these columns and types.

    A column that some or all files lack is null there, one that is not asked for is not read.
    """
    schema = StructType([StructField(column.name, _TYPES[column.type]) for column in columns])
    reader = engine.session.read.schema(schema)
    frame = reader.parquet(*folders) if folders else engine.session.createDataFrame([], schema)
    frame.createOrReplaceTempView(name)


def files_read(engine: Spark, folders: Sequence[str]) -> set[str]:
    """The names, without folders, of the files that could be read."""
    if not folders:
        return set()
    frame = engine.session.read.schema(StructType([StructField("event_id", StringType())]))
    names = frame.parquet(*folders).selectExpr("input_file_name() AS name").distinct().collect()
    return {str(row["name"]).rpartition("/")[2] for row in names}


def write_csv(engine: Spark, table: str, columns: Sequence[str], folder: str) -> None:
    """Write the columns of a table as CSV files, each under a header of their names, into a folder.

    The lines are made here: Spark's own writer escapes a backslash only where it
    quotes, and quotes the header where it is told to quote. So it gets lines of one
    column, whose name is the header, and signs to separate and quote by that no line has.
    """
    line = ", ',', ".join(_field(column, engine.session.table(table).schema) for column in columns)
    frame = engine.session.sql(f"SELECT concat({line}) AS `{','.join(columns)}` FROM {table}")
    frame.write.mode("overwrite").csv(
        folder,
        header=True,
        sep="\x01",
        quote="\x02",
        escape="\x02",
        ignoreLeadingWhiteSpace=False,
        ignoreTrailingWhiteSpace=False,
        emptyValue="",
    )


def _field(column: str, schema: StructType) -> str:
    kinds = {field.name.upper(): field.dataType for field in schema}
    if not isinstance(kinds[column], StringType):
        return f"coalesce(CAST({column} AS STRING), '')"
    escaped = f"replace(replace({column}, chr(92), concat(chr(92), chr(92))), '\"', concat(chr(92), '\"'))"
    return (
        f"CASE WHEN {column} IS NULL THEN ''"
        f" WHEN regexp_like({column}, '[\",#\\\\]') THEN concat('\"', {escaped}, '\"') ELSE {column} END"
    )
