"""Recipes, what they are made of, and hyperparameters: given, tuned, refused."""

from __future__ import annotations

from typing import Any

import pytest

from local_cloud.personalize import recipes
from local_cloud.personalize.hyperparameters import HYPERPARAMETERS
from local_cloud.personalize.recommenders import DOMAIN_RECIPES, RECIPES
from tests.local_cloud.personalize.domains import avro
from tests.local_cloud.personalize.harness import Cloud, Shop, error_of, interactions_csv

RANGES: dict[str, list[Any]] = {"integerHyperParameterRanges": [], "continuousHyperParameterRanges": []}


def test_every_recipe_leads_to_its_algorithm_and_feature_transformation(here: Cloud) -> None:
    listed = here.control.list_recipes(recipeProvider="SERVICE")["recipes"]
    assert {recipe["name"] for recipe in listed} == {*RECIPES, *DOMAIN_RECIPES}
    for summary in listed:
        recipe = here.control.describe_recipe(recipeArn=summary["recipeArn"])["recipe"]
        algorithm = here.control.describe_algorithm(algorithmArn=recipe["algorithmArn"])["algorithm"]
        feature = here.control.describe_feature_transformation(
            featureTransformationArn=recipe["featureTransformationArn"]
        )["featureTransformation"]
        parameters = {each.name: each.default for each in HYPERPARAMETERS.get(recipe["name"], ())}
        described = algorithm["defaultHyperParameters"]
        assert described.items() <= parameters.items()
        assert recipe["status"] == feature["status"] == "ACTIVE"


def test_an_algorithm_tells_defaults_ranges_and_what_hpo_may_tune(here: Cloud) -> None:
    """Developer guide, "User-Personalization recipe", properties and hyperparameters."""
    arn = recipes.algorithm_arn("aws-user-personalization")
    algorithm = here.control.describe_algorithm(algorithmArn=arn)["algorithm"]
    assert algorithm["defaultHyperParameters"] == {
        "hidden_dimension": "149",
        "bptt": "32",
        "recency_mask": "true",
    }
    assert algorithm["defaultHyperParameterRanges"] == {
        "integerHyperParameterRanges": [
            {"name": "hidden_dimension", "minValue": 32, "maxValue": 256, "isTunable": True},
            {"name": "bptt", "minValue": 2, "maxValue": 32, "isTunable": True},
        ],
        "continuousHyperParameterRanges": [],
        "categoricalHyperParameterRanges": [
            {"name": "recency_mask", "values": ["true", "false"], "isTunable": True}
        ],
    }


@pytest.mark.parametrize("kind", ["recipe", "algorithm", "feature-transformation"])
def test_what_there_is_not_is_not_found(here: Cloud, kind: str) -> None:
    name = "".join(part.capitalize() for part in kind.split("-"))
    member = name[0].lower() + name[1:] + "Arn"
    describe = getattr(here.control, f"describe_{kind.replace('-', '_')}")
    error = error_of(lambda: describe(**{member: f"arn:aws:personalize:::{kind}/aws-none"}))
    assert error["Code"] == "ResourceNotFoundException"


def test_the_recipes_of_old_are_there_when_they_are_asked_for(here: Cloud) -> None:
    """Developer guide, "Legacy HRNN recipes"."""
    group = here.group()
    hrnn = {"recipeArn": recipes.arn_of("recipe", "aws-hrnn")}
    assert error_of(lambda: here.solution(group, **hrnn))["Code"] == "ResourceNotFoundException"
    here.shared.settings.legacy_recipes = True
    here.solution(group, **hrnn)
    assert "aws-hrnn" in [recipe["name"] for recipe in here.control.list_recipes()["recipes"]]


def tuned(cloud: Cloud, shop: Shop, ranges: dict[str, Any], jobs: str = "3") -> dict[str, Any]:
    config = {
        "hpoConfig": {
            "hpoResourceConfig": {"maxNumberOfTrainingJobs": jobs, "maxParallelTrainingJobs": "2"},
            "algorithmHyperParameterRanges": {**RANGES, "categoricalHyperParameterRanges": [], **ranges},
        }
    }
    return cloud.version(cloud.solution(shop.group, "tuned", performHPO=True, solutionConfig=config))


BPTT = {"name": "bptt", "minValue": 4, "maxValue": 8}


def test_hpo_finds_parameters_within_its_ranges_and_an_update_keeps_them(here: Cloud, shop: Shop) -> None:
    """API reference, `HPOConfig`, `TunedHPOParams`; developer guide, "Hyperparameters and HPO"."""
    described = tuned(here, shop, {"integerHyperParameterRanges": [BPTT]})
    found = described["tunedHPOParams"]["algorithmHyperParameters"]
    assert found.keys() == {"bptt"}
    assert 4 <= int(found["bptt"]) <= 8
    version = described["solutionVersionArn"]
    assert here.service.region.trained[version].run.hyperparameters["bptt"] == found["bptt"]
    updated = here.control.create_solution_version(
        solutionArn=described["solutionArn"], trainingMode="UPDATE"
    )["solutionVersionArn"]
    here.settled("solution_version", updated)
    assert here.service.region.trained[updated].run.hyperparameters["bptt"] == found["bptt"]


