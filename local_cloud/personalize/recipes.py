"""The recipes, and the hyperparameters that each takes.

Developer guide, "Choosing a recipe": the recipes of custom dataset groups that the local
recommenders implement.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from local_cloud.personalize.errors import invalid, not_found
from local_cloud.personalize.recommenders import RECIPES

_RECIPE_PREFIX: Final = "recipe/"

_HISTORY_PERCENTILES: Final = frozenset(
    {"min_user_history_length_percentile", "max_user_history_length_percentile"}
)
_RECURRENT: Final = frozenset({"hidden_dimension", "bptt", "recency_mask"})
_HYPERPARAMETERS: Final[dict[str, frozenset[str]]] = {
    "aws-user-personalization": _RECURRENT,
    "aws-user-personalization-v2": frozenset({"apply_recency_bias"}),
    "aws-personalized-ranking": _RECURRENT,
    "aws-personalized-ranking-v2": frozenset({"apply_recency_bias"}),
    "aws-similar-items": frozenset({"popularity_discount_factor"}),
    "aws-sims": frozenset(
        {
            "popularity_discount_factor",
            "min_cointeraction_count",
            "min_user_history_length_percentile",
            "max_user_history_length_percentile",
            "min_item_interaction_count_percentile",
            "max_item_interaction_count_percentile",
        }
    ),
}
_FEATURE_PARAMETERS: Final[dict[str, frozenset[str]]] = {
    "aws-user-personalization": _HISTORY_PERCENTILES,
    "aws-personalized-ranking": _HISTORY_PERCENTILES,
    "aws-sims": _HYPERPARAMETERS["aws-sims"],
}
_SINCE: Final = 1_560_124_800.0
"""10 June 2019, when the service opened: the date that recipes carry."""


def recipe_arn(name: str, partition: str = "aws") -> str:
    return f"arn:{partition}:personalize:::{_RECIPE_PREFIX}{name}"


def name_of(arn: str) -> str:
    """The name of a recipe.

    :raises Refused: ResourceNotFoundException when there is none with this ARN.
    """
    name = arn.rpartition("/")[2]
    if name not in RECIPES or arn.split(":")[3:] != ["", "", f"{_RECIPE_PREFIX}{name}"]:
        raise not_found(arn)
    return name


def describe(name: str) -> dict[str, Any]:
    arn = recipe_arn(name)
    return {
        "name": name,
        "recipeArn": arn,
        "algorithmArn": _algorithm_arn(name),
        "featureTransformationArn": arn.replace(f":{_RECIPE_PREFIX}", ":feature-transformation/"),
        "status": "ACTIVE",
        "description": RECIPES[name].description,
        "creationDateTime": _SINCE,
        "recipeType": RECIPES[name].recipe_type,
        "lastUpdatedDateTime": _SINCE,
    }


def check_parameters(name: str, config: Mapping[str, Any]) -> None:
    """Every hyperparameter of a `solutionConfig` must be one of the recipe's.

    :raises Refused: InvalidInputException.
    """
    given = set(config.get("algorithmHyperParameters", {}))
    features = set(config.get("featureTransformationParameters", {}))
    if given - _HYPERPARAMETERS.get(name, frozenset()) or features - _FEATURE_PARAMETERS.get(
        name, frozenset()
    ):
        raise invalid(f"Provide a hyperparameter that is used in the algorithm: {_algorithm_arn(name)}")


def _algorithm_arn(name: str) -> str:
    return recipe_arn(name).replace(f":{_RECIPE_PREFIX}", ":algorithm/")
