from __future__ import annotations

from typing import Any

import pytest

from local_cloud.personalize.lifecycle import Failed
from local_cloud.personalize.streamed import Touch
from local_cloud.personalize.touches import Touches
from local_cloud.personalize.training import TrainingRun, train
from tests.local_cloud.personalize.harness import Cloud, Shop, error_of, interactions_csv


def touches(users: int, of_each: int, singles: int = 0) -> list[Touch]:
    repeated = [Touch(f"u{u}", f"i{i % 50}", i, "view", 1.0) for u in range(users) for i in range(of_each)]
    return [*repeated, *(Touch(f"s{i}", f"i{i % 50}", i, "view", 1.0) for i in range(singles))]


@pytest.mark.parametrize(
    ("given", "event_type", "threshold", "reason"),
    [
        (touches(30, 33), None, None, "Dataset has fewer than 1000 interactions"),
        (touches(30, 40), "buy", None, "fewer than 1000 interactions after filtering by event type: buy"),
        (touches(30, 40), "view", 1.5, "fewer than 1000 interactions after filtering by event type: view"),
        (touches(24, 100), None, None, "fewer than 25 users with at least 2 interactions each"),
        (touches(25, 2, singles=3000), None, None, "fewer than 1% of users with at least 2 interactions"),
    ],
)
def test_too_little_data_fail_the_training_with_the_reason(
    given: list[Touch], event_type: str | None, threshold: float | None, reason: str
) -> None:
    """Developer guide, "Amazon Personalize endpoints and quotas": 1000, 25, 1 percent; texts as seen."""
    run = TrainingRun(
        recipe="aws-user-personalization",
        imported=Touches.of(given),
        streamed=Touches.of(given[:50]),
        items=None,
        hyperparameters={},
        event_type=event_type,
        threshold=threshold,
    )
    with pytest.raises(Failed, match=reason):
        train(run)


def test_the_shortage_shows_as_a_failed_version(here: Cloud) -> None:
    """API reference, `SolutionVersion`: failureReason, and trainingHours after success only."""
    group = here.group()
    here.dataset(group, here.schema())
    version = here.version(here.solution(group))
    assert version["status"] == "CREATE FAILED"
    assert version["failureReason"] == "Dataset has fewer than 1000 interactions"
    assert "trainingHours" not in version


def test_a_version_has_the_metrics_of_its_recipe(here: Cloud, shop: Shop) -> None:
    """Developer guide, "Evaluating an Amazon Personalize solution version with metrics"."""
    metrics = here.control.get_solution_metrics(solutionVersionArn=shop.version)["metrics"]
    assert {"coverage", "mean_reciprocal_rank_at_25", "precision_at_5"} <= metrics.keys()
    assert 0 < metrics["normalized_discounted_cumulative_gain_at_25"] <= 1
    described = here.control.describe_solution_version(solutionVersionArn=shop.version)["solutionVersion"]
    assert described["trainingHours"] >= 0
    latest = here.control.describe_solution(solutionArn=shop.solution)["solution"]["latestSolutionVersion"]
    assert latest["solutionVersionArn"] == shop.version


def test_metrics_of_a_version_in_training_are_refused(here: Cloud, shop: Shop) -> None:
    """API reference, "GetSolutionMetrics": ResourceInUseException."""
    arn = here.control.create_solution_version(solutionArn=shop.solution)["solutionVersionArn"]
    error = error_of(lambda: here.control.get_solution_metrics(solutionVersionArn=arn))
    assert error["Code"] == "ResourceInUseException"


def test_training_waits_for_imports(here: Cloud, shop: Shop) -> None:
    """API reference, "CreateSolutionVersion": ResourceInUseException."""
    here.bucket.objects["second/data.csv"] = interactions_csv().encode()
    here.control.create_dataset_import_job(
        jobName="second", datasetArn=shop.interactions, dataSource={"dataLocation": "s3://bucket/second/"}
    )
    error = error_of(lambda: here.control.create_solution_version(solutionArn=shop.solution))
    assert error["Code"] == "ResourceInUseException"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"recipeArn": "arn:aws:personalize:::recipe/aws-hrnn"}, "aws-hrnn does not exist"),
        (
            {"solutionConfig": {"algorithmHyperParameters": {"depth": "3"}}},
            "used in the algorithm: arn:aws:personalize:::algorithm/aws-user-personalization",
        ),
        ({"solutionConfig": {"eventValueThreshold": "much"}}, "eventValueThreshold must be a number"),
    ],
)
def test_a_solution_that_could_not_be_trained_is_refused(
    here: Cloud, options: dict[str, Any], said: str
) -> None:
    """Developer guide, "Legacy HRNN recipes"; text of the hyperparameter as seen; `SolutionConfig`."""
    group = here.group()
    assert said in error_of(lambda: here.solution(group, **options))["Message"]


def test_automatic_training_is_on_unless_it_is_turned_off(here: Cloud) -> None:
    """API reference, "CreateSolution", performAutoTraining."""
    group = here.group()
    here.control.create_solution(
        name="a", datasetGroupArn=group, recipeArn="arn:aws:personalize:::recipe/aws-sims"
    )
    arn = here.solution(group, "b")
    settings = [
        here.control.describe_solution(solutionArn=arn.replace("/b", f"/{name}"))["solution"]
        for name in ("a", "b")
    ]
    assert [setting["performAutoTraining"] for setting in settings] == [True, False]
