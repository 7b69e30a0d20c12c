"""Measuring a recipe on a log: accuracy on users it has never seen, coverage as it will serve."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Final

import numpy as np

from local_cloud.personalize.recommenders.contract import Kind
from local_cloud.personalize.recommenders.interactions import EventLog
from local_cloud.personalize.recommenders.metrics import (
    LONGEST,
    Query,
    choose_tested,
    coverage,
    measure,
    queries,
)
from local_cloud.personalize.recommenders.objective import average_rewards
from local_cloud.personalize.recommenders.weighed import Weights
from local_cloud.personalize.recommenders.weighing import Weigh

_REWARDED: Final = 100  # recommendations of which the 25 most rewarding are found
_MOST_COVERED: Final = 1000  # users whose lists are looked at for coverage, spread evenly


def evaluate(
    log: EventLog,
    *,
    fit: Callable[[EventLog], Weigh],
    served: Weigh,
    kind: Kind,
    seed: int,
    worth: Weights | None = None,
) -> dict[str, float]:
    """The metrics of GetSolutionMetrics.

    Accuracy comes from a second fit, without the tested users, which costs about as much as the first: there
    is no honest figure without it. Recipes that answer by item are asked by the last item of each query.

    :param served: the fit on the whole log; its coverage is that of the lists of up to 1000 users.
    :param seed: which users are tested.
    :param worth: of each item, where there is an objective to measure by.
    """

    def answers_of(weigh: Weigh, count: int = LONGEST) -> Callable[[Query], list[int]]:
        def answer(query: Query) -> list[int]:
            left_out = query.history[-1] if kind == "item" else -1
            best = weigh(query.history[::-1], query.user_id).best_first(expected=count + 1)
            return list(islice((item for item, _ in best if item != left_out), count))

        return answer

    tested = choose_tested(log, seed=seed)
    users = np.unique(np.linspace(0, len(log.user_ids) - 1, _MOST_COVERED).astype(np.int64))
    everybody = (Query.of_all(log, user) for user in users.tolist())
    asked, tried = queries(log, tested), fit(log.without(tested))
    rewards = {}
    if worth is not None:
        longer = answers_of(tried, _REWARDED)
        answers = ((longer(query), query.target) for query in asked)
        rewards["average_rewards_at_k"] = average_rewards(answers, worth.item)
    return {
        "coverage": coverage(map(answers_of(served), everybody), catalogue=len(log.catalogue)),
        **measure(asked, answers_of(tried), weighted=log.weights is not None),
        **rewards,
    }
