"""Personalize alone, as another project uses it: over HTTP, with a folder for S3 and one for the state."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from local_cloud.personalize.__main__ import main
from local_cloud.personalize.command import add_commands, run
from local_cloud.personalize.control import Control
from local_cloud.personalize.control_client import ControlClient, ControlError
from local_cloud.personalize.faults import Fault
from local_cloud.personalize.lifecycle import Clock
from local_cloud.personalize.region import AccessRefused
from local_cloud.personalize.server import ACCOUNT, PersonalizeServer
from local_cloud.personalize.storage import FolderStorage, S3Storage, storage_of
from tests.local_cloud.personalize.harness import Cloud, error_of, interactions_csv
from vocabulary.schemas import INTERACTIONS_SCHEMA

ROOT = Path(__file__).resolve().parents[3]
ROLE = f"arn:aws:iam::{ACCOUNT}:role/any"


def client(service: str, endpoint: str, region: str = "eu-west-1") -> Any:
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name=region,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def settled(describe: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    deadline = time.monotonic() + 30
    while (described := describe())["status"].endswith(("PENDING", "IN_PROGRESS")):
        assert time.monotonic() < deadline, described
    return described


class Project:
    """What another project does with Personalize."""

    def __init__(self, endpoint: str) -> None:
        self.control = client("personalize", endpoint)
        self.runtime = client("personalize-runtime", endpoint)
        self.events = client("personalize-events", endpoint)

    def builds(self) -> tuple[str, str]:
        """Campaign and tracking id."""
        control = self.control
        group = control.create_dataset_group(name="g")["datasetGroupArn"]
        settled(lambda: control.describe_dataset_group(datasetGroupArn=group)["datasetGroup"])
        schema = control.create_schema(name="s", schema=INTERACTIONS_SCHEMA)["schemaArn"]
        data = control.create_dataset(
            name="d", datasetGroupArn=group, schemaArn=schema, datasetType="Interactions"
        )["datasetArn"]
        settled(lambda: control.describe_dataset(datasetArn=data)["dataset"])
        job = control.create_dataset_import_job(
            jobName="j", datasetArn=data, dataSource={"dataLocation": "s3://bucket/in/"}, roleArn=ROLE
        )["datasetImportJobArn"]
        imported = settled(
            lambda: control.describe_dataset_import_job(datasetImportJobArn=job)["datasetImportJob"]
        )
        assert imported["status"] == "ACTIVE", imported
        solution = control.create_solution(
            name="s",
            datasetGroupArn=group,
            performAutoTraining=False,
            recipeArn="arn:aws:personalize:::recipe/aws-user-personalization",
        )["solutionArn"]
        settled(lambda: control.describe_solution(solutionArn=solution)["solution"])
        version = control.create_solution_version(solutionArn=solution)["solutionVersionArn"]
        settled(lambda: control.describe_solution_version(solutionVersionArn=version)["solutionVersion"])
        campaign = control.create_campaign(name="c", solutionVersionArn=version)["campaignArn"]
        settled(lambda: control.describe_campaign(campaignArn=campaign)["campaign"])
        tracker = control.create_event_tracker(name="t", datasetGroupArn=group)
        arn = tracker["eventTrackerArn"]
        settled(lambda: control.describe_event_tracker(eventTrackerArn=arn)["eventTracker"])
        return campaign, tracker["trackingId"]

    def sends(self, tracking_id: str, item: str, at: float) -> None:
        event = {"eventType": "view", "itemId": item, "sentAt": at}
        self.events.put_events(trackingId=tracking_id, sessionId="s", userId="new", eventList=[event])

    def recommended(self, campaign: str) -> list[dict[str, Any]]:
        answer = self.runtime.get_recommendations(campaignArn=campaign, userId="new", numResults=5)
        return list(answer["itemList"])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "s3" / "bucket" / "in").mkdir(parents=True)
    (tmp_path / "s3" / "bucket" / "in" / "data.csv").write_text(interactions_csv())
    return tmp_path


@pytest.fixture
def server(folder: Path) -> Iterator[PersonalizeServer]:
    with PersonalizeServer(storage=FolderStorage(folder / "s3")) as running:
        yield running


def test_everything_survives_a_restart_in_its_folder(folder: Path) -> None:
    def serve() -> PersonalizeServer:
        return PersonalizeServer(storage=FolderStorage(folder / "s3"), state=folder / "state")

    with serve() as server:
        project = Project(server.endpoint)
        campaign, tracking_id = project.builds()
        project.sends(tracking_id, "hat-3", 2e9)
        project.sends(tracking_id, "hat-4", 2e9 + 1)
        before = project.recommended(campaign)
        group = project.control.create_dataset_group(name="unfinished")["datasetGroupArn"]
    with serve() as server:
        project = Project(server.endpoint)
        assert project.recommended(campaign) == before
        project.sends(tracking_id, "shoe-2", 2e9 + 2)
        assert project.recommended(campaign) != before
        # What was under way goes on
        described = settled(
            lambda: project.control.describe_dataset_group(datasetGroupArn=group)["datasetGroup"]
        )
        assert described["status"] == "ACTIVE"


def test_regions_are_apart(server: PersonalizeServer) -> None:
    client("personalize", server.endpoint, "eu-west-1").create_dataset_group(name="g")
    other = client("personalize", server.endpoint, "us-west-2")
    assert other.list_dataset_groups()["datasetGroups"] == []
    assert ":us-west-2:" in other.create_dataset_group(name="g")["datasetGroupArn"]


def test_the_control_api_is_beside_the_services(server: PersonalizeServer) -> None:
    control, personalize = ControlClient(server.endpoint), client("personalize", server.endpoint)
    with control.injected(Fault(operation="ListSchemas", error="AccessDeniedException")) as fault:
        assert error_of(personalize.list_schemas)["Code"] == "AccessDeniedException"
        assert control.struck(fault) == 1
    personalize.list_schemas()
    with pytest.raises(ControlError, match="advance must be"):
        control.clock(advance=-1)
    assert control.settings(legacy_recipes=True)["legacy_recipes"]
    recipes = [recipe["name"] for recipe in personalize.list_recipes()["recipes"]]
    assert "aws-hrnn" in recipes


def test_the_command_line_does_what_the_control_api_does(
    server: PersonalizeServer, capsys: pytest.CaptureFixture[str]
) -> None:
    def says(*words: str) -> tuple[int, str]:
        parser = argparse.ArgumentParser()
        add_commands(parser)
        status = run(parser.parse_args(words), server.endpoint)
        told = capsys.readouterr()
        return status, told.out + told.err

    assert says("inject", "Create*", "--error", "LimitExceededException", "--count", "2")[0] == 0
    assert "LimitExceededException" in says("list")[1]
    assert says("clear", "fault-1")[0] == 0
    assert says("clock", "--advance", "60", "--time", "realistic")[0] == 0
    assert '"throttling": true' in says("settings", "--throttling", "on")[1]
    assert says("inject", "CreateUniverse", "--error", "InternalFailure") == (
        1,
        "error: operation must name one of Personalize or match some, got 'CreateUniverse'\n",
    )
    assert says("clear", "fault-1") == (1, "error: there is no fault fault-1\n")


def test_what_cloudwatch_would_be_told_can_be_asked_for(
    server: PersonalizeServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """Developer guide, "CloudWatch metrics for Amazon Personalize"."""
    campaign = "arn:aws:personalize:eu-west-1:000000000000:campaign/none"
    runtime = client("personalize-runtime", server.endpoint)
    for _ in range(2):
        error_of(lambda: runtime.get_recommendations(campaignArn=campaign, userId="u"))
    parser = argparse.ArgumentParser()
    add_commands(parser)
    assert run(parser.parse_args(["metrics", "Get*"]), server.endpoint) == 0
    (metric,) = json.loads(capsys.readouterr().out)
    points = metric.pop("points")
    assert metric == {
        "region": "eu-west-1",
        "namespace": "AWS/Personalize",
        "name": "GetRecommendations4xxErrors",
        "dimensions": {"CampaignArn": campaign},
        "unit": "Count",
    }
    assert sum(point["sum"] for point in points) == 2
    assert run(parser.parse_args(["metrics", "Put*"]), server.endpoint) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_it_runs_from_the_command_line_until_it_is_stopped(folder: Path) -> None:
    arguments = ["--port", "0", "--state", str(folder / "state"), "--s3", (folder / "s3").as_uri()]
    command = [sys.executable, "-m", "local_cloud.personalize", *arguments]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=environment)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        name, _, endpoint = process.stdout.readline().strip().removeprefix("export ").partition("=")
        assert name == "AWS_ENDPOINT_URL_PERSONALIZE"
        assert client("personalize", endpoint).list_schemas()["schemas"] == []
        second = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
        assert second.returncode == 1
        assert "another process uses" in second.stderr
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.communicate()


def test_a_slip_on_the_command_line_is_named(
    server: PersonalizeServer, capsys: pytest.CaptureFixture[str]
) -> None:
    busy = server.endpoint.rpartition(":")[2]
    assert main(["--port", busy]) == 1
    assert capsys.readouterr().err == (
        f"error: port {busy} is in use: choose another, or --port 0 for any that is free\n"
    )
    for slip, said in (
        (["--port", "65536"], "must be 0 to 65535"),
        (["--account", "123"], "must be 12 digits"),
    ):
        with pytest.raises(SystemExit):
            main(slip)
        assert said in capsys.readouterr().err


def test_a_reader_that_has_left_is_no_error(server: PersonalizeServer) -> None:
    """As behind `| head`."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        ended = subprocess.run(
            [
                sys.executable,
                "-m",
                "local_cloud.personalize",
                "faults",
                "--endpoint",
                server.endpoint,
                "list",
            ],
            cwd=ROOT,
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        os.close(writing)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_folder_stands_for_s3(tmp_path: Path) -> None:
    storage = storage_of(tmp_path.as_uri())

    def names(location: str, *, recursive: bool = False) -> list[str]:
        found = storage.read(location, role_arn=ROLE, job_arn="arn", recursive=recursive)
        return [name for name, _ in found]

    storage.write("s3://bucket/out/a.csv", b"a", role_arn=ROLE, job_arn="arn")
    storage.write("s3://bucket/out/deep/b.csv", b"b", role_arn=ROLE, job_arn="arn")
    assert names("s3://bucket/out/a.csv") == names("s3://bucket/out/") == ["out/a.csv"]
    assert names("s3://bucket/out/", recursive=True) == ["out/a.csv", "out/deep/b.csv"]
    assert names("s3://bucket/none.csv") == []
    with pytest.raises(AccessRefused, match="is not in"):
        names("s3://../../etc/passwd")


