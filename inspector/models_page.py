"""The model page: how good the models of past nights were, and what the lists they make are like."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from statistics import fmean
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from inspector.compared import VARIANT_METRICS, Compared
from inspector.judging import Judged, Lists, judge, kept
from inspector.nights import Night, Nights
from inspector.plots import Plot, Point, Series, histogram, line_plot
from inspector.site import Site
from inspector.sources import Answer, Source, Sources, ask_side_by_side
from vocabulary.colours import Colour, colour_of, other
from vocabulary.placements import Placement

_METRICS: Final = {
    "normalized_discounted_cumulative_gain_at_25": ("Order of the list", "NDCG at 25"),
    "mean_reciprocal_rank_at_25": ("Place of the first hit", "reciprocal rank at 25"),
    "precision_at_10": ("Hits in the first ten", "precision at 10"),
    "coverage": ("Products ever shown", "coverage, share of the catalogue"),
}

_FIGURES: Final = {
    "popularity": ("Popularity bias", "places of the tenth touched most"),
    "new": ("New items", "share of places"),
    "diversity": ("Diversity within a list", "share of pairs that differ in brand or kind"),
}

_SAMPLE: Final = 20
_ASKS_AGAIN_AFTER: Final = 600.0
_LISTED: Final = 25


@dataclass(frozen=True)
class _Now:
    """What is recommended to the sample now: lists by colour, and the live colour's scores."""

    customers: int
    lists: dict[str, list[list[str]]]
    scores: list[float]
    trouble: str


@dataclass(frozen=True)
class ModelsPage:
    """Models of one placement over the nights, and their lists now."""

    site: Site
    _asked: dict[tuple[str, str, bool], tuple[float, _Now]] = field(default_factory=dict)

    @cached_property
    def _nights(self) -> Nights:
        deployment = self.site.deployment
        return Nights(deployment.client, deployment.outputs["TrainingBucketName"])

    def routes(self) -> list[Route]:
        return [Route("/models", self.site.page(self._page))]

    def _page(self, request: Request) -> Response:
        reading = self.site.look_again()
        placement = self.site.placement(request)
        live = self.site.deployment.live_colour()
        nights = self._nights.of(placement.name)
        now = self._now(placement, live) if live and not reading else None
        judge_of = self._judging()
        return self.site.render(
            request,
            "models.html",
            reading=reading,
            placement=placement,
            placements=self.site.deployment.placements,
            live=live,
            nights=list(reversed(nights)),
            since=self._since(),
            names=_METRICS,
            metrics=self._metrics(nights),
            moved=self._moved(nights),
            figures=_figures(nights, judge_of),
            now=now,
            scores=histogram("Scores, live", now.scores, unit="recommendations", style=str(live))
            if now
            else None,
            judged={colour: judge_of(lists, time.time()) for colour, lists in now.lists.items()}
            if now
            else {},
            apart=self._apart(now, live) if now and live else None,
            variants=_of_variants(self.site.last_compared()),
        )

    def _since(self) -> datetime | None:
        """When the run in progress began; its id is of a moment later, and there is one run at a time."""
        runs = self.site.deployment.runs()
        began = [run.started.replace(microsecond=0) for run in runs if run.status == "RUNNING"]
        return min(began, default=None)

    def _metrics(self, nights: Sequence[Night]) -> list[Plot]:
        """A plot for each offline metric; a line for each recipe."""
        plots = []
        for name, (title, unit) in _METRICS.items():
            recipes = dict.fromkeys(night.recipe for night in nights if name in night.metrics)
            series = [
                Series(
                    recipe.removeprefix("aws-"),
                    [
                        _point(nights, place, night.metrics[name])
                        for place, night in enumerate(nights)
                        if night.recipe == recipe and name in night.metrics
                    ],
                    f"recipe{number % 3}",
                )
                for number, recipe in enumerate(recipes)
            ]
            plots.append(line_plot(title, series, ends=_ends(nights), unit=unit))
        return [plot for plot in plots if plot]

    def _moved(self, nights: Sequence[Night]) -> Plot | None:
        points = [
            _point(nights, place, fmean(shares))
            for place, night in enumerate(nights)
            if (shares := kept(night.lists, night.live))
        ]
        title = "Kept from one night to the next"
        return line_plot(
            title,
            [Series("kept", points, "recipe0")],
            ends=_ends(nights),
            unit="share of the first ten",
            most=1,
        )

    def _judging(self) -> Callable[[Lists, float], Judged | None]:
        """What judges lists of a moment, by what the history knows now."""
        history = self.site.history
        much_touched, catalogue = history.much_touched(), history.catalogue_size()

        def judge_of(lists: Lists, at: float) -> Judged | None:
            items = history.items(list({item_id for each in lists for item_id in each}))
            return judge(lists, items=items, much_touched=much_touched, catalogue=catalogue, at=at)

        return judge_of

    def _now(self, placement: Placement, live: Colour) -> _Now:
        """What the fixed sample is recommended now; asked again every ten minutes, as requests cost money."""
        sources = Sources.of(self.site.deployment, placement, None)
        has_dormant = sources.dormant in sources.open_colours
        key = (placement.name, live, has_dormant)
        at, known = self._asked.get(key, (0.0, None))
        is_stale = time.monotonic() - at > _ASKS_AGAIN_AFTER
        awaited = has_dormant and known is not None and other(live) not in known.lists
        if known is None or known.trouble or not known.customers or awaited or is_stale:
            known = self._ask(placement, [live, other(live)] if has_dormant else [live])
            self._asked[key] = (time.monotonic(), known)
        return known

    def _ask(self, placement: Placement, colours: Sequence[Colour]) -> _Now:
        # Where neither user nor item is asked for, everybody gets the same
        customers = [""] if placement.needs == "nothing" else self.site.history.sample(_SAMPLE)
        last = self.site.history.last_touched(customers) if placement.needs == "item" else {}

        def ask(source: Source) -> Answer:
            colour, _, customer = source.key.partition(":")
            ranked = self.site.deployment.recommend(
                colour_of(colour),
                placement,
                user_id=customer,
                item_id=last.get(customer),
                count=_LISTED,
            )
            return Answer(source, ranked)

        sources = [Source(f"{colour}:{customer}", colour) for colour in colours for customer in customers]
        answers = ask_side_by_side(sources, ask)
        of_colour = {
            str(colour): [answer for answer in answers if answer.source.title == colour] for colour in colours
        }
        return _Now(
            len(customers),
            {
                colour: [[item_id for item_id, _ in answer.ranked] for answer in each]
                for colour, each in of_colour.items()
                if any(answer.ranked for answer in each)
            },
            [score for answer in of_colour[colours[0]] for _, score in answer.ranked if score is not None],
            next((answer.trouble for answer in of_colour[colours[0]] if answer.trouble), ""),
        )

    @staticmethod
    def _apart(now: _Now, live: Colour) -> float | None:
        """Of the live colour's first ten the share that the dormant one has too."""
        shares = kept(now.lists.get(live, []), now.lists.get(other(live), []))
        return fmean(shares) if shares else None


