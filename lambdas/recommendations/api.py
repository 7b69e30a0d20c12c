"""From an API Gateway event to its response."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, Final

from recommendations.observation import observe
from recommendations.recommender import Item, Recommendation, Recommender
from recommendations.request import BadRequest, Request, is_for_recommendations, read
from recommendations.settings import Settings

_HEADERS: Final = {
    "content-type": "application/json",
    # Personal, and stale as soon as its user does something
    "cache-control": "private, no-store",
}


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
    if not is_for_recommendations(event):
        return _response(404, {"message": "the only route is GET /recommendations/{user_id}"})
    try:
        request = read(event, settings.placements)
    except BadRequest as bad:
        return _response(
            400, {"message": f"not allowed: {bad}", "errors": [asdict(each) for each in bad.problems]}
        )
    answer = recommender.recommend(request)
    observe(
        request,
        answer,
        environment=settings.names.environment,
        live_colour=settings.live_colour,
        request_id=(event.get("requestContext") or {}).get("requestId"),
        took_ms=(clock() - began) * 1000,
    )
    return _response(200, _body(request, answer))


def _body(request: Request, answer: Recommendation) -> dict[str, Any]:
    return {
        "user_id": request.user_id,
        "placement": request.placement.name,
        "items": [_item(item) for item in answer.items],
        "recommendation_id": answer.recommendation_id,
        "variant": None,
        "source": answer.source,
        "colour": answer.colour,
    }


def _item(item: Item) -> dict[str, Any]:
    return {"item_id": item.item_id} if item.score is None else asdict(item)


def _response(status: int, body: Mapping[str, Any]) -> dict[str, Any]:
    return {"statusCode": status, "headers": _HEADERS, "body": json.dumps(body, separators=(",", ":"))}