@pytest.mark.parametrize("url", ["s3://bucket", "folder", "file://host/folder", "http://"])
def test_an_endpoint_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="S3 endpoint must be"):
        storage_of(url)


def test_an_s3_endpoint_may_be_given() -> None:
    assert isinstance(storage_of("http://127.0.0.1:9000"), S3Storage)


@pytest.mark.parametrize(
    ("time_", "group", "delete"),
    [("none", 0, 0), ("realistic", 30, 45), ("60x", 0.5, 0.75), ("2", 2, 2)],
)
def test_the_clock_says_how_long_things_take(time_: str, group: float, delete: float) -> None:
    clock = Clock.of(time_)
    assert clock.step_of("CreateDatasetGroup") == group
    assert clock.step_of("DeleteCampaign") == delete
    assert Clock.of(clock.time).step_of("CreateDatasetGroup") == group


def test_realistic_time_passes_when_the_clock_is_put_forward(cloud_of: Callable[..., Cloud]) -> None:
    clock = Clock.of("realistic")
    cloud = cloud_of(clock)
    arn = cloud.control.create_dataset_group(name="g")["datasetGroupArn"]

    def status() -> str:
        return str(cloud.control.describe_dataset_group(datasetGroupArn=arn)["datasetGroup"]["status"])

    assert [status(), status()] == ["CREATE PENDING"] * 2
    clock.advance(31)
    assert status() == "CREATE IN_PROGRESS"
    clock.advance(31)
    assert status() == "ACTIVE"
    assert Control(clock=clock).clock is clock
