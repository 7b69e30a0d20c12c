"""What is new in the catalogue reaches models that explore, without a training.

Developer guide, "Use case and recipe features", automatic updates: every two hours the latest fully trained
version that is deployed takes in new items; a version of trainingMode UPDATE ends that for its solution. An
ACTIVE recommender takes them in as well, where its use case explores.
"""

from __future__ import annotations

from typing import Final

from local_cloud.personalize import recipes
from local_cloud.personalize.region import Region
from local_cloud.personalize.store import Resource

_EVERY: Final = 2 * 60 * 60.0
_UPDATED_AT: Final = "itemsUpdatedAt"


def update_by_the_clock(region: Region) -> None:
    """Take new items into every model for which that is due."""
    everything = region.store.everything()
    served = {each.members["served"] for each in everything if each.kind == "Campaign" and each.is_active}
    served |= {each.arn for each in everything if each.kind == "Recommender" and each.is_active}
    for resource in everything:
        if resource.arn in served and resource.arn in region.trained:
            last = float(resource.members.get(_UPDATED_AT, resource.members["lastUpdatedDateTime"]))
            is_due = region.clock.now() >= last + region.clock.lasts(_EVERY)
            if is_due and _is_kept_up(everything, resource):
                resource.members[_UPDATED_AT] = region.clock.now()
                admit_new_items(region, resource)


def _is_kept_up(everything: list[Resource], version: Resource) -> bool:
    if not recipes.recipe_of(recipes.name_of(version.members["recipeArn"])).explores:
        return False
    if version.kind == "Recommender":
        return True
    versions = [
        each
        for each in everything
        if each.kind == "SolutionVersion"
        and each.members["solutionArn"] == version.members["solutionArn"]
        and each.is_active
    ]
    if any(each.members["trainingMode"] == "UPDATE" for each in versions):
        return False
    return bool(versions) and versions[-1].arn == version.arn


def admit_new_items(region: Region, resource: Resource) -> None:
    """Those of the Items dataset, and those that streamed events are about."""
    group = resource.members["datasetGroupArn"]
    items, interactions = region.dataset(group, "ITEMS"), region.dataset(group, "INTERACTIONS")
    created = {
        item_id: float(moment)
        if isinstance(moment := record.get("CREATION_TIMESTAMP"), (int, float))
        else None
        for item_id, record in (items.records() if items else {}).items()
    }
    for event in interactions.events.accepted if interactions else ():
        if event.item_id is not None:
            created.setdefault(event.item_id, None)
    region.model(resource.arn).admit(created)


def restore_items(region: Region, resource: Resource) -> None:
    """After its model was made anew: with the items that it had taken in."""
    if _UPDATED_AT in resource.members:
        admit_new_items(region, resource)
