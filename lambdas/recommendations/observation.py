"""One line per request: what on-call wants to know, and the metrics. Who asked is not in it."""

from __future__ import annotations

from typing import Final

from recommendations.recommender import Recommendation
from recommendations.request import Request
from vocabulary.colours import NO_COLOUR, Colour
from vocabulary.metrics import emit

_DIMENSION_SETS: Final = (
    ("environment",),
    ("environment", "colour"),
    ("environment", "placement", "colour"),
)


def observe(
    request: Request,
    answer: Recommendation,
    *,
    environment: str,
    live_colour: Colour | None,
    request_id: str | None,
    took_ms: float,
) -> None:
    """Count an answered request, under the colour that should have answered it.

    `Fallbacks` counts what the live colour should have answered and popular items
    did; before the first training, when none is live, nothing is a fallback.
    """
    fallback = live_colour is not None and answer.source == "popular"
    waited = {} if answer.personalize_ms is None else {"PersonalizeLatency": round(answer.personalize_ms, 1)}
    emit(
        {
            "environment": environment,
            "placement": request.placement.name,
            "colour": live_colour or NO_COLOUR,
        },
        {
            "Recommendations": 1,
            "Fallbacks": int(fallback),
            "PersonalizeErrors": len(answer.failures),
        },
        waited,
        dimension_sets=_DIMENSION_SETS,
        properties={
            "request_id": request_id,
            "source": answer.source,
            "answered_by": answer.colour,
            "items": len(answer.items),
            "failures": list(answer.failures),
            "took_ms": round(took_ms, 1),
        },
    )
