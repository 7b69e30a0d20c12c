"""Clicks: which products a session touches, in what order and when."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from local_cloud.marketplace.catalogue import DAY, Catalogue
from local_cloud.marketplace.customers import Customers
from local_cloud.marketplace.sessions import CURIOUS, DROP, Sessions
from local_cloud.marketplace.tastes import CATEGORIES, PERSONAS

_SAME_AGAIN: Final = 0.19
"""Clicks on the product clicked before; chance adds the rest of the 26 % measured on real shops."""

_SEEN_BEFORE: Final = 0.12
"""Clicks on one seen earlier in the session."""

_STRAY: Final = 0.08
"""Clicks outside what the session is for, though within the customer's taste."""

_OF_THE_DROP: Final = {DROP: 0.8, CURIOUS: 0.35}
"""Share of a session's clicks that go to the dropped products."""

_ZIPF: Final = 0.75
"""Popularity of the k-th product of a category is k to minus this."""

_MOVES: Final = 0.88
"""Correlation of a product's popularity from one week to the next."""

_GAP_SECONDS: Final = 55.0
_CANDIDATES: Final = 6
_FOCUS: Final = 5.0
"""How much a session prefers the brand it looks at, where a well-liked brand has about 1."""


@dataclass(frozen=True)
class Clicks:
    """One row each, in order within their session: indices of session and item; `at` in unix ms."""

    session: NDArray[np.intp]
    item: NDArray[np.intp]
    at: NDArray[np.int64]


def make_clicks(
    rng: np.random.Generator,
    catalogue: Catalogue,
    customers: Customers,
    sessions: Sessions,
    *,
    start: int,
    days: int,
) -> Clicks:
    """
    :param start: first millisecond of the window.
    :param days: whole days of the window.
    """
    session = np.repeat(np.arange(len(sessions)), sessions.clicks)
    first = np.cumsum(sessions.clicks) - sessions.clicks
    item = _fresh_items(rng, catalogue, customers, sessions, session, start=start, days=days)
    chance = rng.random(len(session))
    back = rng.random(len(session))
    for position in range(1, int(sessions.clicks.max())):
        here = first[sessions.clicks > position] + position
        again = here[chance[here] < _SAME_AGAIN]
        item[again] = item[again - 1]
        if position > 1:
            seen = here[(chance[here] >= _SAME_AGAIN) & (chance[here] < _SAME_AGAIN + _SEEN_BEFORE)]
            item[seen] = item[seen - position + (back[seen] * (position - 1)).astype(np.intp)]
    gaps = np.minimum(_GAP_SECONDS * np.exp(rng.normal(0, 0.8, size=len(session))), 1500) * 1000
    passed = np.cumsum(gaps)
    passed -= passed[first][session]  # the first click is the start
    return Clicks(session=session, item=item, at=sessions.started_at[session] + passed.astype(np.int64))


def _fresh_items(
    rng: np.random.Generator,
    catalogue: Catalogue,
    customers: Customers,
    sessions: Sessions,
    session: NDArray[np.intp],
    *,
    start: int,
    days: int,
) -> NDArray[np.intp]:
    """A product for each click as if it were the first: popular ones offered, the most liked one taken."""
    who = sessions.customer[session]
    category = sessions.intent[session]
    stray = np.flatnonzero(rng.random(len(session)) < _STRAY)
    tastes = np.cumsum(customers.tastes(who[stray], sessions.started_at[session[stray]]), axis=1)
    drawn = (rng.random((len(stray), 1)) > tastes).sum(axis=1)
    category[stray] = np.minimum(drawn, len(CATEGORIES) - 1)
    day = np.clip((sessions.started_at[session] - start) // DAY, 0, days - 1)

    offered = _offer(rng, catalogue, category, day, start=start, days=days)
    price = np.log([product.price for product in catalogue.products])
    usual = np.log([category.price for category in CATEGORIES])
    frugality = np.array([persona.frugality for persona in PERSONAS])[customers.persona[who]]
    brand = catalogue.brand[offered]
    liking = 0.3 + customers.brands[who[:, None], brand]
    liking += _FOCUS * (brand == sessions.focus[session][:, None])
    score = np.log(liking) - frugality[:, None] * (price[offered] - usual[category][:, None])
    taken = np.argmax(score + rng.gumbel(size=score.shape), axis=1)
    item = offered[np.arange(len(session)), taken]

    share = np.zeros(3)
    share[list(_OF_THE_DROP)] = list(_OF_THE_DROP.values())
    dropped = np.flatnonzero(rng.random(len(session)) < share[sessions.kind[session]])
    weights = 1.0 / np.arange(1, len(catalogue.drop) + 1) ** 0.6
    item[dropped] = rng.choice(catalogue.drop, size=len(dropped), p=weights / weights.sum())
    return np.asarray(item)


def _offer(
    rng: np.random.Generator,
    catalogue: Catalogue,
    category: NDArray[np.intp],
    day: NDArray[np.int64],
    *,
    start: int,
    days: int,
) -> NDArray[np.intp]:
    """Candidates per click, a row each, from its category by the popularity of its day."""
    created = np.array([product.created_at for product in catalogue.products])
    score = _moving_scores(rng, len(catalogue.products), days)
    offered = np.empty((len(category), _CANDIDATES), dtype=np.intp)
    group = category * days + day
    order = np.argsort(group, kind="stable")
    bounds = np.flatnonzero(np.r_[True, np.diff(group[order]) > 0, True])
    for begin, end in pairwise(bounds):
        rows = order[begin:end]
        today = start + int(day[rows[0]]) * DAY
        there = np.flatnonzero((catalogue.category == category[rows[0]]) & (created <= today))
        rank = np.argsort(np.argsort(-score[day[rows[0]], there])) + 1
        age = (today - created[there]) / DAY + 1
        weight = np.cumsum(rank**-_ZIPF * (1 + 2 * age**-0.56))  # what is new draws more
        offered[rows] = there[np.searchsorted(weight, rng.random((len(rows), _CANDIDATES)) * weight[-1])]
    return offered


def _moving_scores(rng: np.random.Generator, count: int, days: int) -> NDArray[np.float64]:
    """How a product stands, day by product: ranks that move slowly."""
    weeks = days // 7 + 2
    score = np.empty((weeks, count))
    score[0] = rng.normal(size=count)
    for week in range(1, weeks):
        score[week] = _MOVES * score[week - 1] + np.sqrt(1 - _MOVES**2) * rng.normal(size=count)
    at = np.arange(days) / 7
    whole = at.astype(np.intp)
    part = (at - whole)[:, None]
    return np.asarray((1 - part) * score[whole] + part * score[whole + 1])
