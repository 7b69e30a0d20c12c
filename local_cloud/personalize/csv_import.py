"""Bulk data: CSV objects against the schema of their dataset.

Developer guide, "Bulk data format guidelines for all types of data"; the texts of failures as seen from the
service, where any are known. Files are read some lines at a time, into columns.
"""

from __future__ import annotations

import csv
import io
import math
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, BinaryIO, Final, TextIO

import numpy as np

from local_cloud.personalize.lifecycle import Failed
from local_cloud.personalize.schemas import Field, Schema
from local_cloud.personalize.table import Coded, Column, Numbers, Table

MINIMUM_INTERACTIONS: Final = 1000
"""Records in an import of interactions, whole or incremental."""

_IDS: Final = frozenset({"USER_ID", "ITEM_ID"})
_LONGEST: Final = {"id": 256, "categorical": 1000}
"""Characters: developer guide, "Amazon Personalize endpoints and quotas"."""

_MOST_OF_TEXT: Final = 20_000
"""Characters: developer guide, "Unstructured text metadata", where longer ones are cut off."""

_MOST_EVENT_TYPES: Final = 10
"""With the optional metadata columns; the same page."""

_AT_A_TIME: Final = 2000  # lines held as objects; with more they leave the processor's cache

_GUIDELINES: Final = "https://docs.aws.amazon.com/personalize/latest/dg/data-prep-formatting.html"
_NONCONFORMING: Final = (
    "Input csv has rows that do not conform to the dataset schema. Please ensure all required data fields "
    "are present and that they are of the type specified in the schema."
)


def read_table(objects: Iterable[tuple[str, BinaryIO]], schema: Schema) -> Table:
    """Every distinct record, in order, with the columns of the schema.

    :param objects: keys and contents.
    :raises Failed: with the `failureReason` of the import job.
    """
    readers = {field.name: _reader(_as_read(field, schema)) for field in schema.fields}
    records, keys = 0, 0
    for key, content in objects:
        keys += 1
        if not key.lower().endswith(".csv"):
            raise Failed(f"The data location holds a file that is not a CSV file: {key}")
        for cells in _cells(key, content, schema):
            records += len(next(iter(cells.values())))
            for name, column in cells.items():
                readers[name].extend(column)
    if not keys:
        raise Failed("No data were found at the given location in Amazon S3.")
    if schema.dataset_type == "INTERACTIONS" and records < MINIMUM_INTERACTIONS:
        raise Failed(
            f"The data hold {records} interactions records, an import needs at least {MINIMUM_INTERACTIONS}."
        )
    table = Table({name: reader.column() for name, reader in readers.items()}).distinct()
    _check_event_types(table, schema)
    return table


def _as_read(field: Field, schema: Schema) -> Field:
    """Developer guide, "Preparing item interaction data for training": whatever the schema says, every event
    has an event type where there is a column of them.
    """
    is_type = schema.dataset_type == "INTERACTIONS" and field.name == "EVENT_TYPE"
    return replace(field, nullable=False) if is_type else field


def _check_event_types(table: Table, schema: Schema) -> None:
    if schema.dataset_type != "INTERACTIONS" or "EVENT_TYPE" not in schema.columns:
        return
    column = table.columns["EVENT_TYPE"]
    kinds = len(column.values) if isinstance(column, Coded) else len(set(column.listed()))
    more = len(schema.metadata)
    if kinds + more > _MOST_EVENT_TYPES:
        told = f"got {kinds} and {more}"
        raise Failed(f"Event types and optional metadata columns are {_MOST_EVENT_TYPES} at most, {told}.")


def _cells(key: str, content: BinaryIO, schema: Schema) -> Iterator[dict[str, tuple[str, ...]]]:
    """The cells of each column, some lines at a time."""
    # Only a line feed ends a line
    text = io.TextIOWrapper(content, encoding="utf-8", newline="\n")
    try:
        yield from _parsed(text, schema)
    except UnicodeDecodeError:
        raise Failed(f"Input CSV {key} is not encoded in UTF-8.") from None
    except csv.Error:
        raise Failed(_NONCONFORMING) from None
    finally:
        text.detach()  # The file is closed by who has opened it


def _parsed(text: TextIO, schema: Schema) -> Iterator[dict[str, tuple[str, ...]]]:
    header = text.readline().rstrip("\n").rstrip("\r")
    _check_header(header, schema)
    names = header.split(",")
    lines = csv.reader(text, escapechar="\\", strict=True)
    while part := list(islice(lines, _AT_A_TIME)):
        widths = set(map(len, part))
        if 0 in widths:  # Empty lines
            part = [cells for cells in part if cells]
        if widths - {0, len(names)}:
            raise Failed(_NONCONFORMING)
        if part:
            yield dict(zip(names, zip(*part, strict=True), strict=True))


