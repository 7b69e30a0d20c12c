from __future__ import annotations

import pytest

from tests.local_cloud.personalize.harness import Cloud, Shop, error_of, interactions_csv


def test_an_updated_campaign_serves_the_old_version_until_the_update_is_done(here: Cloud, shop: Shop) -> None:
    """API reference, "UpdateCampaign": one goes on getting recommendations meanwhile."""
    here.imported(shop.interactions, interactions_csv().replace("hat-", "cap-"), "second")
    version = here.version(shop.solution)["solutionVersionArn"]
    here.control.update_campaign(campaignArn=shop.campaign, solutionVersionArn=version)
    before = here.recommended(shop.campaign, "user-1", numResults=5)
    here.settled("campaign", shop.campaign)
    after = here.recommended(shop.campaign, "user-1", numResults=5)
    assert all(item.startswith("hat") for item in before)
    assert all(item.startswith("cap") for item in after)


def test_an_update_is_described_within_an_active_campaign(here: Cloud, shop: Shop) -> None:
    """API reference, `CampaignUpdateSummary`."""
    version = here.version(shop.solution)["solutionVersionArn"]
    here.control.update_campaign(campaignArn=shop.campaign, solutionVersionArn=version)
    described = here.control.describe_campaign(campaignArn=shop.campaign)["campaign"]
    assert described["status"] == "ACTIVE"
    assert described["solutionVersionArn"] == shop.version
    assert described["latestCampaignUpdate"]["status"] == "CREATE IN_PROGRESS"
    assert here.settled("campaign", shop.campaign)["solutionVersionArn"] == version


def test_a_campaign_takes_one_update_at_a_time(here: Cloud, shop: Shop) -> None:
    """API reference, "UpdateCampaign": ACTIVE or CREATE FAILED, and no update in progress."""
    here.control.update_campaign(campaignArn=shop.campaign, minProvisionedTPS=2)
    busy = error_of(lambda: here.control.update_campaign(campaignArn=shop.campaign, minProvisionedTPS=3))
    assert busy["Code"] == "ResourceInUseException"
    assert here.settled("campaign", shop.campaign)["minProvisionedTPS"] == 2


def test_the_latest_version_can_be_followed(here: Cloud, shop: Shop) -> None:
    """API reference, "CreateCampaign", solutionVersionArn."""
    campaign = here.campaign(f"{shop.solution}/$LATEST", "follower")
    assert here.recommended(campaign, "user-1") == here.recommended(shop.campaign, "user-1")
    error = error_of(lambda: here.campaign(shop.solution, "plain"))
    assert error["Code"] == "ResourceNotFoundException"


def test_a_campaign_needs_an_active_version_and_a_group_has_five(here: Cloud, shop: Shop) -> None:
    """Developer guide, "Amazon Personalize endpoints and quotas"."""
    arn = here.control.create_solution_version(solutionArn=shop.solution)["solutionVersionArn"]
    assert error_of(lambda: here.campaign(arn, "early"))["Code"] == "ResourceInUseException"
    for i in range(4):
        here.campaign(shop.version, f"c{i}")
    error = error_of(lambda: here.campaign(shop.version, "sixth"))
    assert error["Code"] == "LimitExceededException"
    assert error["Message"].startswith("Cannot create a campaign. More than 5 resources")


def test_a_campaign_serves_from_active_to_deleted(here: Cloud, shop: Shop) -> None:
    """API reference, "CreateCampaign": ACTIVE before it is asked; "GetRecommendations": its two errors."""
    arn = here.control.create_campaign(name="new", solutionVersionArn=shop.version)["campaignArn"]
    assert error_of(lambda: here.recommended(arn, "u"))["Code"] == "ResourceNotFoundException"
    here.settled("campaign", arn)
    assert here.recommended(arn, "u")
    here.control.delete_campaign(campaignArn=arn)
    assert error_of(lambda: here.recommended(arn, "u"))["Code"] == "ResourceNotFoundException"


@pytest.mark.parametrize(("count", "expected"), [(None, 25), (0, 0), (7, 7), (500, 40)])
def test_a_campaign_answers_as_many_items_as_asked(
    here: Cloud, shop: Shop, count: int | None, expected: int
) -> None:
    """API reference, "GetRecommendations": 25, at most 500; guide, "How recommendation scoring works"."""
    options = {} if count is None else {"numResults": count}
    assert len(here.recommended(shop.campaign, "user-1", **options)) == expected
    answer = here.runtime.get_recommendations(campaignArn=shop.campaign, userId="user-1", numResults=500)
    assert sum(item["score"] for item in answer["itemList"]) == pytest.approx(1)
    assert len(answer["recommendationId"]) <= 40


def test_each_recipe_says_what_its_requests_must_name(here: Cloud, shop: Shop) -> None:
    """API reference, "GetRecommendations", "GetPersonalizedRanking"; scores: the pages of the recipes."""

    def serving(recipe: str) -> str:
        solution = here.solution(shop.group, recipe, recipeArn=f"arn:aws:personalize:::recipe/aws-{recipe}")
        return here.campaign(here.version(solution)["solutionVersionArn"], recipe)

    ask, rank = here.runtime.get_recommendations, here.runtime.get_personalized_ranking
    similar, ranking = serving("similar-items"), serving("personalized-ranking")
    assert "itemId is required" in error_of(lambda: ask(campaignArn=similar, userId="u"))["Message"]
    assert "score" not in ask(campaignArn=similar, itemId="hat-1")["itemList"][0]
    assert "userId is required" in error_of(lambda: ask(campaignArn=shop.campaign))["Message"]
    assert "call GetPersonalizedRanking" in error_of(lambda: ask(campaignArn=ranking, userId="u"))["Message"]
    ranked = rank(campaignArn=ranking, userId="user-1", inputList=["shoe-5", "nothing", "hat-5"])
    assert [item["itemId"] for item in ranked["personalizedRanking"]] == ["hat-5", "shoe-5", "nothing"]
    too_many = error_of(lambda: rank(campaignArn=ranking, userId="u", inputList=["i"] * 501))
    assert "1 to 500 items" in too_many["Message"]
    assert error_of(lambda: ask(campaignArn=similar, itemId="i", numResults=501))["Code"] == (
        "InvalidInputException"
    )
