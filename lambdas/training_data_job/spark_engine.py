"""Spark as the engine, and the lake's tables in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from py4j.protocol import Py4JJavaError
from pyspark.errors import AnalysisException, PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.functions import count, input_file_name, lit, regexp_extract, xxhash64
from pyspark.sql.functions import max as max_
from pyspark.sql.types import (
    ArrayType,
    ByteType,
    DataType,
    DecimalType,
    DoubleType,
    FloatType,
    IntegerType,
    LongType,
    ShortType,
    StringType,
    StructField,
    StructType,
)

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


def define_table(
    engine: Spark,
    name: str,
    columns: Sequence[Column],
    folders: Sequence[str],
    only: Sequence[str] | None = None,
) -> set[str]:
    """Define a view over the Parquet files of folders, with exactly these columns and types.

    A column that some or all files lack is null there, one that is not asked for is not read.

    :param only: keys of the files that count; all where not given.
    :returns: the files that are in the folders now, as `ending` names them; it reads no others.
    """
    frame = _frame(engine, columns, folders, named=only is not None)
    if only is not None:
        frame = frame.where(regexp_extract(_NAME, "[^/]+/[^/]+$", 0).isin([ending(key) for key in only]))
    frame.drop(_NAME).createOrReplaceTempView(name)
    return {ending(address) for address in frame.inputFiles()}


def rows_by_file(engine: Spark, folders: Sequence[str], columns: Sequence[Column] = ()) -> dict[str, int]:
    """How many rows each file has that could be read, as `ending` names them.

    Without columns, as the footers say. With, as many as could be read of these: fewer where the file is
    damaged further in, as Spark skips the rest of it then.
    """
    frame = _frame(engine, columns, folders, named=True)
    read = xxhash64(*(column.name for column in columns)) if columns else lit(0)
    counted = frame.select(_NAME, read.alias("read")).groupBy(_NAME).agg(count("read"), max_("read"))
    return {ending(str(name)): int(rows) for name, rows, _ in counted.collect()}


def misfits(engine: Spark, paths: Sequence[str], columns: Sequence[Column]) -> set[str]:
    """Files, as `ending` names them, with a column of a type that is none of the lake's; they are not read.

    :param paths: of folders or files.
    """
    ours = [StructField(column.name, _TYPES[column.type]) for column in columns]
    return {
        ending(address)
        for types, which in _types(engine, paths, ours)
        if not _fits(types, ours)
        for address in _files(engine, which)
    }


def can_be_read(engine: Spark, addresses: Sequence[str]) -> bool:
    """Whether all of some files can be, whole."""
    try:
        frame = engine.session.read.option("ignoreCorruptFiles", "false").parquet(*addresses)
        frame.write.format("noop").mode("overwrite").save()
    except (PySparkException, Py4JJavaError):
        return False
    return True


def ending(key: str) -> str:
    """Of a file's key or address: folder and name, which tell it from every other of the lake."""
    return "/".join(key.split("/")[-2:])


_NAME: Final = "name_of_file"


def _frame(
    engine: Spark, columns: Sequence[Column], folders: Sequence[str], *, named: bool = False
) -> DataFrame:
    """The columns of the files in folders; `named` adds the file that each row is from, by its address.

    Spark reads a column by one type and skips a file that has another as if it were corrupt: so where types
    differ, the files that have the same are read together, and theirs become ours. `misfits` are not read.
    """
    ours = [StructField(column.name, _TYPES[column.type]) for column in columns]
    frame = engine.session.createDataFrame([], StructType([*ours, StructField(_NAME, StringType())]))
    alike: dict[str, tuple[StructType, list[str]]] = {}
    for types, paths in _types(engine, folders, ours):
        if _fits(types, ours):
            alike.setdefault(types.json(), (types, []))[1].extend(paths)
    for types, paths in alike.values():
        part = engine.session.read.schema(types).parquet(*paths).withColumn(_NAME, input_file_name())
        chosen = [part[field.name].cast(field.dataType) for field in ours]
        frame = frame.union(part.select(*chosen, _NAME))
    return frame if named else frame.drop(_NAME)


def _fits(types: StructType, ours: Sequence[StructField]) -> bool:
    return all(_becomes(types[field.name].dataType, field.dataType) for field in ours)


def _becomes(theirs: DataType, ours: DataType) -> bool:
    """As `training_data.reading` has it of DuckDB's types."""
    whole = isinstance(theirs, _WHOLE_NUMBERS)
    match ours:
        case StringType():
            text = isinstance(theirs, StringType)
            return text or whole or (isinstance(theirs, DecimalType) and theirs.scale == 0)
        case DoubleType():
            return whole or isinstance(theirs, DoubleType | FloatType | DecimalType)
        case ArrayType():
            return isinstance(theirs, ArrayType) and _becomes(theirs.elementType, StringType())
        case _:
            return whole


_WHOLE_NUMBERS: Final = (ByteType, ShortType, IntegerType, LongType)


def _types(
    engine: Spark, paths: Sequence[str], ours: Sequence[StructField]
) -> list[tuple[StructType, list[str]]]:
    """Our columns by the types that files have: of all together where they agree, otherwise by halves."""
    parts = list(paths)
    if not parts:
        return []
    try:
        found = {field.name.lower(): field.dataType for field in _schema(engine, parts)}
    except (PySparkException, Py4JJavaError):  # they do not; pyspark names but few of Spark's errors
        parts = parts if len(parts) > 1 else _files(engine, parts)
        if len(parts) == 1:
            raise
    else:
        types = StructType(
            [StructField(field.name, found.get(field.name.lower(), field.dataType)) for field in ours]
        )
        # One file's misfit is not that of all; of two decimals Spark makes a third, by which it reads neither
        if _fits(types, ours) and not any(isinstance(field.dataType, DecimalType) for field in types):
            return [(types, parts)]
        parts = parts if len(parts) > 1 else _files(engine, parts)
        if len(parts) == 1:
            return [(types, parts)]
    middle = len(parts) // 2
    return [*_types(engine, parts[:middle], ours), *_types(engine, parts[middle:], ours)]


def _files(engine: Spark, paths: Sequence[str]) -> list[str]:
    """The files at some paths, which are folders or files."""
    return list(engine.session.read.schema(StructType()).parquet(*paths).inputFiles())


def _schema(engine: Spark, folders: Sequence[str]) -> StructType:
    try:
        return engine.session.read.option("mergeSchema", "true").parquet(*folders).schema
    except AnalysisException:  # nothing in them can be read
        return StructType()


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
