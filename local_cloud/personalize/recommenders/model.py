"""A trained recommender of any recipe: weigh the catalogue, take the best."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice, repeat, tee
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from local_cloud.personalize.recommenders.conditions import Condition, Mask, Masks
from local_cloud.personalize.recommenders.contexts import Contexts
from local_cloud.personalize.recommenders.contract import Kind, Scored
from local_cloud.personalize.recommenders.exploration import Exploration, Newcomers, drawn, places
from local_cloud.personalize.recommenders.histories import Histories
from local_cloud.personalize.recommenders.influence import Influences
from local_cloud.personalize.recommenders.interactions import Catalogue, Codes
from local_cloud.personalize.recommenders.trending import Trends
from local_cloud.personalize.recommenders.weighed import Weighed
from local_cloud.personalize.recommenders.weighing import Weigh


class _Placed(NamedTuple):
    """An item in its place of an answer."""

    item: int
    weight: float
    is_explored: bool = False


@dataclass(frozen=True, kw_only=True)
class CatalogueModel:
    """The model of every recipe; recipes differ in what they weigh by.

    Scores are the softmax, at temperature 1, of the logarithm of the weights, which is each item's share of
    all weight. They add up to 1 over the catalogue, so they are small and say nothing across models. API
    reference, "GetRecommendations": an answer is in falling order of its scores. So an explored item has the
    score of the place that was drawn for it, and all scores are those of the same answer without exploration.

    Safe to use from several threads: only `histories`, `trends`, `masks`, `contexts` and, for new items,
    `newcomers` and `catalogue` ever change, and each of them is.

    :param weigh: gives weights above 0 for "user" and "ranking"; any for the others, which show no score.
    :param scored: whether answers to users show scores.
    :param touched: of the v2 recipes, which items anybody had touched at training: a ranking scores no other.
        What they recommend has a score, by its own weight, where it is liked, and a reason elsewhere.
    :param newcomers: what to explore; None for recipes that do not.
    :param always_explores: also when a request says nothing of it.
    :param trends: what streamed events change; None but for trending-now.
    :param contexts: what circumstances change; None where the data tell of none.
    :param influences: what a campaign's `rankingInfluence` changes; None for recipes that do not heed it.
    """

    recipe: str
    kind: Kind
    catalogue: Catalogue
    weigh: Weigh
    histories: Histories
    scored: bool = True
    touched: Mask | None = None
    newcomers: Newcomers | None = None
    always_explores: Exploration | None = None
    trends: Trends | None = None
    contexts: Contexts | None = None
    influences: Influences | None = None
    metrics: dict[str, float] = field(default_factory=dict)
    masks: Masks = field(default_factory=Masks)

    def recommend(
        self,
        *,
        user_id: str | None,
        item_id: str | None,
        count: int,
        allowed: Callable[[str], bool] | None = None,
        explore: Exploration | None = None,
        context: Mapping[str, str] = MappingProxyType({}),
        influence: Mapping[str, float] = MappingProxyType({}),
    ) -> list[Scored]:
        touched = self._touched(user_id=user_id, item_id=item_id)
        weighed = self._under(context, self.weigh(touched, user_id))
        if self.influences is not None:
            weighed = self.influences.applied(weighed, influence)
        left_out = int(touched[0]) if self.kind == "item" and len(touched) else -1
        explore = explore or self.always_explores
        among = None
        if isinstance(allowed, Condition):
            # Made after `weighed`, so that it covers all items there
            among, allowed = self.masks.of(allowed, self.catalogue), allowed.besides

        def passing(items: Iterable[tuple[int, float]]) -> Iterator[tuple[int, float]]:
            for item, weight in items:
                if item != left_out and (allowed is None or allowed(self.catalogue.item_ids[item])):
                    yield item, weight

        best, in_order = tee(passing(weighed.best_first(expected=count + 1, among=among)))
        if explore is not None and explore.weight > 0 and user_id is not None and self.newcomers is not None:
            new = passing(self._to_explore(weighed, explore, user_id=user_id, among=among))
            placed = _exploring(best, new, places(explore.weight, user_id=user_id))
        else:
            placed = (_Placed(*each) for each in best)
        answer = islice(placed, max(0, count))
        names = self.catalogue.item_ids
        if self.kind != "user" or not self.scored:
            return [Scored(names[each.item], None) for each in answer]
        if self.touched is not None:
            total = weighed.total_of_liked
            return [_with_reason(names[each.item], each, weighed, total) for each in answer]
        total = weighed.total
        # What has come since training is in no order
        weights = chain((weight for _, weight in in_order), repeat(weighed.least))
        return [
            Scored(names[each.item], weight / total) for each, weight in zip(answer, weights, strict=False)
        ]

    def rank(
        self,
        *,
        user_id: str,
        item_ids: Sequence[str],
        context: Mapping[str, str] = MappingProxyType({}),
    ) -> list[Scored]:
        if self.kind != "ranking":
            raise ValueError(f"{self.recipe} recommends and does not rank")
        weighed = self._under(context, self.weigh(self.histories.newest(user_id), user_id))
        known = [item_id for item_id in item_ids if self._can_rank(item_id)]
        weights = weighed.of(self.catalogue.codes(known))
        fit = dict(zip(known, weights.tolist(), strict=True))
        total = sum(fit[item_id] for item_id in known)
        unknown = [item_id for item_id in item_ids if item_id not in fit]
        return [
            *(Scored(name, fit[name] / total) for name in sorted(known, key=fit.__getitem__, reverse=True)),
            *(Scored(item_id, 0.0 if self.touched is None else None) for item_id in unknown),
        ]

    def admit(self, created: Mapping[str, float | None]) -> None:
        if self.newcomers is None:
            return
        new = {item_id: at for item_id, at in created.items() if self.catalogue.code(item_id) is None}
        if new:
            self.newcomers.admit({self.catalogue.admit(item_id): at for item_id, at in new.items()})

    def record(self, user_id: str, item_id: str, timestamp: int) -> None:
        if self.trends is not None:
            self.trends.record(self.catalogue.admit(item_id), timestamp)
            return
        item = self.catalogue.code(item_id)
        if item is not None and self.kind in ("user", "ranking"):
            self.histories.record(user_id, item, timestamp)

    def _under(self, context: Mapping[str, str], weighed: Weighed) -> Weighed:
        return self.contexts.applied(weighed, context) if self.contexts is not None and context else weighed

    def _touched(self, *, user_id: str | None, item_id: str | None) -> Codes:
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

    def _can_rank(self, item_id: str) -> bool:
        item = self.catalogue.code(item_id)
        return item is not None and (self.touched is None or bool(self.touched[item]))

    def _to_explore(
        self, weighed: Weighed, explore: Exploration, *, user_id: str, among: Mask | None
    ) -> Iterator[tuple[int, float]]:
        """New items, in the order that was drawn for this user."""
        assert self.newcomers is not None
        new = self.newcomers.younger_than(explore.age_cutoff_days)
        if among is not None:
            new = new[new < len(among)]  # One may have come since
            new = new[among[new]]
        weights = weighed.of(new)
        order = drawn(weights, user_id=user_id)
        return zip(new[order].tolist(), weights[order].tolist(), strict=True)


def _exploring(
    best: Iterator[tuple[int, float]], new: Iterator[tuple[int, float]], are_new: Iterable[bool]
) -> Iterator[_Placed]:
    """`best`, with new items in a part of the places; each item comes once."""
    given: set[int] = set()
    for is_new in are_new:
        for queue in (new, best) if is_new else (best, new):
            found = next((each for each in queue if each[0] not in given), None)
            if found is not None:
                break
        else:
            return
        given.add(found[0])
        yield _Placed(*found, is_explored=queue is new)


def _with_reason(name: str, placed: _Placed, weighed: Weighed, total: float) -> Scored:
    if placed.is_explored:
        return Scored(name, None, "Exploration")
    if not weighed.is_liked(placed.item):
        return Scored(name, None, "Popular item")
    return Scored(name, placed.weight / total)
