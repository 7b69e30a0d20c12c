"""The report: what may be said of an experiment now, and what may not be said yet."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Final, Literal

from experiments.comparing import (
    LEVEL,
    MISMATCH,
    Comparison,
    SampleRatio,
    compare,
    detectable,
    holm,
    sample_ratio,
)
from experiments.plan import DAY_MS, Plan, Window
from experiments.reading import Found, Served, Totals
from experiments.sums import Sums
from vocabulary.experiment import METRICS, Metric

_NOBODY: Final = Sums()

Measured = Literal["treatment", "control"]
MEASURED: Final[tuple[Measured, Measured]] = ("treatment", "control")

SHARES: Final[frozenset[Metric]] = frozenset({"conversion", "click_through"})
"""Metrics that are shares of users."""

DOES: Final[dict[Metric, str]] = {
    "conversion": "bought",
    "click_through": "clicked",
    "clicks_per_exposure": "clicked",
    "revenue_per_user": "bought",
}

MEANINGS: Final[dict[Metric, str]] = {
    "conversion": "users who bought after they were exposed",
    "click_through": "users who clicked after they were exposed",
    "clicks_per_exposure": "clicks after the first exposure, over exposures",
    "revenue_per_user": "value of purchases after the first exposure, over users",
}

SIGNIFICANT: Final = 1 - LEVEL

FAILING: Final = 0.01
"""Failed calls per exposure that are worth a look."""

FALLING_BACK: Final = 0.05
"""Share of treatment's answers by popular items that blurs what is compared; serving's alarm has the same."""

SLOWER_MS: Final = 300.0
"""Treatment may take as much longer than control: the default time budget of a recommendation."""

_HEAVY_TAIL: Final = 355
"""Users that a mean's interval needs, times the squared skewness (Kohavi, Deng, Longbotham, Xu 2014)."""


@dataclass(frozen=True)
class Result:
    """A metric's outcome.

    :param primary: whether this one decides.
    :param adjusted: the p-value after Holm's correction among the secondary metrics; the primary's own.
    :param note: what to mind about it.
    """

    metric: Metric
    primary: bool
    comparison: Comparison
    adjusted: float | None
    note: str = ""


@dataclass(frozen=True)
class Day:
    """How it stood at a day's end; `comparison` of the primary metric is None while the horizon is ahead."""

    day: date
    users: dict[Measured, int]
    comparison: Comparison | None


@dataclass(frozen=True)
class Segment:
    """A segment of the catalogue's users, by the primary metric."""

    name: str
    users: dict[Measured, int]
    comparison: Comparison | None


@dataclass(frozen=True)
class Guardrail:
    """Something that must not get worse, in both variants; `trouble` is empty while it has not.

    :param unit: `%` for a share, else what the figures are counted in.
    :param control_asks: whether control does at all what is measured; of Personalize it never asks.
    """

    name: str
    treatment: float
    control: float
    unit: str = "%"
    control_asks: bool = True
    trouble: str = ""


@dataclass(frozen=True)
class Report:
    """Everything that is shown.

    :param experiment: its id.
    :param over: whether the horizon is reached. Until then there are no results, and no comparison anywhere;
        nor are there where users do not fit the allocation.
    :param results: the primary metric first.
    :param could_find: per metric, the relative lift that so many users could show; told from both variants
        together, so that it gives no effect away.
    :param conclusion: what one may conclude, in a sentence.
    """

    experiment: str
    plan: Plan
    window: Window
    at: datetime
    over: bool
    users: dict[Measured, int]
    exposures: dict[Measured, int]
    sample: SampleRatio
    guardrails: list[Guardrail]
    results: list[Result]
    could_find: dict[Metric, float | None]
    days: list[Day]
    segments: list[Segment]
    conclusion: str
    notes: list[str] = field(default_factory=list)

    @property
    def troubles(self) -> list[str]:
        """What the guardrails say."""
        return [each.trouble for each in self.guardrails if each.trouble]


