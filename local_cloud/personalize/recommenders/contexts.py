"""What the circumstances of a request are good for: on a phone, in the rain, people take other things.

Developer guide, "Increasing recommendation relevance with contextual metadata": columns of the Interactions
dataset, by whose names and values a request tells its `context`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

import numpy as np
import scipy.sparse as sparse

from local_cloud.personalize.recommenders.columns import IdCodes
from local_cloud.personalize.recommenders.contract import Interactions
from local_cloud.personalize.recommenders.interactions import Catalogue
from local_cloud.personalize.recommenders.kept import Kept
from local_cloud.personalize.recommenders.weighed import Background, Weighed, Weights

_EVENTS_WORTH_ALL: Final = 50.0  # with so many events a value counts half
_MOST_KEPT: Final = 32  # backgrounds of combinations; one of 100,000 items takes a megabyte

Circumstances: TypeAlias = tuple[tuple[str, int], ...]
"""Columns, and the places of their values."""


class Contexts:
    """How much likelier than at large each item is under each value of each column."""

    def __init__(self, interactions: Interactions, catalogue: Catalogue) -> None:
        items = IdCodes.of(interactions.item_ids)
        by_item = catalogue.codes(items.distinct)[items.codes]
        size = len(catalogue)
        counts = np.bincount(by_item, minlength=size) + 0.01
        self._shares: Weights = counts / counts.sum()
        self._values: dict[str, dict[str, int]] = {}
        self._taken: dict[str, sparse.csr_array] = {}
        ones = np.ones(len(by_item), dtype=np.float32)
        for name, column in interactions.contexts.items():
            values: Sequence[str | None] = column.values
            self._values[name] = {value: place for place, value in enumerate(values) if value is not None}
            table = sparse.coo_array((ones, (column.codes, by_item)), shape=(len(values), size))
            self._taken[name] = table.tocsr()
        self._kept: Kept[tuple[Background, Circumstances], tuple[Background, Weights]] = Kept(_MOST_KEPT)

    def applied(self, weighed: Weighed, context: Mapping[str, str]) -> Weighed:
        """As everything weighs under `context`; columns and values that nobody has heard of say nothing."""
        known = self._known(context)
        if not known:
            return weighed
        before = weighed.background
        return weighed.lifted(*self._kept.of((before, known), lambda: self._lifted(before, known)))

    def _known(self, context: Mapping[str, str]) -> Circumstances:
        return tuple(
            (name, place)
            for name, value in sorted(context.items())
            if (place := self._values.get(name, {}).get(value)) is not None
        )

    def _lifted(self, background: Background, known: Circumstances) -> tuple[Background, Weights]:
        lift = np.ones(len(self._shares))
        for name, place in known:
            row = self._taken[name][[place]].toarray().ravel()
            expected = self._shares * (row.sum() + _EVENTS_WORTH_ALL)
            lift *= (row + _EVENTS_WORTH_ALL * self._shares) / expected
        return Background(background.weights * lift), lift
