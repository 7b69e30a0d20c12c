"""The data gate: training data that cannot make a good model are not trained on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import ceil
from typing import Any, Final

from training_data.interactions import EARLIEST
from vocabulary.gates import PERSONALIZE_USERS_PER_REGULAR, Check, DataGate, failed

_NO_CANDIDATES: Final = ("marker", "repeat", "before-window", "after-cutoff", "other-event-type")
"""Rules that say nothing about quality: what they drop was never meant for this training."""

_COMPARED: Final = {"rows_out": "interactions", "users": "users", "items": "items"}


class DataGateRefused(Exception):
    """The data fall short; the message says each check that fails, the figure and the limit."""


def check_amount(
    figures: Mapping[str, Any], *, minimum_interactions: int, gate: DataGate | None = None
) -> list[Check]:
    """Whether there is enough: what more days of events mend by themselves.

    :param figures: the report's part on interactions (`training_data.figures.figures`).
    """
    gate = gate or DataGate()
    return [
        Check("interactions", figures["rows_out"], "at least", minimum_interactions),
        Check(
            "users with two interactions or more",
            figures["users_with_two_or_more"],
            "at least",
            max(gate.regulars, ceil(figures["users"] / PERSONALIZE_USERS_PER_REGULAR)),
        ),
        Check("items", figures["items"], "at least", gate.items),
        Check("users", figures["users"], "at least", gate.users),
    ]


def check(
    figures: Mapping[str, Any],
    *,
    gate: DataGate,
    minimum_interactions: int,
    cutoff: int,
    last_good: Mapping[str, Any] | None = None,
) -> list[Check]:
    """Every check.

    :param cutoff: in unix milliseconds; nothing may have happened after it.
    :param last_good: the same part of the report of a run to compare with, or None.
    """
    return [
        *check_amount(figures, minimum_interactions=minimum_interactions, gate=gate),
        *_times(figures, gate, cutoff // 1000),
        *_mix(figures, gate),
        *_dropped(figures, gate),
        *(_drift(figures, last_good, gate) if last_good else ()),
    ]


def _times(figures: Mapping[str, Any], gate: DataGate, cutoff: int) -> Iterator[Check]:
    """Timestamps are seconds between the year 2000 and the cutoff, and the newest is of late."""
    newest = figures["newest"]
    if newest is None:
        return  # without interactions there are no times; the amount says so
    yield Check("newest timestamp", newest, "at most", cutoff)
    yield Check("oldest timestamp", figures["oldest"], "at least", EARLIEST // 1000)
    hours = max(cutoff - newest, 0) / 3600
    yield Check("hours since the newest interaction", round(hours, 1), "at most", gate.hours_since_newest)


def _mix(figures: Mapping[str, Any], gate: DataGate) -> Iterator[Check]:
    shares = _shares(figures)
    for event_type, least in sorted(gate.least_shares.items()):
        yield Check(f"share of {event_type}", round(shares.get(event_type, 0), 4), "at least", least)


def _dropped(figures: Mapping[str, Any], gate: DataGate) -> Iterator[Check]:
    """How much is null or nonsense, which is what the ETL's rules drop."""
    rows = {name: rule["rows"] for name, rule in figures["dropped"].items()}
    candidates = figures["rows_in"] - sum(rows.get(name, 0) for name in _NO_CANDIDATES)
    for rule, most in sorted(gate.most_dropped.items()):
        if rule in rows:
            share = rows[rule] / candidates if candidates else 0
            yield Check(f"share of events dropped as {rule}", round(share, 4), "at most", most)


def _drift(figures: Mapping[str, Any], last_good: Mapping[str, Any], gate: DataGate) -> Iterator[Check]:
    for figure, name in _COMPARED.items():
        if last_good[figure]:
            share = round(figures[figure] / last_good[figure], 4)
            yield Check(f"{name}, of the last good run's", share, "at least", gate.least_of_last_good)
            yield Check(f"{name}, of the last good run's", share, "at most", gate.most_of_last_good)
    now, then = _shares(figures), _shares(last_good)
    moved = sum(abs(now.get(name, 0) - then.get(name, 0)) for name in {*now, *then}) / 2
    yield Check(
        "share of event types moved since the last good run", round(moved, 4), "at most", gate.most_moved
    )


def _shares(figures: Mapping[str, Any]) -> dict[str, float]:
    counts: Mapping[str, int] = figures["event_types"]
    total = sum(counts.values())
    return {name: count / total for name, count in counts.items()} if total else {}


def refusal(checks: list[Check], figures: Mapping[str, Any]) -> str | None:
    """Why the data are refused, with where most events went; None when every check holds."""
    refused = failed(checks)
    if not refused:
        return None
    dropped = sorted(
        ((rule["rows"], name) for name, rule in figures["dropped"].items() if rule["rows"]), reverse=True
    )
    most = ", ".join(f"{name} {rows}" for rows, name in dropped[:3])
    went = f" (of {figures['rows_in']} events read, dropped: {most})" if most else ""
    return "; ".join(refused) + went
