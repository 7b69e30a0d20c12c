"""Domain dataset groups: what their schemas must hold, what may be in them, and which recipes they have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from local_cloud.personalize.recommenders import DOMAIN_RECIPES, RECIPES
from tests.local_cloud.personalize.domains import (
    ECOMMERCE,
    INTERACTIONS,
    PRODUCTS,
    USERS,
    VIDEOS,
    avro,
    domain_shop,
)
from tests.local_cloud.personalize.harness import Cloud, error_of
from vocabulary.schemas import INTERACTIONS_SCHEMA


def test_a_domain_dataset_group_says_its_domain(here: Cloud) -> None:
    """API reference, "CreateDatasetGroup", "DatasetGroup", "DatasetGroupSummary": domain."""
    created = here.control.create_dataset_group(name="shop", domain="ECOMMERCE")
    assert created["domain"] == "ECOMMERCE"
    assert here.settled("dataset_group", created["datasetGroupArn"])["domain"] == "ECOMMERCE"
    assert here.control.list_dataset_groups()["datasetGroups"][0]["domain"] == "ECOMMERCE"
    schema = here.schema(avro("Interactions", INTERACTIONS), domain="ECOMMERCE")
    assert here.control.describe_schema(schemaArn=schema)["schema"]["domain"] == "ECOMMERCE"
    assert here.control.list_schemas()["schemas"][0]["domain"] == "ECOMMERCE"


ALLOWED: list[tuple[str, str, Sequence[Any]]] = [
    ("ECOMMERCE", "Interactions", INTERACTIONS),
    ("ECOMMERCE", "Items", PRODUCTS),
    ("ECOMMERCE", "Users", USERS),
    ("VIDEO_ON_DEMAND", "Interactions", INTERACTIONS),
    ("VIDEO_ON_DEMAND", "Items", VIDEOS),
    ("VIDEO_ON_DEMAND", "Users", USERS),
]


@pytest.mark.parametrize(("domain", "kind", "fields"), ALLOWED)
def test_a_domains_schemas_are_those_of_the_guide(
    here: Cloud, domain: str, kind: str, fields: Sequence[Any]
) -> None:
    """Developer guide, "ECOMMERCE datasets and schemas", "VIDEO_ON_DEMAND datasets and schemas"."""
    group = here.group(domain=domain)
    dataset = here.dataset(group, here.schema(avro(kind, fields), domain=domain), kind)
    assert here.control.describe_dataset(datasetArn=dataset)["dataset"]["status"] == "ACTIVE"


def with_field(fields: Sequence[Any], **field: Any) -> list[Any]:
    return [*(each for each in fields if each["name"] != field["name"]), field]


def without(fields: Sequence[Any], name: str) -> list[Any]:
    return [each for each in fields if each["name"] != name]


TEXT = {"type": ["null", "string"]}
REFUSED: list[tuple[str, str, Sequence[Any], str]] = [
    ("ECOMMERCE", "Interactions", without(INTERACTIONS, "EVENT_TYPE"), "EVENT_TYPE of type string"),
    ("ECOMMERCE", "Interactions", with_field(INTERACTIONS, name="EVENT_TYPE", **TEXT), "EVENT_TYPE"),
    ("VIDEO_ON_DEMAND", "Interactions", without(INTERACTIONS, "EVENT_TYPE"), "EVENT_TYPE of type string"),
    ("ECOMMERCE", "Items", without(PRODUCTS, "PRICE"), "PRICE of type float that is not null"),
    ("ECOMMERCE", "Items", with_field(PRODUCTS, name="PRICE", type="int"), "PRICE of type float"),
    ("ECOMMERCE", "Items", with_field(PRODUCTS, name="CATEGORY_L1", type="string"), "categorical string"),
    (
        "ECOMMERCE",
        "Items",
        with_field(PRODUCTS, name="CATEGORY_L2", **TEXT),
        "may have the field CATEGORY_L2",
    ),
    ("ECOMMERCE", "Items", with_field(PRODUCTS, name="PRODUCT_DESCRIPTION", **TEXT), "textual string"),
    ("ECOMMERCE", "Items", with_field(PRODUCTS, name="CREATION_TIMESTAMP", type="string"), "of type long"),
    (
        "ECOMMERCE",
        "Interactions",
        with_field(INTERACTIONS, name="EVENT_VALUE", type="string"),
        "of type float",
    ),
    ("VIDEO_ON_DEMAND", "Items", without(VIDEOS, "GENRES"), "GENRES of type categorical string"),
    ("VIDEO_ON_DEMAND", "Items", without(VIDEOS, "CREATION_TIMESTAMP"), "CREATION_TIMESTAMP of type long"),
    ("VIDEO_ON_DEMAND", "Items", with_field(VIDEOS, name="DURATION", type="long"), "DURATION of type float"),
    ("VIDEO_ON_DEMAND", "Users", with_field(USERS, name="SUBSCRIPTION_MODEL", **TEXT), "categorical string"),
    ("ECOMMERCE", "Actions", [{"name": "ACTION_ID", "type": "string"}], "cannot be of a domain"),
]


@pytest.mark.parametrize(("domain", "kind", "fields", "said"), REFUSED)
def test_a_schema_that_lacks_what_its_domain_asks_for_is_refused(
    here: Cloud, domain: str, kind: str, fields: Sequence[Any], said: str
) -> None:
    """Developer guide, "ECOMMERCE datasets and schemas", "VIDEO_ON_DEMAND datasets and schemas"; "Creating a
    schema and a dataset": no actions in a domain dataset group."""
    error = error_of(lambda: here.schema(avro(kind, fields), domain=domain))
    assert error["Code"] == "InvalidInputException"
    assert said in error["Message"]


