"""From an API Gateway event to its response."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from recommendations.observation import observe
from recommendations.recommender import Recommendation, Recommender
from recommendations.request import ROUTES, BadRequest, Request, read, route_of
from recommendations.settings import Settings

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
    headers = _headers(event, settings.allowed_origins) if settings.allowed_origins else _HEADERS
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
    return _response(200, headers, _body(request, answer))


def _body(request: Request, answer: Recommendation) -> dict[str, Any]:
    return {
        "user_id": request.user_id,
        "placement": request.placement.name,
        "items": answer.items,
        "recommendation_id": answer.recommendation_id,
        "variant": answer.assignment.variant if answer.assignment else None,
        "source": answer.source,
        "colour": answer.colour,
    }


def _headers(event: Mapping[str, Any], allowed_origins: tuple[str, ...]) -> dict[str, str]:
    """With leave for the caller's page to read the answer, if it is one of the allowed ones."""
    sent: Mapping[str, str] = event.get("headers") or {}
    origin = sent.get("origin") or sent.get("Origin")
    if "*" in allowed_origins:
        return {**_HEADERS, "access-control-allow-origin": "*"}
    if origin in allowed_origins:
        return {**_HEADERS, "access-control-allow-origin": origin, "vary": "origin"}
    return {**_HEADERS, "vary": "origin"}


def _response(status: int, headers: Mapping[str, str], body: Mapping[str, Any]) -> dict[str, Any]:
    return {"statusCode": status, "headers": headers, "body": _ENCODE(body)}
