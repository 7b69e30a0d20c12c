"""A placement as the functions see it: plain data that travels as JSON in their environment."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Final, Literal

Needs = Literal["user", "item", "nothing"]
"""What a request must name: a user, an item, or neither (popularity)."""

RECIPES: Final[dict[str, Needs]] = {
    "aws-user-personalization": "user",
    "aws-user-personalization-v2": "user",
    "aws-popularity-count": "nothing",
    "aws-trending-now": "nothing",
    "aws-similar-items": "item",
    "aws-sims": "item",
    "aws-semantic-similarity": "item",
}
"""The recipes that answer GetRecommendations, and what of (developer guide, "Choosing a recipe")."""


@dataclass(frozen=True, kw_only=True)
class Placement:
    """A row or slot of the product that asks for recommendations.

    :param name: as clients pass it, e.g. `recommended-for-you`.
    :param recipe: name of a Personalize recipe without its ARN, e.g. `aws-user-personalization`.
    :param hyperparameters: `algorithmHyperParameters`, strings to strings.
    :param exploration: `itemExplorationConfig` of the campaign, strings to strings.
    :param min_provisioned_tps: the campaign's paid floor of requests a second.
    :param metric_floors: offline metric to its least acceptable value; the metrics gate refuses less.
    """

    name: str
    recipe: str = "aws-user-personalization"
    hyperparameters: dict[str, str] = field(default_factory=dict)
    exploration: dict[str, str] = field(default_factory=dict)
    min_provisioned_tps: int = 1
    metric_floors: dict[str, float] = field(default_factory=dict)

    @property
    def needs(self) -> Needs:
        """What a request must name."""
        return RECIPES[self.recipe]

    def recipe_arn(self, partition: str) -> str:
        return f"arn:{partition}:personalize:::recipe/{self.recipe}"


def to_json(placements: Iterable[Placement]) -> str:
    return json.dumps([asdict(placement) for placement in placements], separators=(",", ":"), sort_keys=True)


def from_json(text: str) -> tuple[Placement, ...]:
    return tuple(Placement(**fields) for fields in json.loads(text))
