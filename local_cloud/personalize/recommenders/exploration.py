"""Exploration: some places of an answer go to new items, of which little is known yet.

Developer guide, "User-Personalization recipe": `explorationWeight` (0 to 1, default 0.3) says how much,
`explorationItemAgeCutOff` (days before the newest interaction, default 30) what is new. An item's age is
that of its CREATION_TIMESTAMP; without one, of its first interaction; without any, 0. It is for "items with
less interactions data or relevance": a new item that many touch already stands on its own.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from local_cloud.personalize.recommenders.interactions import Codes, EventLog

_DAY: Final = 24 * 60 * 60
_MOST: Final = 5000  # new items considered, the newest: bounds what an answer costs

WEIGHT: Final = "explorationWeight"
AGE_CUT_OFF: Final = "explorationItemAgeCutOff"


@dataclass(frozen=True, kw_only=True)
class Exploration:
    """
    :param weight: the share of places that go to new items, 0 to 1.
    :param age_cutoff_days: up to which age an item is new.
    :raises ValueError: outside these ranges.
    """

    weight: float = 0.3
    age_cutoff_days: float = 30.0

    def __post_init__(self) -> None:
        if not 0 <= self.weight <= 1:
            raise ValueError(f"{WEIGHT} must be from 0 to 1, got {self.weight}")
        if not 0 < self.age_cutoff_days < math.inf:
            raise ValueError(f"{AGE_CUT_OFF} must be above 0 days, got {self.age_cutoff_days}")

    @classmethod
    def of(cls, config: Mapping[str, str]) -> Self:
        """A campaign's `itemExplorationConfig`, all strings; what it leaves out has its default.

        :raises ValueError: for a key that there is not, or a value that cannot be.
        """
        if unknown := [name for name in config if name not in (WEIGHT, AGE_CUT_OFF)]:
            raise ValueError(
                f"itemExplorationConfig may hold {WEIGHT} and {AGE_CUT_OFF}, got {', '.join(unknown)}"
            )
        return cls(
            weight=_number(config, WEIGHT, default=cls.weight),
            age_cutoff_days=_number(config, AGE_CUT_OFF, default=cls.age_cutoff_days),
        )


def _number(config: Mapping[str, str], name: str, *, default: float) -> float:
    try:
        return float(config.get(name, default))
    except ValueError:
        raise ValueError(f"{name} must be a number, got {config[name]!r}") from None


class Newcomers:
    """Items by age.

    :param items: newest first.
    :param ages: of each, in days before the newest interaction; ascending, 0 for one from after it.
    :param newest: the newest interaction, unix seconds.
    """

    def __init__(self, items: Codes, ages: NDArray[np.float64], newest: float = 0.0) -> None:
        # One tuple, never changed in place: whoever has it may go on reading
        self._by_age = items, ages
        self._newest = newest
        self._changing = threading.Lock()

    @property
    def items(self) -> Codes:
        return self._by_age[0]

    @property
    def ages(self) -> NDArray[np.float64]:
        return self._by_age[1]

    def admit(self, created: Mapping[int, float | None]) -> None:
        """:param created: items that were not there, with unix seconds; None for one that is simply new."""
        with self._changing:
            items, ages = self._by_age
            later = [0.0 if at is None else max(0.0, (self._newest - at) / _DAY) for at in created.values()]
            ages = np.concatenate([later, ages])
            order = np.argsort(ages, kind="stable")
            items = np.concatenate([np.array(list(created), dtype=np.int32), items])
            self._by_age = items[order], ages[order]

    @classmethod
    def of(cls, log: EventLog, created: Mapping[str, float]) -> Self:
        """
        :param created: unix seconds, by item id; an item that is neither here nor in the log is brand-new
            (developer guide, "Creation timestamp data").
        """
        size = len(log.catalogue)
        since = np.full(size, np.inf)
        np.minimum.at(since, log.items, log.timestamps.astype(np.float64))
        for item_id, moment in created.items():
            item = log.catalogue.code(item_id)
            if item is not None:
                since[item] = moment
        newest = float(log.timestamps.max()) if len(log) else 0.0
        ages = np.maximum(0.0, (newest - np.minimum(since, newest)) / _DAY)
        order = np.argsort(ages, kind="stable")
        return cls(order.astype(np.int32), ages[order], newest)

    def little_known(self, log: EventLog) -> Self:
        """Without those that have more interactions than items have on average: they need no exploring, and
        would show up with everybody.
        """
        items, ages = self._by_age
        kept = log.counts[items] <= log.counts[log.counts > 0].mean()
        return type(self)(items[kept], ages[kept], self._newest)

    def younger_than(self, days: float) -> Codes:
        """The newest 5000 at most."""
        items, ages = self._by_age
        return items[: min(_MOST, int(np.searchsorted(ages, days, side="right")))]


def drawn(weights: NDArray[np.float64], *, user_id: str) -> NDArray[np.int64]:
    """The places of `weights` in a random order, the same for a user each time; one of twice the weight is
    four times as likely to come first.
    """
    noise = np.random.default_rng(_seed(user_id, "items")).gumbel(size=len(weights))
    return np.argsort(-(2 * np.log(np.maximum(weights, 1e-300)) + noise), kind="stable")


def places(weight: float, *, user_id: str) -> Iterator[bool]:
    """For each place of an answer, whether it goes to a new item: the same for a user each time."""
    dice = np.random.default_rng(_seed(user_id, "places"))
    while True:
        yield from (dice.random(64) < weight).tolist()


def _seed(user_id: str, purpose: str) -> int:
    # hash() of a string differs from process to process
    return int.from_bytes(blake2b(f"{purpose}:{user_id}".encode(), digest_size=8).digest())
