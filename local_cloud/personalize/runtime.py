"""Operations of the runtime: recommendations from campaigns and recommenders, rankings from campaigns."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from local_cloud.personalize import recipes
from local_cloud.personalize.attribution_results import mark_of
from local_cloud.personalize.capacity import MOST_OF_ACCOUNT, MOST_PER_CAMPAIGN
from local_cloud.personalize.errors import invalid, not_found
from local_cloud.personalize.recommenders import Exploration, Kind, Model, Recipe, Scored
from local_cloud.personalize.region import Region
from local_cloud.personalize.schemas import Schema
from local_cloud.personalize.selection import Allowed, allowed_by, both, exploration_of, not_touched
from local_cloud.personalize.use_cases import USE_CASES, UseCase

DEFAULT_RESULTS: Final = 25
MOST_RESULTS: Final = 500
MOST_WITH_METADATA: Final = 50
MOST_COLUMNS: Final = 10

_PROMOTED: Final = "Promoted item"

Request = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class _Deployed:
    """What answers: a campaign with the version that it serves, or a recommender.

    :param config: of the campaign or recommender.
    :param least: requests a second that it can always take.
    :param use_case: of a recommender.
    """

    arn: str
    group: str
    recipe_name: str
    model: Model
    config: Request
    least: int
    use_case: UseCase | None = None

    @property
    def recipe(self) -> Recipe:
        return recipes.recipe_of(self.recipe_name)


@dataclass(frozen=True, kw_only=True)
class _Serving:
    """What a request is served with, as it is at this moment."""

    arn: str
    recipe: Recipe
    model: Model
    allowed: Allowed | None
    explore: Exploration | None
    influence: Mapping[str, float]
    promoted: Allowed | None
    metadata: Callable[[str], Mapping[str, Any]]
    columns: Sequence[str]

    @property
    def kind(self) -> Kind:
        return self.recipe.kind

    def described(self, items: Sequence[Scored], promotion: str = "") -> list[dict[str, Any]]:
        return [
            {"itemId": item.item_id}
            | ({} if item.score is None else {"score": item.score})
            | ({"promotionName": promotion} if promotion else {})
            | ({"metadata": self._metadata_of(item.item_id)} if self.columns else {})
            | ({"reason": reasons} if (reasons := self._reasons(item, promotion)) else {})
            for item in items
        ]

    def _reasons(self, item: Scored, promotion: str) -> list[str]:
        """API reference, `PredictedItem`, reason."""
        promoted = [_PROMOTED] if promotion and self.recipe.is_v2 else []
        return [*promoted, *([item.reason] if item.reason else [])]

    def _metadata_of(self, item_id: str) -> dict[str, str]:
        record = self.metadata(item_id)
        return {name: str(record[name]) for name in self.columns if record.get(name) is not None}


def get_recommendations(region: Region, request: Request) -> dict[str, Any]:
    """A user nobody has heard of gets popular items, never an error."""
    if ("campaignArn" in request) == ("recommenderArn" in request):
        raise invalid("One of campaignArn and recommenderArn must be given")
    promotions = request.get("promotions", [])
    count = _count(request)
    with region.store.turn():
        serving = _serving(region, request, promotions)
    user_id, item_id = request.get("userId"), request.get("itemId")
    if serving.kind == "ranking":
        raise invalid(f"{serving.arn} ranks items: call GetPersonalizedRanking")
    if serving.kind == "user" and not user_id:
        raise invalid(f"userId is required by the recipe of {serving.arn}")
    if serving.kind == "item" and not item_id:
        raise invalid(f"itemId is required by the recipe of {serving.arn}")

    context = request.get("context", {})

    def recommend(number: int, allowed: Allowed | None) -> list[Scored]:
        return serving.model.recommend(
            user_id=user_id,
            item_id=item_id,
            count=number,
            allowed=allowed,
            explore=serving.explore,
            context=context,
            influence=serving.influence,
        )

    if serving.promoted is None:
        answer = serving.described(recommend(count, serving.allowed))
    else:
        promotion = promotions[0]
        number = round(count * promotion.get("percentPromotedItems", 100) / 100)
        promoted = recommend(number, serving.promoted)
        taken = {item.item_id for item in promoted}
        rest = recommend(count - len(promoted), both(serving.allowed, lambda item: item not in taken))
        answer = _mixed(
            serving.described(promoted, promotion.get("name", "promotion")), serving.described(rest)
        )
    return {"itemList": answer, "recommendationId": _recommendation_id(serving.arn)}


def get_personalized_ranking(region: Region, request: Request) -> dict[str, Any]:
    items = request["inputList"]
    most = MOST_WITH_METADATA if "metadataColumns" in request else MOST_RESULTS
    if not 1 <= len(items) <= most:
        raise invalid(f"inputList must have 1 to {most} items, got {len(items)}")
    with region.store.turn():
        serving = _serving(region, request, [])
    if serving.kind != "ranking":
        raise invalid(f"{serving.arn} does not rank items: call GetRecommendations")
    kept = [item for item in dict.fromkeys(items) if serving.allowed is None or serving.allowed(item)]
    ranked = (
        serving.model.rank(user_id=request["userId"], item_ids=kept, context=request.get("context", {}))
        if kept
        else []
    )
    return {
        "personalizedRanking": serving.described(ranked),
        "recommendationId": _recommendation_id(serving.arn),
    }


def _count(request: Request) -> int:
    count: int = request.get("numResults", DEFAULT_RESULTS)
    most = MOST_WITH_METADATA if "metadataColumns" in request else MOST_RESULTS
    if count > most:
        raise invalid(f"numResults must be at most {most}, got {count}")
    return count


def _mixed(promoted: list[dict[str, Any]], others: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Developer guide, "Promoting items in real-time recommendations": at random places, each in order."""
    size = len(promoted) + len(others)
    places = set(random.sample(range(size), len(promoted)))
    first, second = iter(promoted), iter(others)
    return [next(first) if place in places else next(second) for place in range(size)]


