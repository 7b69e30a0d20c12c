"""What clients may ask: `GET /recommendations/{user_id}?placement=&num_results=&item_id=`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

from vocabulary.placements import Placement

ROUTE: Final = ("GET", "/recommendations/{user_id}")

_DEFAULT_RESULTS: Final = 25
_MOST_RESULTS: Final = 500
_LONGEST_ID: Final = 256
"""Of user and item ids: botocore service model `personalize-runtime`, `UserID` and `ItemID`."""


@dataclass(frozen=True)
class Problem:
    """What is wrong with one parameter."""

    parameter: str
    value: str | None
    allowed: str


class BadRequest(Exception):
    """The request cannot be answered as it is; `problems` names every parameter to mend."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(", ".join(problem.parameter for problem in problems))
        self.problems = problems


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request for recommendations that can be answered.

    :param item_id: what the recommendations are to go with, where the placement needs an item.
    """

    user_id: str
    placement: Placement
    num_results: int = _DEFAULT_RESULTS
    item_id: str | None = None


def is_for_recommendations(event: Mapping[str, Any]) -> bool:
    """Whether an API Gateway REST proxy event is of the one route there is."""
    return (event.get("httpMethod"), event.get("resource")) == ROUTE


def read(event: Mapping[str, Any], placements: Mapping[str, Placement]) -> Request:
    """Read an API Gateway REST proxy event.

    :raises BadRequest: naming all that is wrong.
    """
    query: Mapping[str, str] = event.get("queryStringParameters") or {}
    problems: list[Problem] = []
    # REST APIs hand path parameters on as the client encoded them, query parameters decoded
    user_id = unquote((event.get("pathParameters") or {}).get("user_id") or "")
    if not 1 <= len(user_id) <= _LONGEST_ID:
        problems.append(Problem("user_id", user_id, f"1 to {_LONGEST_ID} characters"))
    placement = placements.get(query.get("placement", ""))
    if placement is None:
        problems.append(Problem("placement", query.get("placement"), f"one of {', '.join(placements)}"))
    wanted = query.get("num_results", str(_DEFAULT_RESULTS))
    num_results = int(wanted) if wanted.isascii() and wanted.isdecimal() and len(wanted) <= 9 else 0
    if not 1 <= num_results <= _MOST_RESULTS:
        problems.append(Problem("num_results", wanted, f"a whole number from 1 to {_MOST_RESULTS}"))
    item_id = query.get("item_id")
    needs_item = placement is not None and placement.needs == "item"
    if (item_id is None and needs_item) or (item_id is not None and not 1 <= len(item_id) <= _LONGEST_ID):
        problems.append(Problem("item_id", item_id, f"1 to {_LONGEST_ID} characters"))
    if "filter" in query:
        problems.append(Problem("filter", query["filter"], "nothing: there are no named filters yet"))
    if placement is None or problems:
        raise BadRequest(problems)
    return Request(
        user_id=user_id,
        placement=placement,
        num_results=num_results,
        item_id=item_id if needs_item else None,
    )
