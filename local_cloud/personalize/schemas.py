"""The flat Avro schemas of datasets: developer guide, "Creating a schema"."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final, Literal

from local_cloud.personalize.errors import invalid

DatasetType = Literal["INTERACTIONS", "ITEMS", "USERS", "ACTIONS", "ACTION_INTERACTIONS"]

DATASET_TYPES: Final[tuple[DatasetType, ...]] = (
    "INTERACTIONS",
    "ITEMS",
    "USERS",
    "ACTIONS",
    "ACTION_INTERACTIONS",
)

_TYPES: Final = ("null", "boolean", "int", "long", "float", "double", "string")
_REQUIRED: Final[dict[DatasetType, dict[str, str]]] = {
    "INTERACTIONS": {"USER_ID": "string", "ITEM_ID": "string", "TIMESTAMP": "long"},
    "ITEMS": {"ITEM_ID": "string"},
    "USERS": {"USER_ID": "string"},
    "ACTIONS": {"ACTION_ID": "string"},
    "ACTION_INTERACTIONS": {
        "ACTION_ID": "string",
        "USER_ID": "string",
        "EVENT_TYPE": "string",
        "TIMESTAMP": "long",
    },
}


@dataclass(frozen=True, kw_only=True)
class Field:
    """A column.

    :param kind: its type apart from null.
    """

    name: str
    kind: str
    nullable: bool
    textual: bool


@dataclass(frozen=True, kw_only=True)
class Schema:
    dataset_type: DatasetType
    fields: tuple[Field, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(field.name for field in self.fields)


def dataset_type_of(name: str) -> DatasetType:
    """
    :raises Refused: InvalidInputException.
    """
    for known in DATASET_TYPES:
        if known == name.upper():
            return known
    raise invalid(f"Dataset type must be one of {', '.join(DATASET_TYPES)}, got {name}")


def parse_schema(text: str) -> Schema:
    """
    :raises Refused: InvalidInputException that says what is wrong.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise invalid("The schema is not valid JSON") from None
    if not isinstance(document, dict) or document.get("type") != "record":
        raise invalid('The schema must be an Avro record: {"type": "record", …}')
    dataset_type = dataset_type_of(str(document.get("name")))
    listed = document.get("fields")
    if not isinstance(listed, list):
        raise invalid("The schema must have a list of fields")
    fields = tuple(_field(field) for field in listed)
    _check(dataset_type, fields)
    return Schema(dataset_type=dataset_type, fields=fields)


def _field(value: Any) -> Field:
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        raise invalid("Each field of the schema must have a name")
    name, kinds = value["name"], value.get("type")
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if not isinstance(kinds, list) or not all(kind in _TYPES for kind in kinds):
        raise invalid(f"The type of {name} must be of {', '.join(_TYPES)}, got {value.get('type')}")
    proper = [kind for kind in kinds if kind != "null"]
    if len(proper) != 1:
        raise invalid(f"The type of {name} must be one type, or one and null, got {value.get('type')}")
    return Field(name=name, kind=proper[0], nullable="null" in kinds, textual=value.get("textual") is True)


def _check(dataset_type: DatasetType, fields: tuple[Field, ...]) -> None:
    names = [field.name.replace("_", "").upper() for field in fields]
    if len(set(names)) < len(names):
        raise invalid("Two fields of the schema have the same name")
    by_name = {field.name: field for field in fields}
    for name, kind in _REQUIRED[dataset_type].items():
        field = by_name.get(name)
        if field is None or field.kind != kind or field.nullable:
            raise invalid(f"A schema of {dataset_type} must have the field {name} of type {kind}")
    if dataset_type in ("ITEMS", "USERS") and len(fields) < 2:
        raise invalid(f"A schema of {dataset_type} must have at least one metadata field")
