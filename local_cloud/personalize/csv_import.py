"""Bulk data: CSV objects against the schema of their dataset.

Developer guide, "Data format guidelines"; the texts of failures as seen from the service,
where any are known.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from local_cloud.personalize.lifecycle import Failed
from local_cloud.personalize.schemas import Field, Schema

MINIMUM_INTERACTIONS: Final = 1000
"""Records in an import of interactions, whole or incremental."""

_IDS: Final = frozenset({"USER_ID", "ITEM_ID"})
_LONGEST: Final = {"id": 256, "categorical": 1000, "textual": 20_000}
"""Characters: developer guide, "Amazon Personalize endpoints and quotas"."""

_MOST_EVENT_TYPES: Final = 10
"""With the optional metadata columns; the same page."""

_GUIDELINES: Final = "https://docs.aws.amazon.com/personalize/latest/dg/data-prep-formatting.html"
_NONCONFORMING: Final = (
    "Input csv has rows that do not conform to the dataset schema. Please ensure all required data fields "
    "are present and that they are of the type specified in the schema."
)

Row = tuple[Any, ...]
"""Values in the order of the schema's fields; None for null."""


def read_rows(objects: Sequence[tuple[str, bytes]], schema: Schema) -> list[Row]:
    """Every distinct record, in order.

    :param objects: keys and contents.
    :raises Failed: with the `failureReason` of the import job.
    """
    if not objects:
        raise Failed("No data were found at the given location in Amazon S3.")
    for key, _ in objects:
        if not key.lower().endswith(".csv"):
            raise Failed(f"The data location holds a file that is not a CSV file: {key}")
    rows: dict[Row, None] = {}
    records = 0
    for key, content in objects:
        for row in _records(key, content, schema):
            records += 1
            rows[row] = None
    if schema.dataset_type == "INTERACTIONS" and records < MINIMUM_INTERACTIONS:
        raise Failed(
            f"The data hold {records} interactions records, an import needs at least {MINIMUM_INTERACTIONS}."
        )
    _check_event_types(rows, schema)
    return list(rows)


def _check_event_types(rows: Iterable[Row], schema: Schema) -> None:
    if schema.dataset_type != "INTERACTIONS" or "EVENT_TYPE" not in schema.columns:
        return
    column = schema.columns.index("EVENT_TYPE")
    kinds, more = {row[column] for row in rows}, len(schema.metadata)
    if len(kinds) + more > _MOST_EVENT_TYPES:
        told = f"got {len(kinds)} and {more}"
        raise Failed(f"Event types and optional metadata columns are {_MOST_EVENT_TYPES} at most, {told}.")


def _records(key: str, content: bytes, schema: Schema) -> Iterable[Row]:
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise Failed(f"Input CSV {key} is not encoded in UTF-8.") from None
    header, _, body = text.partition("\n")
    _check_header(header.rstrip("\r"), schema)
    order = [schema.columns.index(name) for name in header.rstrip("\r").split(",")]
    readers: list[Callable[[str], Any]] = [_reader(schema.fields[i]) for i in order]
    in_order = order == list(range(len(order)))
    try:
        for cells in csv.reader(io.StringIO(body), escapechar="\\", strict=True):
            if not cells:
                continue
            if len(cells) != len(readers):
                raise Failed(_NONCONFORMING)
            values = tuple(read(cell) for read, cell in zip(readers, cells, strict=True))
            yield values if in_order else _in_order(order, values)
    except csv.Error:
        raise Failed(_NONCONFORMING) from None


def _check_header(header: str, schema: Schema) -> None:
    given = header.split(",")
    missing = [name for name in schema.columns if name not in given]
    if missing:
        raise Failed(f"Input CSV is missing the following columns:[{', '.join(missing)}].")
    extra = [name for name in given if name not in schema.columns]
    if extra or len(given) != len(schema.columns):
        names = ", ".join(extra or given)
        raise Failed(f"Input CSV has columns that are not in the schema or repeated: [{names}].")


def _reader(field: Field) -> Callable[[str], Any]:
    convert = _CONVERSIONS.get(field.kind, str)
    longest = _longest(field)
    known: dict[str, str] = {}  # Each text once, however many rows have it

    def read(cell: str) -> Any:
        if cell == "":
            if not field.nullable:
                raise Failed(_NONCONFORMING)
            return None
        if longest is not None and len(cell) > longest:
            raise Failed(
                f"Length cannot be more than {longest} characters for {field.name}. If no values exceed the "
                "character limit, make sure your data follows the formatting guidelines listed in "
                f"{_GUIDELINES}."
            )
        if convert is str:
            return known.setdefault(cell, cell)
        try:
            return convert(cell)
        except ValueError:
            raise Failed(_NONCONFORMING) from None

    return read


def _longest(field: Field) -> int | None:
    if field.kind != "string":
        return None
    return _LONGEST["id" if field.name in _IDS else "textual" if field.textual else "categorical"]


def _integer(cell: str) -> int:
    value = int(cell)
    if "_" in cell or not -(2**63) <= value < 2**63:
        raise ValueError(cell)
    return value


def _number(cell: str) -> float:
    value = float(cell)
    if "_" in cell or not math.isfinite(value):
        raise ValueError(cell)
    return value


def _boolean(cell: str) -> bool:
    if cell.lower() not in ("true", "false"):
        raise ValueError(cell)
    return cell.lower() == "true"


_CONVERSIONS: Final[dict[str, Callable[[str], Any]]] = {
    "int": _integer,
    "long": _integer,
    "float": _number,
    "double": _number,
    "boolean": _boolean,
}


def _in_order(order: Sequence[int], values: Row) -> Row:
    by_position = dict(zip(order, values, strict=True))
    return tuple(by_position[i] for i in range(len(order)))
