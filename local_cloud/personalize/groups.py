"""Operations on schemas, dataset groups and event trackers."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from local_cloud.personalize.errors import already_exists, in_use, invalid, limit_exceeded
from local_cloud.personalize.keywords import check_keywords
from local_cloud.personalize.region import Region, random_id
from local_cloud.personalize.schemas import parse_schema
from local_cloud.personalize.store import Kind, Resource

MOST_DATASET_GROUPS = 5
MOST_SCHEMAS = 500

_HELD_BY_A_GROUP: tuple[Kind, ...] = (
    "Solution",
    "Recommender",
    "EventTracker",
    "Filter",
    "MetricAttribution",
    "Dataset",
)

Request = Mapping[str, Any]
Answer = dict[str, Any]


def create_schema(region: Region, request: Request) -> Answer:
    """At once: a schema has no status."""
    check_keywords(parse_schema(request["schema"]), request.get("domain"))
    if len(region.store.all("Schema")) >= MOST_SCHEMAS:
        raise limit_exceeded(f"Cannot create a schema. More than {MOST_SCHEMAS} resources exist.")
    arn = region.arn(f"schema/{request['name']}")
    moment = region.clock.stamp()
    dates = {"creationDateTime": moment, "lastUpdatedDateTime": moment}
    region.store.add(Resource(kind="Schema", arn=arn, members={**request, "schemaArn": arn, **dates}))
    return {"schemaArn": arn}


def delete_schema(region: Region, request: Request) -> Answer:
    schema = region.store.get("Schema", request["schemaArn"])
    for dataset in region.store.all("Dataset"):
        update = dataset.members.get("latestDatasetUpdate", {}) if dataset.progress else {}
        if schema.arn in (dataset.members["schemaArn"], update.get("schemaArn")):
            raise in_use(f"{schema.arn} is used by {dataset.arn}")
    region.store.remove(schema)
    return {}


def create_dataset_group(region: Region, request: Request) -> Answer:
    arn = region.arn(f"dataset-group/{request['name']}")
    if region.store.peek(arn) is not None:
        raise already_exists(arn)
    if len(region.store.all("DatasetGroup")) >= MOST_DATASET_GROUPS:
        raise limit_exceeded(
            f"Cannot create a dataset group. More than {MOST_DATASET_GROUPS} resources in ACTIVE state. "
            "Please delete some and try again."
        )
    members = {key: value for key, value in request.items() if key != "tags"}
    region.create("DatasetGroup", arn, {**members, "datasetGroupArn": arn}, tags=request.get("tags", ()))
    domain = {"domain": request["domain"]} if "domain" in request else {}
    return {"datasetGroupArn": arn, **domain}


def delete_dataset_group(region: Region, request: Request) -> Answer:
    group = region.store.get("DatasetGroup", request["datasetGroupArn"])
    if group.progress is not None:
        raise in_use(f"{group.arn} has status {group.status}")
    held = [r for kind in _HELD_BY_A_GROUP for r in region.store.all(kind, datasetGroupArn=group.arn)]
    if held:
        raise in_use(f"{group.arn} still has {', '.join(resource.arn for resource in held)}")
    region.delete(group)
    return {}


def create_event_tracker(region: Region, request: Request) -> Answer:
    """One per dataset group; neither its ARN nor its tracking id can be derived from its name."""
    store, group = region.store, request["datasetGroupArn"]
    store.active("DatasetGroup", group)
    if any(tracker.members["name"] == request["name"] for tracker in store.all("EventTracker")):
        raise already_exists(region.arn(f"event-tracker/{request['name']}"))
    if store.all("EventTracker", datasetGroupArn=group):
        raise limit_exceeded(f"{group} already has an event tracker")
    datasets = store.all("Dataset", datasetGroupArn=group, datasetType="INTERACTIONS")
    if not datasets:
        raise invalid(f"{group} has no Interactions dataset for the events of a tracker")
    store.active("Dataset", datasets[0].arn)
    arn, tracking_id = region.arn(f"event-tracker/{random_id()}"), str(uuid.uuid4())
    region.create(
        "EventTracker",
        arn,
        {
            "name": request["name"],
            "eventTrackerArn": arn,
            "accountId": region.account,
            "trackingId": tracking_id,
            "datasetGroupArn": group,
        },
        tags=request.get("tags", ()),
    )
    return {"eventTrackerArn": arn, "trackingId": tracking_id}


def delete_event_tracker(region: Region, request: Request) -> Answer:
    """The events stay in the dataset."""
    tracker = region.store.get("EventTracker", request["eventTrackerArn"])
    if tracker.progress is not None:
        raise in_use(f"{tracker.arn} has status {tracker.status}")
    region.delete(tracker)
    return {}
