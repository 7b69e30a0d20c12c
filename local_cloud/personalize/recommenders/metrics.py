"""The offline metrics of GetSolutionMetrics, by their definitions in the Amazon Personalize developer guide.

"Evaluating an Amazon Personalize solution version with metrics": 10 % of users are tested; the oldest 90 % of
a tested user's events are the query, the newest 10 % the target.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from local_cloud.personalize.recommenders.interactions import Codes, EventLog

LONGEST: Final = 25
"""Items asked for per query: the longest list that a metric looks at."""

_TESTED: Final = 0.1
_TARGET: Final = 0.1
_MOST_TESTED: Final = 1000  # users; beyond it the figures get slower, not better: NDCG is then within 0.01
_CUTS: Final = (5, 10, 25)


class Query(NamedTuple):
    """
    :param history: oldest first.
    :param target: what the user touched afterwards, and how much each counts: the most of its events.
    """

    user_id: str | None
    history: Codes
    target: Mapping[int, float]

    @classmethod
    def of_all(cls, log: EventLog, user: int) -> Query:
        """By a whole history."""
        return cls(log.user_ids[user], log.items[log.bounds[user] : log.bounds[user + 1]], {})


def reciprocal_rank(hits: Sequence[bool]) -> float:
    """1 / rank of the first hit, 0 without one."""
    return next((1 / rank for rank, hit in enumerate(hits, start=1) if hit), 0.0)


def ndcg(hits: Sequence[bool], *, relevant: int, k: int) -> float:
    """Discounted gain of the first `k` places over that of the best possible order.

    :param relevant: how many items would have been hits.
    """
    gain = sum(1 / math.log(1 + place) for place, hit in enumerate(hits[:k], start=1) if hit)
    return gain / sum(1 / math.log(1 + place) for place in range(1, min(relevant, k) + 1))


def weighted_ndcg(gains: Sequence[float], *, possible: Iterable[float], k: int) -> float:
    """Like `ndcg`, with each place worth what its item is worth; 0 when nothing is worth anything.

    :param possible: what each relevant item is worth.
    """
    gain = sum(worth / math.log(1 + place) for place, worth in enumerate(gains[:k], start=1))
    best = sorted(possible, reverse=True)[:k]
    ideal = sum(worth / math.log(1 + place) for place, worth in enumerate(best, start=1))
    return gain / ideal if ideal else 0.0


def precision(hits: Sequence[bool], *, k: int) -> float:
    """Hits among the first `k` places over `k`, also when fewer were given."""
    return sum(hits[:k]) / k


def choose_tested(log: EventLog, *, seed: int) -> NDArray[np.int64]:
    """10 % of the users, at least one, at most 1000; only those with an event to ask by and one to find."""
    testable = np.flatnonzero(np.diff(log.bounds) >= 2)
    count = min(_MOST_TESTED, max(1, round(len(log.user_ids) * _TESTED)), len(testable))
    return np.sort(np.random.default_rng(seed).choice(testable, size=count, replace=False))


def queries(log: EventLog, users: Iterable[int]) -> list[Query]:
    """One per user, cut after the oldest 90 % of the events (at least one on either side)."""
    cut = []
    for user in users:
        first, last = int(log.bounds[user]), int(log.bounds[user + 1])
        middle = last - max(1, round((last - first) * _TARGET))
        target: dict[int, float] = {}
        for event in range(middle, last):
            weight = 1.0 if log.weights is None else float(log.weights[event])
            item = int(log.items[event])
            target[item] = max(weight, target.get(item, 0.0))
        cut.append(Query(log.user_ids[user], log.items[first:middle], target))
    return cut


def measure(
    asked: Iterable[Query], answer: Callable[[Query], Sequence[int]], *, weighted: bool = False
) -> dict[str, float]:
    """All metrics but coverage, averaged over the queries; 0 when there are none.

    :param answer: the best items for a query, best first.
    :param weighted: also tell NDCG with each hit counting as much as its event does.
    """
    names = [
        "mean_reciprocal_rank_at_25",
        *(f"normalized_discounted_cumulative_gain_at_{k}" for k in _CUTS),
        *(f"precision_at_{k}" for k in _CUTS),
        *(f"normalized_discounted_cumulative_gain_with_event_weights_at_{k}" for k in _CUTS if weighted),
    ]
    figures = []
    for query in asked:
        answered = answer(query)[:LONGEST]
        hits = [item in query.target for item in answered]
        gains = [query.target.get(item, 0.0) for item in answered]
        figures.append(
            [
                reciprocal_rank(hits),
                *(ndcg(hits, relevant=len(query.target), k=k) for k in _CUTS),
                *(precision(hits, k=k) for k in _CUTS),
                *(weighted_ndcg(gains, possible=query.target.values(), k=k) for k in _CUTS if weighted),
            ]
        )
    means = np.mean(figures, axis=0) if figures else np.zeros(len(names))
    return {name: round(float(mean), 4) for name, mean in zip(names, means, strict=True)}


def coverage(answers: Iterable[Sequence[int]], *, catalogue: int) -> float:
    """The part of the catalogue that is recommended to somebody.

    :param catalogue: how many items the Interactions and Items datasets name.
    """
    return round(len({item for answer in answers for item in answer[:LONGEST]}) / catalogue, 4)
