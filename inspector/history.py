"""The lake as the inspector asks it: what was touched, by whom, and what the catalogue says of it.

The lake's files are copied beside the inspector, new ones as they come, and asked
with DuckDB; nothing is held in memory but what a page shows.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import duckdb

from vocabulary.lake import EVENTS_FOLDER, ITEMS_FOLDER, RESERVED_EVENT_TYPE_PREFIX

_AT_A_TIME: Final = 8
_NEIGHBOUR_WINDOW: Final = 20


@dataclass(frozen=True)
class Item:
    """A product as the newest catalogue has it; one that the catalogue lacks is called by its id."""

    item_id: str
    name: str
    brand: str | None = None
    category: str | None = None
    price: float | None = None
    image: str | None = None
    created_at: int | None = None


@dataclass(frozen=True)
class Touch:
    """One event of a customer: `event_type`, when, and on what."""

    at: datetime
    event_type: str
    item: Item


@dataclass(frozen=True)
class Customer:
    """Somebody to look at; anonymous ones go by their session."""

    user_id: str
    events: int
    last: datetime


class History:
    """The events of the last days, and the newest catalogue.

    :param s3: client that may list and read the lake.
    :param bucket: the lake.
    :param folder: where its files are kept; may hold those of an earlier time.
    :param days: how many days of events are looked at.
    """

    def __init__(self, s3: Any, *, bucket: str, folder: Path, days: int = 90) -> None:
        self._s3, self._bucket, self._folder, self._days = s3, bucket, folder / bucket, days
        self._database = duckdb.connect()
        self._database.execute("SET TimeZone = 'UTC'")
        self._lock = threading.Lock()
        self._known: set[str] = set()

    def refresh(self) -> None:
        """Copy what is new in the lake, and look at it from now on."""
        with self._lock:
            wanted = {**self._events(), **self._newest(ITEMS_FOLDER)}
            new = set(wanted) - self._known
            with ThreadPoolExecutor(_AT_A_TIME) as threads:
                list(threads.map(lambda key: self._copy(key, wanted[key]), sorted(new)))
            if new or not self._known:
                self._known = set(wanted)
                self._look_at(sorted(self._known))

    def search(self, text: str, count: int = 20) -> list[Customer]:
        """Customers whose id begins with `text`, the most active first."""
        return self._customers(
            "SELECT * FROM customers WHERE starts_with(user_id, ?) ORDER BY events DESC, user_id LIMIT ?",
            text,
            count,
        )

    def anybody(self) -> Customer | None:
        """A customer at random, of those with a history worth looking at."""
        found = self._customers("SELECT * FROM customers WHERE events >= 5 ORDER BY random() LIMIT 1")
        return found[0] if found else None

    def newcomers(self, count: int = 8) -> list[Customer]:
        """Who came last for the first time."""
        return self._customers("SELECT * FROM customers ORDER BY first DESC, user_id LIMIT ?", count)

    def touches(self, user_id: str, count: int = 40) -> list[Touch]:
        """What a customer touched, newest first."""
        rows = self._ask(
            """
            SELECT sent_at, event_type, item_id FROM events
            WHERE coalesce(user_id, session_id) = ? AND item_id IS NOT NULL
            ORDER BY sent_at DESC, event_id LIMIT ?
            """,
            user_id,
            count,
        )
        items = self.items([row[2] for row in rows])
        return [
            Touch(datetime.fromtimestamp(at / 1000, UTC), kind, items[item_id]) for at, kind, item_id in rows
        ]

    def items(self, item_ids: Sequence[str]) -> dict[str, Item]:
        """Products by their ids."""
        rows = self._ask(
            """
            SELECT item_id, coalesce(name, item_id), brand, category, price, image, created_at
            FROM items WHERE list_contains(?::VARCHAR[], item_id)
            """,
            list(dict.fromkeys(item_ids)),
        )
        found = {row[0]: Item(*row) for row in rows}
        return {item_id: found.get(item_id) or Item(item_id, item_id) for item_id in item_ids}

    def counts(self, item_ids: Sequence[str]) -> dict[str, int]:
        """How often each product was touched."""
        rows = self._ask(
            "SELECT item_id, events FROM popularity WHERE list_contains(?::VARCHAR[], item_id)",
            list(item_ids),
        )
        return dict(rows)

    def neighbours(self, item_ids: Sequence[str], touched: Sequence[str]) -> dict[str, int]:
        """How many customers who touched one of `touched` also touched each of `item_ids`."""
        rows = self._ask(
            """
            WITH alike AS (
                SELECT DISTINCT user_id FROM events
                WHERE user_id IS NOT NULL AND list_contains(?::VARCHAR[], item_id)
            )
            SELECT item_id, count(DISTINCT user_id) FROM events
            WHERE list_contains(?::VARCHAR[], item_id) AND user_id IN (FROM alike) GROUP BY item_id
            """,
            list(touched[:_NEIGHBOUR_WINDOW]),
            list(item_ids),
        )
        return dict(rows)

    def by_type(self, item_id: str) -> dict[str, int]:
        """How often a product was touched, by the event's type."""
        query = "SELECT event_type, count(*) FROM events WHERE item_id = ? GROUP BY 1 ORDER BY 2 DESC, 1"
        return dict(self._ask(query, item_id))

    def by_day(self) -> list[tuple[str, int]]:
        """Events of each day of arrival."""
        return self._ask(
            "SELECT strftime(make_timestamp(received_at * 1000), '%Y-%m-%d') AS day, count(*) "
            "FROM events GROUP BY day ORDER BY day"
        )

    def _customers(self, query: str, *parameters: object) -> list[Customer]:
        return [
            Customer(user_id, events, datetime.fromtimestamp(last / 1000, UTC))
            for user_id, events, _, last in self._ask(query, *parameters)
        ]

    def _ask(self, query: str, *parameters: object) -> list[Any]:
        # A cursor is a connection of its own to the same data: pages may ask at the same time
        return self._database.cursor().execute(query, list(parameters)).fetchall()

    def _events(self) -> dict[str, int]:
        first = (datetime.now(UTC) - timedelta(days=self._days)).strftime("%Y-%m-%d")
        return self._list(f"{EVENTS_FOLDER}/", after=f"{EVENTS_FOLDER}/day={first}")

    def _newest(self, folder: str) -> dict[str, int]:
        every = self._list(f"{folder}/")
        newest = max((key.rsplit("/", 1)[0] for key in every), default="")
        return {key: size for key, size in every.items() if key.rsplit("/", 1)[0] == newest}

    def _list(self, prefix: str, *, after: str = "") -> dict[str, int]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=prefix, **({"StartAfter": after} if after else {})
        )
        return {
            each["Key"]: each["Size"]
            for page in pages
            for each in page.get("Contents", ())
            if each["Key"].endswith(".parquet")
        }

    def _copy(self, key: str, size: int) -> None:
        path = self._folder / key
        if path.exists() and path.stat().st_size == size:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        self._s3.download_file(self._bucket, key, str(partial))
        partial.rename(path)

    def _look_at(self, keys: Sequence[str]) -> None:
        events = [str(self._folder / key) for key in keys if key.startswith(f"{EVENTS_FOLDER}/")]
        items = [str(self._folder / key) for key in keys if key.startswith(f"{ITEMS_FOLDER}/")]
        ask = self._database.cursor().execute
        ask(_EVENTS if events else _NO_EVENTS, [events] if events else [])
        ask(_ITEMS if items else _NO_ITEMS, [items] if items else [])
        ask(
            "CREATE OR REPLACE TABLE customers AS SELECT coalesce(user_id, session_id) AS user_id, "
            "count(*) AS events, min(received_at) AS first, max(received_at) AS last FROM events GROUP BY 1"
        )
        ask("CREATE OR REPLACE TABLE popularity AS SELECT item_id, count(*) AS events FROM events GROUP BY 1")


_COLUMNS: Final = "event_id, received_at, sent_at, session_id, user_id, event_type, item_id"

_EVENTS: Final = f"""
CREATE OR REPLACE TABLE events AS
SELECT {_COLUMNS} FROM read_parquet(?, union_by_name = true)
WHERE NOT starts_with(event_type, '{RESERVED_EVENT_TYPE_PREFIX}')
QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY received_at) = 1
"""

_NO_EVENTS: Final = """
CREATE OR REPLACE TABLE events (
    event_id VARCHAR, received_at BIGINT, sent_at BIGINT, session_id VARCHAR, user_id VARCHAR,
    event_type VARCHAR, item_id VARCHAR
)
"""

_ITEMS: Final = "CREATE OR REPLACE TABLE items AS FROM read_parquet(?, union_by_name = true)"

_NO_ITEMS: Final = """
CREATE OR REPLACE TABLE items (
    item_id VARCHAR, name VARCHAR, brand VARCHAR, category VARCHAR, price DOUBLE, image VARCHAR,
    created_at BIGINT
)
"""
