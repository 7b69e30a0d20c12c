"""What is new in the catalogue reaches models that explore, without a training.

Developer guide, "User-Personalization recipe", automatic updates: every two hours the latest fully trained
version that is deployed takes in new items; a version of trainingMode UPDATE ends that for its solution.
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
    for version in everything:
        if version.arn in served and version.arn in region.trained:
            last = float(version.members.get(_UPDATED_AT, version.members["lastUpdatedDateTime"]))
            is_due = region.clock.now() >= last + region.clock.lasts(_EVERY)
            if is_due and _is_kept_up(everything, version):
                version.members[_UPDATED_AT] = region.clock.now()
                admit_new_items(region, version)


def _is_kept_up(everything: list[Resource], version: Resource) -> bool:
    if not recipes.recipe_of(recipes.name_of(version.members["recipeArn"])).explores:
        return False
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


def admit_new_items(region: Region, version: Resource) -> None:
    """Those of the Items dataset, and those that streamed events are about."""
    group = version.members["datasetGroupArn"]
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
    region.model(version.arn).admit(created)


def restore_items(region: Region, version: Resource) -> None:
    """After its model was made anew: with the items that it had taken in."""
    if _UPDATED_AT in version.members:
        admit_new_items(region, version)
