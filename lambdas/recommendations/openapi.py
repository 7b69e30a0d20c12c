"""The API in OpenAPI 3.1, made from what the function itself reads requests by.

    python -m recommendations.openapi > docs/openapi.json

A test holds docs/openapi.json to it. The function never imports this.
"""

from __future__ import annotations

import json
import sys
from typing import Any, Final

from recommendations.request import (
    CONTEXT,
    DEFAULT_RESULTS,
    FILTER_VALUE,
    LONGEST_ID,
    LONGEST_VALUE,
    MOST_RESULTS,
    MOST_WITH_METADATA,
    RANKINGS,
    RECOMMENDATIONS,
    ROUTES,
    SIMILAR,
)
from vocabulary.colours import COLOURS
from vocabulary.experiment import VARIANTS

_ID: Final = {"type": "string", "minLength": 1, "maxLength": LONGEST_ID}

_SAYS: Final = {
    RECOMMENDATIONS: ("getRecommendations", "What to show a user, best first"),
    SIMILAR: ("getSimilarItems", "What goes with an item, best first"),
    RANKINGS: ("rankItems", "Items of one's own, in the order that suits a user"),
}


def document() -> dict[str, Any]:
    """The whole document."""
    paths: dict[str, Any] = {}
    for method, path in ROUTES:
        paths.setdefault(path, {})[method.lower()] = _operation((method, path))
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Colorway: recommendations",
            "version": "1",
            "description": "Every request that can be answered is answered 200 within a time budget: by "
            "Personalize, or by popular items when it does not answer.",
            "license": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
        },
        "servers": [
            {
                "url": "https://{api}.execute-api.{region}.amazonaws.com/v1",
                "variables": {"api": {"default": "api"}, "region": {"default": "us-east-1"}},
            }
        ],
        "security": [{"key": []}, {"signature": []}],
        "paths": paths,
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
            "schemas": {"Answer": _answer(), "Refusal": _refusal(), "Message": _message()},
        },
    }


def _operation(route: tuple[str, str]) -> dict[str, Any]:
    name, summary = _SAYS[route]
    operation: dict[str, Any] = {
        "operationId": name,
        "summary": summary,
        "parameters": _parameters(route),
        "responses": {
            "200": _response("Items, and who chose them", "Answer"),
            "400": _response("Something of the request is not allowed: what, and what is", "Refusal"),
            "403": _response("No key or signature, or a wrong one; or blocked by the firewall", "Message"),
            "429": _response("More requests than are let through: ask again later", "Message"),
        },
    }
    if route == RANKINGS:
        items = {"type": "array", "items": _ID, "minItems": 1, "maxItems": MOST_RESULTS}
        operation["requestBody"] = {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {
                        "type": "object",
                        "required": ["item_ids"],
                        "properties": {"item_ids": items},
                    }
                }
            },
        }
    return operation


def _parameters(route: tuple[str, str]) -> list[dict[str, Any]]:
    in_path = "item_id" if route == SIMILAR else "user_id"
    results = {"type": "integer", "minimum": 1, "maximum": MOST_RESULTS, "default": DEFAULT_RESULTS}
    parameters = [
        _parameter(in_path, "path", _ID, required=True, says="A visitor without an account: the session's id"
                   if in_path == "user_id" else "What the recommendations are to go with"),
        _parameter("placement", "query", {"type": "string"}, required=True,
                   says=f"Name of a placement whose recipe needs: {', '.join(ROUTES[route])}"),
    ]  # fmt: skip
    if route != RANKINGS:
        parameters.append(
            _parameter("num_results", "query", results,
                       says=f"At most {MOST_WITH_METADATA} where the placement's items come with metadata")
        )  # fmt: skip
    if route == RECOMMENDATIONS:
        parameters.append(_parameter("item_id", "query", _ID, says="Where the placement needs an item"))
    if route == SIMILAR:
        parameters.append(_parameter("user_id", "query", _ID, says="Whom they are for"))
    values = {"type": "object", "additionalProperties": {"type": "string", "maxLength": LONGEST_VALUE}}
    return [
        *parameters,
        _parameter("filter", "query", {"type": "string"}, says="Name of one of the placement's filters"),
        {
            **_parameter("values", "query", values, says=(
                f"`{FILTER_VALUE}NAME=` gives a value to a parameter of the filter, and may be repeated; "
                f"`{CONTEXT}NAME=` tells of the circumstances. Names are the placement's.")),
            "style": "form",
            "explode": True,
        },
    ]  # fmt: skip


def _parameter(
    name: str, where: str, schema: dict[str, Any], *, says: str, required: bool = False
) -> dict[str, Any]:
    return {"name": name, "in": where, "required": required, "description": says, "schema": schema}


def _answer() -> dict[str, Any]:
    item = {
        "type": "object",
        "required": ["item_id"],
        "properties": {
            "item_id": {"type": "string"},
            "score": {"type": "number", "description": "Absent where the recipe does not score"},
            "metadata": {"type": "object", "description": "The columns that the placement asks for"},
        },
    }
    properties: dict[str, Any] = {
        "user_id": {"type": ["string", "null"]},
        "placement": {"type": "string"},
        "items": {"type": "array", "items": item},
        "recommendation_id": {"type": ["string", "null"], "description": "To be sent with events"},
        "variant": {"enum": [*VARIANTS, None], "description": "Null where no experiment runs"},
        "source": {
            "enum": ["personalize", "popular", "control"],
            "description": "`popular` stands in for Personalize; `control` is the old experience",
        },
        "colour": {"enum": [*COLOURS, None]},
    }
    return {"type": "object", "required": list(properties), "properties": properties}


def _refusal() -> dict[str, Any]:
    text: dict[str, Any] = {"type": "string"}
    error = {
        "type": "object",
        "required": ["parameter", "value", "allowed"],
        "properties": {"parameter": text, "value": {"type": ["string", "null"]}, "allowed": text},
    }
    return {
        "type": "object",
        "required": ["message"],
        "properties": {"message": text, "errors": {"type": "array", "items": error}},
    }


def _message() -> dict[str, Any]:
    return {"type": "object", "required": ["message"], "properties": {"message": {"type": "string"}}}


def _response(says: str, schema: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {"description": says, "content": content}


def text() -> str:
    return json.dumps(document(), indent=2) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
