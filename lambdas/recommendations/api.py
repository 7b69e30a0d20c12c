"""From an API Gateway event to its response."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from recommendations.items import quoted
from recommendations.observation import observe
from recommendations.recommender import Recommendation, Recommender
from recommendations.request import ROUTES, BadRequest, Request, read, route_of
from recommendations.settings import Settings
from vocabulary.cors import leave_to_read

_HEADERS: Final = {
    "content-type": "application/json",
    # Personal, and stale as soon as its user does something
    "cache-control": "private, no-store",
}

_ENCODE: Final = json.JSONEncoder(separators=(",", ":")).encode


def respond(
    event: Mapping[str, Any],
    recommender: Recommender,
    settings: Settings,
    *,
    began: float,
    clock: Callable[[], float] = time.monotonic,
) -> dict[str, Any]:
    """Answer a REST proxy event: 200, 400 naming what is wrong, or 404.

    :param began: when the request came in, by `clock`.
    """
    origins = settings.allowed_origins
    headers = {**_HEADERS, **leave_to_read(event, origins)} if origins else _HEADERS
    route = route_of(event)
    if route is None:
        routes = ", ".join(f"{method} {path}" for method, path in ROUTES)
        return _response(404, headers, {"message": f"the routes are {routes}"})
    try:
        request = read(event, route, settings.placements)
    except BadRequest as bad:
        errors = [each._asdict() for each in bad.problems]
        return _response(400, headers, {"message": f"not allowed: {bad}", "errors": errors})
    answer = recommender.recommend(request)
    observe(
        request,
        answer,
        environment=settings.names.environment,
        live_colour=settings.live_colour,
        request_id=(event.get("requestContext") or {}).get("requestId"),
        took_ms=(clock() - began) * 1000,
    )
    return {"statusCode": 200, "headers": headers, "body": _body(request, answer)}


def _body(request: Request, answer: Recommendation) -> str:
    """Made of parts that are JSON already."""
    variant = answer.assignment.variant if answer.assignment else None
    return (
        f'{{"user_id":{_text(request.user_id)},"placement":{quoted(request.placement.name)}'
        f',"items":{answer.written},"recommendation_id":{_text(answer.recommendation_id)}'
        f',"variant":{_text(variant)},"source":{quoted(answer.source)},"colour":{_text(answer.colour)}}}'
    )


def _text(text: str | None) -> str:
    return "null" if text is None else quoted(text)


def _response(status: int, headers: Mapping[str, str], body: Mapping[str, Any]) -> dict[str, Any]:
    return {"statusCode": status, "headers": headers, "body": _ENCODE(body)}
