"""The Avro schemas of the datasets, and the CSV columns that must equal them.

Flat Avro as Amazon Personalize takes it: developer guide, "Datasets and schemas".
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal

DatasetKind = Literal["interactions", "items", "users"]

_NAMESPACE: Final = "com.amazonaws.personalize.schema"


def _schema(name: str, fields: list[dict[str, Any]]) -> str:
    return json.dumps(
        {"type": "record", "name": name, "namespace": _NAMESPACE, "fields": fields, "version": "1.0"},
        separators=(",", ":"),
    )


PropertyType = Literal["string", "float", "long"]

_MOST_PROPERTIES: Final = 5
"""Optional metadata columns of an Interactions dataset (developer guide, "Quotas")."""

_NOT_PROPERTIES: Final = {"userid", "sessionid", "eventtype", "timestamp", "recommendationid", "impression"}
"""Keys that `properties` of a streamed event may not have (service model `personalize-events`)."""

_COLUMNS: Final = {"itemid", "eventvalue", "eventattributionsource", "creationtimestamp"}
"""Columns of interactions, and names that Personalize keeps, as it compares them: without '_'."""


@dataclass(frozen=True, kw_only=True)
class ExtraColumns:
    """What interactions have beyond the five columns, in schema and CSV alike.

    :param impressions: IMPRESSION, the items that were shown, the one touched among them.
    :param properties: key in an event's `properties` to the type of its column. `pageType` is column
        PAGE_TYPE, as Personalize finds it for streamed events. Strings are categorical.
    """

    impressions: bool = False
    properties: dict[str, PropertyType] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _require("properties", list(self.properties), len(self.properties) <= _MOST_PROPERTIES, "at most 5")
        for key, kind in self.properties.items():
            name = f"properties[{key}]"
            _require(name, key, re.fullmatch(r"[a-z][a-z0-9]*([A-Z][a-z0-9]*)*", key), "camelCase")
            _require(name, key, key.lower() not in _NOT_PROPERTIES, "none of Personalize's own")
            alike = [other for other in self.properties if other != key and other.lower() == key.lower()]
            taken = alike or key.lower() in _COLUMNS
            _require(name, key, not taken, "no column that is there already, with or without '_'")
            _require(name, kind, kind in ("string", "float", "long"), "string, float, long")

    @property
    def names(self) -> tuple[str, ...]:
        """Of the columns, in their order."""
        return (*(["IMPRESSION"] if self.impressions else []), *map(column_of, self.properties))

    def to_json(self) -> str:
        """As they travel in a function's environment."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> ExtraColumns:
        return cls(**json.loads(text))


def column_of(key: str) -> str:
    """The column of a property: `numberOfRatings` is NUMBER_OF_RATINGS."""
    return re.sub("([A-Z])", r"_\1", key).upper()


def _require(setting: str, value: object, holds: object, allowed: str) -> None:
    if not holds:
        raise ValueError(f"{setting} is {value!r}, allowed: {allowed}")


def interactions_schema(extra: ExtraColumns | None = None) -> str:
    """The schema of interactions: the five columns, then the extra ones."""
    extra = extra or ExtraColumns()
    fields: list[dict[str, Any]] = [
        {"name": "USER_ID", "type": "string"},
        {"name": "ITEM_ID", "type": "string"},
        {"name": "TIMESTAMP", "type": "long"},
        {"name": "EVENT_TYPE", "type": "string"},
        {"name": "EVENT_VALUE", "type": ["float", "null"]},
    ]
    if extra.impressions:
        fields.append({"name": "IMPRESSION", "type": "string"})
    for key, kind in extra.properties.items():
        categorical = {"categorical": True} if kind == "string" else {}
        fields.append({"name": column_of(key), "type": ["null", kind], **categorical})
    return _schema("Interactions", fields)


INTERACTIONS_SCHEMA: Final = interactions_schema()

ITEMS_SCHEMA: Final = _schema(
    "Items",
    [
        {"name": "ITEM_ID", "type": "string"},
        {"name": "BRAND", "type": ["null", "string"], "categorical": True},
        {"name": "CATEGORY", "type": ["null", "string"], "categorical": True},
        {"name": "PRICE", "type": ["float", "null"]},
        {"name": "CREATION_TIMESTAMP", "type": ["null", "long"]},
    ],
)

USERS_SCHEMA: Final = _schema(
    "Users",
    [
        {"name": "USER_ID", "type": "string"},
        {"name": "SEGMENT", "type": ["null", "string"], "categorical": True},
    ],
)

SCHEMAS: Final[dict[DatasetKind, str]] = {
    "interactions": INTERACTIONS_SCHEMA,
    "items": ITEMS_SCHEMA,
    "users": USERS_SCHEMA,
}


def schemas(extra: ExtraColumns | None = None) -> dict[DatasetKind, str]:
    """The schema of each kind of dataset, where interactions have these extra columns."""
    return {**SCHEMAS, "interactions": interactions_schema(extra)}


def schema_name(prefix: str, kind: str, schema: str) -> str:
    """The name of a schema in Personalize: it carries a hash, for a changed schema is a new one."""
    return f"{prefix}-{kind}-{hashlib.sha256(schema.encode()).hexdigest()[:8]}"


def columns_of(kind: DatasetKind, extra: ExtraColumns | None = None) -> tuple[str, ...]:
    """The CSV header, in schema order, of a dataset."""
    return tuple(each["name"] for each in json.loads(schemas(extra)[kind])["fields"])
