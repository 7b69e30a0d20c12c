from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from personalize_resources.purging import PHYSICAL_ID, Deployment
from personalize_resources.responses import Outcome
from tests.lambdas.personalize_resources.cloudformation import CloudFormation
from tests.lambdas.personalize_resources.fake_personalize import FakePersonalize
from tests.lambdas.personalize_resources.wire import Refusal, client
from vocabulary.colours import Names
from vocabulary.coordination import RUN_LOCK, open_colour_key

STATES = "arn:aws:states:us-east-1:111122223333"
RETRAINING, CLEARING = f"{STATES}:stateMachine:retraining", f"{STATES}:stateMachine:clearing"
NIGHTLY = "arn:aws:scheduler:us-east-1:111122223333:schedule/default/nightly"


class Table:
    """The coordination table, a page of one item at a time."""

    def __init__(self, *keys: str) -> None:
        self.keys = list(keys)
        errors = SimpleNamespace(ResourceNotFoundException=LookupError)
        self.meta = SimpleNamespace(client=SimpleNamespace(exceptions=errors))

    def scan(self, *, ConsistentRead: bool, ExclusiveStartKey: Any = None) -> dict[str, Any]:
        start = 0 if ExclusiveStartKey is None else self.keys.index(ExclusiveStartKey["key"]) + 1
        items = [{"key": key} for key in self.keys[start : start + 1]]
        more = {"LastEvaluatedKey": items[-1]} if start + 1 < len(self.keys) else {}
        return {"Items": items, **more}

    def delete_item(self, *, Key: dict[str, str]) -> None:
        self.keys.remove(Key["key"])


@dataclass
class Account:
    """A deployment in the middle of a run, with maize live."""

    stack_status: str = "DELETE_IN_PROGRESS"
    running: dict[str, list[str]] = field(default_factory=lambda: {RETRAINING: ["run"], CLEARING: []})
    schedules: set[str] = field(default_factory=lambda: {"nightly"})
    pointer: str | None = "maize"
    log: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.personalize = FakePersonalize()
        self.table = Table(RUN_LOCK, open_colour_key("maize"), open_colour_key("blue"))
        create = self.personalize.client.create_dataset_group
        groups = [create(name=f"shop-test-{colour}")["datasetGroupArn"] for colour in ("maize", "blue")]
        self.personalize.client.create_schema(name="shop-test-old", schema="{}")
        self.personalize.tick(2)
        for group in groups:
            self.personalize.client.create_solution(name=group.rpartition("/")[2], datasetGroupArn=group)
        self.personalize.tick(2)
        clients = {name: client(name, self._answer) for name in ("ssm", "scheduler", "stepfunctions")}
        clients |= {"cloudformation": client("cloudformation", self._answer)}
        self._clients = {**clients, "personalize": self.personalize.client}

    def purge(self, request: str = "Delete") -> Outcome:
        deployment = Deployment(
            aws=self._clients.__getitem__,
            table=self.table,
            names=Names("shop", "test"),
            partition="aws",
            region="us-east-1",
            account="111122223333",
            state_machines=(RETRAINING, CLEARING),
            schedules=(NIGHTLY,),
        )
        cloudformation = CloudFormation(deployment.step, tick=self.personalize.tick)
        return cloudformation.request(request, "Custom::Purge", {}, old={}, physical_id=PHYSICAL_ID)

    def _answer(self, operation: str, given: dict[str, Any]) -> dict[str, Any]:
        self.log.append(operation)
        match operation:
            case "DescribeStacks":
                return {"Stacks": [{"StackName": "shop", "StackStatus": self.stack_status}]}
            case "DeleteSchedule":
                if given["Name"] not in self.schedules:
                    raise Refusal("ResourceNotFoundException")
                self.schedules.remove(given["Name"])
                return {}
            case "ListExecutions":
                if given["stateMachineArn"] not in self.running:
                    raise Refusal("StateMachineDoesNotExist")
                running = self.running[given["stateMachineArn"]]
                return {"executions": [{"executionArn": f"{STATES}:execution:{each}"} for each in running]}
            case "StopExecution":
                assert self.personalize.operations("Delete") == []
                if given["executionArn"].endswith("run"):  # as EventBridge does when a run is aborted
                    self.running.update({RETRAINING: [], CLEARING: ["clear"]})
                else:
                    self.running[CLEARING] = []
                return {}
            case "GetParameter":
                if self.pointer is None:
                    raise Refusal("ParameterNotFound")
                return {"Parameter": {"Value": self.pointer}}
            case "PutParameter":
                self.pointer = given["Value"]
                return {}
        raise NotImplementedError(operation)


def test_destroying_the_stack_leaves_nothing() -> None:
    account = Account()

    assert account.purge() == Outcome(physical_id=PHYSICAL_ID)

    assert account.schedules == set()
    assert account.running == {RETRAINING: [], CLEARING: []}
    assert account.log.count("StopExecution") == 2
    assert account.table.keys == []
    assert account.pointer == "none"
    assert account.personalize.resources == {}


def test_what_is_gone_already_does_not_matter() -> None:
    account = Account(running={}, schedules=set(), pointer=None)

    assert account.purge().error is None

    assert account.pointer is None
    assert account.personalize.resources == {}


@pytest.mark.parametrize(
    ("request_type", "status"),
    [
        ("Create", "CREATE_IN_PROGRESS"),
        ("Update", "UPDATE_IN_PROGRESS"),
        ("Delete", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
        ("Delete", "UPDATE_ROLLBACK_IN_PROGRESS"),
        ("Delete", "ROLLBACK_IN_PROGRESS"),
    ],
)
def test_nothing_but_destroying_the_stack_makes_it_act(request_type: str, status: str) -> None:
    account = Account(stack_status=status)

    assert account.purge(request_type) == Outcome(physical_id=PHYSICAL_ID)

    assert set(account.log) <= {"DescribeStacks"}
    assert account.personalize.operations("Delete", "Stop") == []
    assert account.table.keys != []


def test_a_purge_that_fails_says_so_and_keeps_its_id() -> None:
    account = Account()
    account.running = {RETRAINING: ["stuck"], CLEARING: []}

    outcome = account.purge()

    assert outcome.physical_id == PHYSICAL_ID
    assert outcome.error is not None
    assert f"not done within 3600 s: executions {STATES}:execution:stuck" in outcome.error
