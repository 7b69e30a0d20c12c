"""What the OpenAPI documents of both APIs have in common. No function imports this."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

Schema = dict[str, Any]


def document(
    *, title: str, description: str, paths: Mapping[str, Any], schemas: Mapping[str, Schema]
) -> dict[str, Any]:
    """A whole document, in OpenAPI 3.1."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": title,
            "version": "1",
            "description": description,
            "license": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
        },
        "servers": [
            {
                "url": "https://{api}.execute-api.{region}.amazonaws.com/v1",
                "variables": {"api": {"default": "api"}, "region": {"default": "us-east-1"}},
            }
        ],
        "security": [{"key": []}, {"signature": []}],
        "paths": dict(paths),
        "components": {
            "securitySchemes": {
                "key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
                "signature": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "authorization",
                    "description": "Signature Version 4, where the environment asks for IAM",
                },
            },
            "schemas": {**schemas, "Message": _message()},
        },
    }


def response(says: str, schema: str) -> dict[str, Any]:
    """One that carries JSON; `schema` is one of the document's."""
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {"description": says, "content": content}


def of_the_gateway() -> dict[str, Any]:
    """What API Gateway and the firewall answer by themselves, whatever the operation."""
    return {
        "403": response("No key or signature, or a wrong one; or blocked by the firewall", "Message"),
        "429": response("More requests than are let through: ask again later", "Message"),
    }


def body(schema: Schema) -> dict[str, Any]:
    """A request's, which it must have."""
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def exactly(properties: Mapping[str, Schema], *, required: list[str] | None = None) -> Schema:
    """An object with these properties, all of them unless `required` says which."""
    return {
        "type": "object",
        "required": list(properties) if required is None else required,
        "properties": dict(properties),
    }


def refusal(error: Mapping[str, Schema]) -> Schema:
    """What is wrong with a request, one of these for each thing; API Gateway's own refusals have no list."""
    errors: Schema = {"type": "array", "items": exactly(error)}
    return exactly({"message": {"type": "string"}, "errors": errors}, required=["message"])


def text(document: Mapping[str, Any]) -> str:
    """As it is kept in docs/."""
    return json.dumps(document, indent=2) + "\n"


def _message() -> Schema:
    return exactly({"message": {"type": "string"}})
