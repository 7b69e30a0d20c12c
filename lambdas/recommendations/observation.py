"""One line per request: what on-call wants to know, the metrics, the exposure. Who asked is not in it."""

from __future__ import annotations

import time
from typing import Any, Final

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
    did; before the first training, when none is live, nothing is a fallback, and
    neither is the old experience of the experiment.

    Who sees treatment or control is exposed to it: then the line is a row of the lake's exposures
    (`vocabulary.lake.EXPOSURE_COLUMNS`), where it gets by its `unit_id`. Who is exempt is not measured.
    """
    now = time.time()
    fallback = live_colour is not None and answer.source == "popular"
    waited = {} if answer.personalize_ms is None else {"PersonalizeLatency": round(answer.personalize_ms, 3)}
    properties: dict[str, Any] = {
        "request_id": request_id,
        "source": answer.source,
        "answered_by": answer.colour,
        "items": len(answer.items),
        "failures": answer.failures,
        "took_ms": round(took_ms, 3),
    }
    if answer.experiment_problem is not None:
        properties["experiment_problem"] = answer.experiment_problem
    assignment = answer.assignment
    if assignment is not None and assignment.variant != "exempt":
        properties |= {
            "exposed_at": int(now * 1000),
            "experiment": assignment.experiment,
            "unit_id": assignment.unit_id,
            "variant": assignment.variant,
            "recommendation_id": answer.recommendation_id,
        }
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
            "ExperimentUnknown": int(answer.experiment_problem is not None),
        },
        waited,
        dimension_sets=_DIMENSION_SETS,
        properties=properties,
        now=now,
    )
