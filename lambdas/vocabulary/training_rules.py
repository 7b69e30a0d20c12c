"""Which events are trained on, beyond the window and the event types.

A limit that does not suit a shop is a setting of its environment; every default says why it is what it is.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field


@dataclass(frozen=True, kw_only=True)
class TrainingRules:
    """The rules of the ETL that are a matter of judgement.

    :param most_events_per_day: a user with more interactions on any one day (UTC) is a robot or a shared
        account, and all of them are left out. A thousand is one every half minute for eight hours.
    :param most_events_per_session: a user's session with more is a robot's, and is left out. People's
        sessions have 3, 7 and 18 clicks at the 50th, 90th and 99th percentile; 300 is no person's.
    :param newest_per_user: of each user so many of the newest interactions are kept, and those of the same
        second as the last of them; None keeps all. Models read the end of a history (the recipes'
        `bptt` is 32 unless set), so a cap of some hundreds costs little and bounds a training's price.
    :param known_items_only: only interactions with items of the newest catalogue are taken. What is no longer
        sold cannot be recommended; without a catalogue nothing is known, and all are taken.
    :param event_values: event type to the EVENT_VALUE of events that carry none. Nothing by default: then
        the column is empty for them, and an `eventValueThreshold` would leave them out.
    :param most_unreadable: the share of the window's files that may be unreadable. They are left out and
        named in the report; more of them than a hundredth is a loss that a person should see.
    """

    most_events_per_day: int = 1000
    most_events_per_session: int = 300
    newest_per_user: int | None = None
    known_items_only: bool = True
    event_values: dict[str, float] = field(default_factory=dict)
    most_unreadable: float = 0.01

    def __post_init__(self) -> None:
        for name in ("most_events_per_day", "most_events_per_session"):
            _require(name, getattr(self, name), getattr(self, name) >= 20, "at least 20: people do that much")
        newest = self.newest_per_user
        _require("newest_per_user", newest, newest is None or newest >= 2, "at least 2, or None")
        for kind, value in self.event_values.items():
            _require(f"event_values[{kind}]", value, abs(value) < 3.4e38, "what a 32-bit float holds")
        share = self.most_unreadable
        _require("most_unreadable", share, 0 <= share <= 1, "0 to 1")


def to_json(rules: TrainingRules) -> str:
    """As the rules travel in a function's environment."""
    return json.dumps(asdict(rules), separators=(",", ":"), sort_keys=True)


def from_json(text: str) -> TrainingRules:
    return TrainingRules(**json.loads(text))


def _require(setting: str, value: object, holds: bool, allowed: str) -> None:
    if not holds:
        raise ValueError(f"training_rules.{setting} is {value!r}, allowed: {allowed}")
