"""The gates of a retraining: what data, a model and its answers must show before customers see them.

A limit that does not suit a shop is a setting of its environment; every default
says why it is what it is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal

Bound = Literal["at least", "at most"]

PERSONALIZE_REGULARS: Final = 25
"""Users with two interactions or more that Personalize demands (developer guide, "Minimum data")."""

PERSONALIZE_USERS_PER_REGULAR: Final = 100
"""And one of so many users (developer guide, "Amazon Personalize endpoints and quotas")."""


@dataclass(frozen=True)
class Check:
    """One figure held against its limit. A figure that is None could not be had, and does not hold."""

    name: str
    figure: float | None
    bound: Bound
    limit: float

    @property
    def holds(self) -> bool:
        if self.figure is None:
            return False
        return self.figure >= self.limit if self.bound == "at least" else self.figure <= self.limit

    def __str__(self) -> str:
        verb = "is needed" if self.bound == "at least" else "is allowed"
        figure = "not known" if self.figure is None else self.figure
        return f"{self.name} is {figure}, {self.bound} {self.limit} {verb}"


def verdict(checks: Sequence[Check]) -> dict[str, Any]:
    """A report's part on a gate: `passed`, and every check with its figure and limit."""
    return {
        "passed": all(each.holds for each in checks),
        "checks": [{**asdict(each), "holds": each.holds} for each in checks],
    }


def failed(checks: Sequence[Check]) -> list[str]:
    """The checks that do not hold, each in words."""
    return [str(each) for each in checks if not each.holds]


@dataclass(frozen=True, kw_only=True)
class DataGate:
    """Which training data are trained on.

    :param regulars: users with two interactions or more, at least. Personalize itself refuses fewer than 25.
    :param users: at least. Regulars are users, so the default adds nothing; a shop knows its own.
    :param items: at least. With one item there is nothing to rank.
    :param hours_since_newest: from the newest interaction to the cutoff, at most. A day without a single one
        means that events do not arrive, and yesterday's model knows as much.
    :param least_shares: event type to its least share of the interactions. Nothing by default: which types
        a shop has is its own (one that sells by phone has no purchases).
    :param most_dropped: rule of the ETL to the share of events it may drop, of those that were candidates.
        Incomplete, unwritable or impossibly dated events are faults of a client, put down to a few up to
        1 %; events without an item or of an unknown one are tolerated where a catalogue lags behind, up
        to half; anonymous visitors are the most of many shops.
    :param least_of_last_good: interactions, users and items, each as a share of the last good run's. A
        window that moves by a day changes by percents: half of it gone is a loss, not a trend.
    :param most_of_last_good: likewise, at most. Five times as much overnight is a robot or a double import.
    :param most_moved: how much of the mix of event types may have changed since the last good run, as the
        share of interactions that would have to be of another type for the two to be equal. A broken
        tag loses a type whole; seasons move a few percent.
    """

    regulars: int = PERSONALIZE_REGULARS
    users: int = PERSONALIZE_REGULARS
    items: int = 2
    hours_since_newest: float = 24
    least_shares: dict[str, float] = field(default_factory=dict)
    most_dropped: dict[str, float] = field(
        default_factory=lambda: {
            "incomplete": 0.01,
            "unwritable": 0.01,
            "implausible-time": 0.01,
            "no-item": 0.5,
            "unknown-item": 0.5,
            "anonymous": 0.95,
        }
    )
    least_of_last_good: float = 0.5
    most_of_last_good: float = 5
    most_moved: float = 0.3

    def __post_init__(self) -> None:
        _require("regulars", self.regulars, self.regulars >= PERSONALIZE_REGULARS, "at least 25")
        _require("users", self.users, self.users >= 1, "at least 1")
        _require("items", self.items, self.items >= 2, "at least 2")
        _require("hours_since_newest", self.hours_since_newest, self.hours_since_newest > 0, "more than 0")
        for name, shares in (("least_shares", self.least_shares), ("most_dropped", self.most_dropped)):
            for key, share in shares.items():
                _require(f"{name}[{key}]", share, 0 <= share <= 1, "0 to 1")
        _require("least_of_last_good", self.least_of_last_good, 0 <= self.least_of_last_good <= 1, "0 to 1")
        _require("most_of_last_good", self.most_of_last_good, self.most_of_last_good >= 1, "at least 1")
        _require("most_moved", self.most_moved, 0 <= self.most_moved <= 1, "0 to 1")


