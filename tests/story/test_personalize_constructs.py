"""The seven constructs over Amazon Personalize, created, updated and destroyed by the CDK command line."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local_cloud.connection import Connection
from local_cloud.deployment import Deployment, DeploymentError
from vocabulary.schemas import INTERACTIONS_SCHEMA, ITEMS_SCHEMA, schema_name

pytestmark = pytest.mark.story

PROJECT = Path(__file__).resolve().parents[2]
STACK = "seven-test"


class Seven:
    """The test stack, in a project folder of its own."""

    def __init__(self, cloud: Connection, folder: Path) -> None:
        self.personalize = cloud.client("personalize")
        self._cloud, self._root = cloud, folder / "project"
        self._root.mkdir()
        shutil.copy(Path(__file__).parent / "personalize_constructs" / "app.py", self._root)
        for sources in ("constructs", "lambdas", "stacks"):
            (self._root / sources).symlink_to(PROJECT / sources)
        self._deployment = Deployment(cloud, root=self._root, state=folder)
        self._deployment.bootstrap()

    def deploy(self, **context: Any) -> dict[str, str]:
        """Deploy with this context; answers the outputs."""
        settings = json.loads((PROJECT / "cdk.json").read_text())
        settings["context"].update(context)
        (self._root / "cdk.json").write_text(json.dumps(settings))
        self._deployment.deploy()
        return self._deployment.outputs()[STACK]

    def destroy(self) -> None:
        self._deployment.destroy()

    def names(self, operation: str, member: str) -> list[str]:
        """The names of what the operation lists, of this stack only."""
        pages = self.personalize.get_paginator(operation).paginate()
        found = [each["name"] for page in pages for each in page[member]]
        return sorted(name for name in found if name.startswith("seven-test-"))

    def train(self, outputs: dict[str, str]) -> str:
        """Import interactions and train a version of the solution; answers its ARN."""
        rows = ["USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE,EVENT_VALUE"]
        rows += [f"u{n % 50},i{(n * 7 + n // 50) % 40},{1_700_000_000 + n},view," for n in range(1500)]
        self._cloud.client("s3").put_object(
            Bucket=outputs["Bucket"], Key="runs/1/interactions.csv", Body="\n".join(rows).encode()
        )
        job = self.personalize.create_dataset_import_job(
            jobName="seven-test-interactions",
            datasetArn=outputs["GroupArn"].replace(":dataset-group/", ":dataset/") + "/INTERACTIONS",
            dataSource={"dataLocation": f"s3://{outputs['Bucket']}/runs/1/interactions.csv"},
            roleArn=outputs["RoleArn"],
        )["datasetImportJobArn"]
        self._active(
            lambda: self.personalize.describe_dataset_import_job(datasetImportJobArn=job)["datasetImportJob"]
        )
        solution = outputs["SolutionArn"]
        version = self.personalize.create_solution_version(solutionArn=solution)["solutionVersionArn"]
        self._active(
            lambda: self.personalize.describe_solution_version(solutionVersionArn=version)["solutionVersion"]
        )
        return str(version)

    @staticmethod
    def _active(describe: Callable[[], dict[str, Any]]) -> None:
        deadline = time.monotonic() + 60
        while (described := describe())["status"] != "ACTIVE":
            assert "FAILED" not in described["status"], described["failureReason"]
            assert time.monotonic() < deadline, described["status"]
            time.sleep(0.1)


@pytest.fixture
def seven(cloud: Connection, tmp_path: Path) -> Seven:
    return Seven(cloud, tmp_path)


def test_a_stack_of_all_seven_is_created_updated_and_destroyed(seven: Seven) -> None:
    personalize = seven.personalize
    created = seven.deploy()
    group = personalize.describe_dataset_group(datasetGroupArn=created["GroupArn"])["datasetGroup"]
    (tracker,) = personalize.list_event_trackers(datasetGroupArn=created["GroupArn"])["eventTrackers"]
    described = personalize.describe_event_tracker(eventTrackerArn=tracker["eventTrackerArn"])["eventTracker"]
    solution = personalize.describe_solution(solutionArn=created["SolutionArn"])["solution"]
    assert group["status"] == described["status"] == solution["status"] == "ACTIVE"
    assert described["trackingId"] == created["TrackingId"]
    assert solution["performAutoTraining"] is False

    # A campaign is added; a filter is replaced; a changed schema is a new one, and the old one goes
    version = seven.train(created)
    changed = json.dumps({**json.loads(ITEMS_SCHEMA), "version": "1.1"})
    updated = seven.deploy(version=version, filter_name="seven-test-bought", items_schema=changed)
    (before,) = personalize.list_campaigns(solutionArn=created["SolutionArn"])["campaigns"]
    assert updated == created  # nothing else was touched
    assert before["status"] == "ACTIVE"
    assert seven.names("list_filters", "Filters") == ["seven-test-bought"]
    assert seven.names("list_schemas", "schemas") == sorted(
        [
            schema_name("seven-test", "interactions", INTERACTIONS_SCHEMA),
            schema_name("seven-test", "items", changed),
        ]
    )

    # The campaign is updated in place
    seven.deploy(
        version=version, filter_name="seven-test-bought", items_schema=changed, min_provisioned_tps=3
    )
    campaign = personalize.describe_campaign(campaignArn=before["campaignArn"])["campaign"]
    assert campaign["minProvisionedTPS"] == 3
    assert campaign["latestCampaignUpdate"]["status"] == "ACTIVE"
    assert campaign["creationDateTime"] == before["creationDateTime"]

    seven.destroy()
    for operation, member in (
        ("list_campaigns", "campaigns"),
        ("list_solutions", "solutions"),
        ("list_filters", "Filters"),
        ("list_event_trackers", "eventTrackers"),
        ("list_datasets", "datasets"),
        ("list_schemas", "schemas"),
        ("list_dataset_groups", "datasetGroups"),
    ):
        assert seven.names(operation, member) == [], operation


def test_a_deploy_that_personalize_refuses_says_what_and_why_and_leaves_nothing(seven: Seven) -> None:
    with pytest.raises(
        DeploymentError, match=r"Personalize Schema 'seven-test-items-[0-9a-f]{8}': .*InvalidInput"
    ):
        seven.deploy(items_schema='{"type": "record", "name": "Items", "fields": "none"}')

    seven.destroy()
    assert seven.names("list_schemas", "schemas") == []
    assert seven.names("list_dataset_groups", "datasetGroups") == []
