"""Columns of recommendations side by side: where each item stood before, and why it may be there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from inspector.history import Item

_NEW: Final = timedelta(days=21)


@dataclass(frozen=True)
class Entry:
    """An item in a column.

    :param rank: from 1.
    :param moved: places up (or down, negative) against the first column; None where that lacks the item.
    :param reasons: why it may be there, the strongest first.
    """

    rank: int
    item: Item
    score: float | None
    moved: int | None
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Column:
    """What one source recommends.

    :param overlap: share of its items that the first column has too; None for the first itself.
    :param gone: items of the first column that it lacks.
    :param trouble: why it is empty.
    """

    title: str
    entries: tuple[Entry, ...] = ()
    overlap: float | None = None
    gone: tuple[Item, ...] = ()
    trouble: str = ""


def against(
    first: Sequence[str], title: str, ranked: Sequence[tuple[Item, float | None, tuple[str, ...]]]
) -> Column:
    """A column beside the first one's item ids; the first is laid against itself and then has no overlap."""
    places = {item_id: place for place, item_id in enumerate(first, 1)}
    entries = tuple(
        Entry(rank, item, score, places[item.item_id] - rank if item.item_id in places else None, reasons)
        for rank, (item, score, reasons) in enumerate(ranked, 1)
    )
    ids = [entry.item.item_id for entry in entries]
    overlap = None if ids == list(first) else len(set(ids) & set(first)) / max(len(ids), 1)
    return Column(title, entries, overlap)


def reasons(
    item: Item,
    *,
    touched: Mapping[str, Item],
    neighbours: Mapping[str, int],
    popular: Set[str],
    now: datetime,
) -> tuple[str, ...]:
    """Why a source may recommend an item, as far as the data show it; no model is asked.

    :param touched: what the customer touched lately, by item id.
    :param neighbours: how many customers like this one touched each item.
    :param popular: the items that stand in for recommendations.
    """
    found = []
    if item.item_id in touched:
        found.append("touched before")
    if neighbours.get(item.item_id):
        found.append(f"{neighbours[item.item_id]:,} alike touched it")
    brands = {each.brand for each in touched.values() if each.brand}
    if item.brand and item.brand in brands:
        found.append(f"same brand, {item.brand}")
    categories = {each.category for each in touched.values() if each.category}
    if item.category and item.category in categories:
        found.append(f"same kind, {item.category}")
    if item.created_at and now.timestamp() - item.created_at / 1000 < _NEW.total_seconds():
        found.append("new")
    if item.item_id in popular:
        found.append("popular")
    return tuple(found)
