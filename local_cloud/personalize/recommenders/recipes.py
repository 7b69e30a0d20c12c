"""The recipes that the local Personalize can train."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import Final, Literal

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
from local_cloud.personalize.recommenders.objective import Objective, Rewards
from local_cloud.personalize.recommenders.popularity import frequency, popularity
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
    for_basket,
    for_everybody,
    for_item,
    for_look_alikes,
    for_user,
)

Basis = Literal["histories", "company", "baskets", "likeness", "takers", "events", "growth"]
"""What items are weighed by: what users did, what goes with an item, what is bought with it, what is alike;
or, for everybody, the number of users, the number of events, or how that grows."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """
    :param recipe_type: as DescribeRecipe gives it: popular items have no type of their own there (developer
        guide, "Popularity-Count recipe").
    :param by: what items are weighed by.
    :param metadata: whether the Items and Users datasets make a difference.
    :param explores: whether a campaign's `itemExplorationConfig` counts.
    :param influenced: whether a campaign's `rankingInfluence` counts.
    :param scored: whether answers show scores, where the kind has any.
    :param is_v2: whether it is of the second generation: of some items only there are scores, and a list says
        why it has the others.
    :param shows_metadata: whether campaigns show metadata without being told to.
    :param default_dimension: the default of `hidden_dimension`.
    """

    recipe_type: str
    kind: Kind
    by: Basis
    description: str
    metadata: bool = True
    explores: bool = False
    influenced: bool = False
    scored: bool = True
    is_v2: bool = False
    shows_metadata: bool = False
    default_dimension: int = 149


_USER_PERSONALIZATION: Final = Recipe(
    recipe_type="USER_PERSONALIZATION",
    kind="user",
    by="histories",
    description="What a user is likely to touch next.",
    explores=True,
)
_RELATED_ITEMS: Final = Recipe(
    recipe_type="RELATED_ITEMS",
    kind="item",
    by="company",
    description="Items that go together with an item.",
)
_PERSONALIZED_RANKING: Final = Recipe(
    recipe_type="PERSONALIZED_RANKING",
    kind="ranking",
    by="histories",
    description="A given list, in a user's order.",
)
_POPULAR: Final = Recipe(
    recipe_type="USER_PERSONALIZATION",
    kind="nothing",
    by="takers",
    description="The items that most users have interacted with.",
)
_TRENDING: Final = Recipe(
    recipe_type="USER_PERSONALIZATION",
    kind="nothing",
    by="growth",
    description="The items that gain interactions fastest.",
)
_SIMS: Final = Recipe(
    recipe_type="RELATED_ITEMS",
    kind="item",
    by="company",
    description="Items that the same users have interacted with.",
    metadata=False,
)

RECIPES: Final[Mapping[str, Recipe]] = MappingProxyType(
    {
        "aws-user-personalization": _USER_PERSONALIZATION,
        "aws-user-personalization-v2": replace(_USER_PERSONALIZATION, is_v2=True, shows_metadata=True),
        "aws-popularity-count": _POPULAR,
        "aws-trending-now": _TRENDING,
        "aws-similar-items": _RELATED_ITEMS,
        "aws-sims": _SIMS,
        "aws-semantic-similarity": Recipe(
            recipe_type="RELATED_ITEMS",
            kind="item",
            by="likeness",
            description="Items that are described in the same words.",
            influenced=True,
            shows_metadata=True,
        ),
        "aws-personalized-ranking": _PERSONALIZED_RANKING,
        "aws-personalized-ranking-v2": replace(_PERSONALIZED_RANKING, is_v2=True, shows_metadata=True),
    }
)
"""By recipe name, the last part of its ARN."""

LEGACY_RECIPES: Final[Mapping[str, Recipe]] = MappingProxyType(
    {
        "aws-hrnn": Recipe(
            recipe_type="USER_PERSONALIZATION",
            kind="user",
            by="histories",
            description="What a user is likely to touch next, by interactions alone.",
            metadata=False,
            default_dimension=43,
        ),
        "aws-hrnn-metadata": Recipe(
            recipe_type="USER_PERSONALIZATION",
            kind="user",
            by="histories",
            description="What a user is likely to touch next, by interactions and metadata.",
            default_dimension=43,
        ),
        "aws-hrnn-coldstart": Recipe(
            recipe_type="USER_PERSONALIZATION",
            kind="user",
            by="histories",
            description="What a user is likely to touch next, with cold items among it.",
        ),
    }
)
"""Those that AWS no longer has (developer guide, "Legacy HRNN recipes"): `train` knows them, for who asks."""


DOMAIN_RECIPES: Final[Mapping[str, Recipe]] = MappingProxyType(
    {
        "aws-ecomm-popular-items-by-views": replace(
            _POPULAR, by="events", description="Most viewed: the items that were viewed most often."
        ),
        "aws-ecomm-popular-items-by-purchases": replace(
            _POPULAR, by="events", description="Best sellers: the items that were purchased most often."
        ),
        "aws-ecomm-frequently-bought-together": replace(
            _SIMS, by="baskets", description="Frequently bought together: what is purchased with an item."
        ),
        "aws-ecomm-customers-who-viewed-x-also-viewed": replace(
            _SIMS, description="Customers who viewed X also viewed."
        ),
        "aws-ecomm-recommended-for-you": replace(
            _USER_PERSONALIZATION, scored=False, description="Recommended for you: what a user may like next."
        ),
        "aws-vod-because-you-watched-x": replace(
            _SIMS, description="Because you watched X: videos that its viewers watched too."
        ),
        "aws-vod-more-like-x": replace(
            _RELATED_ITEMS, description="More like X: videos that are similar to a video."
        ),
        "aws-vod-most-popular": replace(
            _POPULAR, description="Most popular: the videos that most users have watched."
        ),
        "aws-vod-trending-now": replace(
            _TRENDING, description="Trending now: the videos that gain interactions fastest."
        ),
        "aws-vod-top-picks": replace(
            _USER_PERSONALIZATION, scored=False, description="Top picks for you: what a user may watch next."
        ),
    }
)
"""The use cases of domain dataset groups: developer guide, "ECOMMERCE use cases" and "VIDEO_ON_DEMAND use
cases". A recommender is made of one, a solution never is."""


