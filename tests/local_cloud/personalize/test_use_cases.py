"""The ten use cases of domain dataset groups: what each recommends, and what its requests must name."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from local_cloud.personalize.recommenders import DOMAIN_RECIPES
from local_cloud.personalize.use_cases import USE_CASES
from tests.local_cloud.personalize.domains import (
    ECOMMERCE,
    HOUR,
    NOW,
    VIDEO_ON_DEMAND,
    DomainShop,
    domain_shop,
)
from tests.local_cloud.personalize.harness import Cloud, error_of


@pytest.fixture
def shop(here: Cloud) -> DomainShop:
    return domain_shop(here, ECOMMERCE)


@pytest.fixture
def video(here: Cloud) -> DomainShop:
    return domain_shop(here, VIDEO_ON_DEMAND)


def test_every_use_case_has_something_behind_it() -> None:
    assert USE_CASES.keys() == DOMAIN_RECIPES.keys()
    assert [use_case.domain for use_case in USE_CASES.values()].count("ECOMMERCE") == 5 == len(USE_CASES) / 2


def test_a_shops_popular_items_are_those_viewed_or_purchased_most_often(shop: DomainShop) -> None:
    """Developer guide, "ECOMMERCE use cases": Most viewed, Best sellers: how many times."""
    viewed, sold = shop.has("popular-items-by-views"), shop.has("popular-items-by-purchases")
    # By six users only, but again and again
    assert shop.answers(viewed, userId="user-1")[:3] == ["window", "camera", "lens"]
    assert shop.answers(sold, userId="user-1")[0] == "socks"
    # Popular items hide nothing: user-1 has bought socks
    assert "window" not in shop.answers(sold, userId="user-1")[:4]


def test_what_is_bought_together_is_what_is_in_one_basket(shop: DomainShop) -> None:
    """Developer guide, "ECOMMERCE use cases": Frequently bought together, by Purchase events."""
    arn = shop.has("frequently-bought-together")
    bought = shop.answers(arn, itemId="camera")
    # The same users buy a tripod the day after, and socks hours before
    assert bought[0] == "card"
    assert "camera" not in bought
    assert shop.answers(arn, itemId="camera", userId="user-0") == bought


def test_what_is_viewed_too_is_what_viewers_view_and_the_user_has_not_bought(shop: DomainShop) -> None:
    """Developer guide, "ECOMMERCE use cases": Customers who viewed X also viewed."""
    arn = shop.has("customers-who-viewed-x-also-viewed")
    assert shop.answers(arn, itemId="camera", userId="user-1")[0] == "lens"
    shop.sends("user-1", "lens", "Purchase")
    assert "lens" not in shop.answers(arn, itemId="camera", userId="user-1", numResults=100)
    assert "lens" in shop.answers(arn, itemId="camera", userId="user-3", numResults=100)
    # What was viewed is not kept back
    assert "camera" in shop.answers(arn, itemId="lens", userId="user-3", numResults=100)


def test_what_is_recommended_for_a_user_follows_events_and_leaves_out_purchases(shop: DomainShop) -> None:
    """Developer guide, "ECOMMERCE use cases": Recommended for you, in real time."""
    arn = shop.has("recommended-for-you")
    before = shop.answers(arn, userId="user-0", numResults=100)
    assert not {"camera", "card", "tripod", "socks"} & set(before)
    assert "lens" in before
    shop.sends("stranger", "mug-1", "View")
    assert shop.answers(arn, userId="stranger", numResults=3)[0].startswith("mug")
    shop.sends("stranger", "camera", "View", NOW + 1)
    assert shop.answers(arn, userId="stranger", numResults=3)[0] in ("camera", "lens", "card", "tripod")
    shop.sends("user-0", "lens", "purchase")
    assert "lens" not in shop.answers(arn, userId="user-0", numResults=100)


def test_popular_videos_are_those_that_most_users_have_watched(video: DomainShop) -> None:
    """Developer guide, "VIDEO_ON_DEMAND use cases": Most popular: watched by the most users."""
    popular = video.answers(video.has("most-popular"), userId="user-1")
    # Five users have watched the loop more often than everybody the hit; nobody has watched the trailer
    assert popular[0] == "hit"
    assert popular.index("loop") > popular.index("fresh")


def test_because_a_video_was_watched_others_of_its_viewers_are_recommended(video: DomainShop) -> None:
    """Developer guide, "VIDEO_ON_DEMAND use cases": Because you watched X, not what was watched."""
    arn = video.has("because-you-watched-x")
    near = video.answers(arn, itemId="horror-1", userId="stranger", numResults=5)
    assert {name.partition("-")[0] for name in near} == {"horror"}
    video.sends("stranger", near[0], "watch")
    after = video.answers(arn, itemId="horror-1", userId="stranger", numResults=100)
    assert near[0] not in after
    assert near[1] == after[0]


def test_more_like_a_video_are_those_that_are_described_alike_too(video: DomainShop) -> None:
    """Developer guide, "VIDEO_ON_DEMAND use cases": More like X: Interactions and Items."""
    arn = video.has("more-like-x")
    more = partial(video.answers, itemId="horror-new", numResults=5)
    assert {name.partition("-")[0] for name in more(arn, userId="stranger")} == {"horror"}
    # By who has watched it nothing can be told of it
    watched = video.has("because-you-watched-x")
    assert {name.partition("-")[0] for name in more(watched, userId="stranger")} != {"horror"}
    video.sends("stranger", "horror-3", "Click")
    video.sends("stranger", "horror-4", "Watch")
    left = video.answers(arn, itemId="horror-new", userId="stranger", numResults=100)
    assert ("horror-3" in left, "horror-4" in left) == (True, False)


def test_trending_videos_are_found_every_two_hours_without_a_training(video: DomainShop) -> None:
    """Developer guide, "VIDEO_ON_DEMAND use cases": Trending now; userId only where a filter needs it."""
    arn = video.has("trending-now")
    assert video.answers(arn)[0] == "fresh"
    for number in range(30):
        video.sends(f"late-{number}", "breaking", "Click", NOW + HOUR + number)
    assert "breaking" not in video.answers(arn)
    video.sends("late-0", "hit", "Watch", NOW + 2 * HOUR + 1)
    assert video.answers(arn)[0] == "breaking"


def test_top_picks_follow_events_and_leave_out_what_was_watched(video: DomainShop) -> None:
    """Developer guide, "VIDEO_ON_DEMAND use cases": Top picks for you."""
    arn = video.has("top-picks")
    watched = {f"horror-{number}" for number in range(10)} | {"hit"}
    assert not watched & set(video.answers(arn, userId="user-7", numResults=100))
    # A filter sees the newest 100 events of a type: user-1 has watched the loop more often since
    assert watched & set(video.answers(arn, userId="user-1", numResults=100))
    video.sends("stranger", "comedy-1", "Click")
    top = video.answers(arn, userId="stranger", numResults=100)
    assert sum(name.startswith("comedy") for name in top[:6]) > sum(
        name.startswith("horror") for name in top[:6]
    )
    assert "comedy-1" in top


NAMES: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
    "popular-items-by-views": (("userId",), {}),
    "popular-items-by-purchases": (("userId",), {}),
    "frequently-bought-together": (("itemId",), {}),
    "customers-who-viewed-x-also-viewed": (("userId", "itemId"), {}),
    "recommended-for-you": (("userId",), {}),
    "because-you-watched-x": (("userId", "itemId"), {}),
    "more-like-x": (("userId", "itemId"), {}),
    "most-popular": (("userId",), {}),
    "trending-now": ((), {}),
    "top-picks": (("userId",), {}),
}


def test_requests_name_what_the_use_case_asks_for_and_answers_have_no_scores(here: Cloud) -> None:
    """Developer guide, "ECOMMERCE use cases", "VIDEO_ON_DEMAND use cases": requirements."""
    ids = {"userId": "user-1", "itemId": "camera"}
    shops = {kind[0]: domain_shop(here, kind) for kind in (ECOMMERCE, VIDEO_ON_DEMAND)}
    for recipe, use_case in USE_CASES.items():
        name = recipe.removeprefix("aws-").partition("-")[2]
        arn = shops[use_case.domain].has(name)
        needed, _ = NAMES[name]
        answer = here.runtime.get_recommendations(
            recommenderArn=arn, numResults=3, **{member: ids[member] for member in needed}
        )
        assert len(answer["itemList"]) == 3
        assert {key for item in answer["itemList"] for key in item} == {"itemId"}
        assert len(answer["recommendationId"]) == 40
        for left_out in needed:
            given = {member: ids[member] for member in needed if member != left_out}
            error = error_of(partial(here.runtime.get_recommendations, recommenderArn=arn, **given))
            assert error["Code"] == "InvalidInputException"
            assert left_out in error["Message"]


def test_a_recommenders_requests_have_filters_promotions_and_metadata(here: Cloud, shop: DomainShop) -> None:
    """Developer guide, "Promoting items in real-time recommendations"; API: "GetRecommendations"."""
    arn = shop.has("recommended-for-you")

    def filter_of(name: str, expression: str) -> str:
        made = here.control.create_filter(name=name, datasetGroupArn=shop.group, filterExpression=expression)[
            "filterArn"
        ]
        here.settled("filter", made)
        return str(made)

    home = filter_of("home", 'INCLUDE ItemID WHERE Items.CATEGORY_L1 IN ("home")')
    photo = filter_of("photo", "INCLUDE ItemID WHERE Items.CATEGORY_L1 IN ($KIND)")
    # The user's purchases stay out, under a filter and among promotions
    mine: dict[str, Any] = {"userId": "user-0", "numResults": 10}
    assert not {"lens", "socks"} & set(shop.answers(arn, filterArn=home, **mine))
    promotion = {"percentPromotedItems": 50, "filterArn": photo, "filterValues": {"KIND": '"photo"'}}
    answer = here.runtime.get_recommendations(
        recommenderArn=arn, filterArn=home, promotions=[promotion], **mine
    )["itemList"]
    assert [item["itemId"] for item in answer if "promotionName" in item] == ["lens"]
    columns = {"ITEMS": ["PRICE", "CATEGORY_L1"]}
    error = error_of(lambda: shop.answers(arn, userId="user-1", metadataColumns=columns))
    assert "enableMetadataWithRecommendations" in error["Message"]
    here.control.update_recommender(
        recommenderArn=arn, recommenderConfig={"enableMetadataWithRecommendations": True}
    )
    here.settled("recommender", arn)
    (first, *_) = here.runtime.get_recommendations(
        recommenderArn=arn,
        userId="user-0",
        metadataColumns=columns,
        filterArn=photo,
        filterValues={"KIND": '"photo"'},
    )["itemList"]
    assert (first["itemId"], first["metadata"]) == ("lens", {"PRICE": "11.0", "CATEGORY_L1": "photo"})


def test_a_filter_by_the_current_user_needs_one(here: Cloud, shop: DomainShop) -> None:
    """Developer guide, "ECOMMERCE use cases": userId "required only if you filter by CurrentUser"."""
    arn = shop.has("frequently-bought-together")
    made = here.control.create_filter(
        name="theirs",
        datasetGroupArn=shop.group,
        filterExpression="EXCLUDE ItemID WHERE Items.GENDER IN (CurrentUser.GENDER)",
    )["filterArn"]
    here.settled("filter", made)
    ask = partial(shop.answers, arn, itemId="camera", filterArn=made)
    assert "userId is required" in error_of(ask)["Message"]
    assert ask(userId="user-0")[0] == "card"


def test_a_request_is_to_a_campaign_or_a_recommender(here: Cloud, shop: DomainShop) -> None:
    arn = shop.has("recommended-for-you")
    ask = partial(here.runtime.get_recommendations, userId="user-1")
    for wrong in ({}, {"campaignArn": arn, "recommenderArn": arn}):
        assert "One of campaignArn and recommenderArn" in error_of(partial(ask, **wrong))["Message"]
    assert error_of(partial(ask, campaignArn=arn))["Code"] == "ResourceNotFoundException"
    rank = partial(here.runtime.get_personalized_ranking, userId="user-1", inputList=["camera"])
    assert error_of(partial(rank, campaignArn=arn))["Code"] == "ResourceNotFoundException"


def test_a_use_case_explores_new_items_every_two_hours_where_it_is_personal(
    here: Cloud, shop: DomainShop
) -> None:
    """Developer guide, "Use case and recipe features": automatic updates of Recommended for you."""
    mine = shop.has("recommended-for-you", itemExplorationConfig={"explorationWeight": "1"})
    viewed = shop.has("popular-items-by-views")
    properties = '{"price": 3.5, "categoryL1": "home"}'
    here.events.put_items(datasetArn=shop.items, items=[{"itemId": "novelty", "properties": properties}])
    ask = partial(shop.answers, userId="user-1", numResults=100)
    assert "novelty" not in ask(mine)
    here.shared.clock.advance(2 * HOUR + 1)
    assert "novelty" in ask(mine)
    assert "novelty" not in ask(viewed)
