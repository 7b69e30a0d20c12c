"""What serving falls back to: the items that drew most interactions lately."""

from __future__ import annotations

from typing import Any, Final

from training_data.sql import Engine, records

MOST: Final = 500
"""Items listed: the most that one GetRecommendations call can answer."""

_DAY: Final = 86_400

_SPANS: Final = (7, 28)
"""Days, counted back from the newest interaction, that are looked at first."""

_ENOUGH: Final = 100


def popular(engine: Engine, newest: int | None) -> list[dict[str, Any]]:
    """`{"item_id", "count"}`, best first, of the table `interactions`.

    Of the last 7 days of the data, or 28, or all of it: the shortest span in
    which at least 100 items were touched. A span ends with the data rather than
    today, so that a lake without yesterday's events still has popular items.

    :param newest: TIMESTAMP of them.
    """
    if newest is None:
        return []
    for days in _SPANS:
        items = _most_touched(engine, f"TIMESTAMP > {newest - days * _DAY}")
        if len(items) >= _ENOUGH:
            return items
    return _most_touched(engine, "true")


def _most_touched(engine: Engine, condition: str) -> list[dict[str, Any]]:
    return records(
        engine,
        ["item_id", "count"],
        f"SELECT ITEM_ID, count(*) AS touched FROM interactions WHERE {condition}"
        f" GROUP BY ITEM_ID ORDER BY touched DESC, ITEM_ID LIMIT {MOST}",
    )
