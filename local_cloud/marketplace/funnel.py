"""From clicks to events: views, carts and purchases, as an honest client would send them."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from local_cloud.marketplace.catalogue import Catalogue
from local_cloud.marketplace.clicks import Clicks
from local_cloud.marketplace.customers import Customers
from local_cloud.marketplace.sessions import CURIOUS, DROP, Sessions

Columns = dict[str, NDArray[Any]]
"""A table by column name; all columns of one length. Missing is None, or NaN in a column of floats."""

_CART: Final = 0.065
_CART_AGAIN: Final = 0.14
"""After looking at the same product twice running."""

_CART_DROP: Final = 0.3
_BUY: Final = 0.42
"""Of what is in the cart."""

_LISTED: Final = 0.38
"""Clicks that come from a list or search result rather than from page to page."""

_SHOWN: Final = 6
_ANONYMOUS: Final = 0.14
_LOGS_IN: Final = 0.35
"""Of the anonymous sessions, those that turn out to be someone on the way."""

_DEVICES: Final = ('{"device":"phone"}', '{"device":"desktop"}', '{"device":"tablet"}')


def make_events(
    rng: np.random.Generator, catalogue: Catalogue, customers: Customers, sessions: Sessions, clicks: Clicks
) -> Columns:
    """All columns of vocabulary.lake.EVENT_COLUMNS but `event_id`, in no order, and `session`, an index."""
    listed = rng.random(len(clicks.item)) < _LISTED
    again = np.r_[False, (clicks.item[1:] == clicks.item[:-1]) & (clicks.session[1:] == clicks.session[:-1])]
    listed &= ~again
    carted = _carted(rng, catalogue, sessions, clicks, again)
    bought = carted[_buys(rng, catalogue, sessions, clicks, carted)]
    cart_at = clicks.at[carted] + rng.integers(8_000, 45_000, size=len(carted))
    buy_at = clicks.at[bought] + rng.integers(60_000, 420_000, size=len(bought))

    row = np.concatenate([np.arange(len(clicks.item)), carted, bought])
    session = clicks.session[row]
    sent_at = np.concatenate([clicks.at, cart_at, buy_at])
    price = np.array([product.price for product in catalogue.products])
    value = np.full(len(row), np.nan)
    value[len(row) - len(bought) :] = price[clicks.item[bought]]
    kind = np.concatenate(
        [
            np.where(listed, "click", "view").astype(object),
            np.full(len(carted), "add-to-cart", dtype=object),
            np.full(len(bought), "purchase", dtype=object),
        ]
    )
    item_ids = np.array([product.item_id for product in catalogue.products], dtype=object)
    devices = np.array(_DEVICES, dtype=object)[rng.choice(3, size=len(sessions), p=(0.62, 0.31, 0.07))]
    return {
        "received_at": sent_at + rng.integers(40, 1500, size=len(row)),
        "sent_at": sent_at,
        "session_id": session_ids(len(sessions))[session],
        "user_id": _user_ids(rng, customers, sessions, session, sent_at),
        "event_type": kind,
        "item_id": item_ids[clicks.item[row]],
        "value": value,
        "properties": devices[session],
        "impression": _impressions(rng, catalogue, clicks, listed, item_ids, len(row)),
        "recommendation_id": np.full(len(row), None, dtype=object),
        "session": session,
    }


def session_ids(count: int) -> NDArray[np.object_]:
    return np.array([f"s{index + 1:07d}" for index in range(count)], dtype=object)


def _carted(
    rng: np.random.Generator,
    catalogue: Catalogue,
    sessions: Sessions,
    clicks: Clicks,
    again: NDArray[np.bool_],
) -> NDArray[np.intp]:
    """Clicks that put their product into the cart, once per session and product."""
    of_drop = np.isin(clicks.item, catalogue.drop)
    chance = np.where(again, _CART_AGAIN, _CART)
    chance = np.where(of_drop & (sessions.kind[clicks.session] == DROP), _CART_DROP, chance)
    chance = np.where(sessions.kind[clicks.session] == CURIOUS, chance * 0.5, chance)
    chosen = np.flatnonzero(rng.random(len(chance)) < chance)
    key = clicks.session[chosen] * len(catalogue.products) + clicks.item[chosen]
    return np.asarray(chosen[np.unique(key, return_index=True)[1]])


def _buys(
    rng: np.random.Generator,
    catalogue: Catalogue,
    sessions: Sessions,
    clicks: Clicks,
    carted: NDArray[np.intp],
) -> NDArray[np.bool_]:
    """Whether each cart is bought; the crowd of a drop goes home without what was dropped."""
    in_vain = np.isin(clicks.item[carted], catalogue.drop) & (
        sessions.kind[clicks.session[carted]] == CURIOUS
    )
    return np.asarray((rng.random(len(carted)) < _BUY) & ~in_vain)


def _user_ids(
    rng: np.random.Generator,
    customers: Customers,
    sessions: Sessions,
    session: NDArray[np.intp],
    sent_at: NDArray[np.int64],
) -> NDArray[np.object_]:
    """None while anonymous; some log in on the way, and are known from then on."""
    anonymous = rng.random(len(sessions)) < _ANONYMOUS
    logs_in = anonymous & (rng.random(len(sessions)) < _LOGS_IN)
    known_from = np.where(anonymous, np.iinfo(np.int64).max, 0)
    after = rng.exponential(90_000, size=len(sessions)).astype(np.int64)
    known_from = np.where(logs_in, sessions.started_at + after, known_from)
    user_ids = customers.user_id[sessions.customer[session]]
    user_ids[sent_at < known_from[session]] = None
    return np.asarray(user_ids)


def _impressions(
    rng: np.random.Generator,
    catalogue: Catalogue,
    clicks: Clicks,
    listed: NDArray[np.bool_],
    item_ids: NDArray[np.object_],
    count: int,
) -> NDArray[np.object_]:
    """For half of the clicks in a list, what the list showed: the product among others of its category."""
    impressions = np.full(count, None, dtype=object)
    members = [
        np.flatnonzero(catalogue.category == each) for each in range(int(catalogue.category.max()) + 1)
    ]
    rows = np.flatnonzero(listed & (rng.random(len(listed)) < 0.5))
    draws = rng.random((len(rows), _SHOWN))
    for row, draw in zip(rows, draws, strict=True):
        clicked = clicks.item[row]
        others = members[catalogue.category[clicked]]
        shown = others[(draw * len(others)).astype(np.intp)]
        shown[int(draw[0] * _SHOWN)] = clicked
        impressions[row] = list(dict.fromkeys(item_ids[shown]))
    return impressions
