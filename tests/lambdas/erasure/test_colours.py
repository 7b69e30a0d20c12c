"""Data deletion jobs for the colours, and what runs have left."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from botocore.exceptions import ClientError

from erasure.colours import Deployment, delete_from_colours
from erasure.training_data import delete_exports
from vocabulary.colours import Names

DEPLOYMENT = Deployment(Names("colorway", "test"), "aws", "eu-west-1", "111122223333", "role", "training")
GROUP = "arn:aws:personalize:eu-west-1:111122223333:dataset-group/colorway-test-"


class FakePersonalize:
    """:param problems: by colour, the error code that a job is refused with."""

    def __init__(self, **problems: str) -> None:
        self.problems = problems
        self.jobs: list[dict[str, Any]] = []

    def create_data_deletion_job(self, **request: Any) -> dict[str, str]:
        colour = request["datasetGroupArn"].removeprefix(GROUP)
        if code := self.problems.get(colour):
            error: Any = {"Error": {"Code": code, "Message": "as told"}}
            raise ClientError(error, "CreateDataDeletionJob")
        self.jobs.append(request)
        return {"dataDeletionJobArn": f"job-{colour}"}


class FakeS3:
    """:param stuck: keys that cannot be deleted."""

    def __init__(self, *keys: str, stuck: Sequence[str] = ()) -> None:
        self.objects: dict[str, bytes] = dict.fromkeys(keys, b"")
        self.stuck = stuck

    def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> None:
        assert Bucket == "training"
        self.objects[Key] = Body

    def get_paginator(self, operation: str) -> FakeS3:
        return self

    def paginate(self, *, Bucket: str, Prefix: str) -> list[dict[str, Any]]:
        return [{"Contents": [{"Key": key} for key in sorted(self.objects) if key.startswith(Prefix)]}, {}]

    def delete_objects(self, *, Bucket: str, Delete: dict[str, Any]) -> dict[str, Any]:
        keys = [each["Key"] for each in Delete["Objects"]]
        for key in keys:
            if key not in self.stuck:
                del self.objects[key]
        errors = [
            {"Key": key, "Code": "InternalError", "Message": "as told"} for key in keys if key in self.stuck
        ]
        return {"Errors": errors} if errors else {}


def test_every_colour_that_exists_is_told_whom_to_forget() -> None:
    personalize, s3 = FakePersonalize(), FakeS3()
    answers = delete_from_colours(personalize, s3, DEPLOYMENT, 'a "user", they say', "20261124T000000")
    assert answers == [
        {"colour": "maize", "job": "job-maize", "problem": None},
        {"colour": "blue", "job": "job-blue", "problem": None},
    ]
    key = "erasures/20261124T000000/users.csv"
    assert s3.objects == {key: b'USER_ID\n"a \\"user\\", they say"\n'}
    assert {job["dataSource"]["dataLocation"] for job in personalize.jobs} == {f"s3://training/{key}"}
    assert personalize.jobs[0]["jobName"] == "colorway-test-maize-20261124T000000"


def test_a_colour_that_does_not_exist_holds_nobody_and_one_that_refuses_is_told_of() -> None:
    personalize = FakePersonalize(maize="ResourceNotFoundException", blue="LimitExceededException")
    answers = delete_from_colours(personalize, FakeS3(), DEPLOYMENT, "u1", "x")
    assert answers == [{"colour": "blue", "job": None, "problem": "LimitExceededException: as told"}]


def test_what_runs_have_left_of_users_goes_and_their_reports_stay() -> None:
    s3 = FakeS3(
        "runs/1/interactions/interactions.csv",
        "runs/1/users/users.csv",
        "runs/1/items/items.csv",
        "runs/1/report.json",
        "popular/row.json",
    )
    assert delete_exports(s3, "training") == 2
    assert sorted(s3.objects) == ["popular/row.json", "runs/1/items/items.csv", "runs/1/report.json"]


def test_training_data_that_cannot_be_deleted_are_not_said_to_be_gone() -> None:
    s3 = FakeS3("runs/1/users/users.csv", "runs/2/users/users.csv", stuck=["runs/1/users/users.csv"])
    with pytest.raises(RuntimeError, match=r"users\.csv cannot be deleted: as told"):
        delete_exports(s3, "training")
    assert sorted(s3.objects) == ["runs/1/users/users.csv"]


def test_a_job_that_an_earlier_attempt_has_begun_is_the_job() -> None:
    personalize = FakePersonalize(maize="ResourceAlreadyExistsException")
    maize, _ = delete_from_colours(personalize, FakeS3(), DEPLOYMENT, "u1", "x")
    job = "arn:aws:personalize:eu-west-1:111122223333:data-deletion-job/colorway-test-maize-x"
    assert maize == {"colour": "maize", "job": job, "problem": None}
