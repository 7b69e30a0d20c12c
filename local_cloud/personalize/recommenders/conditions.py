"""Filters that many requests share: which items pass is found out once, not with every request."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from local_cloud.personalize.recommenders.interactions import Catalogue
from local_cloud.personalize.recommenders.kept import Kept

Mask: TypeAlias = NDArray[np.bool_]
"""Per item of a catalogue, whether it passes."""

_MOST_KEPT: Final = 64  # of one model; of 100,000 items each takes 100 kB


@dataclass(frozen=True)
class Condition:
    """A test of items that comes out the same for an item whenever `key` is the same.

    A model that is given one asks it of every item the first time, and answers later requests with the
    same key as fast as those without a filter, however few items pass.

    :param key: all that `passes` depends on but the item: the filter, its values, the state of the data.
        None for what no other request shares.
    :param besides: what an item must pass too, asked with every request: what depends on the user's history.
    :param at_once: `passes` of so many items of a catalogue, where there is a faster way than one by one.
    """

    passes: Callable[[str], bool]
    key: Hashable
    besides: Callable[[str], bool] | None = None
    at_once: Callable[[Catalogue, int], Mask] | None = None

    def __call__(self, item_id: str) -> bool:
        return self.passes(item_id) and (self.besides is None or self.besides(item_id))

    def but(self, further: Callable[[str], bool]) -> Condition:
        """One that an item passes only if it passes `further` as well."""
        before = self.besides
        if before is None:
            return replace(self, besides=further)
        return replace(self, besides=lambda item_id: before(item_id) and further(item_id))

    def of_all(self, catalogue: Catalogue, size: int) -> Mask:
        """`passes` of the first items of a catalogue."""
        if self.at_once is not None:
            return self.at_once(catalogue, size)
        return np.fromiter(map(self.passes, catalogue.item_ids[:size]), dtype=bool, count=size)


class Masks:
    """The masks of the conditions that were used last."""

    def __init__(self) -> None:
        self._kept: Kept[tuple[Hashable, int], Mask] = Kept(_MOST_KEPT)

    def of(self, condition: Condition, catalogue: Catalogue) -> Mask:
        """:param catalogue: may have grown since last time."""
        size = len(catalogue)
        if condition.key is None:
            return condition.of_all(catalogue, size)
        return self._kept.of((condition.key, size), lambda: condition.of_all(catalogue, size))
