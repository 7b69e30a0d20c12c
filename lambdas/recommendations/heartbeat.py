"""Proves a version before traffic reaches it: the live colour's own answers, or why there are none."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle
from typing import Any, Final

from recommendations.recommender import Recommender
from recommendations.request import Request
from vocabulary.colours import NO_COLOUR
from vocabulary.placements import Placement

_SECOND_TRIES: Final = 3
"""Of a whole heartbeat: the first answers of a campaign just made may be slow."""


def answers(
    heartbeat: Mapping[str, Any], recommender: Recommender, placements: Mapping[str, Placement]
) -> dict[str, Any]:
    """Answer `{placement, user_ids, item_ids?}` with `{answers: [{source, colour, items, error?}, ...]}`.

    One answer per user id, in order. Nothing stands in for the live colour here:
    an answer that it does not give has source `error` and says why.

    :raises ValueError: for a placement that does not exist, or one that needs items and gets none.
    """
    placement = placements.get(heartbeat["placement"])
    if placement is None:
        raise ValueError(f"placement must be one of {', '.join(placements)}, got {heartbeat['placement']!r}")
    items = list(heartbeat.get("item_ids") or ())
    if placement.needs in ("item", "items") and not items:
        raise ValueError(f"item_ids must not be empty: placement {placement.name} needs items")
    requests = [
        Request(user, placement, item_id=item, item_ids=items if placement.needs == "items" else None)
        for user, item in zip(
            heartbeat["user_ids"], cycle(items if placement.needs == "item" else [None]), strict=False
        )
    ]
    found = []
    spare = _SECOND_TRIES
    for request in requests:
        answer = _answer(request, recommender)
        while answer["source"] == "error" and spare > 0:
            spare -= 1
            answer = _answer(request, recommender)
        found.append(answer)
    return {"answers": found}


def _answer(request: Request, recommender: Recommender) -> dict[str, Any]:
    colour = recommender.live_colour
    if colour is None:
        return {"source": "error", "colour": NO_COLOUR, "items": [], "error": "no colour is live"}
    try:
        ranking = recommender.ask(colour, request)
    except Exception as error:
        return {"source": "error", "colour": colour, "items": [], "error": f"{type(error).__name__}: {error}"}
    return {"source": "personalize", "colour": colour, "items": ranking.items}
