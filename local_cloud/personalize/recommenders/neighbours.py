"""Sparse rows of neighbours, cut to the strongest."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sparse


def strongest(rows: sparse.csr_array, count: int) -> sparse.csr_array:
    """The `count` greatest of each row."""
    kept = np.ones(rows.nnz, dtype=bool)
    for row in np.flatnonzero(np.diff(rows.indptr) > count):
        start, end = rows.indptr[row], rows.indptr[row + 1]
        surplus = end - start - count
        kept[start + np.argpartition(rows.data[start:end], surplus)[:surplus]] = False
    starts = np.concatenate([[0], np.cumsum(kept)])[rows.indptr]
    return sparse.csr_array((rows.data[kept], rows.indices[kept], starts), shape=rows.shape)
