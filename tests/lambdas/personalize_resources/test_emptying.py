"""Buckets are emptied when their stack goes, and at no other time."""

from __future__ import annotations

from typing import Any

import pytest

from personalize_resources.emptying import PAGES_A_STEP, PHYSICAL_ID, Emptying
from personalize_resources.responses import Outcome
from tests.lambdas.personalize_resources.cloudformation import CloudFormation
from tests.lambdas.personalize_resources.wire import client

DONE = Outcome(physical_id=PHYSICAL_ID)


class Account:
    """Two buckets with versions and delete markers, a page of two at a time.

    :param refuses: a key that cannot be deleted.
    """

    def __init__(self, *, status: str = "DELETE_IN_PROGRESS", objects: int = 5, refuses: str = "") -> None:
        self.status, self.refuses = status, refuses
        self.objects = {
            bucket: [
                ("Versions" if number % 2 else "DeleteMarkers", f"k{number}") for number in range(objects)
            ]
            for bucket in ("lake", "training")
        }
        clients = {name: client(name, self._answer) for name in ("s3", "cloudformation")}
        self.emptying = Emptying(aws=clients.__getitem__, buckets=["lake", "training"])
        self.cloudformation = CloudFormation(self.emptying.step, lambda: None)

    def request(self, kind: str) -> Outcome:
        return self.cloudformation.request(kind, "Custom::BucketEmptying", {}, physical_id=PHYSICAL_ID)

    def _answer(self, operation: str, given: dict[str, Any]) -> dict[str, Any]:
        if operation == "DescribeStacks":
            return {"Stacks": [{"StackName": "shop", "StackStatus": self.status}]}
        held = self.objects[given["Bucket"]]
        if operation == "ListObjectVersions":
            page: dict[str, Any] = {}
            for kind, key in held[:2]:
                page.setdefault(kind, []).append({"Key": key, "VersionId": "v"})
            return page
        keys = [each["Key"] for each in given["Delete"]["Objects"]]
        if self.refuses in keys:
            return {"Errors": [{"Key": self.refuses, "Code": "AccessDenied", "Message": "no"}]}
        self.objects[given["Bucket"]] = [each for each in held if each[1] not in keys]
        return {}


def test_the_deletion_of_the_stack_leaves_no_version_and_no_marker() -> None:
    account = Account()
    assert account.request("Delete") == DONE
    assert account.objects == {"lake": [], "training": []}


def test_many_objects_take_several_steps() -> None:
    account = Account(objects=100)
    assert account.request("Delete") == DONE
    assert account.objects == {"lake": [], "training": []}
    assert account.cloudformation.time > 0


def test_a_step_is_short_however_many_buckets_there_are() -> None:
    account = Account(objects=2 * (PAGES_A_STEP - 1))  # pages of two
    event = {"RequestType": "Delete", "StackId": "shop"}
    memory: dict[str, Any] = {}
    assert "so far" in str(account.emptying.step(event, memory))
    assert memory["deleted"] == 2 * PAGES_A_STEP
    assert len(account.objects["training"]) == 2 * (PAGES_A_STEP - 2)


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("Create", "CREATE_IN_PROGRESS"),
        ("Update", "UPDATE_IN_PROGRESS"),
        ("Delete", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
        ("Delete", "ROLLBACK_IN_PROGRESS"),
    ],
)
def test_nothing_else_deletes_anything(kind: str, status: str) -> None:
    account = Account(status=status)
    before = {name: list(held) for name, held in account.objects.items()}
    assert account.request(kind) == DONE
    assert account.objects == before


def test_what_cannot_be_deleted_is_named() -> None:
    assert "lake: k3 cannot be deleted: no" in str(Account(refuses="k3").request("Delete").error)
