"""The data gate: training data that cannot make a good model are not trained on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

MINIMUM_REGULARS: Final = 25
"""Users with two interactions or more that Personalize demands (developer guide, "Minimum data")."""

MOST_IMPLAUSIBLE: Final = 0.01
"""The share of events with an impossible time that is put down to a few wrong clocks."""


class DataGateRefused(Exception):
    """The data fall short; the message says each check that fails, the figure and the limit."""


@dataclass(frozen=True)
class Check:
    """One figure held against its limit."""

    name: str
    figure: float
    bound: Literal["at least", "at most"]
    limit: float

    @property
    def holds(self) -> bool:
        return self.figure >= self.limit if self.bound == "at least" else self.figure <= self.limit

    def __str__(self) -> str:
        verb = "is needed" if self.bound == "at least" else "is allowed"
        return f"{self.name} is {self.figure}, {self.bound} {self.limit} {verb}"


def check_amount(figures: Mapping[str, Any], *, minimum_interactions: int) -> list[Check]:
    """Whether there is enough: what more days of events mend by themselves.

    :param figures: the report's part on interactions (`training_data.figures.figures`).
    """
    return [
        Check("interactions", figures["rows_out"], "at least", minimum_interactions),
        Check(
            "users with two interactions or more",
            figures["users_with_two_or_more"],
            "at least",
            MINIMUM_REGULARS,
        ),
        Check("items", figures["items"], "at least", 2),
    ]


def check(figures: Mapping[str, Any], *, minimum_interactions: int, cutoff: int) -> list[Check]:
    """Every check.

    :param cutoff: in unix milliseconds; nothing may have happened after it.
    """
    implausible = figures["dropped"]["implausible-time"]["rows"]
    dated = figures["rows_out"] + implausible
    return [
        *check_amount(figures, minimum_interactions=minimum_interactions),
        Check("newest timestamp", figures["newest"] or 0, "at most", cutoff // 1000),
        Check(
            "share of events from before the year 2000",
            round(implausible / dated, 4) if dated else 0,
            "at most",
            MOST_IMPLAUSIBLE,
        ),
    ]


def gate(checks: list[Check]) -> dict[str, Any]:
    """The report's part on the gate."""
    return {
        "passed": all(each.holds for each in checks),
        "checks": [{**asdict(each), "holds": each.holds} for each in checks],
    }


def refusal(checks: list[Check], figures: Mapping[str, Any]) -> str | None:
    """Why the data are refused, with where most events went; None when every check holds."""
    failed = [str(each) for each in checks if not each.holds]
    if not failed:
        return None
    dropped = sorted(
        ((rule["rows"], name) for name, rule in figures["dropped"].items() if rule["rows"]), reverse=True
    )
    most = ", ".join(f"{name} {rows}" for rows, name in dropped[:3])
    went = f" (of {figures['rows_in']} events read, dropped: {most})" if most else ""
    return "; ".join(failed) + went
