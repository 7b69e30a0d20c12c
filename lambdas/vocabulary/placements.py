"""A placement as the functions see it: plain data that travels as JSON in their environment."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal

Needs = Literal["user", "item", "nothing", "items"]
"""What a request must name: a user, an item, neither (popularity), or a user and the items to rank."""

RECIPES: Final[dict[str, Needs]] = {
    "aws-user-personalization": "user",
    "aws-user-personalization-v2": "user",
    "aws-popularity-count": "nothing",
    "aws-trending-now": "nothing",
    "aws-similar-items": "item",
    "aws-sims": "item",
    "aws-personalized-ranking": "items",
    "aws-personalized-ranking-v2": "items",
}
"""The recipes that answer requests, and what of (developer guide, "Choosing a recipe"); those of "items"
answer GetPersonalizedRanking, the others GetRecommendations. aws-semantic-similarity is not among them: it
needs names and texts of items, which the Items schema here does not have."""


@dataclass(frozen=True, kw_only=True)
class Placement:
    """A row or slot of the product that asks for recommendations.

    :param name: as clients pass it, e.g. `recommended-for-you`.
    :param recipe: name of a Personalize recipe without its ARN, e.g. `aws-user-personalization`.
    :param hyperparameters: `algorithmHyperParameters`, strings to strings.
    :param exploration: `itemExplorationConfig` of the campaign, strings to strings.
    :param min_provisioned_tps: the campaign's paid floor of requests a second.
    :param metric_floors: offline metric to its least acceptable value; the metrics gate refuses less.
    :param filters: name, as clients pass it, to a Personalize filter expression; what it leaves open
        (`$BRAND`) clients pass as `filter.BRAND=`.
    :param context: names of what clients may tell of the circumstances (`context.DEVICE=`); columns of
        the interactions that the model was trained with.
    :param metadata: columns of the items that come with each of them, at most 10.
    """

    name: str
    recipe: str = "aws-user-personalization"
    hyperparameters: dict[str, str] = field(default_factory=dict)
    exploration: dict[str, str] = field(default_factory=dict)
    min_provisioned_tps: int = 1
    metric_floors: dict[str, float] = field(default_factory=dict)
    filters: dict[str, str] = field(default_factory=dict)
    context: tuple[str, ...] = ()
    metadata: tuple[str, ...] = ()

    @property
    def needs(self) -> Needs:
        """What a request must name."""
        return RECIPES[self.recipe]

    @property
    def is_v2(self) -> bool:
        """Whether the recipe is of the second generation, which is billed otherwise."""
        return self.recipe.endswith("-v2")

    def recipe_arn(self, partition: str) -> str:
        return f"arn:{partition}:personalize:::recipe/{self.recipe}"


def to_json(placements: Iterable[Placement]) -> str:
    return json.dumps([asdict(placement) for placement in placements], separators=(",", ":"), sort_keys=True)


def from_json(text: str) -> tuple[Placement, ...]:
    return tuple(
        Placement(**{name: _frozen(value) for name, value in each.items()}) for each in json.loads(text)
    )


def _frozen(value: Any) -> Any:
    """JSON has no tuples."""
    return tuple(value) if isinstance(value, list) else value
