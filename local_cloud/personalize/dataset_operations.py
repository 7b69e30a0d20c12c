"""Operations on datasets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local_cloud.personalize.datasets import Dataset
from local_cloud.personalize.errors import in_use, invalid
from local_cloud.personalize.region import Job, Region
from local_cloud.personalize.schemas import DatasetType, Schema, dataset_type_of, parse_schema
from local_cloud.personalize.store import Kind, Resource

Request = Mapping[str, Any]
Answer = dict[str, Any]


def create_dataset(region: Region, request: Request) -> Answer:
    group = region.store.get("DatasetGroup", request["datasetGroupArn"])
    schema = region.store.get("Schema", request["schemaArn"])
    kind = dataset_type_of(request["datasetType"])
    parsed = parse_schema(schema.members["schema"])
    if parsed.dataset_type != kind:
        raise invalid(f"The schema {schema.arn} is of {parsed.dataset_type}, the dataset of {kind}")
    _check_domain(group, schema, kind)
    region.store.active("DatasetGroup", group.arn)
    arn = region.arn(f"dataset/{group.members['name']}/{kind}")
    region.create(
        "Dataset",
        arn,
        {
            "name": request["name"],
            "datasetArn": arn,
            "datasetGroupArn": group.arn,
            "datasetType": kind,
            "schemaArn": schema.arn,
        },
        tags=request.get("tags", ()),
    )
    region.datasets[arn] = Dataset(parsed)
    return {"datasetArn": arn}


def _check_domain(group: Resource, schema: Resource, kind: DatasetType) -> None:
    """API reference, "CreateSchema", domain; developer guide, "Creating a schema and a dataset"."""
    domain, other = group.members.get("domain"), schema.members.get("domain")
    if domain != other:
        ours, theirs = domain or "none", other or "none"
        raise invalid(f"The schema must have the domain of its dataset group, {ours}, got {theirs}")
    if domain is not None and kind in ("ACTIONS", "ACTION_INTERACTIONS"):
        raise invalid(f"A dataset of {kind} cannot be in a domain dataset group, {group.arn} is of {domain}")


def delete_dataset(region: Region, request: Request) -> Answer:
    """With its data, imported and streamed."""
    dataset = region.store.get("Dataset", request["datasetArn"])
    if dataset.progress is not None:
        raise in_use(f"{dataset.arn} has status {dataset.status}")
    if holders := _holders(region, dataset):
        raise in_use(f"{dataset.arn} is in use by {', '.join(holder.arn for holder in holders)}")

    region.delete(dataset, then=lambda: forget(region, dataset))
    return {}


def forget(region: Region, dataset: Resource) -> None:
    """What goes with a dataset: its data, and the jobs that brought and took them."""
    region.datasets.pop(dataset.arn, None)
    kinds: tuple[Kind, ...] = ("DatasetImportJob", "DatasetExportJob")
    for job in [job for kind in kinds for job in region.store.all(kind, datasetArn=dataset.arn)]:
        region.store.remove(job)


def _holders(region: Region, dataset: Resource) -> list[Resource]:
    """What keeps it from being deleted: developer guide, "Deleting a dataset to delete all of its data"."""
    store, group = region.store, dataset.members["datasetGroupArn"]
    holders = store.all("Filter", datasetGroupArn=group)
    if dataset.members["datasetType"] == "INTERACTIONS":
        holders += store.all("EventTracker", datasetGroupArn=group)
        holders += store.all("MetricAttribution", datasetGroupArn=group)
    versions = store.all("SolutionVersion", datasetGroupArn=group)
    busy = [
        *store.all("DatasetImportJob", datasetArn=dataset.arn),
        *store.all("DatasetExportJob", datasetArn=dataset.arn),
        *store.all("DataDeletionJob", datasetGroupArn=group),
        *versions,
        *store.all("Recommender", datasetGroupArn=group),
        *(job for v in versions for job in store.all("BatchInferenceJob", solutionVersionArn=v.arn)),
    ]
    holders += [resource for resource in busy if resource.is_being_created]
    campaigns = store.all("Campaign", datasetGroupArn=group)
    return holders + [campaign for campaign in campaigns if campaign.is_active or campaign.is_being_created]


def update_dataset(region: Region, request: Request) -> Answer:
    """Another schema, with more columns; the dataset stays ACTIVE meanwhile."""
    dataset = region.store.active("Dataset", request["datasetArn"])
    schema = region.store.get("Schema", request["schemaArn"])
    if dataset.progress is not None:
        raise in_use(f"{dataset.arn} has an update in progress")
    group = region.store.get("DatasetGroup", dataset.members["datasetGroupArn"])
    _check_domain(group, schema, dataset.members["datasetType"])
    jobs = region.store.all("DatasetImportJob", datasetArn=dataset.arn)
    if busy := [job for job in jobs if job.is_being_created]:
        raise in_use(f"{dataset.arn} is being imported into by {busy[0].arn}")
    _check_replacement(region.datasets[dataset.arn].schema, parse_schema(schema.members["schema"]))
    new = {"schemaArn": schema.arn}
    region.update(dataset, new, member="latestDatasetUpdate", job=update_job(region, dataset, new))
    return {"datasetArn": dataset.arn}


def _check_replacement(old: Schema, new: Schema) -> None:
    """Developer guide, "Replacing a dataset's schema to add new columns"."""
    if old.dataset_type not in ("ITEMS", "USERS"):
        raise invalid(f"The schema of a dataset of {old.dataset_type} cannot be replaced")
    if new.dataset_type != old.dataset_type:
        raise invalid(f"The schema is of {new.dataset_type}, the dataset of {old.dataset_type}")
    before, after = ({field.name: field for field in schema.fields} for schema in (old, new))
    if lost := [name for name, field in before.items() if after.get(name) != field]:
        raise invalid(f"A replacement schema must keep every field as it is, got another or no {lost[0]}")
    if solid := [name for name, field in after.items() if name not in before and not field.nullable]:
        raise invalid(f"A new field must support null: {solid[0]} does not")


def update_job(region: Region, dataset: Resource, new: Request) -> Job:
    """What an update changes once it is ACTIVE."""

    def finish(_: Any) -> None:
        schema = region.store.get("Schema", new["schemaArn"])
        region.datasets[dataset.arn].change_schema(parse_schema(schema.members["schema"]))
        dataset.members.update(schemaArn=schema.arn, lastUpdatedDateTime=region.clock.stamp())

    return Job(finish=finish)
