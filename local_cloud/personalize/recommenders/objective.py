"""What a solution is to bring besides relevance: more of a column of numbers of the Items dataset.

Developer guide, "Optimizing a solution for an additional objective". How much each sensitivity counts is not
written there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np

from local_cloud.personalize.recommenders.attributes import Items
from local_cloud.personalize.recommenders.interactions import Catalogue, Codes
from local_cloud.personalize.recommenders.kept import Kept
from local_cloud.personalize.recommenders.weighed import Background, Weighed, Weights
from local_cloud.personalize.recommenders.weighing import Weigh

_POWERS: Final[Mapping[str, float]] = MappingProxyType({"OFF": 0.0, "LOW": 0.5, "MEDIUM": 1.0, "HIGH": 2.0})
"""Of an item's worth over that of all on average, by which its weight is multiplied."""

_LEAST: Final = 0.05  # of the average: what is worth nothing can be recommended all the same
_MOST_KEPT: Final = 32  # backgrounds; one of 100,000 items takes a megabyte
_MOST_REWARDING: Final = 25


class Objective(NamedTuple):
    """
    :param column: `itemAttribute`.
    :param sensitivity: `objectiveSensitivity`.
    """

    column: str
    sensitivity: str


class Rewards:
    """
    :ivar worth: per item, at least 0.
    """

    def __init__(self, objective: Objective, items: Items, catalogue: Catalogue) -> None:
        self.worth: Final[Weights] = np.zeros(len(catalogue))
        for item_id, attributes in items.items():
            code, value = catalogue.code(item_id), attributes.get(objective.column)
            if code is not None and isinstance(value, (int, float)):
                self.worth[code] = max(0.0, float(value))
        mean = float(self.worth.mean()) or 1.0
        self._lift: Weights = np.maximum(self.worth / mean, _LEAST) ** _POWERS[objective.sensitivity]
        self._kept: Kept[Background, Background] = Kept(_MOST_KEPT)

    def over(self, weigh: Weigh) -> Weigh:
        """What weighs by relevance and by worth."""

        def weighed(touched: Codes, user_id: str | None) -> Weighed:
            before = weigh(touched, user_id)
            of = before.background
            return before.lifted(self._kept.of(of, lambda: Background(of.weights * self._lift)), self._lift)

        return weighed


def average_rewards(
    answers: Iterable[tuple[Sequence[int], Collection[int]]], worth: Callable[[int], float]
) -> float:
    """`average_rewards_at_k`: what users took of their 25 most rewarding recommendations, over what of all.

    Developer guide, "Evaluating an Amazon Personalize solution version with metrics". Users who took nothing
    that is worth anything are left out.

    :param answers: what was recommended to each user, more than 25 items, and what they took.
    """
    shares = []
    for recommended, taken in answers:
        most = sorted(recommended, key=worth, reverse=True)[:_MOST_REWARDING]
        of_all = sum(worth(item) for item in recommended if item in taken)
        if of_all:
            shares.append(sum(worth(item) for item in most if item in taken) / of_all)
    return round(float(np.mean(shares)), 4) if shares else 0.0
