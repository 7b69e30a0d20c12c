"""The API in OpenAPI 3.1, made from what the function itself reads requests by.

    python -m recommendations.openapi > docs/openapi.json

A test holds docs/openapi.json to it, and another the deployed API to what it says. The
function never imports this.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
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
    parameters_of,
)
from vocabulary import openapi
from vocabulary.colours import COLOURS
from vocabulary.experiment import VARIANTS
from vocabulary.openapi import Schema, exactly
from vocabulary.placements import Placement

Route = tuple[str, str]

_ID: Final[Schema] = {"type": "string", "minLength": 1, "maxLength": LONGEST_ID}

_SAYS: Final = {
    RECOMMENDATIONS: ("getRecommendations", "What to show a user, best first"),
    SIMILAR: ("getSimilarItems", "What goes with an item, best first"),
    RANKINGS: ("rankItems", "Items of one's own, in the order that suits a user"),
}


def document(placements: Sequence[Placement] | None = None) -> dict[str, Any]:
    """The whole document.

    :param placements: of the environment that is described: their names, filters and limits are
        told, and a route that none of them has is left out. None for any environment.
    """
    paths: dict[str, Any] = {}
    for route, needs in ROUTES.items():
        fitting = None if placements is None else [each for each in placements if each.needs in needs]
        if fitting != []:
            method, path = route
            paths.setdefault(path, {})[method.lower()] = _operation(route, fitting)
    return openapi.document(
        title="Colorway: recommendations",
        description="Every request that can be answered is answered 200 within a time budget: by "
        "Personalize, or by popular items when it does not answer.",
        paths=paths,
        schemas={"Answer": _answer(), "Refusal": _refusal()},
    )


def _operation(route: Route, placements: Sequence[Placement] | None) -> dict[str, Any]:
    name, summary = _SAYS[route]
    operation: dict[str, Any] = {
        "operationId": name,
        "summary": summary,
        "parameters": _parameters(route, placements),
        "responses": {
            "200": openapi.response("Items, and who chose them", "Answer"),
            "400": openapi.response("Something of the request is not allowed: what, and what is", "Refusal"),
            **openapi.of_the_gateway(),
        },
    }
    if route == RANKINGS:
        items = {"type": "array", "items": _ID, "minItems": 1, "maxItems": _most(placements)}
        operation["requestBody"] = openapi.body(exactly({"item_ids": items}))
    return operation


def _parameters(route: Route, placements: Sequence[Placement] | None) -> list[dict[str, Any]]:
    in_path = "item_id" if route == SIMILAR else "user_id"
    names = None if placements is None else [each.name for each in placements]
    parameters = [
        _parameter(in_path, "path", _ID, required=True, says="A visitor without an account: the session's id"
                   if in_path == "user_id" else "What the recommendations are to go with"),
        _parameter("placement", "query", _one_of(names),
                   required=True,
                   says=f"Name of a placement whose recipe needs: {', '.join(ROUTES[route])}"),
    ]  # fmt: skip
    if route != RANKINGS:
        most = _most(placements)
        results = {
            "type": "integer", "minimum": 1, "maximum": most, "default": min(DEFAULT_RESULTS, most),
        }  # fmt: skip
        parameters.append(
            _parameter("num_results", "query", results,
                       says=f"At most {MOST_WITH_METADATA} where the placement's items come with metadata")
        )  # fmt: skip
    if route == RECOMMENDATIONS:
        always = placements is not None and all(each.needs == "item" for each in placements)
        parameters.append(
            _parameter("item_id", "query", _ID, required=always, says="Where the placement needs an item")
        )
    if route == SIMILAR:
        parameters.append(_parameter("user_id", "query", _ID, says="Whom they are for"))
    return [*parameters, *_of_filters(placements), *_of_context(placements)]


def _of_filters(placements: Sequence[Placement] | None) -> list[dict[str, Any]]:
    says = "Name of one of the placement's filters"
    if placements is None:
        values = _any_of(FILTER_VALUE, "gives a value to a parameter of the filter, and may be repeated")
        return [_parameter("filter", "query", _one_of(None), says=says), values]
    filters = {name: expression for each in placements for name, expression in each.filters.items()}
    if not filters:
        return []
    # Quotes would end the value, in Personalize's notation
    value = {"type": "string", "maxLength": LONGEST_VALUE - 2, "pattern": r'^[^"\\]*$'}
    takes = sorted({name for expression in filters.values() for name in parameters_of(expression)[0]})
    return [
        _parameter("filter", "query", _one_of(list(filters)), says=says),
        *(
            _parameter(FILTER_VALUE + name, "query", {"type": "array", "items": value},
                       says=f"Values for `${name}`, where the filter has it; they may be repeated")
            for name in takes
        ),
    ]  # fmt: skip


def _of_context(placements: Sequence[Placement] | None) -> list[dict[str, Any]]:
    if placements is None:
        return [_any_of(CONTEXT, "tells of the circumstances, by names of the placement's")]
    value = {"type": "string", "maxLength": LONGEST_VALUE}
    names = sorted({name for each in placements for name in each.context})
    return [
        _parameter(CONTEXT + name, "query", value, says="Of the circumstances, where the placement knows it")
        for name in names
    ]


def _any_of(prefix: str, does: str) -> dict[str, Any]:
    """Parameters whose names only an environment knows: the properties of an object, in OpenAPI."""
    schema = {
        "type": "object",
        "additionalProperties": {"type": "string", "maxLength": LONGEST_VALUE},
        "propertyNames": {"pattern": f"^{prefix[:-1]}[.]"},
    }
    says = f"`{prefix}NAME=` {does}"
    return {
        **_parameter(f"{prefix}NAME", "query", schema, says=says),
        "style": "form",
        "explode": True,
    }


def _most(placements: Sequence[Placement] | None) -> int:
    """What is never too many."""
    bare = placements is None or not any(each.metadata for each in placements)
    return MOST_RESULTS if bare else MOST_WITH_METADATA


def _one_of(names: Sequence[str] | None) -> Schema:
    return {"type": "string"} if names is None else {"type": "string", "enum": list(names)}


def _parameter(name: str, where: str, schema: Schema, *, says: str, required: bool = False) -> dict[str, Any]:
    return {"name": name, "in": where, "required": required, "description": says, "schema": schema}


def _answer() -> Schema:
    item: Schema = {
        "type": "object",
        "required": ["item_id"],
        "properties": {
            "item_id": {"type": "string"},
            "score": {
                "type": "number",
                "description": "Absent where the recipe does not score. The order is that of the list: "
                "a new item that is tried out has the score of its place",
            },
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
    return exactly(properties)


def _refusal() -> Schema:
    text: Schema = {"type": "string"}
    return openapi.refusal({"parameter": text, "value": {"type": ["string", "null"]}, "allowed": text})


if __name__ == "__main__":
    sys.stdout.write(openapi.text(document()))
