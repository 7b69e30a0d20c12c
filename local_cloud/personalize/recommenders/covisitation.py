"""Which items go together: co-visitation with decay by distance, as sparse rows of neighbours.

Two items of one history at distance d vote for each other, forward with d^-0.75 and backward with 0.8 of
that; across a pause with 0.7 of it. Repeats of one item vote too: people do come back to what they looked at.
"""

from __future__ import annotations

from typing import Final, TypeAlias

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray

from local_cloud.personalize.recommenders.interactions import Codes, EventLog

Weights: TypeAlias = NDArray[np.float64]
"""One number per item of the catalogue."""

_REACH: Final = 20  # events apart; farther ones say next to nothing
_DISTANCE_EXPONENT: Final = -0.75
_BACKWARD: Final = 0.8
_ACROSS_A_PAUSE: Final = 0.7
_FROM_EXPONENT: Final = -0.7
_TO_EXPONENT: Final = -0.2
_EVENTS_WORTH_LIKENESS: Final = 2  # with so many events an item's looks count half
_BLOCK: Final = 250_000  # events counted at a time: bounds the memory to some 150 MB


class CoVisitation:
    """The neighbours of each item, strongest kept.

    :param neighbours: how many to keep per item.
    :param decay: whether a pair counts less the farther apart it is.
    :param likeness: of each item that few have touched to others that look like it, 0 to 1. It stands in for
        the votes they lack, less so with every event.
    """

    def __init__(
        self, log: EventLog, *, neighbours: int, decay: bool = True, likeness: sparse.csr_array | None = None
    ) -> None:
        self._size = len(log.catalogue)
        rows = _strongest(_scaled(_votes(log, decay=decay), log.counts), neighbours)
        if likeness is not None:
            rows = _strongest(_blended(rows, likeness, log.counts), neighbours)
        self._starts: NDArray[np.int64] = rows.indptr.astype(np.int64)
        self._neighbours: Codes = rows.indices.astype(np.int32)
        self._strengths: NDArray[np.float64] = rows.data.astype(np.float64)

    def around(self, items: Codes, weights: NDArray[np.float64]) -> Weights:
        """The neighbour rows of `items`, added up with `weights`."""
        starts, ends = self._starts[items], self._starts[items + 1]
        lengths = ends - starts
        # The positions of all rows in one array: much faster than a slice and an addition per row
        positions = np.arange(lengths.sum()) + np.repeat(starts - np.cumsum(lengths) + lengths, lengths)
        weights_per_item: Weights = np.bincount(
            self._neighbours[positions],
            weights=self._strengths[positions] * np.repeat(weights, lengths),
            minlength=self._size,
        ).astype(np.float64)
        return weights_per_item


def _votes(log: EventLog, *, decay: bool) -> sparse.csr_array:
    size = len(log.catalogue)
    total = sparse.csr_array((size, size), dtype=np.float32)
    for block in log.blocks(_BLOCK):
        users, items, visits = log.users[block], log.items[block], log.visits[block]
        sources, targets, votes = [], [], []
        for distance in range(1, min(_REACH, len(items) - 1) + 1):
            together = users[distance:] == users[:-distance]
            across = visits[distance:][together] != visits[:-distance][together]
            vote = distance**_DISTANCE_EXPONENT if decay else 1.0
            sources.append(items[:-distance][together])
            targets.append(items[distance:][together])
            votes.append(np.where(across, np.float32(vote * _ACROSS_A_PAUSE), np.float32(vote)))
        if sources:
            pairs = (np.concatenate(sources), np.concatenate(targets))
            total = total + sparse.coo_array((np.concatenate(votes), pairs), shape=(size, size)).tocsr()
    return (total + np.float32(_BACKWARD) * total.T).tocsr()


def _scaled(votes: sparse.csr_array, counts: NDArray[np.int64]) -> sparse.csr_array:
    """Popular items have votes for everything and from everything: both ends are held back."""
    counted = np.maximum(counts, 1).astype(np.float32)
    sources = np.repeat(np.arange(votes.shape[0]), np.diff(votes.indptr))
    data = votes.data * (counted**_FROM_EXPONENT)[sources] * (counted**_TO_EXPONENT)[votes.indices]
    return sparse.csr_array((data, votes.indices, votes.indptr), shape=votes.shape)


def _blended(
    rows: sparse.csr_array, likeness: sparse.csr_array, counts: NDArray[np.int64]
) -> sparse.csr_array:
    """An item exactly alike, of one that nobody has touched, is worth the best neighbour of a usual item."""
    strongest = rows.max(axis=1).toarray().ravel()
    usual = np.median(strongest[strongest > 0]) if strongest.any() else 1.0
    newness = sparse.diags_array(usual * _EVENTS_WORTH_LIKENESS / (counts + _EVENTS_WORTH_LIKENESS))
    looks = (newness @ likeness).tocsr()
    return (rows + looks + looks.T).tocsr()


def _strongest(rows: sparse.csr_array, count: int) -> sparse.csr_array:
    kept = np.ones(rows.nnz, dtype=bool)
    for row in np.flatnonzero(np.diff(rows.indptr) > count):
        start, end = rows.indptr[row], rows.indptr[row + 1]
        surplus = end - start - count
        kept[start + np.argpartition(rows.data[start:end], surplus)[:surplus]] = False
    starts = np.concatenate([[0], np.cumsum(kept)])[rows.indptr]
    return sparse.csr_array((rows.data[kept], rows.indices[kept], starts), shape=rows.shape)
