"""A trained recommender of any recipe: weigh the catalogue, take the best."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

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


@dataclass(frozen=True, kw_only=True)
class CatalogueModel:
    """The model of every recipe; recipes differ in what they weigh by.

    Scores are the softmax, at temperature 1, of the logarithm of the weights, which is each item's share of
    all weight. They add up to 1 over the catalogue, so they are small and say nothing across models.

    Safe to use from several threads: only `histories`, `trends`, `masks`, `contexts` and, for new items,
    `newcomers` and `catalogue` ever change, and each of them is.

    :param weigh: gives weights above 0 for "user" and "ranking"; any for the others, which show no score.
    :param scored: whether answers to users show scores.
    :param scores_popular: whether items that are there for their popularity alone have a score.
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
    scores_popular: bool = True
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
        best = weighed.best_first(expected=count + 1, among=among)
        if explore is not None and explore.weight > 0 and user_id is not None and self.newcomers is not None:
            best = self._exploring(best, weighed, explore, user_id=user_id, among=among)
        score = self._scoring(weighed)
        answer: list[Scored] = []
        if count < 1:
            return answer
        for item, weight in best:
            name = self.catalogue.item_ids[item]
            if item != left_out and (allowed is None or allowed(name)):
                answer.append(Scored(name, score(item, weight)))
                if len(answer) == count:
                    break
        return answer

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
        known = [item_id for item_id in item_ids if self.catalogue.code(item_id) is not None]
        weights = weighed.of(self.catalogue.codes(known))
        fit = dict(zip(known, weights.tolist(), strict=True))
        total = sum(fit[item_id] for item_id in known)
        unknown = [item_id for item_id in item_ids if item_id not in fit]
        return [
            *(Scored(name, fit[name] / total) for name in sorted(known, key=fit.__getitem__, reverse=True)),
            *(Scored(item_id, 0.0) for item_id in unknown),
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

    def _exploring(
        self,
        best: Iterator[tuple[int, float]],
        weighed: Weighed,
        explore: Exploration,
        *,
        user_id: str,
        among: Mask | None,
    ) -> Iterator[tuple[int, float]]:
        """`best`, with new items in a part of the places; each item comes once."""
        assert self.newcomers is not None
        new = self.newcomers.younger_than(explore.age_cutoff_days)
        if among is not None:
            new = new[new < len(among)]  # One may have come since
            new = new[among[new]]
        weights = weighed.of(new)
        order = drawn(weights, user_id=user_id)
        to_explore = iter(zip(new[order].tolist(), weights[order].tolist(), strict=True))
        given: set[int] = set()
        for is_new in places(explore.weight, user_id=user_id):
            queues = (to_explore, best) if is_new else (best, to_explore)
            found = next((each for queue in queues for each in queue if each[0] not in given), None)
            if found is None:
                return
            given.add(found[0])
            yield found

    def _scoring(self, weighed: Weighed) -> Callable[[int, float], float | None]:
        if self.kind != "user" or not self.scored:
            return lambda item, weight: None
        if self.scores_popular:
            total = weighed.total
            return lambda item, weight: weight / total
        total = weighed.total_standing_out
        return lambda item, weight: weight / total if weighed.stands_out(item) else None