def _check_header(header: str, schema: Schema) -> None:
    given = header.split(",")
    missing = [name for name in schema.columns if name not in given]
    if missing:
        raise Failed(f"Input CSV is missing the following columns:[{', '.join(missing)}].")
    extra = [name for name in given if name not in schema.columns]
    if extra or len(given) != len(schema.columns):
        names = ", ".join(extra or given)
        raise Failed(f"Input CSV has columns that are not in the schema or repeated: [{names}].")
    if tuple(given) != schema.columns:
        # Developer guide, "Creating schema JSON files for Amazon Personalize schemas"
        raise Failed(
            "Input CSV has its columns in another order than the schema, which has "
            f"[{', '.join(schema.columns)}]."
        )


class _Places(dict[str, int]):
    """The place of each distinct cell of a column; a cell is checked when it is first met."""

    def __init__(self, field: Field) -> None:
        self._field = field
        self._longest = _longest(field)

    def __missing__(self, cell: str) -> int:
        field = self._field
        if cell == "":
            if not field.nullable:
                raise Failed(_NONCONFORMING)
        elif self._longest is not None and len(cell) > self._longest:
            raise Failed(
                f"Length cannot be more than {self._longest} characters for {field.name}. If no values "
                "exceed the character limit, make sure your data follows the formatting guidelines listed in "
                f"{_GUIDELINES}."
            )
        elif field.kind == "boolean" and cell.lower() not in ("true", "false"):
            raise Failed(_NONCONFORMING)
        place = self[cell] = len(self)
        return place


class _Values:
    """Of a column of texts or truth values; a textual one keeps its first 20,000 characters."""

    def __init__(self, field: Field) -> None:
        self._field = field
        self._places = _Places(field)
        self._codes = array("i")

    def extend(self, cells: Sequence[str]) -> None:
        self._codes.extend(map(self._places.__getitem__, cells))

    def column(self) -> Column:
        cells = Coded(list(self._places), np.frombuffer(self._codes, dtype=np.int32))
        if self._field.kind != "boolean" and not self._field.textual:
            return Coded([cell or None for cell in cells.values], cells.codes)
        read = Coded.of(map(self._read, cells.values))
        return Coded(read.values, read.codes[cells.codes] if len(cells) else cells.codes)

    def _read(self, cell: str) -> str | bool | None:
        if cell == "":
            return None
        return cell[:_MOST_OF_TEXT] if self._field.textual else cell.lower() == "true"


class _Numbers:
    """Of a column of numbers.

    :param whole: or with decimals.
    """

    def __init__(self, field: Field, *, whole: bool) -> None:
        self._nullable = field.nullable
        self._convert: Callable[[str], Any] = int if whole else float
        self._null: Any = 0 if whole else math.nan
        self._whole = whole
        self._numbers: array[Any] = array("q" if whole else "d")
        self._nulls = array("q")

    def extend(self, cells: Sequence[str]) -> None:
        convert, null, before = self._convert, self._null, len(self._numbers)
        empty = cells.count("")
        if (empty and not self._nullable) or "_" in "".join(cells):  # Python reads 1_000
            raise Failed(_NONCONFORMING)
        try:
            self._numbers.extend(
                [convert(cell) if cell else null for cell in cells] if empty else map(convert, cells)
            )
        except (ValueError, OverflowError):
            raise Failed(_NONCONFORMING) from None
        if not self._whole:
            if np.count_nonzero(~np.isfinite(self._numbers[before:])) > empty:
                raise Failed(_NONCONFORMING)
        elif empty:
            self._nulls.extend(before + place for place, cell in enumerate(cells) if not cell)

    def column(self) -> Column:
        if not self._whole:
            return Numbers(np.frombuffer(self._numbers, dtype=np.float64))
        nulls = None
        if self._nulls:
            nulls = np.zeros(len(self._numbers), dtype=bool)
            nulls[self._nulls] = True
        return Numbers(np.frombuffer(self._numbers, dtype=np.int64), nulls)


def _reader(field: Field) -> _Values | _Numbers:
    if field.kind in ("string", "boolean"):
        return _Values(field)
    return _Numbers(field, whole=field.kind in ("int", "long"))


def _longest(field: Field) -> int | None:
    if field.kind != "string" or field.textual:
        return None
    return _LONGEST["id" if field.name in _IDS else "categorical"]
