from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest

from local_cloud.personalize.lifecycle import Clock, Failed, Progress
from tests.local_cloud.personalize.harness import Cloud, error_of


def status(cloud: Cloud, arn: str) -> str:
    return str(cloud.control.describe_dataset_group(datasetGroupArn=arn)["datasetGroup"]["status"])


def test_without_a_pace_a_resource_takes_a_step_each_time_it_is_looked_at(here: Cloud) -> None:
    """Statuses: API reference, `DatasetGroup`; it has no DELETE IN_PROGRESS."""
    arn = here.control.create_dataset_group(name="shop")["datasetGroupArn"]
    assert [status(here, arn) for _ in range(3)] == ["CREATE IN_PROGRESS", "ACTIVE", "ACTIVE"]
    here.control.delete_dataset_group(datasetGroupArn=arn)
    assert status(here, arn) == "DELETE PENDING"
    with pytest.raises(here.control.exceptions.ResourceNotFoundException):
        status(here, arn)


def test_a_list_is_a_look_too(here: Cloud) -> None:
    here.control.create_dataset_group(name="shop")

    def listed() -> list[str]:
        return [group["status"] for group in here.control.list_dataset_groups()["datasetGroups"]]

    assert [listed(), listed()] == [["CREATE IN_PROGRESS"], ["ACTIVE"]]


def test_with_a_pace_only_time_moves_a_resource(cloud_of: Callable[..., Cloud]) -> None:
    moment = [1000.0]
    cloud = cloud_of(Clock(10, now=lambda: moment[0]))
    arn = cloud.control.create_dataset_group(name="shop")["datasetGroupArn"]
    assert {status(cloud, arn) for _ in range(5)} == {"CREATE PENDING"}
    moment[0] += 10
    assert status(cloud, arn) == "CREATE IN_PROGRESS"
    moment[0] += 1000
    assert status(cloud, arn) == "ACTIVE"
    cloud.control.delete_dataset_group(datasetGroupArn=arn)
    moment[0] += 15
    assert status(cloud, arn) == "DELETE PENDING"
    moment[0] += 5
    with pytest.raises(cloud.control.exceptions.ResourceNotFoundException):
        status(cloud, arn)


def test_no_pace_outruns_the_work() -> None:
    moment = [0.0]
    clock, work, record = Clock(1, now=lambda: moment[0]), Future[str](), dict[str, Any]()
    learnt: list[str] = []
    progress = Progress(
        record=record, steps=["CREATE IN_PROGRESS", "ACTIVE"], since=0, work=work, finish=learnt.append
    )
    moment[0] = 100
    assert not progress.advance(clock, looked_at=True)
    assert record["status"] == "CREATE IN_PROGRESS"
    work.set_result("model")
    moment[0] = 200
    assert progress.advance(clock, looked_at=False)
    assert (record["status"], learnt) == ("ACTIVE", ["model"])


def test_work_that_fails_leaves_its_reason() -> None:
    work, record = Future[str](), dict[str, Any]()
    work.set_exception(Failed("too little"))
    progress = Progress(record=record, steps=["ACTIVE"], since=0, work=work)
    assert progress.advance(Clock(0), looked_at=True)
    assert (record["status"], record["failureReason"]) == ("CREATE FAILED", "too little")


def test_a_dataset_is_gone_by_way_of_delete_in_progress(here: Cloud) -> None:
    """API reference, `Dataset`, status."""
    dataset = here.dataset(here.group(), here.schema())
    here.control.delete_dataset(datasetArn=dataset)
    described = here.control.describe_dataset(datasetArn=dataset)["dataset"]
    assert described["status"] == "DELETE IN_PROGRESS"
    here.gone("dataset", dataset)


def test_a_name_is_free_again_only_when_its_owner_is_gone(here: Cloud) -> None:
    """Text as seen from the service: stored outputs of aws-samples notebooks."""
    arn = here.group("shop")
    here.control.delete_dataset_group(datasetGroupArn=arn)
    error = error_of(lambda: here.control.create_dataset_group(name="shop"))
    assert error == {
        "Code": "ResourceAlreadyExistsException",
        "Message": f"Another resource with Arn {arn} already exists.",
    }
    here.gone("dataset_group", arn)
    assert here.group("shop") == arn


def test_a_region_has_five_dataset_groups(here: Cloud) -> None:
    """Developer guide, "Amazon Personalize endpoints and quotas"."""
    groups = [here.group(f"g{i}") for i in range(5)]
    assert error_of(lambda: here.group("g5"))["Code"] == "LimitExceededException"
    here.control.delete_dataset_group(datasetGroupArn=groups[0])
    here.gone("dataset_group", groups[0])
    here.group("g5")


def test_a_dataset_needs_an_active_group_and_is_one_of_its_type(here: Cloud) -> None:
    """API reference, "CreateDatasetGroup": ACTIVE before a dataset is added; ARN as in notebooks."""
    schema = here.schema()
    group = here.control.create_dataset_group(name="shop")["datasetGroupArn"]

    def create(name: str) -> str:
        return str(
            here.control.create_dataset(
                name=name, datasetGroupArn=group, schemaArn=schema, datasetType="Interactions"
            )["datasetArn"]
        )

    assert error_of(lambda: create("d"))["Code"] == "ResourceInUseException"
    here.settled("dataset_group", group)
    assert create("d").endswith(":dataset/shop/INTERACTIONS")
    assert error_of(lambda: create("other"))["Code"] == "ResourceAlreadyExistsException"


def test_a_group_has_one_event_tracker_whose_arn_is_made_up(here: Cloud) -> None:
    """API reference, "CreateEventTracker": one per group; the ARN as in stored outputs of notebooks."""
    group = here.group()
    assert "no Interactions dataset" in error_of(lambda: here.tracker(group))["Message"]
    here.dataset(group, here.schema())
    arn, tracking_id = here.tracker(group)
    assert len(arn.rpartition("/")[2]) == 8
    assert len(tracking_id) == 36
    second = error_of(lambda: here.control.create_event_tracker(name="b", datasetGroupArn=group))
    assert second["Code"] == "LimitExceededException"
