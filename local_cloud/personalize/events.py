"""Operations of the event ingestion: events, users and items, as they happen."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from local_cloud.personalize.attribution_metrics import tell_of_events
from local_cloud.personalize.capacity import MOST_EVENTS, MOST_RECORDS
from local_cloud.personalize.errors import Refused, in_use, invalid
from local_cloud.personalize.region import Region
from local_cloud.personalize.schemas import camel_case
from local_cloud.personalize.store import Resource
from local_cloud.personalize.streamed import Event

_NOT_IN_PROPERTIES: Final = frozenset(
    {"userid", "sessionid", "eventtype", "timestamp", "recommendationid", "impression"}
)

MOST_BYTES: Final = 10 * 1024
"""Of an event: developer guide, "Amazon Personalize endpoints and quotas"."""

Request = Mapping[str, Any]


def put_events(region: Region, request: Request) -> dict[str, Any]:
    """Keep the events, and let every trained model of the dataset group learn of them at once."""
    events = [_event(request, sent) for sent in request["eventList"]]
    with region.store.turn():
        tracker = _tracker(region, request["trackingId"])
        group = tracker.members["datasetGroupArn"]
        region.take(tracker.arn, least=MOST_EVENTS, most=MOST_EVENTS)
        dataset = region.dataset(group, "INTERACTIONS")
        if dataset is None:
            raise invalid(f"{group} has no Interactions dataset")
        models = [region.model(resource.arn) for resource in region.learned(group)]
        known = len(dataset.events.accepted)
        # Within the turn, so that models learn in the order in which the dataset has them
        for touch in [touch for event in events for touch in dataset.stream(event)]:
            for model in models:
                model.record(touch.user_id, touch.item_id, touch.timestamp)
        tell_of_events(region, group, dataset, dataset.events.accepted[known:])
    return {}


def _tracker(region: Region, tracking_id: str) -> Resource:
    for tracker in region.store.all("EventTracker", trackingId=tracking_id):
        if tracker.is_active:
            return tracker
    raise invalid(f"The tracking id {tracking_id} is not of an ACTIVE event tracker")


def _event(request: Request, sent: Request) -> Event:
    if len(json.dumps(sent, ensure_ascii=False).encode(errors="surrogatepass")) > MOST_BYTES:
        raise invalid(f"An event has at most {MOST_BYTES:,} bytes")
    properties = _properties(sent["properties"]) if "properties" in sent else None
    if wrong := [key for key in properties or () if key.lower() in _NOT_IN_PROPERTIES]:
        raise invalid(f"properties must not hold {', '.join(wrong)}")
    return Event(
        session_id=request["sessionId"],
        user_id=request.get("userId"),
        event_id=sent.get("eventId"),
        item_id=sent.get("itemId"),
        timestamp=int(sent["sentAt"]),
        event_type=sent["eventType"],
        event_value=sent.get("eventValue"),
        impression=sent.get("impression"),
        recommendation_id=sent.get("recommendationId"),
        properties=properties,
        attribution_source=sent.get("metricAttribution", {}).get("eventAttributionSource"),
    )


def _properties(text: str) -> dict[str, Any]:
    try:
        properties = json.loads(text)
    except (ValueError, RecursionError):
        properties = None
    if not isinstance(properties, dict):
        raise invalid("properties must be a JSON object, written as a string")
    return properties


def put_items(region: Region, request: Request) -> dict[str, Any]:
    return _put(region, request, dataset_type="ITEMS", entries="items", id_member="itemId")


def put_users(region: Region, request: Request) -> dict[str, Any]:
    return _put(region, request, dataset_type="USERS", entries="users", id_member="userId")


def _put(
    region: Region, request: Request, *, dataset_type: str, entries: str, id_member: str
) -> dict[str, Any]:
    """Replace whole records."""
    with region.store.turn():
        resource = region.store.get("Dataset", request["datasetArn"])
        region.take(resource.arn, least=MOST_RECORDS, most=MOST_RECORDS)
        if resource.members["datasetType"] != dataset_type:
            raise invalid(f"{resource.arn} is not a dataset of {dataset_type}")
        if not resource.is_active:
            raise in_use(f"{resource.arn} must be ACTIVE for this, its status is {resource.status}")
        dataset = region.datasets[resource.arn]
        columns = {camel_case(name): name for name in dataset.schema.columns}
        records = []
        for entry in request[entries]:
            given = _properties(entry["properties"]) if "properties" in entry else {}
            if unknown := [key for key in given if key not in columns]:
                raise _unknown(unknown, columns)
            records.append((entry[id_member], {columns[key]: value for key, value in given.items()}))
        for record_id, values in records:
            dataset.put(record_id, values)
    return {}


def _unknown(given: list[str], columns: Mapping[str, str]) -> Refused:
    return invalid(f"properties may hold {', '.join(columns)}, got {', '.join(given)}")
