"""Filters applied to a whole catalogue at once: a request may let few of 100,000 items pass."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, Final
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from local_cloud.personalize.filter_grammar import Condition
from local_cloud.personalize.filters import (
    COMPARISONS,
    Alternatives,
    Applied,
    Facts,
    Values,
    matches,
    number_of,
    touched,
)
from local_cloud.personalize.recommenders import Catalogue, Mask
from local_cloud.personalize.table import Coded, Column, Table

_MEMBERSHIP: Final = ("IN", "NOT IN", "=", "!=")


class ItemColumns:
    """The Items dataset as it is at a moment: what was imported, with what was put in place of it.

    A place is a row of the table, then one of the items that were put, then one for all unknown items.

    :param put: items that were streamed, by id, never changed.
    :param before: of the same table, from which places of catalogues are taken over.
    """

    def __init__(
        self, table: Table | None, put: Mapping[str, Mapping[str, Any]], before: ItemColumns | None = None
    ) -> None:
        self._table = table
        self._put = put
        self._imported: _Places = before._imported if before and before._table is table else _Places(table)
        self._places: WeakKeyDictionary[Catalogue, NDArray[np.int64]] = WeakKeyDictionary()
        self._changing = threading.Lock()

    def places(self, catalogue: Catalogue, size: int) -> NDArray[np.int64]:
        """Per item of the catalogue, up to its `size`, where its values are."""
        with self._changing:
            known = self._places.get(catalogue)
            if known is not None and len(known) == size:
                return known
            rows = self._imported.of(catalogue, size)
            places = np.where(rows < 0, self._rows + len(self._put), rows)
            for place, item_id in enumerate(self._put, start=self._rows):
                code = catalogue.code(item_id)
                if code is not None and code < size:
                    places[code] = place
            self._places[catalogue] = places
            return places

    def meets(self, condition: Condition, values: Values) -> Mask:
        """Per place."""
        field, op = condition.field, condition.op
        put = [matches(op, record.get(field), values) for record in self._put.values()]
        behind = np.array([*put, matches(op, None, values)], dtype=bool)
        if self._table is None:
            return behind
        column = self._table.columns.get(field)
        if column is None:
            imported = np.full(self._rows, matches(op, None, values))
        else:
            imported = _meets(column, op, values)
        return np.concatenate([imported, behind])

    @property
    def _rows(self) -> int:
        return len(self._table) if self._table is not None else 0


class _Places:
    """The rows of a table's items."""

    def __init__(self, table: Table | None) -> None:
        self._table = table
        self._row_of: dict[str, int] | None = None
        self._known: WeakKeyDictionary[Catalogue, NDArray[np.int64]] = WeakKeyDictionary()
        self._changing = threading.Lock()

    def of(self, catalogue: Catalogue, size: int) -> NDArray[np.int64]:
        """Per item, -1 where it is in none."""
        with self._changing:
            known = self._known.get(catalogue)
            if known is None or len(known) != size:
                if self._row_of is None:
                    ids = self._table.columns["ITEM_ID"].listed() if self._table is not None else []
                    self._row_of = {item_id: row for row, item_id in enumerate(ids)}
                row_of = self._row_of
                rows = (row_of.get(item_id, -1) for item_id in catalogue.item_ids[:size])
                known = self._known[catalogue] = np.fromiter(rows, dtype=np.int64, count=size)
            return known


def _meets(column: Column, op: str, values: Values) -> Mask:
    if isinstance(column, Coded):
        if op in ("IN", "NOT IN"):
            wanted = set(values)
            met = [
                (
                    any(part in wanted for part in value.split("|"))
                    if isinstance(value, str) and "|" in value
                    else value in wanted
                )
                == (op == "IN")
                if isinstance(value, str)
                else matches(op, value, values)
                for value in column.values
            ]
        else:
            met = [matches(op, value, values) for value in column.values]
        return np.array(met, dtype=bool)[column.codes]
    numbers = [number_of(value) for value in values]
    known = [number for number in numbers if number is not None]
    null = column.known_nulls() | np.isnan(column.numbers)
    if op in ("IN", "NOT IN"):
        found: Mask = np.isin(column.numbers, known) & ~null
        return found if op == "IN" else ~found
    if len(known) != 1 or len(numbers) != 1:
        return np.array([matches(op, value, values) for value in column.listed()], dtype=bool)
    compared: Mask = COMPARISONS[op](column.numbers, known[0])
    return compared | null if op == "!=" else compared & ~null


def mask_of(applied: Applied, facts: Facts, columns: ItemColumns, catalogue: Catalogue, size: int) -> Mask:
    """Which items pass, as `Filter.allows` would tell of each."""
    places = columns.places(catalogue, size)

    def met(condition: Condition, values: Values) -> Mask:
        if condition.dataset == "interactions":
            return _those(touched(condition, values, facts.touches), catalogue, size)
        if condition.field == "ITEM_ID" and condition.op in _MEMBERSHIP:
            found = _those({str(value) for value in values}, catalogue, size)
            return found if condition.op in ("IN", "=") else ~found
        if condition.field == "ITEM_ID":
            ids = catalogue.item_ids[:size]
            return np.array([matches(condition.op, item_id, values) for item_id in ids], dtype=bool)
        return columns.meets(condition, values)[places]

    def one_of(alternatives: Alternatives) -> Mask:
        result = np.zeros(size, dtype=bool)
        for conditions in alternatives:
            each = np.ones(size, dtype=bool)
            for condition, values in conditions:
                each &= met(condition, values)
            result |= each
        return result

    if applied.lets_nothing_pass:
        return np.zeros(size, dtype=bool)
    passing = np.full(size, not applied.includes)
    for alternatives in applied.includes:
        passing |= one_of(alternatives)
    for alternatives in applied.excludes:
        passing &= ~one_of(alternatives)
    return passing


def _those(item_ids: set[str], catalogue: Catalogue, size: int) -> Mask:
    found = np.zeros(size, dtype=bool)
    for item_id in item_ids:
        code = catalogue.code(item_id)
        if code is not None and code < size:
            found[code] = True
    return found
