"""Interactions of any number, as a training takes them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from local_cloud.personalize.schemas import camel_case
from local_cloud.personalize.streamed import Touch
from local_cloud.personalize.table import Coded, Column, Numbers, Rows, Table

_NAMES: Final = ("USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE", "EVENT_VALUE")


@dataclass(frozen=True)
class Touches:
    """
    :param table: of the columns of a `Touch`, and those that tell the circumstances.
    """

    table: Table

    @classmethod
    def of(cls, touches: Iterable[Touch] = (), contexts: Sequence[str] = ()) -> Touches:
        """:param contexts: columns that tell the circumstances."""
        users, items, times, kinds, values, properties = tuple(zip(*touches, strict=True)) or ((),) * 6
        about = {
            name: Coded.of(_text((each or {}).get(camel_case(name))) for each in properties)
            for name in contexts
        }
        return cls._of(
            Coded.of(users), Coded.of(items), _whole(times), Coded.of(kinds), _floats(values), about=about
        )

    @classmethod
    def of_dataset(cls, table: Table, contexts: Sequence[str] = ()) -> Touches:
        """
        :param table: of an Interactions dataset.
        :param contexts: its columns that tell the circumstances.
        """
        columns = table.columns
        times, kinds = columns["TIMESTAMP"], columns.get("EVENT_TYPE")
        values = columns.get("EVENT_VALUE")
        return cls._of(
            _coded(columns["USER_ID"]),
            _coded(columns["ITEM_ID"]),
            times if isinstance(times, Numbers) else _whole(times.listed()),
            Coded([None], np.zeros(len(table), dtype=np.int32)) if kinds is None else _coded(kinds),
            Numbers(np.full(len(table), np.nan)) if values is None else _floats_of(values),
            about={name: _coded(columns[name]) for name in contexts},
        )

    @classmethod
    def _of(cls, *columns: Column, about: Mapping[str, Coded]) -> Touches:
        return cls(Table({**dict(zip(_NAMES, columns, strict=True)), **about}))

    def __len__(self) -> int:
        return len(self.table)

    @property
    def users(self) -> Coded:
        return _coded(self.table.columns["USER_ID"])

    @property
    def items(self) -> Coded:
        return _coded(self.table.columns["ITEM_ID"])

    @property
    def event_types(self) -> Coded:
        return _coded(self.table.columns["EVENT_TYPE"])

    @property
    def timestamps(self) -> NDArray[np.int64]:
        """Unix seconds."""
        column = self.table.columns["TIMESTAMP"]
        assert isinstance(column, Numbers)
        return column.numbers.astype(np.int64, copy=False)

    @property
    def event_values(self) -> NDArray[np.float64]:
        """NaN where an interaction has none."""
        column = self.table.columns["EVENT_VALUE"]
        assert isinstance(column, Numbers)
        return column.numbers.astype(np.float64, copy=False)

    @property
    def contexts(self) -> dict[str, Coded]:
        return {name: _coded(each) for name, each in self.table.columns.items() if name not in _NAMES}

    def with_contexts(self, names: Collection[str]) -> Touches:
        """Without the other columns that tell the circumstances."""
        kept = {name: self.table.columns[name] for name in _NAMES}
        return Touches(Table({**kept, **{name: c for name, c in self.contexts.items() if name in names}}))

    def listed(self, rows: slice | Rows = slice(None)) -> list[Touch]:
        return [
            Touch(*row)
            for row in zip(*(self.table.columns[name].listed(rows) for name in _NAMES), strict=True)
        ]

    def take(self, rows: Rows) -> Touches:
        return Touches(self.table.take(rows))

    def with_those(self, others: Touches) -> Touches:
        """Both, an interaction in both once, whatever is told of its circumstances."""
        table = self.table.joined(others.table) if len(others) else self.table
        return Touches(table.distinct(by=_NAMES))

    def without_users(self, user_ids: Collection[str]) -> Touches:
        users = self.users
        stays = np.array([user_id not in user_ids for user_id in users.values], dtype=bool)
        return self if stays.all() else self.take(stays[users.codes])

    def save(self, path: Path) -> None:
        self.table.save(path)

    @classmethod
    def load(cls, path: Path) -> Touches:
        return cls(Table.load(path))


class ByUser:
    """The interactions of each user, found without a look at the others'."""

    def __init__(self, touches: Touches) -> None:
        users = touches.users
        self._touches = touches
        self._code_of = {user_id: code for code, user_id in enumerate(users.values)}
        self._rows = np.argsort(users.codes, kind="stable").astype(np.int32)
        self._starts = np.concatenate([[0], np.cumsum(np.bincount(users.codes, minlength=len(users.values)))])

    def of(self, user_id: str) -> list[Touch]:
        code = self._code_of.get(user_id)
        if code is None:
            return []
        return self._touches.listed(self._rows[self._starts[code] : self._starts[code + 1]].astype(np.int64))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _coded(column: Column) -> Coded:
    return column if isinstance(column, Coded) else Coded.of(map(str, column.listed()))


def _whole(values: Iterable[Any]) -> Numbers:
    return Numbers(np.array(list(values), dtype=np.int64))


def _floats(values: Iterable[float | None]) -> Numbers:
    return Numbers(np.array([np.nan if v is None else v for v in values], dtype=np.float64))


def _floats_of(column: Column) -> Numbers:
    if isinstance(column, Coded):
        return _floats(v if isinstance(v, (int, float)) else None for v in column.listed())
    numbers = column.numbers.astype(np.float64, copy=False)
    return Numbers(numbers if column.nulls is None else np.where(column.nulls, np.nan, numbers))
