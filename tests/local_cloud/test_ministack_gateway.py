"""Request validation of a deployed template, over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from local_cloud.connection import Connection

STACK = "request-validation"


def template(*, required: str) -> str:
    def resource(kind: str, **properties: Any) -> dict[str, Any]:
        return {"Type": f"AWS::{kind}", "Properties": properties}

    api = {"RestApiId": {"Ref": "Api"}}
    resources = {
        "Api": resource("ApiGateway::RestApi", Name="validated"),
        "Validator": resource(
            "ApiGateway::RequestValidator", **api, ValidateRequestBody=True, ValidateRequestParameters=True
        ),
        "Body": resource(
            "ApiGateway::Model",
            **api,
            ContentType="application/json",
            Schema={"type": "object", "required": [required]},
        ),
        "Events": resource(
            "ApiGateway::Resource",
            **api,
            ParentId={"Fn::GetAtt": ["Api", "RootResourceId"]},
            PathPart="events",
        ),
        "Post": resource(
            "ApiGateway::Method",
            **api,
            ResourceId={"Ref": "Events"},
            HttpMethod="POST",
            AuthorizationType="NONE",
            RequestValidatorId={"Ref": "Validator"},
            RequestParameters={"method.request.querystring.source": True},
            RequestModels={"application/json": {"Ref": "Body"}},
            Integration={
                "Type": "MOCK",
                "RequestTemplates": {"application/json": '{"statusCode":200}'},
                "IntegrationResponses": [{"StatusCode": "200"}],
            },
        ),
        "Deployment": {**resource("ApiGateway::Deployment", **api), "DependsOn": ["Post"]},
        "Stage": resource("ApiGateway::Stage", **api, DeploymentId={"Ref": "Deployment"}, StageName="v1"),
    }
    return json.dumps({"Resources": resources, "Outputs": {"Api": {"Value": {"Ref": "Api"}}}})


@pytest.fixture
def api(cloud: Connection) -> Iterator[str]:
    cloudformation = cloud.client("cloudformation")
    cloudformation.create_stack(StackName=STACK, TemplateBody=template(required="session_id"))
    cloudformation.get_waiter("stack_create_complete").wait(StackName=STACK, WaiterConfig={"Delay": 1})
    (stack,) = cloudformation.describe_stacks(StackName=STACK)["Stacks"]
    yield f"{cloud.endpoint}/restapis/{stack['Outputs'][0]['OutputValue']}/v1/_user_request_"
    cloudformation.delete_stack(StackName=STACK)
    cloudformation.get_waiter("stack_delete_complete").wait(StackName=STACK, WaiterConfig={"Delay": 1})


def post(url: str, body: Any, *, content_type: str = "application/json") -> tuple[int, str]:
    request = Request(url, json.dumps(body).encode(), {"content-type": content_type})
    try:
        with urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as refused:
        with refused:
            return refused.code, refused.read().decode()


def test_a_template_s_validator_refuses_what_its_model_does(cloud: Connection, api: str) -> None:
    good = {"session_id": "s"}
    assert post(f"{api}/events?source=web", good)[0] == 200
    status, message = post(f"{api}/events", good)
    assert (status, "source" in message) == (400, True)
    assert post(f"{api}/events?source=web", {"session": "s"})[0] == 400

    cloudformation = cloud.client("cloudformation")
    cloudformation.update_stack(StackName=STACK, TemplateBody=template(required="session"))
    cloudformation.get_waiter("stack_update_complete").wait(StackName=STACK, WaiterConfig={"Delay": 1})
    assert post(f"{api}/events?source=web", good)[0] == 400
    assert post(f"{api}/events?source=web", {"session": "s"})[0] == 200


def test_a_body_of_another_content_type_passes_unchecked(api: str) -> None:
    bad = {"session": "s"}
    for content_type in ("application/json; charset=utf-8", "Application/JSON"):
        assert post(f"{api}/events?source=web", bad, content_type=content_type)[0] == 400
    for content_type in ("text/plain", "application/x-ndjson"):
        assert post(f"{api}/events?source=web", bad, content_type=content_type)[0] == 200
    assert (
        post(f"{api}/events", bad, content_type="text/plain")[0] == 400
    )  # parameters are checked all the same