def report(
    found: Found,
    *,
    experiment: str,
    shares: tuple[int, int],
    plan: Plan,
    window: Window,
    now: datetime,
    notes: list[str] | None = None,
) -> Report:
    """Conclude, or say why not.

    :param shares: of treatment and control in the allocation, in basis points.
    :param notes: what else a reader must know.
    """
    over = now >= window.settled
    users = _users(found.totals)
    sample = sample_ratio(treatment=users["treatment"], control=users["control"], shares=shares)
    told = over and not sample.broken
    results = _results(found.totals, plan.primary) if told else []
    elapsed = min(window.days, (int(now.timestamp() * 1000) - window.start_ms) // DAY_MS + 1)
    guardrails = _guardrails(found.served)
    said = list(notes or ())
    if found.crossed:
        said.append(
            f"{found.crossed:,} users were seen in both variants and are left out: the allocation was "
            "changed so that they moved."
        )
    return Report(
        experiment=experiment,
        plan=plan,
        window=window,
        at=now.astimezone(UTC),
        over=over,
        users=users,
        exposures={name: found.served.get(name, Served()).exposures for name in MEASURED},
        sample=sample,
        guardrails=guardrails,
        results=results,
        could_find={name: _could_find(found.totals, name, users) for name in METRICS},
        days=[_day(found, window, index, plan.primary, told=told) for index in range(elapsed)],
        segments=[
            Segment(name, _users(totals), _compare(totals, plan.primary) if told else None)
            for name, totals in found.by_segment.items()
        ],
        conclusion=_conclusion(sample, results, guardrails, window, now, users),
        notes=said,
    )


def _users(totals: dict[str, Totals]) -> dict[Measured, int]:
    return {name: totals[name]["conversion"].users if name in totals else 0 for name in MEASURED}


def _compare(totals: dict[str, Totals], metric: Metric) -> Comparison:
    nothing = Totals()
    return compare(
        *(totals.get(name, nothing).get(metric, _NOBODY) for name in MEASURED),
        does=DOES[metric],
        share=metric in SHARES,
    )


def _results(totals: dict[str, Totals], primary: Metric) -> list[Result]:
    compared = {name: _compare(totals, name) for name in METRICS}
    secondary = {
        name: each.p_value for name, each in compared.items() if name != primary and each.p_value is not None
    }
    adjusted = holm(secondary)
    order = [primary, *(name for name in METRICS if name != primary)]
    return [
        Result(
            name,
            name == primary,
            compared[name],
            compared[name].p_value if name == primary else adjusted.get(name),
            _tail(totals) if name == "revenue_per_user" and not compared[name].says else "",
        )
        for name in order
    ]


def _tail(totals: dict[str, Totals]) -> str:
    needed = max(_HEAVY_TAIL * totals[name]["revenue_per_user"].skew ** 2 for name in MEASURED)
    fewest = min(totals[name]["revenue_per_user"].users for name in MEASURED)
    if fewest >= needed:
        return ""
    return f"heavy tail: its interval can be trusted from about {needed:,.0f} users in each variant"


def _could_find(totals: dict[str, Totals], metric: Metric, users: dict[Measured, int]) -> float | None:
    if any(name not in totals for name in MEASURED):
        return None
    both = totals["treatment"][metric] + totals["control"][metric]
    found = detectable(both, treatment=users["treatment"], control=users["control"])
    return found / both.mean if found is not None and both.mean > 0 else None


def _day(found: Found, window: Window, index: int, primary: Metric, *, told: bool) -> Day:
    until = [day for day in found.by_day if day <= index]
    totals = found.by_day[max(until)] if until else {}
    return Day(window.day(index), _users(totals), _compare(totals, primary) if told else None)


def _guardrails(served: dict[str, Served]) -> list[Guardrail]:
    treatment, control = (served.get(name, Served()) for name in MEASURED)
    failing = Guardrail("failed calls per exposure", _over(treatment, "failures"), _over(control, "failures"))
    popular = Guardrail(
        "popular items instead of the live colour", _over(treatment, "popular"), _over(control, "popular")
    )
    empty = Guardrail("answers without items", _over(treatment, "empty"), _over(control, "empty"))
    slow = Guardrail("latency, 95th percentile", treatment.p95_ms, control.p95_ms, "ms", control_asks=False)
    return [
        _troubled(
            failing,
            failing.treatment > FAILING or failing.control > FAILING,
            f"more than {FAILING:.0%} of exposures had a failed call",
        ),
        _troubled(
            popular,
            popular.treatment > FALLING_BACK,
            f"more than {FALLING_BACK:.0%} of treatment saw popular items, as control does: "
            "the effect of recommendations is larger than what is measured",
        ),
        _troubled(
            empty,
            empty.treatment > FAILING or empty.control > FAILING,
            f"more than {FAILING:.0%} of answers had no items",
        ),
        _troubled(
            slow,
            bool(control.exposures) and slow.treatment - slow.control > SLOWER_MS,
            f"treatment is answered more than {SLOWER_MS:.0f} ms later than control",
        ),
    ]


def _over(served: Served, what: str) -> float:
    return float(getattr(served, what)) / served.exposures if served.exposures else 0.0


def _troubled(guardrail: Guardrail, troubled: bool, says: str) -> Guardrail:
    return replace(guardrail, trouble=says) if troubled else guardrail


def _conclusion(
    sample: SampleRatio,
    results: list[Result],
    guardrails: list[Guardrail],
    window: Window,
    now: datetime,
    users: dict[Measured, int],
) -> str:
    if not any(users.values()):
        if window.start_ms > now.timestamp() * 1000:
            return f"Nothing yet: the days that count begin on {window.first}, and nobody was exposed so far."
        last = window.day(window.days - 1)
        return f"Nothing: nobody has been exposed on the days of the plan, {window.first} to {last} (UTC)."
    if sample.broken:
        return (
            f"Nothing: {sample.treatment:,} users in treatment and {sample.control:,} in control do not fit "
            f"the allocation (sample ratio mismatch, p below {MISMATCH}). Something loses users or exposures "
            "of one variant; find it before you believe any figure."
        )
    if window.start_ms > now.timestamp() * 1000:
        return (
            f"Nothing yet: the days that count begin on {window.first}. Until then look whether all is "
            "sound, over what was shown so far."
        )
    if now < window.settled:
        hours = (window.settled - now).total_seconds() / 3600
        left = f"{math.ceil(hours / 24)} days" if hours > 24 else f"{math.ceil(hours)} h"
        return (
            f"Nothing yet: the horizon is {window.settled:%Y-%m-%d %H:%M} UTC, in {left}. Until then "
            "effects are withheld: whoever may stop when they look good finds effects that are not there."
        )
    said = _said(results[0])
    troubled = [each.name for each in guardrails if each.trouble]
    return f"{said} Mind the guardrails: {', '.join(troubled)}." if troubled else said


def _said(result: Result) -> str:
    compared, name = result.comparison, result.metric.replace("_", " ")
    if compared.p_value is None or compared.lift is None:
        return f"Nothing about {name}: {compared.says}."
    span = f"{compared.lift_low or 0:+.1%} to {compared.lift_high or 0:+.1%}"
    if compared.p_value >= SIGNIFICANT:
        return (
            f"No effect of recommendations on {name} is shown ({compared.lift:+.1%}, 95% interval {span}); "
            f"a change of {compared.detectable_lift or 0:.1%} or more would have been found in four of five "
            "such experiments."
        )
    verb = "raise" if compared.lift > 0 else "lower"
    return f"Recommendations {verb} {name} by {abs(compared.lift):.1%} (95% interval {span})."
