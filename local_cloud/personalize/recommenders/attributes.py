"""Which items look alike: TF-IDF over the words of their attributes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final, TypeAlias

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray

from local_cloud.personalize.recommenders.interactions import Catalogue, Codes
from local_cloud.personalize.recommenders.neighbours import strongest

_ALIKE: Final = 20  # items kept per item
_BLOCK: Final = 1024  # items compared at a time: bounds the memory
_PER_WORD: Final = 500  # items that a word leads to, the most touched: bounds the time
_WORD: Final = re.compile(r"\w+")
_MOST_POSTINGS: Final = 100_000  # entries read for one item, those of rare words first: bounds an answer

Items: TypeAlias = Mapping[str, Mapping[str, object]]
"""The columns of the Items dataset, by item id."""


def words_of(attributes: Mapping[str, object]) -> Iterator[str]:
    """`column=value` of each value (several are separated by `|`), `column~word` of each word in it.

    Numbers are left out: that two of them are equal means little, and how near they are a word cannot say.
    """
    for column, value in attributes.items():
        if not isinstance(value, str) or column == "ITEM_ID":
            continue
        for choice in filter(None, value.split("|")):
            yield f"{column}={choice}"
            words = _WORD.findall(choice.lower())
            if len(words) > 1:
                yield from (f"{column}~{word}" for word in words)


def features(items: Items, catalogue: Catalogue) -> sparse.csr_array:
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
    table = (sparse.diags_array(1 / np.maximum(lengths, np.float32(1e-12))) @ table).tocsr()
    table.eliminate_zeros()
    return table


def alike(
    items: Items, catalogue: Catalogue, rows: NDArray[np.int64], counts: NDArray[np.int64]
) -> sparse.csr_array:
    """The cosine similarity, 0 to 1, of the items `rows` to the 20 most like each; other rows are empty.

    Words that more than 500 items have lead only to the 500 that are touched most, which are the ones with
    votes to lend.

    :param counts: events per item.
    """
    size = len(catalogue)
    table = features(items, catalogue)
    led_to = _most_touched(table, counts)
    parts = []
    for start in range(0, len(rows), _BLOCK):
        block = rows[start : start + _BLOCK]
        compared = (table[block] @ led_to).tocsr()
        sources = block[np.repeat(np.arange(len(block)), np.diff(compared.indptr))]
        compared.data[compared.indices == sources] = 0
        compared.eliminate_zeros()
        parts.append(strongest(compared, _ALIKE))
    lengths = np.zeros(size, dtype=np.int64)
    if parts:
        lengths[rows] = np.concatenate([np.diff(part.indptr) for part in parts])
    return sparse.csr_array(
        (
            np.concatenate([np.empty(0, dtype=np.float32), *(part.data for part in parts)]),
            np.concatenate([np.empty(0, dtype=np.int32), *(part.indices for part in parts)]),
            np.concatenate([[0], np.cumsum(lengths)]),
        ),
        shape=(size, size),
    )


def _most_touched(table: sparse.csr_array, counts: NDArray[np.int64]) -> sparse.csr_array:
    """Words by items, with at most 500 items per word."""
    by_word = table.T.tocsr()
    words = np.repeat(np.arange(by_word.shape[0]), np.diff(by_word.indptr))
    order = np.lexsort((by_word.indices, -counts[by_word.indices], words))
    place = np.arange(len(order)) - by_word.indptr[words]
    kept = order[place < _PER_WORD]
    return sparse.csr_array((by_word.data[kept], (words[kept], by_word.indices[kept])), shape=by_word.shape)


class Semantics:
    """Every item's likeness to a given one, looked up as it is asked for."""

    def __init__(self, items: Items, catalogue: Catalogue) -> None:
        self._words = features(items, catalogue)
        self._items = self._words.T.tocsr()

    def around(self, item: int) -> tuple[Codes, NDArray[np.float64]]:
        """Items that share a word with `item`, any of them several times, and how much each word says."""
        own = slice(self._words.indptr[item], self._words.indptr[item + 1])
        words, says = self._words.indices[own], self._words.data[own]
        starts, ends = self._items.indptr[words], self._items.indptr[words + 1]
        rarest = np.argsort(ends - starts, kind="stable")
        read = np.cumsum((ends - starts)[rarest]) <= _MOST_POSTINGS
        read[:1] = True  # the rarest word always
        rows = [slice(starts[word], ends[word]) for word in rarest[read]]
        if not rows:
            return np.empty(0, dtype=np.int32), np.empty(0)
        found = np.concatenate([self._items.indices[row] for row in rows]).astype(np.int32, copy=False)
        likeness = np.concatenate(
            [self._items.data[row] * weight for row, weight in zip(rows, says[rarest[read]], strict=True)]
        )
        return found, likeness.astype(np.float64)
