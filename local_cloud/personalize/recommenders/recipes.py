"""The recipes that the local Personalize can train."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Final

from local_cloud.personalize.recommenders.contract import Interactions, Kind, Model
from local_cloud.personalize.recommenders.evaluation import evaluate
from local_cloud.personalize.recommenders.histories import Histories
from local_cloud.personalize.recommenders.interactions import Catalogue, EventLog
from local_cloud.personalize.recommenders.model import CatalogueModel, Weigh
from local_cloud.personalize.recommenders.popularity import popularity, trend
from local_cloud.personalize.recommenders.weighing import (
    Attributes,
    Tuning,
    for_everybody,
    for_item,
    for_user,
)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """:param recipe_type: as DescribeRecipe gives it."""

    recipe_type: str
    kind: Kind
    description: str


_USER_PERSONALIZATION: Final = Recipe(
    recipe_type="USER_PERSONALIZATION", kind="user", description="What a user is likely to touch next."
)
_RELATED_ITEMS: Final = Recipe(
    recipe_type="RELATED_ITEMS", kind="item", description="Items that go together with an item."
)
_PERSONALIZED_RANKING: Final = Recipe(
    recipe_type="PERSONALIZED_RANKING", kind="ranking", description="A given list, in a user's order."
)

RECIPES: Final[Mapping[str, Recipe]] = MappingProxyType(
    {
        "aws-user-personalization": _USER_PERSONALIZATION,
        "aws-user-personalization-v2": _USER_PERSONALIZATION,
        "aws-popularity-count": Recipe(
            recipe_type="POPULAR_ITEMS", kind="nothing", description="The items with the most interactions."
        ),
        "aws-trending-now": Recipe(
            recipe_type="POPULAR_ITEMS",
            kind="nothing",
            description="The items that gain interactions fastest.",
        ),
        "aws-similar-items": _RELATED_ITEMS,
        "aws-sims": _RELATED_ITEMS,
        "aws-personalized-ranking": _PERSONALIZED_RANKING,
        "aws-personalized-ranking-v2": _PERSONALIZED_RANKING,
    }
)
"""By recipe name, the last part of its ARN."""


def kind_of(recipe: str) -> Kind:
    """What a request to a campaign of `recipe` must name.

    :raises ValueError: for a recipe that is not in RECIPES.
    """
    if recipe not in RECIPES:
        raise ValueError(f"recipe {recipe!r} is not supported, only {', '.join(RECIPES)}")
    return RECIPES[recipe].kind


def train(
    recipe: str,
    interactions: Interactions,
    *,
    items: Mapping[str, Mapping[str, object]] | None = None,
    hyperparameters: Mapping[str, str] = {},
    seed: int = 0,
) -> Model:
    """Train, and measure by the documented split.

    :param items: the attributes of each item of the Items dataset, by item id.
    :param hyperparameters: those of the recipe, as Personalize has them: strings.
    :param seed: which users are tested; the model itself is the same for every seed.
    :raises ValueError: without interactions, for an unknown recipe, or a hyperparameter that cannot be read.
    """
    kind = kind_of(recipe)
    if not interactions.item_ids:
        raise ValueError(f"{recipe} cannot be trained: there are no interactions")
    tuning = Tuning.of(hyperparameters)
    log = EventLog.of(interactions, Catalogue([*interactions.item_ids, *(items or ())]))
    fit = partial(_fit, recipe, tuning, items or {})
    weigh = fit(log)
    return CatalogueModel(
        recipe=recipe,
        kind=kind,
        catalogue=log.catalogue,
        weigh=weigh,
        histories=Histories(log),
        metrics=evaluate(log, fit=fit, served=weigh, kind=kind, seed=seed),
    )


def _fit(recipe: str, tuning: Tuning, attributes: Attributes, log: EventLog) -> Weigh:
    match kind_of(recipe):
        case "user" | "ranking":
            return for_user(log, tuning, attributes)
        case "item":
            return for_item(log, tuning, attributes)
        case "nothing":
            return for_everybody(trend(log) if recipe == "aws-trending-now" else popularity(log))
