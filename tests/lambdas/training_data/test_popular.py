from __future__ import annotations

import json
from typing import Any

from training_data.window import DAY_MS


def popular(exported: Any) -> list[tuple[str, int]]:
    body = json.loads(exported.objects["runs/run/popular/similar-items.json"])
    assert body["placement"] == "similar-items"
    assert body["run_id"] == "run"
    return [(item["item_id"], item["count"]) for item in body["items"]]


def test_every_placement_has_the_items_best_first(lake: Any, event: Any) -> None:
    lake.put_events(
        *(event(item_id=item, user_id=f"u{n}") for n, item in enumerate("bcbabc")), event(item_id="b")
    )
    exported = lake.export()
    assert popular(exported) == [("b", 4), ("c", 2), ("a", 1)]
    assert "runs/run/popular/recommended-for-you.json" in exported.objects


def test_what_was_popular_last_month_gives_way_to_what_is_popular_this_week(
    lake: Any, event: Any, cutoff: int
) -> None:
    lake.put_events(
        *(event(item_id="old", user_id=f"u{n}", received_at=cutoff - 20 * DAY_MS) for n in range(50)),
        *(event(item_id=f"item-{n}", received_at=cutoff - DAY_MS) for n in range(600)),
    )
    items = popular(lake.export())
    assert len(items) == 500
    assert "old" not in dict(items)


def test_of_a_quiet_week_the_weeks_before_count_too(lake: Any, event: Any, cutoff: int) -> None:
    lake.put_events(
        event(item_id="new"),
        event(item_id="old", user_id="u", received_at=cutoff - 20 * DAY_MS),
        event(item_id="old", received_at=cutoff - 20 * DAY_MS),
    )
    assert popular(lake.export()) == [("old", 2), ("new", 1)]
