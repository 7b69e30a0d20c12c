"""Fields that a schema must define as the service has them: reserved keywords, and what a domain asks for.

Developer guide, "Custom datasets and schemas", "ECOMMERCE datasets and schemas" and "VIDEO_ON_DEMAND datasets
and schemas". Whether a reserved keyword may be null is left open: the guide's pages do not agree on all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from local_cloud.personalize.errors import invalid
from local_cloud.personalize.schemas import DatasetType, Field, Schema


@dataclass(frozen=True, kw_only=True)
class _Keyword:
    """A field that must be defined as this where it is there.

    :param is_required: whether it must be there, and never be null.
    """

    kind: Literal["string", "long", "float"]
    marked: Literal["categorical", "textual", ""] = ""
    is_required: bool = False

    def fits(self, field: Field) -> bool:
        if field.kind != self.kind or (self.is_required and field.nullable):
            return False
        return (field.categorical, field.textual) == (self.marked == "categorical", self.marked == "textual")

    def __str__(self) -> str:
        return f"{self.marked} {self.kind}".strip() + (" that is not null" if self.is_required else "")


_CATEGORY: Final = _Keyword(kind="string", marked="categorical")
_DESCRIPTION: Final = _Keyword(kind="string", marked="textual")
_NUMBER: Final = _Keyword(kind="float")
_TEXT: Final = _Keyword(kind="string")
_MOMENT: Final = _Keyword(kind="long")
_INTERACTIONS: Final = {
    "EVENT_TYPE": _TEXT,
    "EVENT_VALUE": _NUMBER,
    "IMPRESSION": _TEXT,
    "RECOMMENDATION_ID": _TEXT,
    "EVENT_ATTRIBUTION_SOURCE": _TEXT,
}
_OF_A_DOMAIN: Final = {**_INTERACTIONS, "EVENT_TYPE": _Keyword(kind="string", is_required=True)}
_KEYWORDS: Final[Mapping[tuple[str | None, DatasetType], Mapping[str, _Keyword]]] = MappingProxyType(
    {
        (None, "INTERACTIONS"): _INTERACTIONS,
        (None, "ITEMS"): {"CREATION_TIMESTAMP": _MOMENT},
        ("ECOMMERCE", "INTERACTIONS"): _OF_A_DOMAIN,
        ("ECOMMERCE", "ITEMS"): {
            "PRICE": _Keyword(kind="float", is_required=True),
            "CATEGORY_L1": _Keyword(kind="string", marked="categorical", is_required=True),
            "CATEGORY_L2": _CATEGORY,
            "CATEGORY_L3": _CATEGORY,
            "PRODUCT_DESCRIPTION": _DESCRIPTION,
            "CREATION_TIMESTAMP": _MOMENT,
            "AGE_GROUP": _CATEGORY,
            "ADULT": _CATEGORY,
            "GENDER": _CATEGORY,
        },
        ("VIDEO_ON_DEMAND", "INTERACTIONS"): _OF_A_DOMAIN,
        ("VIDEO_ON_DEMAND", "USERS"): {"SUBSCRIPTION_MODEL": _CATEGORY},
        ("VIDEO_ON_DEMAND", "ITEMS"): {
            "CREATION_TIMESTAMP": _Keyword(kind="long", is_required=True),
            "GENRES": _Keyword(kind="string", marked="categorical", is_required=True),
            "PRICE": _NUMBER,
            "DURATION": _NUMBER,
            "GENRE_L2": _CATEGORY,
            "GENRE_L3": _CATEGORY,
            "AVERAGE_RATING": _NUMBER,
            "PRODUCT_DESCRIPTION": _DESCRIPTION,
            "CONTENT_OWNER": _CATEGORY,
            "CONTENT_CLASSIFICATION": _CATEGORY,
        },
    }
)
"""By domain, None for custom dataset groups; those that every schema must have are in `schemas`."""


def check_keywords(schema: Schema, domain: str | None) -> None:
    """
    :param domain: None for a custom dataset group.
    :raises Refused: InvalidInputException.
    """
    if domain is not None and schema.dataset_type in ("ACTIONS", "ACTION_INTERACTIONS"):
        raise invalid(f"A schema of {schema.dataset_type} cannot be of a domain, got {domain}")
    there = {field.name: field for field in schema.fields}
    of_whom = schema.dataset_type + (f" of {domain}" if domain else "")
    for name, keyword in _KEYWORDS.get((domain, schema.dataset_type), {}).items():
        if name not in there and not keyword.is_required:
            continue
        if name not in there or not keyword.fits(there[name]):
            must = "must have" if keyword.is_required else "may have"
            raise invalid(f"A schema of {of_whom} {must} the field {name} of type {keyword}")
    metadata = [there[name] for name in schema.metadata]
    if schema.dataset_type in ("ITEMS", "USERS") and not any(field.is_trained_on for field in metadata):
        said = "that is a number, or a categorical or textual string"
        raise invalid(f"A schema of {of_whom} must have at least one metadata field {said}")
