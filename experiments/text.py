"""The report as text for a terminal, and as files to keep."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from experiments.comparing import Comparison
from experiments.report import MEANINGS, MEASURED, Guardrail, Report
from vocabulary.experiment import Metric

_FIGURES = (
    *("treatment", "control", "difference", "low", "high", "lift", "lift_low", "lift_high"),
    *("p_value", "detectable", "detectable_lift", "says"),
)


def as_text(report: Report) -> str:
    """The sentence first, then what it rests on."""
    lines = [
        f"Experiment {report.experiment}: {report.plan}",
        f"{report.window.first} to {report.window.day(report.window.days - 1)} (UTC), "
        f"as of {report.at:%Y-%m-%d %H:%M}",
        "",
        report.conclusion,
        *(f"Note: {note}" for note in report.notes),
        "",
        *_table(
            ("", *MEASURED),
            [
                ("users", *(f"{report.users[name]:,}" for name in MEASURED)),
                ("exposures", *(f"{report.exposures[name]:,}" for name in MEASURED)),
                *((each.name, *guarded(each)) for each in report.guardrails),
            ],
        ),
        "",
        _sample(report),
        *(f"Guardrail: {trouble}." for trouble in report.troubles),
        "",
    ]
    if report.results:
        lines += _results(report)
    elif not report.over:
        lines += _table(
            ("metric", "lift that so many users could show"),
            [
                (named(name), "too little to tell" if lift is None else _percent(lift))
                for name, lift in report.could_find.items()
            ],
        )
    return "\n".join(lines).rstrip() + "\n"


def save(report: Report, folder: Path) -> list[Path]:
    """Write report.json, metrics.csv, days.csv and segments.csv into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    whole = folder / "report.json"
    whole.write_text(json.dumps(asdict(report), indent=2, default=str, allow_nan=False) + "\n")
    metrics = [
        (each.metric, each.primary, *_figures(each.comparison), each.adjusted, each.note)
        for each in report.results
    ]
    days = [(each.day, *each.users.values(), *_figures(each.comparison)) for each in report.days]
    segments = [(each.name, *each.users.values(), *_figures(each.comparison)) for each in report.segments]
    users = tuple(f"users_{name}" for name in MEASURED)
    return [
        whole,
        _csv(folder / "metrics.csv", ("metric", "primary", *_FIGURES, "adjusted", "note"), metrics),
        _csv(folder / "days.csv", ("day", *users, *_FIGURES), days),
        _csv(folder / "segments.csv", ("segment", *users, *_FIGURES), segments),
    ]


def shown(metric: Metric, value: float) -> str:
    """A metric's value as a person reads it."""
    return f"{value:.2%}" if metric in ("conversion", "click_through") else f"{value:,.3f}"


def guarded(guardrail: Guardrail) -> tuple[str, str]:
    """A guardrail's figures of treatment and control as a person reads them."""
    values = (guardrail.treatment, guardrail.control)
    if guardrail.unit == "%":
        return f"{values[0]:.2%}", f"{values[1]:.2%}"
    treatment, control = (f"{value:,.0f} {guardrail.unit}" for value in values)
    if guardrail.control_asks:
        return treatment, control
    # What it takes by itself is worth a look only where it takes time
    return treatment, "not asked" if values[1] < 1 else f"not asked, {control}"


def probability(p_value: float | None) -> str:
    """A p-value, not more exact than it is worth."""
    if p_value is None:
        return ""
    return f"{p_value:.4f}" if p_value >= 0.0001 else "<0.0001"


def _results(report: Report) -> list[str]:
    rows = []
    for each in report.results:
        one = each.comparison
        rows.append(
            (
                named(each.metric) + (" *" if each.primary else ""),
                shown(each.metric, one.treatment),
                shown(each.metric, one.control),
                _percent(one.lift),
                f"{_percent(one.lift_low)} to {_percent(one.lift_high)}"
                if one.lift is not None
                else one.says,
                probability(each.adjusted),
                _percent(one.detectable_lift),
            )
        )
    lines = _table(("metric", *MEASURED, "lift", "95% interval", "p", "could find"), rows)
    lines += [
        "",
        "* decides. The others' p-values are adjusted by Holm's method; each interval is 95% by itself.",
    ]
    lines += [f"{named(each.metric)}: {MEANINGS[each.metric]}" for each in report.results]
    lines += [f"{named(each.metric)}: {each.note}." for each in report.results if each.note]
    if report.segments:
        lines += ["", f"By segment, {named(report.plan.primary)}: to look at, not to conclude from", ""]
        lines += _table(
            ("segment", *MEASURED, "lift", "95% interval"),
            [
                (each.name, *(f"{count:,}" for count in each.users.values()), *_lift(each.comparison))
                for each in report.segments
            ],
        )
    lines += [
        "",
        f"By day, {named(report.plan.primary)}, of all users so far: only the last day concludes",
        "",
    ]
    lines += _table(
        ("until", *MEASURED, "lift", "95% interval"),
        [
            (str(each.day), *(f"{count:,}" for count in each.users.values()), *_lift(each.comparison))
            for each in report.days
        ],
    )
    return lines


def _sample(report: Report) -> str:
    sample = report.sample
    if sample.p_value is None:
        return f"Sample ratio: {sample.untold}."
    verdict = "does NOT fit" if sample.broken else "fits"
    part = sample.treatment / (sample.treatment + sample.control)
    return (
        f"Sample ratio: {part:.2%} of users in treatment {verdict} the {sample.expected:.2%} of the "
        f"allocation (p {probability(sample.p_value)})."
    )


def _lift(comparison: Comparison | None) -> tuple[str, str]:
    if comparison is None or comparison.lift is None:
        return "", comparison.says if comparison else ""
    return _percent(comparison.lift), f"{_percent(comparison.lift_low)} to {_percent(comparison.lift_high)}"


def named(metric: Metric) -> str:
    """A metric's name as a person writes it."""
    return metric.replace("_", " ")


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:+.1%}"


def _figures(comparison: Comparison | None) -> list[Any]:
    return [getattr(comparison, name) if comparison else None for name in _FIGURES]


def _csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Path:
    with path.open("w", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(header)
        writer.writerows(rows)
    return path


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    wide = [max(len(row[place]) for row in (header, *rows)) for place in range(len(header))]
    return [
        "  ".join(cell.ljust(size) for cell, size in zip(row, wide, strict=True)).rstrip()
        for row in (header, *rows)
    ]
