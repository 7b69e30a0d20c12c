"""The lake as the inspector asks it: what was touched, by whom, and what the catalogue says of it.

The lake's files are copied beside the inspector, new ones as they come, and asked with
DuckDB, which keeps within a bound of memory and puts the rest on disk.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import duckdb

from inspector import tables
from inspector.lake_copy import LakeCopy

_NEIGHBOUR_WINDOW: Final = 20
_LOOKS_AGAIN_AFTER: Final = 1.0
_MEMORY: Final = "1GB"


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
        self._copy = LakeCopy(s3, bucket, folder / bucket, days)
        spilled = str(folder / bucket / "spilled")
        self._database = duckdb.connect(config={"memory_limit": _MEMORY, "temp_directory": spilled})
        self._database.execute("SET TimeZone = 'UTC'")
        tables.create(self._database.execute)
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="lake")
        self._looking: Future[None] | None = None
        self._looked, self._gate = 0.0, threading.Lock()
        self._known: dict[str, int] = {}
        self.reading = ""

    def refresh(self, patience: float | None = None) -> bool:
        """Copy what is new in the lake, and look at it from now on.

        With `patience`, in seconds, what takes longer goes on meanwhile. Answers whether all that is
        known to be there has been looked at; where not, `reading` says how far it is.
        """
        with self._gate:
            if self._looking is None:
                if patience is not None and time.monotonic() - self._looked < _LOOKS_AGAIN_AFTER:
                    return True
                self._looking = self._worker.submit(self._refresh)
            looking = self._looking
        try:
            looking.result(patience)
        except NotYet:
            return bool(self._known) and not self.reading  # it may be only listed, and nothing new
        finally:
            with self._gate:
                if looking.done() and self._looking is looking:
                    self._looking, self._looked = None, time.monotonic()
        return True

    def search(self, text: str, count: int = 20) -> list[Customer]:
        """Customers whose id begins with `text`, the most active first."""
        return self._customers(
            "FROM customers WHERE starts_with(user_id, ?) ORDER BY events DESC, user_id LIMIT ?", text, count
        )

    def anybody(self, segment: str = "") -> Customer | None:
        """A customer at random, of those with a history worth looking at."""
        found = self._customers(
            f"FROM customers WHERE events >= 5 AND {_IN_SEGMENT} ORDER BY random() LIMIT 1", segment, segment
        )
        return found[0] if found else None

    def newcomers(self, count: int = 8) -> list[Customer]:
        """Who came last for the first time."""
        return self._customers(
            "FROM customers WHERE NOT anonymous ORDER BY first DESC, user_id LIMIT ?", count
        )

    def anonymous(self, count: int = 8) -> list[Customer]:
        """Sessions of visitors who never said who they are, the last ones."""
        return self._customers("FROM customers WHERE anonymous ORDER BY last DESC, user_id LIMIT ?", count)

    def segments(self, count: int = 12) -> list[tuple[str, int]]:
        """The personas of the catalogue's users, and how many are of each; the largest first."""
        return self._ask(
            "SELECT segment, count(*) FROM users WHERE segment IS NOT NULL GROUP BY 1"
            " ORDER BY 2 DESC, 1 LIMIT ?",
            count,
        )

    def of_segment(self, segment: str, count: int = 20) -> list[Customer]:
        """Customers of a persona, the most active first."""
        return self._customers(
            f"FROM customers WHERE {_IN_SEGMENT} ORDER BY events DESC, user_id LIMIT ?",
            segment,
            segment,
            count,
        )

    def sample(self, count: int = 20) -> list[str]:
        """The same customers every time, whatever order they come in: of those with some history."""
        rows = self._ask(
            "SELECT user_id FROM customers WHERE events BETWEEN 5 AND 500 AND NOT anonymous"
            " ORDER BY md5(user_id) LIMIT ?",
            count,
        )
        return [user_id for (user_id,) in rows]

    def called(self, secret: str, mask: str) -> str | None:
        """The customer whose masked name begins so."""
        rows = self._ask(
            "SELECT user_id FROM customers WHERE starts_with(sha256(? || user_id), ?) LIMIT 1", secret, mask
        )
        return str(rows[0][0]) if rows else None

    def knows(self, user_id: str) -> bool:
        """Whether a customer, or a visitor by the session, has sent any event."""
        return bool(self._ask("FROM customers WHERE user_id = ?", user_id))

    def touches(self, user_id: str, count: int = 40) -> list[Touch]:
        """What a customer touched, newest first."""
        rows = self._ask(
            """
            SELECT sent_at, event_type, item_id FROM events
            WHERE (user_id = $who OR (user_id IS NULL AND session_id = $who)) AND item_id IS NOT NULL
            ORDER BY sent_at DESC, event_id LIMIT $count
            """,
            who=user_id,
            count=count,
        )
        items = self.items([row[2] for row in rows])
        return [
            Touch(datetime.fromtimestamp(at / 1000, UTC), kind, items[item_id]) for at, kind, item_id in rows
        ]

    def last_touched(self, user_ids: Sequence[str]) -> dict[str, str]:
        """The product that each customer touched last."""
        rows = self._ask(
            "SELECT user_id, arg_max(item_id, sent_at) FROM events WHERE item_id IS NOT NULL"
            " AND user_id IN (SELECT unnest(?::VARCHAR[])) GROUP BY 1",
            list(user_ids),
        )
        return dict(rows)

    def items(self, item_ids: Sequence[str]) -> dict[str, Item]:
        """Products by their ids."""
        rows = self._ask(
            """
            SELECT item_id, coalesce(name, item_id), brand, category, price, image, created_at
            FROM items WHERE item_id IN (SELECT unnest(?::VARCHAR[]))
            """,
            list(dict.fromkeys(item_ids)),
        )
        found = {row[0]: Item(*row) for row in rows}
        return {item_id: found.get(item_id) or Item(item_id, item_id) for item_id in item_ids}

    def sells(self, item_id: str) -> bool:
        """Whether the newest catalogue has a product."""
        return bool(self._ask("FROM items WHERE item_id = ?", item_id))

    def find_items(self, text: str, count: int = 12) -> list[Item]:
        """Products by a part of their name, or how their id begins; the most touched first."""
        rows = self._ask(
            """
            SELECT items.item_id, coalesce(name, items.item_id), brand, category, price, image, created_at
            FROM items LEFT JOIN popularity USING (item_id)
            WHERE contains(lower(name), lower($text)) OR starts_with(items.item_id, $text)
            ORDER BY coalesce(events, 0) DESC, items.item_id LIMIT $count
            """,
            text=text,
            count=count,
        )
        return [Item(*row) for row in rows]

    def catalogue_size(self) -> int:
        """How many products the newest catalogue has."""
        return int(self._ask("SELECT count(*) FROM items")[0][0])

    def much_touched(self, share: float = 0.1) -> set[str]:
        """The products that are touched most: this share of those that are touched at all."""
        rows = self._ask(
            "SELECT item_id FROM popularity ORDER BY events DESC, item_id"
            " LIMIT (SELECT ceil(count(*) * ?)::BIGINT FROM popularity)",
            share,
        )
        return {item_id for (item_id,) in rows}

    def counts(self, item_ids: Sequence[str]) -> dict[str, int]:
        """How often each product was touched."""
        rows = self._ask(
            "SELECT item_id, events FROM popularity WHERE item_id IN (SELECT unnest(?::VARCHAR[]))",
            list(item_ids),
        )
        return dict(rows)

    def neighbours(self, item_ids: Sequence[str], touched: Sequence[str]) -> dict[str, int]:
        """How many customers who touched one of `touched` also touched each of `item_ids`."""
        rows = self._ask(
            """
            WITH alike AS (
                SELECT DISTINCT user_id FROM events
                WHERE user_id IS NOT NULL AND item_id IN (SELECT unnest(?::VARCHAR[]))
            )
            SELECT item_id, count(DISTINCT user_id) FROM events
            WHERE item_id IN (SELECT unnest(?::VARCHAR[])) AND user_id IN (FROM alike) GROUP BY item_id
            """,
            list(touched[:_NEIGHBOUR_WINDOW]),
            list(item_ids),
        )
        return dict(rows)

    def by_type(self, item_id: str) -> dict[str, int]:
        """How often a product was touched, by the event's type."""
        query = "SELECT event_type, count(*) FROM events WHERE item_id = ? GROUP BY 1 ORDER BY 2 DESC, 1"
        return dict(self._ask(query, item_id))

    def by_day(self, item_id: str | None = None) -> list[tuple[str, int]]:
        """Events of each day of arrival, of one product or of all."""
        rows = self._ask(
            "SELECT received_at // 86400000 AS day, count(*) FROM events"
            " WHERE $item_id IS NULL OR item_id = $item_id GROUP BY day ORDER BY day",
            item_id=item_id,
        )
        return [(f"{datetime.fromtimestamp(day * 86_400, UTC):%Y-%m-%d}", count) for day, count in rows]

    def _customers(self, query: str, *parameters: object) -> list[Customer]:
        return [
            Customer(user_id, events, datetime.fromtimestamp(last / 1000, UTC))
            for user_id, events, _, last, _ in self._ask(query, *parameters)
        ]

    def _ask(self, query: str, *parameters: object, **named: object) -> list[Any]:
        # A cursor is a connection of its own to the same data: pages may ask at the same time
        return self._database.cursor().execute(query, named or list(parameters)).fetchall()

    def _refresh(self) -> None:
        wanted = self._copy.wanted()
        if wanted == self._known:
            return
        try:
            self.reading = "files are copied"
            self._copy.fetch(wanted, self._tell)
            self.reading = f"{len(wanted):,} files are read"
            self._read(wanted)
        finally:
            self.reading = ""

    def _read(self, wanted: dict[str, int]) -> None:
        cursor = self._database.cursor()
        cursor.execute("BEGIN")
        stays = all(wanted.get(key) == size for key, size in self._known.items() if tables.is_events(key))
        if not stays:  # rewritten or gone: what an erasure has taken out must not stay
            tables.create(cursor.execute)
        known = self._known if stays else {}
        new = [self._copy.path(key) for key in sorted(wanted) if tables.is_events(key) and key not in known]
        if new:
            tables.add_events(cursor.execute, new)
        if _catalogue(wanted) != _catalogue(known):
            tables.replace_catalogue(cursor.execute, sorted(wanted), self._copy.path)
        cursor.execute("COMMIT")
        self._known = wanted

    def _tell(self, done: int, of: int) -> None:
        self.reading = f"{done:,} of {of:,} files are copied"


def _catalogue(files: Mapping[str, int]) -> dict[str, int]:
    return {key: size for key, size in files.items() if not tables.is_events(key)}


_IN_SEGMENT: Final = "(? = '' OR user_id IN (SELECT user_id FROM users WHERE segment = ?))"