@dataclass(frozen=True, kw_only=True)
class MetricsGate:
    """Which models are put behind a campaign, beside the floors that a placement sets itself.

    :param compared: offline metrics held against those of the live model, where it has them and its recipe
        is the same. One for the order of the list, one for its top, one for how much of the catalogue is
        ever shown.
    :param allowed_drop: how much less than the live model's a metric may be, as a share of it. Personalize
        tests on a tenth of the users, and figures of two trainings on other data differ: AWS compares
        metrics on the same data only (developer guide, "Evaluating a solution version with metrics"). A
        third less is beyond what another draw of users explains.
    :param negligible: differences up to this are none: metrics of sparse data are hundredths, and a
        hundredth of a hundredth is noise.
    """

    compared: tuple[str, ...] = (
        "normalized_discounted_cumulative_gain_at_25",
        "mean_reciprocal_rank_at_25",
        "coverage",
    )
    allowed_drop: float = 0.33
    negligible: float = 0.01

    def __post_init__(self) -> None:
        _require("allowed_drop", self.allowed_drop, 0 <= self.allowed_drop <= 1, "0 to 1")
        _require("negligible", self.negligible, 0 <= self.negligible < 1, "0 to less than 1")


@dataclass(frozen=True, kw_only=True)
class HeartbeatGate:
    """Which answers of a new colour let traffic to it. Shares and overlaps are of the first ten items.

    :param known_users: how many users of the training data are asked for, besides two that no model knows.
    :param slowest_ms: nine of ten answers come within it, in milliseconds; the tenth pays for a cold start.
        By default the time budget of a request: what is slower would be answered with popular items.
    :param least_distinct: lists that differ among those of known users (or of items), at least, where there
        are two to compare.
    :param most_popular: the share of known users who may get just the most popular items. Some do like
        those; when most do, the model has learnt nothing about anybody. Placements that need a user only.
    :param least_overlap: what the new and the live colour have in common, averaged over the users, where
        both have the placement by the same recipe. One night moves a list, it does not replace it.
    """

    known_users: int = 20
    slowest_ms: float = 300
    least_distinct: int = 2
    most_popular: float = 0.5
    least_overlap: float = 0.05

    def __post_init__(self) -> None:
        _require("known_users", self.known_users, 1 <= self.known_users <= 100, "1 to 100")
        _require("slowest_ms", self.slowest_ms, self.slowest_ms > 0, "more than 0")
        _require("least_distinct", self.least_distinct, self.least_distinct >= 1, "at least 1")
        _require("most_popular", self.most_popular, 0 <= self.most_popular <= 1, "0 to 1")
        _require("least_overlap", self.least_overlap, 0 <= self.least_overlap <= 1, "0 to 1")


def to_json(gate: DataGate | MetricsGate | HeartbeatGate) -> str:
    """As a gate travels in a function's environment."""
    return json.dumps(asdict(gate), separators=(",", ":"), sort_keys=True)


def data_gate(text: str) -> DataGate:
    return DataGate(**json.loads(text))


def metrics_gate(text: str) -> MetricsGate:
    fields: Mapping[str, Any] = json.loads(text)
    return MetricsGate(**{**fields, "compared": tuple(fields["compared"])})


def heartbeat_gate(text: str) -> HeartbeatGate:
    return HeartbeatGate(**json.loads(text))


def _require(setting: str, value: object, holds: bool, allowed: str) -> None:
    if not holds:
        raise ValueError(f"{setting} is {value!r}, allowed: {allowed}")
