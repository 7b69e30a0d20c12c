"""The flat Avro schemas of datasets.

Developer guide, "Creating schema JSON files for Amazon Personalize schemas". It asks for a name and
for fields; `namespace` and `version` are in its examples only, so nothing is made of them.
"""

from __future__ import annotations

import json
import re
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

NUMERIC: Final = ("int", "long", "float", "double")
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


_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RESERVED: Final = frozenset(
    {
        "EVENT_TYPE",
        "EVENT_VALUE",
        "IMPRESSION",
        "RECOMMENDATION_ID",
        "EVENT_ATTRIBUTION_SOURCE",
        "CREATION_TIMESTAMP",
    }
)
_MOST_METADATA: Final[dict[DatasetType, int]] = {"INTERACTIONS": 5, "ITEMS": 100, "USERS": 25}
"""Developer guide, "Amazon Personalize endpoints and quotas"."""


@dataclass(frozen=True, kw_only=True)
class Field:
    """A column.

    :param kind: its type apart from null.
    :param is_item_name: `itemName` in the schema: developer guide, "Semantic-Similarity recipe".
    """

    name: str
    kind: str
    nullable: bool
    textual: bool
    categorical: bool = False
    is_item_name: bool = False

    @property
    def is_trained_on(self) -> bool:
        """Of a metadata field: developer guide, "Custom dataset and schema requirements"."""
        return self.kind in NUMERIC or (self.kind == "string" and (self.categorical or self.textual))


@dataclass(frozen=True, kw_only=True)
class Schema:
    dataset_type: DatasetType
    fields: tuple[Field, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(field.name for field in self.fields)

    @property
    def metadata(self) -> tuple[str, ...]:
        """The columns that are neither required nor reserved."""
        taken = _RESERVED | set(_REQUIRED[self.dataset_type])
        return tuple(name for name in self.columns if name not in taken)

    @property
    def contexts(self) -> tuple[str, ...]:
        """The columns of interactions that tell their circumstances."""
        named = set(self.metadata) if self.dataset_type == "INTERACTIONS" else set()
        return tuple(f.name for f in self.fields if f.name in named and f.categorical and f.kind == "string")


def camel_case(column: str) -> str:
    """The key of a schema's column in `properties`: NUMBER_OF_RATINGS is numberOfRatings."""
    first, *rest = column.lower().split("_")
    return first + "".join(word.capitalize() for word in rest)


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
    if not _NAME.fullmatch(name):
        raise invalid(f"The name of a field must be of letters, digits and underscores, got {name}")
    field = Field(
        name=name,
        kind=proper[0],
        nullable="null" in kinds,
        textual=value.get("textual") is True,
        categorical=value.get("categorical") is True,
        is_item_name=value.get("itemName") is True,
    )
    if field.textual and field.kind != "string":
        raise invalid(f"The textual field {name} must be of type string, got {field.kind}")
    return field


def _check(dataset_type: DatasetType, fields: tuple[Field, ...]) -> None:
    names = [field.name.replace("_", "").upper() for field in fields]
    if len(set(names)) < len(names):
        raise invalid("Two fields of the schema have the same name")
    by_name = {field.name: field for field in fields}
    for name, kind in _REQUIRED[dataset_type].items():
        field = by_name.get(name)
        if field is None or field.kind != kind or field.nullable:
            raise invalid(f"A schema of {dataset_type} must have the field {name} of type {kind}")
    metadata = [name for name in by_name if name not in _REQUIRED[dataset_type] and name not in _RESERVED]
    most = _MOST_METADATA.get(dataset_type)
    if most is not None and len(metadata) > most:
        raise invalid(f"A schema of {dataset_type} has at most {most} metadata fields, got {len(metadata)}")
    textual = [field.name for field in fields if field.textual]
    if len(textual) > (dataset_type == "ITEMS"):
        raise invalid(f"Only a schema of ITEMS may have a textual field, and one: got {', '.join(textual)}")
