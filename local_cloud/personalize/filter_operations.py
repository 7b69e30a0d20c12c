"""Operations on filters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from local_cloud.personalize.errors import already_exists, in_use, invalid, limit_exceeded
from local_cloud.personalize.filters import Filter, parse_filter
from local_cloud.personalize.region import Region

MOST_FILTERS: Final = 30
MOST_FIELDS: Final = 10
MOST_FIELDS_PER_GROUP: Final = 20

Request = Mapping[str, Any]


def create_filter(region: Region, request: Request) -> dict[str, Any]:
    store, group = region.store, region.store.active("DatasetGroup", request["datasetGroupArn"])
    parsed = parse_filter(request["filterExpression"])
    _check_fields(region, group.arn, parsed)
    arn = region.arn(f"filter/{request['name']}")
    if store.peek(arn) is not None:
        raise already_exists(arn)
    others = store.all("Filter", datasetGroupArn=group.arn)
    if len(others) >= MOST_FILTERS:
        raise limit_exceeded(f"{group.arn} has {MOST_FILTERS} filters already")
    fields = parsed.fields().union(*(parse_filter(o.members["filterExpression"]).fields() for o in others))
    if len(fields) > MOST_FIELDS_PER_GROUP:
        raise limit_exceeded(f"More than {MOST_FIELDS_PER_GROUP} distinct fields in filters of {group.arn}")
    members = {key: value for key, value in request.items() if key != "tags"}
    region.create("Filter", arn, {**members, "filterArn": arn}, tags=request.get("tags", ()))
    return {"filterArn": arn}


def _check_fields(region: Region, group: str, parsed: Filter) -> None:
    """Developer guide, "Filter expressions", "Guidelines and requirements"."""
    if len(parsed.fields()) > MOST_FIELDS:
        raise limit_exceeded(f"A filter uses at most {MOST_FIELDS} distinct fields")
    datasets = {"items": region.dataset(group, "ITEMS"), "currentuser": region.dataset(group, "USERS")}
    for name in sorted(parsed.fields()):
        owner, _, column = name.partition(".")
        dataset = datasets.get(owner)
        if dataset is None:
            continue
        field = next((field for field in dataset.schema.fields if field.name == column), None)
        if field is None:
            raise invalid(f"Invalid Expression: the schema of {owner} has no field {column}")
        if field.kind == "boolean":
            raise invalid(f"Invalid Expression: {column} is boolean, which filters cannot use")
        if field.textual:
            raise invalid(f"Invalid Expression: {column} is textual, which filters cannot use")


def delete_filter(region: Region, request: Request) -> dict[str, Any]:
    """Not while a batch job that uses it is under way."""
    resource = region.store.get("Filter", request["filterArn"])
    if resource.progress is not None:
        raise in_use(f"{resource.arn} has status {resource.status}")
    jobs = region.store.all("BatchInferenceJob", filterArn=resource.arn)
    if busy := [job for job in jobs if job.is_being_created]:
        raise in_use(f"{resource.arn} is in use by {busy[0].arn}")
    region.delete(resource)
    return {}