def test_hpo_keeps_the_best_of_what_it_tries(here: Cloud, shop: Shop) -> None:
    metric = "normalized_discounted_cumulative_gain_at_25"

    def merit(jobs: str, name: str) -> float:
        config = {"hpoConfig": {"hpoResourceConfig": {"maxNumberOfTrainingJobs": jobs}}}
        version = here.version(here.solution(shop.group, name, performHPO=True, solutionConfig=config))
        arn = version["solutionVersionArn"]
        return float(here.control.get_solution_metrics(solutionVersionArn=arn)["metrics"][metric])

    assert merit("6", "many") >= merit("1", "one")


def test_ranges_are_three_lists(here: Cloud, shop: Shop) -> None:
    """Developer guide, "Hyperparameters and HPO": "You must provide each type in your request"."""
    config = {"hpoConfig": {"algorithmHyperParameterRanges": RANGES}}
    error = error_of(lambda: here.solution(shop.group, "two", performHPO=True, solutionConfig=config))
    assert "must have categoricalHyperParameterRanges, empty if need be" in error["Message"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"ranges": {"integerHyperParameterRanges": [{**BPTT, "maxValue": 64}]}}, "must be within 2 to 32"),
        ({"ranges": {"integerHyperParameterRanges": [{**BPTT, "name": "depth"}]}}, "used in the algorithm"),
        ({"ranges": {}, "jobs": "41"}, "maxNumberOfTrainingJobs must be a whole number from 1 to 40"),
    ],
)
def test_a_search_that_cannot_be_is_refused(
    here: Cloud, shop: Shop, options: dict[str, Any], said: str
) -> None:
    assert said in error_of(lambda: tuned(here, shop, **options))["Message"]


@pytest.mark.parametrize(
    ("recipe", "config", "said"),
    [
        ("user-personalization", {"algorithmHyperParameters": {"bptt": "33"}}, "bptt must be a whole number"),
        ("user-personalization", {"algorithmHyperParameters": {"recency_mask": "on"}}, "true, false"),
        (
            "user-personalization",
            {"featureTransformationParameters": {"max_user_history_length_percentile": "1.5"}},
            "from 0 to 1",
        ),
        (
            "user-personalization",
            {"featureTransformationParameters": {"bptt": "3"}},
            "Provide a hyperparameter that is used in the algorithm",
        ),
        (
            "trending-now",
            {"featureTransformationParameters": {"trend_discovery_frequency": "1 year"}},
            "30 minutes, 1 hour, 2 hours",
        ),
        (
            "user-personalization",
            {"trainingDataConfig": {"excludedDatasetColumns": {"Items": ["SIZE"]}}},
            "has no column SIZE",
        ),
        # Developer guide, "Configuring columns used when training"
        (
            "user-personalization",
            {"trainingDataConfig": {"excludedDatasetColumns": {"Interactions": ["EVENT_TYPE"]}}},
            "must not hold EVENT_TYPE",
        ),
    ],
)
def test_a_configuration_out_of_range_is_refused(
    here: Cloud, shop: Shop, recipe: str, config: dict[str, Any], said: str
) -> None:
    arn = recipes.arn_of("recipe", f"aws-{recipe}")
    error = error_of(lambda: here.solution(shop.group, "s", recipeArn=arn, solutionConfig=config))
    assert said in error["Message"]


@pytest.mark.parametrize("name", ["next-best-action", "item-affinity", "item-attribute-affinity"])
def test_a_recipe_that_only_aws_has_is_told_from_one_that_there_is_not(
    here: Cloud, shop: Shop, name: str
) -> None:
    """Developer guide, "Choosing a recipe"."""
    arn = recipes.arn_of("recipe", f"aws-{name}")
    for call in (
        lambda: here.solution(shop.group, "s", recipeArn=arn),
        lambda: here.control.describe_recipe(recipeArn=arn),
    ):
        error = error_of(call)
        assert error["Code"] == "InvalidInputException"
        assert error["Message"] == f"the recipe aws-{name} is not in the local cloud"


EVENTS = {"eventsConfig": {"eventParametersList": [{"eventType": "buy", "weight": 1.0}]}}


