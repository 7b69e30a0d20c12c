"""What the service tells CloudWatch of itself.

Developer guide, "CloudWatch metrics for Amazon Personalize", and the examples of "Monitoring Amazon
Personalize with Amazon CloudWatch", which read PutEventsRequests by EventTrackerArn alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from local_cloud.personalize.faults import Fault
from local_cloud.personalize.metrics import LoggedMetrics
from tests.local_cloud.personalize.harness import Cloud, Shop, error_of, interactions_csv, items_csv
from vocabulary.schemas import USERS_SCHEMA

Dimension = tuple[str, str]


def told(cloud: Cloud) -> dict[tuple[str, Dimension], Mapping[str, Any]]:
    """Each metric's unit and statistics, by its name and its only dimension."""
    metrics = cloud.service.region.metrics
    assert isinstance(metrics, LoggedMetrics)
    found: dict[tuple[str, Dimension], Mapping[str, Any]] = {}
    for each in metrics.log.to_json():
        assert each["namespace"] == "AWS/Personalize"
        (dimension,) = each["dimensions"].items()
        totals = {key: sum(point[key] for point in each["points"]) for key in ("count", "sum")}
        found[each["name"], dimension] = {"unit": each["unit"], **totals}
    return found


def counted(cloud: Cloud, name: str) -> dict[Dimension, float]:
    return {dimension: each["sum"] for (other, dimension), each in told(cloud).items() if other == name}


@pytest.mark.parametrize("operation", ["GetRecommendations", "GetPersonalizedRanking"])
def test_a_campaign_counts_what_it_answers_and_refuses(here: Cloud, shop: Shop, operation: str) -> None:
    campaign = shop.campaign
    request: dict[str, Any] = {"userId": "u"}
    call = here.runtime_once.get_recommendations
    if operation == "GetPersonalizedRanking":
        recipe = "arn:aws:personalize:::recipe/aws-personalized-ranking"
        solution = here.solution(shop.group, "ranking", recipeArn=recipe)
        campaign = here.campaign(here.version(solution)["solutionVersionArn"], "ranking")
        request["inputList"] = ["hat-1", "hat-2"]
        call = here.runtime_once.get_personalized_ranking
    dimension = ("CampaignArn", campaign)
    for _ in range(3):
        call(campaignArn=campaign, **request)
    error_of(lambda: call(campaignArn=campaign, **{**request, "filterArn": f"{campaign[:-3]}none"}))
    for error in ("ThrottlingException", "InternalFailure", "InternalFailure"):
        fault = here.control_faults.inject(Fault(operation=operation, error=error))
        error_of(lambda: call(campaignArn=campaign, **request))
        here.control_faults.clear(fault.id)
    assert counted(here, operation) == {dimension: 3}
    assert counted(here, f"{operation}4xxErrors") == {dimension: 2}
    assert counted(here, f"{operation}5xxErrors") == {dimension: 2}
    latency = told(here)[f"{operation}Latency", dimension]
    assert (latency["unit"], latency["count"]) == ("Milliseconds", 3)
    assert latency["sum"] > 0


def test_latency_holds_what_a_fault_adds_and_no_errors(here: Cloud, shop: Shop) -> None:
    """`GetRecommendationsLatency`: "excludes 4xx and 5xx errors"."""
    here.control_faults.inject(Fault(operation="GetRecommendations", latency=0.2, count=1))
    here.recommended(shop.campaign, "u")
    assert sum(counted(here, "GetRecommendationsLatency").values()) >= 200


def test_put_events_is_counted_by_group_dataset_and_tracker(here: Cloud, shop: Shop) -> None:
    """`PutEventLatency` is written in the singular."""
    dimensions = {
        ("DatasetGroupArn", shop.group),
        ("DatasetArn", shop.interactions),
        ("EventTrackerArn", shop.tracker),
    }
    here.sends(shop.tracking_id, "s", ["hat-1", "hat-2"])
    here.sends(shop.tracking_id, "s", ["hat-3"])
    event = {"eventType": "view", "sentAt": 1, "properties": '{"userId": "u"}'}
    error_of(lambda: here.events.put_events(trackingId=shop.tracking_id, sessionId="s", eventList=[event]))
    with_fault = here.control_faults.inject(Fault(operation="PutEvents", error="InternalFailure"))
    error_of(lambda: here.sends(shop.tracking_id, "s", ["hat-1"]))
    here.control_faults.clear(with_fault.id)
    assert counted(here, "PutEventsRequests") == dict.fromkeys(dimensions, 2)
    assert counted(here, "PutEvents4xxErrors") == dict.fromkeys(dimensions, 1)
    assert set(counted(here, "PutEvents5xxErrors")) == dimensions
    assert set(counted(here, "PutEventLatency")) == dimensions


