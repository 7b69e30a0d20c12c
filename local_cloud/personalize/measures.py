"""What Personalize tells of itself: its metrics of calls and jobs in Amazon CloudWatch.

Developer guide, "CloudWatch metrics for Amazon Personalize". Where that names several dimensions, each is a
metric of its own: the examples of "Monitoring Amazon Personalize with Amazon CloudWatch" read
PutEventsRequests by EventTrackerArn alone. A count is put when there is something to count, never a zero.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, NamedTuple

from local_cloud.embedded_metrics import Datum
from local_cloud.personalize.lifecycle import FAILED
from local_cloud.personalize.metrics import NAMESPACE
from local_cloud.personalize.region import Region
from local_cloud.personalize.store import Kind, Resource

Request = Mapping[str, Any]
Dimensions = Mapping[str, str]
"""Each a metric of its own."""


@dataclass(frozen=True, kw_only=True)
class _Names:
    """Apart from those of errors, which are named alike.

    :param dimensions: of a request; none where what it names is unknown.
    """

    successes: str
    latency: str
    dimensions: Callable[[Region, Request], Dimensions]


class Call(NamedTuple):
    """
    :param request: empty where it does not fit the service model.
    :param answer: None for a call that was refused.
    :param status: of HTTP.
    :param took: seconds.
    """

    operation: str
    request: Request
    answer: Request | None
    status: int
    took: float


def of_call(region: Region, call: Call) -> None:
    """Put what a call tells."""
    if names := _OF_CALLS.get(call.operation):
        region.metrics.put(list(_of_data_plane(names, call, names.dimensions(region, call.request))))
    elif call.operation == "CreateDatasetImportJob":
        arn = {"DatasetImportJobArn": call.answer["datasetImportJobArn"]} if call.answer else {}
        dimensions = {**_of_dataset(region, call.request), **arn}
        region.metrics.put(list(_of_creation("DatasetImportJob", call, dimensions)))
    elif call.operation == "CreateSolutionVersion":
        arn = {"SolutionVersionArn": call.answer["solutionVersionArn"]} if call.answer else {}
        dimensions = {**_of_solution(region, call.request), **arn}
        region.metrics.put(list(_of_creation("SolutionTrainingJob", call, dimensions)))


def _of_data_plane(names: _Names, call: Call, dimensions: Dimensions) -> Iterator[Datum]:
    if call.status >= HTTPStatus.BAD_REQUEST:
        yield from _each(f"{call.operation}{call.status // 100}xxErrors", dimensions, 1, "Count")
    else:
        yield from _each(names.successes, dimensions, 1, "Count")
        yield from _each(names.latency, dimensions, call.took * 1000, "Milliseconds")


def _of_creation(name: str, call: Call, dimensions: Dimensions) -> Iterator[Datum]:
    yield from _each(f"{name}Requests" if call.answer else f"{name}Error", dimensions, 1, "Count")


def of_job_end(region: Region, resource: Resource) -> None:
    """Put what the end of an import or a training tells, within a turn, while `doing` still says which."""
    members = resource.members
    took = region.clock.now() - members["creationDateTime"] if "creationDateTime" in members else 0.0
    if resource.doing == "CreateDatasetImportJob":
        dimensions = {**_of_dataset(region, members), "DatasetImportJobArn": resource.arn}
        data = list(_each("DatasetImportJobExecutionTime", dimensions, took, "Seconds"))
        if resource.status == FAILED:
            data += _each("DatasetImportJobError", dimensions, 1, "Count")
        else:
            data += _each("DatasetSize", dimensions, members["bytes"], "Bytes")
    elif resource.doing == "CreateSolutionVersion":
        dimensions = {**_of_solution(region, members), "SolutionVersionArn": resource.arn}
        data = list(_each("SolutionTrainingJobExecutionTime", dimensions, took, "Seconds"))
        if resource.status == FAILED:
            data += _each("SolutionTrainingJobError", dimensions, 1, "Count")
    else:
        return
    region.metrics.put(data)


def _each(name: str, dimensions: Dimensions, value: float, unit: str) -> Iterator[Datum]:
    for dimension in dimensions.items():
        yield Datum(NAMESPACE, name, dict([dimension]), value, unit)


def _of_caller(region: Region, request: Request) -> Dimensions:
    """Also one that is gone. That a recommender has a dimension of its own is our assumption."""
    known = {"campaignArn": "CampaignArn", "recommenderArn": "RecommenderArn"}
    return {dimension: str(request[name]) for name, dimension in known.items() if name in request}


def _of_tracker(region: Region, request: Request) -> Dimensions:
    for tracker in _known(region, "EventTracker", "trackingId", request):
        group = tracker.members["datasetGroupArn"]
        dimensions = {"DatasetGroupArn": group, "EventTrackerArn": tracker.arn}
        for dataset in _known(region, "Dataset", "datasetGroupArn", tracker.members):
            if dataset.members["datasetType"] == "INTERACTIONS":
                return {**dimensions, "DatasetArn": dataset.arn}
        return dimensions
    return {}


def _of_dataset(region: Region, request: Request) -> Dimensions:
    for dataset in _known(region, "Dataset", "datasetArn", request):
        return {"DatasetGroupArn": dataset.members["datasetGroupArn"], "DatasetArn": dataset.arn}
    return {}


def _of_solution(region: Region, request: Request) -> Dimensions:
    for solution in _known(region, "Solution", "solutionArn", request):
        return {"SolutionArn": solution.arn}
    return {}


def _known(region: Region, kind: Kind, member: str, request: Request) -> list[Resource]:
    """Resources with the same value of a member, without a look that would let them take a step."""
    return [
        resource
        for resource in region.store.everything()
        if resource.kind == kind and member in request and resource.members.get(member) == request[member]
    ]


_OF_CALLS: Final[Mapping[str, _Names]] = {
    "GetRecommendations": _Names(
        successes="GetRecommendations", latency="GetRecommendationsLatency", dimensions=_of_caller
    ),
    "GetPersonalizedRanking": _Names(
        successes="GetPersonalizedRanking", latency="GetPersonalizedRankingLatency", dimensions=_of_caller
    ),
    "PutEvents": _Names(successes="PutEventsRequests", latency="PutEventLatency", dimensions=_of_tracker),
    "PutItems": _Names(successes="PutItemsRequests", latency="PutItemsLatency", dimensions=_of_dataset),
    "PutUsers": _Names(successes="PutUsersRequests", latency="PutUsersLatency", dimensions=_of_dataset),
}
