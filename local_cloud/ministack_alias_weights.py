"""Weights of a Lambda alias: MiniStack stores them and sends everything to the alias's own version.

They act on what an API or an event source invokes. An Invoke that names the alias goes to its own
version still.
"""

from __future__ import annotations

import random
from typing import Any

from ministack.services import lambda_svc

_draw = random.Random()


def register() -> None:
    """From now on an alias's additional versions take their share of the traffic, as they do on AWS."""
    effective = lambda_svc._effective_func_record_for_qualifier

    def weighted(func: dict[str, Any] | None, qualifier: str | None) -> Any:
        alias = func["aliases"].get(qualifier) if func and qualifier else None
        routing = (alias or {}).get("RoutingConfig") or {}
        return effective(func, draw(routing.get("AdditionalVersionWeights") or {}) or qualifier)

    lambda_svc._effective_func_record_for_qualifier = weighted


def draw(weights: dict[str, float]) -> str | None:
    """One of the additional versions by its weight, or None for the alias's own."""
    left = _draw.random()
    for version, weight in weights.items():
        left -= weight
        if left < 0:
            return version
    return None
