"""The resource that each operation is authorized on.

Service authorization reference, "Actions, resources, and condition keys for Amazon Personalize";
developer guide, "Recording real-time events to influence recommendations": PutEvents must be allowed on
every resource.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

Request = Mapping[str, Any]
Arn = Callable[[str], str]
"""From e.g. `solution/name` to its ARN."""

ANY: Final = "*"

_CREATED: Final[Mapping[str, tuple[str, str]]] = {
    "CreateSchema": ("schema", "name"),
    "CreateDatasetGroup": ("dataset-group", "name"),
    "CreateDatasetImportJob": ("dataset-import-job", "jobName"),
    "CreateSolution": ("solution", "name"),
    "CreateCampaign": ("campaign", "name"),
    "CreateFilter": ("filter", "name"),
    "CreateDatasetExportJob": ("dataset-export-job", "jobName"),
    "CreateDataDeletionJob": ("data-deletion-job", "jobName"),
    "CreateBatchInferenceJob": ("batch-inference-job", "jobName"),
    "CreateBatchSegmentJob": ("batch-segment-job", "jobName"),
    "CreateMetricAttribution": ("metric-attribution", "name"),
    "CreateRecommender": ("recommender", "name"),
}
"""The kind in its ARN, and the member with its name."""

_VERSIONED: Final = ("DescribeSolutionVersion", "GetSolutionMetrics", "StopSolutionVersionCreation")
"""A solution version has no resource type of its own: these are authorized on its solution."""

_NAMED_BY: Final[Mapping[str, str]] = {
    "CreateSolutionVersion": "solutionArn",
    "UpdateSolution": "solutionArn",
    "UpdateDataset": "datasetArn",
    "UpdateMetricAttribution": "metricAttributionArn",
    "UpdateRecommender": "recommenderArn",
    "StartRecommender": "recommenderArn",
    "StopRecommender": "recommenderArn",
    "UpdateCampaign": "campaignArn",
    "GetRecommendations": "campaignArn",
    "GetPersonalizedRanking": "campaignArn",
    "PutItems": "datasetArn",
    "PutUsers": "datasetArn",
    "ListTagsForResource": "resourceArn",
    "TagResource": "resourceArn",
    "UntagResource": "resourceArn",
}


def resource_of(operation: str, request: Request, arn: Arn) -> str:
    """An ARN, or "*" where a policy must name every resource."""
    if operation in _CREATED:
        kind, member = _CREATED[operation]
        return arn(f"{kind}/{request.get(member)}")
    if operation == "CreateDataset":
        group = str(request.get("datasetGroupArn")).rpartition("/")[2]
        return arn(f"dataset/{group}/{str(request.get('datasetType')).upper()}")
    if operation == "CreateEventTracker":
        # Its ARN ends in digits that nobody knows yet
        return arn("event-tracker/*")
    if operation in _VERSIONED:
        return str(request.get("solutionVersionArn")).rpartition("/")[0] or ANY
    if operation == "GetRecommendations" and "recommenderArn" in request:
        return str(request["recommenderArn"])
    if operation in _NAMED_BY:
        return str(request.get(_NAMED_BY[operation]) or ANY)
    if operation.startswith(("Describe", "Delete")):
        return str(next(iter(request.values()), ANY))
    return ANY
