"""Describe and List of every kind, by the shapes of the service model; recipes too."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, get_args

from botocore.model import ListShape, StructureShape

from local_cloud.personalize import recipes
from local_cloud.personalize.errors import Refused
from local_cloud.personalize.models import operation_model
from local_cloud.personalize.region import Region
from local_cloud.personalize.store import Kind, Resource

_PAGE: Final = 100
_PAGING: Final = ("nextToken", "maxResults")

Operation = Callable[[Region, Mapping[str, Any]], dict[str, Any]]


def describe_of(kind: Kind) -> Operation:
    """Describe{kind}: its input is the ARN, its output one structure."""
    model = operation_model("personalize", f"Describe{kind}")
    (arn_member,) = model.input_shape.members
    ((answer_member, shape),) = model.output_shape.members.items()

    def describe(region: Region, request: Mapping[str, Any]) -> dict[str, Any]:
        resource = region.store.get(kind, request[arn_member])
        members = _members_of(region, resource)
        return {answer_member: {name: members[name] for name in shape.members if name in members}}

    return describe


def list_of(kind: Kind) -> Operation:
    """List{kind}s: its input may name the parent, its output is a list of summaries."""
    operation = f"List{kind}s"
    model = operation_model("personalize", operation)
    list_member, summary = _list_member(model.output_shape)
    parents = [name for name in model.input_shape.members if name not in _PAGING]

    def list_(region: Region, request: Mapping[str, Any]) -> dict[str, Any]:
        wanted = {parent: request[parent] for parent in parents if parent in request}
        if kind == "SolutionVersion" and "solutionArn" in wanted:
            region.store.get("Solution", wanted["solutionArn"])
        found = region.store.all(kind, **wanted)
        page, token = _page(operation, [(resource.order, resource) for resource in found], request)
        summaries = [
            {name: resource.members[name] for name in summary.members if name in resource.members}
            for resource in page
        ]
        return {list_member: summaries, **token}

    return list_


def _list_member(shape: StructureShape) -> tuple[str, StructureShape]:
    for name, member in shape.members.items():
        if isinstance(member, ListShape) and isinstance(member.member, StructureShape):
            return name, member.member
    raise TypeError(f"{shape.name} holds no list of structures")


def _members_of(region: Region, resource: Resource) -> Mapping[str, Any]:
    if resource.kind == "Recommender" and resource.arn in region.trained:
        # API reference, "DescribeRecommender": none while it is created or deleted
        is_going = resource.status.startswith("DELETE")
        metrics = {} if is_going else {"modelMetrics": dict(region.model(resource.arn).metrics)}
        return {**resource.members, **metrics}
    if resource.kind != "Solution":
        return resource.members
    versions = region.store.all("SolutionVersion", solutionArn=resource.arn)
    return {**resource.members, **({"latestSolutionVersion": _summary(versions[-1])} if versions else {})}


def _summary(version: Resource) -> dict[str, Any]:
    shape = operation_model("personalize", "ListSolutionVersions").output_shape
    _, summary = _list_member(shape)
    return {name: version.members[name] for name in summary.members if name in version.members}


def _page(
    operation: str, entries: Sequence[tuple[int, Any]], request: Mapping[str, Any]
) -> tuple[list[Any], dict[str, str]]:
    """The entries after the token's, and the next token where there are more."""
    after = _read_token(operation, request["nextToken"]) if "nextToken" in request else -1
    size = request.get("maxResults", _PAGE)
    left = [(order, entry) for order, entry in entries if order > after]
    page = left[:size]
    more = len(left) > size
    token = {"nextToken": _token(operation, page[-1][0])} if more else {}
    return [entry for _, entry in page], token


def _token(operation: str, order: int) -> str:
    return base64.urlsafe_b64encode(f"{operation}:{order}".encode()).decode()


def _read_token(operation: str, token: str) -> int:
    try:
        written, _, order = base64.urlsafe_b64decode(token.encode()).decode().partition(":")
        if written == operation:
            return int(order)
    except (ValueError, binascii.Error):
        pass
    raise Refused("InvalidNextTokenException", f"The nextToken is not one of {operation}")


def describe_recipe(region: Region, request: Mapping[str, Any]) -> dict[str, Any]:
    arn = request["recipeArn"]
    name = recipes.name_of(arn, legacy=region.control.settings.legacy_recipes)
    described = recipes.describe(name, partition=arn.split(":")[1])
    shape = operation_model("personalize", "DescribeRecipe").output_shape.members["recipe"]
    return {"recipe": {member: value for member, value in described.items() if member in shape.members}}


def describe_algorithm(region: Region, request: Mapping[str, Any]) -> dict[str, Any]:
    return {"algorithm": recipes.describe_algorithm(request["algorithmArn"])}


def describe_feature_transformation(region: Region, request: Mapping[str, Any]) -> dict[str, Any]:
    arn = request["featureTransformationArn"]
    return {"featureTransformation": recipes.describe_feature_transformation(arn)}


def list_metric_attribution_metrics(region: Region, request: Mapping[str, Any]) -> dict[str, Any]:
    """Of one metric attribution, or of all."""
    store = region.store
    if "metricAttributionArn" in request:
        found = [store.get("MetricAttribution", request["metricAttributionArn"])]
    else:
        found = store.all("MetricAttribution")
    metrics = [metric for resource in found for metric in resource.members["metrics"]]
    page, token = _page("ListMetricAttributionMetrics", list(enumerate(metrics)), request)
    return {"metrics": page, **token}


def list_recipes(region: Region, request: Mapping[str, Any]) -> dict[str, Any]:
    """Those of one domain, or all."""
    offered = recipes.offered(legacy=region.control.settings.legacy_recipes)
    everything = [recipes.describe(name, region.partition) for name in offered]
    wanted = request.get("domain")
    described = [recipe for recipe in everything if wanted in (None, recipe.get("domain"))]
    _, summary = _list_member(operation_model("personalize", "ListRecipes").output_shape)
    page, token = _page("ListRecipes", list(enumerate(described)), request)
    return {"recipes": [{k: v for k, v in r.items() if k in summary.members} for r in page], **token}


KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
