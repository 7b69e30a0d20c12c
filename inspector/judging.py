"""What lists say of a model: what they have in common with other lists, and within themselves."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean
from typing import Final

from inspector.columns import NEW
from inspector.history import Item

TOP: Final = 10
"""How much of a list is compared; as the heartbeat gate does."""

Lists = Sequence[Sequence[str]]


@dataclass(frozen=True)
class Judged:
    """Figures of lists, all of them shares from 0 to 1.

    :param coverage: of the catalogue's products, how many are on any of the lists.
    :param popularity: of the places on the lists, how many the tenth of products touched most take.
    :param new: of the places, how many products new at that time take.
    :param diversity: of all pairs on one list, how many differ in brand or in category, on average.
    """

    coverage: float
    popularity: float
    new: float
    diversity: float


def judge(
    lists: Lists,
    *,
    items: Mapping[str, Item],
    much_touched: Collection[str],
    catalogue: int,
    at: float,
) -> Judged | None:
    """None where the lists are empty.

    :param items: of every list.
    :param catalogue: how many products there are.
    :param at: when the lists were made, unix seconds.
    """
    shown = [item_id for each in lists for item_id in each[:TOP]]
    if not shown:
        return None
    return Judged(
        coverage=len({item_id for each in lists for item_id in each}) / max(catalogue, 1),
        popularity=fmean(item_id in much_touched for item_id in shown),
        new=fmean(_is_new(items[item_id], at) for item_id in shown),
        diversity=fmean(_diversity([items[item_id] for item_id in each[:TOP]]) for each in lists if each),
    )


def kept(lists: Lists, others: Lists) -> list[float]:
    """Of each list's first places the share that the same customer's other list has too, in any order."""
    return [
        len(set(one[:TOP]) & set(other[:TOP])) / len(one[:TOP])
        for one, other in zip(lists, others, strict=False)
        if one and other
    ]


def _is_new(item: Item, at: float) -> bool:
    return item.created_at is not None and 0 <= at - item.created_at / 1000 < NEW.total_seconds()


def _diversity(items: Sequence[Item]) -> float:
    pairs = list(combinations(items, 2))
    return fmean(_differ(one, other) for one, other in pairs) if pairs else 0.0


def _differ(one: Item, other: Item) -> bool:
    return (one.brand, one.category) != (other.brand, other.category)