@pytest.mark.parametrize("operation", ["PutItems", "PutUsers"])
def test_puts_of_records_are_counted_by_group_and_dataset(here: Cloud, shop: Shop, operation: str) -> None:
    if operation == "PutItems":
        dataset, call, entries = shop.items, here.events.put_items, {"items": [{"itemId": "i"}]}
    else:
        dataset = here.dataset(shop.group, here.schema(USERS_SCHEMA, "users"), "Users")
        call, entries = here.events.put_users, {"users": [{"userId": "u"}]}
    call(datasetArn=dataset, **entries)
    error_of(lambda: call(datasetArn=shop.interactions, **entries))
    assert counted(here, f"{operation}Requests") == {
        ("DatasetGroupArn", shop.group): 1,
        ("DatasetArn", dataset): 1,
    }
    assert counted(here, f"{operation}4xxErrors")[("DatasetGroupArn", shop.group)] == 1
    assert told(here)[f"{operation}Latency", ("DatasetArn", dataset)]["count"] == 1


def test_imports_tell_their_size_their_time_and_their_failure(here: Cloud, shop: Shop) -> None:
    first = ("DatasetImportJobArn", here.service.region.arn("dataset-import-job/first"))
    interactions = ("DatasetArn", shop.interactions)
    assert counted(here, "DatasetImportJobRequests") == {
        ("DatasetGroupArn", shop.group): 2,
        interactions: 1,
        ("DatasetArn", shop.items): 1,
        first: 1,
        ("DatasetImportJobArn", here.service.region.arn("dataset-import-job/catalogue")): 1,
    }
    assert told(here)["DatasetSize", first] == {"unit": "Bytes", "count": 1, "sum": len(interactions_csv())}
    assert counted(here, "DatasetSize")["DatasetArn", shop.items] == len(items_csv())
    assert told(here)["DatasetImportJobExecutionTime", first]["unit"] == "Seconds"
    assert counted(here, "DatasetImportJobError") == {}
    assert here.imported(shop.interactions, "X\n1\n", "wrong")["status"] == "CREATE FAILED"
    error_of(lambda: here.imported(shop.interactions, interactions_csv(), "first"))
    assert counted(here, "DatasetImportJobError") == {
        ("DatasetGroupArn", shop.group): 2,
        interactions: 2,
        ("DatasetImportJobArn", here.service.region.arn("dataset-import-job/wrong")): 1,
    }
    assert told(here)["DatasetImportJobExecutionTime", interactions]["count"] == 2


def test_trainings_tell_their_time_and_their_failure(here: Cloud, shop: Shop) -> None:
    solution, version = ("SolutionArn", shop.solution), ("SolutionVersionArn", shop.version)
    assert counted(here, "SolutionTrainingJobRequests") == {solution: 1, version: 1}
    assert told(here)["SolutionTrainingJobExecutionTime", version]["unit"] == "Seconds"
    here.control_faults.inject(Fault(operation="CreateSolutionVersion", outcome="failed", count=1))
    failed = here.version(shop.solution)
    assert failed["status"] == "CREATE FAILED"
    here.control_faults.inject(
        Fault(operation="CreateSolutionVersion", error="LimitExceededException", count=1)
    )
    error_of(lambda: here.version(shop.solution))
    assert counted(here, "SolutionTrainingJobError") == {
        solution: 2,
        ("SolutionVersionArn", failed["solutionVersionArn"]): 1,
    }


def test_a_training_takes_as_long_as_the_clock_says(here: Cloud, shop: Shop) -> None:
    """`SolutionTrainingJobExecutionTime`: "between the call and the completion"."""
    here.shared.clock.set_time("realistic")
    arn = here.control.create_solution_version(solutionArn=shop.solution)["solutionVersionArn"]
    here.shared.clock.advance(4000)
    assert here.settled("solution_version", arn)["status"] == "ACTIVE"
    took = counted(here, "SolutionTrainingJobExecutionTime")["SolutionVersionArn", arn]
    assert 3999 < took < 4100
