"""The data of one dataset: imported in bulk, and streamed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from local_cloud.personalize.csv_import import Row
from local_cloud.personalize.schemas import Schema
from local_cloud.personalize.streamed import Event, StreamedEvents, Touch

ID_COLUMNS: Final = {"ITEMS": "ITEM_ID", "USERS": "USER_ID", "ACTIONS": "ACTION_ID"}


class Put(NamedTuple):
    """A record of PutItems or PutUsers; `values` by column."""

    record_id: str
    values: Mapping[str, Any]


class Bulk:
    """What was imported, made ready for every use; never changed, so any thread may read it.

    :param rows: distinct.
    """

    def __init__(self, schema: Schema, rows: Sequence[Row]) -> None:
        self.rows = rows
        self.touches: Sequence[Touch] = ()
        self.by_user: dict[str, list[Touch]] = {}
        self.records: dict[str, Mapping[str, Any]] = {}
        if schema.dataset_type == "INTERACTIONS":
            self.touches = list(_touches(schema, rows))
            for touch in self.touches:
                self.by_user.setdefault(touch.user_id, []).append(touch)
        elif schema.dataset_type in ID_COLUMNS:
            position = schema.columns.index(ID_COLUMNS[schema.dataset_type])
            self.records = {row[position]: dict(zip(schema.columns, row, strict=True)) for row in rows}


class Dataset:
    """
    :ivar bulk: of the last imports; None before the first.
    :ivar journal: all that was streamed, in the order in which it came.
    :ivar changes: how often anything in it has changed.
    """

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.bulk: Bulk | None = None
        self.events = StreamedEvents()
        self.journal: list[Event | Put] = []
        self.changes = 0
        self._put: dict[str, Mapping[str, Any]] = {}

    def load(self, bulk: Bulk) -> None:
        """In place of what was imported before; what was streamed stays."""
        self.bulk = bulk
        self.changes += 1

    def touches_of(self, user_id: str) -> list[Touch]:
        """A user's interactions, imported and streamed."""
        imported = self.bulk.by_user.get(user_id, ()) if self.bulk else ()
        return [*imported, *self.events.touches_of(user_id)]

    def stream(self, event: Event) -> list[Touch]:
        """PutEvents: what models must learn of it."""
        self.journal.append(event)
        self.changes += 1
        return self.events.add(event)

    def put(self, record_id: str, values: Mapping[str, Any]) -> None:
        """PutItems, PutUsers: replaces the whole record."""
        self.journal.append(Put(record_id, values))
        self.changes += 1
        record = {ID_COLUMNS[self.schema.dataset_type]: record_id, **values}
        # A new map, since trainings may be reading the old one
        self._put = {**self._put, record_id: record}

    def record(self, record_id: str) -> Mapping[str, Any]:
        """An item or user: its columns, none when it is unknown."""
        if record_id in self._put:
            return self._put[record_id]
        return self.bulk.records.get(record_id, {}) if self.bulk else {}

    def records(self) -> dict[str, Mapping[str, Any]]:
        """All items or users, by id."""
        return {**(self.bulk.records if self.bulk else {}), **self._put}

    def change_schema(self, schema: Schema) -> None:
        """To one with more columns, which what is there leaves empty."""
        old, self.schema = self.schema, schema
        if self.bulk is not None:
            rows = [dict(zip(old.columns, row, strict=True)) for row in self.bulk.rows]
            self.load(Bulk(schema, [tuple(row.get(name) for name in schema.columns) for row in rows]))

    def forget(self, user_ids: Collection[str]) -> None:
        """Everything of these users."""
        kind = self.schema.dataset_type
        if kind not in ("INTERACTIONS", "USERS"):
            return
        if self.bulk is not None:
            user = self.schema.columns.index("USER_ID")
            self.load(Bulk(self.schema, [row for row in self.bulk.rows if row[user] not in user_ids]))
        self.events.forget(user_ids)
        if kind == "USERS":
            self._put = {key: record for key, record in self._put.items() if key not in user_ids}
            self.journal = [
                entry for entry in self.journal if isinstance(entry, Put) and entry.record_id not in user_ids
            ]
        else:
            self.journal = list(self.events.accepted)
        self.changes += 1


def _touches(schema: Schema, rows: Sequence[Row]) -> Iterator[Touch]:
    columns = schema.columns
    user, item, time = (columns.index(name) for name in ("USER_ID", "ITEM_ID", "TIMESTAMP"))
    kind = columns.index("EVENT_TYPE") if "EVENT_TYPE" in columns else None
    value = columns.index("EVENT_VALUE") if "EVENT_VALUE" in columns else None
    for row in rows:
        yield Touch(
            row[user],
            row[item],
            row[time],
            None if kind is None else row[kind],
            None if value is None else row[value],
        )
