"""The whole marketplace: its clickstream, its catalogue, its customers, and the truth behind them."""

from __future__ import annotations

from collections import Counter
from dataclasses import astuple, dataclass, fields
from datetime import datetime
from functools import cached_property

import duckdb
import numpy as np

from local_cloud.lake_loading import History
from local_cloud.marketplace.catalogue import DAY, Product, make_catalogue
from local_cloud.marketplace.clicks import make_clicks
from local_cloud.marketplace.customers import make_customers
from local_cloud.marketplace.dirt import bot_ids, soil
from local_cloud.marketplace.funnel import Columns, make_events, session_ids
from local_cloud.marketplace.sessions import make_sessions
from local_cloud.marketplace.tastes import CATEGORIES, PERSONAS, taste_matrix
from vocabulary import lake

_DROP_AFTER = 0.7
"""Of the window: the drop lies in the training data of every model, with weeks of decay behind it."""


@dataclass(frozen=True)
class Drop:
    """A release of limited products that draws a crowd; `at` in unix milliseconds."""

    at: int
    item_ids: tuple[str, ...]


@dataclass(frozen=True)
class Marketplace:
    """A generated sneaker marketplace.

    :param events: vocabulary.lake.EVENT_COLUMNS by name, in order of `received_at`.
    :param items: every product, in order of `item_id`.
    :param users: vocabulary.lake.USER_COLUMNS by name; `segment` is the country.
    :param sessions: the truth behind each session, which events do not tell: `session_id`, `user_id` (of
        anonymous sessions too), `intent` (a category), `persona` (at that time), `started_at`.
    :param customers: likewise: `user_id`, `persona` (today), `persona_before`, `drifts_at`, `joined_at`.
    :param drop: what was dropped and when.
    """

    events: Columns
    items: tuple[Product, ...]
    users: Columns
    sessions: Columns
    customers: Columns
    drop: Drop

    def persona_of(self, user_id: str) -> str:
        """A customer's persona today.

        :raises KeyError: for an unknown user and for a bot.
        """
        return self._personas[user_id]

    def item(self, item_id: str) -> Product:
        """:raises KeyError: for an item that the catalogue lacks."""
        return self._products[item_id]

    def items_of(self, category: str) -> tuple[Product, ...]:
        """Products of a category, most touched first."""
        mine = [product for product in self.items if product.category == category]
        return tuple(sorted(mine, key=lambda product: (-self._popularity[product.item_id], product.item_id)))

    def items_for(self, persona: str) -> tuple[Product, ...]:
        """Products of the category that a persona likes best, most touched first."""
        return self.items_of(_favourite(persona))

    def customers_of(self, persona: str) -> tuple[str, ...]:
        """User ids of customers who had this persona all along, the most active first."""
        steady = (self.customers["persona"] == persona) & (self.customers["persona_before"] == persona)
        mine = self.customers["user_id"][steady]
        return tuple(sorted(mine, key=lambda user_id: (-self._activity[user_id], user_id)))

    def another_taste(self, user_id: str, count: int = 3) -> tuple[Product, ...]:
        """Popular products of the category that is farthest from what a customer likes and has touched.

        :raises KeyError: for an unknown user.
        """
        own = [persona.name for persona in PERSONAS].index(self.persona_of(user_id))
        touched = Counter(
            self._products[item_id].category
            for item_id in self.events["item_id"][self.events["user_id"] == user_id]
            if item_id in self._products
        )
        liking = dict(zip((each.name for each in CATEGORIES), taste_matrix()[own], strict=True))
        favourites = {_favourite(persona.name) for persona in PERSONAS}
        farthest = min(favourites, key=lambda name: (touched[name], liking[name], name))
        return self.items_of(farthest)[:count]

    def history(self, connection: duckdb.DuckDBPyConnection) -> History:
        """As (temporary) tables of this DuckDB connection, to be loaded into the lake."""
        columns = [column.name for column in lake.ITEM_COLUMNS]
        assert columns == [field.name for field in fields(Product)]
        rows = list(zip(*(astuple(product) for product in self.items), strict=True))
        items = {
            name: np.array(values, dtype=None if isinstance(values[0], (int, float)) else object)
            for name, values in zip(columns, rows, strict=True)
        }
        tables = {"events": self.events, "items": items, "users": self.users}
        relations = {}
        for name, table in tables.items():
            connection.register("generated", table)
            connection.execute(f"CREATE OR REPLACE TEMP TABLE generated_{name} AS FROM generated")
            connection.unregister("generated")
            relations[name] = connection.table(f"generated_{name}")
        return History(**relations)

    @cached_property
    def _personas(self) -> dict[str, str]:
        return dict(zip(self.customers["user_id"], self.customers["persona"], strict=True))

    @cached_property
    def _products(self) -> dict[str, Product]:
        return {product.item_id: product for product in self.items}

    @cached_property
    def _popularity(self) -> Counter[str]:
        return Counter(self.events["item_id"])

    @cached_property
    def _activity(self) -> Counter[str]:
        return Counter(self.events["user_id"])


