"""Whom to show recommendations for, what they touched, and what would be another taste, of any history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import duckdb

from local_cloud.lake_loading import History

_WORTH_SHOWING: Final = (12, 150)
"""A customer's number of events: enough to know a taste by, too few to be a robot's."""


@dataclass(frozen=True)
class Product:
    """What a person calls an item; brand, category and price where the catalogue has them."""

    item_id: str
    name: str
    brand: str | None = None
    category: str | None = None
    price: float | None = None


@dataclass(frozen=True)
class Touch:
    """One event of a customer."""

    at: datetime
    event_type: str
    product: Product


class Showcase:
    """Questions to a history.

    :param database: the DuckDB connection that the history's relations belong to.
    """

    def __init__(self, database: duckdb.DuckDBPyConnection, history: History) -> None:
        self._database = database
        history.events.create_view("shown_events", replace=True)
        history.items.create_view("shown_items", replace=True)
        rows = database.execute(
            "SELECT item_id, any_value(name), any_value(brand), any_value(category), any_value(price) "
            "FROM shown_items GROUP BY item_id"
        ).fetchall()
        self._products = {row[0]: Product(*row) for row in rows}
        database.execute(
            """
            CREATE OR REPLACE TEMP TABLE shown_touches AS
            SELECT events.user_id, events.item_id, events.event_type, events.received_at,
                coalesce(string_split(items.category, '|')[1], '') AS category
            FROM shown_events AS events LEFT JOIN shown_items AS items USING (item_id)
            WHERE events.user_id IS NOT NULL AND events.item_id IS NOT NULL
            """
        )

    def product(self, item_id: str) -> Product:
        """An item; one that the catalogue lacks is called by its id."""
        return self._products.get(item_id) or Product(item_id, item_id)

    def customer(self) -> str:
        """A customer of one clear taste: most of what they touched is of one category.

        Where the catalogue has no categories, one with many events. The same history names the same customer.

        :raises ValueError: when the history has no customers.
        """
        least, most = _WORTH_SHOWING
        row = self._one(
            """
            WITH per_category AS (
                SELECT user_id, category, count(*) AS n FROM shown_touches GROUP BY ALL
            ), per_user AS (
                SELECT user_id, sum(n) AS events, max(n) / sum(n) AS focus FROM per_category GROUP BY user_id
            )
            SELECT user_id FROM per_user
            ORDER BY events BETWEEN ? AND ? DESC, round(focus, 1) DESC, events DESC, user_id LIMIT 1
            """,
            least,
            most,
        )
        if row is None:
            raise ValueError("the history has no event of a known customer")
        return str(row)

    def touches(self, user_id: str, count: int = 6) -> list[Touch]:
        """What a customer touched last, newest first, each product once."""
        rows = self._database.execute(
            """
            SELECT max(received_at), arg_max(event_type, received_at), item_id FROM shown_touches
            WHERE user_id = ? GROUP BY item_id ORDER BY 1 DESC, item_id LIMIT ?
            """,
            [user_id, count],
        ).fetchall()
        return [
            Touch(datetime.fromtimestamp(at / 1000, UTC), event_type, self.product(item_id))
            for at, event_type, item_id in rows
        ]

    def another_taste(self, user_id: str, count: int = 3) -> list[Product]:
        """Products that go together and that people like this customer touch least.

        A category is judged by how much less it is touched by the customers who share products with this
        one than by all; of it, the most popular products that this customer never touched. Without
        categories every product is judged so by itself.
        """
        rows = self._database.execute(
            """
            WITH groups AS (
                SELECT *, CASE WHEN category = '' THEN item_id ELSE category END AS kind FROM shown_touches
            ), own AS (
                SELECT DISTINCT item_id FROM groups WHERE user_id = $user
            ), alike AS (
                SELECT DISTINCT user_id FROM groups JOIN own USING (item_id)
            ), popular AS (
                SELECT item_id, any_value(kind) AS kind, count(*) AS n FROM groups GROUP BY item_id
                ORDER BY n DESC, item_id LIMIT 300
            ), judged AS (
                SELECT kind, count(*) FILTER (user_id = $user) AS touched,
                    count(*) FILTER (user_id IN (FROM alike)) / count(*) AS liking
                FROM groups WHERE kind IN (SELECT kind FROM popular) GROUP BY kind
            )
            SELECT item_id FROM popular JOIN judged USING (kind)
            WHERE item_id NOT IN (FROM own)
            ORDER BY touched, liking, kind, n DESC, item_id LIMIT $count
            """,
            {"user": user_id, "count": count},
        ).fetchall()
        return [self.product(item_id) for (item_id,) in rows]

    def _one(self, query: str, *parameters: object) -> object:
        row = self._database.execute(query, list(parameters)).fetchone()
        return None if row is None else row[0]
