"""Filters that many requests share: which items pass is found out once, not with every request."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Mask: TypeAlias = NDArray[np.bool_]
"""Per item of a catalogue, whether it passes."""

_MOST_KEPT: Final = 64  # of one model; of 100,000 items each takes 100 kB


@dataclass(frozen=True)
class Condition:
    """A test of items that comes out the same for an item whenever `key` is the same.

    A model that is given one asks `passes` of every item the first time, and answers later requests with the
    same key as fast as those without a filter, however few items pass.

    :param key: all that `passes` depends on but the item: the filter, its values, the state of the data.
    :param besides: what an item must pass too, asked with every request: what depends on the user's history.
    """

    passes: Callable[[str], bool]
    key: Hashable
    besides: Callable[[str], bool] | None = None

    def __call__(self, item_id: str) -> bool:
        return self.passes(item_id) and (self.besides is None or self.besides(item_id))

    def but(self, further: Callable[[str], bool]) -> Condition:
        """One that an item passes only if it passes `further` as well."""
        before = self.besides
        if before is None:
            return replace(self, besides=further)
        return replace(self, besides=lambda item_id: before(item_id) and further(item_id))


class Masks:
    """The masks of the conditions that were used last."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[Hashable, int], Mask] = OrderedDict()
        self._changing = threading.Lock()

    def of(self, condition: Condition, item_ids: Sequence[str]) -> Mask:
        """:param item_ids: of the catalogue, by their codes; may have grown since last time."""
        size = len(item_ids)
        with self._changing:
            mask = self._kept.get((condition.key, size))
            if mask is not None:
                self._kept.move_to_end((condition.key, size))
                return mask
        mask = np.fromiter(map(condition.passes, item_ids[:size]), dtype=bool, count=size)
        with self._changing:
            self._kept[condition.key, size] = mask
            if len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        return mask