RESERVED: list[tuple[str, Sequence[Any], str]] = [
    (
        "Interactions",
        with_field(INTERACTIONS, name="EVENT_TYPE", type="string", categorical=True),
        "EVENT_TYPE",
    ),
    (
        "Interactions",
        with_field(INTERACTIONS, name="EVENT_VALUE", type="double"),
        "EVENT_VALUE of type float",
    ),
    ("Interactions", with_field(INTERACTIONS, name="IMPRESSION", type="long"), "IMPRESSION of type string"),
    ("Items", with_field(PRODUCTS, name="CREATION_TIMESTAMP", type="int"), "CREATION_TIMESTAMP of type long"),
]


@pytest.mark.parametrize(("kind", "fields", "said"), RESERVED)
def test_reserved_keywords_are_defined_as_the_guide_has_them(
    here: Cloud, kind: str, fields: Sequence[Any], said: str
) -> None:
    """Developer guide, "Custom datasets and schemas"."""
    assert said in error_of(lambda: here.schema(avro(kind, fields)))["Message"]


def test_a_custom_dataset_group_asks_for_less(here: Cloud) -> None:
    """Developer guide, "Custom datasets and schemas": required fields."""
    fields = [*without(PRODUCTS, "PRICE"), {"name": "CREATION_TIMESTAMP", "type": ["null", "long"]}]
    assert here.schema(avro("Items", fields), "items")
    assert here.schema(avro("Interactions", without(INTERACTIONS, "EVENT_TYPE")))


def test_a_dataset_has_a_schema_of_its_groups_domain(here: Cloud) -> None:
    """API reference, "CreateSchema": "specify the domain you chose when you created" the group."""
    shop, custom = here.group("shop", domain="ECOMMERCE"), here.group("custom")
    ours = here.schema(avro("Interactions", INTERACTIONS), "ours", domain="ECOMMERCE")
    films = here.schema(avro("Interactions", INTERACTIONS), "films", domain="VIDEO_ON_DEMAND")
    none = here.schema(INTERACTIONS_SCHEMA, "none")
    for group, schema in ((shop, none), (shop, films), (custom, ours)):
        error = error_of(lambda group=group, schema=schema: here.dataset(group, schema))  # type: ignore[misc]
        assert (error["Code"], "domain" in error["Message"]) == ("InvalidInputException", True)
    actions = here.schema(avro("Actions", [{"name": "ACTION_ID", "type": "string"}]), "actions")
    assert "domain" in error_of(lambda: here.dataset(shop, actions, "Actions"))["Message"]
    assert here.dataset(shop, ours)


