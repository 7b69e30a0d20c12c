"""Data deletion jobs for the colours, and what runs have left."""

from __future__ import annotations

from typing import Any

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
    def __init__(self, *keys: str) -> None:
        self.objects: dict[str, bytes] = dict.fromkeys(keys, b"")

    def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> None:
        assert Bucket == "training"
        self.objects[Key] = Body

    def get_paginator(self, operation: str) -> FakeS3:
        return self

    def paginate(self, *, Bucket: str, Prefix: str) -> list[dict[str, Any]]:
        return [{"Contents": [{"Key": key} for key in sorted(self.objects) if key.startswith(Prefix)]}, {}]

    def delete_objects(self, *, Bucket: str, Delete: dict[str, Any]) -> None:
        for each in Delete["Objects"]:
            del self.objects[each["Key"]]


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
