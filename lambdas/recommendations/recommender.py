"""Decides who answers a request: the live colour, the other one, or the popular items."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from recommendations.bulkhead import Bulkhead
from recommendations.popular import PopularLists
from recommendations.request import Request
from vocabulary.colours import Colour, other

Source = Literal["personalize", "popular"]


class NoSuchCampaign(Exception):
    """A colour has no campaign for the placement: torn down, or not there yet."""


@dataclass(frozen=True)
class Item:
    """An item; recipes that do not score leave `score` None."""

    item_id: str
    score: float | None = None


@dataclass(frozen=True)
class Ranking:
    """What a campaign recommends, best first."""

    items: list[Item]
    recommendation_id: str | None = None


class Ranker(Protocol):
    """Asks a colour; may fail in any way, and take any time."""

    def rank(self, colour: Colour, request: Request) -> Ranking: ...


@dataclass(frozen=True, kw_only=True)
class Recommendation:
    """The answer to a request, and how it came about.

    :param colour: whose campaign answered, or None for popular items.
    :param failures: what went wrong on the way, by its kind, e.g. `TimedOut`.
    :param personalize_ms: how long Personalize was waited for, or None when it was not asked.
    """

    items: list[Item]
    source: Source
    colour: Colour | None = None
    recommendation_id: str | None = None
    failures: tuple[str, ...] = ()
    personalize_ms: float | None = None


class Recommender:
    """Answers every request within the budget, whatever Personalize does.

    :param live_colour: whose campaigns answer, or None before the first training.
    :param budget: seconds.
    """

    def __init__(
        self,
        *,
        live_colour: Colour | None,
        ranker: Ranker,
        popular: PopularLists,
        bulkhead: Bulkhead,
        budget: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.live_colour = live_colour
        self._ranker = ranker
        self._popular = popular
        self._bulkhead = bulkhead
        self._budget = budget
        self._clock = clock

    def recommend(self, request: Request) -> Recommendation:
        """Recommendations of the live colour, or popular items; it raises nothing that Personalize does."""
        began = self._clock()
        deadline = began + self._budget
        self._popular.refresh()
        failures: list[str] = []
        # A deploy or a rollback may leave a version that serves a colour already torn down
        for colour in (self.live_colour, other(self.live_colour)) if self.live_colour else ():
            try:
                ranking = self.ask(colour, request, seconds=deadline - self._clock())
            except NoSuchCampaign as error:
                failures.append(type(error).__name__)
                continue
            except Exception as error:
                failures.append(_kind(error))
                break
            if not ranking.items:
                break
            return Recommendation(
                items=ranking.items,
                source="personalize",
                colour=colour,
                recommendation_id=ranking.recommendation_id,
                failures=tuple(failures),
                personalize_ms=self._since(began),
            )
        waited = self._since(began) if self.live_colour else None
        known = self._popular.items(request.placement.name, wait=deadline - self._clock())
        return Recommendation(
            items=[Item(item_id) for item_id in known[: request.num_results]],
            source="popular",
            failures=tuple(failures),
            personalize_ms=waited,
        )

    def ask(self, colour: Colour, request: Request, *, seconds: float | None = None) -> Ranking:
        """Ask one colour and nobody else, for `seconds` at most (the budget unless told).

        :raises Exception: whatever goes wrong there; TimedOut when it takes longer.
        """
        return self._bulkhead.within(
            self._budget if seconds is None else seconds, lambda: self._ranker.rank(colour, request)
        )

    def _since(self, began: float) -> float:
        return (self._clock() - began) * 1000


def _kind(error: Exception) -> str:
    """The error's kind: what the service calls it, else the name of its class."""
    response = getattr(error, "response", None)
    code = response.get("Error", {}).get("Code") if isinstance(response, dict) else None
    return str(code or type(error).__name__)
