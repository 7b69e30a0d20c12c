"""The metrics gate: a model whose offline metrics fall short is not put before customers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vocabulary.gates import Check, MetricsGate
from vocabulary.placements import Placement


class MetricsGateRefused(Exception):
    """The model falls short; the message says which metric, the figure and the limit."""


def check(
    metrics: Mapping[str, float],
    *,
    placement: Placement,
    gate: MetricsGate,
    live: Mapping[str, Any] | None,
) -> list[Check]:
    """Hold a solution version's metrics against the placement's floors and the live model's metrics.

    :param live: what `told` said of the placement in the run that is live, or None.
    """
    floors = [
        Check(name, metrics.get(name), "at least", floor)
        for name, floor in sorted(placement.metric_floors.items())
    ]
    if live is None or live["recipe"] != placement.recipe:
        return floors
    return floors + [
        Check(f"{name} beside the live model's {then:.4f}", metrics.get(name), "at least", limit)
        for name in gate.compared
        if (then := live["metrics"].get(name)) is not None
        and (limit := round(min(then * (1 - gate.allowed_drop), then - gate.negligible), 4)) > 0
    ]


def told(metrics: Mapping[str, float], *, placement: Placement, verdict: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of a model in the run's report."""
    return {"recipe": placement.recipe, "metrics": dict(metrics), **verdict}
