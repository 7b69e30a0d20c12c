"""What a configuration of the experiment is.

`{enabled, salt, allocation: {exempt, control, treatment}, plan: {primary, days, starts}}`. Serving follows
the first three; the plan is for the report, which shows no effect before it is over.
"""

from __future__ import annotations

from typing import Any, Final, Literal

Variant = Literal["exempt", "control", "treatment"]

VARIANTS: Final[tuple[Variant, ...]] = ("exempt", "control", "treatment")

BUCKETS: Final = 10_000
"""So that a share is a number of basis points."""

SHORTEST_SALT: Final = 16

PROBE: Final = "colorway-smoke"
"""The user id that `make smoke` asks for recommendations with. It is nobody's, so no experiment counts it: a
unit that asks after every deployment and never buys would be measured as a customer."""

Metric = Literal["conversion", "click_through", "clicks_per_exposure", "revenue_per_user"]

METRICS: Final[tuple[Metric, ...]] = (
    "conversion",
    "click_through",
    "clicks_per_exposure",
    "revenue_per_user",
)
"""What the experiment's report measures; the plan names the one that decides."""

DEFAULT_PRIMARY: Final[Metric] = "conversion"

DEFAULT_DAYS: Final = 14
"""Two whole weeks: people shop differently by weekday."""

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
        "plan": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "primary": {"enum": list(METRICS)},
                "days": {"type": "integer", "minimum": 1, "maximum": 366},
                "starts": {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"},
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
