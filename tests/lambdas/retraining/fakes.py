"""In-memory stand-ins for the AWS services that a retraining decides with."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError


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

    def delete_item(
        self, *, Key: dict[str, str], ReturnValues: str = "NONE", **condition: Any
    ) -> dict[str, Any]:
        self.before_write()
        if condition:
            assert condition["ConditionExpression"] == "holder = :execution"
            holder = self.items.get(Key["key"], {}).get("holder")
            if holder != condition["ExpressionAttributeValues"][":execution"]:
                raise ConditionalCheckFailed
        before = self.items.pop(Key["key"], None)
        return {"Attributes": before} if ReturnValues == "ALL_OLD" and before else {}


class Lambda:
    """One function: `$LATEST`, immutable versions, and an alias.

    `before_publish` are done once each, before the next versions: what others do in between. Where
    `answers_get_lost`, boto3 asks each change of the configuration again, with the same revision.
    """

    def __init__(self, colour: str = "none") -> None:
        self.latest = {"LIVE_COLOUR": colour, "APP": "colorway"}
        self.revision = 0
        self.versions: dict[str, dict[str, str]] = {}
        self.weights: dict[str, float] = {}
        self.before_publish: list[Callable[[], object]] = []
        self.answers_get_lost = False
        self.alias = self.publish_version(FunctionName="f")["Version"]
        self.answer: Callable[[str, dict[str, Any]], Any] = self._answer

    def get_alias(self, *, FunctionName: str, Name: str) -> dict[str, Any]:
        routing = {"RoutingConfig": {"AdditionalVersionWeights": self.weights}} if self.weights else {}
        return {"FunctionVersion": self.alias, **routing}

    def update_alias(self, *, FunctionName: str, Name: str, FunctionVersion: str, RoutingConfig: Any) -> None:
        assert FunctionVersion in self.versions
        self.alias, self.weights = FunctionVersion, RoutingConfig["AdditionalVersionWeights"]
        assert self.weights.keys() <= self.versions.keys()

    def get_function_configuration(
        self, *, FunctionName: str, Qualifier: str | None = None
    ) -> dict[str, Any]:
        variables = self.latest if Qualifier is None else self.versions[Qualifier]
        return {"Environment": {"Variables": dict(variables)}, "RevisionId": str(self.revision)}

    def update_function_configuration(self, *, FunctionName: str, Environment: Any, RevisionId: str) -> None:
        if RevisionId != str(self.revision):
            error = {"Code": "PreconditionFailedException"}
            raise ClientError({"Error": error}, "UpdateFunctionConfiguration")
        self.latest = Environment["Variables"]
        self.revision += 1
        if self.answers_get_lost:
            self.update_function_configuration(
                FunctionName=FunctionName, Environment=Environment, RevisionId=RevisionId
            )

    def publish_version(self, *, FunctionName: str) -> dict[str, str]:
        if self.before_publish:
            self.before_publish.pop()()
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
        each = {"source": "personalize", "colour": colour, "items": ["a"]}
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


class S3:
    """One bucket's objects by key, with conditional writes and ranges.

    `before_write` are done once each, before the next writes: what others do in between.
    """

    def __init__(self, objects: dict[str, str]) -> None:
        self.objects = {key: body.encode() for key, body in objects.items()}
        self.before_write: list[Callable[[], None]] = []

    def read_json(self, key: str) -> Any:
        return json.loads(self.objects[key])

    def get_object(self, *, Bucket: str, Key: str, Range: str | None = None) -> dict[str, Any]:
        body = self.objects[Key]
        if Range:
            first, last = Range.removeprefix("bytes=").split("-")
            body = body[int(first) : int(last) + 1]
        return {"Body": SimpleNamespace(read=lambda: body), "ETag": self._etag(Key)}

    def put_object(
        self, *, Bucket: str, Key: str, Body: bytes, ContentType: str, IfMatch: str | None = None
    ) -> None:
        if self.before_write:
            self.before_write.pop()()
        if IfMatch is not None and IfMatch != self._etag(Key):
            raise ClientError({"Error": {"Code": "PreconditionFailed"}}, "PutObject")
        self.objects[Key] = Body

    def delete_object(self, *, Bucket: str, Key: str) -> None:
        del self.objects[Key]

    def list_objects_v2(self, *, Bucket: str, Prefix: str) -> dict[str, Any]:
        return {
            "Contents": [
                {"Key": key, "Size": len(body)}
                for key, body in self.objects.items()
                if key.startswith(Prefix)
            ]
        }

    def get_paginator(self, operation: str) -> Any:
        return SimpleNamespace(paginate=lambda **of: [getattr(self, operation)(**of)])

    def _etag(self, key: str) -> str:
        return str(hash(self.objects[key]))


class Campaigns:
    """Campaigns that answer everybody with a list of their own, `answers` times at most."""

    def __init__(self) -> None:
        self.calls: list[dict[str, str]] = []
        self.answers = 1000

    def get_recommendations(self, **asked: str) -> dict[str, Any]:
        self.calls.append(asked)
        if len(self.calls) > self.answers:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "GetRecommendations")
        return {"itemList": [{"itemId": f"{asked['userId']}-{place}"} for place in range(25)]}

    def get_personalized_ranking(self, *, inputList: list[str], **asked: str) -> dict[str, Any]:
        self.calls.append({**asked, "inputList": ",".join(inputList)})
        return {"personalizedRanking": [{"itemId": item} for item in inputList]}