def _figures(nights: Sequence[Night], judge_of: Callable[[Lists, float], Judged | None]) -> list[Plot]:
    judged = [judge_of(night.lists, night.at.timestamp()) for night in nights]
    plots = []
    for name, (title, unit) in _FIGURES.items():
        points = [_point(nights, place, getattr(each, name)) for place, each in enumerate(judged) if each]
        plots.append(line_plot(title, [Series(title, points, "recipe0")], ends=_ends(nights), unit=unit))
    return [plot for plot in plots if plot]


def _point(nights: Sequence[Night], place: int, value: float) -> Point:
    night = nights[place]
    at = place / (len(nights) - 1) if len(nights) > 1 else 0.5
    state = "" if night.passed else ", refused by a gate"
    label = f"{night.at:%d %b %H:%M}, {night.colour or 'colour unknown'}{state}"
    return Point(at, value, label, night.colour if night.passed else "refused")


def _ends(nights: Sequence[Night]) -> tuple[str, str]:
    if len(nights) < 2:
        return "", ""
    return f"{nights[0].at:%d %b %H:%M}", f"{nights[-1].at:%d %b %H:%M}"


def _of_variants(compared: Compared | None) -> dict[str, Any] | None:
    """The variants with their metrics, each also as a share of the best one's."""
    if compared is None:
        return None
    rows = []
    for each in compared.variants:
        cells = []
        for name in VARIANT_METRICS:
            best = max((variant.metrics.get(name) or 0 for variant in compared.variants), default=0)
            value = each.metrics.get(name)
            cells.append((value, 0 if value is None or not best else value / best))
        rows.append((each, cells))
    return {"run_id": compared.run_id, "rows": rows, "heads": list(VARIANT_METRICS.values())}
