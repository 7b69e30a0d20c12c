"""Versions of a configuration go with their stack, and at no other time."""

from __future__ import annotations

from typing import Any

import pytest

from personalize_resources.hosted_versions import PHYSICAL_ID, HostedVersions
from personalize_resources.responses import Outcome
from tests.lambdas.personalize_resources.cloudformation import CloudFormation
from tests.lambdas.personalize_resources.wire import Refusal, client

DONE = Outcome(physical_id=PHYSICAL_ID)


class Account:
    """A profile with versions, a page of two at a time."""

    def __init__(self, *, status: str = "DELETE_IN_PROGRESS") -> None:
        self.status = status
        self.versions = [1, 2, 3, 4, 5]
        self.gone: int | None = None
        clients = {name: client(name, self._answer) for name in ("appconfig", "cloudformation")}
        versions = HostedVersions(aws=clients.__getitem__, experiment="app/env/prof")
        self.cloudformation = CloudFormation(versions.step, lambda: None)

    def request(self, kind: str) -> Outcome:
        return self.cloudformation.request(kind, "Custom::HostedVersions", {}, physical_id=PHYSICAL_ID)

    def _answer(self, operation: str, given: dict[str, Any]) -> dict[str, Any]:
        if operation == "DescribeStacks":
            return {"Stacks": [{"StackName": "shop", "StackStatus": self.status}]}
        assert (given["ApplicationId"], given["ConfigurationProfileId"]) == ("app", "prof")
        if operation == "ListHostedConfigurationVersions":
            return {"Items": [{"VersionNumber": each} for each in self.versions[:2]]}
        assert operation == "DeleteHostedConfigurationVersion"
        if given["VersionNumber"] == self.gone:
            self.gone = None
            self.versions.remove(given["VersionNumber"])
            raise Refusal("ResourceNotFoundException")
        self.versions.remove(given["VersionNumber"])
        return {}


def test_the_deletion_of_the_stack_leaves_no_version() -> None:
    account = Account()
    assert account.request("Delete") == DONE
    assert account.versions == []


def test_a_version_that_an_earlier_delivery_has_deleted_stops_nothing() -> None:
    account = Account()
    account.gone = 3
    assert account.request("Delete") == DONE
    assert account.versions == []


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("Create", "CREATE_IN_PROGRESS"),
        ("Update", "UPDATE_IN_PROGRESS"),
        ("Delete", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
        ("Delete", "ROLLBACK_IN_PROGRESS"),
    ],
)
def test_nothing_else_deletes_any(kind: str, status: str) -> None:
    account = Account(status=status)
    assert account.request(kind) == DONE
    assert account.versions == [1, 2, 3, 4, 5]
