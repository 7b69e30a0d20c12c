"""The wire protocols: AWS JSON 1.1 for the control plane, REST with JSON for runtime and events."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple, NoReturn

from local_cloud.personalize.errors import Refused
from local_cloud.personalize.models import Service, error_statuses, model_of, operation_model, routes
from local_cloud.personalize.validation import validated

TARGET_PREFIX: Final = "AmazonPersonalize"

_CONTENT_TYPES: Final[dict[Service, str]] = {
    "personalize": "application/x-amz-json-1.1",
    "personalize-runtime": "application/json",
    "personalize-events": "application/json",
}


class Address(NamedTuple):
    """Which operation of which service a request is for."""

    service: Service
    operation: str


class Response(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


def address_of(path: str, headers: Mapping[str, str]) -> Address:
    """
    :param headers: with names in lower case.
    :raises Refused: UnknownOperationException.
    """
    target = headers.get("x-amz-target", "")
    if target:
        prefix, _, operation = target.rpartition(".")
        if prefix == TARGET_PREFIX and operation in model_of("personalize").operation_names:
            return Address("personalize", operation)
        raise Refused("UnknownOperationException", f"The operation {target} does not exist")
    if path.rstrip("/") in routes():
        return Address(*routes()[path.rstrip("/")])
    raise Refused("UnknownOperationException", f"No operation is served at {path}")


def read(address: Address, body: bytes) -> dict[str, Any]:
    """The request's members.

    :raises Refused: SerializationException when the body is not JSON, InvalidInputException
        when it does not fit the model.
    """
    try:
        value = json.loads(body or b"{}", parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Refused("SerializationException", "The request body is not valid JSON") from None
    return validated(operation_model(*address).input_shape, value)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def answer(address: Address, result: Mapping[str, Any]) -> Response:
    """A success. An operation without an output answers an empty body."""
    shape = operation_model(*address).output_shape
    body = json.dumps(result).encode() if shape is not None and shape.members else b""
    return Response(200, {"Content-Type": _CONTENT_TYPES[address.service]}, body)


def refusal(address: Address | None, error: Refused) -> Response:
    """An error, so that botocore types it: by body in JSON 1.1, by header in REST."""
    if address is None or address.service == "personalize":
        body = {"__type": error.code, "message": error.message}
        headers = {"Content-Type": _CONTENT_TYPES["personalize"]}
        return Response(error.status or 400, headers, json.dumps(body).encode())
    status = error.status or error_statuses(*address).get(error.code, 400)
    headers = {"Content-Type": _CONTENT_TYPES[address.service], "x-amzn-errortype": error.code}
    return Response(status, headers, json.dumps({"message": error.message}).encode())
