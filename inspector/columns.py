"""Columns of recommendations side by side: where each item stood before, and why it may be there."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from inspector.history import History, Item
from inspector.sources import Answer

NEW: Final = timedelta(days=21)
"""How long a product counts as new."""


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


def side_by_side(
    history: History,
    answers: Sequence[Answer],
    *,
    touched: Mapping[str, Item],
    popular: Collection[str],
    first: Sequence[str] | None = None,
) -> list[Column]:
    """A column per answer, each beside the first one that has an answer at all.

    :param touched: what the customer touched lately, by item id.
    :param popular: the items that stand in for recommendations.
    :param first: item ids to lay all of them beside instead, of an earlier moment say.
    """
    ids = list(dict.fromkeys(item_id for answer in answers for item_id, _ in answer.ranked))
    items = history.items([*ids, *(first or ())])
    neighbours = history.neighbours(ids, list(touched)) if touched and ids else {}
    now, columns = datetime.now(UTC), []
    base = None if first is None else {item_id: items[item_id] for item_id in first}
    for answer in answers:
        if answer.trouble or not answer.ranked:
            columns.append(Column(answer.source.title, trouble=answer.trouble or "nothing to recommend"))
            continue
        explained = [
            (
                items[item_id],
                score,
                reasons(items[item_id], touched=touched, neighbours=neighbours, popular=popular, now=now),
            )
            for item_id, score in answer.ranked
        ]
        columns.append(against(base, answer.source.title, explained))
        if base is None:
            base = {item_id: items[item_id] for item_id, _ in answer.ranked}
    return columns


def against(
    first: Mapping[str, Item] | None,
    title: str,
    ranked: Sequence[tuple[Item, float | None, tuple[str, ...]]],
) -> Column:
    """A column beside the first one.

    :param first: the first column's items by id, in their order; None for the first column itself.
    """
    places = {item_id: place for place, item_id in enumerate(first or (), 1)}
    entries = tuple(
        Entry(rank, item, score, places[item.item_id] - rank if item.item_id in places else None, reasons)
        for rank, (item, score, reasons) in enumerate(ranked, 1)
    )
    if first is None:
        return Column(title, entries)
    ids = {entry.item.item_id for entry in entries}
    gone = tuple(item for item_id, item in first.items() if item_id not in ids)
    return Column(title, entries, len(ids & first.keys()) / max(len(ids), 1), gone)


def reasons(
    item: Item,
    *,
    touched: Mapping[str, Item],
    neighbours: Mapping[str, int],
    popular: Collection[str],
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
        found.append("same brand")
    categories = {each.category for each in touched.values() if each.category}
    if item.category and item.category in categories:
        found.append("same kind")
    if item.created_at and now.timestamp() - item.created_at / 1000 < NEW.total_seconds():
        found.append("new product")
    if item.item_id in popular:
        found.append("popular")
    return tuple(found)
