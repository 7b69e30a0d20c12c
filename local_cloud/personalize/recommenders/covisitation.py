"""Which items go together: co-visitation with decay by distance, as sparse rows of neighbours.

Two items of one history at distance d vote for each other, forward with d^-0.75 and backward with 0.8 of
that; across a pause with 0.7 of it. Repeats of one item vote too: people do come back to what they looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray

from local_cloud.personalize.recommenders.interactions import Codes, EventLog
from local_cloud.personalize.recommenders.neighbours import strongest

_REACH: Final = 20  # events apart; farther ones say next to nothing
_DISTANCE_EXPONENT: Final = -0.75
_BACKWARD: Final = 0.8
ACROSS_A_PAUSE: Final = 0.7
_FROM_EXPONENT: Final = -0.7
_TO_EXPONENT: Final = -0.2
_EVENTS_WORTH_LIKENESS: Final = 2  # with so many events an item's looks count half
_BLOCK: Final = 250_000  # events whose votes are counted at a time: bounds the memory to some 400 MB


class CoVisitation:
    """The neighbours of each item, strongest kept.

    :param neighbours: how many to keep per item.
    :param decay: whether a pair counts less the farther apart it is.
    :param across: what a pair counts that a pause parts.
    :param likeness: of each item that few have touched to others that look like it, 0 to 1. It stands in for
        the votes they lack, less so with every event.
    """

    def __init__(
        self,
        log: EventLog,
        *,
        neighbours: int,
        decay: bool = True,
        across: float = ACROSS_A_PAUSE,
        likeness: sparse.csr_array | None = None,
    ) -> None:
        # Rows are complete as they come, so that only the strongest are ever held of all items at once
        votes = _scaled_votes(log, decay=decay, across=across)
        rows = _stacked([strongest(rows, neighbours) for rows in votes], log)
        if likeness is not None:
            rows = strongest(_blended(rows, likeness, log.counts), neighbours)
        self._starts: NDArray[np.int64] = rows.indptr.astype(np.int64)
        self._neighbours: Codes = rows.indices.astype(np.int32, copy=False)
        self._strengths: NDArray[np.float32] = rows.data.astype(np.float32, copy=False)

    def around(self, items: Codes, weights: NDArray[np.float64]) -> tuple[Codes, NDArray[np.float64]]:
        """The neighbour rows of `items`, each times its weight, one after the other.

        :returns: neighbours, any of them several times, and how strong each is.
        """
        starts, ends = self._starts[items], self._starts[items + 1]
        lengths = ends - starts
        # The positions of all rows in one array: much faster than a slice and an addition per row
        positions = np.arange(lengths.sum()) + np.repeat(starts - np.cumsum(lengths) + lengths, lengths)
        return self._neighbours[positions], self._strengths[positions] * np.repeat(weights, lengths)


def _scaled_votes(log: EventLog, *, decay: bool, across: float) -> Iterator[sparse.csr_array]:
    """The rows of all items, some at a time.

    Popular items have votes for everything and from everything: both ends are held back.
    """
    counted = np.maximum(log.counts, 1).astype(np.float32)
    from_factor, to_factor = counted**_FROM_EXPONENT, counted**_TO_EXPONENT
    votes = _Votes(log, decay=decay, across=across)
    for first, last in _batches(log.counts):
        rows = votes.of(first, last)
        sources = np.repeat(np.arange(first, last), np.diff(rows.indptr))
        rows.data *= from_factor[sources] * to_factor[rows.indices]
        yield rows


def _batches(counts: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Ranges of items with about a block of events together; an item with more has a range of its own."""
    ends = np.cumsum(counts)
    first = 0
    while first < len(counts):
        before = int(ends[first - 1]) if first else 0
        last = max(first + 1, int(np.searchsorted(ends, before + _BLOCK, side="right")))
        yield first, last
        first = last


