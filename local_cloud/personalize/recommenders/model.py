"""A trained recommender of any recipe: weigh the catalogue, take the best."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from local_cloud.personalize.recommenders.contract import Kind, Scored
from local_cloud.personalize.recommenders.covisitation import Weights
from local_cloud.personalize.recommenders.histories import Histories
from local_cloud.personalize.recommenders.interactions import Catalogue, Codes

Weigh: TypeAlias = Callable[[Codes], Weights]
"""From some items, newest first, to how much each item of the catalogue fits them."""


@dataclass(frozen=True, kw_only=True)
class CatalogueModel:
    """The model of every recipe; recipes differ in what they weigh by.

    Scores are the softmax, at temperature 1, of the logarithm of the weights, which is each item's share of
    all weight. They add up to 1 over the catalogue, so they are small and say nothing across models.

    Safe to use from several threads: only `histories` ever changes.

    :param weigh: gives weights above 0 for "user" and "ranking"; any for the others, which show no score.
    """

    recipe: str
    kind: Kind
    catalogue: Catalogue
    weigh: Weigh
    histories: Histories
    metrics: dict[str, float] = field(default_factory=dict)

    def recommend(
        self,
        *,
        user_id: str | None,
        item_id: str | None,
        count: int,
        allowed: Callable[[str], bool] | None = None,
    ) -> list[Scored]:
        context = self._context(user_id=user_id, item_id=item_id)
        weights = self.weigh(context)
        left_out = int(context[0]) if self.kind == "item" and len(context) else None
        total = weights.sum()
        best: list[Scored] = []
        for item in best_first(weights, expected=count + 1):
            if len(best) >= count:
                break
            name = self.catalogue.item_ids[item]
            if item != left_out and (allowed is None or allowed(name)):
                best.append(Scored(name, float(weights[item] / total) if self.kind == "user" else None))
        return best

    def rank(self, *, user_id: str, item_ids: Sequence[str]) -> list[Scored]:
        if self.kind != "ranking":
            raise ValueError(f"{self.recipe} recommends and does not rank")
        weights = self.weigh(self.histories.newest(user_id))
        known = {item_id: code for item_id in item_ids if (code := self.catalogue.code(item_id)) is not None}
        fit = {item_id: float(weights[code]) for item_id, code in known.items()}
        total = sum(fit[item_id] for item_id in item_ids if item_id in fit)
        ranked = sorted(
            (item_id for item_id in item_ids if item_id in fit), key=fit.__getitem__, reverse=True
        )
        unknown = [item_id for item_id in item_ids if item_id not in fit]
        return [
            *(Scored(item_id, fit[item_id] / total) for item_id in ranked),
            *(Scored(item_id, 0.0) for item_id in unknown),
        ]

    def record(self, user_id: str, item_id: str, timestamp: int) -> None:
        item = self.catalogue.code(item_id)
        if item is not None and self.kind in ("user", "ranking"):
            self.histories.record(user_id, item, timestamp)

    def _context(self, *, user_id: str | None, item_id: str | None) -> Codes:
        """The items to weigh by."""
        if self.kind == "ranking":
            raise ValueError(f"{self.recipe} ranks a list and does not recommend")
        if self.kind == "user":
            if user_id is None:
                raise ValueError(f"{self.recipe} needs a user_id")
            return self.histories.newest(user_id)
        if self.kind == "item":
            if item_id is None:
                raise ValueError(f"{self.recipe} needs an item_id")
            item = self.catalogue.code(item_id)
            return np.array([] if item is None else [item], dtype=np.int32)
        return np.array([], dtype=np.int32)


def best_first(weights: Weights, *, expected: int) -> Iterator[int]:
    """The items by falling weight, equal ones in order of their codes; sorts only as far as is asked for.

    :param expected: how many will probably be taken.
    """
    size = len(weights)
    taken = 0
    reach = max(1, expected)
    while taken < size:
        if reach < size:
            least = np.partition(weights, size - reach)[size - reach]
            candidates = np.flatnonzero(weights >= least)
        else:
            candidates = np.arange(size)
        order = candidates[np.argsort(-weights[candidates], kind="stable")]
        yield from order[taken:].tolist()
        taken, reach = len(order), max(len(order) + 1, 4 * reach)
