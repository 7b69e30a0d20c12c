"""What clients may ask, and how what they ask is read."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final, NamedTuple
from urllib.parse import unquote

from vocabulary.placements import Needs, Placement

RECOMMENDATIONS: Final = ("GET", "/recommendations/{user_id}")
SIMILAR: Final = ("GET", "/similar/{item_id}")
RANKINGS: Final = ("POST", "/rankings/{user_id}")

ROUTES: Final[dict[tuple[str, str], tuple[Needs, ...]]] = {
    RECOMMENDATIONS: ("user", "item", "nothing"),
    SIMILAR: ("item",),
    RANKINGS: ("items",),
}
"""Every route, and the placements that it answers for, by what their recipes need."""

DEFAULT_RESULTS: Final = 25
MOST_RESULTS: Final = 500
MOST_WITH_METADATA: Final = 50
LONGEST_ID: Final = 256
LONGEST_VALUE: Final = 1000
MOST_CONTEXT: Final = 150
"""botocore service model `personalize-runtime`: `UserID`, `ItemID`, `FilterAttributeValue`, `Context`;
developer guide, "Amazon Personalize endpoints and quotas"."""

FILTER_VALUE: Final = "filter."
CONTEXT: Final = "context."
"""How query parameters begin that carry a filter's values and the request's context."""


class Problem(NamedTuple):
    """What is wrong with one parameter."""

    parameter: str
    value: str | None
    allowed: str


class BadRequest(Exception):
    """The request cannot be answered as it is; `problems` names every parameter to mend."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(", ".join(problem.parameter for problem in problems))
        self.problems = problems


class Request(NamedTuple):
    """A request for recommendations that can be answered.

    :param user_id: whom they are for, or None where that does not matter.
    :param item_id: what they are to go with, where the placement needs an item.
    :param item_ids: what is to be ranked, where the placement ranks.
    :param filter: name of one of the placement's filters.
    :param filter_values: the filter's parameters, in Personalize's own notation: quoted, with commas.
    :param context: what Personalize is told of the circumstances.
    """

    user_id: str | None
    placement: Placement
    num_results: int = DEFAULT_RESULTS
    item_id: str | None = None
    item_ids: Sequence[str] | None = None
    filter: str | None = None
    filter_values: Mapping[str, str] = {}
    context: Mapping[str, str] = {}


def route_of(event: Mapping[str, Any]) -> tuple[str, str] | None:
    """Which of the routes an API Gateway REST proxy event is of, or None."""
    route = (event.get("httpMethod"), event.get("resource"))
    return route if route in ROUTES else None


def read(event: Mapping[str, Any], route: tuple[str, str], placements: Mapping[str, Placement]) -> Request:
    """Read an API Gateway REST proxy event.

    :raises BadRequest: naming all that is wrong.
    """
    query: Mapping[str, str] = event.get("queryStringParameters") or {}
    path: Mapping[str, str] = event.get("pathParameters") or {}
    problems: list[Problem] = []
    # REST APIs hand path parameters on as the client encoded them, query parameters decoded
    user_id = query.get("user_id") if route == SIMILAR else unquote(path.get("user_id") or "")
    if user_id is not None and not 1 <= len(user_id) <= LONGEST_ID:
        problems.append(Problem("user_id", user_id, f"1 to {LONGEST_ID} characters"))
    placement = placements.get(query.get("placement", ""))
    if placement is None or placement.needs not in ROUTES[route]:
        fitting = [each.name for each in placements.values() if each.needs in ROUTES[route]]
        allowed = f"one of {', '.join(fitting)}" if fitting else "none: no placement here answers this route"
        problems.append(Problem("placement", query.get("placement"), allowed))
        raise BadRequest(problems)
    item_id = unquote(path.get("item_id") or "") if route == SIMILAR else query.get("item_id")
    needs_item = placement.needs == "item"
    if (item_id is None and needs_item) or (item_id is not None and not 1 <= len(item_id) <= LONGEST_ID):
        problems.append(Problem("item_id", item_id, f"1 to {LONGEST_ID} characters"))
    most = MOST_WITH_METADATA if placement.metadata else MOST_RESULTS
    num_results = min(DEFAULT_RESULTS, most)
    if "num_results" in query:
        wanted = query["num_results"]
        num_results = int(wanted) if wanted.isascii() and wanted.isdecimal() and len(wanted) <= 9 else 0
        if not 1 <= num_results <= most:
            problems.append(Problem("num_results", wanted, f"a whole number from 1 to {most}"))
    item_ids = _item_ids(event, most, problems) if route == RANKINGS else None
    name, values, context = None, {}, {}
    if "filter" in query or any("." in parameter for parameter in query):
        every: Mapping[str, list[str]] = event.get("multiValueQueryStringParameters") or {
            parameter: [value] for parameter, value in query.items()
        }
        name = query.get("filter")
        values = _filter_values(placement, name, every, problems)
        context = _context(placement, query, problems)
    if problems:
        raise BadRequest(problems)
    return Request(
        user_id, placement, num_results, item_id if needs_item else None, item_ids, name, values, context
    )


