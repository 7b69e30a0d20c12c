"""Decides who answers a request: the live colour, the other one, or the popular items."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal, NamedTuple, Protocol

from recommendations.circuit_breaker import CircuitBreaker, CircuitOpen
from recommendations.configuration import Configuration
from recommendations.experiment import Assignment
from recommendations.items import of_ids
from recommendations.popular import PopularLists
from recommendations.request import Request
from recommendations.service import ServiceError
from vocabulary.colours import Colour, other
from vocabulary.experiment import PROBE

Source = Literal["personalize", "popular", "control"]


class NoSuchCampaign(Exception):
    """A colour has no campaign for the placement: torn down, or not there yet."""


class NoSuchFilter(Exception):
    """A colour has no such filter: it is gone, or older than the deploy that brought the filter."""


class Ranking(NamedTuple):
    """What a campaign recommends, best first.

    :param items: ids.
    :param written: the items as clients get them, a JSON list of `{item_id, score?, metadata?}`; recipes
        that do not score leave `score` out.
    """

    items: list[str]
    written: str
    recommendation_id: str | None = None


class Ranker(Protocol):
    """Asks a colour; may fail in any way, and answers by the deadline or raises."""

    def rank(self, colour: Colour, request: Request, *, deadline: float) -> Ranking: ...


class Recommendation(NamedTuple):
    """The answer to a request, and how it came about.

    :param items: ids.
    :param colour: whose campaign answered, or None when none did.
    :param assignment: where the experiment put the user, or None when it is off.
    :param failures: what went wrong on the way, by its kind, e.g. `TimedOut`.
    :param personalize_ms: how long Personalize was waited for, or None when it was not asked.
    :param experiment_problem: why nothing is known of an experiment, or None.
    :param written: the items as clients get them, a JSON list.
    """

    items: list[str]
    source: Source
    colour: Colour | None = None
    recommendation_id: str | None = None
    assignment: Assignment | None = None
    failures: tuple[str, ...] = ()
    personalize_ms: float | None = None
    experiment_problem: str | None = None
    written: str = "[]"


class Recommender:
    """Answers every request within the budget, whatever Personalize does; one at a time.

    :param live_colour: whose campaigns answer, or None before the first training.
    :param budget: seconds.
    :param clock: seconds that only grow.
    :param breaker: makes the circuit breaker of one campaign.
    """

    def __init__(
        self,
        *,
        live_colour: Colour | None,
        ranker: Ranker,
        popular: PopularLists,
        configuration: Configuration,
        budget: float,
        clock: Callable[[], float] = time.monotonic,
        breaker: Callable[[], CircuitBreaker] = CircuitBreaker,
    ) -> None:
        self.live_colour = live_colour
        # A deploy or a rollback may leave a version that serves a colour already torn down
        self._colours = (live_colour, other(live_colour)) if live_colour else ()
        self._ranker = ranker
        self._popular = popular
        self._configuration = configuration
        self._budget = budget
        self._clock = clock
        self._breaker = breaker
        self._watched: dict[tuple[Colour, str], _Watched] = {}

    def recommend(self, request: Request) -> Recommendation:
        """Recommendations of the live colour, or popular items; it raises nothing that Personalize does."""
        began = self._clock()
        deadline = began + self._budget
        self._popular.refresh()
        self._configuration.refresh()
        experiment, problem = self._configuration.experiment, self._configuration.problem
        # The experiment is about people; a request that names nobody, or our own probe, is not part of it
        who = request.user_id if request.user_id != PROBE else None
        assignment = experiment.assign(who) if experiment and who else None
        if assignment is not None and assignment.variant != "treatment":
            items = self._old_experience(request, deadline)
            return Recommendation(
                items, "control", assignment=assignment, experiment_problem=problem, written=of_ids(items)
            )
        failures: list[str] = []
        asked = False
        for colour in self._colours:
            watched = self._watch(colour, request.placement.name)
            if watched.breaker.is_open:
                failures.append(watched.missing or CircuitOpen.__name__)
                if watched.missing:
                    continue
                break
            asked = True
            try:
                ranking = self._ranker.rank(colour, request, deadline=deadline)
            except NoSuchCampaign as error:
                watched.missing = type(error).__name__
                watched.breaker.failed()
                failures.append(watched.missing)
                continue
            except NoSuchFilter as error:
                # Requests that do without it are answered as ever, so the campaign has not failed
                failures.append(type(error).__name__)
                continue
            except Exception as error:
                watched.missing = None
                if not _is_about_the_request(error):
                    watched.breaker.failed()
                failures.append(_kind(error))
                break
            watched.missing = None
            watched.breaker.succeeded()
            if not ranking.items:
                break
            return Recommendation(
                ranking.items,
                "personalize",
                colour,
                ranking.recommendation_id,
                assignment,
                tuple(failures),
                (self._clock() - began) * 1000,
                problem,
                ranking.written,
            )
        waited = (self._clock() - began) * 1000 if asked else None
        items = self._old_experience(request, deadline)
        return Recommendation(
            items, "popular", None, None, assignment, tuple(failures), waited, problem, of_ids(items)
        )

    def ask(self, colour: Colour, request: Request) -> Ranking:
        """Ask one colour and nobody else, for as long as the budget allows.

        :raises Exception: whatever goes wrong there; TimedOut when it takes longer.
        """
        return self._ranker.rank(colour, request, deadline=self._clock() + self._budget)

    def _old_experience(self, request: Request, deadline: float) -> list[str]:
        """Popular items; or the request's own, popular ones first and else as they came."""
        known = self._popular.items(request.placement.name, wait=deadline - self._clock())
        if request.item_ids is not None:
            place = {item: at for at, item in enumerate(known)}
            return sorted(dict.fromkeys(request.item_ids), key=lambda item: place.get(item, len(place)))
        most = request.num_results
        return [item for item in known[: most + 1] if item != request.item_id][:most]

    def _watch(self, colour: Colour, placement: str) -> _Watched:
        watched = self._watched.get((colour, placement))
        if watched is None:
            watched = self._watched[colour, placement] = _Watched(self._breaker())
        return watched


class _Watched:
    """A campaign's breaker, and whether its last call found it missing."""

    def __init__(self, breaker: CircuitBreaker) -> None:
        self.breaker = breaker
        self.missing: str | None = None


def _is_about_the_request(error: Exception) -> bool:
    """Whether another request might fare better: else one client's nonsense would cut everybody off."""
    return isinstance(error, ServiceError) and error.code in ("InvalidInputException", "ValidationException")


def _kind(error: Exception) -> str:
    """The error's kind: what the service calls it, else the name of its class."""
    return error.code if isinstance(error, ServiceError) else type(error).__name__
