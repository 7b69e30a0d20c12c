from __future__ import annotations

import asyncio
import threading
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from experiments.configured import NoExperiment
from experiments.plan import Plan, Window
from experiments.reading import Found, Served, UnreadableLake
from experiments.report import Report, report
from experiments.sums import Sums
from inspector import experiment
from inspector.deployment import Deployment
from inspector.experiment import ExperimentPage, Readout
from inspector.history import History
from inspector.lift_plots import Interval, over_days, side_by_side
from inspector.pages import Inspector
from tests.inspector.deployments import Lake, StandInDeployment, site
from vocabulary.experiment import METRICS

WINDOW = Window(date(2026, 11, 2), 14)


def judged(treatment: tuple[int, int], control: tuple[int, int], *, now: datetime = WINDOW.settled) -> Report:
    """A report on users, of whom some did whatever is measured, in both weeks alike."""

    def totals(share: float) -> dict[str, Any]:
        both = {"treatment": treatment, "control": control}
        return {
            name: dict.fromkeys(METRICS, Sums.of(np.arange(int(users * share)) < int(did * share)))
            for name, (users, did) in both.items()
        }

    return report(
        Found(
            served={name: Served(exposures=9, p95_ms=9) for name in ("treatment", "control")},
            totals=totals(1),
            by_day={day: totals((day + 1) / 14) for day in range(14)},
            by_segment={"<b>runners": totals(0.5)},
        ),
        experiment="5ea77aae",
        shares=(3000, 3000),
        plan=Plan(),
        window=WINDOW,
        now=now,
        notes=["A note on it."],
    )


def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: Any) -> tuple[int, str]:
    """The page over a report, or over what its making raised."""

    def make(*_: Any, **__: Any) -> Report:
        if isinstance(answer, Exception):
            raise answer
        return cast(Report, answer)

    monkeypatch.setattr(experiment, "of_deployment", make)
    outputs = {"Experiment": "a/e/p", "LakeBucketName": "lake"}
    history = History(Lake(tmp_path / "lake"), bucket="lake", folder=tmp_path / "kept")
    app = Inspector(site(StandInDeployment(outputs=outputs), history, copies=tmp_path)).app()
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/experiment",
        "raw_path": b"/experiment",
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1")],
        "server": ("127.0.0.1", 80),
        "scheme": "http",
        "root_path": "",
    }
    asyncio.run(app(scope, receive, send))
    return sent[0]["status"], b"".join(each.get("body", b"") for each in sent).decode()


def test_what_one_may_conclude_is_in_front(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    status, page = ask(tmp_path, monkeypatch, judged((9000, 1200), (9000, 900)))
    assert status == 200
    told = page.index("Recommendations raise conversion by 33.3%")
    assert told < page.index("fit the allocation") < page.index("What moved") < page.index("day by day")
    assert 'class="band"' in page
    assert "A note on it." in page
    assert "&lt;b&gt;runners" in page
    assert page.count('class="interval up"') == 4
    assert page.count('class="interval open"') == 1  # of a segment nothing is concluded


def test_before_the_horizon_the_page_shows_no_effect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    early = judged((9000, 1200), (9000, 900), now=WINDOW.end - timedelta(days=4))
    _, page = ask(tmp_path, monkeypatch, early)
    assert "Nothing yet" in page
    assert "What so many users could show" in page
    for effect in ("What moved", "33.3", 'class="band"', "interval"):
        assert effect not in page


def test_users_that_do_not_fit_the_allocation_stop_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, page = ask(tmp_path, monkeypatch, judged((9000, 1200), (8000, 900)))
    assert "do not fit the allocation, p &lt;0.0001" in page
    assert "What moved" not in page


@pytest.mark.parametrize(
    ("raised", "status", "says"),
    [
        (NoExperiment("no experiment is configured"), 200, "To begin one"),
        (UnreadableLake("a.parquet is no Parquet"), 503, "a.parquet is no Parquet"),
        (ValueError("plan.days must be 1 to 366, got 0"), 503, "got 0"),
    ],
)
def test_where_there_is_no_report_the_page_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, raised: Exception, status: int, says: str
) -> None:
    answered, page = ask(tmp_path, monkeypatch, raised)
    assert answered == status
    assert says in page


def test_a_report_that_takes_long_is_made_once_and_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told, go_on = judged((9000, 1200), (9000, 900)), threading.Event()
    made: list[Path] = []

    def make(*_: Any, folder: Path, **__: Any) -> Report:
        made.append(folder)
        go_on.wait(10)
        return told

    monkeypatch.setattr(experiment, "of_deployment", make)
    outputs = {"Experiment": "a/e/p", "LakeBucketName": "lake"}
    readout = Readout(cast(Deployment, StandInDeployment(outputs=outputs)), tmp_path)
    assert readout.look(patience=0.01) is None
    assert readout.look(patience=0.01) is None
    go_on.set()
    assert readout.look(patience=10) is told
    assert readout.look(patience=10) is told
    assert made == [tmp_path / "lake"]


def test_the_page_has_one_readout(tmp_path: Path) -> None:
    history = History(Lake(tmp_path / "lake"), bucket="lake", folder=tmp_path / "kept")
    page = ExperimentPage(site(StandInDeployment(), history))
    assert page.readout is page.readout


def test_a_lift_is_drawn_with_its_band_and_nothing_of_it_outside_the_picture() -> None:
    days = [Interval(f"{day} Nov", 0.1, 0.1 - 3 / (day + 1), 0.1 + 3 / (day + 1)) for day in range(10)]
    plot = over_days(days, days=14)
    assert plot is not None
    places = [tuple(map(float, pair.split(","))) for pair in plot.band.strip("MZ").split("L")]
    assert len(places) == 20
    assert all(0 <= x <= plot.width and 0 <= y <= plot.height for x, y in places)
    assert plot.points[-1][0] == plot.width - 14
    assert plot.points[0][0] > plot.left  # the first four days had too little to tell
    assert {words for _, words in plot.ticks} >= {"0%"}
    up = over_days([Interval(str(day), 0.3, 0.2, 0.4) for day in range(5)], days=5)
    assert up and 14 < up.zero < up.height - 30 - 20  # the axis below it is not the edge
    assert over_days([], days=3) is None
    assert over_days(days[:1], days=1) is not None


def test_intervals_side_by_side_share_a_scale() -> None:
    one, wide = Interval("a", 0.1, 0.05, 0.15), Interval("b", -1.0, -90.0, 80.0)
    rows = side_by_side([one, one, wide])
    assert [row.lift > 50 for row in rows] == [True, True, False]
    assert all(0 <= edge <= 100 for row in rows for edge in (row.low, row.high))
    assert rows[0].high - rows[0].low > 10
    assert side_by_side([]) == []