def _item_ids(event: Mapping[str, Any], most: int, problems: list[Problem]) -> list[str] | None:
    allowed = f"a JSON object {{item_ids: […]}} of 1 to {most} ids of 1 to {LONGEST_ID} characters"
    body = event.get("body") or ""
    try:
        ids = json.loads(base64.b64decode(body) if event.get("isBase64Encoded") else body)["item_ids"]
        if not isinstance(ids, list) or not 1 <= len(ids) <= most:
            raise ValueError
        for each in ids:
            if not isinstance(each, str) or not 1 <= len(each) <= LONGEST_ID:
                raise ValueError
    except (ValueError, KeyError, TypeError, RecursionError):
        problems.append(Problem("item_ids", None, allowed))
        return None
    return ids


def _filter_values(
    placement: Placement, name: str | None, query: Mapping[str, list[str]], problems: list[Problem]
) -> dict[str, str]:
    given = {
        parameter[len(FILTER_VALUE) :]: values
        for parameter, values in query.items()
        if parameter.startswith(FILTER_VALUE)
    }
    expression = placement.filters.get(name) if name is not None else None
    if name is not None and expression is None:
        problems.append(Problem("filter", name, _one_of(placement.filters)))
    takes, required = parameters_of(expression or "")
    for parameter in (*(each for each in given if each not in takes), *(each for each in takes if required)):
        if parameter not in takes:
            problems.append(Problem(FILTER_VALUE + parameter, None, f"only values of {_one_of(takes)}"))
        elif parameter not in given:
            problems.append(Problem(FILTER_VALUE + parameter, None, "needed by the filter"))
    quoted = {}
    for parameter, values in given.items():
        quoted[parameter] = ",".join(f'"{value}"' for value in values)
        if any('"' in value or "\\" in value for value in values) or len(quoted[parameter]) > LONGEST_VALUE:
            problems.append(
                Problem(
                    FILTER_VALUE + parameter,
                    values[0],
                    f"no quotes and backslashes, {LONGEST_VALUE} characters in all",
                )
            )
    return quoted


def _context(placement: Placement, query: Mapping[str, str], problems: list[Problem]) -> dict[str, str]:
    context = {
        parameter[len(CONTEXT) :]: value
        for parameter, value in query.items()
        if parameter.startswith(CONTEXT)
    }
    for name, value in context.items():
        if name not in placement.context:
            problems.append(Problem(CONTEXT + name, value, f"only values of {_one_of(placement.context)}"))
        elif len(value) > LONGEST_VALUE:
            problems.append(Problem(CONTEXT + name, value, f"up to {LONGEST_VALUE} characters"))
    return context


@cache
def parameters_of(expression: str) -> tuple[tuple[str, ...], bool]:
    """The parameters of a filter expression, and whether all must have values: INCLUDE cannot do without."""
    bare = re.sub(r'"[^"]*"', "", expression)
    found = tuple(dict.fromkeys(re.findall(r"\$(\w+)", bare)))
    return found, re.search(r"\bINCLUDE\b", bare, re.IGNORECASE) is not None


def _one_of(names: Any) -> str:
    return f"one of {', '.join(names)}" if names else "none: there are none"
