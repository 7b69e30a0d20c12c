"""Operations on tags."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local_cloud.personalize.errors import not_found
from local_cloud.personalize.region import Region, tags_of
from local_cloud.personalize.store import Resource


def list_tags_for_resource(region: Region, request: Mapping[str, Any]) -> dict[str, Any]:
    tags = _tagged(region, request).tags
    return {"tags": [{"tagKey": key, "tagValue": value} for key, value in tags.items()]}


def tag_resource(region: Region, request: Mapping[str, Any]) -> dict[str, Any]:
    resource = _tagged(region, request)
    given = [{"tagKey": key, "tagValue": value} for key, value in resource.tags.items()]
    resource.tags = tags_of([*given, *request["tags"]])
    return {}


def untag_resource(region: Region, request: Mapping[str, Any]) -> dict[str, Any]:
    resource = _tagged(region, request)
    resource.tags = {key: v for key, v in resource.tags.items() if key not in request["tagKeys"]}
    return {}


def _tagged(region: Region, request: Mapping[str, Any]) -> Resource:
    resource = region.store.peek(request["resourceArn"])
    if resource is None:
        raise not_found(request["resourceArn"])
    return resource
