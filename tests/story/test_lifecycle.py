"""From an earlier version to this one, through a loss of the lake, to nothing."""

from __future__ import annotations

import subprocess
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from local_cloud.restore import restore
from local_cloud.smoke.command import smoke
from tests.story.deployment import PROJECT, Story, until

pytestmark = [pytest.mark.story, pytest.mark.prove]

EARLIER = "9710353"
"""The last commit of the first issue, whose stacks deploy whole. A tag takes its place with version 0.1.0."""

_OF_THE_DEPLOYMENT = ("LakeBucketName", "TrainingBucketName", "CoordinationTableName", "StreamName")


class Lifecycle(Story):
    """A deployment that began with the stacks and functions of an earlier commit."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._now = self.root.rename(folder / "now")
        archive = folder / "earlier.tar"
        with archive.open("wb") as out:
            told = ["app.py", "cdk.json", "stacks", "constructs", "lambdas"]
            subprocess.run(["git", "archive", EARLIER, *told], cwd=PROJECT, stdout=out, check=True)
        with tarfile.open(archive) as packed:
            packed.extractall(self.root, filter="data")
        (self.root / ".wheels").symlink_to(PROJECT / ".wheels")

    def upgrade(self) -> None:
        """Deploy what is in the working tree."""
        self.root.rename(self.root.with_name("earlier"))
        self._now.rename(self.root)
        self.deployment.deploy()

    def set(self, **settings: object) -> None:
        """Deploy with other settings of the environment LOCAL."""
        environments = self.root / "stacks" / "environment.py"
        changed = ", ".join(f"{name}={value!r}" for name, value in settings.items())
        environments.write_text(
            environments.read_text()
            + "\nfrom dataclasses import replace\n\n"
            + f'ENVIRONMENTS = {{"local": replace(ENVIRONMENTS["local"], {changed})}}\n'
        )
        self.deployment.deploy()

    def lake(self) -> dict[str, str]:
        """Key to ETag of every file of events and catalogue."""
        s3, bucket = self.connection.client("s3"), self.output("LakeBucketName")
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return {
            each["Key"]: each["ETag"]
            for page in pages
            for each in page.get("Contents", ())
            if each["Key"].startswith(("events/", "catalogue/"))
        }


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lifecycle]:
    known = subprocess.run(["git", "cat-file", "-e", EARLIER], cwd=PROJECT, capture_output=True, check=False)
    if known.returncode:
        pytest.skip(f"this clone is too shallow to have {EARLIER}")
    with Lifecycle(tmp_path_factory.mktemp("life")) as life:
        life.load_history()
        assert life.retrain()["colour"] == "maize"
        yield life


def test_01_an_upgrade_keeps_data_and_live_colour_and_no_request_fails(life: Lifecycle) -> None:
    before, names = life.lake(), {name: life.output(name) for name in _OF_THE_DEPLOYMENT}
    customer = life.market.customers_of("runner")[0]
    listed = life.recommended(customer)
    with life.steady_traffic(pause=0.05) as traffic:
        life.upgrade()
        asked = sum(traffic.colours.values())
        until(lambda: sum(traffic.colours.values()) > asked + 20, "customers are answered")
    assert traffic.failures == []
    assert set(traffic.colours) == {"maize"}
    assert {name: life.output(name) for name in _OF_THE_DEPLOYMENT} == names
    assert before.items() <= life.lake().items()
    assert (life.pointer(), life.groups()) == ("maize", ["maize"])
    assert life.recommended(customer) == listed


def test_02_the_upgraded_deployment_retrains_and_says_what_that_cost(life: Lifecycle) -> None:
    outcome = life.retrain()
    assert (outcome["colour"], life.pointer(), life.groups()) == ("blue", "blue", ["blue"])
    cost = outcome["cost"]
    assert set(cost["used"]["training_hours"]) == {"recommended-for-you", "similar-items", "popular"}
    assert cost["total"] == pytest.approx(sum(cost["of"].values()), abs=1e-4)
    assert cost["total"] > 0


def test_03_smoke_is_content_by_key_and_by_signature(
    life: Lifecycle, capsys: pytest.CaptureFixture[str]
) -> None:
    assert smoke(life.connection, "colorway-local", "recommended-for-you"), capsys.readouterr().out
    life.set(authorization="iam", recover_days=14)
    outputs: dict[str, Any] = {}
    for each in life.deployment.outputs().values():
        outputs |= each
    assert "ApiKeyId" not in outputs
    assert smoke(life.connection, "colorway-local", "recommended-for-you"), capsys.readouterr().out
    assert "0 WRONG" in capsys.readouterr().out.splitlines()[-1]


def test_04_a_lake_that_was_deleted_is_brought_back_and_trained_on(life: Lifecycle) -> None:
    s3, bucket = life.connection.client("s3"), life.output("LakeBucketName")
    before = life.lake()
    moment = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)
    until(lambda: datetime.now(UTC) > moment + timedelta(seconds=1), "a second has passed")
    for key in before:
        s3.delete_object(Bucket=bucket, Key=key)
    assert life.lake() == {}
    restore(s3, bucket, moment, apply=True)
    assert life.lake() == before
    assert life.retrain()["outcome"] == "done"


def test_05_a_copy_in_another_bucket_begins_a_new_deployment(life: Lifecycle) -> None:
    s3, lake = life.connection.client("s3"), life.output("LakeBucketName")
    s3.create_bucket(Bucket="backup")
    for key in life.lake():
        s3.copy_object(Bucket="backup", Key=key, CopySource={"Bucket": lake, "Key": key})
    copied = life.lake()
    life.deployment.destroy()
    assert left(life) == (["backup"], [], [])

    life.deployment.deploy()
    lake = life.output("LakeBucketName")
    for key in copied:
        s3.copy_object(Bucket=lake, Key=key, CopySource={"Bucket": "backup", "Key": key})
    assert life.lake() == copied
    assert life.retrain()["outcome"] == "done"


def test_06_a_deployment_that_keeps_its_data_leaves_the_buckets_and_nothing_else(life: Lifecycle) -> None:
    kept = sorted((life.output("LakeBucketName"), life.output("TrainingBucketName")))
    life.set(keep_data=True)
    files = life.lake()
    assert files
    life.deployment.destroy()
    buckets, groups, functions = left(life)
    assert (sorted(set(buckets) - {"backup"}), groups, functions) == (kept, [], [])
    s3 = life.connection.client("s3")
    found = {
        each["Key"]
        for bucket in kept
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        for each in page.get("Contents", ())
    }
    assert files.keys() <= found


def left(life: Lifecycle) -> tuple[list[str], list[str], list[str]]:
    """Buckets, dataset groups and functions that there are, the bootstrap's apart."""
    client = life.connection.client
    buckets = [each["Name"] for each in client("s3").list_buckets()["Buckets"]]
    functions = [each["FunctionName"] for each in client("lambda").list_functions()["Functions"]]
    return [each for each in buckets if not each.startswith("cdk-")], life.groups(), functions
