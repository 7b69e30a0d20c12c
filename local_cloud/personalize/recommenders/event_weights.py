"""A solution's `eventsConfig`: which event types to train on, from which value, and how much each counts.

Developer guide, "Optimizing a solution with events configuration"; API reference, `EventParameters`:
`eventType`, `eventValueThreshold`, `weight`, "from 0.0 to 1.0".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

MOST_EVENT_TYPES: Final = 10


@dataclass(frozen=True, kw_only=True)
class _Rule:
    weight: float
    threshold: float | None


class EventWeights:
    """Event types are compared without regard to case, as everywhere in Personalize."""

    def __init__(self, rules: Mapping[str, _Rule]) -> None:
        self._rules = rules

    @classmethod
    def of(cls, parameters: Sequence[Mapping[str, Any]]) -> Self:
        """
        :param parameters: the `eventParametersList`.
        :raises ValueError: naming the parameter that cannot be.
        """
        rules: dict[str, _Rule] = {}
        for parameter in parameters:
            event_type = str(parameter.get("eventType", ""))
            if not event_type:
                raise ValueError("eventParametersList: every entry needs an eventType")
            if event_type.lower() in rules:
                raise ValueError(f"eventParametersList names {event_type} twice")
            weight = float(parameter.get("weight", 1.0))
            if not 0 <= weight <= 1:
                raise ValueError(f"weight of {event_type} must be from 0 to 1, got {weight}")
            threshold = parameter.get("eventValueThreshold")
            rules[event_type.lower()] = _Rule(
                weight=weight, threshold=None if threshold is None else float(threshold)
            )
        if len(rules) > MOST_EVENT_TYPES:
            raise ValueError(f"eventParametersList has at most {MOST_EVENT_TYPES} entries, got {len(rules)}")
        return cls(rules)

    def of_each(
        self, event_types: Sequence[str | None], codes: NDArray[np.int32], values: NDArray[np.float64]
    ) -> NDArray[np.float32] | None:
        """How much each event counts, NaN where it is not trained on; None when all count alike.

        :param event_types: distinct; `codes` are per event the place of its type.
        :param values: per event, NaN where it has none.
        """
        if not self._rules:
            return None
        rules = [self._rules.get((event_type or "").lower()) for event_type in event_types]
        weights = np.array([np.nan if rule is None else rule.weight for rule in rules], dtype=np.float32)
        least = np.array(
            [-np.inf if rule is None or rule.threshold is None else rule.threshold for rule in rules]
        )
        enough = (values >= least[codes]) | np.isneginf(least)[codes]
        counted: NDArray[np.float32] = np.where(enough, weights[codes], np.float32(np.nan))
        return counted