def generate(*, seed: int = 7, now: datetime, customers: int = 3000, days: int = 60) -> Marketplace:
    """Generate a marketplace whose newest event lies just before `now`.

    The same arguments give the same marketplace.

    :param now: with a time zone.
    :param customers: at least 50.
    :param days: of history, 14 to 365.
    :raises ValueError: for an argument outside these bounds.
    """
    if now.tzinfo is None:
        raise ValueError(f"now is {now!r}, allowed: a time with a time zone")
    if customers < 50:
        raise ValueError(f"customers is {customers!r}, allowed: at least 50")
    if not 14 <= days <= 365:
        raise ValueError(f"days is {days!r}, allowed: 14 to 365")
    end = int(now.timestamp() * 1000)
    start = (end // DAY - days) * DAY
    window = {"start": start, "days": days + 1}  # and the part of today that has passed
    drop_day = round(days * _DROP_AFTER)
    rng = np.random.default_rng(seed)
    catalogue = make_catalogue(rng, **window, drop_at=start + drop_day * DAY + DAY // 2)
    people = make_customers(rng, count=customers, **window, drop_day=drop_day)
    drop_categories = catalogue.category[catalogue.drop]
    sessions = make_sessions(
        rng, people, **window, end=end, drop_day=drop_day, drop_categories=drop_categories
    )
    clicks = make_clicks(rng, catalogue, people, sessions, **window)
    events = soil(rng, make_events(rng, catalogue, people, sessions, clicks), catalogue, **window)
    past = np.flatnonzero((events["received_at"] < end) & (events["sent_at"] < end))
    past = past[np.lexsort((events["event_id"][past].astype(str), events["received_at"][past]))]
    drifted = sessions.started_at >= people.drifts_at[sessions.customer]
    personas = np.array([persona.name for persona in PERSONAS], dtype=object)
    at_the_time = np.where(
        drifted, people.persona[sessions.customer], people.persona_before[sessions.customer]
    )
    return Marketplace(
        events={column.name: events[column.name][past] for column in lake.EVENT_COLUMNS},
        items=catalogue.products,
        users={
            "user_id": np.concatenate([people.user_id, bot_ids()]),
            "segment": np.concatenate([people.country, np.array(["US", "US", "DE"], dtype=object)]),
        },
        sessions={
            "session_id": session_ids(len(sessions)),
            "user_id": people.user_id[sessions.customer],
            "intent": np.array([category.name for category in CATEGORIES], dtype=object)[sessions.intent],
            "persona": personas[at_the_time],
            "started_at": sessions.started_at,
        },
        customers={
            "user_id": people.user_id,
            "persona": personas[people.persona],
            "persona_before": personas[people.persona_before],
            "drifts_at": people.drifts_at,
            "joined_at": people.joined_at,
        },
        drop=Drop(catalogue.drop_at, tuple(catalogue.products[each].item_id for each in catalogue.drop)),
    )


def _favourite(persona: str) -> str:
    """The category a persona likes best.

    :raises KeyError: for an unknown persona.
    """
    taste = {each.name: each.taste for each in PERSONAS}[persona]
    return max(taste, key=lambda category: taste[category])
