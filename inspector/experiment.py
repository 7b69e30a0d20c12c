"""The experiment page: what one may conclude, whether the experiment is sound, and by how much what moved."""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from tempfile import mkdtemp
from threading import Lock
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from experiments.configured import NoExperiment
from experiments.reading import UnreadableLake
from experiments.report import MEANINGS, MEASURED, SIGNIFICANT, Report
from experiments.reporting import of_deployment
from experiments.text import guarded, named, probability, shown
from inspector.deployment import Deployment, NotDeployedError
from inspector.lift_plots import Interval, over_days, side_by_side
from inspector.plots import Plot, Point, Series, line_plot
from inspector.site import Site
from vocabulary.experiment import METRICS

_PATIENCE: Final = 1.5
_READS_AGAIN_AFTER: Final = 60.0


class Readout:
    """The report of a deployment's experiment, made beside requests, as it may take longer than a page."""

    def __init__(self, deployment: Deployment, folder: Path | None) -> None:
        self._deployment = deployment
        self._folder = folder
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="experiment")
        self._gate = Lock()
        self._made: tuple[float, Future[Report]] | None = None

    def look(self, patience: float = _PATIENCE) -> Report | None:
        """The report, of the last minute; None while it is being made.

        :raises NoExperiment, UnreadableLake, ValueError, ClientError: as the making of it did.
        """
        with self._gate:
            made = self._made
            if made is None or (made[1].done() and self._is_old(made)):
                made = self._made = (time.monotonic(), self._worker.submit(self._make))
        try:
            return made[1].result(patience)
        except NotYet:
            return None

    @staticmethod
    def _is_old(made: tuple[float, Future[Report]]) -> bool:
        return made[1].exception() is not None or time.monotonic() - made[0] > _READS_AGAIN_AFTER

    def _make(self) -> Report:
        outputs = self._deployment.outputs
        if "Experiment" not in outputs:
            raise NotDeployedError("the serving stack has no output Experiment: deploy this version of it")
        if self._folder is None:
            self._folder = Path(mkdtemp(prefix="experiment-"))
        return of_deployment(
            self._deployment.client,
            identifiers=outputs["Experiment"],
            bucket=outputs["LakeBucketName"],
            folder=self._folder / outputs["LakeBucketName"],
            now=datetime.now(UTC),
        )


@dataclass(frozen=True)
class ExperimentPage:
    """One page; it shows what `make experiment-report` prints, and no effect before its time either."""

    site: Site

    def routes(self) -> list[Route]:
        return [Route("/experiment", self.site.page(self._page))]

    @cached_property
    def readout(self) -> Readout:
        return Readout(self.site.deployment, self.site.copies)

    def _page(self, request: Request) -> Response:
        try:
            report = self.readout.look()
        except NoExperiment as error:
            return self._render(request, nothing=str(error))
        except (UnreadableLake, ValueError) as error:
            return self._render(request, status=503, trouble=str(error))
        if report is None:
            return self._render(request, reading="the exposures and events of the experiment")
        return self._render(request, report=report, **_drawn(report))

    def _render(self, request: Request, *, status: int = 200, **found: Any) -> Response:
        context = {"report": None, "nothing": "", "trouble": "", **found}
        return self.site.render(request, "experiment.html", status=status, **context)


def _drawn(report: Report) -> dict[str, Any]:
    of_days = [Interval.of(f"{each.day:%d %b}", each.comparison) for each in report.days]
    started = next((place for place, each in enumerate(of_days) if each), 0)
    of_results = [
        Interval.of(
            named(each.metric),
            each.comparison,
            concluded=each.adjusted is not None and each.adjusted < SIGNIFICANT,
        )
        for each in report.results
    ]
    of_segments = [Interval.of(each.name, each.comparison) for each in report.segments]
    metrics = side_by_side([each for each in of_results if each])
    segments = side_by_side([each for each in of_segments if each])
    return {
        "measured": MEASURED,
        "meanings": MEANINGS,
        "name": named,
        "shown": shown,
        "probability": probability,
        "guarded": guarded,
        "metrics": {row.interval.name: row for row in metrics},
        "segments": {row.interval.name: row for row in segments},
        "lift": over_days([each for each in of_days[started:] if each], days=len(of_days)),
        "growth": _growth(report),
        "could_find": [(named(metric), report.could_find[metric]) for metric in METRICS],
        "progress": min(1.0, len(report.days) / report.window.days),
    }


def _growth(report: Report) -> Plot | None:
    """Users so far, day by day: it shows when one variant begins to lack some."""
    last = max(1, len(report.days) - 1)
    series = [
        Series(
            name,
            [
                Point(place / last, each.users[name], f"{each.day:%d %b}, {name}")
                for place, each in enumerate(report.days)
            ],
            f"recipe{number}",
        )
        for number, name in enumerate(MEASURED)
    ]
    if not report.days or not any(report.users.values()):
        return None
    ends = (f"{report.days[0].day:%d %b}", f"{report.days[-1].day:%d %b}" if len(report.days) > 1 else "")
    return line_plot("Users exposed so far", series, ends=ends)
