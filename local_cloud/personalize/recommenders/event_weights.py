"""A solution's `eventsConfig`: which event types to train on, from which value, and how much each counts.

Developer guide, "Configuring events"; API reference, `EventParameters`: `eventType`, `eventValueThreshold`,
`weight`, "from 0.0 to 1.0".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

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

    def weight(self, event_type: str | None, event_value: float | None) -> float | None:
        """How much an event counts; None when it is not trained on.

        Without rules everything counts alike.
        """
        if not self._rules:
            return 1.0
        rule = self._rules.get((event_type or "").lower())
        if rule is None:
            return None
        if rule.threshold is not None and (event_value is None or event_value < rule.threshold):
            return None
        return rule.weight
