"""The control room: the colours over time, the run in progress, what flows in and out, what rings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from inspector.deployment import Datum, Metric, Run
from inspector.plots import Plot, Point, Series, line_plot
from inspector.site import Site
from inspector.timeline import State, phases, spans
from vocabulary.colours import COLOURS

WINDOWS: Final[Mapping[str, tuple[timedelta, int]]] = {
    "30 minutes": (timedelta(minutes=30), 60),
    "3 hours": (timedelta(hours=3), 60),
    "1 day": (timedelta(days=1), 900),
    "1 week": (timedelta(days=7), 3600),
}
"""What the charts may cover, and the seconds that a point of them stands for."""

_EVERY: Final = {True: 2, False: 10}
"""Seconds until the page loads itself again, while a run is in progress and otherwise."""

_OF_COLOURS: Final = [(colour, {"colour": colour}) for colour in COLOURS]

CHARTS: Final[Sequence[tuple[str, str, Sequence[tuple[str, str, Metric]]]]] = (
    (
        # `Recommendations` counts under the live colour whoever answers. Only what is meant for Personalize
        # has a latency, so the difference is what an experiment answers by the old experience.
        "Requests answered, in all",
        "a period",
        [
            ("meant for Personalize", "recipe1", Metric("PersonalizeLatency", statistic="SampleCount")),
            *((f"{colour} live", colour, Metric("Recommendations", of)) for colour, of in _OF_COLOURS),
            ("popular instead", "refused", Metric("Fallbacks")),
        ],
    ),
    (
        "Waited for Personalize",
        "milliseconds",
        [
            ("median", "recipe0", Metric("PersonalizeLatency", statistic="p50")),
            ("99 of 100 within", "recipe1", Metric("PersonalizeLatency", statistic="p99")),
        ],
    ),
    (
        "Events in",
        "a period",
        [
            ("accepted", "recipe0", Metric("EventsAccepted")),
            ("rejected", "refused", Metric("EventsRejected")),
        ],
    ),
    (
        "Events forwarded, by colour",
        "a period",
        [(colour, colour, Metric("EventsForwarded", of)) for colour, of in _OF_COLOURS],
    ),
)


@dataclass(frozen=True)
class WatchPage:
    """The control room; it loads itself again as long as it is open."""

    site: Site
    _states: dict[str, list[State]] = field(default_factory=dict)

    def routes(self) -> list[Route]:
        return [Route("/watch", self.site.page(self._page))]

    def _page(self, request: Request) -> Response:
        deployment, now = self.site.deployment, datetime.now(UTC)
        window = request.query_params.get("window", "")
        window = window if window in WINDOWS else next(iter(WINDOWS))
        runs = deployment.runs()
        running = next((run for run in runs if run.status == "RUNNING"), None)
        states = {run.name: self._states_of(run) for run in runs if run.colour or run is running}
        timeline, since = spans(runs, states, now=now)
        stays = request.query_params.get("refresh") == "off"
        return self.site.render(
            request,
            "watch.html",
            live=deployment.live_colour(),
            open_colours={each.colour: each for each in deployment.open_colours()},
            colours=COLOURS,
            timeline=timeline,
            since=since,
            runs=runs,
            running=running,
            phases=phases(states[running.name], now) if running else [],
            alarms=deployment.alarms(),
            charts=self._charts(*WINDOWS[window], now),
            windows=list(WINDOWS),
            window=window,
            every=None if stays else _EVERY[running is not None],
            now=now,
        )

    def _states_of(self, run: Run) -> list[State]:
        """Of a run that has ended they are asked for once."""
        if run.name in self._states:
            return self._states[run.name]
        found = self.site.deployment.states_of(run)
        if run.status != "RUNNING":
            self._states[run.name] = found
        return found

    def _charts(self, window: timedelta, period: int, now: datetime) -> list[Plot]:
        since = now - window
        wanted = [metric for _, _, lines in CHARTS for _, _, metric in lines]
        measured = iter(self.site.deployment.measured(wanted, since=since, period=period))
        ends = (f"{since:%d %b %H:%M}", f"{now:%d %b %H:%M} UTC")
        plots = []
        for title, unit, lines in CHARTS:
            series = [
                Series(name, _points(next(measured), name, since, window), style) for name, style, _ in lines
            ]
            unit = (
                unit if unit != "a period" else f"a {'minute' if period == 60 else f'{period // 60} minutes'}"
            )
            plots.append(
                line_plot(title, series, ends=ends, unit=unit, gap=1.5 * period / window.total_seconds())
            )
        return [plot for plot in plots if plot]


def _points(data: Sequence[Datum], name: str, since: datetime, window: timedelta) -> list[Point]:
    return [
        Point(min(max((at - since) / window, 0.0), 1.0), value, f"{name}, {at:%H:%M}") for at, value in data
    ]
