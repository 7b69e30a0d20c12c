from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments.plan import Plan, Window
from experiments.reading import Found, Served
from experiments.report import Report, report
from experiments.sums import Sums
from experiments.text import as_text, save
from vocabulary.experiment import METRICS

WINDOW = Window(date(2026, 11, 2), 14)
OVER = WINDOW.settled


def shares(users: int, buyers: int) -> dict[Any, Sums]:
    """Users of whom some did whatever is measured, once."""
    return dict.fromkeys(METRICS, Sums.of(np.arange(users) < buyers))


def judged(
    treatment: tuple[int, int] | None, control: tuple[int, int] | None, *, now: datetime = OVER, **found: Any
) -> Report:
    totals = {
        name: shares(*each)
        for name, each in (("treatment", treatment), ("control", control))
        if each is not None
    }
    by_day = {0: totals} if totals else {}
    return report(
        Found(totals=totals, by_day=by_day, by_segment={"runners": totals} if totals else {}, **found),
        experiment="e",
        shares=(3000, 3000),
        plan=Plan(),
        window=WINDOW,
        now=now,
    )


def test_an_effect_is_concluded_in_a_sentence() -> None:
    assert judged((10_000, 1200), (10_000, 1000)).conclusion.startswith(
        "Recommendations raise conversion by 20.0%"
    )
    assert judged((10_000, 1000), (10_000, 1200)).conclusion.startswith(
        "Recommendations lower conversion by 16.7%"
    )


def test_no_effect_is_said_with_what_would_have_been_found() -> None:
    said = judged((10_000, 1010), (10_000, 1000)).conclusion
    assert "No effect of recommendations on conversion is shown" in said
    assert "would have been found in four of five" in said


@pytest.mark.parametrize(
    ("treatment", "control", "says"),
    [
        (None, None, "nobody has been exposed on the days of the plan, 20"),
        ((10_000, 1200), (9000, 900), "sample ratio mismatch"),
        ((40, 3), (40, 2), "Nothing about conversion: 3 of 40 users in treatment bought"),
        ((12, 5), None, "sample ratio mismatch"),
        ((5, 5), None, "Nothing about conversion: 5 of 5 users in treatment bought"),
    ],
)
def test_where_nothing_can_be_concluded_the_report_says_why(treatment: Any, control: Any, says: str) -> None:
    found = judged(treatment, control)
    assert says in found.conclusion
    json.dumps(asdict(found), default=str, allow_nan=False)
    assert "nan" not in as_text(found)


def test_before_the_days_that_count_it_is_no_wonder_that_nobody_was_exposed() -> None:
    found = judged(None, None, now=datetime(2026, 11, 1, 12, tzinfo=UTC))
    assert found.conclusion.startswith("Nothing yet: the days that count begin on 2026-11-02")
    assert "nobody to count" in as_text(found)


def test_an_allocation_of_one_variant_has_no_ratio() -> None:
    totals = {"control": shares(100, 30)}
    found = report(
        Found(totals=totals, by_day={0: totals}),
        experiment="e",
        shares=(0, 10_000),
        plan=Plan(),
        window=WINDOW,
        now=OVER,
    )
    assert "Sample ratio: the allocation measures one variant only." in as_text(found)
    assert "nobody was exposed to treatment" in found.conclusion


def test_before_the_horizon_no_effect_is_anywhere_to_be_seen(tmp_path: Path) -> None:
    early = judged((10_000, 2000), (10_000, 1000), now=WINDOW.end - timedelta(days=3, minutes=1))
    assert "Nothing yet: the horizon is 2026-11-16 01:00 UTC, in 4 days" in early.conclusion
    assert early.results == []
    assert {each.comparison for each in early.days} | {each.comparison for each in early.segments} == {None}
    # Nor can it be worked out: what could be found is told of both variants together
    other = judged((10_000, 1500), (10_000, 1500), now=early.at)
    assert (early.could_find, as_text(early)) == (other.could_find, as_text(other))
    kept = save(early, tmp_path)[0].read_text()
    assert kept == save(other, tmp_path)[0].read_text()


