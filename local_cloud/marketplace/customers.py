"""Customers: when they joined, what they like, how that changes, and how often they come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from local_cloud.marketplace.catalogue import DAY
from local_cloud.marketplace.tastes import (
    BRANDS,
    COUNTRIES,
    NEWCOMER_FACTOR,
    PERSONAS,
    taste_matrix,
)

_GROWTH_A_MONTH: Final = 0.22
"""New customers in 30 days, as a share of those there at their start."""

_DROP_DAY_GROWTH: Final = 3.0
"""How many times as many join on the day of the drop."""

_DRIFTING: Final = 0.3
"""Share of customers who become another persona within the window."""

_DRIFT_DAYS: Final = 5.0
"""How gradually: from 27 % to 73 % of the way in twice this."""


@dataclass(frozen=True)
class Customers:
    """One row each, in order of `user_id`; times in unix milliseconds.

    `persona_before` turns into `persona` around `drifts_at`; where both are equal nothing drifts.
    `brands`: how much a customer likes each of BRANDS, a row each. `activity` is relative.
    """

    user_id: NDArray[np.object_]
    country: NDArray[np.object_]
    persona: NDArray[np.intp]
    persona_before: NDArray[np.intp]
    drifts_at: NDArray[np.int64]
    joined_at: NDArray[np.int64]
    activity: NDArray[np.float64]
    brands: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.user_id)

    def tastes(self, who: NDArray[np.intp], when: NDArray[np.int64]) -> NDArray[np.float64]:
        """What these customers look for at these times: shares of CATEGORIES, a row per pair."""
        turned = 1 / (1 + np.exp(-(when - self.drifts_at[who]) / (_DRIFT_DAYS * DAY)))[:, None]
        matrix = taste_matrix()
        return np.asarray(
            (1 - turned) * matrix[self.persona_before[who]] + turned * matrix[self.persona[who]]
        )


def make_customers(
    rng: np.random.Generator, *, count: int, start: int, days: int, drop_day: int
) -> Customers:
    """
    :param start: first millisecond of the window.
    :param drop_day: index of the day on which many join.
    """
    at_start = count / (1 + _GROWTH_A_MONTH) ** (days / 30)
    newcomer = np.arange(count) >= round(at_start)
    weights = (1 + _GROWTH_A_MONTH) ** (np.arange(days) / 30)
    weights[drop_day] *= _DROP_DAY_GROWTH
    joined_day = rng.choice(days, size=count, p=weights / weights.sum())
    within_day = rng.uniform(8, 23, size=count) / 24
    joined = np.where(newcomer, start + ((joined_day + within_day) * DAY).astype(np.int64), start - DAY)
    order = rng.permutation(count)  # so that an id says nothing about who came when
    newcomer, joined = newcomer[order], joined[order]

    shares = np.array([persona.share for persona in PERSONAS])
    casual = shares * [NEWCOMER_FACTOR.get(persona.name, 1.0) for persona in PERSONAS]
    persona = np.where(
        newcomer,
        rng.choice(len(PERSONAS), size=count, p=casual / casual.sum()),
        rng.choice(len(PERSONAS), size=count, p=shares / shares.sum()),
    )
    other = (persona + rng.integers(1, len(PERSONAS), size=count)) % len(PERSONAS)
    drifts = (rng.random(count) < _DRIFTING) & ~newcomer
    return Customers(
        user_id=np.array([f"u{index + 1:05d}" for index in range(count)], dtype=object),
        country=rng.choice(np.array(list(COUNTRIES), dtype=object), size=count, p=list(COUNTRIES.values())),
        persona=persona,
        persona_before=np.where(drifts, other, persona),
        drifts_at=start + (rng.uniform(0.3, 0.75, size=count) * days * DAY).astype(np.int64),
        joined_at=joined,
        activity=rng.lognormal(0, 0.8, size=count) * np.where(newcomer, 0.8, 1.0),
        brands=rng.gamma(0.35, size=(count, len(BRANDS))) + 0.04,
    )
