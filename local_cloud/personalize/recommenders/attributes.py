"""Which items look alike: TF-IDF over the words of their attributes, for items that few have touched."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray

from local_cloud.personalize.recommenders.interactions import Catalogue

_ALIKE: Final = 20  # items kept per item
_BLOCK: Final = 256  # items compared with all others at a time: bounds the memory
_WORD: Final = re.compile(r"\w+")


def words_of(attributes: Mapping[str, object]) -> Iterator[str]:
    """`column=value` of each value (several are separated by `|`), `column~word` of each word in it.

    Numbers are left out: that two of them are equal means little, and how near they are a word cannot say.
    """
    for column, value in attributes.items():
        if not isinstance(value, str):
            continue
        for choice in filter(None, value.split("|")):
            yield f"{column}={choice}"
            words = _WORD.findall(choice.lower())
            if len(words) > 1:
                yield from (f"{column}~{word}" for word in words)


def alike(
    items: Mapping[str, Mapping[str, object]], catalogue: Catalogue, rows: NDArray[np.int64]
) -> sparse.csr_array:
    """The cosine similarity, 0 to 1, of the items `rows` to the 20 most like each; other rows are empty."""
    size = len(catalogue)
    features = _features(items, catalogue)
    sources, targets, likeness = [], [], []
    for start in range(0, len(rows), _BLOCK):
        block = rows[start : start + _BLOCK]
        compared = (features[block] @ features.T).toarray()
        compared[np.arange(len(block)), block] = 0
        kept = min(_ALIKE, size)
        best = np.argpartition(compared, size - kept, axis=1)[:, size - kept :]
        sources.append(np.repeat(block, kept))
        targets.append(best.ravel())
        likeness.append(np.take_along_axis(compared, best, axis=1).ravel())
    if not sources:
        return sparse.csr_array((size, size), dtype=np.float32)
    pairs = (np.concatenate(sources), np.concatenate(targets))
    table = sparse.coo_array((np.concatenate(likeness), pairs), shape=(size, size)).tocsr()
    table.eliminate_zeros()
    return table


def _features(items: Mapping[str, Mapping[str, object]], catalogue: Catalogue) -> sparse.csr_array:
    """A row of unit length per item; rare words count more, those of all or of a single item not at all."""
    vocabulary: dict[str, int] = {}
    codes, columns = [], []
    for item_id, attributes in items.items():
        code = catalogue.code(item_id)
        for word in set(words_of(attributes)):
            codes.append(code)
            columns.append(vocabulary.setdefault(word, len(vocabulary)))
    shape = (len(catalogue), max(1, len(vocabulary)))
    counts = np.bincount(np.array(columns, dtype=np.int64), minlength=shape[1])
    rarity = np.where(counts > 1, np.log(len(items) / np.maximum(counts, 1)), 0.0).astype(np.float32)
    table = sparse.coo_array((rarity[columns], (codes, columns)), shape=shape).tocsr()
    lengths = np.sqrt(table.multiply(table).sum(axis=1))
    return sparse.diags_array(1 / np.maximum(lengths, np.float32(1e-12))) @ table