@pytest.mark.parametrize(
    ("now", "says"),
    [
        (WINDOW.end, "in 1 h"),
        (WINDOW.end - timedelta(hours=23), "in 24 h"),
        (WINDOW.end - timedelta(hours=24), "in 2 days"),
        (datetime(2026, 11, 1, 23, tzinfo=UTC), "the days that count begin on 2026-11-02"),
    ],
)
def test_the_horizon_is_when_the_lake_holds_all_of_the_last_day(now: datetime, says: str) -> None:
    found = judged((10_000, 1200), (10_000, 1000), now=now)
    assert says in found.conclusion
    assert found.results == []
    assert not found.over


def test_from_the_horizon_on_the_report_stays_as_it_is() -> None:
    first, later = (
        judged((10_000, 1200), (10_000, 1000), now=OVER + timedelta(days=days)) for days in (0, 99)
    )
    assert first.conclusion == later.conclusion
    assert first.days == later.days
    assert len(later.days) == 14


def test_where_users_do_not_fit_the_allocation_no_effect_is_shown() -> None:
    found = judged((10_000, 1200), (9000, 900))
    assert found.over and found.sample.broken
    assert found.results == []
    assert {each.comparison for each in found.days} == {None}


def test_a_broken_guardrail_is_in_front() -> None:
    served = {
        "treatment": Served(exposures=1000, failures=50, popular=100, p95_ms=700),
        "control": Served(exposures=1000, p95_ms=5),
    }
    found = judged((10_000, 1200), (10_000, 1000), served=served)
    assert len(found.troubles) == 3
    assert "Mind the guardrails: failed calls per exposure" in found.conclusion
    assert judged((10_000, 1200), (10_000, 1000), served={"treatment": Served(exposures=9)}).troubles == []


def test_of_control_nothing_is_said_that_it_does_not_do() -> None:
    served = {
        "treatment": Served(exposures=100, popular=2, p95_ms=63),
        "control": Served(exposures=100, p95_ms=0.3),
    }
    told = as_text(judged((10_000, 1200), (10_000, 1000), served=served))
    (popular,) = (line for line in told.splitlines() if "popular items" in line)
    assert popular.split("  ")[0] == "popular items instead of the live colour"
    (latency,) = (line for line in told.splitlines() if line.startswith("latency"))
    assert latency.split()[-4:] == ["63", "ms", "not", "asked"]
    served["control"] = Served(exposures=100, p95_ms=400)  # by itself, which must be seen
    assert "not asked, 400 ms" in as_text(judged((10_000, 1200), (10_000, 1000), served=served))


def test_secondary_metrics_pay_for_being_many() -> None:
    results = judged((10_000, 1120), (10_000, 1000)).results
    primary, *others = results
    assert primary.adjusted == primary.comparison.p_value
    assert [each.adjusted for each in others] == pytest.approx([3 * (primary.comparison.p_value or 0)] * 3)


def test_a_heavy_tail_is_told() -> None:
    tail = np.zeros(1000)
    tail[:30] = 10.0
    tail[0] = 5000.0
    heavy: Mapping[str, Any] = {
        name: {**shares(1000, 30), "revenue_per_user": Sums.of(tail)} for name in ("treatment", "control")
    }
    found = report(
        Found(totals=dict(heavy)), experiment="e", shares=(1, 1), plan=Plan(), window=WINDOW, now=OVER
    )
    assert [each.metric for each in found.results if each.note] == ["revenue_per_user"]


def test_the_report_is_kept_as_json_and_tables(tmp_path: Path) -> None:
    files = save(judged((10_000, 1200), (10_000, 1000)), tmp_path / "kept")
    assert [path.name for path in files] == ["report.json", "metrics.csv", "days.csv", "segments.csv"]
    assert json.loads(files[0].read_text())["results"][0]["metric"] == "conversion"
    rows, days = (list(csv.DictReader(path.read_text().splitlines())) for path in files[1:3])
    assert [row["metric"] for row in rows] == list(METRICS)
    assert float(rows[0]["lift"]) == pytest.approx(0.2)
    assert len(days) == 14


def test_the_plan_s_days_begin_with_the_first_exposure_unless_it_says_when() -> None:
    at = int(datetime(2026, 11, 5, 17, tzinfo=UTC).timestamp() * 1000)
    assert Plan(days=7).window(at, date(2026, 11, 9)) == Window(date(2026, 11, 5), 7)
    assert Plan(starts=date(2026, 11, 7)).window(at, date(2026, 11, 9)).first == date(2026, 11, 7)
    assert Plan().window(None, date(2026, 11, 9)).first == date(2026, 11, 9)