def _serving(region: Region, request: Request, promotions: Sequence[Request]) -> _Serving:
    deployed = _deployed(region, request)
    region.take(deployed.arn, least=deployed.least, most=MOST_PER_CAMPAIGN)
    region.take("runtime", least=MOST_OF_ACCOUNT, most=MOST_OF_ACCOUNT)
    kind, group = deployed.recipe.kind, deployed.group
    about = {name: request[name] for name in ("userId", "itemId") if name in request}
    promoted = None
    if promotions:
        if "filterArn" not in promotions[0]:
            raise invalid("filterArn of the promotion is required")
        promoted = allowed_by(region, group, {**about, **promotions[0]}, kind)
    allowed = allowed_by(region, group, request, kind)
    if deployed.use_case is not None:
        free = _left_to(region, deployed, deployed.use_case, request.get("userId"))
        if free is not None:
            allowed = both(allowed, free)
            promoted = None if promoted is None else both(promoted, free)
    items = region.dataset(group, "ITEMS")
    return _Serving(
        arn=deployed.arn,
        recipe=deployed.recipe,
        model=deployed.model,
        allowed=allowed,
        explore=exploration_of(deployed.recipe_name, deployed.config),
        influence=deployed.config.get("rankingInfluence", {}),
        promoted=promoted,
        metadata=items.record if items else lambda item_id: {},
        columns=_columns(deployed, request, items.schema if items else None),
    )


def _deployed(region: Region, request: Request) -> _Deployed:
    """
    :raises Refused: ResourceNotFoundException, also when it is not ACTIVE.
    """
    if "recommenderArn" in request:
        return _recommender(region, request["recommenderArn"])
    campaign = region.store.get("Campaign", request["campaignArn"])
    if not campaign.is_active:
        raise not_found(campaign.arn)
    version = region.store.peek(campaign.members["served"])
    if version is None or version.arn not in region.trained:
        raise not_found(campaign.members["solutionVersionArn"])
    return _Deployed(
        arn=campaign.arn,
        group=campaign.members["datasetGroupArn"],
        recipe_name=recipes.name_of(version.members["recipeArn"]),
        model=region.model(version.arn),
        config=campaign.members.get("campaignConfig", {}),
        least=campaign.members["minProvisionedTPS"],
    )


def _recommender(region: Region, arn: str) -> _Deployed:
    recommender = region.store.get("Recommender", arn)
    if not recommender.is_active:
        raise not_found(arn)
    recipe = recipes.name_of(recommender.members["recipeArn"])
    config = recommender.members["recommenderConfig"]
    return _Deployed(
        arn=arn,
        group=recommender.members["datasetGroupArn"],
        recipe_name=recipe,
        model=region.model(arn),
        config=config,
        least=config.get("minRecommendationRequestsPerSecond", 1),
        use_case=USE_CASES[recipe],
    )


def _left_to(region: Region, deployed: _Deployed, use_case: UseCase, user_id: str | None) -> Allowed | None:
    """What a use case leaves to recommend to a user; None for everything."""
    if not user_id:
        if use_case.needs_user:
            raise invalid(f"userId is required by the use case of {deployed.arn}")
        return None
    if use_case.keeps_back is None:
        return None
    return not_touched(region, deployed.group, user_id, use_case.keeps_back)


def _columns(deployed: _Deployed, request: Request, schema: Schema | None) -> Sequence[str]:
    """The columns of Items that the answer must show.

    Developer guide, the pages of the v2 recipes and of Semantic-Similarity: there they need not be enabled.
    """
    given = request.get("metadataColumns")
    if given is None:
        return ()
    if not (deployed.config.get("enableMetadataWithRecommendations") or deployed.recipe.shows_metadata):
        raise invalid(f"{deployed.arn} does not have enableMetadataWithRecommendations")
    if set(given) - {"ITEMS"}:
        raise invalid(f"metadataColumns may be of ITEMS, got {', '.join(given)}")
    columns: list[str] = given.get("ITEMS", [])
    if len(columns) > MOST_COLUMNS:
        raise invalid(f"metadataColumns has at most {MOST_COLUMNS} columns, got {len(columns)}")
    known = {field.name for field in schema.fields} - {"ITEM_ID"} if schema else set()
    if unknown := [name for name in columns if name not in known]:
        raise invalid(f"The Items dataset has no metadata column {unknown[0]}")
    return columns


def _recommendation_id(campaign_arn: str) -> str:
    """Of 40 characters that tell the campaign, as stored outputs of 2024 have it."""
    return f"RID-{str(uuid.uuid4())[-25:]}-{mark_of(campaign_arn)}"
