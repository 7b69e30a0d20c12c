"""Sessions: who comes when, and what for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from local_cloud.marketplace.catalogue import DAY
from local_cloud.marketplace.customers import Customers
from local_cloud.marketplace.tastes import BRANDS, CATEGORIES

_SESSIONS_A_DAY: Final = 0.188
"""Of a customer, on average, on a day like any other."""

_WEEK: Final = (0.95, 0.92, 0.93, 0.97, 1.05, 1.15, 1.1)
"""Traffic from Monday to Sunday."""

_HOURS: Final = (
    0.35, 0.2, 0.12, 0.1, 0.1, 0.15, 0.3, 0.5, 0.7, 0.85, 0.95, 1.0,
    1.1, 1.05, 1.0, 1.0, 1.05, 1.2, 1.4, 1.6, 1.75, 1.6, 1.1, 0.65,
)  # fmt: skip

_INFLUX: Final = 4.8
"""On the day of the drop, further sessions of the curious per usual session."""

_DROP_SALES: Final = 0.5
"""Sessions for the dropped items on their first day, per usual session; later days decay."""

_DECAY: Final = -0.56
"""Sales after a release fall like days ** this (measured on public data of a sneaker market)."""

_SWITCH: Final = 0.15
"""How often a customer comes for something else than the last time."""

REGULAR: Final = 0
DROP: Final = 1
CURIOUS: Final = 2


@dataclass(frozen=True)
class Sessions:
    """One row each, ordered by customer and time.

    `intent`: index into CATEGORIES, what the session is for. `focus`: index into BRANDS, the
    brand it looks at most. `kind`: REGULAR, DROP (comes to buy what was dropped) or CURIOUS
    (comes with the crowd). `clicks`: how many products it touches.
    """

    customer: NDArray[np.intp]
    started_at: NDArray[np.int64]
    intent: NDArray[np.intp]
    focus: NDArray[np.intp]
    kind: NDArray[np.intp]
    clicks: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.customer)


def make_sessions(
    rng: np.random.Generator,
    customers: Customers,
    *,
    start: int,
    days: int,
    end: int,
    drop_day: int,
    drop_categories: NDArray[np.intp],
) -> Sessions:
    """
    :param start: first millisecond of the window, a midnight.
    :param days: whole days of the window.
    :param end: no session starts at or after this millisecond.
    :param drop_day: index of the day whose noon releases the limited products.
    :param drop_categories: index into CATEGORIES of each of those products.
    """
    day, kind = _days_and_kinds(rng, customers, start=start, days=days, drop_day=drop_day)
    at = _time_of_day(rng, kind, len(day))
    when = start + ((day + at) * DAY).astype(np.int64)
    who = _visitors(rng, customers, when)
    # everyone who joins does so by visiting
    joiners = np.flatnonzero(customers.joined_at >= start)
    when = np.concatenate([when, customers.joined_at[joiners]])
    who = np.concatenate([who, joiners])
    kind = np.concatenate([kind, np.full(len(joiners), REGULAR)])
    kept = when < end
    when, who, kind = when[kept], who[kept], kind[kept]
    order = np.lexsort((when, who))
    when, who, kind = when[order], who[order], kind[order]
    intent = _intents(rng, customers, who, when)
    intent = np.where(kind == DROP, rng.choice(drop_categories, size=len(who)), intent)
    return Sessions(
        customer=who,
        started_at=when,
        intent=intent,
        focus=_focus(rng, customers, who, intent),
        kind=kind,
        clicks=_clicks(rng, len(who)),
    )


def _days_and_kinds(
    rng: np.random.Generator, customers: Customers, *, start: int, days: int, drop_day: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """A day and a kind for each session, by kind."""
    index = np.arange(days)
    monday = (start // DAY + 3) % 7  # 1 January 1970 was a Thursday
    weekly = np.array(_WEEK)[(monday + index) % 7] * rng.lognormal(0, 0.06, size=days)
    there = customers.joined_at[None, :] <= (start + index[:, None] * DAY)
    usual = (there * customers.activity).sum(axis=1) / customers.activity.mean() * _SESSIONS_A_DAY * weekly
    since = index - drop_day
    sales = np.where(since >= 0, _DROP_SALES * (np.maximum(since, 0) + 1.0) ** _DECAY, 0.0)
    expected = {
        REGULAR: usual,
        DROP: usual[drop_day] * sales,
        CURIOUS: np.where(since == 0, usual * _INFLUX, 0.0),
    }
    drawn = [(kind, np.repeat(index, rng.poisson(mean))) for kind, mean in expected.items()]
    return np.concatenate([each for _, each in drawn]), np.concatenate(
        [np.full(len(each), kind) for kind, each in drawn]
    )


def _time_of_day(rng: np.random.Generator, kind: NDArray[np.intp], count: int) -> NDArray[np.float64]:
    """As a fraction of the day; the curious come within hours of the release at noon."""
    hours = np.array(_HOURS)
    usual = (rng.choice(24, size=count, p=hours / hours.sum()) + rng.random(count)) / 24
    rush = np.minimum(0.5 + rng.exponential(2.5 / 24, size=count), 0.999)
    return np.where(kind == CURIOUS, rush, np.where(kind == DROP, 0.5 + usual * 0.499, usual))


def _visitors(rng: np.random.Generator, customers: Customers, when: NDArray[np.int64]) -> NDArray[np.intp]:
    """A customer for each time, by activity, among those who had joined by then."""
    order = np.argsort(customers.joined_at, kind="stable")
    mass = np.cumsum(customers.activity[order])
    joined = np.searchsorted(customers.joined_at[order], when, side="right")
    return np.asarray(order[np.searchsorted(mass, rng.random(len(when)) * mass[joined - 1])])


def _intents(
    rng: np.random.Generator, customers: Customers, who: NDArray[np.intp], when: NDArray[np.int64]
) -> NDArray[np.intp]:
    """Mostly what the customer came for the last time; else drawn from the taste of the day."""
    tastes = np.cumsum(customers.tastes(who, when), axis=1)
    drawn = np.minimum((rng.random((len(who), 1)) > tastes).sum(axis=1), len(CATEGORIES) - 1)
    first = np.r_[True, who[1:] != who[:-1]]
    # a fresh draw may repeat the old intent, so more are drawn than switch
    fresh = first | (rng.random(len(who)) < _SWITCH * 1.2)
    return np.asarray(drawn[np.maximum.accumulate(np.where(fresh, np.arange(len(who)), 0))])


def _focus(
    rng: np.random.Generator, customers: Customers, who: NDArray[np.intp], intent: NDArray[np.intp]
) -> NDArray[np.intp]:
    """A brand that makes what the session is for, by the customer's liking."""
    makes = np.array([[category.name in brand.makes for brand in BRANDS] for category in CATEGORIES])
    liking = np.cumsum(customers.brands[who] * makes[intent], axis=1)
    return np.asarray((rng.random((len(who), 1)) * liking[:, -1:] >= liking).sum(axis=1))


def _clicks(rng: np.random.Generator, count: int) -> NDArray[np.intp]:
    """3, 7 and 18 at the median, 90th and 99th percentile."""
    spread = rng.standard_t(7, size=count) * 0.615
    return np.asarray(np.clip(np.rint(np.exp(np.log(2.9) + spread)), 1, 80).astype(np.intp))
