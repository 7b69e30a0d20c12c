"""The recipes that the local Personalize can train."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Final

from local_cloud.personalize.recommenders.attributes import Items
from local_cloud.personalize.recommenders.columns import IdCodes, IdColumn
from local_cloud.personalize.recommenders.contexts import Contexts
from local_cloud.personalize.recommenders.contract import Interactions, Kind, Model
from local_cloud.personalize.recommenders.evaluation import evaluate
from local_cloud.personalize.recommenders.exploration import Newcomers
from local_cloud.personalize.recommenders.histories import Histories
from local_cloud.personalize.recommenders.influence import Influences
from local_cloud.personalize.recommenders.interactions import Catalogue, EventLog
from local_cloud.personalize.recommenders.legacy import cold_items
from local_cloud.personalize.recommenders.model import CatalogueModel
from local_cloud.personalize.recommenders.popularity import popularity
from local_cloud.personalize.recommenders.trending import (
    Trends,
    interval_of,
    trend,
    trend_prediction_accuracy,
)
from local_cloud.personalize.recommenders.weighed import Background, Weights
from local_cloud.personalize.recommenders.weighing import (
    Tuning,
    Weigh,
    for_everybody,
    for_item,
    for_look_alikes,
    for_user,
)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """
    :param recipe_type: as DescribeRecipe gives it.
    :param metadata: whether the Items and Users datasets make a difference.
    :param explores: whether a campaign's `itemExplorationConfig` counts.
    :param influenced: whether a campaign's `rankingInfluence` counts.
    :param default_dimension: the default of `hidden_dimension`.
    """

    recipe_type: str
    kind: Kind
    description: str
    metadata: bool = True
    explores: bool = False
    influenced: bool = False
    default_dimension: int = 149


_USER_PERSONALIZATION: Final = Recipe(
    recipe_type="USER_PERSONALIZATION",
    kind="user",
    description="What a user is likely to touch next.",
    explores=True,
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
            recipe_type="POPULAR_ITEMS",
            kind="nothing",
            description="The items that most users have interacted with.",
        ),
        "aws-trending-now": Recipe(
            recipe_type="POPULAR_ITEMS",
            kind="nothing",
            description="The items that gain interactions fastest.",
        ),
        "aws-similar-items": _RELATED_ITEMS,
        "aws-sims": Recipe(
            recipe_type="RELATED_ITEMS",
            kind="item",
            description="Items that the same users have interacted with.",
            metadata=False,
        ),
        "aws-semantic-similarity": Recipe(
            recipe_type="RELATED_ITEMS",
            kind="item",
            description="Items that are described in the same words.",
            influenced=True,
        ),
        "aws-personalized-ranking": _PERSONALIZED_RANKING,
        "aws-personalized-ranking-v2": _PERSONALIZED_RANKING,
    }
)
"""By recipe name, the last part of its ARN."""

LEGACY_RECIPES: Final[Mapping[str, Recipe]] = MappingProxyType(
    {
        "aws-hrnn": Recipe(
            recipe_type="USER_PERSONALIZATION",
            kind="user",
            description="What a user is likely to touch next, by interactions alone.",
            metadata=False,
            default_dimension=43,
        ),
        "aws-hrnn-metadata": Recipe(
            recipe_type="USER_PERSONALIZATION",
            kind="user",
            description="What a user is likely to touch next, by interactions and metadata.",
            default_dimension=43,
        ),
        "aws-hrnn-coldstart": Recipe(
            recipe_type="USER_PERSONALIZATION",
            kind="user",
            description="What a user is likely to touch next, with cold items among it.",
        ),
    }
)
"""Those that AWS no longer has (developer guide, "Legacy HRNN recipes"): `train` knows them, for who asks."""


def kind_of(recipe: str) -> Kind:
    """What a request to a campaign of `recipe` must name.

    :raises ValueError: for a recipe that is in neither RECIPES nor LEGACY_RECIPES.
    """
    return _recipe(recipe).kind


def _recipe(name: str) -> Recipe:
    recipe = RECIPES.get(name) or LEGACY_RECIPES.get(name)
    if recipe is None:
        raise ValueError(f"recipe {name!r} is not supported, only {', '.join([*RECIPES, *LEGACY_RECIPES])}")
    return recipe


def train(
    recipe: str,
    interactions: Interactions,
    *,
    items: Items | None = None,
    users: Items | None = None,
    hyperparameters: Mapping[str, str] = {},
    seed: int = 0,
) -> Model:
    """Train, and measure by the documented split.

    :param items: the attributes of each item of the Items dataset, by item id; CREATION_TIMESTAMP, in unix
        seconds, says what is new.
    :param users: the attributes of each user of the Users dataset, by user id.
    :param hyperparameters: those of the recipe and its feature transformation, as Personalize has them:
        strings.
    :param seed: which users are tested; the model itself is the same for every seed.
    :raises ValueError: without interactions, for an unknown recipe, a hyperparameter that cannot be read, or
        aws-semantic-similarity without items.
    """
    known = _recipe(recipe)
    if not len(interactions.item_ids):
        raise ValueError(f"{recipe} cannot be trained: there are no interactions")
    if recipe == "aws-semantic-similarity" and not items:
        raise ValueError(f"{recipe} cannot be trained: there is no Items dataset")
    tuning = Tuning.of(hyperparameters, hidden_dimension=known.default_dimension)
    log = EventLog.of(interactions, Catalogue({*_distinct(interactions.item_ids), *(items or ())}))
    described, asking = (items or {}, users or {}) if known.metadata else ({}, {})
    trends = None
    if recipe == "aws-trending-now":
        interval = interval_of(hyperparameters)
        trends = Trends(log, interval=interval)
        fit = partial(_fit_trend, interval)
        weigh = for_everybody(lambda: trends.background)
    else:
        fit = partial(_fit, recipe, tuning, described, asking)
        weigh = fit(log)
    metrics = evaluate(log, fit=fit, served=weigh, kind=known.kind, seed=seed)
    if trends is not None:
        metrics["trend_prediction_accuracy"] = trend_prediction_accuracy(log, interval=interval)
    newcomers, always = None, None
    if known.explores:
        newcomers = Newcomers.of(log, _creation_times(items or {})).little_known(log)
    elif recipe == "aws-hrnn-coldstart":
        newcomers, always = cold_items(log, _creation_times(items or {}), hyperparameters)
    return CatalogueModel(
        recipe=recipe,
        kind=known.kind,
        catalogue=log.catalogue,
        weigh=weigh,
        histories=Histories(log),
        scores_popular=recipe != "aws-user-personalization-v2",
        newcomers=newcomers,
        always_explores=always,
        trends=trends,
        contexts=_contexts(known, interactions, log.catalogue),
        influences=Influences(log, _creation_times(described)) if known.influenced else None,
        metrics=metrics,
    )


def _contexts(recipe: Recipe, interactions: Interactions, catalogue: Catalogue) -> Contexts | None:
    by_user = recipe.kind in ("user", "ranking")
    return Contexts(interactions, catalogue) if interactions.contexts and by_user else None


def _distinct(ids: Sequence[str]) -> Iterable[str]:
    return ids.distinct if isinstance(ids, (IdCodes, IdColumn)) else set(ids)


def _creation_times(items: Items) -> dict[str, float]:
    return {
        item_id: float(moment)
        for item_id, attributes in items.items()
        if isinstance(moment := attributes.get("CREATION_TIMESTAMP"), (int, float))
    }


def _fit(recipe: str, tuning: Tuning, items: Items, users: Items, log: EventLog) -> Weigh:
    match kind_of(recipe):
        case "user" | "ranking":
            return for_user(log, tuning, items, users)
        case "item":
            if recipe == "aws-semantic-similarity":
                return for_look_alikes(log, items)
            return for_item(log, tuning, items)
        case "nothing":
            return _fixed(popularity(log))


def _fit_trend(interval: int, log: EventLog) -> Weigh:
    return _fixed(trend(log, interval=interval))


def _fixed(weights: Weights) -> Weigh:
    background = Background(weights)
    return for_everybody(lambda: background)
