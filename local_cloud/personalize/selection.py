"""Which items of a model may be in an answer: filters, and the places that exploration takes."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any

from local_cloud.personalize import recipes
from local_cloud.personalize.errors import invalid
from local_cloud.personalize.filter_masks import ItemColumns, mask_of
from local_cloud.personalize.filters import Facts, Filter, parse_filter
from local_cloud.personalize.recommenders import Condition, Exploration, Kind
from local_cloud.personalize.region import Region

Allowed = Callable[[str], bool]
Request = Mapping[str, Any]


def allowed_by(region: Region, group: str, request: Request, kind: Kind) -> Allowed | None:
    """The items that the filter of a request, or of a promotion, allows; None without one.

    :param request: `filterArn` and `filterValues`, with the `userId` and `itemId` that they are about.
    :raises Refused: ResourceNotFoundException or InvalidInputException.
    """
    if "filterArn" not in request:
        return None
    resource = region.store.get("Filter", request["filterArn"])
    if resource.members["datasetGroupArn"] != group:
        raise invalid(f"{resource.arn} is not a filter of {group}")
    if not resource.is_active:
        raise invalid(f"{resource.arn} must be ACTIVE, its status is {resource.status}")
    parsed = parse_filter(resource.members["filterExpression"])
    user_id, item_id = request.get("userId"), request.get("itemId")
    if (parsed.uses_interactions() or parsed.uses_current_user()) and not user_id:
        raise invalid(f"userId is required by {resource.arn}")
    if parsed.uses_current_item() and kind != "item":
        raise invalid(f"{resource.arn} uses CurrentItem, which only recipes of related items have")
    interactions = region.dataset(group, "INTERACTIONS")
    items, users = region.dataset(group, "ITEMS"), region.dataset(group, "USERS")
    facts = Facts(
        touches=interactions.touches_of(user_id) if interactions and user_id else (),
        item=lambda other: items.record(other) if items else {},
        user=users.record(user_id) if users and user_id else {},
        current_item=items.record(item_id) if items and item_id else {},
    )
    values = request.get("filterValues", {})
    columns = items.columns if items else ItemColumns(None, {})

    def condition(part: Filter, key: Hashable) -> Condition:
        applied = part.applied(facts, values)
        return Condition(
            part.allows(facts, values),
            key=key,
            at_once=lambda catalogue, size: mask_of(applied, facts, columns, catalogue, size),
        )

    parts = parsed.apart()
    if parts is None:
        return condition(parsed, None)
    by_items, by_interactions = parts
    if not by_items.expressions:
        return by_interactions.allows(facts, values)
    # Everybody's requests share it until something changes that it goes by
    about_user = facts.user if "currentuser." in resource.members["filterExpression"].lower() else {}
    shared = condition(
        by_items,
        (
            resource.members["filterExpression"],
            tuple(sorted(values.items())),
            tuple(sorted(about_user.items())),
            item_id if parsed.uses_current_item() else None,
            items.changes if items else 0,
        ),
    )
    if not by_interactions.expressions:
        return shared
    return shared.but(by_interactions.allows(facts, values))


def not_touched(region: Region, group: str, user_id: str, event_type: str) -> Allowed:
    """What a use case keeps back by itself: the items of a user's events of a type.

    Developer guide, "ECOMMERCE use cases": as a filter would, by the newest 100 of them.
    """
    dataset = region.dataset(group, "INTERACTIONS")
    facts = Facts(
        touches=dataset.touches_of(user_id) if dataset else (),
        item=lambda other: {},
        user={},
        current_item={},
    )
    return parse_filter(f'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("{event_type}")').allows(facts, {})


def both(one: Allowed | None, other: Allowed) -> Allowed:
    if one is None:
        return other
    if isinstance(one, Condition):
        return one.but(other)
    return lambda item_id: one(item_id) and other(item_id)


def check_metadata(region: Region, group: str, config: Mapping[str, Any]) -> None:
    """Developer guide, "Item metadata in recommendations": there must be an Items dataset.

    :param config: of a campaign or recommender.
    :raises Refused: InvalidInputException.
    """
    if config.get("enableMetadataWithRecommendations") and region.dataset(group, "ITEMS") is None:
        raise invalid(f"enableMetadataWithRecommendations needs an Items dataset, {group} has none")


def exploration_of(recipe: str, config: Mapping[str, Any]) -> Exploration | None:
    """By `itemExplorationConfig`; None for a recipe that does not explore.

    :raises Refused: InvalidInputException.
    """
    given, known = config.get("itemExplorationConfig", {}), recipes.recipe_of(recipe)
    if given and not known.explores:
        raise invalid(f"itemExplorationConfig is not for {recipe}, which does not explore")
    # Developer guide, "Configuring exploration": v2 does it for itself
    if given and known.is_v2:
        raise invalid(f"itemExplorationConfig is not for {recipe}, which explores as it thinks best")
    if not known.explores:
        return None
    try:
        return Exploration.of(given)
    except ValueError as error:
        raise invalid(str(error)) from None
