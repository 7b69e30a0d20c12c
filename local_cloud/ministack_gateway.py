"""What MiniStack's API Gateway can do but does not when a template asks for it: request validation.

Its REST APIs hold requests to their validators and models when these come by API call. Its
CloudFormation accepts `AWS::ApiGateway::RequestValidator` and makes nothing of it. And it holds bodies
of every content type to the model for application/json, where AWS lets those without a model pass.
"""

from __future__ import annotations

import json
from typing import Any

from ministack.services import apigateway_v1
from ministack.services.cloudformation import provisioners

Properties = dict[str, Any]
Provisioned = tuple[str, dict[str, Any]]


def register() -> None:
    """From now on a template's request validators act, as they do on AWS."""
    provisioners._RESOURCE_HANDLERS["AWS::ApiGateway::RequestValidator"] = {
        "create": _create_validator,
        "update": _update_validator,
        "delete": _delete_validator,
    }
    method = provisioners._RESOURCE_HANDLERS["AWS::ApiGateway::Method"]
    create, update = method["create"], method["update"]

    def create_method(logical_id: str, properties: Properties, stack: str) -> Provisioned:
        provisioned: Provisioned = create(logical_id, properties, stack)
        _bind(properties)
        return provisioned

    def update_method(physical_id: str, old: Properties, new: Properties, stack: str) -> Provisioned:
        provisioned: Provisioned = update(physical_id, old, new, stack)
        _bind(new)
        return provisioned

    method.update(create=create_method, update=update_method)
    _validate_by_content_type()


def _validate_by_content_type() -> None:
    check = apigateway_v1._check_request_validation

    def check_request(
        method: dict[str, Any], api_id: str, request: Any, headers: dict[str, str], body: Any, query: Any
    ) -> Any:
        content_type = apigateway_v1._header_ci(headers, "content-type") or "application/json"
        media_type = content_type.partition(";")[0].strip().lower()
        models = method.get("requestModels") or {}
        model = models.get(media_type) or models.get("$default")
        # MiniStack takes the model for application/json when there is none for the content type
        narrowed = {**method, "requestModels": {"application/json": model} if model else {}}
        return check(narrowed, api_id, request, headers, body, query)

    apigateway_v1._check_request_validation = check_request


def _create_validator(logical_id: str, properties: Properties, stack: str) -> Provisioned:
    _, _, body = apigateway_v1._create_request_validator(
        properties["RestApiId"],
        {
            "name": properties.get("Name", logical_id),
            "validateRequestBody": _is_true(properties.get("ValidateRequestBody")),
            "validateRequestParameters": _is_true(properties.get("ValidateRequestParameters")),
        },
    )
    validator = json.loads(body)["id"]
    return validator, {"RequestValidatorId": validator}


def _update_validator(physical_id: str, old: Properties, new: Properties, stack: str) -> Provisioned:
    if any(new.get(key) != old.get(key) for key in ("RestApiId", "Name")):
        return _create_validator(physical_id, new, stack)
    apigateway_v1._update_request_validator(
        new["RestApiId"],
        physical_id,
        {
            "patchOperations": [
                {"op": "replace", "path": f"/v{key[1:]}", "value": str(_is_true(new.get(key))).lower()}
                for key in ("ValidateRequestBody", "ValidateRequestParameters")
            ]
        },
    )
    return physical_id, {"RequestValidatorId": physical_id}


def _delete_validator(physical_id: str, properties: Properties) -> None:
    apigateway_v1._delete_request_validator(properties["RestApiId"], physical_id)


def _bind(method: Properties) -> None:
    resource = apigateway_v1._resources[method["RestApiId"]][method["ResourceId"]]
    resource["resourceMethods"][method["HttpMethod"]]["requestValidatorId"] = method.get("RequestValidatorId")


def _is_true(value: Any) -> bool:
    return str(value).lower() == "true"
