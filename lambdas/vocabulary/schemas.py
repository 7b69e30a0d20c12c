"""The Avro schemas of the datasets, and the CSV columns that must equal them.

Flat Avro as Amazon Personalize takes it: developer guide, "Datasets and schemas".
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final, Literal

DatasetKind = Literal["interactions", "items", "users"]

_NAMESPACE: Final = "com.amazonaws.personalize.schema"


def _schema(name: str, fields: list[dict[str, Any]]) -> str:
    return json.dumps(
        {"type": "record", "name": name, "namespace": _NAMESPACE, "fields": fields, "version": "1.0"},
        separators=(",", ":"),
    )


INTERACTIONS_SCHEMA: Final = _schema(
    "Interactions",
    [
        {"name": "USER_ID", "type": "string"},
        {"name": "ITEM_ID", "type": "string"},
        {"name": "TIMESTAMP", "type": "long"},
        {"name": "EVENT_TYPE", "type": "string"},
        {"name": "EVENT_VALUE", "type": ["float", "null"]},
    ],
)

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


def schema_name(prefix: str, kind: str, schema: str) -> str:
    """The name of a schema in Personalize: it carries a hash, for a changed schema is a new one."""
    return f"{prefix}-{kind}-{hashlib.sha256(schema.encode()).hexdigest()[:8]}"


def columns_of(kind: DatasetKind) -> tuple[str, ...]:
    """The CSV header, in schema order, of a dataset."""
    return tuple(field["name"] for field in json.loads(SCHEMAS[kind])["fields"])
