from __future__ import annotations

from collections.abc import Sequence

import duckdb
import pytest

from local_cloud.lake_loading import History
from local_cloud.showcase import Product, Showcase

ITEMS = [("shoe", "running"), ("boot", "boots"), ("cap", "caps")]


def showcase(touched: Sequence[tuple[str | None, str, int]], *, categories: bool = True) -> Showcase:
    """A history of touches `(user, kind of item, number of the item)`, one a second."""
    database = duckdb.connect()
    database.execute("CREATE TABLE events (user_id TEXT, item_id TEXT, event_type TEXT, received_at BIGINT)")
    for second, (user, kind, number) in enumerate(touched):
        database.execute(
            "INSERT INTO events VALUES (?, ?, 'view', ?)", [user, f"{kind}-{number}", second * 1000]
        )
    database.execute("CREATE TABLE items (item_id TEXT, name TEXT, brand TEXT, category TEXT, price DOUBLE)")
    for kind, category in ITEMS:
        for number in range(5):
            row = [f"{kind}-{number}", f"{kind} no. {number}", category if categories else None]
            database.execute("INSERT INTO items VALUES (?, ?, 'Brand', ?, 10.0)", row)
    events, items = database.table("events"), database.table("items")
    return Showcase(database, History(events=events, items=items, users=items))


RUNNER = [("runner", "shoe", number % 4) for number in range(20)]
MIXED = [("mixed", kind, number) for number in range(3) for kind in ("shoe", "boot", "cap")] * 3
HIKERS = [(f"hiker-{each}", "boot", number) for each in range(4) for number in range(4)]


def test_shows_a_customer_of_one_clear_taste() -> None:
    assert showcase(MIXED + RUNNER).customer() == "runner"


def test_an_anonymous_history_has_no_customer_to_show() -> None:
    with pytest.raises(ValueError, match="no event of a known customer"):
        showcase([(None, "shoe", 1)]).customer()


def test_names_what_was_touched_last_first_and_each_product_once() -> None:
    touches = showcase(RUNNER).touches("runner", 3)
    assert [touch.product.name for touch in touches] == ["shoe no. 3", "shoe no. 2", "shoe no. 1"]


@pytest.mark.parametrize("categories", [True, False])
def test_another_taste_is_what_people_alike_do_not_touch(categories: bool) -> None:
    history = showcase(RUNNER + MIXED + HIKERS, categories=categories)
    others = history.another_taste("runner", 2)
    assert {product.item_id.partition("-")[0] for product in others} == {"boot"}


def test_an_item_that_the_catalogue_lacks_is_called_by_its_id() -> None:
    assert showcase(RUNNER).product("gone") == Product("gone", "gone")
