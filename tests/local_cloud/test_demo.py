from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
import pytest

from local_cloud import demo
from local_cloud.connection import LocalCloudError
from local_cloud.lake_loading import History
from local_cloud.live_api import LiveApi
from local_cloud.progress import Progress
from local_cloud.showcase import Showcase


class Shop(LiveApi):
    """An API that recommends shoes, and what was sent to it once that has arrived."""

    sent: list[str]
    moves: bool

    @classmethod
    def open(cls, *, moves: bool) -> Shop:
        shop = cls("http://shop/v1/", "http://events/v1/", "key", ("recommended-for-you",))
        object.__setattr__(shop, "sent", [])
        object.__setattr__(shop, "moves", moves)
        return shop

    def recommendations(self, user_id: str, **query: str) -> dict[str, Any]:
        items = [*(self.sent if self.moves else []), "shoe-1", "shoe-2", "shoe-3"]
        return {"items": [{"item_id": item} for item in items], "colour": "maize", "source": "personalize"}

    def send(
        self, user_id: str, events: Sequence[Mapping[str, Any]], *, session_id: str | None = None
    ) -> dict[str, Any]:
        assert user_id == "runner"
        self.sent.extend(event["item_id"] for event in events)
        return {}


@pytest.fixture
def showcase() -> Showcase:
    database = duckdb.connect()
    database.execute(
        """
        CREATE TABLE items AS
        SELECT kind || '-' || n AS item_id, upper(kind) || ' no. ' || n AS name, 'Brand' AS brand,
            kind AS category, 10.0 AS price
        FROM (SELECT unnest(['shoe', 'boot']) AS kind), range(5) AS numbers(n);
        CREATE TABLE events AS
        SELECT 'runner' AS user_id, 'shoe-' || (n % 5) AS item_id, 'view' AS event_type, n AS received_at
        FROM range(20) AS numbers(n)
        UNION ALL
        SELECT 'hiker', 'boot-' || (n % 5), 'view', n FROM range(5) AS numbers(n)
        """
    )
    items = database.table("items")
    return Showcase(database, History(events=database.table("events"), items=items, users=items))


def test_shows_old_beside_new_after_three_events_of_another_taste(showcase: Showcase) -> None:
    out = io.StringIO()
    demo.show(Shop.open(moves=True), showcase, Progress(out))
    shown = out.getvalue()
    assert "curl -H 'x-api-key: key' 'http://shop/v1/recommendations/runner?placement=" in shown
    before, now = shown.split("Now runner views three products of another taste")
    assert "BOOT" not in before
    new = [line for line in now.splitlines() if " new " in line]
    assert len(new) == 3
    assert all("SHOE" in line.partition(" new ")[0] and "BOOT" in line.partition(" new ")[2] for line in new)
    assert "boot-" not in shown  # names, not ids


def test_says_so_when_the_recommendations_do_not_move(
    showcase: Showcase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "_MOVES_WITHIN", 0.5)
    with pytest.raises(LocalCloudError, match="recommendations of runner are the same"):
        demo.show(Shop.open(moves=False), showcase, Progress(io.StringIO()))
