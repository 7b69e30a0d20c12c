"""What a request may ask of a campaign: promotions, metadata, context, filters by current item and user."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from local_cloud.personalize.capacity import SCALES_WITHIN, Capacity
from local_cloud.personalize.errors import Refused
from tests.local_cloud.personalize.harness import Cloud, Shop, error_of, interactions_csv
from vocabulary.schemas import INTERACTIONS_SCHEMA, ITEMS_SCHEMA, USERS_SCHEMA


def filter_of(cloud: Cloud, shop: Shop, expression: str, name: str = "f") -> str:
    arn = cloud.control.create_filter(name=name, datasetGroupArn=shop.group, filterExpression=expression)[
        "filterArn"
    ]
    cloud.settled("filter", arn)
    return str(arn)


def configured(cloud: Cloud, campaign: str, **config: Any) -> None:
    cloud.control.update_campaign(campaignArn=campaign, campaignConfig=config)
    cloud.settled("campaign", campaign)


def related(cloud: Cloud, shop: Shop) -> str:
    solution = cloud.solution(
        shop.group, "related", recipeArn="arn:aws:personalize:::recipe/aws-similar-items"
    )
    return cloud.campaign(cloud.version(solution)["solutionVersionArn"], "related")


def test_a_promotion_fills_its_share_at_any_place_in_its_own_order(here: Cloud, shop: Shop) -> None:
    """Developer guide, "Promoting items in real-time recommendations"."""
    shoes = filter_of(here, shop, "INCLUDE ItemID WHERE Items.CATEGORY IN ($KIND)")
    hats = filter_of(here, shop, 'INCLUDE ItemID WHERE Items.CATEGORY IN ("hats")', "hats")
    promotion = {
        "name": "shoes",
        "percentPromotedItems": 30,
        "filterArn": shoes,
        "filterValues": {"KIND": '"shoes"'},
    }
    answers = [
        here.runtime.get_recommendations(
            campaignArn=shop.campaign, userId="user-1", numResults=10, filterArn=hats, promotions=[promotion]
        )["itemList"]
        for _ in range(20)
    ]
    for answer in answers:
        promoted = [item for item in answer if item.get("promotionName") == "shoes"]
        others = [item for item in answer if "promotionName" not in item]
        assert {item["itemId"].partition("-")[0] for item in promoted} == {"shoe"}
        # The request's own filter is for the others only
        assert {item["itemId"].partition("-")[0] for item in others} == {"hat"}
        assert (len(promoted), len(others)) == (3, 7)
    places = {tuple("promotionName" in item for item in answer) for answer in answers}
    assert len(places) > 1


def test_a_promotion_that_finds_too_little_leaves_room_for_the_rest(here: Cloud, shop: Shop) -> None:
    one = filter_of(here, shop, 'INCLUDE ItemID WHERE Items.ITEM_ID IN ("hat-7")')
    promotion = {"name": "one", "percentPromotedItems": 100, "filterArn": one}
    answer = here.runtime.get_recommendations(
        campaignArn=shop.campaign, userId="user-1", numResults=10, promotions=[promotion]
    )["itemList"]
    assert [item["itemId"] for item in answer if "promotionName" in item] == ["hat-7"]
    assert len(answer) == 10


def test_metadata_are_shown_where_the_campaign_has_them(here: Cloud, shop: Shop) -> None:
    """API reference, "GetRecommendations", metadataColumns; `CampaignConfig`."""
    wanted = {"campaignArn": shop.campaign, "userId": "user-1", "metadataColumns": {"ITEMS": ["CATEGORY"]}}
    error = error_of(lambda: here.runtime.get_recommendations(**wanted))
    assert "enableMetadataWithRecommendations" in error["Message"]
    configured(here, shop.campaign, enableMetadataWithRecommendations=True)
    first = here.runtime.get_recommendations(**wanted)["itemList"][0]
    assert first["metadata"] == {"CATEGORY": f"{first['itemId'].partition('-')[0]}s"}
    for change, said in (
        ({"metadataColumns": {"ITEMS": ["SIZE"]}}, "no metadata column SIZE"),
        ({"metadataColumns": {"USERS": ["AGE"]}}, "may be of ITEMS"),
        ({"metadataColumns": {"ITEMS": ["CATEGORY"] * 11}}, "at most 10 columns, got 11"),
        ({"numResults": 51}, "numResults must be at most 50"),
    ):
        error = error_of(partial(here.runtime.get_recommendations, **{**wanted, **change}))
        assert said in error["Message"]


def test_metadata_need_an_items_dataset(here: Cloud) -> None:
    """Developer guide, "Item metadata in recommendations"."""
    group = here.group()
    here.imported(here.dataset(group, here.schema()), interactions_csv(), "first")
    campaign = here.campaign(here.version(here.solution(group))["solutionVersionArn"])
    error = error_of(lambda: configured(here, campaign, enableMetadataWithRecommendations=True))
    assert (error["Code"], "needs an Items dataset" in error["Message"]) == ("InvalidInputException", True)


def of_recipe(cloud: Cloud, shop: Shop, recipe: str) -> str:
    """A campaign."""
    solution = cloud.solution(shop.group, recipe, recipeArn=f"arn:aws:personalize:::recipe/aws-{recipe}")
    return cloud.campaign(cloud.version(solution)["solutionVersionArn"], recipe)


def test_v2_recipes_show_metadata_unasked(here: Cloud, shop: Shop) -> None:
    """Developer guide, "Item metadata in recommendations"."""
    columns = {"ITEMS": ["CATEGORY"]}
    row = here.runtime.get_recommendations(
        campaignArn=of_recipe(here, shop, "user-personalization-v2"), userId="user-1", metadataColumns=columns
    )["itemList"]
    assert row[0]["metadata"] == {"CATEGORY": "hats"}
    ranked = here.runtime.get_personalized_ranking(
        campaignArn=of_recipe(here, shop, "personalized-ranking-v2"),
        userId="user-1",
        inputList=["hat-1"],
        metadataColumns=columns,
    )["personalizedRanking"]
    assert ranked[0]["metadata"] == {"CATEGORY": "hats"}


def test_v2_says_why_an_item_is_in_the_list(here: Cloud, shop: Shop) -> None:
    """Developer guide, "Recommendation reasons with User-Personalization-v2"; API reference,
    `PredictedItem`."""
    shoes = filter_of(here, shop, 'INCLUDE ItemID WHERE Items.CATEGORY IN ("shoes")')
    asked = {
        "userId": "user-1",
        "numResults": 40,
        "promotions": [{"name": "shoes", "percentPromotedItems": 20, "filterArn": shoes}],
    }
    v2 = of_recipe(here, shop, "user-personalization-v2")
    answer = here.runtime.get_recommendations(campaignArn=v2, **asked)["itemList"]
    reasons = {item["itemId"]: item.get("reason") for item in answer}
    promoted = [item["itemId"] for item in answer if "promotionName" in item]
    assert len(promoted) == 8
    assert {reasons[item][0] for item in promoted} == {"Promoted item"}
    # A lover of hats is told nothing of shoes but that others like them
    assert {tuple(r or ()) for item, r in reasons.items() if item not in promoted} <= {
        (),
        ("Exploration",),
        ("Popular item",),
    }
    assert ["Popular item"] in reasons.values()
    assert all("score" in item for item in answer if "reason" not in item)
    assert not any("score" in item for item in answer if "Popular item" in item.get("reason", ()))
    first = here.runtime.get_recommendations(campaignArn=shop.campaign, **asked)["itemList"]
    assert not [item for item in first if "reason" in item]


def test_v2_explores_as_it_thinks_best(here: Cloud, shop: Shop) -> None:
    """API reference, `CampaignConfig`, itemExplorationConfig; guide, "Configuring exploration"."""
    campaign = of_recipe(here, shop, "user-personalization-v2")
    config = {"explorationWeight": "0.1"}
    error = error_of(lambda: configured(here, campaign, itemExplorationConfig=config))
    assert "explores as it thinks best" in error["Message"]


def test_context_asks_for_what_is_taken_under_it(here: Cloud) -> None:
    """Developer guide, "Increasing recommendation relevance with contextual metadata"."""
    document = json.loads(INTERACTIONS_SCHEMA)
    document["fields"].append({"name": "DEVICE_TYPE", "type": ["null", "string"], "categorical": True})
    group = here.group()
    dataset = here.dataset(group, here.schema(json.dumps(document)))
    header, *lines = interactions_csv().splitlines()
    # Whatever has an even number is taken on the phone
    rows = [f"{line},{'desk' if int(line.split(',')[1][-1]) % 2 else 'phone'}" for line in lines]
    here.imported(dataset, "\n".join([f"{header},DEVICE_TYPE", *rows]) + "\n", "first")
    recipe = "arn:aws:personalize:::recipe/aws-personalized-ranking"
    ranking = here.campaign(
        here.version(here.solution(group, "rank", recipeArn=recipe))["solutionVersionArn"], "rank"
    )
    row = here.campaign(here.version(here.solution(group))["solutionVersionArn"])

    def even(context: dict[str, str]) -> int:
        return sum(
            int(item[-1]) % 2 == 0 for item in here.recommended(row, "user-1", numResults=5, context=context)
        )

    assert even({"DEVICE_TYPE": "phone"}) == 5
    assert even({"DEVICE_TYPE": "desk"}) == 0
    for says_nothing in ({"DEVICE_TYPE": "fridge"}, {"WEATHER": "rain"}):
        assert here.recommended(row, "user-1", context=says_nothing) == here.recommended(row, "user-1")
    ranked = here.runtime.get_personalized_ranking(
        campaignArn=ranking, userId="user-1", inputList=["hat-3", "hat-4"], context={"DEVICE_TYPE": "phone"}
    )["personalizedRanking"]
    assert ranked[0]["itemId"] == "hat-4"
    assert sum(item["score"] for item in ranked) == pytest.approx(1)


def test_exploration_is_the_campaigns(here: Cloud, shop: Shop) -> None:
    """Developer guide, "User-Personalization recipe": explorationWeight, explorationItemAgeCutOff."""
    first = []
    for weight in ("1", "0"):
        configured(here, shop.campaign, itemExplorationConfig={"explorationWeight": weight})
        answer = here.runtime.get_recommendations(campaignArn=shop.campaign, userId="user-1")["itemList"]
        scores = [item["score"] for item in answer]
        # API reference, "GetRecommendations", itemList
        assert scores == sorted(scores, reverse=True)
        first.append(answer[0]["itemId"])
    assert first[0] != first[1] == "hat-0"
    for config, said in (
        ({"explorationWeight": "2"}, "explorationWeight must be from 0 to 1"),
        ({"weight": "1"}, "may hold explorationWeight"),
    ):
        error = error_of(partial(configured, here, shop.campaign, itemExplorationConfig=config))
        assert said in error["Message"]


def test_a_campaign_lets_what_is_new_come_before_what_is_alike(here: Cloud, shop: Shop) -> None:
    """API reference, `CampaignConfig`, rankingInfluence; guide, "Semantic-Similarity recipe": the columns."""
    recipe = "arn:aws:personalize:::recipe/aws-semantic-similarity"
    solution = here.solution(shop.group, "words", recipeArn=recipe)
    failed = here.version(solution)
    assert failed["failureReason"].endswith("with a field of itemName and a textual field.")
    document = json.loads(ITEMS_SCHEMA)
    document["fields"] += [
        {"name": "TITLE", "type": ["null", "string"], "itemName": True},
        {"name": "TEXT", "type": ["null", "string"], "textual": True},
    ]
    schema = here.schema(json.dumps(document), "described")
    here.control.update_dataset(datasetArn=shop.items, schemaArn=schema)
    here.settled("dataset", shop.items)
    solution = here.solution(shop.group, "more-words", recipeArn=recipe)
    new = {"category": "hats", "brand": "acme", "creationTimestamp": 2_000_000_000, "title": "Hat"}
    here.events.put_items(datasetArn=shop.items, items=[{"itemId": "hat-7", "properties": json.dumps(new)}])
    version = here.version(solution)["solutionVersionArn"]
    campaign = here.campaign(version, "words")
    told = here.runtime.get_recommendations(
        campaignArn=campaign, itemId="hat-5", metadataColumns={"ITEMS": ["TITLE"]}, numResults=40
    )["itemList"]
    assert {"itemId": "hat-7", "metadata": {"TITLE": "Hat"}} in told

    def first() -> str:
        answer = here.runtime.get_recommendations(campaignArn=campaign, itemId="hat-5", numResults=1)
        return str(answer["itemList"][0]["itemId"])

    assert first() == "hat-0", "of hats that are all alike the most popular one"
    configured(here, campaign, rankingInfluence={"FRESHNESS": 1.0})
    assert first() == "hat-7"
    configured(here, campaign, rankingInfluence={"FRESHNESS": 0.0})
    assert first() == "hat-0"
    error = error_of(lambda: configured(here, campaign, rankingInfluence={"POPULARITY": 1.5}))
    assert "rankingInfluence.POPULARITY" in error["Message"]


def test_a_filter_compares_with_the_current_item(here: Cloud, shop: Shop) -> None:
    """Developer guide, "Filter expression elements": CurrentItem, for related items only."""
    campaign = related(here, shop)
    same = filter_of(here, shop, "INCLUDE ItemID WHERE Items.CATEGORY IN (CurrentItem.CATEGORY)")
    cheaper = filter_of(here, shop, "INCLUDE ItemID WHERE Items.PRICE < CurrentItem.PRICE", "cheaper")
    ask = here.runtime.get_recommendations

    def items(filter_arn: str, item: str) -> set[str]:
        answer = ask(campaignArn=campaign, itemId=item, filterArn=filter_arn, numResults=100)["itemList"]
        return {item["itemId"] for item in answer}

    assert {item.partition("-")[0] for item in items(same, "hat-3")} == {"hat"}
    assert items(cheaper, "hat-2") == {"hat-0", "hat-1", "shoe-0", "shoe-1"}
    assert items(cheaper, "nothing-like-it") == set()
    error = error_of(lambda: here.recommended(shop.campaign, "user-1", filterArn=same))
    assert "only recipes of related items" in error["Message"]


def test_a_filter_takes_the_current_user_into_account(here: Cloud, shop: Shop) -> None:
    users = here.dataset(shop.group, here.schema(USERS_SCHEMA, "users"), "Users")
    column = next(c for c in here.service.region.datasets[users].schema.columns if c != "USER_ID")
    first, *rest = column.lower().split("_")
    key = first + "".join(word.capitalize() for word in rest)
    here.events.put_users(datasetArn=users, users=[{"userId": "user-1", "properties": f'{{"{key}": "x"}}'}])
    expression = f'EXCLUDE ItemID WHERE Items.CATEGORY IN ("hats") IF CurrentUser.{column} = "x"'
    no_hats = filter_of(here, shop, expression)
    assert not [i for i in here.recommended(shop.campaign, "user-1", filterArn=no_hats) if "hat" in i]
    assert [i for i in here.recommended(shop.campaign, "user-3", filterArn=no_hats) if "hat" in i]


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("INCLUDE ItemID WHERE Items.SIZE = 3", "no field SIZE"),
        ("INCLUDE UserID WHERE Users.AGE = 3", "a filter of UserID is not in the local cloud"),
        (
            'INCLUDE ItemID WHERE Items.PRICE > 1 AND Interactions.EVENT_TYPE IN ("buy")',
            "cannot mix Interactions and Items",
        ),
    ],
)
def test_a_filter_that_cannot_be_is_refused(here: Cloud, shop: Shop, expression: str, said: str) -> None:
    """Developer guide, "Filter expressions", "Guidelines and requirements"."""
    assert said in error_of(lambda: filter_of(here, shop, expression))["Message"]


@pytest.fixture
def moment() -> Iterator[list[float]]:
    yield [1000.0]


def asked(capacity: Capacity, times: int, least: float = 2, most: float = 10) -> int:
    """How many of so many requests at one moment were served."""
    served = 0
    for _ in range(times):
        try:
            capacity.take("campaign", least=least, most=most)
        except Refused as refused:
            assert refused.code == "ThrottlingException"
        else:
            served += 1
    return served


def test_capacity_follows_demand_up_after_a_while_and_not_beyond_the_quota(moment: list[float]) -> None:
    """Developer guide, "Minimum provisioned transactions per second and auto-scaling"."""
    capacity = Capacity(now=lambda: moment[0], lasts=lambda seconds: seconds)
    served = []
    for _ in range(int(SCALES_WITHIN) + 2):
        served.append(asked(capacity, 8))
        moment[0] += 1
    assert set(served[: int(SCALES_WITHIN)]) == {2}
    assert served[-1] == 8
    for _ in range(int(SCALES_WITHIN) + 2):
        asked(capacity, 100)
        moment[0] += 1
    assert asked(capacity, 100) == 10
    moment[0] += SCALES_WITHIN + 1
    assert asked(capacity, 8) == 2


def test_throttling_is_off_until_it_is_turned_on(here: Cloud, shop: Shop) -> None:
    moment = [2e9]
    here.shared.clock._source = lambda: moment[0]

    def code() -> str:
        try:
            here.runtime_once.get_recommendations(campaignArn=shop.campaign, userId="user-1")
        except here.runtime.exceptions.ClientError as error:
            return str(error.response["Error"]["Code"])
        return "200"

    assert {code() for _ in range(5)} == {"200"}
    here.shared.settings.throttling = True
    assert [code() for _ in range(3)] == ["200", "ThrottlingException", "ThrottlingException"]
    moment[0] += 1
    assert code() == "200"
    here.control.update_campaign(campaignArn=shop.campaign, minProvisionedTPS=3)
    here.settled("campaign", shop.campaign)
    moment[0] += 1
    assert [code() for _ in range(4)] == ["200", "200", "200", "ThrottlingException"]
