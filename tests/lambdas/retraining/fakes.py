"""In-memory stand-ins for the AWS services that a retraining decides with."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any


class ConditionalCheckFailed(Exception):
    pass


class Table:
    """A DynamoDB table with key `key`, and the condition expressions that the run lock uses."""

    def __init__(self) -> None:
        self.items: dict[str, dict[str, Any]] = {}
        exceptions = SimpleNamespace(ConditionalCheckFailedException=ConditionalCheckFailed)
        self.meta = SimpleNamespace(client=SimpleNamespace(exceptions=exceptions))
        self.before_write: Callable[[], None] = lambda: None

    def get_item(self, *, Key: dict[str, str], ConsistentRead: bool = False) -> dict[str, Any]:
        item = self.items.get(Key["key"])
        return {} if item is None else {"Item": dict(item)}

    def put_item(self, *, Item: dict[str, Any], ConditionExpression: str | None = None, **rest: Any) -> None:
        self.before_write()
        current = self.items.get(Item["key"])
        if ConditionExpression == "attribute_not_exists(#key)":
            holds = current is None
        elif ConditionExpression == "holder = :current":
            holds = current is not None and current["holder"] == rest["ExpressionAttributeValues"][":current"]
        else:
            holds = ConditionExpression is None
        if not holds:
            raise ConditionalCheckFailed
        self.items[Item["key"]] = dict(Item)

    def delete_item(self, *, Key: dict[str, str], **condition: Any) -> None:
        self.before_write()
        if condition:
            assert condition["ConditionExpression"] == "holder = :execution"
            holder = self.items.get(Key["key"], {}).get("holder")
            if holder != condition["ExpressionAttributeValues"][":execution"]:
                raise ConditionalCheckFailed
        self.items.pop(Key["key"], None)


class Lambda:
    """One function: `$LATEST`, immutable versions, and an alias."""

    def __init__(self, colour: str = "none") -> None:
        self.latest = {"LIVE_COLOUR": colour, "APP": "colorway"}
        self.revision = 0
        self.versions: dict[str, dict[str, str]] = {}
        self.alias = self.publish_version(FunctionName="f")["Version"]
        self.answer: Callable[[str, dict[str, Any]], Any] = self._answer

    def get_alias(self, *, FunctionName: str, Name: str) -> dict[str, Any]:
        return {"FunctionVersion": self.alias}

    def update_alias(self, *, FunctionName: str, Name: str, FunctionVersion: str, RoutingConfig: Any) -> None:
        assert FunctionVersion in self.versions
        self.alias = FunctionVersion

    def get_function_configuration(
        self, *, FunctionName: str, Qualifier: str | None = None
    ) -> dict[str, Any]:
        variables = self.latest if Qualifier is None else self.versions[Qualifier]
        return {"Environment": {"Variables": dict(variables)}, "RevisionId": str(self.revision)}

    def update_function_configuration(self, *, FunctionName: str, Environment: Any, RevisionId: str) -> None:
        assert RevisionId == str(self.revision), "PreconditionFailed"
        self.latest = Environment["Variables"]
        self.revision += 1

    def publish_version(self, *, FunctionName: str) -> dict[str, str]:
        version = str(len(self.versions) + 1)
        self.versions[version] = dict(self.latest)
        return {"Version": version}

    def get_waiter(self, name: str) -> Any:
        return SimpleNamespace(wait=lambda **_: None)

    def invoke(self, *, FunctionName: str, Qualifier: str, Payload: bytes) -> dict[str, Any]:
        answer = self.answer(Qualifier, json.loads(Payload)["heartbeat"])
        return {"Payload": SimpleNamespace(read=lambda: json.dumps(answer).encode())}

    def _answer(self, version: str, request: dict[str, Any]) -> Any:
        colour = self.versions[version]["LIVE_COLOUR"]
        each = {"source": "personalize", "colour": colour, "items": [{"item_id": "a"}]}
        return {"answers": [each for _ in request["user_ids"]]}


class Ssm:
    """One parameter."""

    def __init__(self, value: str = "none") -> None:
        self.value = value

    def get_parameter(self, *, Name: str) -> dict[str, Any]:
        return {"Parameter": {"Value": self.value}}

    def put_parameter(self, *, Name: str, Value: str, Type: str, Overwrite: bool) -> None:
        self.value = Value


class CloudFormation:
    """One stack's status."""

    status = "UPDATE_COMPLETE"

    def describe_stacks(self, *, StackName: str) -> dict[str, Any]:
        return {"Stacks": [{"StackStatus": self.status}]}