@pytest.mark.parametrize(
    ("recipe", "config", "said"),
    [
        ("user-personalization", EVENTS, "only for recipes of the second generation (-v2)"),
        (
            "similar-items",
            {"optimizationObjective": {"itemAttribute": "PRICE"}},
            "only for aws-user-personal",
        ),
        ("user-personalization", {"optimizationObjective": {"itemAttribute": "CATEGORY"}}, "got CATEGORY"),
        # May be null, in this shop's schema
        ("user-personalization", {"optimizationObjective": {"itemAttribute": "PRICE"}}, "never null"),
        ("user-personalization", {"optimizationObjective": {"itemAttribute": "SIZE"}}, "got SIZE"),
    ],
)
def test_what_a_recipe_cannot_be_optimized_for_is_refused(
    here: Cloud, shop: Shop, recipe: str, config: dict[str, Any], said: str
) -> None:
    """Developer guide, "Optimizing a solution with events configuration", "Optimizing a solution for an
    additional objective"."""
    arn = recipes.arn_of("recipe", f"aws-{recipe}")
    error = error_of(lambda: here.solution(shop.group, "s", recipeArn=arn, solutionConfig=config))
    assert (error["Code"], said in error["Message"]) == ("InvalidInputException", True)


def test_a_solution_can_be_optimized_for_what_items_are_worth(here: Cloud) -> None:
    """Developer guide, "Optimizing a solution for an additional objective", and its metric."""
    group = here.group()
    here.imported(here.dataset(group, here.schema()), interactions_csv(), "first")
    fields = [{"name": "ITEM_ID", "type": "string"}, {"name": "MARGIN", "type": "float"}]
    items = here.dataset(group, here.schema(avro("Items", fields), "items"), "Items")
    margins = [f"{kind}-{i},{1 + 99 * (i == 7)}" for kind in ("hat", "shoe") for i in range(20)]
    here.imported(items, "\n".join(["ITEM_ID,MARGIN", *margins]) + "\n", "items")
    config = {"optimizationObjective": {"itemAttribute": "MARGIN", "objectiveSensitivity": "HIGH"}}
    version = here.version(here.solution(group, solutionConfig=config))["solutionVersionArn"]
    metrics = here.control.get_solution_metrics(solutionVersionArn=version)["metrics"]
    assert 0 < metrics["average_rewards_at_k"] <= 1
    campaign = here.control.create_campaign(
        name="row",
        solutionVersionArn=version,
        campaignConfig={"itemExplorationConfig": {"explorationWeight": "0"}},
    )["campaignArn"]
    here.settled("campaign", campaign)
    assert here.recommended(campaign, "user-1", numResults=1) == ["hat-7"]


def test_hpo_is_not_for_a_recipe_without_anything_to_tune(here: Cloud, shop: Shop) -> None:
    arn = recipes.arn_of("recipe", "aws-user-personalization-v2")
    error = error_of(lambda: here.solution(shop.group, "v2", recipeArn=arn, performHPO=True))
    assert "no hyperparameter that performHPO could tune" in error["Message"]


def test_training_sees_the_columns_that_the_solution_has(here: Cloud, shop: Shop) -> None:
    """Developer guide, "Configuring columns used when training"."""
    config = {"trainingDataConfig": {"excludedDatasetColumns": {"Items": ["BRAND", "PRICE"]}}}
    version = here.version(here.solution(shop.group, "narrow", solutionConfig=config))["solutionVersionArn"]
    items = here.service.region.trained[version].run.items
    assert items is not None
    assert {name for record in items.values() for name in record} == {
        "ITEM_ID",
        "CATEGORY",
        "CREATION_TIMESTAMP",
    }


def test_a_plain_text_is_not_trained_on(here: Cloud) -> None:
    """Developer guide, "Schema formatting requirements": a string must be categorical or textual for it."""
    fields = [
        {"name": "ITEM_ID", "type": "string"},
        {"name": "PRICE", "type": "float"},
        {"name": "TITLE", "type": "string"},
        {"name": "SOLD_OUT", "type": "boolean"},
        {"name": "TEXT", "type": "string", "textual": True},
    ]
    group = here.group()
    here.imported(here.dataset(group, here.schema()), interactions_csv(), "first")
    items = here.dataset(group, here.schema(avro("Items", fields), "items"), "Items")
    here.imported(items, "ITEM_ID,PRICE,TITLE,SOLD_OUT,TEXT\nhat-1,3,A hat,true,A nice hat\n", "items")
    version = here.version(here.solution(group))["solutionVersionArn"]
    trained = here.service.region.trained[version].run.items
    assert trained == {"hat-1": {"ITEM_ID": "hat-1", "PRICE": 3.0, "TEXT": "A nice hat"}}


def test_events_that_the_solution_does_not_name_are_not_trained_on(here: Cloud, shop: Shop) -> None:
    """API reference, `EventsConfig`; developer guide, "Optimizing a solution with events configuration"."""
    config = {"eventsConfig": {"eventParametersList": [{"eventType": "BUY", "weight": 1.0}]}}
    v2 = recipes.arn_of("recipe", "aws-user-personalization-v2")
    version = here.version(here.solution(shop.group, "bought", recipeArn=v2, solutionConfig=config))
    assert version["failureReason"].startswith("Dataset has fewer than 1000 interactions")
