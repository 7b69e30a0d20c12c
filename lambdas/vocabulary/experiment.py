"""What a configuration of the experiment is: `{enabled, salt, allocation: {exempt, control, treatment}}`."""

from __future__ import annotations

from typing import Any, Final, Literal

Variant = Literal["exempt", "control", "treatment"]

VARIANTS: Final[tuple[Variant, ...]] = ("exempt", "control", "treatment")

BUCKETS: Final = 10_000
"""So that a share is a number of basis points."""

SHORTEST_SALT: Final = 16

SCHEMA: Final[dict[str, Any]] = {
    "$schema": "http://json-schema.org/draft-04/schema#",
    "title": "Colorway's experiment",
    "type": "object",
    "required": ["enabled"],
    "additionalProperties": False,
    "properties": {
        "enabled": {"type": "boolean"},
        "salt": {"type": "string", "minLength": SHORTEST_SALT, "maxLength": 128},
        "allocation": {
            "type": "object",
            "required": list(VARIANTS),
            "additionalProperties": False,
            "properties": {
                variant: {"type": "integer", "minimum": 0, "maximum": BUCKETS} for variant in VARIANTS
            },
        },
    },
    "anyOf": [
        {"properties": {"enabled": {"enum": [False]}}},
        {"required": ["salt", "allocation"]},
    ],
}
"""What AppConfig holds every configuration against before it is deployed; it knows JSON Schema draft 4.
That shares add up no schema can say: the function looks, and serves everyone the default when they do not."""
