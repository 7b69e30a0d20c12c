"""The recipes, and what they are made of: DescribeRecipe, DescribeAlgorithm, DescribeFeatureTransformation.

Developer guide, "Choosing a recipe" and "Choosing a use case": those that the local recommenders implement.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from local_cloud.personalize import hyperparameters
from local_cloud.personalize.errors import not_found, not_here
from local_cloud.personalize.hyperparameters import Search
from local_cloud.personalize.recommenders import DOMAIN_RECIPES, LEGACY_RECIPES, RECIPES, Recipe
from local_cloud.personalize.use_cases import USE_CASES

UPDATABLE: Final = frozenset({"aws-user-personalization", "aws-hrnn-coldstart"})
"""Recipes of which a solution version can be trained with `trainingMode` UPDATE."""

ABSENT: Final = frozenset({"aws-next-best-action", "aws-item-affinity", "aws-item-attribute-affinity"})
"""Recipes of actions and of user segments, which AWS has."""

_ALGORITHMS: Final = {"aws-trending-now": "aws-trending-now-custom"}
"""Where the algorithm is not called like the recipe: developer guide, the recipe's page."""

_FEATURE_TRANSFORMATIONS: Final = {
    "aws-user-personalization": "JSON-percentile-filtering",
    "aws-personalized-ranking": "JSON-percentile-filtering",
    "aws-hrnn": "JSON-percentile-filtering",
    "aws-sims": "JSON-percentile-filtering",
}
"""Seen in stored outputs of DescribeRecipe (aws-samples notebooks); others are called like the recipe."""

_SINCE: Final = 1_560_124_800.0
"""10 June 2019, when the service opened: the date that recipes carry."""


def arn_of(kind: str, name: str, partition: str = "aws") -> str:
    """:param kind: `recipe`, `algorithm` or `feature-transformation`."""
    return f"arn:{partition}:personalize:::{kind}/{name}"


def offered(*, legacy: bool) -> Mapping[str, Recipe]:
    """:param legacy: with the HRNN recipes that AWS no longer has."""
    return {**RECIPES, **DOMAIN_RECIPES, **(LEGACY_RECIPES if legacy else {})}


def recipe_of(name: str) -> Recipe:
    return offered(legacy=True)[name]


def name_of(arn: str, *, legacy: bool = True) -> str:
    """The name of a recipe.

    :raises Refused: ResourceNotFoundException when there is none with this ARN.
    """
    name = arn.rpartition("/")[2]
    if arn.split(":")[3:] != ["", "", f"recipe/{name}"]:
        raise not_found(arn)
    if name in ABSENT:
        raise not_here(f"the recipe {name}")
    if name not in offered(legacy=legacy):
        raise not_found(arn)
    return name


def describe(name: str, partition: str = "aws") -> dict[str, Any]:
    """As DescribeRecipe gives it; the domain is for ListRecipes."""
    domain = {"domain": USE_CASES[name].domain} if name in USE_CASES else {}
    return {
        **domain,
        "name": name,
        "recipeArn": arn_of("recipe", name, partition),
        "algorithmArn": algorithm_arn(name, partition),
        "featureTransformationArn": arn_of("feature-transformation", _transformation(name), partition),
        "status": "ACTIVE",
        "description": recipe_of(name).description,
        "creationDateTime": _SINCE,
        "recipeType": recipe_of(name).recipe_type,
        "lastUpdatedDateTime": _SINCE,
    }


def describe_algorithm(arn: str) -> dict[str, Any]:
    """
    :raises Refused: ResourceNotFoundException.
    """
    for recipe in offered(legacy=True):
        if arn == algorithm_arn(recipe, arn.split(":")[1]):
            parameters = [
                each for each in hyperparameters.of_recipe(recipe) if each.part == "algorithmHyperParameters"
            ]
            return {
                "name": _ALGORITHMS.get(recipe, recipe),
                "algorithmArn": arn,
                "defaultHyperParameters": {each.name: each.default for each in parameters},
                "defaultHyperParameterRanges": hyperparameters.ranges(parameters),
                "trainingInputMode": "File",
                "creationDateTime": _SINCE,
                "lastUpdatedDateTime": _SINCE,
            }
    raise not_found(arn)


def describe_feature_transformation(arn: str) -> dict[str, Any]:
    """
    :raises Refused: ResourceNotFoundException.
    """
    for recipe in offered(legacy=True):
        if arn == arn_of("feature-transformation", _transformation(recipe), arn.split(":")[1]):
            return {
                "name": _transformation(recipe),
                "featureTransformationArn": arn,
                "defaultParameters": {
                    each.name: each.default
                    for each in hyperparameters.of_recipe(recipe)
                    if each.part == "featureTransformationParameters"
                },
                "creationDateTime": _SINCE,
                "lastUpdatedDateTime": _SINCE,
                "status": "ACTIVE",
            }
    raise not_found(arn)


def check_parameters(name: str, config: Mapping[str, Any]) -> None:
    """
    :raises Refused: InvalidInputException.
    """
    hyperparameters.check(name, config, algorithm_arn=algorithm_arn(name))


def search_of(name: str, config: Mapping[str, Any]) -> Search:
    """What `performHPO` tries.

    :raises Refused: InvalidInputException.
    """
    return hyperparameters.search_of(name, config, algorithm_arn=algorithm_arn(name))


def algorithm_arn(name: str, partition: str = "aws") -> str:
    return arn_of("algorithm", _ALGORITHMS.get(name, name), partition)


def _transformation(name: str) -> str:
    return _FEATURE_TRANSFORMATIONS.get(name, name)