class _Votes:
    """All votes that items get, looked up by the item that gives them."""

    def __init__(self, log: EventLog, *, decay: bool, across: float) -> None:
        self._log = log
        self._across = np.float32(across)
        self._size = len(log.catalogue)
        self._events = np.argsort(log.items, kind="stable").astype(np.int32)  # those of each item together
        self._starts = np.concatenate([[0], np.cumsum(log.counts)])
        # How far from each event the user's history, and the visit, reach
        self._history = _reaches(log.users)
        self._visit = _reaches(log.visits)
        distances = np.arange(1, _REACH + 1)
        self._vote = (distances**_DISTANCE_EXPONENT if decay else np.ones(_REACH)).astype(np.float32)

    def of(self, first: int, last: int) -> sparse.csr_array:
        """The rows of the items from `first` up to `last`."""
        start, end = int(self._starts[first]), int(self._starts[last])
        total = sparse.csr_array((last - first, self._size), dtype=np.float32)
        for block in range(start, end, _BLOCK):
            events = slice(block, min(block + _BLOCK, end))
            bounds = np.clip(self._starts[first : last + 1], events.start, events.stop) - events.start
            total = total + self._counted(self._events[events], bounds)
        return total

    def _counted(self, events: Codes, bounds: NDArray[np.int64]) -> sparse.csr_array:
        """:param bounds: where the events of each item begin, and the last ends."""
        distances = np.arange(1, _REACH + 1, dtype=np.int32)
        targets = np.empty((len(events), 2 * _REACH), dtype=np.int32)
        votes = np.empty((len(events), 2 * _REACH), dtype=np.float32)
        for half, (step, factor) in enumerate(((1, 1.0), (-1, _BACKWARD))):
            columns = slice(half * _REACH, (half + 1) * _REACH)
            within = distances <= self._history[step][events][:, None]
            in_visit = distances <= self._visit[step][events][:, None]
            places = np.where(within, events[:, None] + step * distances, 0)
            targets[:, columns] = self._log.items[places]
            vote = np.where(in_visit, np.float32(1), self._across) * within
            votes[:, columns] = vote * (self._vote * np.float32(factor))
            if self._log.weights is not None:
                votes[:, columns] *= self._log.weights[places]
        shape = (len(bounds) - 1, self._size)
        pairs = sparse.csr_array((votes.ravel(), targets.ravel(), 2 * _REACH * bounds), shape=shape)
        # The product with 1 adds up what belongs together, without the sorting that scipy's own way takes
        rows = (pairs @ sparse.eye_array(self._size, format="csr", dtype=np.float32)).tocsr()
        rows.eliminate_zeros()
        return rows


def _reaches(runs: NDArray[np.int32]) -> dict[int, NDArray[np.uint8]]:
    """Per event, how many follow (1) and precede it (-1) within its run of equal numbers, up to 20."""
    size = len(runs)
    changes = np.flatnonzero(np.diff(runs)) + 1
    starts = np.concatenate([np.zeros(min(1, size), dtype=np.int64), changes])
    lengths = np.diff(np.append(starts, size))
    before = np.arange(size) - np.repeat(starts, lengths)
    after = np.repeat(lengths, lengths) - before - 1
    return {
        1: np.minimum(after, _REACH).astype(np.uint8),
        -1: np.minimum(before, _REACH).astype(np.uint8),
    }


def _stacked(rows: list[sparse.csr_array], log: EventLog) -> sparse.csr_array:
    size = len(log.catalogue)
    lengths = np.concatenate([np.diff(part.indptr) for part in rows])
    return sparse.csr_array(
        (
            np.concatenate([part.data for part in rows]),
            np.concatenate([part.indices for part in rows]),
            np.concatenate([[0], np.cumsum(lengths)]),
        ),
        shape=(size, size),
    )


def _blended(
    rows: sparse.csr_array, likeness: sparse.csr_array, counts: NDArray[np.int64]
) -> sparse.csr_array:
    """An item exactly alike, of one that nobody has touched, is worth the best neighbour of a usual item."""
    best = rows.max(axis=1).toarray().ravel()
    usual = np.median(best[best > 0]) if best.any() else 1.0
    newness = usual * _EVENTS_WORTH_LIKENESS / (counts + _EVENTS_WORTH_LIKENESS)
    looks = (sparse.diags_array(newness.astype(np.float32)) @ likeness).tocsr()
    return (rows + looks + looks.T).tocsr()
