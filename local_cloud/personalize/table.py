"""Records column by column, as arrays: millions of rows in little memory."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Row: TypeAlias = tuple[Any, ...]
"""Values in the order of the columns; None for null."""

Rows: TypeAlias = NDArray[np.int64] | NDArray[np.bool_]
"""Which rows: their places in order, or for each row whether it is meant."""

_AT_A_TIME: Final = 100_000  # rows that are turned into objects
_MULTIPLIER: Final = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Coded:
    """A column whose values repeat: each is kept once, a row takes 4 bytes.

    :param values: distinct; None for null.
    :param codes: per row, the place of its value.
    """

    values: Sequence[Any]
    codes: NDArray[np.int32]

    @classmethod
    def of(cls, values: Iterable[Any]) -> Coded:
        places: dict[Any, int] = {}
        codes = [places.setdefault(value, len(places)) for value in values]
        return cls(list(places), np.array(codes, dtype=np.int32))

    def __len__(self) -> int:
        return len(self.codes)

    def listed(self, rows: slice | Rows = slice(None)) -> list[Any]:
        values = self.values
        return [values[code] for code in self.codes[rows].tolist()]

    def take(self, rows: Rows) -> Coded:
        """Without values that no row has any more."""
        codes = self.codes[rows]
        used = np.flatnonzero(np.bincount(codes, minlength=len(self.values)))
        if len(used) == len(self.values):
            return Coded(self.values, codes)
        places = np.zeros(len(self.values), dtype=np.int32)
        places[used] = np.arange(len(used))
        return Coded([self.values[place] for place in used.tolist()], places[codes])

    def joined(self, other: Coded) -> Coded:
        places = {value: place for place, value in enumerate(self.values)}
        there = [places.setdefault(value, len(places)) for value in other.values]
        codes = np.array(there, dtype=np.int32)[other.codes] if len(other) else other.codes
        return Coded(list(places), np.concatenate([self.codes, codes]))

    def equality(self) -> list[NDArray[Any]]:
        """Arrays of numbers that are all equal where values are."""
        return [self.codes]


@dataclass(frozen=True)
class Numbers:
    """A column of numbers.

    :param numbers: NaN stands for null.
    :param nulls: per row of whole numbers, whether it is null; None where none is.
    """

    numbers: NDArray[np.int64] | NDArray[np.float64]
    nulls: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return len(self.numbers)

    def listed(self, rows: slice | Rows = slice(None)) -> list[Any]:
        numbers = self.numbers[rows]
        null = np.isnan(numbers) if self.nulls is None else self.nulls[rows]
        values: list[Any] = numbers.tolist()
        for place in np.flatnonzero(null).tolist():
            values[place] = None
        return values

    def take(self, rows: Rows) -> Numbers:
        return Numbers(self.numbers[rows], None if self.nulls is None else self.nulls[rows])

    def joined(self, other: Numbers) -> Numbers:
        nulls = None
        if self.nulls is not None or other.nulls is not None:
            nulls = np.concatenate([column.known_nulls() for column in (self, other)])
        return Numbers(np.concatenate([self.numbers, other.numbers]), nulls)

    def known_nulls(self) -> NDArray[np.bool_]:
        return np.zeros(len(self), dtype=bool) if self.nulls is None else self.nulls

    def equality(self) -> list[NDArray[Any]]:
        """As that of `Coded`."""
        numbers = self.numbers
        if numbers.dtype == np.float64:
            numbers = (numbers + 0.0).view(np.int64)  # -0 is 0
        return [numbers] if self.nulls is None else [numbers, self.nulls.astype(np.int64)]


Column: TypeAlias = Coded | Numbers


@dataclass(frozen=True)
class Table:
    """Columns of one length, by name; never changed, so any thread may read it."""

    columns: Mapping[str, Column]

    @classmethod
    def of(cls, names: Sequence[str], rows: Iterable[Row]) -> Table:
        """Of few rows."""
        listed = list(rows)
        return cls({name: Coded.of(row[place] for row in listed) for place, name in enumerate(names)})

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def rows(self) -> Iterator[Row]:
        for start in range(0, len(self), _AT_A_TIME):
            part = slice(start, start + _AT_A_TIME)
            yield from zip(*(column.listed(part) for column in self.columns.values()), strict=True)

    def take(self, rows: Rows) -> Table:
        return Table({name: column.take(rows) for name, column in self.columns.items()})

    def joined(self, other: Table) -> Table:
        """The rows of both, whose columns are the same."""
        return Table({name: _joined(column, other.columns[name]) for name, column in self.columns.items()})

    def distinct(self, by: Collection[str] | None = None) -> Table:
        """The first of each group of equal rows.

        :param by: columns; all of them if not given.
        """
        columns = [column for name, column in self.columns.items() if by is None or name in by]
        first = first_of_equals([key for column in columns for key in column.equality()])
        return self if first is None else self.take(first)

    def with_columns(self, names: Sequence[str]) -> Table:
        """With these columns, empty where there are none."""
        empty = Coded([None], np.zeros(len(self), dtype=np.int32))
        return Table({name: self.columns.get(name, empty) for name in names})

    def save(self, path: Path) -> None:
        arrays: dict[str, NDArray[Any]] = {}
        for name, column in self.columns.items():
            if isinstance(column, Coded):
                text = json.dumps(list(column.values)).encode()
                arrays[f"{name}.codes"] = column.codes
                arrays[f"{name}.values"] = np.frombuffer(text, dtype=np.uint8)
            else:
                arrays[f"{name}.numbers"] = column.numbers
                if column.nulls is not None:
                    arrays[f"{name}.nulls"] = column.nulls
        with path.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)

    @classmethod
    def load(cls, path: Path) -> Table:
        columns: dict[str, Column] = {}
        with np.load(path) as arrays:
            for key in arrays.files:
                name, _, part = key.rpartition(".")
                if part == "codes":
                    columns[name] = Coded(json.loads(arrays[f"{name}.values"].tobytes()), arrays[key])
                elif part == "numbers":
                    nulls = arrays[f"{name}.nulls"] if f"{name}.nulls" in arrays.files else None
                    columns[name] = Numbers(arrays[key], nulls)
        return cls(columns)


def _joined(one: Column, other: Column) -> Column:
    if isinstance(one, Coded) and isinstance(other, Coded):
        return one.joined(other)
    if isinstance(one, Numbers) and isinstance(other, Numbers):
        return one.joined(other)
    # One was made of few rows, or added empty when the schema was replaced
    return Coded.of([*one.listed(), *other.listed()])


def first_of_equals(keys: Sequence[NDArray[Any]]) -> NDArray[np.bool_] | None:
    """For each row, whether no earlier one has the same keys; None where all rows differ.

    Rows are told apart by a hash of 64 bits, those that share one by their keys.
    """
    hashes = np.zeros(len(keys[0]), dtype=np.uint64)
    for key in keys:
        hashes ^= key.astype(np.int64).view(np.uint64)
        hashes *= _MULTIPLIER
        hashes ^= hashes >> np.uint64(32)
    ordered = np.sort(hashes)
    repeated = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    del ordered
    if not len(repeated):
        return None
    places = np.minimum(np.searchsorted(repeated, hashes), len(repeated) - 1)
    suspects = np.flatnonzero(repeated[places] == hashes)
    # Stable: of equal rows the earliest comes first
    suspects = suspects[np.lexsort([key[suspects] for key in reversed(keys)])]
    equal = np.ones(len(suspects) - 1, dtype=bool)
    for key in keys:
        ordered = key[suspects]
        equal &= ordered[1:] == ordered[:-1]
    first = np.ones(len(hashes), dtype=bool)
    first[suspects[1:][equal]] = False
    return first
