from __future__ import annotations

import pytest

from local_cloud.personalize.authorization import resource_of
from local_cloud.personalize.service import CONTROL_PLANE, DATA_PLANE

OURS = "arn:aws:personalize:us-east-1:123456789012:"


def arn(path: str) -> str:
    return f"{OURS}{path}"


@pytest.mark.parametrize(
    ("operation", "request_", "resource"),
    [
        ("CreateSchema", {"name": "s"}, arn("schema/s")),
        (
            "CreateDataset",
            {"name": "d", "datasetGroupArn": arn("dataset-group/g"), "datasetType": "Interactions"},
            arn("dataset/g/INTERACTIONS"),
        ),
        ("CreateDatasetImportJob", {"jobName": "j"}, arn("dataset-import-job/j")),
        ("CreateEventTracker", {"name": "t"}, arn("event-tracker/*")),
        ("CreateSolutionVersion", {"solutionArn": arn("solution/s")}, arn("solution/s")),
        ("DescribeSolutionVersion", {"solutionVersionArn": arn("solution/s/0a1b2c3d")}, arn("solution/s")),
        ("DeleteCampaign", {"campaignArn": arn("campaign/c")}, arn("campaign/c")),
        ("GetRecommendations", {"campaignArn": arn("campaign/c"), "userId": "u"}, arn("campaign/c")),
        ("GetRecommendations", {"recommenderArn": arn("recommender/r")}, arn("recommender/r")),
        ("CreateRecommender", {"name": "r", "datasetGroupArn": "g"}, arn("recommender/r")),
        ("StopRecommender", {"recommenderArn": arn("recommender/r")}, arn("recommender/r")),
        ("DescribeRecommender", {"recommenderArn": arn("recommender/r")}, arn("recommender/r")),
        ("TagResource", {"resourceArn": arn("schema/s"), "tags": []}, arn("schema/s")),
        ("PutEvents", {"trackingId": "t"}, "*"),
        ("ListCampaigns", {"solutionArn": arn("solution/s")}, "*"),
    ],
)
def test_an_operation_is_authorized_on_its_resource(
    operation: str, request_: dict[str, object], resource: str
) -> None:
    assert resource_of(operation, request_, arn) == resource


@pytest.mark.parametrize("operation", [*CONTROL_PLANE, *DATA_PLANE])
def test_a_request_without_members_is_authorized_on_something(operation: str) -> None:
    assert resource_of(operation, {}, arn)
