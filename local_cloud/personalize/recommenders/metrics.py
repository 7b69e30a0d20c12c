"""The offline metrics of GetSolutionMetrics, by their definitions in the Amazon Personalize developer guide.

"Evaluating a solution version with metrics": 10 % of users are tested; the oldest 90 % of a tested user's
events are the query, the newest 10 % the target.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
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
    """:param history: oldest first. :param target: what the user touched afterwards."""

    history: Codes
    target: frozenset[int]


def reciprocal_rank(hits: Sequence[bool]) -> float:
    """1 / rank of the first hit, 0 without one."""
    return next((1 / rank for rank, hit in enumerate(hits, start=1) if hit), 0.0)


def ndcg(hits: Sequence[bool], *, relevant: int, k: int) -> float:
    """Discounted gain of the first `k` places over that of the best possible order.

    :param relevant: how many items would have been hits.
    """
    gain = sum(1 / math.log(1 + place) for place, hit in enumerate(hits[:k], start=1) if hit)
    return gain / sum(1 / math.log(1 + place) for place in range(1, min(relevant, k) + 1))


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
        items = log.items[log.bounds[user] : log.bounds[user + 1]]
        length = len(items) - max(1, round(len(items) * _TARGET))
        cut.append(Query(items[:length], frozenset(items[length:].tolist())))
    return cut


def measure(asked: Iterable[Query], answer: Callable[[Codes], Sequence[int]]) -> dict[str, float]:
    """All metrics but coverage, averaged over the queries; 0 when there are none.

    :param answer: the best items after a history (oldest first), best first.
    """
    names = [
        "mean_reciprocal_rank_at_25",
        *(f"normalized_discounted_cumulative_gain_at_{k}" for k in _CUTS),
        *(f"precision_at_{k}" for k in _CUTS),
    ]
    figures = []
    for query in asked:
        hits = [item in query.target for item in answer(query.history)[:LONGEST]]
        figures.append(
            [
                reciprocal_rank(hits),
                *(ndcg(hits, relevant=len(query.target), k=k) for k in _CUTS),
                *(precision(hits, k=k) for k in _CUTS),
            ]
        )
    means = np.mean(figures, axis=0) if figures else np.zeros(len(names))
    return {name: round(float(mean), 4) for name, mean in zip(names, means, strict=True)}


def coverage(answers: Iterable[Sequence[int]], *, catalogue: int) -> float:
    """The part of the catalogue that is recommended to somebody.

    :param catalogue: how many items the Interactions and Items datasets name.
    """
    return round(len({item for answer in answers for item in answer[:LONGEST]}) / catalogue, 4)
