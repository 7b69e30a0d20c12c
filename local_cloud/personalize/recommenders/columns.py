"""Ids of many events in little memory."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray


class IdCodes(Sequence[str]):
    """A column of ids that is complete.

    :param distinct: each id once; each is in a row.
    :param codes: per row, the place of its id in `distinct`.
    """

    def __init__(self, distinct: Sequence[str], codes: NDArray[np.int32]) -> None:
        self.distinct = distinct
        self.codes = codes

    @classmethod
    def of(cls, ids: Sequence[str]) -> IdCodes:
        if isinstance(ids, cls):
            return ids
        column = ids if isinstance(ids, IdColumn) else IdColumn(ids)
        return cls(column.distinct, column.codes())

    def __len__(self) -> int:
        return len(self.codes)

    def __iter__(self) -> Iterator[str]:
        distinct = self.distinct
        return (distinct[code] for code in self.codes.tolist())

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[str]: ...
    def __getitem__(self, place: int | slice) -> str | Sequence[str]:
        if isinstance(place, slice):
            return [self.distinct[code] for code in self.codes[place].tolist()]
        return self.distinct[int(self.codes[place])]


class IdColumn(Sequence[str]):
    """A column of ids that can be appended to: each distinct id is kept once, a row takes 4 bytes.

    20 million rows as Python strings would take more than a gigabyte.
    """

    def __init__(self, ids: Iterable[str] = ()) -> None:
        self._code_of: defaultdict[str, int] = defaultdict()
        self._code_of.default_factory = self._code_of.__len__
        self._codes = array("i")
        self.extend(ids)

    @property
    def distinct(self) -> list[str]:
        """In order of first appearance."""
        return list(self._code_of)

    def codes(self) -> NDArray[np.int32]:
        """Per row, the place of its id in `distinct`."""
        return np.array(self._codes, dtype=np.int32)

    def append(self, one: str) -> None:
        self._codes.append(self._code_of[one])

    def extend(self, ids: Iterable[str]) -> None:
        self._codes.extend(map(self._code_of.__getitem__, ids))

    def __len__(self) -> int:
        return len(self._codes)

    def __iter__(self) -> Iterator[str]:
        distinct = self.distinct
        return (distinct[code] for code in self._codes)

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[str]: ...
    def __getitem__(self, place: int | slice) -> str | Sequence[str]:
        distinct = self.distinct
        if isinstance(place, slice):
            return [distinct[code] for code in self._codes[place]]
        return distinct[self._codes[place]]