def test_a_replacement_schema_keeps_the_domain(here: Cloud) -> None:
    """Developer guide, "Replacing a dataset's schema to add new columns"."""
    group = here.group(domain="ECOMMERCE")
    items = here.dataset(group, here.schema(avro("Items", PRODUCTS), "items", domain="ECOMMERCE"), "Items")
    wider = [*PRODUCTS, {"name": "COLOUR", **TEXT, "categorical": True}]
    custom = here.schema(avro("Items", wider), "custom")
    assert (
        "domain"
        in error_of(lambda: here.control.update_dataset(datasetArn=items, schemaArn=custom))["Message"]
    )
    ours = here.schema(avro("Items", wider), "ours", domain="ECOMMERCE")
    here.control.update_dataset(datasetArn=items, schemaArn=ours)
    assert here.settled("dataset", items)["schemaArn"] == ours


def test_recipes_are_listed_by_domain_or_all(here: Cloud) -> None:
    """API reference, "ListRecipes": "If you don't specify a domain, all recipes are returned"."""

    def listed(**request: str) -> dict[str, str | None]:
        recipes = here.control.list_recipes(**request)["recipes"]
        return {recipe["name"]: recipe.get("domain") for recipe in recipes}

    everything = listed()
    assert everything.keys() == {*RECIPES, *DOMAIN_RECIPES}
    for domain in ("ECOMMERCE", "VIDEO_ON_DEMAND"):
        of_domain = listed(domain=domain)
        assert len(of_domain) == 5
        assert set(of_domain.values()) == {domain}
        assert of_domain.items() <= everything.items()
    described = here.control.describe_recipe(recipeArn="arn:aws:personalize:::recipe/aws-vod-top-picks")
    assert described["recipe"]["recipeType"] == "USER_PERSONALIZATION"


def test_a_domain_dataset_group_has_custom_solutions_too_and_a_solution_no_use_case(here: Cloud) -> None:
    """API reference, "CreateDatasetGroup": "you can still add custom resources"; "CreateRecommender": only
    use cases of a domain make one."""
    shop = domain_shop(here, ECOMMERCE)
    solution = here.solution(shop.group)
    campaign = here.campaign(here.version(solution)["solutionVersionArn"])
    assert here.recommended(campaign, "user-1")
    use_case = "arn:aws:personalize:::recipe/aws-ecomm-recommended-for-you"
    error = error_of(lambda: here.solution(shop.group, "other", recipeArn=use_case))
    assert error["Code"] == "InvalidInputException"
    assert "for recommenders" in error["Message"]


@pytest.mark.parametrize(
    ("domain", "recipe", "said"),
    [
        (None, "aws-ecomm-recommended-for-you", "has no domain"),
        ("ECOMMERCE", "aws-user-personalization", "not a use case"),
        ("ECOMMERCE", "aws-vod-top-picks", "VIDEO_ON_DEMAND"),
        ("VIDEO_ON_DEMAND", "aws-ecomm-recommended-for-you", "ECOMMERCE"),
    ],
)
def test_a_recommender_is_of_a_use_case_of_its_groups_domain(
    here: Cloud, domain: str | None, recipe: str, said: str
) -> None:
    """API reference, "CreateRecommender": recipeArn, datasetGroupArn; guide, "Choosing a use case"."""
    group = here.group(**({"domain": domain} if domain else {}))
    error = error_of(
        lambda: here.control.create_recommender(
            name="r", datasetGroupArn=group, recipeArn=f"arn:aws:personalize:::recipe/{recipe}"
        )
    )
    assert error["Code"] == "InvalidInputException"
    assert said in error["Message"]