def kind_of(recipe: str) -> Kind:
    """What a request to a campaign of `recipe` must name.

    :raises ValueError: for a recipe that there is not.
    """
    return _recipe(recipe).kind


def _recipe(name: str) -> Recipe:
    known = {**RECIPES, **DOMAIN_RECIPES, **LEGACY_RECIPES}
    if name not in known:
        raise ValueError(f"recipe {name!r} is not supported, only {', '.join(known)}")
    return known[name]


def train(
    recipe: str,
    interactions: Interactions,
    *,
    items: Items | None = None,
    users: Items | None = None,
    hyperparameters: Mapping[str, str] = {},
    objective: Objective | None = None,
    seed: int = 0,
) -> Model:
    """Train, and measure by the documented split.

    :param items: the attributes of each item of the Items dataset, by item id; CREATION_TIMESTAMP, in unix
        seconds, says what is new.
    :param users: the attributes of each user of the Users dataset, by user id.
    :param hyperparameters: those of the recipe and its feature transformation, as Personalize has them:
        strings.
    :param objective: what to bring besides relevance.
    :param seed: which users are tested; the model itself is the same for every seed.
    :raises ValueError: without interactions, for an unknown recipe, a hyperparameter that cannot be read, or
        aws-semantic-similarity without items.
    """
    known = _recipe(recipe)
    if not len(interactions.item_ids):
        raise ValueError(f"{recipe} cannot be trained: there are no interactions")
    if known.by == "likeness" and not items:
        raise ValueError(f"{recipe} cannot be trained: there is no Items dataset")
    tuning = Tuning.of(hyperparameters, hidden_dimension=known.default_dimension)
    log = EventLog.of(interactions, Catalogue({*_distinct(interactions.item_ids), *(items or ())}))
    described, asking = (items or {}, users or {}) if known.metadata else ({}, {})
    interval = interval_of(hyperparameters)
    rewards = None if objective is None else Rewards(objective, items or {}, log.catalogue)
    fit = partial(_fit, known, tuning, described, asking, interval, rewards)
    trends = Trends(log, interval=interval) if known.by == "growth" else None
    weigh = fit(log) if trends is None else _following(trends)
    worth = None if rewards is None else rewards.worth
    metrics = evaluate(log, fit=fit, served=weigh, kind=known.kind, seed=seed, worth=worth)
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
        scored=known.scored,
        touched=log.counts > 0 if known.is_v2 else None,
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


def _fit(
    recipe: Recipe,
    tuning: Tuning,
    items: Items,
    users: Items,
    interval: int,
    rewards: Rewards | None,
    log: EventLog,
) -> Weigh:
    match recipe.by:
        case "histories":
            weigh = for_user(log, tuning, items, users, apart=recipe.is_v2)
            return weigh if rewards is None else rewards.over(weigh)
        case "company":
            return for_item(log, tuning, items)
        case "baskets":
            return for_basket(log, tuning)
        case "likeness":
            return for_look_alikes(log, items)
        case "takers":
            return _fixed(popularity(log))
        case "events":
            return _fixed(frequency(log))
        case "growth":
            return _fixed(trend(log, interval=interval))


def _following(trends: Trends) -> Weigh:
    return for_everybody(lambda: trends.background)


def _fixed(weights: Weights) -> Weigh:
    background = Background(weights)
    return for_everybody(lambda: background)
