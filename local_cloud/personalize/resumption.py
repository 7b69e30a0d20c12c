"""What goes on after a restart: everything that was under way begins again, with what there is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from local_cloud.personalize import (
    attribution,
    batch,
    campaigns,
    dataset_operations,
    deletions,
    exports,
    imports,
    recommender_operations,
    solutions,
    versions,
)
from local_cloud.personalize.region import Job, Region
from local_cloud.personalize.store import Kind, Resource

_CREATIONS: Final[Mapping[Kind, Callable[[Region, Resource], Job]]] = {
    "DatasetImportJob": imports.import_job,
    "DatasetExportJob": exports.export_job,
    "DataDeletionJob": deletions.deletion_job,
    "BatchInferenceJob": batch.inference_job,
    "MetricAttribution": attribution.creation_job,
    "SolutionVersion": versions.training_job,
    "Recommender": recommender_operations.training_job,
}
"""What is behind the creation of a kind; there is nothing behind the others'."""

_UPDATES: Final = {
    "Campaign": ("latestCampaignUpdate", campaigns.update_job),
    "Dataset": ("latestDatasetUpdate", dataset_operations.update_job),
    "Solution": ("latestSolutionUpdate", solutions.update_job),
    "Recommender": ("latestRecommenderUpdate", recommender_operations.update_job),
    "MetricAttribution": ("latestUpdate", attribution.update_job),
}
"""The member that tells of the update, and what it changes in the end."""

_DELETIONS: Final[Mapping[Kind, Callable[[Region, Resource], None]]] = {
    "Dataset": dataset_operations.forget,
    "Solution": solutions.forget_versions,
    "Recommender": recommender_operations.forget,
}
"""What goes with the resource."""


def resume(region: Region, resource: Resource) -> None:
    """Begin anew what `resource.doing` says."""
    doing = resource.doing
    if doing.startswith("Create"):
        job = _CREATIONS.get(resource.kind)
        region.begin(doing, resource, resource.members, job=job(region, resource) if job else Job())
    elif doing.startswith("Update"):
        member, update = _UPDATES[resource.kind]
        record = resource.members[member]
        region.begin(doing, resource, record, job=update(region, resource, record))
    elif doing.startswith("Delete"):
        forget = _DELETIONS.get(resource.kind)
        region.delete(resource, then=lambda: forget(region, resource) if forget else None)
    elif doing and resource.kind == "Recommender":
        recommender_operations.resume(region, resource, doing)
    elif doing.startswith("Stop"):
        versions.stop(region, resource)
