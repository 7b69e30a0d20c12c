"""Operations of the runtime: recommendations and rankings from campaigns."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from local_cloud.personalize import recipes
from local_cloud.personalize.campaigns import version_of
from local_cloud.personalize.errors import Refused, invalid, not_found, not_here
from local_cloud.personalize.filters import Facts, parse_filter
from local_cloud.personalize.recommenders import RECIPES, Kind, Model, Scored
from local_cloud.personalize.region import Region
from local_cloud.personalize.store import Resource

DEFAULT_RESULTS = 25
MOST_RESULTS = 500

Request = Mapping[str, Any]
Allowed = Callable[[str], bool]


def get_recommendations(region: Region, request: Request) -> dict[str, Any]:
    """A user nobody has heard of gets popular items, never an error."""
    for member in ("recommenderArn", "promotions", "metadataColumns"):
        if member in request:
            raise not_here(member)
    if "campaignArn" not in request:
        raise invalid("campaignArn is required")
    count = request.get("numResults", DEFAULT_RESULTS)
    if count > MOST_RESULTS:
        raise invalid(f"numResults must be at most {MOST_RESULTS}, got {count}")
    with region.store.turn():
        model, kind, allowed = _served(region, request)
    user_id, item_id = request.get("userId"), request.get("itemId")
    if kind == "ranking":
        raise invalid(f"{request['campaignArn']} ranks items: call GetPersonalizedRanking")
    if kind == "user" and not user_id:
        raise invalid("userId is required by the recipe of this campaign")
    if kind == "item" and not item_id:
        raise invalid("itemId is required by the recipe of this campaign")
    items = model.recommend(user_id=user_id, item_id=item_id, count=count, allowed=allowed)
    return {"itemList": _predicted(items), "recommendationId": _recommendation_id()}


def get_personalized_ranking(region: Region, request: Request) -> dict[str, Any]:
    if "metadataColumns" in request:
        raise not_here("metadataColumns")
    items = request["inputList"]
    if not 1 <= len(items) <= MOST_RESULTS:
        raise invalid(f"inputList must have 1 to {MOST_RESULTS} items, got {len(items)}")
    with region.store.turn():
        model, kind, allowed = _served(region, request)
    if kind != "ranking":
        raise invalid(f"{request['campaignArn']} does not rank items: call GetRecommendations")
    kept = [item for item in dict.fromkeys(items) if allowed is None or allowed(item)]
    ranked = model.rank(user_id=request["userId"], item_ids=kept) if kept else []
    return {"personalizedRanking": _predicted(ranked), "recommendationId": _recommendation_id()}


def _served(region: Region, request: Request) -> tuple[Model, Kind, Allowed | None]:
    """The model that a campaign serves now, and the items that the request's filter allows."""
    campaign = region.store.get("Campaign", request["campaignArn"])
    if not campaign.is_active:
        raise not_found(campaign.arn)
    try:
        version = version_of(region, campaign.members["solutionVersionArn"])
    except Refused:
        raise not_found(campaign.members["solutionVersionArn"]) from None
    kind = RECIPES[recipes.name_of(version.members["recipeArn"])].kind
    return region.models[version.arn], kind, _allowed(region, campaign, request)


def _allowed(region: Region, campaign: Resource, request: Request) -> Allowed | None:
    if "filterArn" not in request:
        return None
    resource = region.store.get("Filter", request["filterArn"])
    group = campaign.members["datasetGroupArn"]
    if resource.members["datasetGroupArn"] != group:
        raise invalid(f"{resource.arn} is not a filter of {group}")
    if not resource.is_active:
        raise invalid(f"{resource.arn} must be ACTIVE, its status is {resource.status}")
    parsed = parse_filter(resource.members["filterExpression"])
    user_id = request.get("userId")
    if parsed.uses_interactions() and not user_id:
        raise invalid(f"userId is required by {resource.arn}")
    interactions = region.dataset(group, "INTERACTIONS")
    items, users = region.dataset(group, "ITEMS"), region.dataset(group, "USERS")
    facts = Facts(
        touches=interactions.touches_of(user_id) if interactions and user_id else (),
        item=lambda item_id: items.record(item_id) if items else {},
        user=users.record(user_id) if users and user_id else {},
    )
    return parsed.allows(facts, request.get("filterValues", {}))


def _predicted(items: Sequence[Scored]) -> list[dict[str, Any]]:
    return [
        {"itemId": item.item_id} | ({} if item.score is None else {"score": item.score}) for item in items
    ]


def _recommendation_id() -> str:
    return f"RID-{uuid.uuid4()}"
